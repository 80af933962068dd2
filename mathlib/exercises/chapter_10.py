"""Exercises of notebook 10: the expansion in α."""

import numpy as np

from mathlib.exercises import Exercise, between, symmetric, whole


def _weighted(first, second, third):
    """The sum of weighted gradients, each with its first-order correction."""

    def gradient(g, H, alpha):
        g_2 = g[1] - alpha * H[1] @ g[0]
        g_3 = g[2] - alpha * H[2] @ (g[0] + g[1])
        return first * g[0] + second * g_2 + third * g_3

    return gradient


def _weights_at_the_start_alone(g, H, alpha):
    return g[0] + 2 / 3 * g[1] + 1 / 3 * g[2] - alpha * (H[1] @ g[0] + H[2] @ (g[0] + g[1]))


def _exchanged(g, H, alpha):
    """The earlier loss's Hessian on the later loss's gradient."""
    g_2 = g[1] - alpha * H[0] @ g[1]
    g_3 = g[2] - alpha * (H[0] + H[1]) @ g[2]
    return g[0] + 2 / 3 * g_2 + 1 / 3 * g_3


EXERCISES = {
    # the way to the mean of three points, to first order in α
    "10A": Exercise(
        draw=lambda rng: {
            "g": between(rng, -3, 3, (3, 2)),
            "H": np.array([symmetric(rng, 2) for _ in range(3)]),
            "alpha": between(rng, 0.2, 0.6),
        },
        right=_weighted(1, 2 / 3, 1 / 3),
        misconceptions={
            "the last point": (
                _weighted(1, 1, 1),
                "That is Reptile, the whole way to θ₃. Which gradients are on the way to θ₁, and to θ₂?",
            ),
            "the mean of the gradients": (
                _weighted(1 / 3, 1 / 3, 1 / 3),
                "This is a third of the way to θ₃. Which gradient has moved all three points?",
            ),
            "weights in reverse": (
                _weighted(1 / 3, 2 / 3, 1),
                "Which gradient has moved all three points, the first or the last?",
            ),
            "the weights at order 0 alone": (
                _weights_at_the_start_alone,
                "The weight belongs to the gradient as it was met. What of it stands behind α?",
            ),
            "Hessian and gradient exchanged": (
                _exchanged,
                "Gradient 2 is taken where step 1 ended. Whose gradient moved the point, and whose curvature feels it?",
            ),
            "order 0 alone": (
                lambda g, H, alpha: g[0] + 2 / 3 * g[1] + 1 / 3 * g[2],
                "These are the gradients at θ₀. Where did the loop meet the second and the third?",
            ),
        },
    ),
    # L₁, L₂, L₃ four times and Q: how many of Reptile's pairs are not AvgGradInner
    "10B": Exercise(
        case={"losses": 3, "rounds": 4},
        draw=lambda rng: {"losses": whole(rng, 3, 9), "rounds": whole(rng, 4, 9)},
        exact=True,
        right=lambda losses, rounds: losses * rounds * (rounds - 1) // 2,
        misconceptions={
            "all pairs": (
                lambda losses, rounds: (losses * rounds + 1) * losses * rounds // 2,
                "These are all pairs j < i of thirteen gradients. In which of them do both belong to one minibatch?",
            ),
            "all pairs without the query": (
                lambda losses, rounds: losses * rounds * (losses * rounds - 1) // 2,
                "In some of these L₁ meets L₂, and they are two minibatches. In how many?",
            ),
            "the others": (
                lambda losses, rounds: (
                    (losses * rounds + 1) * losses * rounds // 2 - losses * rounds * (rounds - 1) // 2
                ),
                "These hold two different minibatches. How many are left?",
            ),
            "ordered pairs": (
                lambda losses, rounds: losses * rounds * (rounds - 1),
                "Only a gradient met later feels an earlier step. Are gradients 1 and 4 one pair or two?",
            ),
        },
    ),
    # α at which MAML's two-term expansion vanishes on a parabola: λ = 3, K = 5
    "10C": Exercise(
        case={"lam": 3.0, "K": 5},
        draw=lambda rng: {"lam": between(rng, 1.2, 4), "K": whole(rng, 2, 6)},
        right=lambda lam, K: 1 / (2 * K * lam),
        misconceptions={
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
