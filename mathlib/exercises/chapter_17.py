"""Exercises of notebook 17: the curvature of a network."""

import numpy as np

from mathlib.exercises import Exercise, between


def _hessian(diagonal=2.0, across=lambda f, y: 2 * f - y):
    """The Hessian of (w₂w₁x − y)² where w₁x > 0: the diagonal, and what multiplies 2x across."""

    def hessian(w1, w2, x, y):
        mixed = 2 * x * across(w1 * w2 * x, y)
        return np.array([[diagonal * (w2 * x) ** 2, mixed], [mixed, diagonal * (w1 * x) ** 2]])

    return hessian


def _jump(after, before=lambda b: b**2):
    """(what is lost on the right) − (what is lost on the left)."""
    return lambda alpha, a, b: after(alpha, a, b) - before(b)


EXERCISES = {
    # the Hessian of the smallest ReLU network
    "17A": Exercise(
        draw=lambda rng: {
            "w1": between(rng, 0.5, 2),
            "w2": between(rng, -2, -0.5),
            "x": between(rng, 0.5, 2),
            "y": between(rng, 1, 3),
        },
        right=_hessian(),
        misconceptions={
            "the Gauss–Newton part alone": (
                _hessian(across=lambda f, y: f),
                "This is ∇f∇fᵀ, twice. What is the second derivative of w₂w₁x with respect to w₁ and w₂?",
            ),
            "the residual part alone": (
                _hessian(diagonal=0.0, across=lambda f, y: f - y),
                "This is the part with the error in it. What is left where the error is 0?",
            ),
            "no curvature": (
                lambda w1, w2, x, y: np.zeros((2, 2)),
                "The network is linear in each weight. Is its squared error?",
            ),
            "a lost 2": (
                lambda w1, w2, x, y: _hessian()(w1, w2, x, y) / 2,
                "The loss is the square, not half of it. What is its first derivative?",
            ),
            "no mixed derivative": (
                lambda w1, w2, x, y: np.diag([2 * (w2 * x) ** 2, 2 * (w1 * x) ** 2]),
                "Differentiate with respect to w₁ first. Does w₂ occur in the result?",
            ),
        },
    ),
    # the jump of the meta-loss where a ReLU switches on
    "17B": Exercise(
        case={"alpha": 0.1, "a": 2.0, "b": 3.0},
        draw=lambda rng: {"alpha": between(rng, 0.05, 0.2), "a": between(rng, 0.7, 1.5), "b": between(rng, 2, 4)},
        right=_jump(lambda alpha, a, b: (2 * alpha * a - b) ** 2),
        misconceptions={
            "the jump turned round": (
                lambda alpha, a, b: b**2 - (2 * alpha * a - b) ** 2,
                "This is M(0⁻) − M(0⁺). From which side to which does the jump go?",
            ),
            "no jump": (
                lambda alpha, a, b: 0.0,
                "L and Q are continuous. Is the gradient of L, with which the inner step moves?",
            ),
            "a lost 2": (
                _jump(lambda alpha, a, b: (alpha * a - b) ** 2),
                "The derivative of the square brings a factor. How far does the step from 0⁺ go?",
            ),
            "a step uphill": (
                _jump(lambda alpha, a, b: (2 * alpha * a + b) ** 2),
                "Does the inner step from 0⁺ go towards a, or away from it? (If away, relu would be off: no jump.)",
            ),
            "M to the right, not the jump": (
                lambda alpha, a, b: (2 * alpha * a - b) ** 2,
                "This is M(0⁺). How large is M on the other side?",
            ),
        },
    ),
}
