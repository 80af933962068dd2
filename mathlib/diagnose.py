r"""Which gradient is this? Somebody's numbers are compared with every formula that the collection knows.

`diagnose` compares a vector with the full meta-gradient, the first-order one and all entries of two catalogues,
`mathlib.mistakes` and `mathlib.slips`.

Two codes for one formula add up in another order, so they agree to rounding alone. How much that is, is measured: each
formula is computed again with every answer of every loss disturbed by a few units in the last place, and, where a loss
takes differences for its Hessian-vector products, by a part of their error.
"""

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from mathlib.contracts import Array, LossLike, Product, StepSize
from mathlib.diagnosis import FOMAML, FORMULAS, MAML, Case, Diagnosis, called, listed, percent
from mathlib.errors import WrongValue
from mathlib.foreign import ForeignLoss, require_function, require_parameters, require_vector
from mathlib.inputs import require_loss, require_losses, require_step_size
from mathlib.losses import quadratic, rosenbrock
from mathlib.mistakes import Losses

METHODS = ("gradient", "linearize")  # what is asked of a loss

# A gradient is some hundred roundings. In one order and in another they add up to about ten units in the last place.
# Each answer is disturbed by up to four, three times over, and sixteen times what that changes in a formula may pass.
DISTURBED = 4
TIMES = 3
MAY_PASS = 16
ERROR_BAR = 1 / 4  # of a difference's error, which is a bound and no typical size; so four times the bound may pass
SETTLED = 1 / 100  # of its length: a formula that rounding may move by more, equals too much to name anything
COARSE = 1e-6  # of its length: an equality that is no closer is said with its width
COINCIDE = 1e4  # eps: formulas that differ by less than this are one formula here
APART = 1e-3  # relative: a case tells two formulas apart if even single precision sees it there
SINGLE = float(np.finfo(np.float32).eps)
FACTOR = 1e-6  # relative: so near to 2, or to K, a factor is called 2, or K


def diagnose(gradient: Array, losses: Losses, query: LossLike, theta: Array, alpha: StepSize) -> Diagnosis:
    r"""Say which meta-gradient a vector is: MAML's, FOMAML's, one of the known mistakes, or none of them.

    Parameters
    ----------
    gradient : numpy.ndarray, shape (d,)
        What your code computed, float32 or float64. Leave it in the dtype in which it was computed: that sets how
        exactly it has to agree.
    losses, query : losses
        As in `maml_gradient`; `loss_from` makes one of two functions of a framework.
    theta : numpy.ndarray, shape (d,)
        :math:`\theta_0`, the parameters of one task.
    alpha : float
        The inner step size.

    Returns
    -------
    Diagnosis
        Shown as a short table; ``.name`` is the answer, ``.ambiguous`` what it might be as well.

    Raises
    ------
    TypeError, ValueError
        A gradient that is None, half precision, of another shape than theta or not finite; a batch of tasks; no inner
        step; a loss that answers differently when it is asked again.

    Notes
    -----
    No d × d matrix is formed: about fifty formulas are computed, each four times, with Hessian-vector products.

    Examples
    --------
    >>> from mathlib import fomaml_gradient, rosenbrock
    >>> losses, query = [rosenbrock(a=1, b=1)] * 2, rosenbrock(a=-1, b=2)
    >>> theta = np.array([0.1, -0.7])
    >>> yours = np.array([1.0, 2.0])
    >>> diagnose(yours, losses, query, theta, 0.1).name is None
    True
    >>> diagnose(fomaml_gradient(losses, query, theta, 0.1), losses, query, theta, 0.1).name
    'FOMAML'
    """
    theta = require_parameters(theta)
    gradient = require_vector(gradient, theta, "gradient")
    alpha = require_step_size(alpha, theta)
    losses = require_losses(losses, *METHODS, caller="diagnose")
    if not losses:
        raise WrongValue("losses is empty: without an inner step MAML and FOMAML are one. Pass a loss for each step.")
    require_loss(query, "query", *METHODS, caller="diagnose")
    eps = float(max(np.finfo(gradient.dtype).eps, np.finfo(theta.dtype).eps))
    _require_functions(losses, query, theta, eps)
    return _Comparison(gradient.astype(float), losses, query, theta, alpha, eps).diagnosis()


@dataclass(frozen=True)
class _Disturbed:
    """A loss whose answers are wrong by a few units in the last place, and by a part of their error bars."""

    loss: Any
    eps: float
    rng: np.random.Generator

    def gradient(self, theta: Array) -> Array:
        return self.vector(self.loss.gradient(self.point(theta)))

    def linearize(self, theta: Array) -> tuple[Array, Product]:
        point = self.point(theta)
        if isinstance(self.loss, ForeignLoss):
            return self.gradient(theta), lambda v: self.vector(self.difference(point, v))
        gradient, hvp = self.loss.linearize(point)
        return self.vector(gradient), lambda v: self.vector(hvp(self.point(v)))

    def difference(self, point: Array, v: Array) -> Array:
        estimate = self.loss.product(point, v)
        signs = self.rng.choice([-1.0, 1.0], v.size)
        return (estimate.value + ERROR_BAR * signs * estimate.error).astype(v.dtype)

    def point(self, x: Array) -> Array:
        """Each entry disturbed by a part of itself, as if it had been rounded."""
        return (x * (1 + self.noise(x))).astype(x.dtype)

    def vector(self, x: Array) -> Array:
        """Each entry disturbed by a part of the largest: an entry may be a small sum of large terms."""
        return (x + np.abs(x).max() * self.noise(x)).astype(x.dtype)

    def noise(self, x: Array) -> Array:
        return DISTURBED * self.eps * self.rng.uniform(-1, 1, x.shape)


@dataclass(frozen=True)
class _Result:
    """What a formula gives, and how far from that another code for it may be."""

    value: Array
    tolerance: float

    @property
    def width(self) -> float:
        """The tolerance, relative to the vector's length."""
        length = float(np.linalg.norm(self.value))
        if not length:
            return math.inf if self.tolerance else 0.0
        return self.tolerance / length

    @property
    def settled(self) -> bool:
        """Whether it is known to a hundredth of its length; what is not would equal any vector as short."""
        return self.width <= SETTLED

    def equals(self, other: Array) -> bool:
        return bool(np.linalg.norm(other - self.value) <= self.tolerance)

    def distance(self, other: Array) -> float:
        """Relative to the longer of the two."""
        size = max(np.linalg.norm(self.value), np.linalg.norm(other))
        return float(np.linalg.norm(other - self.value) / size) if size else 0.0

    def factor(self, other: Array) -> float | None:
        """f, where the other is f times this one."""
        square = self.value @ self.value
        factor = float(other @ self.value / square) if square else 0.0
        return factor if factor and self.equals(other / factor) else None


@dataclass(frozen=True)
class _Comparison:
    """A gradient, and the case in which it is compared."""

    gradient: Array
    losses: Losses
    query: LossLike
    theta: Array
    alpha: float
    eps: float

    def diagnosis(self) -> Diagnosis:
        results = {name: self.compute(formula.gradient, self.alpha) for name, formula in FORMULAS.items()}
        finite = {name: result for name, result in results.items() if result is not None}
        known = {name: result for name, result in finite.items() if result.settled}
        if MAML not in finite:
            raise WrongValue("the meta-gradient itself is not finite: the inner loop diverges. Take a smaller alpha.")
        if MAML not in known:  # then nothing is called by a name, and all is listed
            known = finite
        equals = tuple(name for name, result in known.items() if result.equals(self.gradient))
        found = Diagnosis(
            name=None if {MAML, FOMAML} <= {*equals} else next(iter(equals), None),
            equals=equals,
            distances={name: result.distance(self.gradient) for name, result in known.items()},
            skipped=tuple(name for name, result in results.items() if result is None),
            unsettled=tuple(name for name, result in finite.items() if not result.settled),
        )
        if MAML in found.unsettled:
            width = finite[MAML].width
            share = f"{percent(width)} of its length" if width < 1 else "more than its length"
            cause = self.cause[0].upper() + self.cause[1:]
            note = f"{cause} may move MAML by {share}. {self.remedy}."
            return replace(found, name=None, notes=(note,))
        if not equals:
            return self.near_miss(found, known)
        found = found if len(equals) == 1 else self.told_apart(found, known)
        return replace(found, notes=(*found.notes, *self.closeness(known[equals[0]])))

    @property
    def cause(self) -> str:
        """What keeps two formulas from being told apart more finely."""
        if any(isinstance(loss, ForeignLoss) for loss in (*self.losses, self.query)):
            return "the error of the differences"
        return "rounding" if self.eps < SINGLE else "what single precision rounds"

    @property
    def remedy(self) -> str:
        """What would tell them apart more finely."""
        if any(isinstance(loss, ForeignLoss) for loss in (*self.losses, self.query)):
            return "Compute in float64, or pass losses with a `.linearize` of their own"
        return "Take a smaller alpha, or fewer steps" if self.eps < SINGLE else "Compute in float64"

    def closeness(self, result: _Result, found: str = "equal") -> Iterator[str]:
        """How close an equality is, where it is a coarse one."""
        if result.width > COARSE:
            yield (
                f"It is {found} to within {percent(result.width)} of its length, and a mistake that changes less is"
                f" not seen: that is {self.cause}. {self.remedy}."
            )

    def compute(self, formula: Callable[..., Array], alpha: float) -> _Result | None:
        """What a formula gives here, and its tolerance; None where that is not finite."""
        try:
            with np.errstate(all="ignore"):
                value = formula(self.losses, self.query, self.theta, alpha).astype(float)
                off = max(np.linalg.norm(other - value) for other in self.disturbed(formula, alpha))
                tolerance = MAY_PASS * (off + self.eps * np.linalg.norm(value))
        except ValueError:  # a point of a diverging loop that is refused
            return None
        return _Result(value, float(tolerance)) if math.isfinite(tolerance) else None

    def disturbed(self, formula: Callable[..., Array], alpha: float) -> Iterator[Array]:
        """What the formula gives on disturbed losses, TIMES."""
        for seed in range(TIMES):
            rng = np.random.default_rng(seed)
            *losses, query = (_Disturbed(loss, self.eps, rng) for loss in (*self.losses, self.query))
            yield formula(losses, query, self.theta, alpha).astype(float)

    def told_apart(self, found: Diagnosis, known: Mapping[str, _Result]) -> Diagnosis:
        """Why several formulas are equal here, and what would tell them apart."""
        first, *others = found.equals
        exact = COINCIDE * np.finfo(self.theta.dtype).eps
        blurred = [name for name in others if known[name].distance(known[first].value) > exact]
        same = [name for name in others if name not in blurred]
        notes = []
        if blurred:
            notes.append(
                f"{listed([first, *blurred])} are not the same here, but they differ by less than {self.cause}."
                f" {self.remedy}."
            )
        if same:
            notes.append(f"This case cannot tell them apart: {listed([first, *same])} are the same here, to rounding.")
        case = _telling_case(found.equals, self) if same else None
        return replace(found, notes=tuple(notes), case=case)

    def near_miss(self, found: Diagnosis, known: Mapping[str, _Result]) -> Diagnosis:
        """What a gradient that equals none may be: zero, a multiple, another step size, or rounded."""
        if not self.gradient.any():
            return replace(found, notes=(ZERO,))
        factors = {name: result.factor(self.gradient) for name, result in known.items()}
        parallel = {name: factor for name, factor in factors.items() if factor is not None}
        if parallel and self.theta.size > 1:  # two numbers are multiples of each other
            name, factor = next(iter(parallel.items()))
            notes = (*self.about(factor), *self.closeness(known[name], "a multiple"))
            return replace(found, parallel=parallel, notes=notes)
        for scaled in (False, True):
            # One step size fits one number, and by chance perhaps two; with a factor one more.
            if self.alpha and self.theta.size > 2 + scaled:
                fits = {name: self.fitted(FORMULAS[name].gradient, scaled) for name in (MAML, FOMAML)}
                other = {name: fit for name, fit in fits.items() if fit is not None}
                if other:
                    return self.another_alpha(found, other, scaled)
        return replace(found, notes=tuple(self.rounded(known)))

    def another_alpha(self, found: Diagnosis, fits: Mapping[str, tuple[float, float]], scaled: bool) -> Diagnosis:
        """What was found with another step size, and with a factor besides."""
        alphas = {name: alpha for name, (alpha, _) in fits.items()}
        if not scaled:
            return replace(found, other_alpha=alphas)
        factors = {name: factor for name, (_, factor) in fits.items()}
        name, factor = next(iter(factors.items()))
        summed = math.isclose(factor, alphas[name] / self.alpha, rel_tol=FACTOR)
        return replace(found, other_alpha=alphas, parallel=factors, notes=(SUMMED,) if summed else ())

    def about(self, factor: float) -> Iterator[str]:
        """What a factor suggests."""
        near = max(FACTOR, COINCIDE * self.eps)
        for value, reason in _reasons(len(self.losses), self.alpha):
            if math.isclose(factor, value, rel_tol=near):
                yield reason
                return
        length = float(np.linalg.norm(self.gradient))
        if math.isclose(length, float(f"{length:.2g}"), rel_tol=1e-5):
            yield f"Its length is {length:.2g}: it was clipped, or normalised."
        else:
            yield "A sum where a mean belongs, a mean too many, a weight, or an outer step size may be the cause."

    def fitted(self, formula: Callable[..., Array], scaled: bool) -> tuple[float, float] | None:
        """The step size, within a factor of 100, with which the formula gives this gradient, or a multiple of it."""
        grid = self.alpha * np.geomspace(0.01, 100, 41)
        alpha = float(min(grid, key=lambda alpha: np.linalg.norm(self.gap(formula, alpha, scaled))))
        for _ in range(10):  # Gauss–Newton
            residual = self.gap(formula, alpha, scaled)
            ends = [self.gap(formula, alpha * (1 + share), scaled) for share in (1e-5, -1e-5)]
            with np.errstate(all="ignore"):
                slope = (ends[0] - ends[1]) / 2e-5
                change = -(residual @ slope) / (slope @ slope)
            if not -0.9 < change < 9:
                return None
            alpha *= 1 + float(change)
        result = self.compute(formula, alpha)
        if result is None or not result.settled:
            return None
        factor = result.factor(self.gradient) if scaled else float(result.equals(self.gradient))
        return (alpha, factor) if factor else None

    def gap(self, formula: Callable[..., Array], alpha: float, scaled: bool) -> Array:
        """The formula with this step size, or the nearest multiple of it, less the gradient; infinite if that is."""
        try:
            with np.errstate(all="ignore"):
                value = formula(self.losses, self.query, self.theta, float(alpha)).astype(float)
                gap = value * (self.gradient @ value / (value @ value) if scaled else 1) - self.gradient
        except ValueError:
            gap = np.array([math.inf])
        return gap if np.isfinite(gap).all() else np.full(self.gradient.shape, math.inf)

    def rounded(self, known: Mapping[str, _Result]) -> Iterator[str]:
        """Whether a gradient said to be double precision is what single precision leaves of a formula."""
        if self.eps < SINGLE:
            coarse = replace(self, eps=SINGLE)
            for name in known:
                result = coarse.compute(FORMULAS[name].gradient, self.alpha)
                if result is not None and result.settled and result.equals(self.gradient):
                    yield f"It is as near to {called(name)} as single precision comes. {ROUNDED}"
                    return


ZERO = (
    "It is zero everywhere, so nothing arrives at theta: the adapted parameters were detached as a whole, or `.grad`"
    " was zeroed before it was read."
)
SUMMED = "The factor is that between the step sizes: a loss is summed over its examples where its mean belongs."
ROUNDED = "If your code computes in float32, pass the gradient as float32, or let the code compute in float64."


def _reasons(K: int, alpha: float) -> list[tuple[float, str]]:
    """Factors that mean something, and what."""
    reasons = [
        (-1, "Its sign is reversed: a direction of descent, or a loss that was meant to be maximised."),
        (2, "Twice: two backward passes that add up, or a square that lost its half."),
        (0.5, "Half: a mean over two, or a half that stands in one loss and not in the other."),
        (K, "The number of inner steps: a sum over the steps where the mean belongs."),
        (1 / K, "One over the number of inner steps: a loss divided by K."),
    ]
    if alpha:
        reasons += [
            (alpha, "The factor is α: a step instead of a gradient."),
            (-alpha, "The factor is −α: a step instead of a gradient."),
            (1 / alpha, "The factor is 1/α: a change of θ was divided by α once too often."),
        ]
    return reasons


def _telling_case(names: Sequence[str], asked: _Comparison) -> Case | None:
    """The first of some cases in which all these formulas differ."""
    return next((case for case in _cases(asked) if _tells_apart(case, names)), None)


def _cases(asked: _Comparison) -> Iterator[Case]:
    """Cases as near to the one asked about as can be, and one that tells everything apart."""
    losses, query, theta = list(asked.losses), asked.query, asked.theta
    alpha = asked.alpha or 0.1
    given = "" if asked.alpha else f"alpha = {alpha}\n"
    call = "diagnose(your_gradient, losses, query, theta, alpha)"
    if not asked.alpha:
        yield Case("take a step size that is not zero", given + call, losses, query, theta, alpha)
    if len(losses) < 3:
        longer = [losses[i % len(losses)] for i in range(3)]
        code = "losses = [losses[i % len(losses)] for i in range(3)]\n"
        yield Case("take three inner steps", given + code + call, longer, query, theta, alpha)
    code = f"alpha = {10 * alpha:g}\n"
    yield Case("take a step size ten times as large", code + call, losses, query, theta, 10 * alpha)
    moved = theta + np.random.default_rng(0).normal(size=theta.size).astype(theta.dtype)
    code = "theta = theta + np.random.default_rng(0).normal(size=theta.size)\n"
    yield Case("start elsewhere", given + code + call, losses, query, moved, alpha)
    yield TELLING


TELLING = Case(
    words="take three losses whose Hessians differ from point to point and do not commute",
    code="""bowl = quadratic(np.array([[2.0, 1.0], [1.0, 3.0]]), np.array([0.5, -1.0]))
losses = [rosenbrock(1, 1), bowl, rosenbrock(-1, 2)]
query = quadratic(np.array([[1.0, -0.5], [-0.5, 2.0]]), np.array([-1.0, 0.5]))
theta, alpha = np.array([0.1, -0.7]), 0.19
diagnose(your_gradient, losses, query, theta, alpha)""",
    losses=[
        rosenbrock(1, 1),
        quadratic(np.array([[2.0, 1.0], [1.0, 3.0]]), np.array([0.5, -1.0])),
        rosenbrock(-1, 2),
    ],
    query=quadratic(np.array([[1.0, -0.5], [-0.5, 2.0]]), np.array([-1.0, 0.5])),
    theta=np.array([0.1, -0.7]),
    alpha=0.19,
)


def _tells_apart(case: Case, names: Sequence[str]) -> bool:
    """Whether all these formulas differ in a case, by so much that single precision sees it."""
    try:
        with np.errstate(all="ignore"):
            values = [FORMULAS[name].gradient(case.losses, case.query, case.theta, case.alpha) for name in names]
    except ValueError:
        return False
    finite = all(np.isfinite(value).all() for value in values)
    pairs = [(_Result(a, 0.0), b) for a, b in itertools.combinations(values, 2)]
    return finite and all(a.distance(b) > APART for a, b in pairs)


def _require_functions(losses: Losses, query: LossLike, theta: Array, eps: float) -> None:
    """Raise if a loss answers differently when it is asked again, or writes into theta."""
    names = {id(loss): (loss, f"the support loss of step {i}") for i, loss in enumerate(losses, start=1)}
    names[id(query)] = (query, "the query loss")
    for loss, name in names.values():
        given = theta.copy()
        loss.gradient(given)
        if not np.array_equal(theta, given):
            raise WrongValue(f"{name} writes into theta while it is computed; expected a loss that leaves theta alone.")
        require_function(partial(loss.gradient, theta), name, eps)
