r"""Derivatives without a formula: finite differences that say how wrong they may be.

Central differences at the steps h, h/2 and h/4, extrapolated twice (Richardson). Two errors remain.
Truncation: how much the result would change with a difference at h/8 added bounds it from above, as long
as h is small against the function's own scale. Rounding: each value carries a few units of its last place,
and dividing by h/4 magnifies them. The estimate is the sum of both.

Whether h is small enough shows in the differences themselves: from step to step they have to change a
quarter as much as before, as h² does. A witness at 0.382 h, no fraction of the others, has to fit in, or a wave
that repeats itself at every step would look flat. Where this fails h is halved until it holds; a step that
the caller chose is kept, and its error is the distance to what a smaller one finds.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from mathlib.inputs import require_array

STEP = 2.0**-7
ROUNDING = 20 * np.finfo(float).eps  # of a value, in units of it: ten units in the last place
WITNESS = (3 - 5**0.5) / 2  # 0.382: in no simple ratio to 1/2 and 1/4, between which it lies
SMALLEST = 2.0**-36  # no function is followed further down; rounding is all that is left there


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


def finite_difference_directional(function, theta, direction, step=None):
    r"""The derivative of a function along a direction, :math:`\frac{d}{dt} f(\theta + t v)` at t = 0.

    Ten evaluations, whatever the number of parameters: for d in the thousands.

    Parameters
    ----------
    function : callable
        Takes an array (d,), returns a number or an array of them.
    theta : numpy.ndarray, shape (d,), float64
        Where.
    direction : numpy.ndarray, shape (d,), float64
        v, of any length but zero; the answer scales with it.
    step : float, optional
        The first and largest h, measured along v / max|v|, times ``max(1, max|theta| / 10⁶)``. Without it h is
        1/128, and is halved, at four evaluations a time, while the function varies too fast for it.

    Returns
    -------
    Estimate
        Shaped like what the function returns.

    Raises
    ------
    TypeError, ValueError
        theta or direction is no finite float64 array, their shapes differ, the direction is zero, or the
        function returns something that is not finite or not real.

    Examples
    --------
    >>> estimate = finite_difference_directional(lambda x: x[0] * x[1], np.array([2.0, 3.0]), np.array([1.0, 0.0]))
    >>> bool(abs(estimate.value - 3) <= estimate.error < 1e-10)
    True
    """
    require_array(theta, float64=True)
    require_array(direction, "direction", float64=True)
    if theta.ndim != 1 or direction.shape != theta.shape:
        raise ValueError(f"theta has shape {theta.shape}, direction {direction.shape}; expected both (d,).")
    if not direction.any():
        raise ValueError("direction is zero everywhere; there is no derivative along it. Pass another vector.")
    if step is not None and (isinstance(step, (str, bool)) or not (np.isfinite(step) and step > 0)):
        raise ValueError(f"step is {step!r}; expected a positive number.")

    length = np.abs(direction).max()
    unit = direction / length
    farthest = np.abs(theta[direction != 0]).max()
    scale = max(1.0, 1e-6 * farthest)  # far out the step has to grow, or theta + step would be theta
    h = scale * (STEP if step is None else step)

    def difference(h):
        """The central difference, and how far rounding may have moved it."""
        right, left = (_evaluate(function, theta + t * unit) for t in (h, -h))
        D = (right - left) / (2 * h)
        # theta + h is itself rounded, by about eps times theta, which the slope carries into the value
        return D, ROUNDING * (np.maximum(np.abs(right), np.abs(left)) + np.abs(D) * farthest) / h

    levels = [difference(h / 2**k) for k in range(4)]
    witness = difference(h * WITNESS)
    while step is None and h > scale * SMALLEST and not np.all(_settled(levels, witness)):
        h = h / 2
        levels, witness = [*levels[1:], difference(h / 8)], difference(h * WITNESS)

    D, noise = zip(*levels, strict=True)
    # Central differences err in h², h⁴, …; each round removes the lowest power.
    first = [(4 * finer - coarser) / 3 for coarser, finer in pairwise(D)]
    second, guard = ((16 * finer - coarser) / 15 for coarser, finer in pairwise(first))
    truncation = np.maximum(np.abs(second - first[1]), 2 * np.abs(second - guard))
    value, error = length * second, length * (truncation + noise[2])
    settled = _settled(levels, witness)
    if np.all(settled):
        return Estimate(value, error)
    if step is not None:  # too large a step, but the caller's: hold its result against a better one
        better = finite_difference_directional(function, theta, direction)
        return Estimate(value, np.where(settled, error, np.abs(value - better.value) + better.error))
    return Estimate(value, np.where(settled, error, length * (np.abs(D).max(axis=0) + 4 * np.ptp(D, axis=0))))


def _settled(levels, witness):
    """Where the differences change by a quarter of the change before, as h² does, a sixteenth, as h⁴, or by noise."""
    D, noise = zip(*levels, strict=True)
    parabola = D[2] + (D[1] - D[2]) * (WITNESS**2 - 1 / 16) / (1 / 4 - 1 / 16)
    settled = np.abs(witness[0] - parabola) <= np.abs(D[1] - D[2]) / 4 + 2 * noise[2]
    for (before, after), rounding in zip(pairwise(np.diff(D, axis=0)), noise[2:], strict=True):
        quarter = np.abs(4 * after - before) <= np.abs(before) / 4 + 8 * rounding
        sixteenth = np.abs(16 * after - before) <= np.abs(before) / 4 + 32 * rounding
        settled &= quarter | sixteenth
    return settled


def finite_difference_jacobian(function, theta, step=None):
    r"""The Jacobian of a vector-valued function, entry (j, k) = :math:`\partial f_j / \partial \theta_k`.

    Parameters as in `finite_difference_directional`; 10 d evaluations.

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
    columns = [finite_difference_directional(function, theta, e, step) for e in np.eye(theta.size)]
    if np.ndim(columns[0].value) != 1:
        raise ValueError(
            f"the function returns shape {np.shape(columns[0].value)}; a Jacobian needs a vector, shape (m,)."
            f" For a single number use finite_difference_gradient."
        )
    return Estimate(np.stack([c.value for c in columns], axis=1), np.stack([c.error for c in columns], axis=1))


def finite_difference_gradient(function, theta, step=None):
    r"""The gradient of a scalar function, entry k = :math:`\partial f / \partial \theta_k`.

    Parameters as in `finite_difference_directional`; 10 d evaluations.

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
    entries = [finite_difference_directional(function, theta, e, step) for e in np.eye(theta.size)]
    if np.ndim(entries[0].value) != 0:
        raise ValueError(
            f"the function returns shape {np.shape(entries[0].value)}; a gradient needs a single number."
            f" For a vector use finite_difference_jacobian."
        )
    return Estimate(np.array([e.value for e in entries]), np.array([e.error for e in entries]))


def complex_step(function, theta, direction):
    r"""The derivative along a direction by the complex step, :math:`\operatorname{Im} f(\theta + i h v) / h`.

    Nothing is subtracted, so nothing cancels: h can be 1e-20 and the answer is exact to rounding. It holds
    for analytic code only. A function that takes abs, compares, or calls a routine for real numbers breaks it;
    where the imaginary part is lost altogether this is refused, where it is bent nobody notices.

    Parameters
    ----------
    function : callable
        Takes a complex array (d,), returns a complex number or array. With a loss's ``gradient`` the answer is
        the Hessian-vector product H v.
    theta, direction : numpy.ndarray, shape (d,), float64
        Where, and along which v.

    Returns
    -------
    float or numpy.ndarray

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
        raise ValueError(f"direction has shape {direction.shape}; expected theta's, {theta.shape}.")
    h = 1e-20
    value = function(theta + 1j * h * direction)
    if not np.iscomplexobj(value):
        raise TypeError("the function lost the imaginary part, so it is not analytic code; use finite differences.")
    return np.imag(value) / h


def _evaluate(function, theta):
    value = np.asarray(function(theta))
    if value.dtype != np.float64 or not np.isfinite(value).all():
        raise ValueError(
            f"the function returned {value} of dtype {value.dtype} at {theta}; expected finite float64 numbers."
            f" A smaller step may keep away from where it is undefined."
        )
    return value
