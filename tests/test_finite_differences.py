"""Finite differences against derivatives known exactly, evaluated to 50 digits, and against scipy.differentiate."""

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import differentiate

from mathlib import (
    Estimate,
    complex_step,
    finite_difference_directional,
    finite_difference_gradient,
    finite_difference_jacobian,
    rosenbrock,
)

mp = mpmath.mp.clone()
mp.dps = 50
FIXED = settings(derandomize=True, deadline=None, max_examples=300)

# A function is a pair: itself and its derivative, each of (m, x), where m is NumPy or mpmath.


def power(n):
    return lambda m, x: x**n, lambda m, x: n * x ** (n - 1)


def exponential(a):
    return lambda m, x: m.exp(a * x), lambda m, x: a * m.exp(a * x)


def sine(w, p):
    return lambda m, x: m.sin(w * (x + p)), lambda m, x: w * m.cos(w * (x + p))


def logistic(a):
    return lambda m, x: 1 / (1 + m.exp(-a * x)), lambda m, x: a * m.exp(-a * x) / (1 + m.exp(-a * x)) ** 2


def rational(a):
    return lambda m, x: x / (1 + a * x**2), lambda m, x: (1 - a * x**2) / (1 + a * x**2) ** 2


def times(one, two):
    (f, df), (g, dg) = one, two
    return lambda m, x: f(m, x) * g(m, x), lambda m, x: df(m, x) * g(m, x) + f(m, x) * dg(m, x)


def plus(one, two):
    (f, df), (g, dg) = one, two
    return lambda m, x: f(m, x) + g(m, x), lambda m, x: df(m, x) + dg(m, x)


def after(one, two):
    (f, df), (g, dg) = one, two
    return lambda m, x: f(m, g(m, x)), lambda m, x: df(m, g(m, x)) * dg(m, x)


def scaled(one, size, offset):
    f, df = one
    return lambda m, x: size * (offset + f(m, x)), lambda m, x: size * df(m, x)


def ten_to(low, high):
    return st.floats(low, high).map(lambda exponent: 10**exponent)


signs = st.sampled_from([-1, 1])


def functions(frequencies):
    bounded = st.one_of(
        st.builds(sine, frequencies, st.floats(0, 6)),
        st.builds(logistic, frequencies),
        st.builds(rational, frequencies),
    )
    every = st.one_of(bounded, st.builds(power, st.integers(1, 6)), st.builds(exponential, st.floats(-2, 2)))
    pairs = st.one_of(
        every, st.builds(times, every, every), st.builds(plus, every, every), st.builds(after, every, bounded)
    )
    offsets = st.one_of(st.just(0), st.builds(lambda s, o: s * o, signs, ten_to(1, 8)))
    return st.builds(scaled, pairs, st.builds(lambda s, c: s * c, signs, ten_to(-12, 12)), offsets)


def points(most):
    return st.one_of(st.just(0.0), st.builds(lambda s, x: s * x, signs, ten_to(-3, most)))


def differences(function, x, **step):
    """The estimate of a function of one number, or none of this example where float64 cannot hold it."""
    with np.errstate(all="ignore"):
        assume(all(abs(function[0](np, np.float64(x + t))) < 1e290 for t in (-1, 0, 1)))
        return finite_difference_directional(lambda t: function[0](np, t[0]), np.array([x]), np.ones(1), **step)


def true_error(estimate, function, x):
    truth = function[1](mp, mp.mpf(x))
    assume(abs(truth) > 1e-290 or truth == 0)  # what is smaller underflows
    return abs(mp.mpf(float(estimate.value)) - truth)


@FIXED
@given(functions(ten_to(-2, 0.6)), points(1))
def test_the_error_holds_and_is_narrow_for_functions_that_vary_over_a_unit(function, x):
    estimate = differences(function, x)
    size = max(abs(float(function[j](np, np.float64(x + t)))) for j in (0, 1) for t in np.linspace(-1, 1, 9))
    assert true_error(estimate, function, x) <= estimate.error <= 1e-6 * size


@FIXED
@given(functions(ten_to(-2, 3)), points(1))
def test_the_error_holds_at_every_frequency(function, x):
    estimate = differences(function, x)
    assert true_error(estimate, function, x) <= estimate.error


@FIXED
@given(functions(ten_to(-2, 1)), points(6))
def test_the_error_holds_far_from_zero(function, x):
    estimate = differences(function, x)
    assert true_error(estimate, function, x) <= estimate.error


@FIXED
@given(functions(ten_to(-2, 1)), points(1), ten_to(-9, 0))
def test_the_error_holds_for_every_step(function, x, step):
    estimate = differences(function, x, step=step)
    assert true_error(estimate, function, x) <= estimate.error


# Several numbers at once.

seeds = st.integers(0, 2**32 - 1)


def random_case(seed, d, n):
    """A point and a matrix of unit size; what is built on them varies over about a unit."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)), rng.normal(size=d) * 10.0 ** rng.uniform(-2, 1)


def softmax(z):
    return np.exp(z - z.max()) / np.exp(z - z.max()).sum()


@FIXED
@given(seeds, st.integers(1, 5))
def test_the_errors_of_a_gradient_hold_in_every_component(seed, d):
    A, theta = random_case(seed, d, 4)
    estimate = finite_difference_gradient(lambda t: np.log(np.exp(A @ t).sum()), theta)
    truth = A.T @ softmax(A @ theta)  # to 1e-15
    assert (np.abs(estimate.value - truth) <= estimate.error + 1e-14).all()
    assert (estimate.error <= 1e-6 * (1 + np.abs(theta).max())).all()


@FIXED
@given(seeds, st.integers(1, 4), st.integers(1, 3))
def test_the_errors_of_a_jacobian_hold_in_every_entry(seed, d, m):
    A, theta = random_case(seed, d, m)
    estimate = finite_difference_jacobian(lambda t: np.sin(A @ t), theta)
    truth = np.cos(A @ theta)[:, None] * A
    assert estimate.value.shape == estimate.error.shape == (m, d)
    # A @ theta is itself rounded, in the truth as well
    assert (np.abs(estimate.value - truth) <= estimate.error + 1e-14 * (1 + np.abs(theta).max())).all()
    assert (estimate.error <= 1e-6 * (1 + np.abs(theta).max())).all()


@settings(FIXED, max_examples=100)
@given(seeds, ten_to(-6, 6))
def test_a_directional_derivative_is_the_gradient_times_the_direction_of_any_length(seed, length):
    A, theta = random_case(seed, 3, 4)
    v = length * np.random.default_rng(seed).normal(size=3)
    estimate = finite_difference_directional(lambda t: np.cos(A @ t).sum(), theta, v)
    truth = -np.sin(A @ theta) @ A @ v
    assert abs(estimate.value - truth) <= estimate.error + 1e-14 * length * (1 + np.abs(theta).max())
    assert estimate.error <= 1e-6 * length * (1 + np.abs(theta).max())


def test_the_directional_derivative_of_a_vector_valued_function_is_a_vector():
    A, theta = random_case(0, 3, 4)
    estimate = finite_difference_directional(lambda t: np.sin(A @ t), theta, np.ones(3))
    assert estimate.value.shape == estimate.error.shape == (4,)
    np.testing.assert_allclose(estimate.value, np.cos(A @ theta) * A.sum(axis=1), rtol=1e-9)


def test_a_jacobian_has_a_row_for_each_component_and_a_column_for_each_parameter():
    estimate = finite_difference_jacobian(
        lambda t: np.array([t[0] * t[1], t[2], t[0] - t[2] ** 2]), np.array([2.0, 3, 5])
    )
    np.testing.assert_allclose(estimate.value, [[3, 2, 0], [0, 0, 1], [1, 0, -10]], atol=1e-9)


def test_5000_parameters_cost_a_directional_derivative_no_more_than_one():
    rng = np.random.default_rng(0)
    weights, theta, v = rng.normal(size=(3, 5000))
    calls = []

    def function(t):
        calls.append(t)
        return weights @ np.log(np.cosh(t))

    estimate = finite_difference_directional(function, theta, v)
    assert abs(estimate.value - weights * np.tanh(theta) @ v) <= estimate.error
    assert estimate.error <= 1e-6 * np.linalg.norm(weights)
    assert len(calls) <= 12


@pytest.mark.parametrize("step", [{}, {"step": 2.0**-7}], ids=["its own step", "a given step"])
@pytest.mark.parametrize("waves", [32, 64, 128, 256, 512, 1024, 2048])
def test_a_wave_that_repeats_itself_within_the_step_does_not_deceive(waves, step):
    w = 2 * np.pi * waves
    estimate = finite_difference_gradient(lambda t: np.sin(w * t[0]), np.array([0.1]), **step)
    assert abs(estimate.value[0] - w * np.cos(w * 0.1)) <= estimate.error[0]


def test_many_parameters_that_move_together_vary_fast_and_the_error_holds():
    """Along the vector of ones a sum of 5000 parameters is a single number with frequency 5000."""
    theta = np.linspace(-1, 1, 5000)
    estimate = finite_difference_directional(lambda t: np.sin(t.sum()), theta, np.ones(5000))
    assert abs(estimate.value - 5000 * np.cos(theta.sum())) <= estimate.error


# Where there is nothing to extrapolate, and where there is no derivative.


@pytest.mark.parametrize("theta", [0.0, 1.0, -3e4, 1e12, 1e17])
def test_a_linear_function_has_its_slope_everywhere(theta):
    estimate = finite_difference_gradient(lambda t: 3 * t[0] - 3 * theta, np.array([theta]))
    assert abs(estimate.value[0] - 3) <= estimate.error[0] <= 1e-4


@pytest.mark.parametrize("constant", [0.0, 1.0, -1e9])
def test_a_constant_has_no_slope(constant):
    estimate = finite_difference_gradient(lambda t: constant, np.array([0.3]))
    assert estimate.value[0] == 0
    assert estimate.error[0] <= 1e-11 * abs(constant)


@pytest.mark.parametrize("step", [{}, {"step": 2.0**-7}], ids=["its own step", "a given step"])
@pytest.mark.parametrize("distance", [-7e-3, -1e-4, 1e-4, 2e-3, 7e-3])
def test_the_error_holds_beside_a_kink(distance, step):
    estimate = finite_difference_gradient(lambda t: np.maximum(t[0], 0), np.array([distance]), **step)
    assert abs(estimate.value[0] - (distance > 0)) <= estimate.error[0]


@pytest.mark.parametrize("step", [1e-10, 1e-6, 2.0**-7])
def test_rounding_is_not_forgotten_where_the_values_are_large(step):
    estimate = finite_difference_gradient(lambda t: 1e6 + np.sin(t[0]), np.array([0.7]), step=step)
    assert abs(estimate.value[0] - np.cos(0.7)) <= estimate.error[0]
    assert estimate.error[0] >= np.spacing(1e6) / step  # one unit in the last place, over the step


def test_the_step_is_the_distance_that_is_tried():
    tried = []
    finite_difference_gradient(lambda t: tried.append(t[0]) or t[0] ** 2, np.array([0.5]), step=0.25)
    assert max(tried) == 0.75
    assert min(tried) == 0.25


def test_a_smaller_step_truncates_less_and_rounds_more():
    def error(step):
        return finite_difference_gradient(lambda t: np.exp(3 * t[0]), np.array([0.5]), step=step).error[0]

    assert error(1e-2) < error(0.5) / 100
    assert error(1e-2) < error(1e-8) / 100


# The same questions to scipy.differentiate.


@pytest.mark.parametrize("name", ["sin", "exp", "tanh", "arctan", "log1p"])
def test_scipy_says_the_same_derivative(name):
    function = getattr(np, name)
    estimate = finite_difference_gradient(lambda t: function(t[0]), np.array([0.6]))
    scipy_estimate = differentiate.derivative(function, 0.6)
    assert abs(estimate.value[0] - scipy_estimate.df) <= estimate.error[0] + scipy_estimate.error
    assert estimate.error[0] < 1e-10


def test_scipy_says_the_same_jacobian():
    def function(t):
        return np.array([t[0] * np.sin(t[1]), np.exp(t[2] - t[0]), t[0] * t[1] * t[2]])

    theta = np.array([0.5, -1.0, 2.0])
    estimate, scipy_estimate = finite_difference_jacobian(function, theta), differentiate.jacobian(function, theta)
    assert (np.abs(estimate.value - scipy_estimate.df) <= estimate.error + scipy_estimate.error).all()
    assert (estimate.error < 1e-9).all()


def test_scipy_says_the_same_gradient_of_rosenbrock():
    loss, theta = rosenbrock(), np.array([-0.5, 0.7])
    estimate = finite_difference_gradient(loss.value, theta)
    scipy_estimate = differentiate.jacobian(lambda t: np.apply_along_axis(loss.value, 0, t), theta)
    assert (np.abs(estimate.value - scipy_estimate.df) <= estimate.error + scipy_estimate.error).all()
    assert (estimate.error < 1e-6 * np.abs(estimate.value).max()).all()


# The complex step.


ANALYTIC = [power(5), exponential(-1.5), sine(2, 0.3), logistic(3), rational(0.7), times(sine(1, 0), exponential(1))]


@pytest.mark.parametrize("function", [*ANALYTIC, after(sine(2, 0), logistic(1)), plus(power(2), rational(2))])
@pytest.mark.parametrize("x", [-2.5, 0.125, 1.75])
def test_the_complex_step_of_analytic_code_is_exact_to_rounding(function, x):
    along = complex_step(lambda t: function[0](np, t[0]), np.array([x]), np.ones(1))
    np.testing.assert_allclose(along, float(function[1](mp, mp.mpf(x))), rtol=1e-14)


def test_the_complex_step_scales_with_its_direction_and_keeps_the_shape():
    A, theta = random_case(0, 3, 4)
    v = np.array([1e3, -2e3, 5e2])
    along = complex_step(lambda t: np.tanh(A @ t), theta, v)
    np.testing.assert_allclose(along, (1 - np.tanh(A @ theta) ** 2) * (A @ v), rtol=1e-13)
    assert np.shape(complex_step(lambda t: np.tanh(A @ t).sum(), theta, v)) == ()


@pytest.mark.parametrize("function", [lambda t: np.abs(t).sum(), lambda t: t.real.sum(), lambda t: 3.0, lambda t: 3])
def test_the_complex_step_refuses_what_loses_the_imaginary_part(function):
    with pytest.raises(TypeError, match="lost the imaginary part, so it is not analytic code; use finite differences"):
        complex_step(function, np.ones(2), np.ones(2))


def test_an_estimate_cannot_be_changed():
    with pytest.raises(AttributeError):
        Estimate(1.0, 0.1).error = 0.0
