"""Exercises of notebook 04: one inner step in d dimensions."""

import numpy as np

from mathlib.exercises import Exercise, between, symmetric
from mathlib.losses import quadratic, rosenbrock
from mathlib.meta_gradients import inner_loop, maml_gradient
from mathlib.mistakes import MISTAKES

A = np.array([[2.0, 1.0], [1.0, 4.0]])
BOWL = {
    "loss": quadratic(A, np.zeros(2)),  # x² + xy + 2y²
    "query": quadratic(np.diag([1.0, 2.0]), np.array([0.25, 0.5])),  # ½(x − ¼)² + (y − ½)²
    "theta": np.array([2.0, -1.0]),
    "alpha": 0.25,
}
P = np.diag([1.0, 2.0])


def _two_bowls(rng):
    """4A's losses with other numbers."""
    return {
        "loss": quadratic(symmetric(rng, 2), between(rng, -1, 1, 2)),
        "query": quadratic(symmetric(rng, 2), between(rng, -1, 1, 2)),
        "theta": between(rng, -2, 2, 2),
        "alpha": between(rng, 0.2, 0.6),
    }


def _valley(rng):
    """A support loss whose Hessian changes from point to point."""
    return _two_bowls(rng) | {"loss": rosenbrock(a=between(rng, 0.5, 2), b=between(rng, 0.5, 2))}


def _equal_diagonal(rng):
    """A Hessian with the eigenvectors (1, 1) and (1, −1)."""
    diagonal = between(rng, 4, 6)
    other = between(rng, 1.5, 3)
    return {"H": np.array([[diagonal, other], [other, diagonal]])}


def _one_step(name):
    """A misconception about the meta-gradient as a function of one support loss."""
    mistake = MISTAKES[name]
    return lambda loss, query, theta, alpha: mistake.gradient([loss], query, theta, alpha), mistake.question


def _preconditioned(factor):
    """factor(A, α) ∇Q(θ₁) after the step θ₁ = θ₀ − αP∇L(θ₀) on 4A's losses."""

    def gradient(loss, query, theta, alpha):
        return factor(loss.hessian(theta), alpha) @ query.gradient(theta - alpha * P @ loss.gradient(theta))

    return gradient


# Reversed order and a lost factor are no mistakes of their own at K = 1; on a quadratic H is the same everywhere.
SEEN_ON_A_QUADRATIC = [
    "the query's Hessian",
    "the query's gradient at the start",
    "a lost α",
    "a vector of ones",
    "first order only",
]

EXERCISES = {
    # the meta-gradient of a pair of quadratics, by hand
    "4A": Exercise(
        case=BOWL,
        draw=_two_bowls,
        right=lambda loss, query, theta, alpha: maml_gradient([loss], query, theta, alpha),
        misconceptions={name: _one_step(name) for name in SEEN_ON_A_QUADRATIC},
    ),
    # the meta-gradient as a function that uses gradients and one Hessian-vector product
    "4B": Exercise(
        draw=_valley,
        right=lambda loss, query, theta, alpha: maml_gradient([loss], query, theta, alpha),
        misconceptions={name: _one_step(name) for name in [*SEEN_ON_A_QUADRATIC, "the Hessian after the step"]}
        | {
            "H times the support gradient": (
                lambda loss, query, theta, alpha: (
                    query.gradient(inner_loop([loss], theta, alpha)[-1]) - alpha * loss.hvp(theta, loss.gradient(theta))
                ),
                "Multiply (I − αH)v out. Which vector stands behind H?",
            ),
            "the product without v itself": (
                lambda loss, query, theta, alpha: (
                    -alpha * loss.hvp(theta, query.gradient(inner_loop([loss], theta, alpha)[-1]))
                ),
                "Multiply (I − αH)v out. What does I contribute?",
            ),
        },
    ),
    # the α at which the step on ½θᵀHθ forgets the direction (1, 1)
    "4C": Exercise(
        case={"H": np.array([[5.0, 2.0], [2.0, 5.0]])},
        draw=_equal_diagonal,
        right=lambda H: 1 / (H[0, 0] + H[0, 1]),
        misconceptions={
            "the other eigenvector": (
                lambda H: 1 / (H[0, 0] - H[0, 1]),
                "Multiply H by the column (1, 1). By which number was it multiplied?",
            ),
            "a diagonal entry in place of an eigenvalue": (
                lambda H: 1 / H[0, 0],
                "The diagonal holds the curvature along an axis. What is it along (1, 1)?",
            ),
            "the border of divergence": (
                lambda H: 2 / (H[0, 0] + H[0, 1]),
                "At this α the factor is −1: flipped, and nothing is lost. Where is it 0?",
            ),
            "a vector that is not of length 1": (
                lambda H: 1 / H.sum(),
                "This divides by vᵀHv, and v = (1, 1) has length √2. What is λ in Hv = λv?",
            ),
            "a lost inverse": (
                lambda H: H[0, 0] + H[0, 1],
                "Put your α into 1 − αλ. Is it zero?",
            ),
        },
    ),
    # a step that is preconditioned, where the Jacobian is not symmetric
    "4D": Exercise(
        case=BOWL,
        draw=_two_bowls,
        right=_preconditioned(lambda H, alpha: np.eye(2) - alpha * H @ P),
        misconceptions={
            "a lost transpose": (
                _preconditioned(lambda H, alpha: np.eye(2) - alpha * P @ H),
                "This is the step's Jacobian times ∇Q. What does (4.3) put there, and is this Jacobian symmetric?",
            ),
            "P left out of the Jacobian": (
                _preconditioned(lambda H, alpha: np.eye(2) - alpha * H),
                "Differentiate θ − αP∇L(θ). What stands in front of H?",
            ),
            "P left out of the step": (
                lambda loss, query, theta, alpha: maml_gradient([loss], query, theta, alpha),
                "This is the answer to 4A. To which point does the step with P go?",
            ),
            "first order only": (
                _preconditioned(lambda H, alpha: np.eye(2)),
                "This is the gradient with respect to θ₁. What happens to θ₁ when θ₀ moves a little?",
            ),
        },
    ),
}
