r"""Slips in code: the formula is known, and something around it is not as it should be.

`mathlib.mistakes` has the formulas that people take for the right one. Here stands what a program computes where a
line is missing or in the wrong place: gradients that were not zeroed, a step too few, the wrong batch. `diagnose`
compares with both catalogues.

Most slips come twice, for code that differentiates through its inner loop and for code that does not.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import numpy as np
import sympy

from mathlib.contracts import LossLike, Product, StepSize, Theta, Value
from mathlib.inputs import is_symbolic
from mathlib.meta_gradients import fomaml_gradient, inner_loop, maml_gradient, reptile_gradient
from mathlib.mistakes import Losses, Mistake

Formula: TypeAlias = Callable[[Losses, LossLike, Theta, StepSize], Theta]
FIRST_ORDER = ", first order"  # ends the name of a slip in code that drops the second order, too
MOMENTUM = 0.9  # what is usually written


def _gradient(first_order: bool) -> Formula:
    return fomaml_gradient if first_order else maml_gradient


def one_step_too_few(
    losses: Losses, query: LossLike, theta: Theta, alpha: StepSize, first_order: bool = False
) -> Theta:
    """The gradient after K − 1 steps."""
    return _gradient(first_order)(losses[:-1], query, theta, alpha)


def one_step_too_many(
    losses: Losses, query: LossLike, theta: Theta, alpha: StepSize, first_order: bool = False
) -> Theta:
    """The gradient after K + 1 steps, the last loss taken twice."""
    return _gradient(first_order)([*losses, *losses[-1:]], query, theta, alpha)


def support_for_query(
    losses: Losses, query: LossLike, theta: Theta, alpha: StepSize, first_order: bool = False
) -> Theta:
    """L_K in place of Q."""
    return _gradient(first_order)(losses, [query, *losses][-1], theta, alpha)


def adapted_to_the_query(
    losses: Losses, query: LossLike, theta: Theta, alpha: StepSize, first_order: bool = False
) -> Theta:
    """Q in place of L₁ … L_K."""
    return _gradient(first_order)([query] * len(losses), query, theta, alpha)


def exchanged(losses: Losses, query: LossLike, theta: Theta, alpha: StepSize, first_order: bool = False) -> Theta:
    """Q in the inner loop, and L_K after it."""
    return _gradient(first_order)([query] * len(losses), [query, *losses][-1], theta, alpha)


def uphill(losses: Losses, query: LossLike, theta: Theta, alpha: StepSize, first_order: bool = False) -> Theta:
    """Steps θ + α∇L."""
    return _gradient(first_order)([_Negative(loss) for loss in losses], query, theta, alpha)


def gradients_at_the_start(
    losses: Losses, query: LossLike, theta: Theta, alpha: StepSize, first_order: bool = False
) -> Theta:
    """Steps that all take their gradient at θ₀: one step on the sum of the losses."""
    products = [loss.linearize(theta) for loss in losses]
    v = query.gradient(theta - alpha * sum((gradient for gradient, _ in products), start=0 * theta))
    return v if first_order else v - alpha * sum((hvp(v) for _, hvp in products), start=0 * v)


def accumulated(
    losses: Losses, query: LossLike, theta: Theta, alpha: StepSize, first_order: bool = False, kept: float = 1
) -> Theta:
    r"""Steps along :math:`m_i = \mu m_{i-1} + \nabla L_i(\theta_{i-1})`, with μ = 1: a sum that is never zeroed.

    On the way back w is the adjoint of m: w ← μw − αv, and then v ← v + Hw.
    """
    m = 0 * theta
    hvps = []
    for loss in losses:
        gradient, hvp = loss.linearize(theta)
        m = kept * m + gradient
        theta = theta - alpha * m
        hvps.append(hvp)
    v = query.gradient(theta)
    w = 0 * v
    for hvp in [] if first_order else reversed(hvps):
        w = kept * w - alpha * v
        v = v + hvp(w)
    return v


def never_zeroed(losses: Losses, query: LossLike, theta: Theta, alpha: StepSize) -> Theta:
    """As `accumulated`, first order, and the query's gradient is added to the sum of the others."""
    m = 0 * theta
    for loss in losses:
        m = m + loss.gradient(theta)
        theta = theta - alpha * m
    return m + query.gradient(theta)


def support_left_in(losses: Losses, query: LossLike, theta: Theta, alpha: StepSize, first_order: bool = False) -> Theta:
    """The meta-gradient, and for each step the derivative of L_i(θ_{i−1}) with respect to θ₀ on top."""
    if first_order:
        return reptile_gradient([*losses, query], theta, alpha)
    before = [maml_gradient(losses[:i], loss, theta, alpha) for i, loss in enumerate(losses)]
    return sum(before, start=maml_gradient(losses, query, theta, alpha))


def last_support_left_in(losses: Losses, query: LossLike, theta: Theta, alpha: StepSize) -> Theta:
    """∇Q(θ_K) + ∇L_K(θ_{K−1})"""
    left = [loss.gradient(start) for loss, start in zip(losses, inner_loop(losses, theta, alpha), strict=False)]
    return sum(left[-1:], start=fomaml_gradient(losses, query, theta, alpha))


def query_after_every_step(
    losses: Losses, query: LossLike, theta: Theta, alpha: StepSize, first_order: bool = False
) -> Theta:
    """The gradient of Q(θ₁) + … + Q(θ_K)."""
    gradient = _gradient(first_order)
    return sum((gradient(losses[: i + 1], query, theta, alpha) for i in range(len(losses))), start=0 * theta)


def last_factor_lost(losses: Losses, query: LossLike, theta: Theta, alpha: StepSize) -> Theta:
    """(I − αH₀) … (I − αH_{K−2}) ∇Q(θ_K)"""
    v, hvps = _end(losses, query, theta, alpha)
    return _back(v, hvps[:-1], lambda v, Hv: v - alpha * Hv)


def last_factor_alone(losses: Losses, query: LossLike, theta: Theta, alpha: StepSize) -> Theta:
    """(I − αH_{K−1}) ∇Q(θ_K)"""
    v, hvps = _end(losses, query, theta, alpha)
    return _back(v, hvps[-1:], lambda v, Hv: v - alpha * Hv)


def alpha_twice(losses: Losses, query: LossLike, theta: Theta, alpha: StepSize) -> Theta:
    """Factors I − α²H."""
    return _back(*_end(losses, query, theta, alpha), lambda v, Hv: v - alpha * alpha * Hv)


def lost_identity(losses: Losses, query: LossLike, theta: Theta, alpha: StepSize) -> Theta:
    """Factors −αH: the way by the gradients alone."""
    return _back(*_end(losses, query, theta, alpha), lambda v, Hv: -alpha * Hv)


def inner_gradient_for_adjoint(losses: Losses, query: LossLike, theta: Theta, alpha: StepSize) -> Theta:
    """∇Q(θ_K) − α(H₀∇L₁(θ₀) + … + H_{K−1}∇L_K(θ_{K−1}))"""
    v, hvps = _end(losses, query, theta, alpha)
    gradients = [loss.gradient(start) for loss, start in zip(losses, inner_loop(losses, theta, alpha), strict=False)]
    return sum((-alpha * hvp(gradient) for hvp, gradient in zip(hvps, gradients, strict=True)), start=v)


def row_sums(losses: Losses, query: LossLike, theta: Theta, alpha: StepSize) -> Theta:
    """Factors I − α diag(H1): each row of H added up, and multiplied with one entry of v."""
    ones = sympy.ones(len(theta), 1) if is_symbolic(theta) else np.ones_like(theta)
    v, hvps = _end(losses, query, theta, alpha)
    for hvp in hvps:
        v = v - alpha * _entrywise(hvp(ones), v)
    return v


@dataclass(frozen=True)
class _Negative:
    """−L: going down on it is going up on L."""

    loss: LossLike

    def value(self, theta: Theta) -> Value:
        return -self.loss.value(theta)

    def gradient(self, theta: Theta) -> Theta:
        return -self.loss.gradient(theta)

    def hessian(self, theta: Theta) -> Theta:
        return -self.loss.hessian(theta)

    def linearize(self, theta: Theta) -> tuple[Theta, Product]:
        gradient, hvp = self.loss.linearize(theta)
        return -gradient, lambda v: -hvp(v)


def _end(losses: Losses, query: LossLike, theta: Theta, alpha: StepSize) -> tuple[Theta, list[Product]]:
    """∇Q(θ_K), and v ↦ Hv of each step."""
    starts = inner_loop(losses, theta, alpha)
    hvps = [loss.linearize(start)[1] for loss, start in zip(losses, starts, strict=False)]
    return query.gradient(starts[-1]), hvps


def _back(v: Theta, hvps: Sequence[Product], factor: Callable[[Theta, Theta], Theta]) -> Theta:
    for hvp in reversed(hvps):
        v = factor(v, hvp(v))
    return v


def _entrywise(a: Theta, b: Theta) -> Theta:
    return a.multiply_elementwise(b) if is_symbolic(a) else a * b


def _twice(name: str, formula: Callable[..., Theta], in_code: str, question: str) -> list[Mistake]:
    """A slip, and the same slip in code that drops the second order."""
    first = partial(formula, first_order=True)
    return [
        Mistake(name, formula, in_code, question),
        Mistake(name + FIRST_ORDER, first, f"{in_code}; and `create_graph=True` left out, or a `detach`", question),
    ]


SLIPS = {
    slip.name: slip
    for slip in [
        *_twice(
            "one inner step too few",
            one_step_too_few,
            "`range(1, K)`; or the query loss is computed before the last update",
            "How often does your code write to θ before it asks the query?",
        ),
        *_twice(
            "one inner step too many",
            one_step_too_many,
            "`range(K + 1)`; or an update before the loop and K in it",
            "How often does your code write to θ before it asks the query?",
        ),
        *_twice(
            "the support loss in place of the query's",
            support_for_query,
            "`loss(theta_K, x_support, y_support)` after the loop",
            "On which examples is the adapted model judged?",
        ),
        *_twice(
            "adapted to the query",
            adapted_to_the_query,
            "`loss(theta, x_query, y_query)` inside the loop",
            "Which examples may the inner loop see?",
        ),
        *_twice(
            "support and query exchanged",
            exchanged,
            "`query, support = batch` where `support, query` belongs",
            "Which examples may the inner loop see, and which judge it?",
        ),
        *_twice(
            "an inner loop that goes uphill",
            uphill,
            "`theta + alpha * g`",
            "Does the support loss fall from step to step?",
        ),
        *_twice(
            "every inner gradient at the start",
            gradients_at_the_start,
            "`grad(loss(theta_0))`, or `loss(model)` with the model's own weights, inside the loop",
            "At which point does step i compute its gradient?",
        ),
        *_twice(
            "inner gradients that add up",
            accumulated,
            "`loss.backward()` in the loop, `zero_grad()` before the query alone",
            "What does `.grad` hold when the second step reads it?",
        ),
        *_twice(
            "momentum in the inner loop",
            partial(accumulated, kept=MOMENTUM),
            f"`SGD(…, momentum={MOMENTUM})` as the inner optimiser",
            "Is the second step α times its gradient, and no more?",
        ),
        *_twice(
            "support gradients left in",
            support_left_in,
            "`loss.backward(create_graph=True)` in the loop, no `zero_grad()` before the outer `backward()`",
            "What does `theta.grad` hold before the outer `backward()` adds to it?",
        ),
        Mistake(
            "the last support gradient left in",
            last_support_left_in,
            "`zero_grad()` before each support loss's `backward()`, but not before the query's",
            "What does `.grad` hold before the query's `backward()`?",
        ),
        Mistake(
            "gradients never zeroed",
            never_zeroed,
            "`zero_grad()` missing in the loop and before the query's `backward()`",
            "What does `.grad` hold before each `backward()`?",
        ),
        *_twice(
            "the query after every step",
            query_after_every_step,
            "`outer += query_loss(theta)` inside the loop: the multi-step loss, not summed at its end alone",
            "At which points of the path is the query loss asked?",
        ),
        Mistake(
            "the last factor lost",
            last_factor_lost,
            "`create_graph=(i < K - 1)`; or a detached gradient in the last step",
            "Which step's Hessian meets ∇Q(θ_K) first?",
        ),
        Mistake(
            "the last factor alone",
            last_factor_alone,
            "`theta.detach()` before the last step: backpropagation cut short after one step",
            "How many steps does your graph reach back?",
        ),
        Mistake(
            "α twice",
            alpha_twice,
            "`v = v - alpha * alpha * hvp(v)`; or a gradient that was scaled by α before it was differentiated",
            "How often does α stand in the derivative of θ − α∇L(θ)?",
        ),
        Mistake(
            "a lost identity",
            lost_identity,
            "`theta.detach() - alpha * g`, `theta.data - alpha * g`: θ detached where its gradient was meant",
            "θ stands twice in θ − α∇L(θ). Which of the two did you detach?",
        ),
        Mistake(
            "the inner gradient in place of the adjoint",
            inner_gradient_for_adjoint,
            "`grad(g, theta, grad_outputs=g)`",
            "Which vector travels back: the step's gradient, or what came from the query?",
        ),
        Mistake(
            "row sums of the Hessian",
            row_sums,
            "`grad(g.sum(), theta) * v`",
            "`grad(g.sum(), theta)` is H times which vector?",
        ),
    ]
}
