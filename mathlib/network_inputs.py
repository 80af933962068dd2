"""What only networks demand of their arguments, and say when it is not met; the rest stands in `inputs`."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import DTypeLike

from mathlib.contracts import Array
from mathlib.errors import WrongType, WrongValue
from mathlib.inputs import require_array

MEND = "Leave that example out, or fill it in."


def require_sizes(sizes: object) -> tuple[int, ...]:
    """Return `sizes` as a tuple if it describes a network: two or more positive whole numbers."""
    if not isinstance(sizes, (list, tuple)) or len(sizes) < 2 or not all(type(n) is int and n > 0 for n in sizes):
        raise WrongValue(f"sizes is {sizes!r}; expected two or more positive whole numbers, such as (1, 40, 40, 1).")
    return tuple(sizes)


def require_name(given: object, name: str, known: Iterable[str]) -> None:
    """Raise unless `given` is one of the names that are known."""
    if not isinstance(given, str) or given not in known:
        raise WrongValue(f"{name} is {given!r}; expected one of {', '.join(known)}.")


def require_inputs(inputs: object, sizes: tuple[int, ...]) -> Array:
    """Return `inputs` if they are examples for a network of these sizes: (n, inputs), or (tasks, n, inputs)."""
    inputs = require_array(inputs, "inputs", symbols=False, mend=MEND)
    if inputs.ndim not in (2, 3) or inputs.shape[-1] != sizes[0] or inputs.size == 0:
        raise WrongValue(
            f"inputs has shape {inputs.shape}; expected (n, {sizes[0]}), one example a row, or"
            f" (tasks, n, {sizes[0]}) for a batch of tasks."
        )
    return inputs


def require_targets(targets: object, inputs: Array, outputs: int) -> Array:
    """Return `targets` if they are numbers for the same examples as the inputs, one for each output."""
    targets = require_array(targets, "targets", symbols=False, mend=MEND)
    if targets.dtype != inputs.dtype:
        raise WrongType(f"targets has dtype {targets.dtype} and inputs {inputs.dtype}; expected the same.")
    return _require_beside(targets, inputs, (*inputs.shape[:-1], outputs))


def require_classes(targets: object, inputs: Array, outputs: int) -> Array:
    """Return `targets` if they are classes for the same examples as the inputs, each below the number of outputs."""
    if not isinstance(targets, np.ndarray) or targets.dtype.kind not in "iu":
        given = getattr(targets, "dtype", type(targets).__name__)
        raise WrongType(f"targets is {given}; cross-entropy expects a NumPy array of whole numbers, the classes.")
    if targets.size and not 0 <= targets.min() <= targets.max() < outputs:
        raise WrongValue(
            f"targets has labels from {targets.min()} to {targets.max()}; expected 0 to {outputs - 1}, because the"
            f" network has {outputs} outputs."
        )
    return _require_beside(targets, inputs, inputs.shape[:-1])


def _require_beside(targets: Array, inputs: Array, expected: tuple[int, ...]) -> Array:
    if targets.shape != expected:
        raise WrongValue(f"targets has shape {targets.shape}; expected {expected} beside inputs {inputs.shape}.")
    return targets


def require_parameters(theta: object, inputs: Array, d: int, *, allow_complex: bool = False) -> Array:
    """Return `theta` if it holds a network's d parameters, (d,), or (tasks, d) for inputs with a task axis."""
    theta = require_array(theta, allow_complex=allow_complex, symbols=False)
    expected = (*inputs.shape[:-2], d)
    if theta.shape != expected:
        mend = "Give the loss inputs with a task axis, or pass one task's theta."
        if len(expected) == 2:
            mend = f"To share one theta among tasks write np.broadcast_to(theta, {expected})."
        raise WrongValue(
            f"theta has shape {theta.shape}; expected {expected}: the network has {d} parameters, and inputs"
            f" has shape {inputs.shape}. {mend}"
        )
    if theta.real.dtype != inputs.dtype:
        dtype = np.result_type(inputs.dtype, 1j) if theta.dtype.kind == "c" else inputs.dtype
        raise WrongType(
            f"theta has dtype {theta.dtype} and inputs {inputs.dtype}; expected the same precision, so that nothing is"
            f" cast. Write theta.astype({dtype.name!r})."
        )
    return theta


def require_direction(v: object, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
    """Return `v` if it is a direction in which theta can move: a finite array of theta's shape and dtype."""
    if not isinstance(v, np.ndarray) or v.dtype != dtype:
        given = f"dtype {v.dtype}" if isinstance(v, np.ndarray) else f"type {type(v).__name__}"
        raise WrongType(f"v has {given}; expected an array of theta's dtype {dtype}.")
    if v.shape != shape:
        raise WrongValue(f"v has shape {v.shape}; expected theta's shape {shape}.")
    return require_array(v, "v")
