r"""Is this gradient the derivative of that function? Asked of the function alone, along random directions.

A gradient g of f has to give :math:`g^T v = \frac{d}{dt} f(\theta + t v)` for every v. A direction that is random and
dense meets every parameter at once: a g that is wrong by Δ is wrong there by :math:`\Delta^T v`, which is as large as Δ
is long, times a normal random number. Eight directions miss it by chance practically never. A check that only walks
along one path, or over some of the parameters, sees nothing of the others.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from mathlib.contracts import Array
from mathlib.errors import WrongType, WrongValue
from mathlib.finite_differences import Estimate
from mathlib.foreign import ask_number, ask_vector, directional, require_function, require_parameters, require_vector
from mathlib.rounding import in_digits

DIRECTIONS = 8
# Relative to the length of the derivative: a coarser difference decides nothing. Half of the digits of either dtype,
# and in single precision a factor of ten for the kinks of a network.
DECIDES = {"float64": 1e-6, "float32": 1e-2}
CLEARLY = 10  # what is off by so many times the error of the difference is wrong, and no kink that hides from it
MOST = 3 / 4  # of the directions have to agree
ROUNDING = 10  # eps of its terms is what the gradient's own product with a direction may be off
PIECES = 16  # in so many pieces of the parameters a wrong gradient is looked for
HALF = 11  # bits of a float16's mantissa; bfloat16 has eight


@dataclass(frozen=True)
class FunctionDiagnosis:
    """What `diagnose_function` found.

    Attributes
    ----------
    equals : bool or None
        Whether the gradient is the derivative; None where that stays undecided.
    name : str
        "the derivative", "not the derivative", or "undecided".
    factor : float or None
        Where it is not: the factor, if it is a multiple of the derivative.
    measured : Estimate
        The derivative of the function along each direction, with its error.
    given : numpy.ndarray
        What the gradient gives along the same directions.
    where : tuple of slice
        Where it is not: the pieces of the parameters in which it is off.
    dtype : str
        The precision of the function.
    """

    equals: bool | None
    measured: Estimate
    given: Array
    dtype: str
    factor: float | None = None
    where: tuple[slice, ...] = ()

    @property
    def name(self) -> str:
        """The answer in two words."""
        return {True: "the derivative", False: "not the derivative", None: "undecided"}[self.equals]

    @property
    def directions(self) -> int:
        """How many were tried."""
        return len(self.given)

    def _sentences(self) -> Iterator[str]:
        worst = int(np.argmax(np.abs(self.given - self.measured.value) / self.measured.error))
        gives = f"{in_digits(self.given[worst], 4)} instead of {in_digits(self.measured.value[worst], 4)}"
        tried = f"{self.directions} random directions"
        if self.equals is None:
            yield f"Undecided along {tried}: the differences are too coarse, or disagree. It may be a kink, or noise."
        elif self.equals:
            yield f"This gradient is the derivative of your function, along {tried}."
        else:
            yield f"This gradient is not the derivative of your function: along one of {tried} it gives {gives}."
        if self.factor is not None:
            yield f"It is {in_digits(self.factor, 4)} times the derivative, along all of them."
        if self.where:
            pieces = ", ".join(f"{piece.start}:{piece.stop}" for piece in self.where)
            yield f"It is off in these pieces of theta: {pieces}."
        if self.dtype == "float32":
            yield SINGLE

    def __str__(self) -> str:
        return "\n".join(self._sentences())

    __repr__ = __str__

    def _repr_markdown_(self) -> str:
        first, *others = self._sentences()
        return "\n\n".join([f"**{first}**", *others])


def diagnose_function(
    meta_loss: Callable[[Array], Any], gradient: Callable[[Array], Any] | Array, theta: Array, *, seed: int = 0
) -> FunctionDiagnosis:
    r"""Say whether a gradient is the derivative of a function, from calls of both alone.

    Parameters
    ----------
    meta_loss : callable
        Your function, theta (d,) → a number; for a meta-loss, the query loss after the inner loop.
    gradient : callable, or numpy.ndarray, shape (d,)
        Your gradient, as a function of theta, or its value there.
    theta : numpy.ndarray, shape (d,)
        The point, float64. With float32 the functions are called with float32 and judged by that.
    seed : int
        Of the directions.

    Returns
    -------
    FunctionDiagnosis
        Shown as a sentence or two; ``.equals`` is the answer.

    Raises
    ------
    TypeError, ValueError
        A gradient that is None, half precision, not finite or of another shape; a function that returns no number,
        computes in half precision, writes into theta, or answers differently when it is asked again.

    Notes
    -----
    Each direction takes ten calls of the function, and about forty where it has kinks, whatever d is. Wrong by less
    than a millionth of its length, or a hundredth in single precision, a gradient may pass. A gradient that is right
    says nothing about which function it belongs to: of an inner loop that drops its second order the meta-loss is the
    same, and its derivative is MAML's gradient.

    Examples
    --------
    >>> theta = np.array([1.0, 2.0, 3.0])
    >>> diagnose_function(lambda theta: theta @ theta, lambda theta: 2 * theta, theta)
    This gradient is the derivative of your function, along 8 random directions.
    >>> round(diagnose_function(lambda theta: theta @ theta, lambda theta: theta, theta).factor, 9)
    0.5
    """
    theta = require_parameters(theta)
    if not callable(meta_loss):
        raise WrongType(f"meta_loss is a {type(meta_loss).__name__}; expected a function of theta.")
    dtype = _precision(meta_loss, theta)
    eps = float(np.finfo(dtype).eps)

    def function(point: Array) -> Any:
        return ask_number(meta_loss, point.astype(theta.dtype), META_LOSS)

    value = require_function(partial(function, theta), META_LOSS, eps)
    if callable(gradient):
        ask = partial(ask_vector, gradient, theta, "your gradient", same_dtype=False)
        g = require_function(ask, "your gradient", eps)
        require_function(partial(function, theta), f"{META_LOSS}, once your gradient was called,", eps, value)
    else:
        g = require_vector(gradient, theta, "gradient")
    directions = np.random.default_rng(seed).normal(size=(DIRECTIONS, theta.size))
    return _Along(function, g.astype(float), theta.astype(dtype)).judge(directions)


META_LOSS = "your meta-loss"
SINGLE = (
    "Your function computes in float32. Its differences show an error of one per cent of the derivative, and not much"
    " less. In float64 they show a millionth."
)


def _precision(function: Callable[[Array], Any], theta: Array) -> str:
    """The dtype in which a function computes: its values near theta tell, whatever they are wrapped in."""
    rng = np.random.default_rng(0)
    points = [theta * (1 + 0.01 * rng.uniform(-1, 1, theta.size)).astype(theta.dtype) for _ in range(4)]
    values = np.array([ask_number(function, point, META_LOSS) for point in points], dtype=float)
    # Of numbers in double precision one in 2²⁹ has 24 bits by chance.
    single = len(np.unique(values)) > 1 and np.array_equal(values, values.astype(np.float32))
    _require_digits(values)
    if len(np.unique(values)) == 1:  # eight bits may be too few to see the function change so near
        _require_digits(np.array([values[0], *_further(function, theta, rng)]))
    return "float32" if single or theta.dtype == np.float32 else "float64"


def _further(function: Callable[[Array], Any], theta: Array, rng: np.random.Generator) -> Iterator[Any]:
    """Values farther from theta, as long as they are finite."""
    for _ in range(4):
        point = theta * (1 + 0.2 * rng.uniform(-1, 1, theta.size)).astype(theta.dtype)
        try:
            yield ask_number(function, point, META_LOSS)
        except WrongValue:
            return


def _require_digits(values: Array) -> None:
    """Raise if all of these values have eleven bits or fewer, as float16 and bfloat16 do, and not all are equal."""
    mantissas = np.frexp(values)[0] * 2**HALF
    if len(np.unique(values)) > 1 and np.array_equal(mantissas, np.round(mantissas)):
        raise WrongType(
            f"{META_LOSS} gives values like {values[0]:.6g}, which have three digits, as float16 and bfloat16 do: too"
            f" few for a difference. Let it compute in float32 at least, better in float64, without autocast."
        )


@dataclass(frozen=True)
class _Along:
    """A function and somebody's gradient, to be compared along directions."""

    function: Callable[[Array], Any]
    gradient: Array
    theta: Array

    def judge(self, directions: Array) -> FunctionDiagnosis:
        measured, given = self.compare(directions)
        dtype = str(self.theta.dtype)
        found = FunctionDiagnosis(None, measured, given, dtype)
        gaps = np.abs(given - measured.value)
        size = np.sqrt(np.mean(measured.value**2))
        # A kink very near theta can spoil a difference without a trace; so not every direction has to agree.
        decided = measured.error <= DECIDES[dtype] * size
        if np.median(gaps / measured.error) > CLEARLY:
            factor = self.factor(measured, given)
            return replace(found, equals=False, factor=factor, where=() if factor else self.where(directions[0]))
        agree = np.mean(decided & (gaps <= measured.error)) >= MOST
        return replace(found, equals=True) if agree and (gaps <= CLEARLY * measured.error).all() else found

    def compare(self, directions: Array) -> tuple[Estimate, Array]:
        """The function's derivative along each direction, with all that it may be off, and what the gradient gives."""
        estimates = [directional(self.function, self.theta, v.astype(self.theta.dtype)) for v in directions]
        rounding = ROUNDING * np.finfo(self.theta.dtype).eps * np.abs(directions) @ np.abs(self.gradient)
        value = np.array([estimate.value for estimate in estimates], dtype=float)
        error = np.array([estimate.error for estimate in estimates], dtype=float) + rounding
        # Where both are 0 nothing is wrong.
        return Estimate(value, np.maximum(error, np.finfo(float).tiny)), directions @ self.gradient

    def factor(self, measured: Estimate, given: Array) -> float | None:
        """f, where the gradient gives f times the derivative along most directions."""
        square = measured.value @ measured.value
        f = float(given @ measured.value / square) if square else 0.0
        agree = np.abs(given - f * measured.value) <= 2 * abs(f) * measured.error
        return f if f and self.theta.size > 1 and np.mean(agree) >= MOST else None

    def where(self, direction: Array) -> tuple[slice, ...]:
        """The pieces of theta in which the gradient is off; none if it is off in all of them."""
        ends = np.unique(np.linspace(0, self.theta.size, PIECES + 1).astype(int))
        pieces = [slice(int(start), int(stop)) for start, stop in pairwise(ends)]
        inside = np.zeros((len(pieces), direction.size))
        for row, piece in zip(inside, pieces, strict=True):
            row[piece] = direction[piece]
        measured, given = self.compare(inside)
        off = np.abs(given - measured.value) > CLEARLY * measured.error
        return () if off.all() else _joined([piece for piece, wrong in zip(pieces, off, strict=True) if wrong])


def _joined(pieces: list[slice]) -> tuple[slice, ...]:
    """Neighbouring pieces as one."""
    joined: list[slice] = []
    for piece in pieces:
        if joined and joined[-1].stop == piece.start:
            piece = slice(joined.pop().start, piece.stop)
        joined.append(piece)
    return tuple(joined)
