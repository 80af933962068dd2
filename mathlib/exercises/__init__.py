"""Exercises that answer back: a wrong answer is met with the question that undoes it.

Each chapter's exercises stand in a module of their own, `chapter_01` and so on, in a dictionary EXERCISES.
"""

import importlib
import inspect
import itertools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import sympy
from IPython.display import display

from mathlib.errors import UnknownName, WrongType, WrongValue

SAME = 5e-3  # relative: half a unit in the third significant digit of 1.00, for numbers worked out by hand
FORMULA = 1e-6  # relative: a formula is computed here, and nobody rounds it
FAR = 10 * SAME  # how far apart right and wrong answers are at a point that is used
POINTS = 3  # drawn for each exercise: at one point a wrong formula may agree by chance
NOT_ANSWERED = "not answered yet. Put your answer in place of the three dots and run the cell again."


@dataclass(frozen=True)
class Exercise:
    """A question with its right answer and the mistakes that people make.

    Attributes
    ----------
    draw : callable
        Takes a `numpy.random.Generator` and returns a point: values by name, in the order in which functions take them.
    right : callable
        The right answer as a function of a point's values.
    misconceptions : mapping of str to (callable, str)
        Each named mistake as a function of the same values, and the question that undoes it.
    case : mapping of str to object, optional
        The point that the text states, where the answer may be a number. Without it a formula is asked for.
    exact : bool
        Whether the answer is a count, which three significant digits do not give.
    """

    draw: Callable
    right: Callable
    misconceptions: Mapping[str, tuple[Callable, str]] = field(default_factory=dict)
    case: Mapping[str, object] | None = None
    exact: bool = False

    @cached_property
    def points(self):
        """Where a formula is decided: the stated case, if there is one, and POINTS drawn points."""
        drawn = (self.draw(np.random.default_rng(seed)) for seed in range(1000))
        kept = itertools.islice(filter(self.tells_apart, drawn), POINTS)
        return list(kept) if self.case is None else [self.case, *kept]

    def tells_apart(self, point):
        """Whether the right answer and all misconceptions are far from each other at a point."""
        functions = [self.right, *(wrong for wrong, _ in self.misconceptions.values())]
        values = [self.value(function, point) for function in functions]
        return not any(self.agree([a], [b], FAR) for a, b in itertools.combinations(values, 2))

    @property
    def expected(self):
        """What may be answered, in words."""
        values = self.points[0]
        kinds = [f"a function `lambda {', '.join(values)}: …`"]
        if all(isinstance(value, (int, float)) for value in values.values()):
            kinds.insert(0, f"a SymPy expression in {', '.join(values)}")
        if self.case is not None:
            kinds.insert(0, "an array, `np.array([…])`" if np.ndim(self.value(self.right, self.case)) else "a number")
        return ", or ".join(kinds)

    def value(self, answer, point):
        """The number or array that an answer stands for at a point, or three dots."""
        source = "the answer is"
        if callable(answer):
            answer = _call(answer, point)
            source = "your function returned"
        if answer is ...:
            return answer
        try:
            if isinstance(answer, (list, tuple, str, bool)) or answer is None:
                raise TypeError
            value = self._numbers(answer, point) if _is_symbolic(answer) else np.asarray(answer)
            value = value if np.iscomplexobj(value) else value.astype(float)
        except TypeError:
            kind = type(answer).__name__
            raise WrongType(f"{source} {answer!r}, of type {kind}; expected {self.expected}.") from None
        if np.iscomplexobj(value) or not np.isfinite(value).all():
            where = f" at {_show_point(point)}" if _is_formula(answer) or source != "the answer is" else ""
            raise WrongValue(f"{source} {answer}{where}; expected finite real numbers.")
        return value

    def _numbers(self, answer, point):
        known = {s: point[s.name] for s in answer.free_symbols if isinstance(point.get(s.name), (int, float))}
        unknown = ", ".join(sorted(map(str, answer.free_symbols - set(known))))
        if unknown:
            raise WrongValue(f"the answer contains {unknown}; expected {self.expected}.")
        numbers = np.array(sympy.Matrix([answer]).subs(known).evalf().tolist(), dtype=complex)
        if not numbers.imag.any():
            numbers = numbers.real
        if not answer.is_Matrix:
            return numbers[0, 0]
        return numbers[:, 0] if answer.cols == 1 else numbers  # a column stands for a vector

    def agree(self, given, values, rtol=SAME):
        """Whether two answers are the same at every point: each entry within `rtol`, a count exactly."""
        rtol = 0 if self.exact else rtol
        return all(
            a.shape == b.shape and np.allclose(a, b, rtol=rtol, atol=1e-9 * np.abs(b).max())
            for a, b in zip(given, values, strict=True)
        )


@dataclass(frozen=True)
class Feedback:
    """What the reader is told."""

    exercise: str
    text: str

    def __repr__(self):
        return f"Exercise {self.exercise}: {self.text}"

    def _repr_markdown_(self):
        return f"**Exercise {self.exercise}:** {self.text}"


def check_answer(exercise, answer):
    """Tell the reader how an answer fares: right, a named misconception, or wrong with a counterexample.

    A formula is decided at several points drawn at random, a number at the case that the text states.

    Parameters
    ----------
    exercise : str
        Its name, such as "5A".
    answer : number, array, SymPy expression or function
        ``...`` stands for an answer not given yet.

    Raises
    ------
    KeyError
        No exercise of that name.
    TypeError, ValueError
        An answer that is no number and yields none.

    Examples
    --------
    >>> check_answer("1A", ...)
    Exercise 1A: not answered yet. Put your answer in place of the three dots and run the cell again.
    >>> check_answer("1C", 0.49)
    Exercise 1C: right.
    """
    display(Feedback(exercise, _respond(find_exercise(exercise), answer)))


def find_exercise(name):
    """The exercise of that name, from its chapter's module."""
    chapter = re.match(r"\d+", str(name))
    try:
        return importlib.import_module(f"{__name__}.chapter_{int(chapter[0]):02d}").EXERCISES[name]
    except (TypeError, ModuleNotFoundError, KeyError):
        raise UnknownName(f'there is no exercise {name!r}; names are the chapter and a letter, such as "5A".') from None


def between(rng, low, high, shape=None):
    """Random numbers with three decimals: the point that a reader is shown is the point that was meant."""
    numbers = rng.uniform(low, high, shape)
    return round(numbers, 3) if shape is None else numbers.round(3)


def symmetric(rng, d, size=3):
    """A random Hessian."""
    A = between(rng, -size, size, (d, d))
    return np.tril(A) + np.tril(A, -1).T


def whole(rng, low, high):
    """A random whole number, both ends included."""
    return int(rng.integers(low, high + 1))


def _respond(exercise, answer):
    if answer is ...:
        return NOT_ANSWERED
    points = exercise.points if _is_formula(answer) else exercise.points[:1]
    given = [exercise.value(answer, point) for point in points]
    if any(value is ... for value in given):
        return NOT_ANSWERED
    if exercise.case is None and not _is_formula(answer):
        return f"not yet. Numbers answer for one point alone. Give {exercise.expected}."
    right = [exercise.value(exercise.right, point) for point in points]
    for a, b in zip(given, right, strict=True):
        if a.shape != b.shape:
            return f"not yet. Your answer has shape {a.shape}, the right one {b.shape}: what does each axis count?"
    tolerance = FORMULA if _is_formula(answer) else SAME
    if exercise.agree(given, right, tolerance):
        return "right."
    if exercise.agree(given, right):
        return (
            "not yet. Your formula gives the right answer to three digits only. Write fractions in place of decimals."
        )
    for name, (wrong, question) in exercise.misconceptions.items():
        if exercise.agree(given, [exercise.value(wrong, point) for point in points]):
            return f"not yet. This looks like *{name}*. {question}"
    point, a, b = next(
        (point, a, b) for point, a, b in zip(points, given, right, strict=True) if not exercise.agree([a], [b])
    )
    return f"not yet. At {_show_point(point)}: your answer gives {_show(a)}, where {_show(b)} is right."


def _call(function, point):
    """What a function returns at a copy of the point: it may write into its arguments."""
    values = {name: _copy(value) for name, value in point.items()}
    arguments = list(values.values())
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # some functions written in C do not tell
        signature = inspect.signature(lambda *arguments: ...)
    if set(signature.parameters) == set(values):
        arguments = [values[name] for name in signature.parameters]
    try:
        signature.bind(*arguments)
    except TypeError:
        raise WrongType(f"your function takes {signature}; it is called with ({', '.join(values)}).") from None
    try:
        return function(*arguments)
    except Exception as error:
        raise WrongValue(
            f"your function raised {type(error).__name__}: {error}. It was called with {_show_point(point)}."
        ) from error


def _copy(value):
    """A copy of what can be written into: an array, or a list, whose losses are shared."""
    if isinstance(value, list):
        return [_copy(entry) for entry in value]
    return value.copy() if isinstance(value, np.ndarray) else value


def _is_symbolic(answer):
    return isinstance(answer, (sympy.Expr, sympy.MatrixBase))


def _is_formula(answer):
    """Whether an answer may differ from point to point."""
    return callable(answer) or (_is_symbolic(answer) and bool(answer.free_symbols))


def _show_point(point):
    """The numbers and arrays of a point; a loss has no short form."""
    shown = {name: value for name, value in point.items() if isinstance(value, (int, float, np.ndarray))}
    return ", ".join(f"{name} = {_show(value)}" for name, value in shown.items())


def _show(value):
    digits = {"float": lambda number: f"{number:.4g}"}
    return re.sub(r"\s+", " ", np.array2string(np.asarray(value, dtype=float), separator=", ", formatter=digits))
