"""Exercises of notebook 02: Jacobians, their order and their transposes."""

import numpy as np

from mathlib.exercises import Exercise, between, symmetric

EXERCISES = {
    # ∂y/∂x for y = (x₁² x₂, x₁ + 3x₂)
    "2A": Exercise(
        draw=lambda rng: {"x1": between(rng, -3, 3), "x2": between(rng, -3, 3)},
        right=lambda x1, x2: np.array([[2 * x1 * x2, x1**2], [1, 3]]),
        misconceptions={
            "a lost transpose": (
                lambda x1, x2: np.array([[2 * x1 * x2, 1], [x1**2, 3]]),
                "Your first row holds both derivatives by x₁. Does a row belong to an input, or to an output?",
            ),
            "the diagonal alone": (
                lambda x1, x2: np.array([[2 * x1 * x2, 0], [0, 3]]),
                "The first output contains x₂ as well. Does it stand still when x₂ moves?",
            ),
            "the values in place of the derivatives": (
                lambda x1, x2: np.array([[x1**2 * x2, 0], [x1, 3 * x2]]),
                "These are the terms of y. How fast does each of them change when one input moves?",
            ),
        },
    ),
    # (1 - alpha * H) @ v minus (I − αH)v
    "2B": Exercise(
        draw=lambda rng: {"alpha": between(rng, 0.1, 0.5), "H": symmetric(rng, 3), "v": between(rng, -3, 3, 3)},
        right=lambda alpha, H, v: v.sum() - v,
        misconceptions={
            "the sum in every component": (
                lambda alpha, H, v: np.full_like(v, v.sum()),
                "The matrix of ones replaces I. What would I have contributed, and is that still wrong?",
            ),
            "the other sign": (
                lambda alpha, H, v: v - v.sum(),
                "The colleague's vector minus the right one, or the right one minus the colleague's?",
            ),
            "an error that shrinks with α": (
                lambda alpha, H, v: alpha * (v.sum() - v),
                "Put α = 0 into both matrices. Do they agree then?",
            ),
            "an error that is not there": (
                lambda alpha, H, v: 0 * v,
                "Write down row 1 of both matrices. Do the entries off the diagonal agree?",
            ),
        },
    ),
    # ∇(Q∘f∘g)(x) from F = J_f(g(x)), G = J_g(x), q = ∇Q at f(g(x))
    "2C": Exercise(
        draw=lambda rng: {
            "F": between(rng, -3, 3, (2, 2)),
            "G": between(rng, -3, 3, (2, 2)),
            "q": between(rng, -3, 3, 2),
        },
        right=lambda F, G, q: G.T @ F.T @ q,
        misconceptions={
            "a lost transpose in both factors": (
                lambda F, G, q: G @ F @ q,
                "The order is right. Multiply the row qᵀ by F: is that the same as F times the column q?",
            ),
            "reversed order": (
                lambda F, G, q: F.T @ G.T @ q,
                "The gradient starts at the output of f and travels back: which map does it meet first?",
            ),
            "the Jacobian's product, not transposed": (
                lambda F, G, q: F @ G @ q,
                "FG takes displacements of x forward. Which way does a gradient go?",
            ),
            "a lost factor": (
                lambda F, G, q: F.T @ q,
                "This is the gradient with respect to g(x). What happens to g(x) when x moves a little?",
            ),
        },
    ),
    # ∇_θ Q(θ − P∇L(θ)) from P, H = ∇²L(θ), v = ∇Q(θ₁)
    "2D": Exercise(
        draw=lambda rng: {
            "P": between(rng, -0.5, 0.5, (3, 3)),
            "H": symmetric(rng, 3),
            "v": between(rng, -3, 3, 3),
        },
        right=lambda P, H, v: v - H @ P.T @ v,
        misconceptions={
            "a lost transpose": (
                lambda P, H, v: v - P @ H @ v,
                "I − PH is the Jacobian of the step. Does a gradient meet the Jacobian, or its transpose?",
            ),
            "half a transpose": (
                lambda P, H, v: v - H @ P @ v,
                "(PH)ᵀ has its factors in the other order, and each is transposed. H = Hᵀ; is P = Pᵀ here?",
            ),
            "the other half of a transpose": (
                lambda P, H, v: v - P.T @ H @ v,
                "You transposed P, but (PH)ᵀ also exchanges the factors. Which of them stands next to v?",
            ),
            "first order only": (
                lambda P, H, v: v,
                "This is the gradient with respect to θ₁. What happens to θ₁ when θ moves a little?",
            ),
            "a vector of ones": (
                lambda P, H, v: v.sum() - H @ P.T @ v,
                "What is ∂x_j/∂x_k for j ≠ k? Look at what `1 - H @ P.T` does to the entries off the diagonal.",
            ),
        },
    ),
}
