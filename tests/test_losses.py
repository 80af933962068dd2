"""Losses against closed forms written by hand, scipy.differentiate, direct differentiation and the complex step."""

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import differentiate
from scipy.special import expit

from mathlib import Loss, any_loss, complex_step, double_well, logistic, quadratic, rosenbrock
from mathlib.unknown import UnknownFunction

x, y = sympy.symbols("x y")
rng = np.random.default_rng(2)
A = np.array([[3.0, 1.0, -0.5], [1.0, 2.0, 0.1], [-0.5, 0.1, 4.0]])
C = np.array([0.1, -1.7, 0.3])
INPUTS = rng.normal(size=(6, 3))
LABELS = np.array([1.0, -1.0, -1.0, 1.0, 1.0, -1.0])


def sigma(theta):
    """The model's doubt in each label, σ(−y xᵀθ)."""
    return expit(-LABELS * (INPUTS @ theta))


def rosenbrock_by_hand(a, b):
    return (
        lambda t: (a - t[0]) ** 2 + b * (t[1] - t[0] ** 2) ** 2,
        lambda t: np.array([-2 * (a - t[0]) - 4 * b * t[0] * (t[1] - t[0] ** 2), 2 * b * (t[1] - t[0] ** 2)]),
        lambda t: np.array([[2 - 4 * b * (t[1] - 3 * t[0] ** 2), -4 * b * t[0]], [-4 * b * t[0], 2 * b]]),
    )


# loss, then value, gradient and Hessian by hand, and a point
BY_HAND = {
    "rosenbrock": (rosenbrock(), *rosenbrock_by_hand(1, 100), np.array([-0.5, 0.7])),
    "gentle rosenbrock": (rosenbrock(a=2, b=5), *rosenbrock_by_hand(2, 5), np.array([1.25, -0.5])),
    "double well": (
        double_well(),
        lambda t: (t[0] ** 2 - 1) ** 2 / 4,
        lambda t: t**3 - t,
        lambda t: np.array([3 * t**2 - 1]),
        np.array([0.4]),
    ),
    "quadratic": (
        quadratic(A, C),
        lambda t: (t - C) @ A @ (t - C) / 2,
        lambda t: A @ (t - C),
        lambda t: A,
        np.array([1.0, 0.5, -2.0]),
    ),
    "logistic": (
        logistic(INPUTS, LABELS),
        lambda t: np.logaddexp(0, -LABELS * (INPUTS @ t)).mean(),
        lambda t: -(LABELS * sigma(t)) @ INPUTS / 6,
        lambda t: INPUTS.T @ np.diag(sigma(t) * (1 - sigma(t))) @ INPUTS / 6,
        np.array([0.5, -1.0, 2.0]),
    ),
}
each_loss = pytest.mark.parametrize(
    ("loss", "value", "gradient", "hessian", "theta"), list(BY_HAND.values()), ids=list(BY_HAND)
)
# A dozen operations, each rounding by 1e-16, on entries of about the size of the largest one.
ROUNDING = {"rtol": 1e-13, "atol": 1e-13}


@each_loss
def test_value_gradient_and_hessian_equal_the_closed_forms(loss, value, gradient, hessian, theta):
    np.testing.assert_allclose(loss.value(theta), value(theta), **ROUNDING)
    np.testing.assert_allclose(loss.gradient(theta), gradient(theta), **ROUNDING)
    np.testing.assert_allclose(loss.hessian(theta), hessian(theta), **ROUNDING)


@each_loss
def test_value_gradient_and_hessian_have_their_shapes(loss, value, gradient, hessian, theta):
    d = theta.size
    assert np.shape(loss.value(theta)) == ()
    assert loss.gradient(theta).shape == (d,)
    assert loss.hessian(theta).shape == (d, d)
    column = sympy.Matrix(theta.tolist())
    assert isinstance(loss.value(column), sympy.Expr)
    assert loss.gradient(column).shape == (d, 1)
    assert loss.hessian(column).shape == (d, d)


@each_loss
def test_gradient_and_hessian_equal_what_scipy_differentiates(loss, value, gradient, hessian, theta):
    def function(points):
        return np.apply_along_axis(loss.value, 0, points)

    # SciPy's own target is 1e-12 of the derivative; its Hessian differentiates twice and keeps about half of that.
    first = differentiate.jacobian(function, theta)
    second = differentiate.hessian(function, theta)
    np.testing.assert_allclose(loss.gradient(theta), first.df, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(loss.hessian(theta), second.ddf, rtol=1e-6, atol=1e-6)


@each_loss
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_symbols_and_numbers_agree_at_exact_points(loss, value, gradient, hessian, theta, seed):
    eighths = np.random.default_rng(seed).integers(-16, 17, theta.size)  # exact in binary
    exact = sympy.Matrix([sympy.Rational(int(n), 8) for n in eighths])
    point = eighths / 8
    for name in ("value", "gradient", "hessian"):
        symbolic = np.array(sympy.Matrix([sympy.N(getattr(loss, name)(exact), 30)]).tolist(), dtype=float)
        np.testing.assert_allclose(getattr(loss, name)(point).ravel(), symbolic.ravel(), **ROUNDING)


@each_loss
def test_single_precision_is_kept(loss, value, gradient, hessian, theta):
    single = theta.astype(np.float32)
    v = np.ones_like(theta, dtype=np.float32)
    results = [loss.value(single), loss.gradient(single), loss.hessian(single), loss.hvp(single, v)]
    assert [result.dtype for result in results] == [np.float32] * 4
    np.testing.assert_allclose(results[1], gradient(theta), rtol=1e-5, atol=1e-5)


@each_loss
def test_linearize_returns_the_gradient_and_the_product_with_the_hessian(loss, value, gradient, hessian, theta):
    v = np.linspace(1.0, -2.0, theta.size)
    slope, hvp = loss.linearize(theta)
    np.testing.assert_allclose(slope, gradient(theta), **ROUNDING)
    np.testing.assert_allclose(hvp(v), hessian(theta) @ v, **ROUNDING)
    np.testing.assert_array_equal(loss.hvp(theta, v), hvp(v))


@each_loss
def test_the_complex_step_of_the_gradient_is_the_hessian_vector_product(loss, value, gradient, hessian, theta):
    v = np.linspace(-1.0, 3.0, theta.size)
    np.testing.assert_allclose(complex_step(loss.gradient, theta, v), loss.hvp(theta, v), **ROUNDING)
    np.testing.assert_allclose(complex_step(loss.value, theta, v), gradient(theta) @ v, **ROUNDING)


@each_loss
def test_linearize_keeps_the_hessian_of_its_own_point(loss, value, gradient, hessian, theta):
    _, hvp = loss.linearize(theta)
    loss.linearize(theta + 1)
    np.testing.assert_allclose(hvp(theta), hessian(theta) @ theta, **ROUNDING)


@pytest.mark.parametrize("margin", [0.0, 1.0, 30.0, 300.0, 700.0, 1400.0])
@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("example", [1.0, 700.0])
def test_logistic_does_not_overflow_at_large_margins(margin, sign, example):
    loss = logistic(np.array([[example]]), np.array([sign]))
    theta = np.array([margin / example])
    z = sign * margin
    with np.errstate(over="raise", invalid="raise"):
        results = loss.value(theta), loss.gradient(theta)[0], loss.hessian(theta)[0, 0]
    # log(2 cosh(z/2)) − z/2 subtracts numbers of size z, and loses about their last place.
    np.testing.assert_allclose(results[0], np.logaddexp(0, -z), rtol=1e-14, atol=1e-15 * (1 + margin))
    np.testing.assert_allclose(results[1], -sign * example * expit(-z), rtol=1e-14, atol=1e-15 * example)
    np.testing.assert_allclose(results[2], example**2 * expit(z) * expit(-z), rtol=1e-13, atol=1e-15 * example**2)


@settings(derandomize=True, deadline=None, max_examples=25)
@given(st.lists(st.floats(-1e6, 1e6).filter(lambda a: not 0 < abs(a) < 1e-6), min_size=4, max_size=4))
def test_a_quadratic_holds_exactly_the_numbers_it_was_given(entries):
    a, b, c, d = entries
    matrix = np.array([[a, b], [b, c]])
    np.testing.assert_array_equal(quadratic(matrix, np.array([d, 1.0])).hessian(np.ones(2)), matrix)
    assert quadratic(matrix, np.array([d, 1.0])).value(np.array([d, 1.0])) == 0


def test_named_losses_take_symbols_and_exact_numbers():
    a, b, c = sympy.symbols("a b c")
    loss = quadratic(sympy.Matrix([[a, b], [b, a]]), sympy.Matrix([c, 0]))
    assert loss.gradient(sympy.Matrix([x, y])) == sympy.Matrix([a * (x - c) + b * y, b * (x - c) + a * y])
    assert rosenbrock(a=a, b=b).expression == (a - x) ** 2 + b * (y - x**2) ** 2
    examples = logistic(sympy.Matrix([[a, 1]]), sympy.Matrix([-1]))
    assert examples.gradient(sympy.zeros(2, 1)) == sympy.Matrix([a, 1]) / 2


def test_named_losses_are_written_in_the_letters_of_the_text():
    assert double_well().variables == (x,)
    assert rosenbrock().variables == (x, y)
    assert quadratic(A, C).variables == logistic(INPUTS, LABELS).variables == sympy.symbols("x1 x2 x3")


def test_a_constant_loss_has_no_slope_and_no_curvature():
    loss = Loss(3, [x, y])
    theta = np.array([0.5, 2.0])
    assert loss.value(theta) == 3
    np.testing.assert_array_equal(loss.gradient(theta), [0, 0])
    np.testing.assert_array_equal(loss.hessian(theta), np.zeros((2, 2)))


def test_a_linear_loss_has_one_slope_and_no_curvature():
    loss = Loss(2 * x - 7 * y + 1, [x, y])
    theta = np.array([0.5, 2.0])
    assert loss.value(theta) == -12
    np.testing.assert_array_equal(loss.gradient(theta), [2, -7])
    np.testing.assert_array_equal(loss.linearize(theta)[1](theta), [0, 0])


def test_the_order_of_the_variables_is_the_order_of_the_entries():
    np.testing.assert_array_equal(Loss(x**2 * y, [y, x]).gradient(np.array([3.0, 1.0])), [1, 6])


def test_evaluation_at_symbols_replaces_all_of_them_at_once():
    assert Loss(x**2 * y, [x, y]).value(sympy.Matrix([y, x])) == y**2 * x


# Nothing is known about these, so what holds for them holds for every smooth loss.

L = any_loss("L", [x, y])
Q = any_loss("Q", [x, y])


def put_in(expression, function):
    """Replace every unknown function, and each of its partial derivatives, by those of a function of two numbers."""
    s, t = sympy.symbols("s t")

    def known(node):
        i, j = node.func.orders
        return sympy.diff(function(s, t), s, i, t, j).subs({s: node.args[0], t: node.args[1]}, simultaneous=True)

    while expression.has(UnknownFunction):
        expression = expression.replace(lambda node: isinstance(node, UnknownFunction), known)
    return expression


@pytest.mark.parametrize("orders", [(x, y), (x, x, y), (x, y, y), (x, y, x, y)])
def test_mixed_partial_derivatives_of_an_unknown_loss_are_symmetric(orders):
    assert L.expression.diff(*orders) == L.expression.diff(*reversed(orders))


@pytest.mark.parametrize("orders", [(x,), (y,), (x, x), (x, y), (y, y), (x, y, y), (y, x, x, y)])
def test_a_derivative_of_an_unknown_loss_is_that_of_any_loss_put_in(orders):
    def quintic(s, t):
        return s**3 * t**2 + 2 * s * t**4 + s

    assert sympy.expand(put_in(L.expression.diff(*orders), quintic) - quintic(x, y).diff(*orders)) == 0


@pytest.mark.parametrize("orders", [(x,), (y,), (x, y), (y, y), (x, x, y)])
@pytest.mark.parametrize("point", [(x * y, x + y**2), (y, x), (x - y**2, x - y**2), (x**2, 3)])
def test_the_chain_rule_of_an_unknown_loss_is_that_of_any_loss_put_in(orders, point):
    def quintic(s, t):
        return s**3 * t**2 + 2 * s * t**4 + s

    unknown = L.value(sympy.Matrix(point)).diff(*orders)
    assert sympy.expand(put_in(unknown, quintic) - quintic(*point).diff(*orders)) == 0


def test_an_unknown_loss_inside_another_is_differentiated_through():
    nested = L.value(sympy.Matrix([Q.expression, y])).diff(x, y)
    q = x**2 * y
    concrete = put_in(
        nested.replace(lambda n: getattr(n, "name", "") == "Q", lambda n: put_in(n, lambda s, t: s**2 * t)),
        lambda s, t: s**2 * t**3,
    )
    assert sympy.expand(concrete - (q**2 * y**3).diff(x, y)) == 0


def test_the_hessian_of_an_unknown_loss_is_symmetric_and_has_no_other_relation():
    hessian = L.hessian(sympy.Matrix([x, y]))
    assert hessian == hessian.T
    assert len(set(hessian)) == 3


def test_two_names_are_two_losses_and_one_name_is_one():
    assert L.expression != Q.expression
    assert L.gradient(sympy.Matrix([x, y])) != Q.gradient(sympy.Matrix([x, y]))
    assert L.expression == any_loss("L", (x, y)).expression
    assert L.expression.diff(x) != L.expression.diff(y)


def test_an_unknown_loss_is_printed_as_mathematics():
    f = any_loss("L", [x])
    assert sympy.latex(L.expression.diff(x, y)) == r"\partial_{1 2} L"
    assert sympy.latex(f.gradient(sympy.Matrix([x]))[0]) == "L'"
    assert sympy.latex(f.gradient(sympy.Matrix([2 * x]))[0] ** 2) == r"\left(L'\left(2 x\right)\right)^{2}"
    assert L._repr_latex_() == r"$\displaystyle L$"


def test_a_loss_says_what_it_is():
    assert repr(Loss(x**2 * y, [x, y])) == "Loss(x**2*y, [x, y])"
