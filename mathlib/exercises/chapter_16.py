"""Exercises of notebook 16: inner steps that are not plain gradient descent, and queries asked on the way."""

import numpy as np

from mathlib.exercises import Exercise, between, symmetric, whole
from mathlib.mistakes import MISTAKES

I = np.eye(2)

EXERCISES = {
    # two steps with momentum in one dimension: ∂θ₂/∂θ₀
    "16A": Exercise(
        case={"alpha": 0.1, "lam": 3.0, "mu": 0.5},
        draw=lambda rng: {
            "alpha": between(rng, 0.05, 0.2),
            "lam": between(rng, 2, 5),
            "mu": between(rng, 0.3, 0.9),
        },
        right=lambda alpha, lam, mu: (1 - alpha * lam) ** 2 - alpha * mu * lam,
        misconceptions={
            "the momentum's path forgotten": (
                lambda alpha, lam, mu: (1 - alpha * lam) ** 2,
                "m₁ knows θ₀ too. By which path does it reach θ₂?",
            ),
            "the other sign": (
                lambda alpha, lam, mu: (1 - alpha * lam) ** 2 + alpha * mu * lam,
                "The step is θ − αm. Which sign has its derivative with respect to m?",
            ),
            "a longer second step": (
                lambda alpha, lam, mu: (1 - alpha * lam) * (1 - alpha * (1 + mu) * lam),
                "The momentum holds a gradient taken at θ₀. Did you let it be taken at θ₁?",
            ),
            "a lost α": (
                lambda alpha, lam, mu: (1 - alpha * lam) ** 2 - mu * lam,
                "Multiply the three factors along the path θ₀ → m₁ → m₂ → θ₂. What does the last arrow contribute?",
            ),
        },
    ),
    # Adam from rest: entry (1, 1) of the first step's Jacobian
    "16B": Exercise(
        case={"alpha": 0.1, "eps": 0.01, "n": 0.03, "curvature": 2.0},
        draw=lambda rng: {
            "alpha": between(rng, 0.05, 0.2),
            "eps": between(rng, 0.01, 0.05),
            "n": between(rng, 0.02, 0.09),
            "curvature": between(rng, 2, 5),
        },
        right=lambda alpha, eps, n, curvature: 1 - alpha * eps / (n + eps) ** 2 * curvature,
        misconceptions={
            "sign descent": (
                lambda alpha, eps, n, curvature: 1.0,
                "That is right for |n| far above ε. How many times ε is it here?",
            ),
            "the root held fixed": (
                lambda alpha, eps, n, curvature: 1 - alpha / (n + eps) * curvature,
                "Does the denominator know the gradient too?",
            ),
            "plain gradient descent": (
                lambda alpha, eps, n, curvature: 1 - alpha * curvature,
                "This is the Jacobian of θ − αn. By what does Adam divide n?",
            ),
            "ε inside the root": (
                lambda alpha, eps, n, curvature: 1 - alpha * eps / (n**2 + eps) ** 1.5 * curvature,
                "Where does ε stand in Adam: beside the root or under it?",
            ),
            "the other sign": (
                lambda alpha, eps, n, curvature: 1 + alpha * eps / (n + eps) ** 2 * curvature,
                "The step goes against the gradient. Which sign has its derivative?",
            ),
        },
    ),
    # the query asked after both of two plain steps
    "16C": Exercise(
        draw=lambda rng: {
            "H0": symmetric(rng, 2),
            "H1": symmetric(rng, 2),
            "q1": between(rng, -3, 3, 2),
            "q2": between(rng, -3, 3, 2),
            "w1": between(rng, 0.3, 0.9),
            "w2": between(rng, 1.1, 2),
            "alpha": between(rng, 0.2, 0.6),
        },
        right=lambda H0, H1, q1, q2, w1, w2, alpha: (I - alpha * H0) @ (w1 * q1 + w2 * (I - alpha * H1) @ q2),
        misconceptions={
            "picked up one step too early": (
                lambda H0, H1, q1, q2, w1, w2, alpha: (I - alpha * H0) @ (I - alpha * H1) @ (w1 * q1 + w2 * q2),
                "Which steps lie between θ₀ and θ₁? Has step 2 any part in Q(θ₁)?",
            ),
            "picked up too late": (
                lambda H0, H1, q1, q2, w1, w2, alpha: w1 * q1 + w2 * (I - alpha * H0) @ (I - alpha * H1) @ q2,
                "By how much does θ₁ move when θ₀ moves a little? Your first term says: by as much.",
            ),
            "the last query only": (
                lambda H0, H1, q1, q2, w1, w2, alpha: w2 * (I - alpha * H0) @ (I - alpha * H1) @ q2,
                "The adjoint passes θ₁ on its way back. What is asked there?",
            ),
            "the weights forgotten": (
                lambda H0, H1, q1, q2, w1, w2, alpha: (I - alpha * H0) @ (q1 + (I - alpha * H1) @ q2),
                "The loss is a weighted sum. Where do its weights stand in the gradient?",
            ),
            "reversed order": (
                lambda H0, H1, q1, q2, w1, w2, alpha: (
                    w1 * (I - alpha * H0) @ q1 + w2 * (I - alpha * H1) @ (I - alpha * H0) @ q2
                ),
                MISTAKES["reversed order"].question,
            ),
            "first order only": (
                lambda H0, H1, q1, q2, w1, w2, alpha: w1 * q1 + w2 * q2,
                MISTAKES["first order only"].question,
            ),
        },
    ),
    # weight decay: first order over full, where only the loss gradient is cut
    "16D": Exercise(
        case={"alpha": 0.1, "lam": 4.0, "gamma": 2.0, "K": 3},
        draw=lambda rng: {
            "alpha": between(rng, 0.05, 0.1),
            "lam": between(rng, 2, 4),
            "gamma": between(rng, 0.8, 2),
            "K": whole(rng, 2, 4),
        },
        right=lambda alpha, lam, gamma, K: ((1 - alpha * gamma) / (1 - alpha * gamma - alpha * lam)) ** K,
        misconceptions={
            "all of the update cut": (
                lambda alpha, lam, gamma, K: 1 / (1 - alpha * gamma - alpha * lam) ** K,
                "Only the loss gradient is cut. What does the decay still do to a change of θ₀?",
            ),
            "no decay in the meta-gradient": (
                lambda alpha, lam, gamma, K: ((1 - alpha * gamma) / (1 - alpha * lam)) ** K,
                "Differentiate θ − α(λθ + γθ). How many terms has the bracket?",
            ),
            "no decay at all": (
                lambda alpha, lam, gamma, K: 1 / (1 - alpha * lam) ** K,
                "This is the answer for γ = 0. Where does the decay enter a step?",
            ),
            "one step": (
                lambda alpha, lam, gamma, K: (1 - alpha * gamma) / (1 - alpha * gamma - alpha * lam),
                "How many steps does each of the two gradients travel back?",
            ),
            "the other way round": (
                lambda alpha, lam, gamma, K: ((1 - alpha * gamma - alpha * lam) / (1 - alpha * gamma)) ** K,
                "Which of the two is divided by which?",
            ),
        },
    ),
}
