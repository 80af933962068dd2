"""Exercises of notebook 13: implicit gradients, and the distance to a set."""

import numpy as np

from mathlib.exercises import Exercise, between, whole


def _on_sphere(theta, radius):
    """The point of the sphere about 0 that is closest to theta."""
    return radius * theta / np.linalg.norm(theta)


EXERCISES = {
    # g for L = a(φ − c)²/2, Q = (φ − b)²/2
    "13A": Exercise(
        case={"a": 3.0, "c": 4.0, "b": 7.0, "theta": 9.0, "lam": 2.0},
        draw=lambda rng: {
            "a": between(rng, 1, 4),
            "c": between(rng, -5, 5),
            "b": between(rng, -5, 5),
            "theta": between(rng, -9, 9),
            "lam": between(rng, 1, 4),
        },
        right=lambda a, c, b, theta, lam: ((a * c + lam * theta) / (a + lam) - b) * lam / (lam + a),
        misconceptions={
            "the support loss's gradient": (
                lambda a, c, b, theta, lam: a * ((a * c + lam * theta) / (a + lam) - c) * lam / (lam + a),
                "You put L′(φ) on the right-hand side. Which loss judges φ?",
            ),
            "first order only": (
                lambda a, c, b, theta, lam: (a * c + lam * theta) / (a + lam) - b,
                "This is Q′(φ). How far does φ move when θ moves by one?",
            ),
            "a lost inverse": (
                lambda a, c, b, theta, lam: ((a * c + lam * theta) / (a + lam) - b) * (1 + a / lam),
                "You multiplied by 1 + a/λ. Does a leash make φ move further than θ, or less far?",
            ),
            "the query gradient at θ": (
                lambda a, c, b, theta, lam: (theta - b) * lam / (lam + a),
                "The factor is right. At which point does the query loss judge?",
            ),
            "the query gradient at the support minimum": (
                lambda a, c, b, theta, lam: (c - b) * lam / (lam + a),
                "You judged at c, the minimum of L alone. Where does the leash let φ go?",
            ),
            "a lost λ": (
                lambda a, c, b, theta, lam: ((a * c + lam * theta) / (a + lam) - b) / (lam + a),
                "You solved (λ + H)g = ∇Q. What stands on the right when (13.2) is multiplied by λ?",
            ),
            "one term of the series": (
                lambda a, c, b, theta, lam: ((a * c + lam * theta) / (a + lam) - b) * (1 - a / lam),
                "This is 1 − a/λ, which is near 1/(1 + a/λ) for small a/λ only. Is a/λ small here?",
            ),
        },
    ),
    # the strength that lets through of one eigendirection what K steps let through
    "13B": Exercise(
        case={"alpha": 0.1, "K": 5, "mu": 4.0},
        draw=lambda rng: {
            "alpha": between(rng, 0.08, 0.16),
            "K": whole(rng, 2, 5),
            "mu": between(rng, 3, 6),
        },
        right=lambda alpha, K, mu: mu * (1 - alpha * mu) ** K / (1 - (1 - alpha * mu) ** K),
        misconceptions={
            "the strength matched at small eigenvalues": (
                lambda alpha, K, mu: 1 / (alpha * K),
                "1/(αK) makes the two curves start alike, at μ = 0. What do they let through at μ = 4?",
            ),
            "one step": (
                lambda alpha, K, mu: mu * (1 - alpha * mu) / (alpha * mu),
                "This matches one step. How many factors 1 − αμ does the inner loop have?",
            ),
            "the part that is learned": (
                lambda alpha, K, mu: mu * (1 - (1 - alpha * mu) ** K) / (1 - alpha * mu) ** K,
                "You set μ/(λ + μ) equal to (1 − αμ)ᴷ. Which part arrives: λ/(λ + μ), or the rest?",
            ),
            "an exponential": (
                lambda alpha, K, mu: mu / np.expm1(alpha * K * mu),
                "You took e^(−αKμ) for (1 − αμ)ᴷ. Is αμ small here?",
            ),
            "a lost μ": (
                lambda alpha, K, mu: (1 - alpha * mu) ** K / (1 - (1 - alpha * mu) ** K),
                "This is λ/μ. What is λ?",
            ),
        },
    ),
    # ∇ ½ dist² to a sphere about 0
    "13C": Exercise(
        case={"theta": np.array([3.0, 0.0, 4.0]), "radius": 2.0},
        draw=lambda rng: {"theta": between(rng, -3, 3, 3), "radius": between(rng, 0.5, 4)},
        right=lambda theta, radius: theta - _on_sphere(theta, radius),
        misconceptions={
            "the square without its half": (
                lambda theta, radius: 2 * (theta - _on_sphere(theta, radius)),
                "This belongs to dist². Which function is asked for?",
            ),
            "the distance, not its square": (
                lambda theta, radius: theta / np.linalg.norm(theta),
                "This is a unit vector, the gradient of dist. What does the square add by the chain rule?",
            ),
            "downhill": (
                lambda theta, radius: _on_sphere(theta, radius) - theta,
                "You point at the sphere. In which direction does the distance grow?",
            ),
            "the distance to the centre": (
                lambda theta, radius: theta,
                "This is the gradient for the set that holds the centre alone. Which point of the sphere is closest?",
            ),
            "the closest point": (
                _on_sphere,
                "This is p(θ). Where is the vector from there to θ?",
            ),
            "the movement of p subtracted": (
                lambda theta, radius: (
                    theta
                    - _on_sphere(theta, radius)
                    - radius / np.linalg.norm(theta) * (theta - _on_sphere(theta, radius))
                ),
                "You let p move along θ, as if the sphere grew. Can p leave the sphere when θ moves?",
            ),
        },
    ),
    # how many Hessian-vector products conjugate gradients need at most: linear model, n examples, d parameters
    "13D": Exercise(
        case={"d": 200, "n": 10},
        draw=lambda rng: {"d": whole(rng, 50, 300), "n": whole(rng, 3, 20)},
        exact=True,
        right=lambda d, n: n + 1,
        misconceptions={
            "the number of parameters": (
                lambda d, n: d,
                "That bound holds for any matrix. How many different eigenvalues can this one have?",
            ),
            "the examples alone": (
                lambda d, n: n,
                "Ten eigenvalues may differ from 1. What becomes of the directions that no example sees?",
            ),
            "the directions that no example sees": (
                lambda d, n: d - n,
                "You counted eigenvalues with their multiplicity. Does a value that occurs often cost more than once?",
            ),
            "entries of the matrix": (
                lambda d, n: d * d,
                "These are the entries of H. Does a product with a vector need them?",
            ),
        },
    ),
}
