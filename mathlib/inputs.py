"""What every public function demands of its arguments, and says when it is not met.

Nothing is cast or broadcast in silence: a list is not an array, an integer is not a float,
and a row is not a column. Each message says what was given, what was expected and what to do.
"""

import math
import numbers

import numpy as np
import sympy


def is_symbolic(theta):
    """True for a SymPy matrix, False for anything else."""
    return isinstance(theta, sympy.MatrixBase)


DIVERGED = "If it comes from an inner loop, the loop has diverged: take a smaller alpha."


def require_array(array, name="theta", *, float64=False, allow_complex=False, symbols=True, mend=DIVERGED):
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
    ValueError
        NaN or infinity inside.
    """
    if not isinstance(array, np.ndarray) or isinstance(array, (np.ma.MaskedArray, np.matrix)):
        raise TypeError(
            f"{name} is a {type(array).__name__}; expected a NumPy array"
            f"{' or, for symbols, a SymPy column Matrix' * symbols}."
            f" Write np.array([0.5, -1.0]){' or sympy.Matrix([x, y])' * symbols}."
        )
    if array.dtype.kind == "c":
        if not allow_complex:
            raise TypeError(
                f"{name} is complex; only .value and .gradient take complex"
                f" {'points' if symbols else 'parameters'}, for the complex step. Pass {name}.real."
            )
    elif array.dtype.kind != "f":
        raise TypeError(
            f"{name} has dtype {array.dtype}; expected floating point. Write {name}.astype(float)"
            f"{', or use a SymPy Matrix for exact numbers' * symbols}."
        )
    if float64 and array.dtype not in (np.float64, np.complex128):
        raise TypeError(
            f"{name} has dtype {array.dtype}; a check needs float64, because rounding in single precision"
            f" hides the error it looks for. Write {name}.astype(np.float64)."
        )
    if not np.isfinite(array).all():
        raise ValueError(f"{name} has a NaN or infinite entry: {array}. {mend}")
    return array


def require_point(theta, d, name="theta", *, allow_complex=False):
    """Return `theta` if it is a point of d parameters: a SymPy column (d, 1) or an array (d,)."""
    if is_symbolic(theta):
        expected, described = (d, 1), f"a column of {d} entries, shape ({d}, 1)"
    else:
        require_array(theta, name, allow_complex=allow_complex)
        expected, described = (d,), f"shape ({d},)"
    if theta.shape != expected:
        raise ValueError(
            f"{name} has shape {theta.shape}; expected {described}: one entry for each of the loss's"
            f" {d} variables, in their order."
        )
    return theta


def require_step_size(alpha, theta):
    """Return `alpha` if it is a step size for `theta`: a finite real number that is not negative.

    A SymPy expression is welcome where theta is symbolic. A number comes back as a Python float, so
    that it takes on theta's dtype and never raises it.
    """
    if isinstance(alpha, sympy.Expr):
        if alpha.is_number and not (alpha.is_finite and alpha.is_nonnegative):
            raise ValueError(f"alpha is {alpha}; a step size is finite, real, and zero or positive.")
        if not is_symbolic(theta):
            raise TypeError(
                f"alpha is the SymPy expression {alpha} but theta holds floating-point numbers."
                f" Pass float(alpha), or make theta a SymPy Matrix."
            )
        return alpha
    if isinstance(alpha, (bool, np.bool_)) or not isinstance(alpha, numbers.Real):
        raise TypeError(f"alpha is {alpha!r}, a {type(alpha).__name__}; expected a real number such as 0.1.")
    if not math.isfinite(alpha) or alpha < 0:
        raise ValueError(f"alpha is {alpha}; a step size is finite, and zero or positive.")
    return sympy.sympify(alpha) if is_symbolic(theta) else float(alpha)


def require_losses(losses):
    """Return `losses` as a list; raise if it is not a sequence of losses."""
    if not isinstance(losses, (list, tuple)):
        raise TypeError(
            f"losses is a {type(losses).__name__}; expected a list with one support loss for each inner step."
            f" For K steps on the same loss write [loss] * K."
        )
    for i, loss in enumerate(losses, start=1):
        require_loss(loss, f"the support loss of step {i}")
    return list(losses)


def require_loss(loss, name="loss"):
    """Return `loss` if it answers to .gradient and .linearize."""
    if not (hasattr(loss, "gradient") and hasattr(loss, "linearize")):
        raise TypeError(
            f"{name} is a {type(loss).__name__}; expected an object with .value, .gradient and .linearize,"
            f" such as Loss(expression, variables)."
        )
    return loss


def require_network(sizes, activation, activations):
    """Return `sizes` as a tuple if it describes a network: two or more positive whole numbers."""
    whole = isinstance(sizes, (list, tuple)) and all(type(n) is int and n > 0 for n in sizes)
    if not whole or len(sizes) < 2:
        raise ValueError(f"sizes is {sizes!r}; expected two or more positive whole numbers, such as (1, 40, 40, 1).")
    require_name(activation, "activation", activations)
    return tuple(sizes)


def require_name(given, name, known):
    """Raise unless `given` is one of the names that are known."""
    if not isinstance(given, str) or given not in known:
        raise ValueError(f"{name} is {given!r}; expected one of {', '.join(known)}.")


def require_inputs(inputs, network):
    """Raise unless `inputs` are examples for the network: (n, inputs), or (tasks, n, inputs)."""
    require_array(inputs, "inputs", symbols=False, mend="Leave that example out, or fill it in.")
    if inputs.ndim not in (2, 3) or inputs.shape[-1] != network.sizes[0] or inputs.size == 0:
        raise ValueError(
            f"inputs has shape {inputs.shape}; expected (n, {network.sizes[0]}), one example a row, or"
            f" (tasks, n, {network.sizes[0]}) for a batch of tasks."
        )


def require_examples(inputs, targets, network, error):
    """Raise unless inputs and targets are the same examples, and the targets fit the network and the error."""
    require_inputs(inputs, network)
    outputs, expected = network.sizes[-1], inputs.shape[:-1]
    if error == "cross-entropy":
        if not isinstance(targets, np.ndarray) or targets.dtype.kind not in "iu":
            given = getattr(targets, "dtype", type(targets).__name__)
            raise TypeError(f"targets is {given}; cross-entropy expects a NumPy array of whole numbers, the classes.")
        if targets.size and not 0 <= targets.min() <= targets.max() < outputs:
            raise ValueError(
                f"targets has labels from {targets.min()} to {targets.max()}; expected 0 to {outputs - 1}, because the"
                f" network has {outputs} outputs."
            )
    else:
        require_array(targets, "targets", symbols=False, mend="Leave that example out, or fill it in.")
        if targets.dtype != inputs.dtype:
            raise TypeError(f"targets has dtype {targets.dtype} and inputs {inputs.dtype}; expected the same.")
        expected = (*expected, outputs)
    if targets.shape != expected:
        raise ValueError(f"targets has shape {targets.shape}; expected {expected} beside inputs {inputs.shape}.")


def require_parameters(theta, inputs, network, allow_complex=False):
    """Raise unless theta holds the network's parameters, (d,), or (tasks, d) for inputs with a task axis."""
    require_array(theta, allow_complex=allow_complex, symbols=False)
    expected = (*inputs.shape[:-2], network.d)
    if theta.shape != expected:
        mend = "Give the loss inputs with a task axis, or pass one task's theta."
        if len(expected) == 2:
            mend = f"To share one theta among tasks write np.broadcast_to(theta, {expected})."
        raise ValueError(
            f"theta has shape {theta.shape}; expected {expected}: the network has {network.d} parameters, and inputs"
            f" has shape {inputs.shape}. {mend}"
        )
    if theta.real.dtype != inputs.dtype:
        mend = np.result_type(inputs.dtype, 1j) if theta.dtype.kind == "c" else inputs.dtype
        raise TypeError(
            f"theta has dtype {theta.dtype} and inputs {inputs.dtype}; expected the same precision, so that nothing is"
            f" cast. Write theta.astype({mend.name!r})."
        )


def require_direction(v, shape, dtype):
    """Return `v` if it is a direction in which theta can move: a finite array of theta's shape and dtype."""
    if not isinstance(v, np.ndarray) or v.dtype != dtype:
        given = f"dtype {v.dtype}" if isinstance(v, np.ndarray) else f"type {type(v).__name__}"
        raise TypeError(f"v has {given}; expected an array of theta's dtype {dtype}.")
    if v.shape != shape:
        raise ValueError(f"v has shape {v.shape}; expected theta's shape {shape}.")
    return require_array(v, "v")
