r"""Derivatives without a formula: finite differences that say how wrong they may be.

Central differences at the steps h, h/2 and h/4, extrapolated twice (Richardson). Two errors remain.
Truncation: what extrapolation still changes in its last round bounds it from above, as long as h is
small against the function's own scale. Rounding: each value carries a few units of its last place, and
dividing by h/4 magnifies them. The estimate is the sum of both.
"""

from dataclasses import dataclass

import numpy as np

from mathlib.inputs import require_array

STEP = 2.0**-7
ROUNDING = 20 * np.finfo(float).eps  # of a value, in units of it: ten units in the last place


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


def finite_difference_directional(function, theta, direction, step=STEP):
    r"""The derivative of a function along a direction, :math:`\frac{d}{dt} f(\theta + t v)` at t = 0.

    Six evaluations whatever the number of parameters: for d in the thousands.

    Parameters
    ----------
    function : callable
        Takes an array (d,), returns a number or an array of them.
    theta : numpy.ndarray, shape (d,), float64
        Where.
    direction : numpy.ndarray, shape (d,), float64
        v, of any length but zero; the answer scales with it.
    step : float
        The largest step, in units of ``max(1, max|theta|)``, measured along v / max|v|.

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
    if isinstance(step, (str, bool)) or not (np.isfinite(step) and step > 0):
        raise ValueError(f"step is {step!r}; expected a positive number.")

    length = np.abs(direction).max()
    unit = direction / length
    scale = max(1.0, np.abs(theta).max())
    values = {t: _evaluate(function, theta + t * scale * unit) for t in step * np.array([1, 1 / 2, 1 / 4, -1 / 4, -1 / 2, -1])}
    steps = [step, step / 2, step / 4]
    D = [(values[h] - values[-h]) / (2 * h * scale) for h in steps]

    # Central differences err in h², h⁴, …; each round removes the lowest power.
    first = [(4 * finer - coarser) / 3 for coarser, finer in zip(D, D[1:], strict=False)]
    second = (16 * first[1] - first[0]) / 15
    truncation = np.abs(second - first[1])
    largest = np.max([np.abs(value) for value in values.values()], axis=0)
    slope = np.abs(second) * scale  # theta + t v is itself rounded, by about eps times theta
    rounding = ROUNDING * (largest + slope) / (steps[-1] * scale)
    return Estimate(length * second, length * (truncation + rounding))


def finite_difference_jacobian(function, theta, step=STEP):
    r"""The Jacobian of a vector-valued function, entry (j, k) = :math:`\partial f_j / \partial \theta_k`.

    Parameters as in `finite_difference_directional`; 6 d evaluations.

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


def finite_difference_gradient(function, theta, step=STEP):
    r"""The gradient of a scalar function, entry k = :math:`\partial f / \partial \theta_k`.

    Parameters as in `finite_difference_directional`; 6 d evaluations.

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
