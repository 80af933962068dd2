"""The named mistakes about a meta-gradient, each computed as its believer would, and the question that undoes it.

Every function takes what `maml_gradient` takes and returns a vector of the same shape.
"""

import numpy as np

from mathlib.meta_gradients import fomaml_gradient, inner_loop, step_jacobian


def _travel_back(factors, v):
    """factors[0] @ factors[1] @ … @ v, from the right."""
    for factor in reversed(factors):
        v = factor @ v
    return v


def _factors(losses, theta, alpha, shift=0, curvature=None):
    """I − αH for each step; `shift` moves the Hessian to a later iterate, `curvature` takes another loss's."""
    trajectory = inner_loop(losses, theta, alpha)
    return [step_jacobian(curvature or loss, trajectory[i + shift], alpha) for i, loss in enumerate(losses)]


def reversed_order(losses, query, theta, alpha):
    """(I − αH_{K−1}) … (I − αH₀) ∇Q(θ_K)"""
    return _travel_back(_factors(losses, theta, alpha)[::-1], fomaml_gradient(losses, query, theta, alpha))


def wrong_iterate(losses, query, theta, alpha):
    """Each Hessian taken after its step, at θ_i, instead of before it, at θ_{i−1}."""
    return _travel_back(_factors(losses, theta, alpha, shift=1), fomaml_gradient(losses, query, theta, alpha))


def query_hessian(losses, query, theta, alpha):
    """The query loss's Hessian in place of the support losses'."""
    return _travel_back(_factors(losses, theta, alpha, curvature=query), fomaml_gradient(losses, query, theta, alpha))


def lost_alpha(losses, query, theta, alpha):
    """Factors I − H."""
    I = np.eye(theta.size)
    factors = [I - (I - factor) / alpha for factor in _factors(losses, theta, alpha)]
    return _travel_back(factors, fomaml_gradient(losses, query, theta, alpha))


def lost_factor(losses, query, theta, alpha):
    """The factor nearest to θ₀ forgotten: the gradient with respect to θ₁."""
    return _travel_back(_factors(losses, theta, alpha)[1:], fomaml_gradient(losses, query, theta, alpha))


def vector_of_ones(losses, query, theta, alpha):
    """`1 - alpha * H`, which NumPy broadcasts to a matrix of ones minus αH."""
    factors = [factor - np.eye(theta.size) + 1 for factor in _factors(losses, theta, alpha)]
    return _travel_back(factors, fomaml_gradient(losses, query, theta, alpha))


def first_order_only(losses, query, theta, alpha):
    """Every factor replaced by I."""
    return fomaml_gradient(losses, query, theta, alpha)


MISCONCEPTIONS = {
    "reversed order": (
        reversed_order,
        "The gradient starts at θ_K and travels back. Which step's factor does it meet first, next to ∇Q?",
    ),
    "the Hessian at the wrong iterate": (
        wrong_iterate,
        "Step i computes ∇L_i at one point only. Is that the point before the step, or after it?",
    ),
    "the query's Hessian": (
        query_hessian,
        "The curvature comes from differentiating the update. Whose gradient stands in the update?",
    ),
    "a lost α": (
        lost_alpha,
        "Differentiate θ − α∇L(θ) term by term: what multiplies the Hessian?",
    ),
    "a lost factor": (
        lost_factor,
        "Between θ₀ and θ_K lie K steps. How many factors does your product have, and with respect to which θ is it?",
    ),
    "a vector of ones": (
        vector_of_ones,
        "What is ∂θ_j/∂θ_k for j ≠ k? Look at what `1 - alpha * H` does to the entries off the diagonal.",
    ),
    "first order only": (
        first_order_only,
        "This is the gradient with respect to θ_K. What happens to θ_K when θ₀ moves a little?",
    ),
}
