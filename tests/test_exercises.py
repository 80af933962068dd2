"""Exercises answer back: right, a named misconception with the question that undoes it, or a counterexample."""

import importlib
import itertools
import re
from pathlib import Path

import numpy as np
import pytest
import sympy

import mathlib.exercises
from mathlib import check_answer
from mathlib.exercises import Exercise

NAMES = [
    name
    for path in sorted(Path(mathlib.exercises.__file__).parent.glob("chapter_*.py"))
    for name in importlib.import_module(f"mathlib.exercises.{path.stem}").EXERCISES
]
every_exercise = pytest.mark.parametrize("name", NAMES)
EVERY_MISCONCEPTION = [
    (name, wrong) for name in NAMES for wrong in mathlib.exercises.find_exercise(name).misconceptions
]
every_misconception = pytest.mark.parametrize(("name", "wrong"), EVERY_MISCONCEPTION)


@pytest.fixture
def told(capsys):
    """What a reader is told about an answer."""

    def tell(name, answer):
        assert check_answer(name, answer) is None
        return capsys.readouterr().out.strip()

    return tell


def find(name):
    return mathlib.exercises.find_exercise(name)


def answers(name):
    """The right answer and all misconceptions of an exercise, evaluated on its case."""
    exercise = find(name)
    functions = {"right": exercise.right} | {wrong: f for wrong, (f, _) in exercise.misconceptions.items()}
    return {label: exercise.evaluate(function) for label, function in functions.items()}


def test_every_chapter_has_its_two_to_four_exercises_named_after_it():
    for path in Path(mathlib.exercises.__file__).parent.glob("chapter_*.py"):
        chapter = int(path.stem.removeprefix("chapter_"))
        names = [name for name in NAMES if int(name[:-1]) == chapter]
        assert names == [f"{chapter}{letter}" for letter in "ABCD"[: len(names)]]
        assert 2 <= len(names) <= 4


@every_exercise
def test_dots_are_not_an_answer_yet(told, name):
    for answer in (..., lambda *case: ...):
        assert told(name, answer).startswith(f"Exercise {name}: not answered yet.")


@every_exercise
def test_the_right_answer_is_right_in_every_form(told, name):
    exercise = find(name)
    right = exercise.evaluate(exercise.right)
    forms = [exercise.right, right, sympy.Matrix(right) if right.ndim else sympy.Float(float(right))]
    forms += [] if right.ndim else [float(right), np.float64(right)]
    for answer in forms:
        assert told(name, answer) == f"Exercise {name}: right."


@every_exercise
def test_an_answer_rounded_by_hand_is_right_and_one_off_by_a_percent_is_not(told, name):
    right = answers(name)["right"]
    assert told(name, right * 1.0004) == f"Exercise {name}: right."
    assert told(name, right * 1.01) != f"Exercise {name}: right."


@every_exercise
def test_the_right_answer_and_all_misconceptions_are_pairwise_different(name):
    for (one, a), (other, b) in itertools.combinations(answers(name).items(), 2):
        same_shape = a.shape == b.shape
        assert not same_shape or np.abs(a - b).max() > 0.01 * max(np.abs(a).max(), np.abs(b).max()), f"{one}, {other}"


@every_misconception
def test_a_misconception_is_called_by_its_name_and_met_with_its_question(told, name, wrong):
    function, question = find(name).misconceptions[wrong]
    for answer in (function, answers(name)[wrong]):
        assert told(name, answer) == f"Exercise {name}: not yet. This looks like *{wrong}*. {question}"
    assert "?" in question


@every_exercise
def test_any_other_wrong_answer_meets_the_numbers_that_contradict_it(told, name):
    right = answers(name)["right"]
    other = 1.7 * right + 0.3141
    reply = told(name, other)
    gives, where = re.search(r"our answer gives (.*), where (.*) is right\.$", reply).groups()
    for said, value in [(gives, other), (where, right)]:
        numbers = np.array(re.findall(r"[-\d.e+]+", said), dtype=float)
        np.testing.assert_allclose(numbers, value.ravel(), rtol=1e-3, atol=1e-3 * np.abs(value).max())
    for key, value in find(name).case.items():
        if isinstance(value, (int, float)):
            assert re.search(rf"\b{key} = {value:.4g}\b", reply)


@every_exercise
def test_an_answer_of_another_shape_is_asked_what_its_axes_count(told, name):
    right = answers(name)["right"]
    for answer in (np.ones((5, *right.shape)), np.ones(7)):
        reply = told(name, answer)
        assert f"has shape {answer.shape}, the right one {right.shape}: what does each axis count?" in reply


@every_exercise
@pytest.mark.parametrize("answer", ["1", [1.0], (1.0, 2.0), True, None, {"a": 1}], ids=repr)
def test_what_is_no_number_is_refused(name, answer):
    with pytest.raises(TypeError):
        check_answer(name, answer)
    with pytest.raises(TypeError):
        check_answer(name, lambda *case: answer)


@pytest.mark.parametrize("name", ["1A", "2A"])
@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf, 1j], ids=str)
def test_what_is_not_finite_and_real_is_refused(name, number):
    right = answers(name)["right"]
    for answer in (right + number, lambda *case: right + number):
        with pytest.raises(ValueError, match=r"expected finite real numbers"):
            check_answer(name, answer)


@pytest.mark.parametrize("answer", [sympy.oo, sympy.nan, float("inf"), 1j], ids=str)
def test_a_single_number_that_is_not_finite_and_real_is_refused(answer):
    with pytest.raises(ValueError, match=r"expected finite real numbers"):
        check_answer("1A", answer)


@every_exercise
def test_an_answer_in_symbols_that_the_case_does_not_have_is_refused(name):
    z, w = sympy.symbols("zeta omega")
    with pytest.raises(ValueError, match="the answer contains omega, zeta; expected an expression in"):
        check_answer(name, z * w)


@pytest.mark.parametrize("name", ["1Z", "99A", "A", "", "1", "01A", 5, None])
def test_an_exercise_that_is_not_there_is_named(name):
    with pytest.raises(KeyError, match="there is no exercise"):
        check_answer(name, 1.0)


def test_a_symbolic_answer_is_evaluated_at_the_case(told):
    theta, alpha = sympy.symbols("theta alpha")
    right = (1 - 3 * alpha * theta**2) * (theta - alpha * theta**3 - 1)
    assert told("1A", right) == "Exercise 1A: right."
    assert told("1A", lambda theta, alpha: right) == "Exercise 1A: right."
    assert "first order only" in told("1A", theta - alpha * theta**3 - 1)
    assert re.search(r"your answer gives 2\b", told("1A", theta))
    assert told("1A", sympy.Rational(24, 100)) == "Exercise 1A: right."


def test_a_symbol_is_recognised_by_its_name_whatever_it_is_assumed_to_be(told):
    theta, alpha = sympy.Symbol("theta", real=True), sympy.Symbol("alpha", positive=True)
    assert told("1A", (1 - 3 * alpha * theta**2) * (theta - alpha * theta**3 - 1)) == "Exercise 1A: right."


@pytest.fixture
def arrays(monkeypatch):
    """An exercise whose case holds an array, and whose right answer is a column."""
    case = {"theta": np.array([1.0, 2.0]), "alpha": 0.5}
    wrong = {"a lost α": (lambda theta, alpha: theta - theta**2, "Where is α?")}
    exercise = Exercise(case, lambda theta, alpha: theta - alpha * theta**2, wrong)
    monkeypatch.setattr("mathlib.exercises.find_exercise", lambda name: exercise)


def test_a_function_that_writes_into_its_arguments_spoils_nothing(told, arrays):
    def in_place(theta, alpha):
        theta -= alpha * theta**2
        return theta

    for _ in range(2):
        assert told("1A", in_place) == "Exercise 1A: right."
        assert told("1A", np.array([0.5, 0.0])) == "Exercise 1A: right."


def test_a_sympy_column_answers_for_a_vector(told, arrays):
    assert told("1A", sympy.Matrix([sympy.Rational(1, 2), 0])) == "Exercise 1A: right."
    assert "shape (1, 2)" in told("1A", sympy.Matrix([[sympy.Rational(1, 2), 0]]))


def test_a_counterexample_shows_the_case_and_both_answers(told, arrays):
    reply = told("1A", np.array([1.25, -3.0]))
    bare = reply.replace(" ", "").replace(".,", ",").replace(".]", "]")
    assert bare.endswith("Attheta=[1,2],alpha=0.5:youranswergives[1.25,-3],where[0.5,0]isright.")


def test_feedback_is_markdown_in_a_notebook(monkeypatch):
    shown = []
    monkeypatch.setattr("mathlib.exercises.display", shown.append)
    check_answer("1A", 0.24)
    assert shown[0]._repr_markdown_() == "**Exercise 1A:** right."
