r"""Functions from elsewhere: what is asked of them, their differences, and a loss made of two of them.

A function of PyTorch, of JAX, or of anything takes a NumPy array here and returns one, by an adapter of two lines.
Whatever it returns is looked at. Its derivatives are finite differences: in double precision those of
`mathlib.finite_differences`, in single precision plainer ones, because there the values carry seven digits and
rounding is all that is left of a difference at a small step.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from mathlib.contracts import Array, Product
from mathlib.errors import WrongType, WrongValue
from mathlib.finite_differences import Estimate, finite_difference_directional, finite_difference_jacobian
from mathlib.inputs import require_array

# The steps tried in single precision. For a smooth function the best is about the cube root of eps, 1/200. Between the
# kinks of a large network it is smaller, and its slope along all parameters is so large that rounding allows that.
LADDER = 2.0 ** -np.arange(1, 19)
REPEATED = 100  # two calls at one point may differ by this many eps of their size: sums in another order
SINGLE = np.finfo(np.float32).eps


def loss_from(value: Callable[[Array], Any], gradient: Callable[[Array], Any]) -> "ForeignLoss":
    r"""A loss made of two functions, its value and its gradient, from a framework or from anything.

    Parameters
    ----------
    value : callable
        Takes theta (d,), returns a number.
    gradient : callable
        Takes theta (d,), returns an array (d,) of theta's dtype.

    Returns
    -------
    ForeignLoss
        A loss like any other. Its Hessian-vector product is a difference of the gradient, and ``.product(theta, v)``
        says how wrong it may be.

    Raises
    ------
    TypeError
        One of the two is no function. When they are called: what they return is no array of theta's dtype.
    ValueError
        When they are called: another shape, NaN, or a function that writes into theta.

    Notes
    -----
    Whether `gradient` is the gradient of `value` is not asked here: `diagnose_function(value, gradient, theta)` does.
    A product takes 20 gradients or more.

    Examples
    --------
    >>> loss = loss_from(lambda theta: (theta**3).sum(), lambda theta: 3 * theta**2)
    >>> estimate = loss.product(np.array([1.0, 2.0]), np.array([1.0, 1.0]))
    >>> estimate.value.round(9), bool((estimate.error < 1e-9).all())
    (array([ 6., 12.]), True)
    """
    for name, function in (("value", value), ("gradient", gradient)):
        if not callable(function):
            raise WrongType(f"{name} is a {type(function).__name__}; expected a function of theta.")
    return ForeignLoss(value, gradient)


class ForeignLoss:
    """A loss whose value and gradient are somebody else's functions. Made by `loss_from`."""

    def __init__(self, value: Callable[[Array], Any], gradient: Callable[[Array], Any]) -> None:
        self._value = value
        self._gradient = gradient

    def value(self, theta: Array) -> Any:
        """L(theta), a number of theta's dtype."""
        return ask_number(self._value, theta, "the loss's value")

    def gradient(self, theta: Array) -> Array:
        """The gradient, shaped like theta."""
        return ask_vector(self._gradient, theta, "the loss's gradient")

    def product(self, theta: Array, v: Array) -> Estimate:
        """H v, a difference of the gradient along v, and a bound on its error."""
        if not v.any():
            return Estimate(0 * v, 0 * v)
        return directional(self.gradient, theta, v)

    def linearize(self, theta: Array) -> tuple[Array, Product]:
        """The gradient, and v ↦ H v by differences of it."""
        return self.gradient(theta), lambda v: self.product(theta, v).value.astype(theta.dtype)

    def hvp(self, theta: Array, v: Array) -> Array:
        """H v, shaped like theta."""
        return self.linearize(theta)[1](v)

    def hessian(self, theta: Array) -> Array:
        """H, (d, d), by d differences of the gradient, made symmetric."""
        if theta.dtype == np.float64:
            hessian = finite_difference_jacobian(self.gradient, theta).value
        else:
            hessian = np.stack([self.hvp(theta, e) for e in np.eye(theta.size, dtype=theta.dtype)], axis=1)
        return (hessian + hessian.T) / 2


def require_precision(array: Array, name: str) -> Array:
    """Return `array` if it has the seven digits of float32, or more."""
    if array.dtype.itemsize < 4:
        raise WrongType(
            f"{name} has dtype {array.dtype}, which keeps three digits: too few to tell two meta-gradients apart."
            f" Compute in float32 at least, better in float64."
        )
    return array


def require_vector(vector: object, theta: Array, name: str) -> Array:
    """Return `vector` if it is a finite floating array of theta's shape, in single precision or better."""
    if vector is None:
        raise WrongType(
            f"{name} is None: nothing was ever written there. In PyTorch the outer loss does not depend on the tensor"
            f" whose .grad you read: look for a detach, .data, a copy, or a tensor that is no leaf."
        )
    if not isinstance(vector, np.ndarray):
        raise WrongType(
            f"{name} is a {type(vector).__name__}; expected a NumPy array. From PyTorch write"
            f" `.detach().numpy()`, from JAX `np.asarray(…)`, and lay several blocks one behind the other."
        )
    if vector.shape != theta.shape:
        raise WrongValue(f"{name} has shape {vector.shape}; expected theta's, {theta.shape}.")
    require_array(vector, name, symbols=False)
    return require_precision(vector, name)


def require_parameters(theta: object) -> Array:
    """Return `theta` if it is one task's parameters, numbers in single precision or better."""
    theta = require_array(theta, symbols=False)
    if theta.ndim != 1 or not theta.size:
        raise WrongValue(f"theta has shape {theta.shape}; expected the parameters of one task, shape (d,).")
    return require_precision(theta, "theta")


def ask_number(function: Callable[[Array], Any], theta: Array, name: str) -> Any:
    """What a function says at theta, if that is a finite number; of theta's dtype."""
    answer = _ask(function, theta, name)
    try:
        number = np.asarray(answer)
        number = number.reshape(()) if number.size == 1 else number
        if number.dtype.kind not in "fiu" or number.ndim:
            raise TypeError
    except (TypeError, ValueError, RuntimeError):
        shape = f", shape {answer.shape}," if hasattr(answer, "shape") else ""
        raise WrongType(
            f"{name} is a {type(answer).__name__}{shape} at theta; expected one number. From PyTorch write `.item()`,"
            f" from JAX `float(…)`."
        ) from None
    if not np.isfinite(number):
        raise WrongValue(f"{name} is {number} at theta; expected a finite number.")
    return number.astype(theta.dtype)[()]


def ask_vector(function: Callable[[Array], Any], theta: Array, name: str, same_dtype: bool = True) -> Array:
    """What a function says at theta, if that is a finite array of theta's shape, and of its dtype."""
    answer = require_vector(_ask(function, theta, name), theta, name)
    if same_dtype and answer.dtype != theta.dtype:
        raise WrongType(
            f"{name} has dtype {answer.dtype} and theta {theta.dtype}; expected the same, so that nothing is cast."
            f" Let both compute in double precision: `model.double()`, `jax.config.update('jax_enable_x64', True)`."
        )
    return answer


def _ask(function: Callable[[Array], Any], theta: Array, name: str) -> Any:
    """Call a function with a copy of theta, and raise if it writes into it."""
    given = theta.copy()
    answer = function(given)
    if not np.array_equal(given, theta):
        raise WrongValue(f"{name} writes into theta while it is computed; expected a function that leaves theta alone.")
    return answer.copy() if isinstance(answer, np.ndarray) else answer


def require_function(ask: Callable[[], Any], name: str, eps: float, answer: Any = None) -> Any:
    """Return what is answered, if it is answered again and again, and was before; raise if the answers differ."""
    answer = ask() if answer is None else answer
    for _ in range(2):
        gap = np.max(np.abs(ask() - answer))
        if gap > REPEATED * eps * np.max(np.abs(answer)):
            raise WrongValue(
                f"{name} is not a function: two calls at one point differ by {gap:.2g}. It draws new random numbers,"
                f" or keeps a state, such as dropout, a minibatch or an optimiser. Draw them once, outside, or set"
                f" the seed at the beginning of every call."
            )
    return answer


def directional(function: Callable[[Array], Any], theta: Array, direction: Array) -> Estimate:
    """The derivative of a function along a direction, and its error: in theta's precision.

    Examples
    --------
    >>> theta = np.array([1.0, 2.0], dtype=np.float32)
    >>> estimate = directional(lambda theta: theta @ theta, theta, np.ones(2, dtype=np.float32))
    >>> bool(abs(estimate.value - 6) <= estimate.error < 0.01)
    True
    """
    if theta.dtype == np.float64:
        return finite_difference_directional(function, theta, direction)
    return _single_precision(function, theta, direction)


def _single_precision(function: Callable[[Array], Any], theta: Array, direction: Array) -> Estimate:
    """Central differences at the steps of LADDER; the one whose neighbours change least, with that change as error."""
    length = np.abs(direction).max()
    unit = direction / length
    steps = LADDER * max(1.0, np.abs(theta).max())
    differences = []
    rounding = []
    for h in steps:
        right, left = (np.asarray(function((theta + s * h * unit).astype(theta.dtype)), float) for s in (1, -1))
        differences.append((right - left) / (2 * h))
        rounding.append(4 * SINGLE * np.maximum(np.abs(right), np.abs(left)) / h)
    changes = np.abs(np.diff(differences, axis=0))
    # Two changes have to be small at once: where rounding decides, one is so by chance.
    changes = np.maximum(changes[:-1], changes[1:])
    errors = changes + np.array(rounding[1:-1])
    best = int(np.argmin([np.linalg.norm(error) for error in errors]))
    # Of one component, too, a change may be small by chance; not of all of them together.
    typical = np.linalg.norm(errors[best]) / np.sqrt(errors[best].size)
    return Estimate(length * differences[best + 1], length * (errors[best] + typical))
