"""What every public function demands of its arguments, and says when it is not met.

Nothing is cast or broadcast in silence: a list is not an array, an integer is not a float,
and a row is not a column. Each message says what was given, what was expected and what to do.
"""

import math
import numbers
from collections.abc import Sequence
from typing import Any, TypeGuard

import numpy as np
import sympy

from mathlib.contracts import Array, Theta
from mathlib.errors import NotFinite, WrongType, WrongValue


def is_symbolic(theta: object) -> TypeGuard[sympy.MatrixBase]:
    """True for a SymPy matrix, False for anything else."""
    return isinstance(theta, sympy.MatrixBase)


MANY = 20  # entries of an array, beyond which a message shows its ends only
DIVERGED = "If it comes from an inner loop, the loop has diverged: take a smaller alpha."


def require_array(
    array: object,
    name: str = "theta",
    *,
    float64: bool = False,
    allow_complex: bool = False,
    symbols: bool = True,
    mend: str = DIVERGED,
) -> Array:
    """Return `array` unchanged if it is a finite floating NumPy array; raise otherwise.

    Parameters
    ----------
    array : object
        What the caller was given.
    name : str
        What to call it in the message.
    float64 : bool
        Demand double precision; finite differences are useless below it.
    allow_complex : bool
        Admit complex128, for the complex step.
    symbols : bool
        Whether a SymPy matrix would have done, too; said where something else was given.
    mend : str
        What to do about an entry that is not finite.

    Raises
    ------
    TypeError
        Not an array, or of a dtype that would have to be cast.
    NotFinite
        NaN or infinity inside; a ValueError.
    """
    if not isinstance(array, np.ndarray) or isinstance(array, (np.ma.MaskedArray, np.matrix)):
        expected = "a NumPy array"
        example = "np.array([0.5, -1.0])"
        if symbols:
            expected += " or, for symbols, a SymPy column Matrix"
            example += " or sympy.Matrix([x, y])"
        raise WrongType(f"{name} is a {type(array).__name__}; expected {expected}. Write {example}.")
    if array.dtype.kind == "c":
        if not allow_complex:
            points = "points" if symbols else "parameters"
            raise WrongType(
                f"{name} is complex; only .value and .gradient take complex {points}, for the complex step."
                f" Pass {name}.real."
            )
    elif array.dtype.kind != "f":
        exact = ", or use a SymPy Matrix for exact numbers" if symbols else ""
        raise WrongType(f"{name} has dtype {array.dtype}; expected floating point. Write {name}.astype(float){exact}.")
    if float64 and array.dtype not in (np.float64, np.complex128):
        raise WrongType(
            f"{name} has dtype {array.dtype}; a check needs float64, because rounding in single precision"
            f" hides the error it looks for. Write {name}.astype(np.float64)."
        )
    if not np.isfinite(array).all():
        shown = np.array2string(array, threshold=MANY)
        raise NotFinite(f"{name} has a NaN or infinite entry: {shown}. {mend}")
    return array


def require_point(theta: object, d: int, name: str = "theta", *, allow_complex: bool = False) -> Theta:
    """Return `theta` if it is a point of d parameters: a SymPy column (d, 1) or an array (d,)."""
    expected: tuple[int, ...]
    if is_symbolic(theta):
        expected = (d, 1)
        described = f"a column of {d} entries, shape ({d}, 1)"
    else:
        theta = require_array(theta, name, allow_complex=allow_complex)
        expected = (d,)
        described = f"shape ({d},)"
    if theta.shape != expected:
        raise WrongValue(
            f"{name} has shape {theta.shape}; expected {described}: one entry for each of the loss's"
            f" {d} variables, in their order."
        )
    return theta


def require_step_size(alpha: object, theta: Theta, name: str = "alpha") -> Any:
    """Return `alpha` if it is a step size for `theta`: a finite real number that is not negative.

    A SymPy expression is welcome where theta is symbolic. A number comes back as a Python float, so
    that it takes on theta's dtype and never raises it.
    """
    if isinstance(alpha, sympy.Expr):
        if alpha.is_number and not (alpha.is_finite and alpha.is_nonnegative):
            raise WrongValue(f"{name} is {alpha}; a step size is finite, real, and zero or positive.")
        if not is_symbolic(theta):
            raise WrongType(
                f"{name} is the SymPy expression {alpha} but theta holds floating-point numbers."
                f" Pass float(alpha), or make theta a SymPy Matrix."
            )
        return alpha
    if isinstance(alpha, (bool, np.bool_)) or not isinstance(alpha, numbers.Real):
        raise WrongType(f"{name} is {alpha!r}, a {type(alpha).__name__}; expected a real number such as 0.1.")
    if not math.isfinite(alpha) or alpha < 0:
        raise WrongValue(f"{name} is {alpha}; a step size is finite, and zero or positive.")
    return sympy.sympify(alpha) if is_symbolic(theta) else float(alpha)


def require_count(count: object, name: str, least: int = 1) -> int:
    """Return `count` if it is a whole number, at least `least`."""
    if isinstance(count, bool) or not isinstance(count, numbers.Integral) or count < least:
        raise WrongValue(f"{name} is {count!r}; expected a whole number, {least} or more.")
    return int(count)


def require_generator(rng: object) -> np.random.Generator:
    """Return `rng` if it is one of NumPy's generators, which draw the same numbers again from the same seed."""
    if not isinstance(rng, np.random.Generator):
        raise WrongType(f"rng is {rng!r}; expected a generator. Write np.random.default_rng(seed).")
    return rng


def require_losses(losses: object, *methods: str, caller: str) -> list[Any]:
    """Return `losses` as a list; raise unless it is a sequence of losses with these methods."""
    if not isinstance(losses, (list, tuple)):
        raise WrongType(
            f"losses is a {type(losses).__name__}; expected a list with one support loss for each inner step."
            f" For K steps on the same loss write [loss] * K."
        )
    return [
        require_loss(loss, f"the support loss of step {i}", *methods, caller=caller)
        for i, loss in enumerate(losses, start=1)
    ]


def require_loss(loss: object, name: str, *methods: str, caller: str) -> Any:
    """Return `loss` if it has the methods that `caller`, a function's name, is going to ask for."""
    missing = [method for method in methods if not callable(getattr(loss, method, None))]
    if missing:
        raise WrongType(
            f"{name} is a {type(loss).__name__}; expected an object with {_listed(methods)}, which {caller} calls."
            f" It lacks {_listed(missing)}: add what is missing, or pass Loss(expression, variables)."
        )
    return loss


def _listed(methods: Sequence[str]) -> str:
    return " and ".join(f".{method}" for method in methods)
