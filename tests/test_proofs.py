"""Zero or not: refuted at random points, proved by expansion, undecided otherwise; never wrongly either."""

import pytest
import sympy

from mathlib import any_loss, maml_gradient, meta_loss, rosenbrock
from mathlib.proofs import MOST_TERMS, SEEDS, differ, differ_at, is_proved_zero, predicted_terms, random_values
from mathlib.unknown import UnknownFunction

x, y, z = sympy.symbols("x y z")
p, q = sympy.symbols("p q", positive=True)
A, B = sympy.symbols("A B", commutative=False)
ALPHA = sympy.Symbol("alpha")


def L(*arguments):
    """An unknown function of as many arguments."""
    variables = sympy.symbols(f"x1:{len(arguments) + 1}")
    return any_loss("L", variables).value(sympy.Matrix(arguments))


EQUAL = {
    "polynomials": ((x + y) ** 3, x**3 + 3 * x**2 * y + 3 * x * y**2 + y**3),
    "quotients": (1 / (1 + x) - 1 / (2 + x), 1 / ((1 + x) * (2 + x))),
    "trigonometry": (sympy.sin(2 * x), 2 * sympy.sin(x) * sympy.cos(x)),
    "hyperbolic": (sympy.log(2 * sympy.cosh(x / 2)) - x / 2, sympy.log(1 + sympy.exp(-x))),
    "roots": (sympy.sqrt(p**2 + 2 * p + 1), p + 1),
    "unknown of equal polynomials": (L((x + 1) ** 2), L(x**2 + 2 * x + 1)),
    "unknown of equal quotients": (L(1 / x + 1 / y), L((x + y) / (x * y))),
    "unknown of two equal arguments": (L(x * (x - y), x), L(x**2 - x * y, (2 * x) / 2)),
    "unknown of sin² + cos²": (L(sympy.sin(x) ** 2 + sympy.cos(x) ** 2), L(1)),
    "unknown of an exponential": (L((sympy.exp(x) + 1) ** 2), L(sympy.exp(2 * x) + 2 * sympy.exp(x) + 1)),
    "unknown of a root": (L((x + sympy.sqrt(2)) ** 2), L(x**2 + 2 * sympy.sqrt(2) * x + 2)),
    "unknown of what vanishes": (L(sympy.cosh(x) ** 2 - sympy.sinh(x) ** 2 - 1, x), L(0, x)),
    "unknown of logarithms": (L(sympy.log(sympy.exp(x) + 1) - sympy.log(1 + sympy.exp(-x)) - x), L(0)),
    "unknown within unknown": (L(L((x - 1) ** 2)), L(L(x**2 - 2 * x + 1))),
    "its derivatives": (L(x * y).diff(x, y), L(x * y).diff(y, x)),
    "matrices": ((A + B) ** 2, A**2 + A * B + B * A + B**2),
    "matrices and numbers": ((1 - ALPHA * A) * (1 - ALPHA * B), 1 - ALPHA * (A + B) + ALPHA**2 * A * B),
    "inverse matrices": (A * B * (A * B) ** -1, sympy.S.One),
}
DIFFERENT = {
    "by a little": (x, x * (1 + sympy.Rational(1, 10**20))),
    "in a sign": (sympy.sin(x - y), sympy.sin(y - x)),
    "in the argument": (L(x), L(2 * x)),
    "in the argument by a little": (L(x), L(x * (1 + sympy.Rational(1, 10**20)))),
    "in the order of arguments": (L(x, y), L(y, x)),
    "in the letter": (x, y),
    "in the letter of a positive number": (p, q),
    "in the derivative": (L(x, y).diff(x), L(x, y).diff(y)),
    "in the function": (L(x), any_loss("M", [x]).expression),
    "in what is inside": (L(L(x)), L(x)),
    "in the order of matrices": (A * B, B * A),
    "in the order of three": ((1 - ALPHA * A) * (1 - ALPHA * B) * A, A * (1 - ALPHA * B) * (1 - ALPHA * A)),
    "by a trace of rounding": (sympy.exp(x), sympy.exp(x) + sympy.Rational(1, 10**25)),
}
PROVED = [
    "polynomials",
    "unknown of equal polynomials",
    "unknown of two equal arguments",
    "unknown of an exponential",
    "unknown of a root",
    "unknown within unknown",
    "its derivatives",
    "matrices",
    "matrices and numbers",
]


@pytest.mark.parametrize("name", list(EQUAL))
def test_no_random_point_tells_apart_what_is_equal(name):
    assert differ_at(*EQUAL[name], seeds=range(10)) is None


@pytest.mark.parametrize("name", list(DIFFERENT))
def test_random_points_tell_apart_what_is_different(name):
    left, right = differ_at(*DIFFERENT[name])
    assert left != right
    assert not is_proved_zero(DIFFERENT[name][0] - DIFFERENT[name][1])


@pytest.mark.parametrize("size", [1, 10**6, 10**20])
def test_a_difference_is_what_forty_digits_do_not_explain(size):
    """They explain the thirty-eighth digit of a number, however large it is, and not the twenty-eighth."""
    number = sympy.Float(size, 60)
    assert not differ(number, number + number / sympy.Integer(10) ** 38)
    assert differ(number, number + number / sympy.Integer(10) ** 28)


@pytest.mark.parametrize("seed", range(8))
def test_each_seed_is_a_point_of_its_own(seed):
    """x and |x| differ where x is negative, and at no other point."""
    found = differ_at(x, abs(x), seeds=[seed])
    assert (found is None) == (random_values(x, seed=seed)[0] > 0)


def test_three_points_are_looked_at():
    assert len({random_values(x, y, seed=seed)[0] for seed in SEEDS}) == 3


@pytest.mark.parametrize("name", PROVED)
def test_expansion_proves_what_is_polynomial_in_its_parts(name):
    left, right = EQUAL[name]
    assert is_proved_zero(left - right)


@pytest.mark.parametrize("name", ["quotients", "trigonometry", "unknown of sin² + cos²"])
def test_what_expansion_cannot_prove_is_not_called_proved(name):
    left, right = EQUAL[name]
    assert not is_proved_zero(left - right)


def test_values_are_those_of_the_expression_at_one_point():
    a, b, c = random_values(x, y, x**2 * y + 1 / x, seed=5)
    assert c == a**2 * b + 1 / a


def test_values_depend_on_the_seed_and_on_nothing_else():
    expression = L(x, y) + x * y
    assert random_values(expression, seed=1) == random_values(expression, seed=1)
    assert random_values(expression, seed=1) != random_values(expression, seed=2)
    assert random_values(expression, x, seed=1)[0] == random_values(x, expression, seed=1)[1]


def test_rational_expressions_have_exactly_rational_values():
    (value,) = random_values(L(x / y) ** 3 / (1 + x**2), seed=1)
    assert value.is_Rational


def test_symbols_that_are_not_negative_are_drawn_so():
    assert all(random_values(p, seed=seed)[0] > 0 for seed in range(20))
    assert any(random_values(x, seed=seed)[0] < 0 for seed in range(20))


def test_an_unknown_function_has_independent_values_at_different_points():
    values = random_values(*(L(x + n) for n in range(20)), seed=1)
    assert len(set(values)) > 10


def test_letters_that_do_not_commute_become_matrices_that_do_not():
    a, b, ab, ba = random_values(A, B, A * B, B * A, seed=1)
    assert ab == a * b != ba == b * a


@pytest.mark.parametrize(
    "expression",
    [
        (x + y) ** 5,
        (x + y + z) ** 4,
        (x + y) * (y + z) * (z + x),
        ((x + 1) ** 2 + y) ** 3,
        (A + B) ** 4,
        L(x, y).diff(x) * (1 + x) ** 3,
        x * L((x + y) ** 6),
        (x + y) ** 2 / (x + z) ** 2,
        rosenbrock().expression,
        (x + y) ** sympy.Rational(5, 2),
        sympy.log(p * (x + y)) ** 3,
        (1 + x) ** -3,
        (x + y) ** z * (x + 1) ** 2,
        x,
        sympy.S(7),
    ],
    ids=str,
)
def test_expansion_makes_no_more_terms_than_predicted(expression):
    expanded = sympy.expand(expression)
    sums = [node for node in sympy.preorder_traversal(expanded) if node.is_Add]
    assert max([len(node.args) for node in sums], default=1) <= predicted_terms(expression)


@pytest.mark.parametrize("K", [1, 2, 3])
def test_the_prediction_is_not_far_off_for_unknown_losses(K):
    variables = sympy.symbols("x1:3")
    loss, theta = any_loss("L", variables), sympy.Matrix(variables)
    gradient = maml_gradient([loss] * K, loss, theta, ALPHA)[0]
    assert predicted_terms(gradient) <= 10 * len(sympy.expand(gradient).args)


def test_where_expansion_would_explode_the_answer_is_undecided_at_once(monkeypatch):
    loss, theta = rosenbrock(), sympy.Matrix([x, y])
    direct = meta_loss([loss] * 2, loss, theta, ALPHA).diff(x)
    product = maml_gradient([loss] * 2, loss, theta, ALPHA)[0]
    assert predicted_terms(direct - product) > 1000 * MOST_TERMS
    monkeypatch.setattr(sympy, "expand", None)  # it is not even tried
    assert not is_proved_zero(direct - product)
    assert differ_at(direct, product) is None


def test_an_argument_is_expanded_once_however_often_it_stands_there(monkeypatch):
    loss = any_loss("L", [x])
    theta = sympy.Matrix([x])
    direct = meta_loss([loss] * 8, loss, theta, ALPHA).diff(x)
    expand, calls = sympy.expand, []
    monkeypatch.setattr(sympy, "expand", lambda e: calls.append(e) or expand(e))
    assert is_proved_zero(direct - maml_gradient([loss] * 8, loss, theta, ALPHA)[0])
    assert not calls[-1].has(UnknownFunction)  # a letter stands for each, and hides its argument
    assert len(calls) < 40  # L' and L'' at nine points, and the difference; there are thousands of places
