"""Exercises of notebook 05: K steps, in the right order."""

import numpy as np

from mathlib.exercises import Exercise, between, symmetric, whole
from mathlib.losses import quadratic, rosenbrock
from mathlib.meta_gradients import maml_gradient
from mathlib.mistakes import MISTAKES

I = np.eye(2)


def _three_kinds_of_steps(rng):
    """Two or three steps, on losses of which no two are alike and whose Hessians change."""
    losses = [
        rosenbrock(a=between(rng, 0.5, 2), b=between(rng, 0.5, 2)),
        rosenbrock(a=between(rng, -2, -0.5), b=between(rng, 0.5, 2)),
        quadratic(symmetric(rng, 2), between(rng, -1, 1, 2)),
    ]
    return {
        "losses": losses[: whole(rng, 2, 3)],
        "query": quadratic(symmetric(rng, 2), between(rng, -1, 1, 2)),
        "theta": between(rng, -1, 1, 2),
        "alpha": between(rng, 0.1, 0.2),
    }


EXERCISES = {
    # K = 3: the matrix that multiplies α²
    "5A": Exercise(
        draw=lambda rng: {"H0": symmetric(rng, 2), "H1": symmetric(rng, 2), "H2": symmetric(rng, 2)},
        right=lambda H0, H1, H2: H0 @ H1 + H0 @ H2 + H1 @ H2,
        misconceptions={
            "pairs in the other order": (
                lambda H0, H1, H2: H1 @ H0 + H2 @ H0 + H2 @ H1,
                "Take −αH₀ from the first bracket and −αH₁ from the second. Which of them stands on the left?",
            ),
            "both orders": (
                lambda H0, H1, H2: (H0 + H1 + H2) @ (H0 + H1 + H2) - H0 @ H0 - H1 @ H1 - H2 @ H2,
                "There are three ways to choose two of three brackets. How many products have you written?",
            ),
            "half a square": (
                lambda H0, H1, H2: (H0 + H1 + H2) @ (H0 + H1 + H2) / 2,
                "This is how an exponential begins. Can one bracket give its H twice?",
            ),
            "neighbours only": (
                lambda H0, H1, H2: H0 @ H1 + H1 @ H2,
                "Take I from the middle bracket. Which pair is that?",
            ),
            "the other sign": (
                lambda H0, H1, H2: -(H0 @ H1 + H0 @ H2 + H1 @ H2),
                "Each bracket contributes −αH. What is the sign of a product of two of them?",
            ),
        },
    ),
    # the reverse pass, as a function
    "5B": Exercise(
        draw=_three_kinds_of_steps,
        right=maml_gradient,
        misconceptions={name: (mistake.gradient, mistake.question) for name, mistake in MISTAKES.items()},
    ),
    # K = 2: (I − αH₀)(I − αH₁)q by hand
    "5C": Exercise(
        case={
            "H0": np.array([[2.0, 1.0], [1.0, 3.0]]),
            "H1": np.array([[3.0, -2.0], [-2.0, 4.0]]),
            "q": np.array([2.0, 3.0]),
            "alpha": 0.2,
        },
        draw=lambda rng: {
            "H0": symmetric(rng, 2),
            "H1": symmetric(rng, 2),
            "q": between(rng, -3, 3, 2),
            "alpha": between(rng, 0.2, 0.6),
        },
        right=lambda H0, H1, q, alpha: (I - alpha * H0) @ (I - alpha * H1) @ q,
        misconceptions={
            "reversed order": (
                lambda H0, H1, q, alpha: (I - alpha * H1) @ (I - alpha * H0) @ q,
                MISTAKES["reversed order"].question,
            ),
            "a lost factor": (
                lambda H0, H1, q, alpha: (I - alpha * H1) @ q,
                MISTAKES["a lost factor"].question,
            ),
            "a lost α": (
                lambda H0, H1, q, alpha: (I - H0) @ (I - H1) @ q,
                MISTAKES["a lost α"].question,
            ),
            "a vector of ones": (
                lambda H0, H1, q, alpha: (1 - alpha * H0) @ (1 - alpha * H1) @ q,
                "A factor is I − αH. Which entries does I have off the diagonal?",
            ),
            "a sum instead of a product": (
                lambda H0, H1, q, alpha: (I - alpha * (H0 + H1)) @ q,
                "This keeps only what is linear in α. Multiply out the two factors: what is left over?",
            ),
            "first order only": (
                lambda H0, H1, q, alpha: q,
                MISTAKES["first order only"].question,
            ),
        },
    ),
    # Hessian-vector products on the way to U_K
    "5D": Exercise(
        case={"d": 1761, "K": 5},
        draw=lambda rng: {"d": whole(rng, 100, 900), "K": whole(rng, 3, 9)},
        exact=True,
        right=lambda d, K: d * K,
        misconceptions={
            "the reverse pass": (
                lambda d, K: K,
                "That is one vector on its way back, one product a step. How many columns has U_K?",
            ),
            "one step alone": (
                lambda d, K: d,
                "These are the columns of one step. How many steps does each column pass through?",
            ),
            "a first step for nothing": (
                lambda d, K: d * (K - 1),
                "U₁ = I − αH₀. How do you get at the columns of H₀?",
            ),
            "entries for columns": (
                lambda d, K: d * d * K,
                "A Hessian-vector product gives a whole column at once. How many columns are there?",
            ),
        },
    ),
}
