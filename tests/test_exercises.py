"""Exercises answer back: right, a named misconception with the question that undoes it, or a counterexample."""

import importlib
import inspect
import itertools
import re
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import sympy

import mathlib.exercises
from mathlib import check_answer, maml_gradient
from mathlib.exercises import Exercise, between, find_exercise, symmetric, whole
from mathlib.losses import Loss

NAMES = [
    name
    for path in sorted(Path(mathlib.exercises.__file__).parent.glob("chapter_*.py"))
    for name in importlib.import_module(f"mathlib.exercises.{path.stem}").EXERCISES
]
NUMBERS = [name for name in NAMES if find_exercise(name).case is not None]
FORMULAS = [name for name in NAMES if name not in NUMBERS]
EVERY_MISCONCEPTION = [(name, wrong) for name in NAMES for wrong in find_exercise(name).misconceptions]
every_exercise = pytest.mark.parametrize("name", NAMES)
every_number = pytest.mark.parametrize("name", NUMBERS)
every_formula = pytest.mark.parametrize("name", FORMULAS)


@pytest.fixture
def told(capsys):
    """What a reader is told about an answer."""

    def tell(name, answer):
        assert check_answer(name, answer) is None
        return capsys.readouterr().out.strip()

    return tell


def right_values(name):
    """What is right at each point."""
    exercise = find_exercise(name)
    return [exercise.value(exercise.right, point) for point in exercise.points]


def is_called_right(name, answer):
    try:
        return mathlib.exercises._respond(find_exercise(name), answer) == "right."
    except (TypeError, ValueError):
        return False


def test_every_chapter_has_its_two_to_four_exercises_named_after_it():
    for path in Path(mathlib.exercises.__file__).parent.glob("chapter_*.py"):
        chapter = int(path.stem.removeprefix("chapter_"))
        names = [name for name in NAMES if int(name[:-1]) == chapter]
        assert names == [f"{chapter}{letter}" for letter in "ABCD"[: len(names)]]
        assert 2 <= len(names) <= 4


@every_exercise
def test_dots_are_not_an_answer_yet(told, name):
    for answer in (..., lambda *values: ...):
        assert told(name, answer).startswith(f"Exercise {name}: not answered yet.")


def test_dots_at_one_point_alone_are_not_an_answer_yet(told):
    """A branch that is still to be written."""
    largest = max(point["theta"] for point in find_exercise("1A").points)
    reply = told("1A", lambda theta, alpha: ... if theta == largest else theta)
    assert reply.startswith("Exercise 1A: not answered yet.")


# ---- the points


@every_exercise
def test_a_formula_is_decided_at_three_points_or_more_where_different_values_are_right(name):
    exercise = find_exercise(name)
    assert len(exercise.points) == 3 + (exercise.case is not None)
    for one, other in itertools.combinations(right_values(name), 2):
        assert not exercise.agree([one], [other])


def test_drawn_points_are_not_round():
    drawn = [value for name in NAMES for point in find_exercise(name).points[-3:] for value in point.values()]
    numbers = np.concatenate([np.ravel(v) for v in drawn if isinstance(v, (float, np.ndarray))])
    assert len(numbers) > 400
    assert np.mean(numbers == numbers.round(1)) < 0.03  # of three random decimals two are zero in one case of a hundred


@pytest.mark.parametrize("shape", [None, 60, (6, 10)])
def test_random_numbers_have_the_three_decimals_that_a_reader_is_shown(shape):
    rng = np.random.default_rng(0)
    drawn = np.array([between(rng, -2, 5, shape) for _ in range(60 if shape is None else 1)])
    np.testing.assert_array_equal(drawn, drawn.round(3))
    assert -2 <= drawn.min() < -1.5
    assert 4.5 < drawn.max() <= 5


def test_random_hessians_and_whole_numbers_fill_their_range():
    rng = np.random.default_rng(0)
    hessians = np.array([symmetric(rng, 3, 2) for _ in range(60)])
    np.testing.assert_array_equal(hessians, hessians.swapaxes(1, 2))
    assert -2 <= hessians.min() < -1.9
    assert 1.9 < hessians.max() <= 2
    assert {whole(rng, 2, 5) for _ in range(100)} == {2, 3, 4, 5}


@every_exercise
def test_the_right_answer_and_all_misconceptions_are_pairwise_different_at_every_point(name):
    exercise = find_exercise(name)
    functions = {"right": exercise.right} | {wrong: f for wrong, (f, _) in exercise.misconceptions.items()}
    for point in exercise.points:
        values = {label: exercise.value(function, point) for label, function in functions.items()}
        for (one, a), (other, b) in itertools.combinations(values.items(), 2):
            far = 0 if exercise.exact else 0.03 * np.maximum(np.abs(a), np.abs(b))
            assert a.shape != b.shape or (np.abs(a - b) > far).any(), f"{one}, {other} at {point}"


@every_exercise
def test_points_are_the_same_in_every_session(name):
    exercise = find_exercise(name)
    again = Exercise(exercise.draw, exercise.right, exercise.misconceptions, exercise.case, exercise.exact)
    for point, other in zip(exercise.points, again.points, strict=True):
        assert repr(point) == repr(other)


@pytest.mark.parametrize(
    ("given", "right", "same"),
    [
        (np.array([1.0, 1.0]), np.array(1.0), False),  # another shape
        (np.array(2e-10), np.array(1e-10), False),  # small, and twice as large
        (np.array([1e10, 1e-12]), np.array([1e10, 0.0]), True),  # a zero, but for rounding
        (np.array([1.0, 1e-3]), np.array([1.0, 0.0]), False),
        (np.array([1.0, 2.0]), np.array([1.0, 3.0]), False),
    ],
)
def test_two_answers_are_the_same_in_every_entry_to_three_digits(given, right, same):
    assert find_exercise("1C").agree([given], [right]) == same


# ---- right answers


w1, w2, x, y = sympy.symbols("w1 w2 x y")
m, w = sympy.symbols("m w")
theta, alpha, a, p, x1, x2, lam, K, mu = sympy.symbols("theta alpha a p x1 x2 lam K mu")
eps, n, curvature, b, q, c, d = sympy.symbols("eps n curvature b q c d")
smallest, largest, psi, ratio, losses, rounds = sympy.symbols("smallest largest psi ratio losses rounds")
inputs, hidden, outputs, epsilon, size, gamma = sympy.symbols("inputs hidden outputs epsilon size gamma")
QUARTIC = (1 - 3 * alpha * theta**2) * (theta - alpha * theta**3 - 1)
KAPPA = ((1 - alpha * smallest) / (1 - alpha * largest)) ** K
PHI = (a * c + lam * theta) / (a + lam)


def _by_differences(losses, query, theta, alpha):
    """The meta-gradient by central differences of the query loss after the inner loop."""

    def after(start):
        for loss in losses:
            start = start - alpha * loss.gradient(start)
        return query.value(start)

    return np.array([(after(theta + e) - after(theta - e)) / 2e-5 for e in 1e-5 * np.eye(len(theta))])


def _in_place(losses, query, theta, alpha):
    """The reverse pass of somebody who writes into everything that he is given."""
    points = []
    for loss in losses:
        points.append(theta.copy())
        theta -= alpha * loss.gradient(theta)
    v = query.gradient(theta)
    losses.reverse()
    for loss in losses:
        v = v - alpha * loss.hvp(points.pop(), v)
    losses.clear()
    return v


def _four_d(loss, query, theta, alpha):
    P = np.diag([1.0, 2.0])
    v = query.gradient(theta - alpha * P @ loss.gradient(theta))
    return v - alpha * loss.hvp(theta, P @ v)


def _pairs(losses, rounds):
    met = [n % losses for n in range(losses * rounds)]
    return sum(one == other for one, other in itertools.combinations(met, 2))


def _two_momentum_steps(alpha, lam, mu):
    x, m = 1.0, 0.0
    for _ in range(2):
        m = mu * m + lam * x
        x = x - alpha * m
    return x


def _resting_points(a, c, alpha, K):
    """Where the mean gradients vanish: FOMAML's and MAML's are lines in θ."""
    factor = (1 - alpha * a) ** K
    first_order = np.polynomial.Polynomial([-(a * c * factor).sum(), (a * factor).sum()])
    full = np.polynomial.Polynomial([-(a * c * factor**2).sum(), (a * factor**2).sum()])
    return first_order.roots()[0] - full.roots()[0]


RIGHT_IN_OTHER_FORMS = {
    "1A": [
        QUARTIC,
        sympy.expand(QUARTIC),
        sympy.factor(QUARTIC),
        lambda theta, alpha: QUARTIC,
        sympy.Lambda((theta, alpha), QUARTIC),
        sympy.lambdify((theta, alpha), QUARTIC),
        lambda alpha, theta: (1 - 3 * alpha * theta**2) * (theta - alpha * theta**3 - 1),
    ],
    "1B": [
        sympy.Rational(4, 23),
        Fraction(4, 23),
        4 / 23,
        0.174,
        1 / (3 * theta**2 - 1),
        lambda theta: 1 / 3 / (theta**2 - 1 / 3),
    ],
    "1C": [0.49, 1 - 2 * alpha * a + alpha**2 * a**2, (1 - alpha * a) ** 2, lambda alpha, a: (alpha * a - 1) ** 2],
    "2A": [
        sympy.Matrix([[2 * x1 * x2, x1**2], [1, 3]]),
        sympy.ImmutableMatrix([[x1 * x2 + x2 * x1, x1 * x1], [1, 3]]),
        sympy.Matrix([x1**2 * x2, x1 + 3 * x2]).jacobian([x1, x2]),
        lambda x1, x2: np.array([[2 * x1 * x2, x1**2], [1, 3]]),
        lambda x1, x2: sympy.Matrix([[2 * x1 * x2, x1**2], [1, 3]]),
    ],
    "2B": [
        lambda alpha, H, v: (1 - alpha * H) @ v - (np.eye(len(v)) - alpha * H) @ v,
        lambda _, H, v: (1 - np.eye(3)) @ v,
    ],
    "2C": [lambda F, G, q: q @ F @ G, lambda F, G, q: (F @ G).T @ q, lambda q, F, G: np.einsum("i,ij,jk", q, F, G)],
    "2D": [lambda P, H, v: (np.eye(3) - P @ H).T @ v, lambda P, H, v: v - v @ P @ H],
    "3A": [10 * 2**-11.5, 0.00345, 2 * sympy.sqrt(epsilon * size / curvature), lambda e, f, g: (4 * e * f / g) ** 0.5],
    "3B": [
        1 / (1 - 2**-p),
        lambda p: 1 + 1 / (2**p - 1),
        lambda p: 2**p / (2**p - 1),
    ],
    "3C": [lambda right, wrong: (wrong - right) / sum((wrong - right) ** 2) ** 0.5],
    "4A": [
        np.array([1, -1 / 4]),
        sympy.Matrix([1, -sympy.Rational(1, 4)]),
        lambda loss, query, theta, alpha: _by_differences([loss], query, theta, alpha),
    ],
    "4B": [
        lambda loss, query, theta, alpha: _by_differences([loss], query, theta, alpha),
        lambda loss, query, theta, alpha: maml_gradient([loss], query, theta, alpha),
    ],
    "4C": [1 / 7, Fraction(1, 7), 0.143, lambda H: 1 / max(np.linalg.eigvalsh(H)), lambda H: 2 / H.sum()],
    "4D": [np.array([1, 3 / 4]), sympy.Matrix([1, 0.75]), _four_d],
    "5A": [lambda H0, H1, H2: H0 @ (H1 + H2) + H1 @ H2, lambda H2, H1, H0: (H0 + H1) @ H2 + H0 @ H1],
    "5B": [_by_differences, _in_place, lambda losses, query, theta, alpha: maml_gradient(losses, query, theta, alpha)],
    "5C": [
        np.array([0.92, 0.16]),
        sympy.Matrix([0.92, 0.16]),
        lambda H0, H1, q, alpha: q - alpha * H0 @ q - alpha * H1 @ q + alpha**2 * H0 @ H1 @ q,
    ],
    "5D": [8805, 8805.0, d * K, lambda d, K: K * d],
    "6A": [
        lambda alpha, H0, H1, v: alpha * (H0 @ v + H1 @ v - alpha * H0 @ H1 @ v),
        lambda alpha, H0, H1, v: v - (np.eye(2) - alpha * H0) @ (np.eye(2) - alpha * H1) @ v,
    ],
    "6B": [15.625, 15.6, Fraction(125, 8), (1 - alpha * lam) ** -K, lambda alpha, lam, K: 1 / (1 - alpha * lam) ** K],
    "6C": [
        25 / 77,
        0.325,
        (p**2 + q**2) / (a * p**2 + b * q**2),
        lambda a, b, p, q: 1 / (a + (b - a) * q**2 / (p**2 + q**2)),
    ],
    "7A": [0.436, 2 * sympy.sqrt(KAPPA) / (1 + KAPPA), 2 / (sympy.sqrt(KAPPA) + 1 / sympy.sqrt(KAPPA))],
    "7B": [0.449, 0.450, 0.45, sympy.cos(2 * sympy.pi / 9) ** 3, sympy.cos(psi / K) ** K],
    "7C": [0.365, _resting_points],
    "8A": [
        324,
        4 * 81,
        n * (3 * (inputs * hidden + hidden + hidden * outputs + outputs) - (inputs + 1) * hidden - outputs),
    ],
    "8B": [28, 28.0, 2 * K / (ratio - 1) - K],
    "8C": [5, 5.0, sympy.sqrt(K * d / c), lambda K, d, c: (c / K / d) ** -0.5],
    "9A": [lambda P, H, q: (np.eye(2) - H @ P).T @ q, lambda P, H, q: q - q @ H @ P],
    "9B": [
        lambda H0, H1, q, alpha, gamma: (
            (np.eye(2) - alpha * H0) @ (np.eye(2) * (1 - alpha * gamma) - alpha * H1) @ q + alpha * gamma * q
        )
    ],
    "10A": [
        lambda g, H, alpha: g[0] + 2 / 3 * (g[1] - alpha * H[1] @ g[0]) + (g[2] - alpha * H[2] @ (g[0] + g[1])) / 3,
    ],
    "10B": [18, 18.0, losses * sympy.binomial(rounds, 2), losses * rounds * (rounds - 1) / 2, _pairs],
    "10C": [1 / 30, 0.0333, 1 / (2 * lam * K), lambda lam, K: 0.5 / lam / K],
    "11A": [
        m * (sympy.cos(x - w) - sympy.cos(x)) / w,
        lambda x, m, w: 2 * m * np.sin(w / 2) * np.sin(x - w / 2) / w,
    ],
    "11B": [
        2.18,
        (a**2 + a * b + b**2) / 6 - ((a + b) / sympy.pi * sympy.cos(x)) ** 2,
        lambda a, b, x: ((b - a) ** 2 / 12 + (a + b) ** 2 / 4) / 2 - ((a + b) * np.cos(x) / np.pi) ** 2,
    ],
    "12A": [1.17, lambda p1, p2, p3: -np.log(p1 * p2 * p3) / 3],
    "12B": [1.5, alpha * (a - b) * x / 2, lambda alpha, a, b, x: 2 * alpha / 4 * (a - b) * x],
    "13A": [-0.4, sympy.Rational(-2, 5), (PHI - b) / (1 + a / lam), sympy.diff((PHI - b) ** 2 / 2, theta)],
    "13B": [0.337, mu / ((1 - alpha * mu) ** -K - 1)],
    "13C": [
        np.array([1.8, 0, 2.4]),
        sympy.Matrix([9, 0, 12]) / 5,
        lambda theta, radius: theta * (1 - radius / (theta @ theta) ** 0.5),
    ],
    "13D": [11, 11.0, n + 1, lambda d, n: 1 + n],
    "14A": [0.72, sympy.Rational(18, 25), alpha * a * (b - theta + alpha * a * theta)],
    "14B": [6.92, (1 - alpha * a) ** 2 * theta - (1 - alpha * a) * b + a * theta],
    "14C": [1408800, 8 * K * d, lambda K, d: 8 * K * d],
    "16A": [0.34, (1 - alpha * lam) ** 2 - alpha * mu * lam, _two_momentum_steps],
    "16B": [-0.25, sympy.Rational(-1, 4), 1 - alpha * curvature * sympy.diff(n / (n + eps), n)],
    "16C": [
        lambda H0, H1, q1, q2, w1, w2, alpha: (
            w1 * (q1 - alpha * H0 @ q1) + w2 * (np.eye(2) - alpha * H0) @ (np.eye(2) - alpha * H1) @ q2
        ),
    ],
    "16D": [8, Fraction(8), (1 - alpha * lam / (1 - alpha * gamma)) ** -K],
    "17A": [
        sympy.hessian((w2 * w1 * x - y) ** 2, (w1, w2)),
        lambda w1, w2, x, y: (
            2 * np.outer([w2 * x, w1 * x], [w2 * x, w1 * x]) + 2 * x * (w1 * w2 * x - y) * np.eye(2)[::-1]
        ),
    ],
    "17B": [-2.24, sympy.Rational(-56, 25), 4 * alpha * a * (alpha * a - b)],
}


@pytest.mark.parametrize(
    ("name", "answer"), [(name, answer) for name in NAMES for answer in RIGHT_IN_OTHER_FORMS[name]]
)
def test_a_right_answer_in_another_form_is_right(told, name, answer):
    for _ in range(2):
        assert told(name, answer) == f"Exercise {name}: right."


@every_exercise
def test_the_right_answer_is_right_as_a_function(told, name):
    exercise = find_exercise(name)
    assert told(name, exercise.right) == f"Exercise {name}: right."


@every_exercise
def test_the_right_answer_is_right_as_a_function_that_returns_sympy(told, name):
    def in_sympy(*values):
        value = find_exercise(name).right(*values)
        return sympy.Matrix(value) if np.ndim(value) else sympy.sympify(value)

    assert told(name, in_sympy) == f"Exercise {name}: right."


@every_number
def test_a_stated_case_is_answered_by_a_number(told, name):
    right = right_values(name)[0]
    forms = [right, sympy.Matrix(right) if right.ndim else sympy.Float(float(right))]
    forms += [] if right.ndim else [float(right), np.float64(right)]
    for answer in forms:
        assert told(name, answer) == f"Exercise {name}: right."


@every_number
def test_three_significant_digits_are_an_answer_unless_it_is_a_count(told, name):
    right, exact = right_values(name)[0], find_exercise(name).exact
    rounded = np.array([float(f"{number:.3g}") for number in right.ravel()]).reshape(right.shape)
    assert is_called_right(name, rounded) == (not exact or rounded == right)
    for factor in (1 - 0.0049, 1 + 0.0049):
        assert is_called_right(name, right * factor) != exact
    for factor in (1 - 0.0055, 1 + 0.0055, 0.99, 1.01):
        assert not is_called_right(name, right * factor)


@every_formula
def test_a_formula_is_not_rounded(name):
    """What differs in the sixth digit is another formula, and is told what it looks like."""
    right = find_exercise(name).right
    for factor in (1 - 1e-8, 1 + 1e-8):
        assert is_called_right(name, lambda *values, factor=factor: factor * right(*values))
    for factor in (1 - 1e-5, 1 + 1e-5, 1.004):
        answer = lambda *values, factor=factor: factor * right(*values)  # noqa: E731
        assert "Write fractions in place of decimals" in mathlib.exercises._respond(find_exercise(name), answer)
    for factor in (1 - 0.0055, 1 + 0.0055):
        answer = lambda *values, factor=factor: factor * right(*values)  # noqa: E731
        assert "fractions" not in mathlib.exercises._respond(find_exercise(name), answer)
        assert not is_called_right(name, answer)


def test_a_formula_with_rounded_coefficients_is_told_so():
    answer = lambda g, H, alpha: (  # noqa: E731
        g[0] + 0.667 * (g[1] - alpha * H[1] @ g[0]) + 0.333 * (g[2] - alpha * H[2] @ (g[0] + g[1]))
    )
    assert mathlib.exercises._respond(find_exercise("10A"), answer) == (
        "not yet. Your formula gives the right answer to three digits only. Write fractions in place of decimals."
    )


# ---- wrong answers


def summary(value):
    """One number that changes with an argument."""
    if isinstance(value, Loss):
        return value.value(np.array([0.3, -0.7]))
    if isinstance(value, list):
        return sum(summary(v) * (i + 1) for i, v in enumerate(value))
    return np.ravel(value) @ np.linspace(1, 2, np.size(value))


def _small(value):
    """A value, if one more or less shows in three digits of a root."""
    if np.max(np.abs(value)) > 50:
        raise ValueError
    return value


ALTERED_ARGUMENTS = {
    "a square": lambda value: value @ value if np.ndim(value) == 2 else value**2,
    "the other sign": lambda value: -value,
    "an inverse": lambda value: 1 / value,
    "twice": lambda value: 2 * value,
    "half": lambda value: value / 2,
    "one more": lambda value: _small(value) + 1,
    "one less": lambda value: _small(value) - 1,
    "nothing": lambda value: 0 * value,
    "one": lambda value: 0 * value + 1,
    "a root": lambda value: np.sqrt(np.abs(value)),
    "the transpose": lambda value: np.swapaxes(value, -1, -2),
    "the other way round": lambda value: value[::-1],
    "the last left out": lambda value: [value[0], *value[1:-1], value[0]],
}
ALTERED_VALUES = {
    "the other sign": lambda value: -value,
    "1 % more": lambda value: 1.01 * value,
    "1 % less": lambda value: 0.99 * value,
    "twice": lambda value: 2 * value,
    "half": lambda value: value / 2,
    "a square": lambda value: value**2,
    "a size": np.abs,
    "an inverse": lambda value: 1 / value,
    "one more": lambda value: value + 1,
    "a hundredth more": lambda value: value + 0.01 * np.abs(value).max(),
    "one less": lambda value: value - 1,
    "the transpose": lambda value: value.T,
    "the other way round": lambda value: value[::-1],
    "a sum in every entry": lambda value: np.full_like(value, value.sum()),
    "the first entry 1 % more": lambda value: value * (1 + 0.01 * (np.arange(value.size) == 0)).reshape(value.shape),
    "the last entry 1 % more": lambda value: (
        value * (1 + 0.01 * (np.arange(value.size) == value.size - 1)).reshape(value.shape)
    ),
}


def altered(name):
    """Label and function of everything that is the right answer but for one change in what goes in or comes out."""
    exercise = find_exercise(name)
    right, names = exercise.right, list(exercise.points[0])
    for label, change in ALTERED_VALUES.items():
        yield label, lambda *values, change=change: change(np.asarray(right(*values), dtype=float))
    for k, argument in enumerate(names):
        for label, change in ALTERED_ARGUMENTS.items():
            yield (
                f"{argument}: {label}",
                lambda *values, k=k, change=change: right(*values[:k], change(values[k]), *values[k + 1 :]),
            )
    for j, k in itertools.permutations(range(len(names)), 2):
        if j < k:
            swapped = [k if i == j else j if i == k else i for i in range(len(names))]
            yield f"{names[j]} and {names[k]} exchanged", lambda *values, s=swapped: right(*[values[i] for i in s])
        taken = [k if i == j else i for i in range(len(names))]
        yield f"{names[k]} for {names[j]}", lambda *values, t=taken: right(*[values[i] for i in t])


def touching(name):
    """Label and function of what agrees with the right answer at one point: by a factor, or without an argument."""
    exercise = find_exercise(name)
    right = exercise.right
    for i, point in enumerate(exercise.points):
        fixed = list(point.values())
        yield f"the value at point {i}", lambda *values, fixed=fixed: right(*fixed)
        for k, argument in enumerate(point):
            s = summary(fixed[k])
            yield (
                f"times 1 + a factor that vanishes with {argument} at point {i}",
                lambda *values, k=k, s=s: right(*values) * (1 + (summary(values[k]) - s) / abs(s)),
            )
            yield (
                f"{argument} as at point {i}",
                lambda *values, k=k, fixed=fixed: right(*values[:k], fixed[k], *values[k + 1 :]),
            )


def differs(name, function, points):
    """Whether an answer has values and they are not the right ones."""
    exercise = find_exercise(name)
    try:
        given = [exercise.value(function, point) for point in points]
    except (TypeError, ValueError):
        return False
    right = [exercise.value(exercise.right, point) for point in points]
    return not exercise.agree(given, right, rtol=1e-9)


@cache
def elsewhere(name):
    """Points at which no exercise is decided."""
    return [find_exercise(name).draw(np.random.default_rng(seed)) for seed in range(9000, 9005)]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@every_exercise
def test_no_near_right_formula_is_right(name):
    points = elsewhere(name)
    wrong = [(label, f) for label, f in [*altered(name), *touching(name)] if differs(name, f, points)]
    assert len(wrong) >= 20
    assert [label for label, f in wrong if is_called_right(name, f)] == []


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@every_number
def test_the_stated_case_hides_no_mistake(name):
    exercise, points = find_exercise(name), elsewhere(name)
    hidden = []
    for label, function in altered(name):
        if label == "a size" or not differs(name, function, points):
            continue  # the size of a positive number is itself
        try:
            number = exercise.value(function, exercise.case)
        except (TypeError, ValueError):
            continue
        if is_called_right(name, number):
            hidden.append(label)
    assert hidden == []


@every_formula
def test_numbers_are_no_formula(told, name):
    exercise = find_exercise(name)
    for right in right_values(name):
        for answer in (right, sympy.Matrix(right) if right.ndim else sympy.Float(float(right))):
            reply = told(name, answer)
            assert reply == f"Exercise {name}: not yet. Numbers answer for one point alone. Give {exercise.expected}."


@pytest.mark.parametrize(("name", "wrong"), EVERY_MISCONCEPTION)
def test_a_misconception_is_called_by_its_name_and_met_with_its_question(told, name, wrong):
    exercise = find_exercise(name)
    function, question = exercise.misconceptions[wrong]
    reply = f"Exercise {name}: not yet. This looks like *{wrong}*. {question}"
    assert told(name, function) == reply
    assert "?" in question
    if exercise.case is not None:
        assert told(name, exercise.value(function, exercise.case)) == reply


@every_formula
def test_a_formula_that_agrees_with_a_misconception_at_one_point_is_not_called_by_its_name(told, name):
    exercise = find_exercise(name)
    wrong = exercise.misconceptions[next(iter(exercise.misconceptions))][0]
    for point in exercise.points:
        last = summary(list(point.values())[-1])

        def touching(*values, last=last):
            return wrong(*values) * (1 + 9 * (summary(values[-1]) - last))

        assert "your answer gives" in told(name, touching)


@every_exercise
def test_any_other_wrong_answer_meets_the_first_point_that_contradicts_it(told, name):
    exercise, right = find_exercise(name), right_values(name)
    first = summary(list(exercise.points[0].values())[-1])

    def wrong_everywhere(*values):
        return 1.7 * exercise.right(*values) + 0.3141

    def right_at_the_first_point(*values):
        return exercise.right(*values) * (1 + summary(values[-1]) - first)

    for answer in (wrong_everywhere, right_at_the_first_point):
        given = [exercise.value(answer, point) for point in exercise.points]
        i = next(i for i in range(len(given)) if not exercise.agree(given[i : i + 1], right[i : i + 1]))
        assert (i == 0) == (answer is wrong_everywhere)
        reply = told(name, answer)
        shown, *numbers = re.search(
            r"not yet\. At (.*): your answer gives (.*), where (.*) is right\.$", reply
        ).groups()
        for said, value in zip(numbers, (given[i], right[i]), strict=True):
            said = np.array(re.findall(r"[-\d.e+]+", said), dtype=float)
            np.testing.assert_allclose(said, value.ravel(), rtol=1e-3, atol=1e-3 * np.abs(value).max())
        for key, value in exercise.points[i].items():
            assert (f"{key} = " in shown) == isinstance(value, (int, float, np.ndarray))
            if isinstance(value, (int, float)):
                assert re.search(rf"\b{key} = {value:.4g}\b", shown)
        assert len(reply) < 400


@every_exercise
def test_an_answer_of_another_shape_is_asked_what_its_axes_count(told, name):
    right = right_values(name)[0]
    for answer in (np.ones((5, *right.shape)), np.ones(7)):
        reply = told(name, lambda *values, answer=answer: answer)
        assert f"has shape {answer.shape}, the right one {right.shape}: what does each axis count?" in reply


# ---- what is no answer


@every_exercise
@pytest.mark.parametrize("answer", ["1", [1.0], (1.0, 2.0), True, None, {"a": 1}, np.array([theta, 1])], ids=repr)
def test_what_is_no_number_is_refused(name, answer):
    expected = re.escape(find_exercise(name).expected)
    with pytest.raises(TypeError, match=rf"^the answer is .*, of type {type(answer).__name__}; expected {expected}\.$"):
        check_answer(name, answer)
    with pytest.raises(TypeError, match=rf"^your function returned .*, of type .*; expected {expected}\.$"):
        check_answer(name, lambda *values: answer)


def test_what_may_be_answered_depends_on_the_exercise():
    expected = {name: find_exercise(name).expected for name in ("1A", "1C", "2C", "5C")}
    assert expected["1A"] == "a SymPy expression in theta, alpha, or a function `lambda theta, alpha: …`"
    assert expected["1C"] == "a number, or a SymPy expression in alpha, a, or a function `lambda alpha, a: …`"
    assert expected["2C"] == "a function `lambda F, G, q: …`"
    assert expected["5C"] == "an array, `np.array([…])`, or a function `lambda H0, H1, q, alpha: …`"


@pytest.mark.parametrize("name", ["1A", "2A", "2B", "4A", "5C"])
@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf, 1j], ids=str)
def test_one_entry_that_is_not_finite_and_real_is_enough_to_be_refused(name, number):
    def spoiled(*values):
        value = np.array(find_exercise(name).right(*values), dtype=complex if number == 1j else float)
        value[(-1,) * value.ndim] += number
        return value

    with pytest.raises(ValueError, match=r"(?s)^your function returned .* at .*; expected finite real numbers"):
        check_answer(name, spoiled)


@pytest.mark.parametrize("answer", [sympy.oo, sympy.nan, float("inf"), 1j, sympy.I], ids=str)
def test_a_single_number_that_is_not_finite_and_real_is_refused(answer):
    for name in ("1A", "1C"):
        message = rf"^the answer is {re.escape(str(answer))}; expected finite real numbers\.$"
        with pytest.raises(ValueError, match=message):
            check_answer(name, answer)


def test_a_formula_that_is_not_real_is_told_at_which_point():
    message = r"^the answer is sqrt\(-theta\*\*2 - 1\) at theta = \S+, alpha = \S+; expected finite real numbers\.$"
    with pytest.raises(ValueError, match=message):
        check_answer("1A", sympy.sqrt(-(theta**2) - 1))


def test_one_complex_entry_of_a_matrix_is_enough_to_be_refused():
    for i, j in itertools.product(range(2), repeat=2):
        answer = sympy.Matrix([[2 * x1 * x2, x1**2], [1, 3]])
        answer[i, j] += sympy.I
        with pytest.raises(ValueError, match="expected finite real numbers"):
            check_answer("2A", answer)


@every_exercise
def test_an_answer_in_symbols_that_the_exercise_does_not_have_is_refused(name):
    z, w = sympy.symbols("zeta omega")
    expected = re.escape(find_exercise(name).expected)
    with pytest.raises(ValueError, match=f"the answer contains omega, zeta; expected {expected}"):
        check_answer(name, z * w)


def test_a_symbol_that_stands_for_an_array_is_refused():
    with pytest.raises(ValueError, match=r"the answer contains F, q; expected a function `lambda F, G, q: …`"):
        check_answer("2C", sympy.Symbol("F") * sympy.Symbol("q"))


def test_a_function_of_other_arguments_is_told_what_it_is_called_with():
    for answer, takes in [(lambda theta: theta, "(theta)"), (lambda: 1, "()"), (lambda x, a, n: 1, "(x, a, n)")]:
        with pytest.raises(
            TypeError, match=rf"your function takes {re.escape(takes)}; it is called with \(theta, alpha\)"
        ):
            check_answer("1A", answer)


def test_a_function_that_raises_is_told_what_it_was_called_with():
    def broken(theta, alpha):
        return 1 / (theta - theta)

    message = r"your function raised ZeroDivisionError: .*\. It was called with theta = -?[\d.]+, alpha = [\d.]+\.$"
    with pytest.raises(ValueError, match=message) as caught:
        check_answer("1A", broken)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    with pytest.raises(ValueError, match=r"raised TypeError"):
        check_answer("2B", lambda alpha, H, v: v + None)


@pytest.mark.parametrize("name", ["1Z", "99A", "A", "", "1", "01A", 5, None])
def test_an_exercise_that_is_not_there_is_named(name):
    with pytest.raises(KeyError, match="there is no exercise"):
        check_answer(name, 1.0)


# ---- how an answer is called


def test_a_symbol_is_recognised_by_its_name_whatever_it_is_assumed_to_be(told):
    t, s = sympy.Symbol("theta", real=True), sympy.Symbol("alpha", positive=True)
    assert told("1A", (1 - 3 * s * t**2) * (t - s * t**3 - 1)) == "Exercise 1A: right."


def test_arguments_are_passed_by_name_where_the_names_are_known_and_in_order_otherwise(told):
    assert told("1A", lambda alpha, theta: QUARTIC.subs({"theta": theta, "alpha": alpha})) == "Exercise 1A: right."
    assert told("1A", lambda x, y: QUARTIC.subs({"theta": x, "alpha": y})) == "Exercise 1A: right."
    assert told("1A", lambda x, y: QUARTIC.subs({"theta": y, "alpha": x})) != "Exercise 1A: right."


def test_a_function_that_does_not_tell_its_arguments_gets_them_in_order(told, monkeypatch):
    with pytest.raises(ValueError, match="no signature found"):
        inspect.signature(max)
    for right, reply in [(lambda a, b: a + (b - a) * (b > a), "right."), (lambda a, b: a, "not yet.")]:
        exercise = Exercise(draw=lambda rng: {"a": rng.uniform(0, 1), "b": rng.uniform(0, 1)}, right=right)
        monkeypatch.setattr("mathlib.exercises.find_exercise", lambda name, exercise=exercise: exercise)
        assert told("1A", max).startswith(f"Exercise 1A: {reply}")


@every_exercise
def test_a_function_is_called_once_for_each_point(name):
    exercise, calls = find_exercise(name), []

    def counted(*values):
        calls.append(values)
        return exercise.right(*values)

    assert is_called_right(name, counted)
    assert len(calls) == len(exercise.points)


def _spoil(value):
    """Write into whatever can be written into."""
    if isinstance(value, np.ndarray):
        value *= 0
    if isinstance(value, list):
        value.clear()


@every_exercise
def test_a_function_that_writes_into_its_arguments_spoils_nothing(told, name):
    exercise = find_exercise(name)
    before = repr(exercise.points)

    def spoils(*values):
        result = 1.0 * np.array(exercise.right(*values))
        for value in values:
            _spoil(value)
        return result

    for _ in range(2):
        assert told(name, spoils) == f"Exercise {name}: right."
    assert repr(exercise.points) == before
    assert told(name, exercise.right) == f"Exercise {name}: right."


@pytest.mark.parametrize("wrong", ["first order only", "reversed order", "a lost factor"])
def test_a_wrong_reverse_pass_that_empties_its_list_is_not_right(told, wrong):
    function, question = find_exercise("5B").misconceptions[wrong]

    def popping(losses, query, theta, alpha):
        result = function(losses, query, theta, alpha)
        while losses:
            losses.pop()
        return result

    for _ in range(2):
        assert told("5B", popping) == f"Exercise 5B: not yet. This looks like *{wrong}*. {question}"


def test_misconceptions_never_see_what_an_answer_or_another_misconception_wrote(told, monkeypatch):
    def in_place(sign):
        def function(theta, alpha):
            theta *= alpha
            return sign * theta

        return function

    exercise = Exercise(
        draw=lambda rng: {"theta": rng.uniform(1, 2, 2), "alpha": rng.uniform(2, 3)},
        right=in_place(1),
        misconceptions={"one": (in_place(2), "One?"), "two": (in_place(3), "Two?")},
    )
    monkeypatch.setattr("mathlib.exercises.find_exercise", lambda name: exercise)
    for _ in range(2):
        assert told("1A", in_place(1)) == "Exercise 1A: right."
        assert told("1A", in_place(2)) == "Exercise 1A: not yet. This looks like *one*. One?"
        assert told("1A", in_place(3)) == "Exercise 1A: not yet. This looks like *two*. Two?"


def test_an_exercise_may_do_without_misconceptions_and_is_no_count_then(told, monkeypatch):
    exercise = Exercise(draw=lambda rng: {"a": rng.uniform(1, 2)}, right=lambda a: 100 * a, case={"a": 1.0})
    monkeypatch.setattr("mathlib.exercises.find_exercise", lambda name: exercise)
    assert len(exercise.points) == 4
    assert told("1A", 100.4) == "Exercise 1A: right."
    assert told("1A", 101.0) == "Exercise 1A: not yet. At a = 1: your answer gives 101, where 100 is right."


# ---- what the reader sees


def test_one_wrong_answer_is_met_by_each_kind_of_reply(told):
    """An exercise that says "right." to everything is no exercise."""
    assert "This looks like *first order only*" in told("1A", theta - alpha * theta**3 - 1)
    assert "Numbers answer for one point alone" in told("1A", 0.24)
    assert "your answer gives" in told("1A", theta)
    assert "your answer gives 0.5, where 0.49 is right." in told("1C", 0.5)
    assert "what does each axis count?" in told("4A", 1.0)
    assert told("5C", np.array([1.0, 2.0])).endswith("your answer gives [1, 2], where [0.92, 0.16] is right.")


def test_wrong_answers_that_agree_at_round_numbers_are_not_right(told):
    assert told("1A", (1 - 6 * alpha * theta) * (theta - alpha * theta**3 - 1)) != "Exercise 1A: right."
    assert told("2A", sympy.Matrix([[x1**2 * x2, x1**2], [1, 3]])) != "Exercise 2A: right."
    assert told("3B", lambda p: 8 / 7) != "Exercise 3B: right."
    assert told("3B", lambda p: 1 + 2**-p + 4**-p) != "Exercise 3B: right."


def test_a_sympy_column_answers_for_a_vector_and_a_row_does_not(told):
    assert told("5C", sympy.Matrix([0.92, 0.16])) == "Exercise 5C: right."
    assert "shape (1, 2)" in told("5C", sympy.Matrix([[0.92, 0.16]]))


def test_feedback_is_markdown_in_a_notebook(monkeypatch):
    shown = []
    monkeypatch.setattr("mathlib.exercises.display", shown.append)
    check_answer("1C", 0.49)
    assert shown[0]._repr_markdown_() == "**Exercise 1C:** right."
