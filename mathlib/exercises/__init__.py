"""Exercises that answer back: a wrong answer is met with the question that undoes it.

Each chapter's exercises stand in a module of their own, `chapter_01` and so on, in a dictionary EXERCISES.
"""

import importlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import sympy
from IPython.display import display

SAME = 1e-3  # relative; answers worked out by hand are rounded


@dataclass(frozen=True)
class Exercise:
    """A question with its right answer and the mistakes that people make.

    Attributes
    ----------
    case : mapping of str to object
        The values at which answers are compared, by name, in the order in which functions take them.
    right : callable
        The right answer as a function of the case's values.
    misconceptions : mapping of str to (callable, str)
        Each named mistake as a function of the same values, and the question that undoes it.
    """

    case: Mapping[str, object]
    right: Callable
    misconceptions: Mapping[str, tuple[Callable, str]] = field(default_factory=dict)

    def arguments(self):
        """The case's values, arrays as copies: an answer may write into them."""
        return [value.copy() if isinstance(value, np.ndarray) else value for value in self.case.values()]

    def evaluate(self, answer):
        """The number or array that an answer stands for: itself, its value at the case, or what it returns there."""
        if callable(answer):
            answer = answer(*self.arguments())
        if isinstance(answer, (sympy.Expr, sympy.MatrixBase)):
            answer = self._numbers(answer)
        if isinstance(answer, (list, tuple, str, bool)) or answer is None:
            raise TypeError(
                f"the answer is {answer!r}, a {type(answer).__name__}; expected a number, a NumPy array, a SymPy"
                f" expression in {', '.join(self.case)}, or a function of them."
            )
        if np.iscomplexobj(answer) or not np.isfinite(np.asarray(answer, dtype=float)).all():
            raise ValueError(f"the answer is {answer}; expected finite real numbers.")
        return np.asarray(answer, dtype=float)

    def _numbers(self, answer):
        known = {s: self.case[s.name] for s in answer.free_symbols if s.name in self.case}
        unknown = answer.free_symbols - set(known)
        if unknown:
            raise ValueError(
                f"the answer contains {', '.join(sorted(map(str, unknown)))}; expected an expression in"
                f" {', '.join(self.case)} alone."
            )
        numbers = np.array(sympy.Matrix([answer]).subs(known).evalf().tolist(), dtype=complex)
        if not numbers.imag.any():
            numbers = numbers.real
        if not answer.is_Matrix:
            return numbers[0, 0]
        return numbers[:, 0] if answer.cols == 1 else numbers  # a column stands for a vector


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
    """
    display(Feedback(exercise, _respond(find_exercise(exercise), answer)))


def find_exercise(name):
    """The exercise of that name, from its chapter's module."""
    chapter = re.match(r"\d+", str(name))
    try:
        return importlib.import_module(f"{__name__}.chapter_{int(chapter[0]):02d}").EXERCISES[name]
    except (TypeError, ModuleNotFoundError, KeyError):
        raise KeyError(f'there is no exercise {name!r}; names are the chapter and a letter, such as "5A".') from None


def _respond(exercise, answer):
    if answer is ... or (callable(answer) and answer(*exercise.arguments()) is ...):
        return "not answered yet. Put your answer in place of the three dots and run the cell again."
    given, right = exercise.evaluate(answer), exercise.evaluate(exercise.right)
    if given.shape != right.shape:
        return f"not yet. Your answer has shape {given.shape}, the right one {right.shape}: what does each axis count?"
    if same(given, right):
        return "right."
    for name, (wrong, question) in exercise.misconceptions.items():
        mistaken = exercise.evaluate(wrong)
        if mistaken.shape == given.shape and same(given, mistaken):
            return f"not yet. This looks like *{name}*. {question}"
    case = ", ".join(f"{key} = {_show(value)}" for key, value in exercise.case.items() if _is_number(value))
    where = f"At {case}: your" if case else "Your"
    return f"not yet. {where} answer gives {_show(given)}, where {_show(right)} is right."


def same(a, b):
    """Whether two answers agree, as far as an answer worked out by hand can."""
    return bool(np.abs(a - b).max() <= SAME * max(np.abs(a).max(), np.abs(b).max()))


def _is_number(value):
    return isinstance(value, (int, float, np.ndarray))


def _show(value):
    digits = {"float": lambda number: f"{number:.4g}"}
    return np.array2string(np.asarray(value, dtype=float), separator=", ", formatter=digits).replace("\n", "")
