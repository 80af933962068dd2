"""Exercises of notebook 09: other routes."""

import numpy as np

from mathlib.exercises import Exercise, between, symmetric
from mathlib.mistakes import MISTAKES

I = np.eye(2)


def _with_pull(H0, H1, q, alpha, gamma):
    """The meta-gradient of two steps that are pulled back to the start with strength γ."""
    p1 = (1 - alpha * gamma) * q - alpha * H1 @ q
    return p1 - alpha * H0 @ p1 + alpha * gamma * q


def _without_direct_influence(H0, H1, q, alpha, gamma):
    """The multipliers alone, without the start in the pull of step 2."""
    p1 = (1 - alpha * gamma) * q - alpha * H1 @ q
    return p1 - alpha * H0 @ p1


def _decay_in_both_steps(H0, H1, q, alpha, gamma):
    """The start treated as a constant wherever the pull names it."""
    p1 = (1 - alpha * gamma) * q - alpha * H1 @ q
    return (1 - alpha * gamma) * p1 - alpha * H0 @ p1


EXERCISES = {
    # one step with the gradient taken at Pθ₀, from components to arrays
    "9A": Exercise(
        draw=lambda rng: {"P": between(rng, -1, 1, (2, 2)), "H": symmetric(rng, 2), "q": between(rng, -3, 3, 2)},
        right=lambda P, H, q: q - P.T @ H @ q,
        misconceptions={
            "a lost transpose": (
                lambda P, H, q: q - H @ P @ q,
                "In your product the answer's component is the first index of H. With what does the sum share it?",
            ),
            "P without its transpose": (
                lambda P, H, q: q - P @ H @ q,
                "Which index of P is the answer's component: the first or the second?",
            ),
            "the order exchanged": (
                lambda P, H, q: q - H @ P.T @ q,
                "Which table carries the index k of the answer: P or H?",
            ),
            "the identity forgotten": (
                lambda P, H, q: -P.T @ H @ q,
                "What is the derivative of the first term, x_j, with respect to x_k?",
            ),
            "first order only": (lambda P, H, q: q, MISTAKES["first order only"].question),
        },
    ),
    # two steps with a pull towards the start, which therefore stands in both
    "9B": Exercise(
        draw=lambda rng: {
            "H0": symmetric(rng, 2),
            "H1": symmetric(rng, 2),
            "q": between(rng, -3, 3, 2),
            "alpha": between(rng, 0.2, 0.6),
            "gamma": between(rng, 0.5, 2),
        },
        right=_with_pull,
        misconceptions={
            "the start forgotten in step 2": (
                _without_direct_influence,
                "Look at the constraint of step 2. In how many places does θ₀ stand in it?",
            ),
            "the start held fixed": (
                _decay_in_both_steps,
                "In step 1 the pull is γ(θ₀ − θ₀). How fast does that change when θ₀ moves?",
            ),
            "no pull at all": (
                lambda H0, H1, q, alpha, gamma: (I - alpha * H0) @ (I - alpha * H1) @ q,
                "Differentiate the constraint of step 2 with respect to θ₁. What does the pull contribute?",
            ),
            "the pull counted once": (
                lambda H0, H1, q, alpha, gamma: (I - alpha * H0) @ (I - alpha * H1) @ q + alpha * gamma * q,
                "The pull of step 2 names θ₁ as well as θ₀. What does θ₁ contribute?",
            ),
            "first order only": (lambda H0, H1, q, alpha, gamma: q, MISTAKES["first order only"].question),
        },
    ),
}
