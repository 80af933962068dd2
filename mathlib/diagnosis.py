r"""What `diagnose` answers, and how it is said.

A diagnosis names one of the formulas that the collection knows: MAML, FOMAML, and the entries of two catalogues,
`mathlib.mistakes` and `mathlib.slips`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mathlib.contracts import Array, LossLike
from mathlib.meta_gradients import fomaml_gradient, maml_gradient
from mathlib.mistakes import MISTAKES, Losses, Mistake
from mathlib.rounding import in_digits
from mathlib.slips import SLIPS

MAML = "MAML"
FOMAML = "FOMAML"
SHOWN = 3  # of the formulas that it does not equal, so many besides MAML and FOMAML


def _catalogue() -> dict[str, Mistake]:
    """Every formula by name, the right one first; a name for each, and what it looks like in code."""
    first_order = MISTAKES["first order only"]
    right = "`create_graph=True` in every inner step, nothing detached; `jax.grad` through the whole inner loop"
    known = {
        MAML: Mistake(MAML, maml_gradient, right, "Is it as accurate as it should be?"),
        FOMAML: Mistake(FOMAML, fomaml_gradient, first_order.in_code, first_order.question),
    }
    return known | {name: entry for name, entry in (MISTAKES | SLIPS).items() if entry is not first_order}


FORMULAS = _catalogue()


@dataclass(frozen=True)
class Case:
    """A case to try: in words, in code, and the arguments themselves."""

    words: str
    code: str
    losses: Losses
    query: LossLike
    theta: Array
    alpha: float


@dataclass(frozen=True)
class Diagnosis:
    """What `diagnose` found.

    Attributes
    ----------
    name : str or None
        The formula that the gradient equals. None if there is none, and where MAML and FOMAML cannot be told apart.
    equals : tuple of str
        All formulas that it equals to rounding; more than one where the case cannot tell them apart.
    distances : dict of str to float
        How far the gradient is from each formula, relative to the longer of the two vectors.
    parallel : dict of str to float
        Where it equals none: formulas that it is a multiple of, with the factor.
    other_alpha : dict of str to float
        Where it is no multiple either: the step size with which it would be MAML, or FOMAML. If that takes a factor
        besides, the factor stands in `parallel`.
    skipped : tuple of str
        Formulas that are not finite here, mostly because their inner loop diverges.
    unsettled : tuple of str
        Formulas that rounding alone may move here by more than a hundredth of their length, mostly because their
        inner loop amplifies it; they are not compared.
    case : Case or None
        Where several are equal: a case that tells them apart, tried.
    notes : tuple of str
        What else was seen, a sentence each.
    """

    name: str | None
    equals: tuple[str, ...]
    distances: Mapping[str, float]
    parallel: Mapping[str, float] = field(default_factory=dict)
    other_alpha: Mapping[str, float] = field(default_factory=dict)
    skipped: tuple[str, ...] = ()
    unsettled: tuple[str, ...] = ()
    case: Case | None = None
    notes: tuple[str, ...] = ()

    @property
    def ambiguous(self) -> tuple[str, ...]:
        """The formulas that it might as well be; none where the answer is the only one."""
        return tuple(name for name in self.equals if name != self.name)

    @property
    def headline(self) -> str:
        """The answer in one sentence."""
        if MAML in self.unsettled:
            return f"Undecided: {MAML} itself is not settled here."
        if self.name:
            others = ", or one that is the same here" if self.ambiguous and self.name not in (MAML, FOMAML) else ""
            return f"This gradient equals {called(self.name)}{others}."
        if self.equals:
            return f"Undecided: {MAML} and {FOMAML} are the same here, and this gradient equals both."
        for name, alpha in self.other_alpha.items():
            times = f", times {number(self.parallel[name])}" if name in self.parallel else ""
            return f"None of them, but {called(name)} with alpha = {number(alpha)}{times}."
        if {MAML, FOMAML} <= set(self.parallel):
            return f"None of them, but parallel to {MAML} and {FOMAML}, which are parallel here."
        for name, factor in self.parallel.items():
            return f"None of them, but parallel to {called(name)} with factor {number(factor)}."
        return "None of them."

    @property
    def rows(self) -> list[tuple[str, str, str]]:
        """What is worth a line: the formula, how far off the gradient is, and what that looks like in code."""
        named = [*self.equals[:1], *list(self.parallel)[:1], MAML, FOMAML]
        # What lies equally far differs in rounding alone, so it keeps the order of the catalogue.
        others = [name for name in self.distances if name not in (*self.equals, *self.parallel)]
        others.sort(key=lambda name: float(f"{self.distances[name]:.6g}"))
        shown = [name for name in dict.fromkeys([*named, *others[:SHOWN]]) if name in self.distances]
        return [(name, self._distance(name), FORMULAS[name].in_code) for name in shown]

    def _distance(self, name: str) -> str:
        if name in self.equals:
            return "not settled" if name in self.unsettled else "equal"
        if name in self.parallel and not self.other_alpha:
            return f"{number(self.parallel[name])} times it"
        return f"off by {percent(self.distances[name])}"

    def _sentences(self) -> list[str]:
        sentences = list(self.notes)
        if len(self.parallel) > 1 and not self.other_alpha:
            sentences.append(f"{listed(list(self.parallel))} are parallel here.")
        shown = {name for name, _, _ in self.rows}
        rest = [name for name in self.distances if name not in (*shown, *self.equals, *self.parallel)]
        sentences.append(f"{len(rest)} more were compared and are no nearer.")
        if self.skipped:
            sentences.append(f"Not compared, because not finite here: {listed(self.skipped)}.")
        if self.unsettled and MAML not in self.unsettled:
            sentences.append(f"Not compared, because rounding decides them here: {listed(self.unsettled)}.")
        return sentences

    def __str__(self) -> str:
        lines = [self.headline]
        lines += [f"  {name}: {distance}. In code: {code}" for name, distance, code in self.rows]
        lines += self._sentences()
        if self.case:
            lines += [f"To tell them apart, {self.case.words}:", *(f"  {line}" for line in self.case.code.split("\n"))]
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_markdown_(self) -> str:
        lines = [f"**{self.headline}**", "", "| formula | this gradient | in code |", "|---|---|---|"]
        lines += [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in self.rows]
        lines += ["", " ".join(self._sentences())]
        if self.case:
            lines += ["", f"To tell them apart, {self.case.words}:", "", f"```python\n{self.case.code}\n```"]
        return "\n".join(lines)


def called(name: str) -> str:
    """A formula in a sentence: "MAML", "a known mistake, “a lost factor”"."""
    return name if name in (MAML, FOMAML) else f"a known mistake, {quoted(name)}"


def quoted(name: str) -> str:
    """A formula's name, in quotation marks unless it is a method's."""
    return name if name in (MAML, FOMAML) else f"“{name}”"


def listed(names: Sequence[str]) -> str:
    """Names one after the other, with "and" before the last."""
    *most, last = map(quoted, names)
    return f"{', '.join(most)} and {last}" if most else last


def number(x: float) -> str:
    """Four digits; eight of what four would show as 1."""
    short = in_digits(x, 4)
    return f"{x:.8g}" if short in ("1", "-1") else short


def percent(ratio: float) -> str:
    """Two digits, and no more than six places: "33 %", "0.1 %"."""
    percent = float(in_digits(100 * ratio, 2))
    return f"{percent:g} %" if percent >= 1e-4 else "less than 0.0001 %"
