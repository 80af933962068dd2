"""Bad input meets an error of its own, which says what was given and what to pass instead."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import sympy

import mathlib.inputs
import mathlib.meta_gradients
from mathlib import (
    Loss,
    any_loss,
    complex_step,
    double_well,
    finite_difference_directional,
    finite_difference_gradient,
    finite_difference_jacobian,
    fomaml_gradient,
    implicit_gradient,
    inner_loop,
    inner_optimum,
    logistic,
    maml_gradient,
    meta_loss,
    quadratic,
    reptile_gradient,
    rosenbrock,
    step_jacobian,
    unrolled_jacobian,
)

x, y = sympy.symbols("x y")
L = rosenbrock()
POINT = np.array([0.5, -1.0])
SYMBOLS = sympy.Matrix([x, y])

AT_A_POINT = {
    "inner_loop": lambda theta, alpha=0.1: inner_loop([L], theta, alpha),
    "meta_loss": lambda theta, alpha=0.1: meta_loss([L], L, theta, alpha),
    "step_jacobian": lambda theta, alpha=0.1: step_jacobian(L, theta, alpha),
    "unrolled_jacobian": lambda theta, alpha=0.1: unrolled_jacobian([L], theta, alpha),
    "maml_gradient": lambda theta, alpha=0.1: maml_gradient([L], L, theta, alpha),
    "fomaml_gradient": lambda theta, alpha=0.1: fomaml_gradient([L], L, theta, alpha),
    "reptile_gradient": lambda theta, alpha=0.1: reptile_gradient([L], theta, alpha),
}
every_function = pytest.mark.parametrize("function", list(AT_A_POINT.values()), ids=list(AT_A_POINT))
OF_LOSSES = {
    "inner_loop": lambda losses: inner_loop(losses, POINT, 0.1),
    "meta_loss": lambda losses: meta_loss(losses, L, POINT, 0.1),
    "unrolled_jacobian": lambda losses: unrolled_jacobian(losses, POINT, 0.1),
    "maml_gradient": lambda losses: maml_gradient(losses, L, POINT, 0.1),
    "fomaml_gradient": lambda losses: fomaml_gradient(losses, L, POINT, 0.1),
    "reptile_gradient": lambda losses: reptile_gradient(losses, POINT, 0.1),
}

BAD_POINTS = {
    "a list": ([0.5, -1.0], TypeError, r"theta is a list; expected a NumPy array .* Write np\.array"),
    "a text": ("0.5", TypeError, "theta is a str; expected a NumPy array"),
    "a number": (0.5, TypeError, "theta is a float; expected a NumPy array"),
    "integers": (np.array([1, 2]), TypeError, r"dtype int64; expected floating point\. Write theta\.astype\(float\)"),
    "booleans": (np.array([True, False]), TypeError, "dtype bool; expected floating point"),
    "objects": (np.array([x, y]), TypeError, "dtype object; expected floating point"),
    "NaN": (np.array([0.5, np.nan]), ValueError, r"theta has a NaN or infinite entry: \[0\.5 nan\]"),
    "infinity": (np.array([-np.inf, 0.5]), ValueError, "NaN or infinite entry.*smaller alpha"),
    "three entries for two": (np.ones(3), ValueError, r"theta has shape \(3,\); expected shape \(2,\)"),
    "no entries": (np.ones(0), ValueError, r"theta has shape \(0,\); expected shape \(2,\)"),
    "a NumPy column": (np.ones((2, 1)), ValueError, r"theta has shape \(2, 1\); expected shape \(2,\)"),
    "a NumPy row": (np.ones((1, 2)), ValueError, r"theta has shape \(1, 2\); expected shape \(2,\)"),
    "a zero-dimensional array": (np.array(1.0), ValueError, r"theta has shape \(\); expected shape \(2,\)"),
    "a SymPy row": (SYMBOLS.T, ValueError, r"shape \(1, 2\); expected a column of 2 entries, shape \(2, 1\)"),
    "a SymPy column of one": (sympy.Matrix([x]), ValueError, r"shape \(1, 1\); expected a column of 2 entries"),
}
BAD_STEP_SIZES = {
    "a text": ("0.1", TypeError, "alpha is '0.1', a str; expected a real number"),
    "None": (None, TypeError, "alpha is None, a NoneType"),
    "True": (True, TypeError, "alpha is True, a bool"),
    "NumPy's True": (np.bool_(True), TypeError, "alpha is .*True.*, a bool"),
    "an array": (np.array([0.1, 0.2]), TypeError, r"alpha is array\(\[0\.1, 0\.2\]\), a ndarray"),
    "a complex number": (0.1j, TypeError, "a complex; expected a real number"),
    "negative": (-0.1, ValueError, "alpha is -0.1; a step size is finite, and zero or positive"),
    "NaN": (float("nan"), ValueError, "alpha is nan; a step size is finite"),
    "infinite": (np.inf, ValueError, "alpha is inf; a step size is finite"),
}


def rows(cases):
    return [pytest.param(*case, id=name) for name, case in cases.items()]


@every_function
@pytest.mark.parametrize(("theta", "error", "message"), rows(BAD_POINTS))
def test_a_point_is_a_finite_floating_array_of_the_right_shape_or_a_column(function, theta, error, message):
    with pytest.raises(error, match=message):
        function(theta)


@every_function
@pytest.mark.parametrize(("alpha", "error", "message"), rows(BAD_STEP_SIZES))
@pytest.mark.parametrize("theta", [POINT, SYMBOLS], ids=["numbers", "symbols"])
def test_alpha_is_a_finite_real_number_and_not_negative(function, theta, alpha, error, message):
    with pytest.raises(error, match=message):
        function(theta, alpha)


@pytest.mark.parametrize("alpha", [sympy.Rational(-1, 10), sympy.nan, sympy.oo, sympy.I, 1 - sympy.sqrt(2)])
def test_an_exact_alpha_is_finite_real_and_not_negative_too(alpha):
    with pytest.raises(ValueError, match=r"alpha is .*; a step size is"):
        inner_loop([L], SYMBOLS, alpha)


@every_function
@pytest.mark.parametrize("alpha", [sympy.Symbol("alpha"), sympy.Rational(1, 10)])
def test_a_symbolic_alpha_does_not_go_with_numbers(function, alpha):
    with pytest.raises(TypeError, match=r"alpha is the SymPy expression .* Pass float\(alpha\)"):
        function(POINT, alpha)


@pytest.mark.parametrize("alpha", [0, 0.0, 0.1, np.float64(0.1), np.float32(0.1)])
def test_zero_and_every_real_type_are_step_sizes(alpha):
    np.testing.assert_array_equal(inner_loop([L], POINT, alpha)[-1], POINT - float(alpha) * L.gradient(POINT))


def test_no_steps_at_all_are_allowed():
    assert inner_loop([], POINT, 0.1) == [POINT]


@pytest.mark.parametrize("function", list(OF_LOSSES.values()), ids=list(OF_LOSSES))
@pytest.mark.parametrize(
    ("losses", "message"),
    [
        (L, r"losses is a Loss; expected a list .* write \[loss\] \* K"),
        ("LL", "losses is a str; expected a list"),
        (None, "losses is a NoneType; expected a list"),
        (3, "losses is a int; expected a list"),
        ((loss for loss in [L]), "losses is a generator; expected a list"),
        ({L}, "losses is a set; expected a list"),
        ([L, x**2], r"the support loss of step 2 is a Pow; expected an object with \.[a-z]+.* It lacks \.[a-z]+"),
        ([L.gradient], "the support loss of step 1 is a method"),
    ],
    ids=["one loss", "a text", "None", "a number", "a generator", "a set", "an expression inside", "a method inside"],
)
def test_losses_is_a_list_with_one_loss_for_each_step(function, losses, message):
    with pytest.raises(TypeError, match=message):
        function(losses)


class WithoutAnswers:
    """An object that is no loss."""


@pytest.mark.parametrize("query", [WithoutAnswers(), "Q", None, x**2, [L]])
@pytest.mark.parametrize("function", [meta_loss, maml_gradient, fomaml_gradient])
def test_the_query_is_a_loss(function, query):
    with pytest.raises(TypeError, match=f"query is a {type(query).__name__}; expected an object with"):
        function([L], query, POINT, 0.1)


@pytest.mark.parametrize("loss", [WithoutAnswers(), "L", [L]])
def test_the_loss_of_a_single_step_is_a_loss(loss):
    with pytest.raises(TypeError, match=f"is a {type(loss).__name__}; expected an object with"):
        step_jacobian(loss, POINT, 0.1)


# of the support loss, and of the query
CALLED = {
    "inner_loop": (lambda loss, query: inner_loop([loss], POINT, 0.1), ["gradient"], []),
    "meta_loss": (lambda loss, query: meta_loss([loss], query, POINT, 0.1), ["gradient"], ["value"]),
    "step_jacobian": (lambda loss, query: step_jacobian(loss, POINT, 0.1), ["hessian"], []),
    "unrolled_jacobian": (lambda loss, query: unrolled_jacobian([loss], POINT, 0.1), ["gradient", "hessian"], []),
    "maml_gradient": (lambda loss, query: maml_gradient([loss], query, POINT, 0.1), ["linearize"], ["gradient"]),
    "fomaml_gradient": (lambda loss, query: fomaml_gradient([loss], query, POINT, 0.1), ["gradient"], ["gradient"]),
    "reptile_gradient": (lambda loss, query: reptile_gradient([loss], POINT, 0.1), ["gradient"], []),
    "inner_optimum": (lambda loss, query: inner_optimum(loss, POINT, 1e3), ["gradient", "linearize"], []),
    "implicit_gradient": (
        lambda loss, query: implicit_gradient(loss, query, POINT, 1e3),
        ["linearize"],
        ["gradient"],
    ),
}
every_caller = pytest.mark.parametrize("name", list(CALLED))


def with_only(methods):
    """Rosenbrock's loss, of which these methods are left."""
    return SimpleNamespace(**{method: getattr(L, method) for method in methods})


@every_caller
def test_a_loss_needs_the_methods_that_are_called_and_no_others(name):
    function, of_loss, of_query = CALLED[name]
    np.testing.assert_array_equal(function(with_only(of_loss), with_only(of_query)), function(L, L))


METHODS = ["value", "gradient", "hessian", "linearize"]
LACKING = [(name, of_query, method) for name in CALLED for of_query in (0, 1) for method in CALLED[name][1 + of_query]]


@pytest.mark.parametrize(("name", "of_query", "method"), LACKING)
def test_a_loss_that_lacks_a_method_is_refused_with_its_name_and_its_caller(name, of_query, method):
    function, *called = CALLED[name]
    given = [L, L]
    given[of_query] = with_only([other for other in METHODS if other != method])
    caller = name
    if name in ("meta_loss", "fomaml_gradient", "reptile_gradient") and not of_query:
        caller = "inner_loop"  # which they call
    with pytest.raises(TypeError) as caught:
        function(*given)
    of_one_step = name in ("step_jacobian", "inner_optimum", "implicit_gradient")
    subject = "query" if of_query else "loss" if of_one_step else "the support loss of step 1"
    expected = " and ".join(f".{each}" for each in called[of_query])
    assert str(caught.value) == (
        f"{subject} is a SimpleNamespace; expected an object with {expected}, which {caller} calls."
        f" It lacks .{method}: add what is missing, or pass Loss(expression, variables)."
    )


def test_a_loss_with_gradient_and_products_alone_has_a_meta_gradient_but_no_jacobian():
    loss = with_only(["gradient", "linearize"])
    np.testing.assert_array_equal(maml_gradient([loss] * 3, loss, POINT, 1e-3), maml_gradient([L] * 3, L, POINT, 1e-3))
    with pytest.raises(TypeError, match=r"loss is a .* with \.hessian, which step_jacobian calls\. It lacks \.hessian"):
        step_jacobian(loss, POINT, 1e-3)


def test_a_method_is_something_to_call():
    with pytest.raises(TypeError, match=r"It lacks \.gradient"):
        fomaml_gradient([L], SimpleNamespace(gradient=np.ones(2)), POINT, 0.1)


# A point is looked at where it comes in.


@pytest.fixture
def looked_at(monkeypatch):
    """Every array that `require_array` sees."""
    seen = []
    require_array = mathlib.inputs.require_array

    def watched(array, *arguments, **options):
        seen.append(array)
        return require_array(array, *arguments, **options)

    for module in (mathlib.inputs, mathlib.meta_gradients):
        monkeypatch.setattr(module, "require_array", watched)
    return seen


def test_a_meta_gradient_looks_at_theta_once_and_each_loss_at_its_own_point_once(looked_at):
    maml_gradient([L] * 3, L, POINT, 1e-3)
    trajectory = inner_loop([L] * 3, POINT, 1e-3)
    np.testing.assert_array_equal(looked_at[:5], [POINT, *trajectory])


def test_losses_of_ones_own_are_asked_at_points_that_nobody_looks_at_again(looked_at):
    own = SimpleNamespace(gradient=lambda theta: theta, linearize=lambda theta: (theta, lambda v: v))
    maml_gradient([own] * 3, own, POINT, 0.1)
    assert len(looked_at) == 1


@pytest.mark.parametrize("name", ["inner_loop", "unrolled_jacobian", "maml_gradient", "fomaml_gradient"])
def test_an_inner_loop_that_leaves_the_numbers_says_that_it_has_diverged(name):
    function = OF_LOSSES[name]
    with np.errstate(all="ignore"), pytest.raises(ValueError, match=r"(?s)theta has a NaN .* the loop has diverged"):
        function([L] * 20)


@pytest.mark.parametrize("name", ["step_jacobian", "unrolled_jacobian", "maml_gradient"])
def test_second_derivatives_take_no_complex_point(name):
    with pytest.raises(TypeError, match=r"theta is complex; only \.value and \.gradient take complex"):
        AT_A_POINT[name](POINT + 0j)


@pytest.mark.parametrize("method", [L.hessian, L.linearize, lambda theta: L.hvp(theta, POINT)])
def test_a_loss_takes_no_complex_point_for_second_derivatives(method):
    with pytest.raises(TypeError, match=r"theta is complex.* Pass theta\.real"):
        method(POINT + 0j)


@pytest.mark.parametrize("method", [L.value, L.gradient, L.hessian, L.linearize])
@pytest.mark.parametrize(("theta", "error", "message"), rows(BAD_POINTS))
def test_a_loss_is_asked_at_a_point(method, theta, error, message):
    with pytest.raises(error, match=message):
        method(theta)


@pytest.mark.parametrize(
    ("v", "error", "message"),
    [
        (np.ones(3), ValueError, r"v has shape \(3,\); expected shape \(2,\)"),
        (np.array([1, 2]), TypeError, r"v has dtype int64.* Write v\.astype"),
        ([1.0, 2.0], TypeError, "v is a list"),
    ],
)
def test_a_hessian_meets_a_vector_of_the_right_kind(v, error, message):
    with pytest.raises(error, match=message):
        L.hvp(POINT, v)


@pytest.mark.parametrize(
    "expression",
    [[x, y], sympy.Matrix([x]), sympy.ImmutableMatrix([x, y]), sympy.MatrixSymbol("A", 1, 1), (x, y), x < y, None, "x"],
    ids=["list", "1 x 1", "column", "matrix symbol", "tuple", "relation", "None", "text"],
)
def test_a_loss_is_one_number(expression):
    kind = type(expression).__name__
    with pytest.raises(TypeError, match=f"^the expression is a {kind}; .* expected a scalar SymPy expression"):
        Loss(expression, [x, y])


@pytest.mark.parametrize(
    ("variables", "error", "message"),
    [
        ([], ValueError, r"variables is \(\); expected at least one symbol"),
        ([x, y, x], ValueError, "each of them once"),
        (["x", "y"], TypeError, "the variable 'x' is a str; expected a SymPy Symbol"),
        ([x, 2 * y], TypeError, r"the variable 2\*y is a Mul"),
        (x, TypeError, "variables is a Symbol"),
    ],
    ids=["none", "twice", "texts", "an expression", "one symbol, not in a list"],
)
def test_variables_are_different_symbols_in_a_list(variables, error, message):
    with pytest.raises(error, match=message):
        Loss(x**2 * y, variables)


@pytest.mark.parametrize("method", ["value", "gradient", "hessian", "linearize"])
@pytest.mark.parametrize(
    ("loss", "names"),
    [
        (Loss(sympy.Symbol("b") * x**2 + sympy.Symbol("a"), [x]), "a, b"),
        (Loss(x**2 * y, [x]), "y"),
        (any_loss("L", [x]), "L"),
        (Loss(any_loss("L", [x]).expression * y, [x]), "L, y"),
        (Loss(sympy.Function("f")(x), [x]), "f"),
    ],
    ids=["constants", "a variable list that does not match", "an unknown loss", "both", "an undefined function"],
)
def test_numbers_cannot_be_given_to_what_is_left_unbound(loss, names, method):
    with pytest.raises(ValueError, match=rf"no number can be given to {names}: .* replace the rest first"):
        getattr(loss, method)(np.array([0.5]))


@pytest.mark.parametrize("name", ["", None, x, 3])
def test_an_unknown_loss_has_a_name(name):
    with pytest.raises(TypeError, match=r"the name is .*; expected a text"):
        any_loss(name, [x])


@pytest.mark.parametrize(
    ("A", "c", "error", "message"),
    [
        ([[1.0]], np.ones(1), TypeError, "A is a list; expected a NumPy array or a SymPy Matrix"),
        (np.eye(1), [1.0], TypeError, "c is a list"),
        (np.eye(2), np.ones(3), ValueError, r"A has shape \(2, 2\) and c \(3, 1\); expected a square A"),
        (np.ones((2, 3)), np.ones(2), ValueError, r"A has shape \(2, 3\)"),
        (np.eye(2), np.ones((1, 2)), ValueError, r"c \(1, 2\)"),
        (np.array([[1.0, 2.0], [3.0, 1.0]]), np.ones(2), ValueError, r"A is not symmetric.*pass \(A \+ A\.T\) / 2"),
        (np.eye(2, dtype=int), np.ones(2), TypeError, "A has dtype int64"),
        (np.eye(2) * 1j, np.ones(2), TypeError, "A is complex"),
        (np.eye(2), np.array([0.0, np.nan]), ValueError, "c has a NaN or infinite entry"),
    ],
)
def test_a_quadratic_has_a_symmetric_matrix_and_a_minimum_of_its_size(A, c, error, message):
    with pytest.raises(error, match=message):
        quadratic(A, c)


@pytest.mark.parametrize(
    ("inputs", "labels", "error", "message"),
    [
        (np.ones((2, 3)), np.array([0.0, 1.0]), ValueError, "expected 2 entries, .* each -1 or \\+1"),
        (np.ones((2, 3)), np.ones(3), ValueError, "expected 2 entries, one for each row"),
        (np.ones((2, 3)), np.array([1, -1]), TypeError, "labels has dtype int64"),
        ([[1.0]], np.ones(1), TypeError, "inputs is a list"),
        (np.array([[np.inf]]), np.ones(1), ValueError, "inputs has a NaN or infinite entry"),
    ],
)
def test_logistic_takes_labels_of_plus_and_minus_one_for_each_example(inputs, labels, error, message):
    with pytest.raises(error, match=message):
        logistic(inputs, labels)


@pytest.mark.parametrize(
    ("phi", "strength", "error", "message"),
    [
        (POINT, 0, ValueError, "strength is 0; expected a positive number"),
        (POINT, -1.0, ValueError, "strength is -1.0"),
        (POINT, np.nan, ValueError, "strength is nan"),
        (POINT, "1", ValueError, "strength is '1'"),
        (POINT, True, ValueError, "strength is True"),
        (POINT, np.True_, ValueError, "strength is np.True_"),
        (POINT, None, ValueError, "strength is None"),
        (POINT, [1.0], ValueError, r"strength is \[1.0\]"),
        (POINT, 1 + 0j, ValueError, r"strength is \(1\+0j\)"),
        (POINT, np.array([1.0, 2.0]), ValueError, "strength is array"),
        (POINT, math.inf, ValueError, "strength is inf"),
        (np.ma.masked_array(POINT), 1.0, TypeError, "phi is a MaskedArray; expected a NumPy array"),
        (np.asmatrix(POINT), 1.0, TypeError, "phi is a matrix; expected a NumPy array"),
        (np.ones((3, 2)), 1.0, ValueError, r"phi has shape \(3, 2\); expected one task's parameters"),
        (np.ones(3), 1.0, ValueError, r"shape \(3,\); expected shape \(2,\)"),
        (np.array([1, 1]), 1.0, TypeError, "phi has dtype int64"),
        (POINT + 0j, 1.0, TypeError, "phi is complex"),
        (SYMBOLS, 1.0, TypeError, "phi is a MutableDenseMatrix; expected a NumPy array"),
    ],
)
def test_an_implicit_gradient_wants_a_point_and_a_positive_strength(phi, strength, error, message):
    with pytest.raises(error, match=message):
        implicit_gradient(L, L, phi, strength)


def test_an_implicit_gradient_takes_any_real_strength_and_a_query():
    by_float = implicit_gradient(L, L, POINT, 0.5)
    np.testing.assert_array_equal(implicit_gradient(L, L, POINT, sympy.Rational(1, 2)), by_float)
    with pytest.raises(TypeError, match="query is a NoneType; expected an object with"):
        implicit_gradient(L, None, POINT, 0.5)


def test_an_implicit_gradient_is_refused_where_the_inner_problem_has_no_minimum():
    with pytest.raises(ArithmeticError, match="not positive definite at phi"):
        implicit_gradient(double_well(), double_well(), np.array([0.1]), strength=0.5)


DIFFERENCES = {
    "directional": lambda theta: finite_difference_directional(L.value, theta, np.ones(2)),
    "gradient": lambda theta: finite_difference_gradient(L.value, theta),
    "jacobian": lambda theta: finite_difference_jacobian(L.gradient, theta),
    "complex step": lambda theta: complex_step(L.value, theta, np.ones(2)),
}


@pytest.mark.parametrize("function", list(DIFFERENCES.values()), ids=list(DIFFERENCES))
@pytest.mark.parametrize(
    ("theta", "error", "message"),
    [
        ([0.5, -1.0], TypeError, "theta is a list"),
        (np.array([1, 2]), TypeError, "theta has dtype int64"),
        (POINT.astype(np.float32), TypeError, r"dtype float32; a check needs float64.* Write theta\.astype"),
        (POINT + 0j, TypeError, "theta is complex"),
        (np.array([0.5, np.nan]), ValueError, "theta has a NaN"),
        (np.ones((2, 1)), ValueError, r"theta has shape \(2, 1\)|expected theta's, \(2, 1\)"),
        (np.ones(3), ValueError, r"\(3,\)"),
        (SYMBOLS, TypeError, "theta is a MutableDenseMatrix"),
    ],
)
def test_differences_are_taken_at_a_float64_point(function, theta, error, message):
    with pytest.raises(error, match=message):
        function(theta)


@pytest.mark.parametrize("function", [finite_difference_directional, complex_step])
@pytest.mark.parametrize(
    ("direction", "error", "message"),
    [
        (np.ones(3), ValueError, r"direction.*\(3,\)"),
        ([1.0, 0.0], TypeError, "direction is a list"),
        (np.array([1, 0]), TypeError, "direction has dtype int64"),
        (np.array([1.0, np.inf]), ValueError, "direction has a NaN or infinite entry"),
        (POINT + 0j, TypeError, "direction is complex"),
    ],
)
def test_a_direction_is_a_float64_array_like_theta(function, direction, error, message):
    with pytest.raises(error, match=message):
        function(L.value, POINT, direction)


def test_there_is_no_derivative_along_zero():
    with pytest.raises(ValueError, match="direction is zero everywhere"):
        finite_difference_directional(L.value, POINT, np.zeros(2))


@pytest.mark.parametrize("step", [0.0, -0.1, np.nan, np.inf, "0.1", True])
def test_a_step_of_a_difference_is_positive(step):
    with pytest.raises(ValueError, match=r"step is .*; expected a positive number"):
        finite_difference_gradient(L.value, POINT, step=step)


@pytest.mark.parametrize(
    ("function", "value"),
    [
        (lambda theta: np.float32(theta[0]), "float32"),
        (lambda theta: 1, "int64"),
        (lambda theta: theta[0] + 0j, "complex128"),
        (lambda theta: np.nan, "nan"),
        (lambda theta: np.inf, "inf"),
        (lambda theta: None, "None"),
        (lambda theta: x, "object"),
    ],
    ids=["float32", "integer", "complex", "NaN", "infinity", "None", "a symbol"],
)
def test_a_differentiated_function_returns_finite_float64_numbers(function, value):
    with pytest.raises(ValueError, match=rf"the function returned .*{value}.*expected finite float64 numbers"):
        finite_difference_gradient(function, POINT)


def test_one_entry_that_is_not_finite_is_enough():
    with pytest.raises(ValueError, match="expected finite float64 numbers"):
        finite_difference_jacobian(lambda theta: np.array([theta[0], np.nan]), POINT)


def test_a_gradient_is_of_one_number_and_a_jacobian_of_a_vector():
    with pytest.raises(ValueError, match=r"returns shape \(2,\); a gradient needs a single number.*_jacobian"):
        finite_difference_gradient(L.gradient, POINT)
    with pytest.raises(ValueError, match=r"returns shape \(\); a Jacobian needs a vector.*_gradient"):
        finite_difference_jacobian(L.value, POINT)
    with pytest.raises(ValueError, match=r"returns shape \(3, 3\); a Jacobian needs a vector"):
        finite_difference_jacobian(lambda theta: theta[0] * np.eye(3), np.ones(1))
    with pytest.raises(ValueError, match=r"returns shape \(1,\); a gradient needs a single number"):
        finite_difference_gradient(lambda theta: theta, np.ones(1))
