r"""The catalogue of mistakes: each plausible wrong meta-gradient once, computed as its believer would.

.. math::
    \nabla_{\theta_0} Q(\theta_K) = (I-\alpha H_0)(I-\alpha H_1)\cdots(I-\alpha H_{K-1})\,\nabla Q(\theta_K)

Every function takes what `maml_gradient` takes, symbols or numbers, and returns a vector of the same shape.
Refutations in the notebooks, the feedback to exercises and the planted errors of the tests draw from here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import sympy

from mathlib.contracts import LossLike, Product, StepSize, Theta
from mathlib.errors import UnknownName
from mathlib.inputs import is_symbolic
from mathlib.meta_gradients import fomaml_gradient, inner_loop, reptile_gradient

Losses: TypeAlias = Sequence[LossLike]


@dataclass(frozen=True)
class Mistake:
    """A wrong meta-gradient and what is known about it.

    Attributes
    ----------
    name : str
        What it is called, in feedback and tables.
    gradient : callable
        The wrong formula, (losses, query, theta, alpha) → a vector shaped like theta.
    in_code : str
        What it looks like in somebody's code.
    question : str
        The question that undoes it.
    """

    name: str
    gradient: Callable[[Losses, LossLike, Theta, StepSize], Theta]
    in_code: str
    question: str


def wrong_gradients(losses: Losses, query: LossLike, theta: Theta, alpha: StepSize, *names: str) -> dict[str, Theta]:
    """What each of the mistakes named gives, by name; all of the catalogue without a name.

    Parameters
    ----------
    losses, query, theta, alpha
        As in `maml_gradient`; numbers of one task, or symbols.
    *names : str
        Keys of `MISTAKES`.

    Returns
    -------
    dict of str to sympy.Matrix or numpy.ndarray
        Ready for `refute`.

    Examples
    --------
    >>> from mathlib import quadratic
    >>> bowl = quadratic(np.diag([1.0, 4.0]), np.zeros(2))
    >>> wrong_gradients([bowl], bowl, np.ones(2), 0.1, "a lost α", "first order only")
    {'a lost α': array([ 0. , -7.2]), 'first order only': array([0.9, 2.4])}
    """
    for name in names:
        if name not in MISTAKES:
            raise UnknownName(f"there is no mistake {name!r}; expected one of {', '.join(MISTAKES)}.")
    return {name: MISTAKES[name].gradient(losses, query, theta, alpha) for name in names or MISTAKES}


def reversed_order(losses: Losses, query: LossLike, theta: Theta, alpha: StepSize) -> Theta:
    """(I − αH_{K−1}) … (I − αH₀) ∇Q(θ_K), which is also U_K ∇Q(θ_K), a lost transpose."""
    hvps = _products(losses, _starts(losses, theta, alpha))
    return _travel_back(hvps[::-1], fomaml_gradient(losses, query, theta, alpha), alpha)


def after_the_step(losses: Losses, query: LossLike, theta: Theta, alpha: StepSize) -> Theta:
    """Each Hessian taken after its step, at θ_i, instead of before it, at θ_{i−1}."""
    ends = inner_loop(losses, theta, alpha)[1:]
    return _travel_back(_products(losses, ends), fomaml_gradient(losses, query, theta, alpha), alpha)


def at_the_start(losses: Losses, query: LossLike, theta: Theta, alpha: StepSize) -> Theta:
    """(I − α∇²L₁(θ₀)) … (I − α∇²L_K(θ₀)) ∇Q(θ_K)"""
    hvps = _products(losses, [theta] * len(losses))
    return _travel_back(hvps, fomaml_gradient(losses, query, theta, alpha), alpha)


def query_hessian(losses: Losses, query: LossLike, theta: Theta, alpha: StepSize) -> Theta:
    """The query loss's Hessian in place of the support losses'."""
    hvps = _products([query] * len(losses), _starts(losses, theta, alpha))
    return _travel_back(hvps, fomaml_gradient(losses, query, theta, alpha), alpha)


def query_at_the_start(losses: Losses, query: LossLike, theta: Theta, alpha: StepSize) -> Theta:
    """(I − αH₀) … (I − αH_{K−1}) ∇Q(θ₀): the query's gradient before adapting, carried back."""
    return _travel_back(_products(losses, _starts(losses, theta, alpha)), query.gradient(theta), alpha)


def not_adapted(losses: Losses, query: LossLike, theta: Theta, alpha: StepSize) -> Theta:
    """∇Q(θ₀), the query's gradient without an inner loop; also MAML with α = 0."""
    return query.gradient(theta)


def lost_alpha(losses: Losses, query: LossLike, theta: Theta, alpha: StepSize) -> Theta:
    """Factors I − H."""
    hvps = _products(losses, _starts(losses, theta, alpha))
    return _travel_back(hvps, fomaml_gradient(losses, query, theta, alpha), 1)


def plus_for_minus(losses: Losses, query: LossLike, theta: Theta, alpha: StepSize) -> Theta:
    """Factors I + αH."""
    hvps = _products(losses, _starts(losses, theta, alpha))
    return _travel_back(hvps, fomaml_gradient(losses, query, theta, alpha), -alpha)


def lost_factor(losses: Losses, query: LossLike, theta: Theta, alpha: StepSize) -> Theta:
    """The factor nearest to θ₀ forgotten: the gradient with respect to θ₁."""
    hvps = _products(losses, _starts(losses, theta, alpha))
    return _travel_back(hvps[1:], fomaml_gradient(losses, query, theta, alpha), alpha)


def sum_for_product(losses: Losses, query: LossLike, theta: Theta, alpha: StepSize) -> Theta:
    """(I − α(H₀ + … + H_{K−1})) ∇Q(θ_K): what is linear in α, and no more."""
    v = fomaml_gradient(losses, query, theta, alpha)
    return sum((-alpha * hvp(v) for hvp in _products(losses, _starts(losses, theta, alpha))), start=v)


def ones_for_identity(losses: Losses, query: LossLike, theta: Theta, alpha: StepSize) -> Theta:
    """`1 - alpha * H`, which NumPy broadcasts to a matrix of ones minus αH."""
    ones = sympy.ones(len(theta), 1) if is_symbolic(theta) else np.ones_like(theta)
    v = fomaml_gradient(losses, query, theta, alpha)
    for hvp in reversed(_products(losses, _starts(losses, theta, alpha))):
        v = sum(v) * ones - alpha * hvp(v)
    return v


def first_order_only(losses: Losses, query: LossLike, theta: Theta, alpha: StepSize) -> Theta:
    """∇Q(θ_K), every factor replaced by I."""
    return fomaml_gradient(losses, query, theta, alpha)


def inner_gradients(losses: Losses, query: LossLike, theta: Theta, alpha: StepSize) -> Theta:
    """∇L₁(θ₀) + … + ∇L_K(θ_{K−1}), the direction in which the inner loop went."""
    return reptile_gradient(losses, theta, alpha)


def _starts(losses: Losses, theta: Theta, alpha: StepSize) -> list[Theta]:
    return inner_loop(losses, theta, alpha)[:-1]


def _products(losses: Losses, points: Sequence[Theta]) -> list[Product]:
    """v ↦ Hv of each loss, at the point beside it."""
    return [loss.linearize(point)[1] for loss, point in zip(losses, points, strict=True)]


def _travel_back(hvps: list[Product], v: Theta, alpha: StepSize) -> Theta:
    """(I − αH) … (I − αH) v, the last of the Hessians next to v; no matrix is needed, so d may be large."""
    for hvp in reversed(hvps):
        v = v - alpha * hvp(v)
    return v


MISTAKES = {
    mistake.name: mistake
    for mistake in [
        Mistake(
            "reversed order",
            reversed_order,
            "`for hvp in hvps:` where `reversed(hvps)` belongs; or `U_K @ v` for `U_K.T @ v`",
            "The gradient starts at θ_K and travels back. Which step's factor does it meet first, next to ∇Q?",
        ),
        Mistake(
            "the Hessian after the step",
            after_the_step,
            "`theta = theta - alpha * g` one line too early: the Hessian is then taken where the step ended",
            "Step i computes ∇L_i at one point only. Is that the point before the step, or after it?",
        ),
        Mistake(
            "every Hessian at the start",
            at_the_start,
            "`loss.hvp(theta_0, v)` in the loop that goes back",
            "Only the first step computes its gradient at θ₀. Where does step i compute its own?",
        ),
        Mistake(
            "the query's Hessian",
            query_hessian,
            "`query.hvp(theta, v)` where the step's own loss belongs",
            "The curvature comes from differentiating the update. Whose gradient stands in the update?",
        ),
        Mistake(
            "the query's gradient at the start",
            query_at_the_start,
            "`query.gradient(theta_0)`; or predictions that were made before `adapt` was called",
            "The query loss is asked after adapting. At which point of the path is that?",
        ),
        Mistake(
            "no adaptation",
            not_adapted,
            "`query_loss(model)` where `query_loss(adapted_model)` belongs",
            "Where does the task's support data come in? With α = 0 it would not.",
        ),
        Mistake(
            "a lost α",
            lost_alpha,
            "`v = v - hvp(v)`",
            "Differentiate θ − α∇L(θ) term by term: what multiplies the Hessian?",
        ),
        Mistake(
            "plus for minus",
            plus_for_minus,
            "`v = v + alpha * hvp(v)`",
            "The step goes against the gradient. Which sign has its derivative?",
        ),
        Mistake(
            "a lost factor",
            lost_factor,
            "`losses[1:]` on the way back; or a graph that begins after the first step",
            "Between θ₀ and θ_K lie K steps. How many factors has your product, and with respect to which θ is it?",
        ),
        Mistake(
            "a sum instead of a product",
            sum_for_product,
            "`v = v - alpha * sum(hvp(v) for hvp in hvps)`",
            "This keeps only what is linear in α. Multiply out two factors: what is left over?",
        ),
        Mistake(
            "a vector of ones",
            ones_for_identity,
            "`(1 - alpha * H) @ v` where `(np.eye(d) - alpha * H) @ v` belongs",
            "What is ∂θ_j/∂θ_k for j ≠ k? Look at what `1 - alpha * H` does to the entries off the diagonal.",
        ),
        Mistake(
            "first order only",
            first_order_only,
            "`create_graph=True` left out; `.detach()`, `.data` or `stop_gradient` on the inner gradient",
            "This is the gradient with respect to θ_K. What happens to θ_K when θ₀ moves a little?",
        ),
        Mistake(
            "the inner gradients in place of the query's",
            inner_gradients,
            "the support gradients' sum: (θ₀ − θ_K)/α, Reptile's direction",
            "Which loss judges where the inner loop ended?",
        ),
    ]
}
