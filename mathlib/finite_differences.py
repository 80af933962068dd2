r"""Derivatives without a formula: finite differences that say how wrong they may be.

Central differences D(h) at the steps h, h/2 and h/4 are extrapolated twice (Richardson). Two errors remain.
Truncation: how much the result changes when D(h/8) is added bounds it, as long as h is small against the
scale on which the function varies. Rounding: each value carries a few units of its last place, and dividing
by h/4 magnifies them. The reported error is the sum of both.

Whether h is small enough shows in the differences. From step to step they have to change a quarter as much as
before, as h² does. And D(0.382 h) has to lie on the cubic in h² through the other four, up to rounding; without
this test a wave that repeats itself at every step would look constant (aliasing). h is halved until both hold and
the error is small. A step that the caller chose is kept; where the tests fail, its error is the distance to what
smaller steps find.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from mathlib.contracts import Array
from mathlib.errors import WrongType, WrongValue
from mathlib.inputs import require_array

Function: TypeAlias = Callable[[Array], Any]  # of theta; what it returns is looked at
Difference: TypeAlias = Callable[[float], tuple[Array, Array]]  # h ↦ D(h), and a bound on its rounding

STEP = 2.0**-7  # the first h; a power of two, so that dividing by it rounds nothing
# A value may be wrong by 10 eps of itself, about a dozen roundings. Two of them, divided by 2h, make 10 eps / h. In
# the extrapolation, (D(h) - 20 D(h/2) + 64 D(h/4)) / 45, they become at most (1/4 + 20/2 + 64) / 45 = 1.65 times what
# they are in D(h/4). Rounded up, 20 eps.
ROUNDING = 20 * np.finfo(float).eps
# A difference and a sum of two numbers, each rounded by up to half a unit of its last place.
ROUNDED_UP = 1 + 2 * np.finfo(float).eps
# The golden section: between h/2 and h/4, and of all ratios the worst approximated by fractions. So a wave that
# repeats itself at h/8, and with it at the other steps, is met there at another phase.
ALIASING = (3 - 5**0.5) / 2
# The weights of D(h), D(h/2), D(h/4) and D(h/8) in the value at 0.382 h of the cubic in h² through them: they have
# to reproduce the powers 0 to 3 of h².
CUBIC = np.linalg.solve(np.vander([1, 1 / 4, 1 / 16, 1 / 64], increasing=True).T, ALIASING ** (2.0 * np.arange(4)))
# A part a sin(ωt) that is too fast for h disturbs the differences by about a/h, and the derivative by aω. So an
# error of 1024 times what disturbs the differences is large enough for ω up to 1024/h.
HIDDEN = 1024
# Half the digits of float64. `refute` asks for 100 times the error, so it still sees a mistake of 2e-6.
ACCURATE = np.finfo(float).eps ** 0.5
# There the bound on rounding is a thousandth of the function's values. Nothing finer is followed.
SMALLEST = 2.0**-36


@dataclass(frozen=True)
class Estimate:
    """A derivative known up to an error.

    Attributes
    ----------
    value : float or numpy.ndarray
        The derivative.
    error : float or numpy.ndarray
        Componentwise bound on ``abs(value - truth)``, shaped like value.
    """

    value: np.ndarray
    error: np.ndarray


def finite_difference_directional(
    function: Function, theta: Array, direction: Array, step: float | None = None
) -> Estimate:
    r"""The derivative of a function along a direction, :math:`\frac{d}{dt} f(\theta + t v)` at t = 0.

    Parameters
    ----------
    function : callable
        Takes an array (d,), returns a float64 number or an array of them.
    theta : numpy.ndarray, shape (d,), float64
        The point at which to differentiate.
    direction : numpy.ndarray, shape (d,), float64
        v, of any length but zero; the answer scales with it.
    step : float, optional
        The largest h, measured along v / max|v|, times ``max(1, max|theta| / 10⁶)``. It is kept. Without it the
        first h is 1/128, and it is halved while the function varies too fast for it.

    Returns
    -------
    Estimate
        Shaped like what the function returns. Each component gets the estimate that it would get alone.

    Raises
    ------
    TypeError, ValueError
        theta or direction is no finite float64 array, their shapes differ, the direction is zero, step is no
        positive number, or the function returns something that is not finite or not real.

    Notes
    -----
    At least 10 evaluations, whatever the number of parameters; that is all for a function that varies over
    distances of about 1. Each halving of h costs 4 more: to follow a part that varies over 1/1000 takes about 40 in
    all. At h = 2⁻³⁶, after 126, the search ends. A step of your own takes 10, and up to 126 more if it is too large.

    The error is a bound on conditions that no finite number of values can confirm: that the values are right to 10
    eps, or else visibly noisy, and that no feature of the function changes them by less than about 1e-12 at all points
    tried, as a kink very near theta can. Noise makes the error large: a value that is wrong by 1e-11 of itself leaves
    five digits. If no step shows a power of h, as for the cube root at 0, the reported error exceeds the value.

    References
    ----------
    Ridders, Accurate computation of F'(x) and F'(x)F''(x), Advances in Engineering Software 4 (1982), for
    extrapolated differences that estimate their error.

    Examples
    --------
    >>> estimate = finite_difference_directional(lambda x: x[0] * x[1], np.array([2.0, 3.0]), np.array([1.0, 0.0]))
    >>> bool(abs(estimate.value - 3) <= estimate.error < 1e-10)
    True
    """
    _validate(theta, direction, step)
    length = np.abs(direction).max()
    difference = _central_difference(function, theta, direction / length)
    # Far out the step has to grow, or theta + step would be theta.
    scale = max(1.0, 1e-6 * np.abs(theta[direction != 0]).max())
    if step is None:
        value, error = _choose(_refine(difference, scale * STEP, scale * SMALLEST))
    else:
        (rung,) = _refine(difference, scale * step, scale * step)
        value = rung.value
        error = rung.error
        if not np.all(rung.settled):
            better, its_error = _choose(_refine(difference, scale * min(step, STEP), scale * SMALLEST))
            distance = (np.abs(value - better) + its_error) * ROUNDED_UP
            error = np.where(rung.settled, error, distance)
    return Estimate(length * value, length * error)


class _Rung(NamedTuple):
    """What D at h, h/2, h/4, h/8 and 0.382 h say together; each field is shaped like the function's value."""

    value: np.ndarray
    error: np.ndarray
    unresolved: np.ndarray  # the error to report where no rung is regular
    regular: np.ndarray  # do the differences change as a power of h does?
    settled: np.ndarray  # do they, and is D(0.382 h) where the others say?
    accurate: np.ndarray  # is the error small enough to stop?
    noise: np.ndarray  # how far D(0.382 h) may be off by rounding
    seen: np.ndarray  # how far it was off without an explanation, at most, at this h and those before


def _validate(theta: Array, direction: Array, step: Any) -> None:
    require_array(theta, float64=True)
    require_array(direction, "direction", float64=True)
    if theta.ndim != 1 or direction.shape != theta.shape:
        raise WrongValue(f"theta has shape {theta.shape}, direction {direction.shape}; expected both (d,).")
    if not direction.any():
        raise WrongValue("direction is zero everywhere; there is no derivative along it. Pass another vector.")
    if step is not None and (isinstance(step, (str, bool)) or not (np.isfinite(step) and step > 0)):
        raise WrongValue(f"step is {step!r}; expected a positive number.")


def _central_difference(function: Function, theta: Array, unit: Array) -> Difference:
    """The function h ↦ D(h) along unit, with a bound on what rounding does to it."""
    farthest = np.abs(theta[unit != 0]).max()

    def difference(h: float) -> tuple[Array, Array]:
        right = _evaluate(function, theta + h * unit)
        left = _evaluate(function, theta - h * unit)
        D = (right - left) / (2 * h)
        # theta + h is itself rounded, by about eps times theta, which the slope carries into the value
        return D, ROUNDING * (np.maximum(np.abs(right), np.abs(left)) + np.abs(D) * farthest) / h

    return difference


def _refine(difference: Difference, h: float, smallest: float) -> list[_Rung]:
    """The rungs at h, h/2, h/4, … until each component has met one to stop at, or h is the smallest."""
    levels = [difference(h / 2**k) for k in range(4)]
    rungs = [_bound(levels, difference(h * ALIASING), seen=0.0)]
    while h > smallest and not _may_stop(rungs).any(axis=0).all():
        h = h / 2
        levels = [*levels[1:], difference(h / 8)]
        rungs.append(_bound(levels, difference(h * ALIASING), rungs[-1].seen))
    return rungs


def _extrapolate(D: Array) -> tuple[Array, Array]:
    """The value out of D(h), D(h/2) and D(h/4), and a bound on its truncation error, which takes D(h/8), too."""
    # Central differences err in h², h⁴, …; each round removes the lowest power.
    first = [(4 * finer - coarser) / 3 for coarser, finer in pairwise(D)]
    second, finest = ((16 * finer - coarser) / 15 for coarser, finer in pairwise(first))
    # The last round changed the value by nearly the error of first[1], which is larger than that of the value. Where
    # the fifth derivative is zero it is not. The change that halving h brings is nearly the whole error; twice that.
    return second, np.maximum(np.abs(second - first[1]), 2 * np.abs(second - finest))


def _bound(levels: list[tuple[Array, Array]], between: tuple[Array, Array], seen: Any) -> _Rung:
    """The rung made of (D, rounding) at h, h/2, h/4, h/8, of the same at 0.382 h, and of what was seen before."""
    D, rounding = (np.array(column) for column in zip(*levels, strict=True))
    value, truncation = _extrapolate(D)
    residual, noise = _aliasing(D, rounding, between)
    unexplained = np.where(residual <= np.maximum(noise, truncation / HIDDEN), 0, residual)
    regular = _regular(np.diff(D, axis=0), rounding)
    return _Rung(
        value=value,
        error=truncation + rounding[2],
        # The value leaves the range of the differences by less than its width. How far from them the truth is, nothing
        # tells: three widths more, and the largest difference, so that such an estimate decides nothing.
        unresolved=np.abs(D).max(axis=0) + 4 * np.ptp(D, axis=0),
        regular=regular,
        settled=regular & (unexplained == 0),
        # Halving h doubles the rounding: no gain where truncation is the smaller of the two.
        accurate=truncation <= np.maximum(rounding[2], ACCURATE * np.abs(value)),
        noise=noise,
        seen=np.maximum(seen, unexplained),
    )


def _regular(changes: Array, rounding: Array) -> Array:
    """Whether the changes of D fall to a quarter from step to step, as h² does, or to a sixteenth, as h⁴."""
    regular: Any = True
    for before, after, noise in zip(changes[:-1], changes[1:], rounding[2:], strict=True):
        # With c₁h² + c₂h⁴, 4 after − before is (45/64) c₂h⁴, and before about (3/4) c₁h². A quarter of that allows
        # c₂h² up to 0.27 c₁: the next power is about a quarter of the first, so the powers after it can be left out.
        # D at half the step carries twice the rounding. In units of the finest D's, 4 after − before carries
        # 4 + (4 + 1)/2 + 1/4 = 6.75, rounded up to 8, and 16 after − before 16 + (16 + 1)/2 + 1/4 = 24.75, to 32.
        quarter = np.abs(4 * after - before) <= np.abs(before) / 4 + 8 * noise
        sixteenth = np.abs(16 * after - before) <= np.abs(before) / 4 + 32 * noise
        regular = regular & (quarter | sixteenth)
    return regular


def _aliasing(D: Array, rounding: Array, between: tuple[Array, Array]) -> tuple[Array, Array]:
    """How far D(0.382 h) is from the cubic in h² through the four others, and how far it may be by rounding."""
    # Added up term by term: a matrix product would round each component in the way of the machine and of its place.
    expected = sum(weight * difference for weight, difference in zip(CUBIC, D, strict=True))
    variance = between[1] ** 2 + sum((weight * noise) ** 2 for weight, noise in zip(CUBIC, rounding, strict=True))
    # Five differences, rounded independently. Half of ROUNDING is what a single one may err by.
    return np.abs(between[0] - expected), np.sqrt(variance) / 2


def _each(rungs: Sequence[_Rung], field: str) -> Array:
    """A field of all rungs: one array, with the rungs along the first axis."""
    return np.array([getattr(rung, field) for rung in rungs])


def _confirmed(rungs: Sequence[_Rung]) -> Array:
    """Where a rung and the one before are settled: noise passes one of thirty tests by chance, but rarely two."""
    settled = _each(rungs, "settled")
    return settled & np.concatenate([settled[:1], settled[:-1]])


def _may_stop(rungs: Sequence[_Rung]) -> Array:
    """Where a rung is confirmed and accurate."""
    return _confirmed(rungs) & _each(rungs, "accurate")


def _choose(rungs: Sequence[_Rung]) -> tuple[Array, Array]:
    """The value and its error, component by component."""
    value = _each(rungs, "value")
    regular = _each(rungs, "regular")
    seen = _each(rungs, "seen")
    stop = _may_stop(rungs)
    # What was seen at a larger h has been resolved by a confirmed rung, unless rounding, which grows, now hides it.
    resolved = _confirmed(rungs) & (seen > _each(rungs, "noise"))
    error = np.maximum(_each(rungs, "error"), np.where(resolved, 0, HIDDEN * seen))
    # The first rung to stop at, or else the regular one with the smallest error.
    best = np.where(stop.any(axis=0), stop.argmax(axis=0), np.where(regular, error, np.inf).argmin(axis=0))
    # Values that are noisier than assumed are confirmed by chance, at some small h. Where what a larger h said lies
    # within the error, it is the better estimate.
    earlier = np.arange(len(rungs)).reshape(-1, *np.ones_like(best.shape)) <= best
    agrees = regular & earlier & (np.abs(value - _entry(value, best)) <= _entry(error, best))
    best = np.where(agrees, error, np.inf).argmin(axis=0)
    some = regular.any(axis=0)
    return np.where(some, _entry(value, best), value[-1]), np.where(some, _entry(error, best), rungs[-1].unresolved)


def _entry(array: Array, i: Array) -> Array:
    """Of each component the entry at its own i along the first axis."""
    return np.take_along_axis(array, i[None], axis=0)[0]


def finite_difference_jacobian(function: Function, theta: Array, step: float | None = None) -> Estimate:
    r"""The Jacobian of a vector-valued function, entry (j, k) = :math:`\partial f_j / \partial \theta_k`.

    Parameters as in `finite_difference_directional`; at least 10 d evaluations.

    Returns
    -------
    Estimate
        Shape (m, d): a row for each component of the function.

    Examples
    --------
    >>> finite_difference_jacobian(lambda x: np.array([x[1], 2 * x[0]]), np.ones(2)).value.round(9)
    array([[0., 1.],
           [2., 0.]])
    """
    require_array(theta, float64=True)
    columns = _along_axes(function, theta, step)
    if np.ndim(columns[0].value) != 1:
        raise WrongValue(
            f"the function returns shape {np.shape(columns[0].value)}; a Jacobian needs a vector, shape (m,)."
            f" For a single number use finite_difference_gradient."
        )
    return Estimate(np.stack([c.value for c in columns], axis=1), np.stack([c.error for c in columns], axis=1))


def finite_difference_gradient(function: Function, theta: Array, step: float | None = None) -> Estimate:
    r"""The gradient of a scalar function, entry k = :math:`\partial f / \partial \theta_k`.

    Parameters as in `finite_difference_directional`; at least 10 d evaluations.

    Returns
    -------
    Estimate
        Shape (d,).

    Examples
    --------
    >>> estimate = finite_difference_gradient(lambda x: x[0] ** 2 * x[1], np.array([1.0, 3.0]))
    >>> estimate.value.round(9)
    array([6., 1.])
    """
    require_array(theta, float64=True)
    entries = _along_axes(function, theta, step)
    if np.ndim(entries[0].value) != 0:
        raise WrongValue(
            f"the function returns shape {np.shape(entries[0].value)}; a gradient needs a single number."
            f" For a vector use finite_difference_jacobian."
        )
    return Estimate(np.array([e.value for e in entries]), np.array([e.error for e in entries]))


def _along_axes(function: Function, theta: Array, step: float | None) -> list[Estimate]:
    return [finite_difference_directional(function, theta, e, step) for e in np.eye(theta.size)]


def complex_step(function: Function, theta: Array, direction: Array) -> Any:
    r"""The derivative along a direction by the complex step, :math:`\operatorname{Im} f(\theta + i h v) / h`.

    It subtracts no two values, so h can be 1e-20: the truncation error vanishes, and no digits are lost to
    cancellation beyond those that the function's own code loses. It holds for analytic code only. A function that
    takes abs, compares, or calls a routine for real numbers is not. If the imaginary part is lost altogether, this is
    refused; if only a part of it is lost, the answer is wrong without an error.

    Parameters
    ----------
    function : callable
        Takes a complex array (d,), returns a complex number or array. With a loss's ``gradient`` the answer is
        the Hessian-vector product H v.
    theta, direction : numpy.ndarray, shape (d,), float64
        The point at which to differentiate, and v.

    Returns
    -------
    float or numpy.ndarray
        Shaped like what the function returns.

    Raises
    ------
    TypeError, ValueError
        theta or direction is no finite float64 array, their shapes differ, or the function returns real numbers.

    References
    ----------
    Squire and Trapp, Using Complex Variables to Estimate Derivatives of Real Functions, SIAM Review 40 (1998).

    Examples
    --------
    >>> float(complex_step(lambda x: x[0] ** 3, np.array([2.0]), np.array([1.0])))
    12.0
    """
    require_array(theta, float64=True)
    require_array(direction, "direction", float64=True)
    if direction.shape != theta.shape:
        raise WrongValue(f"direction has shape {direction.shape}; expected theta's, {theta.shape}.")
    h = 1e-20
    value = function(theta + 1j * h * direction)
    if not np.iscomplexobj(value):
        raise WrongType("the function lost the imaginary part, so it is not analytic code; use finite differences.")
    return np.imag(value) / h


def _evaluate(function: Function, theta: Array) -> Array:
    value = np.asarray(function(theta))
    if value.dtype != np.float64 or not np.isfinite(value).all():
        raise WrongValue(
            f"the function returned {value} of dtype {value.dtype} at {theta}; expected finite float64 numbers."
            f" A smaller step may keep away from where it is undefined."
        )
    return value
