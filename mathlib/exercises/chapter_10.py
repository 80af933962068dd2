"""Exercises of notebook 10: the expansion in α."""

import numpy as np

from mathlib.exercises import Exercise


def _sum_minus(pairs):
    """Σ ḡ_i − α Σ H̄_i ḡ_j over the given pairs (i, j)."""

    def gradient(g, H, alpha):
        return g.sum(axis=0) - alpha * sum(H[i - 1] @ g[j - 1] for i, j in pairs)

    return gradient


def _last_alone(g, H, alpha):
    """FOMAML's expansion."""
    return g[2] - alpha * H[2] @ (g[0] + g[1])


EXERCISES = {
    # Reptile for k = 3, to first order in α
    "10A": Exercise(
        {
            "g": np.array([[1.0, 0.0], [0.0, 2.0], [-1.0, 1.0]]),
            "H": np.array([[[2.0, 1.0], [1.0, 0.0]], [[1.0, -1.0], [-1.0, 4.0]], [[0.0, 2.0], [2.0, -1.0]]]),
            "alpha": 0.1,
        },
        _sum_minus([(2, 1), (3, 1), (3, 2)]),
        {
            "Hessian and gradient exchanged": (
                _sum_minus([(1, 2), (1, 3), (2, 3)]),
                "Gradient 2 is taken where step 1 ended. Whose gradient moved the point, and whose curvature feels it?",
            ),
            "both orders": (
                _sum_minus([(1, 2), (2, 1), (1, 3), (3, 1), (2, 3), (3, 2)]),
                "A later step cannot change an earlier gradient. Which of your pairs have j > i?",
            ),
            "neighbours only": (
                _sum_minus([(2, 1), (3, 2)]),
                "Step 3 starts where steps 1 and 2 together have led. Which pair is missing?",
            ),
            "a step that feels itself": (
                _sum_minus([(1, 1), (2, 1), (2, 2), (3, 1), (3, 2), (3, 3)]),
                "The gradient of step 1 is taken at θ₀, before anything has moved. Can H̄₁ḡ₁ occur?",
            ),
            "the last gradient alone": (
                _last_alone,
                "That is FOMAML. Which gradients does Reptile add up?",
            ),
            "order 0 alone": (
                lambda g, H, alpha: g.sum(axis=0),
                "These are the gradients at θ₀. Where did the loop meet the second and the third?",
            ),
        },
    ),
    # [L] * 4 and Q: how many of Reptile's pairs are not AvgGradInner
    "10B": Exercise(
        {"K": 4},
        lambda K: K * (K - 1) / 2,
        {
            "all pairs": (
                lambda K: K * (K + 1) / 2,
                "These are all pairs j < i of five gradients. In which of them do both belong to one minibatch?",
            ),
            "the pairs with the query": (
                lambda K: K,
                "These pairs hold two different minibatches, Q and L. How many are left?",
            ),
            "ordered pairs": (
                lambda K: K * (K - 1),
                "Only a gradient met later feels an earlier step. How many pairs have j < i?",
            ),
            "each step with itself": (
                lambda K: K * K,
                "Does H̄_i meet the gradient of its own step, or those of the steps before it?",
            ),
        },
    ),
    # α at which MAML's two-term expansion vanishes on a parabola: λ = 2.5, K = 5
    "10C": Exercise(
        {"lam": 2.5, "K": 5},
        lambda lam, K: 1 / (2 * K * lam),
        {
            "k taken for K": (
                lambda lam, K: 1 / (2 * (K + 1) * lam),
                "Five inner steps and the query make k = 6. Which of the two, k or k − 1, stands in the weight?",
            ),
            "FOMAML's weight": (
                lambda lam, K: 1 / (K * lam),
                "That is where FOMAML's two terms cancel. How many pairs does MAML's weight count?",
            ),
            "Reptile's weight": (
                lambda lam, K: 2 / (K * lam),
                "That is where Reptile's two terms cancel. What is MAML's weight?",
            ),
            "the exact gradient's zero": (
                lambda lam, K: 1 / lam,
                "There the exact factor vanishes. Where does its expansion 1 − 2(k − 1)αλ vanish?",
            ),
            "a lost λ": (
                lambda lam, K: 1 / (2 * K),
                "That is the value of αλ. What is α?",
            ),
        },
    ),
}
