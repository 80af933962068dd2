"""Every numbered equation is executed: `check` what is claimed, `refute` what is likely to be mistaken for it.

A check compares two things that were obtained by different routes. What it displays is the same on
every machine: the digits demanded, never the digits measured.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias

import numpy as np
import sympy
from IPython.display import display

from mathlib.contracts import Array
from mathlib.errors import Short, WrongType, WrongValue
from mathlib.finite_differences import Estimate
from mathlib.inputs import require_array
from mathlib.proofs import SEEDS, differ, differ_at, is_proved_zero, random_values
from mathlib.rounding import TIE, in_digits
from mathlib.unknown import UnknownFunction

WIDEST = 105  # letters and signs of both sides together that are still worth reading
ONE_LINE = 66  # of them fit a line of JupyterLab on a screen of 1280 pixels, beside the open table of contents
LARGEST = 600  # nodes of an expression worth printing; beyond, printing alone would take seconds
COARSEST = 1e-4  # an estimate with a larger relative error decides nothing
MET_AT_A_POINT = (sympy.Symbol, UnknownFunction)  # what has a value only at a point
FAR = 100  # a refuted version differs by this many times the error, at least


# What a check compares: an expression or a matrix of them, numbers, or numbers with an error.
Side: TypeAlias = sympy.Expr | sympy.MatrixBase | Array | float | Estimate


class CheckFailed(Short, AssertionError):
    """An equation does not hold, or could not be decided."""

    mark = "✗ "


@dataclass(frozen=True)
class Verdict:
    """What a check found, as it is displayed: one line, and the formula where the two sides look different."""

    label: str
    finding: str
    route: str
    formula: str = ""

    def __repr__(self):
        return f"✓ ({self.label}) {self.finding}. Route: {self.route}."

    def _repr_markdown_(self):
        formula = f"\n\n$$\\displaystyle {self.formula}$$" if self.formula else ""
        return f"✓ **({self.label})** {self.finding}. *Route: {self.route}.*{formula}"


@dataclass(frozen=True)
class Rejection:
    """Wrong versions of a claim, rejected: for each what it gives, what is right, and how far off it is."""

    label: str
    where: str
    rows: tuple[tuple[str, str, str, str], ...]
    entries: int = 1  # one is shown, and "off by" is of all

    def __repr__(self):
        of_all = " over all entries" if self.entries > 1 else ""
        lines = [f"⊘ ({self.label}) rejected, as it should be{self.where}:"]
        lines += [
            f"  {name}: gives {wrong} for {right}, off by {error}{of_all}" for name, wrong, right, error in self.rows
        ]
        return "\n".join(lines)

    def _repr_markdown_(self):
        of_all = ", over all entries" if self.entries > 1 else ""
        lines = [
            f"⊘ **({self.label})** rejected, as it should be{self.where}:",
            "",
            f"| wrong version | gives | right | off by{of_all} |",
        ]
        lines.append("|---|---|---|---|")
        lines += [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in self.rows]
        return "\n".join(lines)


def check(
    label: str, left: Side, right: Side, *, digits: int = 12, relation: str = "==", route: str | None = None
) -> None:
    r"""Check a numbered equation, display how exactly it holds, and raise if it does not.

    Parameters
    ----------
    label : str
        The equation's number, such as "5.2".
    left, right : SymPy expressions or matrices, exact numbers, float64 arrays, or one `Estimate`
        Both sides, of one shape, obtained by different routes. Two symbolic sides are first tried at random
        exact points, then proved equal by expansion. An estimate holds the other side within its own error,
        which must be below 10⁻⁴ of its size. Two arrays agree to the digits demanded.
    digits : int
        For two arrays: the largest difference is at most 10^-digits of the largest entry.
    relation : {"==", "<="}
        "<=" compares numbers entry by entry, and allows what an equality would.
    route : str, optional
        How the two sides were obtained, in words.

    Raises
    ------
    CheckFailed
        An entry differs, or the difference could not be decided; the message names the entry, both values and
        the relative error.
    TypeError, ValueError
        Sides that cannot be compared: lists, integer or complex arrays, other shapes, NaN.

    Examples
    --------
    >>> x = sympy.Symbol("x")
    >>> check("1.1", (x + 1) ** 2, x**2 + 2 * x + 1, route="a square and its expansion")
    ✓ (1.1) holds exactly. Route: a square and its expansion.
    """
    pair = _pair(label, left, right, digits)
    if relation not in ("==", "<="):
        raise WrongValue(f'relation is {relation!r}; expected "==" or "<=".')
    finding = pair.check(relation)
    display(Verdict(label, finding, route or pair.route, _formula(pair, {"==": "=", "<=": r"\le"}[relation])))


def refute(
    label: str, right: Side, wrong: Side | Mapping[str, Side], *, digits: int = 12, route: str = "a wrong version"
) -> None:
    """Reject plausible wrong versions of a numbered equation: raise unless each of them clearly differs.

    Decided by numbers alone: at random exact points for symbols, by at least 100 times the error for arrays
    and estimates. Where no difference is seen nothing is refuted.

    Parameters
    ----------
    label : str
        The equation's number, such as "5.2".
    right : SymPy expression or matrix, exact number, float64 array, or `Estimate`
        What is right.
    wrong : the same, or a mapping of str to the same
        One wrong version, or all of them by name; `wrong_gradients` makes such a mapping. One side of each pair
        may be an estimate.
    digits : int
        As in `check`.
    route : str
        The name of a single wrong version.

    Raises
    ------
    CheckFailed
        A version does not differ, or not by far more than the error.

    Notes
    -----
    "Off by" is the length of the error over the length of what is right, all entries together. What is shown of
    arrays is the entry with the largest error. Symbols are shown at the random point that told them apart.

    Examples
    --------
    >>> refute("5.1", np.array([3.0, 4.0]), {"factors in the wrong order": np.array([3.0, 5.0])})
    ⊘ (5.1) rejected, as it should be:
      factors in the wrong order: gives 5 for 4, off by 20 % over all entries
    """
    versions = wrong if isinstance(wrong, Mapping) else {route: wrong}
    if not versions:
        raise WrongValue(f"({label}) there is no wrong version to refute; expected at least one.")
    pairs = {name: _pair(label, right, version, digits) for name, version in versions.items()}
    rows = tuple((name, *pair.refute(name)) for name, pair in pairs.items())
    where = next((pair.where for pair in pairs.values() if pair.where), "")
    entries = max(math.prod(getattr(pair.left, "shape", ())) for pair in pairs.values())
    display(Rejection(label, where, rows, entries))


@dataclass(frozen=True)
class _Symbols:
    """Two symbolic sides: proved equal by expansion, told apart at random exact points."""

    label: str
    left: sympy.Basic
    right: sympy.Basic
    route = "two expressions, compared by expansion and at random exact points"
    noise = 0.0

    @property
    def where(self):
        """Where the numbers of a refutation come from, unless both sides are numbers already."""
        met = sympy.sympify(self.left).atoms(*MET_AT_A_POINT) | sympy.sympify(self.right).atoms(*MET_AT_A_POINT)
        return "; numbers at a random exact point" if met else ""

    def check(self, relation):
        """What was proved, in words; raises where it was not."""
        if relation != "==":
            raise WrongType(f"({self.label}) an inequality is checked on numbers; evaluate both sides first.")
        for entry, a, b in _entries(self.left, self.right):
            values = differ_at(a, b)
            if values:
                raise CheckFailed(
                    f"({self.label}) does not hold{entry}: at a random exact point the left side is"
                    f" {_short(values[0])}, the right {_short(values[1])}, a relative error of"
                    f" {_percent(_relative([values]))}."
                )
            if not is_proved_zero(a - b):
                raise CheckFailed(
                    f"({self.label}) is undecided{entry}: both sides agree at three random exact points, which proves"
                    f" nothing, and the difference does not expand to zero within bounds. Prove it for any_loss, or"
                    f" compare numbers."
                )
        return "holds exactly"

    def refute(self, name):
        """What the wrong side gives, what is right, and how far off it is; raises where no difference is seen."""
        entries = _entries(self.left, self.right)
        for seed in SEEDS:
            values = [random_values(a, b, seed=seed) for _, a, b in entries]
            differing = [pair for pair in values if differ(*pair)]
            if differing:
                right, wrong = differing[0]
                return _short(wrong), _short(right), _percent(_relative(values))
        raise CheckFailed(
            f"({self.label}) was to be refuted, but no random point tells it from what is right: {name}. Take a case"
            f" where the mistake shows."
        )


@dataclass(frozen=True)
class _Numbers:
    """Two numeric sides, and how far apart they may be, entry by entry."""

    label: str
    left: np.ndarray
    right: np.ndarray
    allowed: np.ndarray
    agreement: dict  # what to say where they agree, for either relation
    route: str
    where = ""

    @property
    def gap(self):
        return np.abs(self.left - self.right)

    @property
    def size(self):
        return _size(self.left, self.right)

    @property
    def noise(self):
        """Entries up to this size are shown as 0."""
        return self.allowed.max()

    def check(self, relation):
        """How the sides agree, in words; raises where they do not."""
        gap = self.gap
        allowed = self.allowed
        wrong = gap > allowed
        if relation == "<=":
            wrong &= self.left > self.right
        if wrong.any():
            worst = np.unravel_index(np.argmax(np.where(wrong, gap, -1)), gap.shape)
            entry = f" in entry {tuple(int(i) + 1 for i in worst)}" if worst else ""
            raise CheckFailed(
                f"({self.label}) does not hold{entry}: the left side is {self.left[worst]:.12g}, the right"
                f" {self.right[worst]:.12g}, a relative error of {gap[worst] / self.size:.2g} where"
                f" {allowed[worst] / self.size:.2g} is allowed."
            )
        return self.agreement[relation]

    def refute(self, name):
        """What the wrong side gives, what is right, and how far off it is; raises where that is not far enough."""
        gap = self.gap
        allowed = self.allowed
        if not (gap > FAR * allowed).any():
            raise CheckFailed(
                f"({self.label}) was to be refuted, but it agrees with what is right: {name}. They differ by"
                f" {gap.max():.3g}, and only more than {FAR * allowed.max():.3g} would tell them apart. Take a case"
                f" where the mistake shows."
            )
        worst = np.unravel_index(np.argmax(gap), gap.shape)
        size = np.linalg.norm(self.left)
        error = np.linalg.norm(self.right - self.left) / size if size else np.inf
        largest = max(abs(self.left[worst]), abs(self.right[worst]))
        shown = (
            _rounded(TIE * side[worst], largest) if abs(side[worst]) > self.noise else "0"
            for side in (self.right, self.left)
        )
        return *shown, _percent(error)


def _pair(label, left, right, digits):
    """Two sides, ready to be compared; raise where they cannot be. Beyond, nothing asks of what kind they are."""
    if not isinstance(label, str) or not label:
        raise WrongType(f'the label is {label!r}; expected the number of the equation, such as "5.2".')
    left_kind, a, a_error = _side(label, left)
    right_kind, b, b_error = _side(label, right)
    kinds = left_kind, right_kind
    if kinds not in (("symbols", "symbols"), ("array", "array"), ("estimate", "array"), ("array", "estimate")):
        raise WrongType(
            f"({label}) cannot compare {type(left).__name__} with {type(right).__name__}: expected two symbolic sides,"
            f" two float64 sides, or an Estimate and a float64 side. Evaluate the symbols first."
        )
    shapes = [getattr(side, "shape", ()) for side in (a, b)]
    if shapes[0] != shapes[1] or 0 in shapes[0]:
        raise WrongValue(
            f"({label}) the left side has shape {shapes[0]}, the right {shapes[1]}; expected equal"
            f" ones with entries in them."
        )
    _require_digits(digits)
    if kinds == ("symbols", "symbols"):
        return _Symbols(label, a, b)
    if kinds == ("array", "array"):
        return _arrays(label, a, b, digits)
    return _estimated(label, a, b, a_error, b) if left_kind == "estimate" else _estimated(label, a, b, b_error, a)


def _side(label, side):
    """The kind of a side, the side ready to be compared, and its error if it has one."""
    if isinstance(side, Estimate):
        value, error = (
            require_array(np.asarray(part), f"({label}) an estimate", float64=True) for part in (side.value, side.error)
        )
        return "estimate", value, error
    if isinstance(side, sympy.MatrixExpr) and not isinstance(side, sympy.MatrixBase):
        raise WrongType(f"({label}) cannot compare {type(side).__name__}, a matrix without entries; write them out.")
    if isinstance(side, (sympy.MatrixBase, sympy.Expr)) or (isinstance(side, int) and not isinstance(side, bool)):
        return "symbols", _exact(label, sympy.sympify(side)), None
    if isinstance(side, (float, np.floating)):
        side = np.asarray(side)
    return "array", require_array(side, f"({label}) a side", float64=True), None


def _exact(label, side):
    if side.has(sympy.Float):
        rounded = min(side.atoms(sympy.Float))
        raise WrongType(
            f"({label}) a symbolic side holds the rounded number {rounded:.4g}; a proof needs exact ones, such as"
            f" Rational(1, 10)."
        )
    return side


def _require_digits(digits):
    if isinstance(digits, bool) or not isinstance(digits, int) or not 1 <= digits <= 15:
        raise WrongValue(f"digits is {digits!r}; expected a whole number from 1 to 15, which float64 can hold.")


def _arrays(label, left, right, digits):
    """Two arrays may be apart by 10^-digits of the largest entry."""
    allowed = np.full(left.shape, 10.0**-digits * _size(left, right))
    agreement = {"==": f"holds to {digits} digits", "<=": "holds"}
    return _Numbers(label, left, right, allowed, agreement, "two computations in float64")


def _estimated(label, left, right, error, exact):
    """An estimate and an array, which is `exact`, may be apart by the estimate's error; too large a one is refused."""
    size = _size(left, right)
    # Against an exact zero there is no size to be relative to.
    yardstick = size if exact.any() else 1.0
    if error.max() > COARSEST * yardstick:
        raise CheckFailed(
            f"({label}) is undecided: the estimate's error {error.max():.3g} is too coarse beside values of size"
            f" {size:.3g}. Try a smaller step, or keep away from kinks."
        )
    agreement = dict.fromkeys(("==", "<="), "holds within the error of the differences")
    return _Numbers(label, left, right, error, agreement, "a formula against finite differences")


def _size(left, right):
    """The largest entry of two arrays, without its sign."""
    return max(np.abs(left).max(), np.abs(right).max())


def _entries(left, right):
    """Pairs of entries with their names."""
    if not isinstance(left, sympy.MatrixBase):
        return [("", left, right)]
    return [
        (f" in entry ({j + 1}, {k + 1})", left[j, k], right[j, k]) for j in range(left.rows) for k in range(left.cols)
    ]


def _relative(pairs):
    """The length of the errors over the length of what is right, of pairs (right, wrong): numbers or matrices."""
    error = math.hypot(*(_length(right - wrong) for right, wrong in pairs))
    size = math.hypot(*(_length(right) for right, _ in pairs))
    return error / size if size else math.inf


def _length(value):
    return float(value.norm()) if value.is_Matrix else float(abs(value))


def _percent(ratio):
    """Two digits, never as a power of ten: "33 %", "100 %", "0.1 %"."""
    if not math.isfinite(ratio):
        return "all of it, for 0 is right"
    percent = float(in_digits(100 * ratio, 2))
    return f"{percent:g} %" if percent < 1000 else f"a factor of {percent / 100:g}"


def _short(value):
    if value.is_Matrix:
        return "a matrix of norm " + _short(value.norm())
    if value.is_Integer and abs(value) < 10**9:
        return str(value)
    return f"{float(value):.4g}" if value.is_real else str(sympy.N(value, 4))


def _latex(side, noise):
    if isinstance(side, sympy.Basic | sympy.MatrixBase):
        nodes = sum(1 for _ in islice(sympy.preorder_traversal(side), LARGEST + 1))
        return sympy.latex(side, mat_delim="(") if nodes <= LARGEST else ""
    side = np.atleast_1d(side)
    if side.size > 9 or side.ndim > 2:
        return ""
    side = np.where(np.abs(side) <= noise, 0.0, TIE * side)
    largest = np.abs(side).max()
    rounded = [[_rounded(x, largest) for x in row] for row in (side[:, None] if side.ndim == 1 else side)]
    if side.size == 1:
        return rounded[0][0]
    return r"\begin{pmatrix}" + r" \\ ".join(" & ".join(row) for row in rounded) + r"\end{pmatrix}"


def _width(latex):
    """Roughly how many letters and signs wide a formula is: those of its widest row."""
    bare = re.sub(r"\\(left|right|displaystyle|begin\{\w+\}|end\{\w+\})", "", latex)
    return max(len(re.sub(r"\\[a-zA-Z]+", "x", row).translate(NOT_WIDE)) for row in bare.split(r"\\"))


NOT_WIDE = str.maketrans("", "", "{}^_ &")


def _rounded(number, largest):
    """Four digits of the largest entry, for every entry: what is rounding noise on one machine is 0 on all."""
    if not largest:
        return "0"
    places = 3 - int(np.floor(np.log10(largest)))
    return f"{np.round(number, places) + 0.0:.4g}"


def _formula(pair, relation):
    """Both sides, on one line or on two, where they fit and do not look the same; else nothing."""
    left = _latex(pair.left, pair.noise)
    right = _latex(pair.right, pair.noise)
    widths = _width(left), _width(right)
    if not left or not right or left == right or sum(widths) > WIDEST or max(widths) > ONE_LINE:
        return ""
    if sum(widths) > ONE_LINE:
        return rf"\begin{{aligned}}&{left} \\ &{relation} {right}\end{{aligned}}"
    return f"{left} {relation} {right}"
