"""Finite differences against derivatives known exactly, evaluated to 50 digits, and against scipy.differentiate."""

import re
from types import SimpleNamespace

import mpmath
import numpy as np
import pytest
from hypothesis import assume, example, given, settings
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
from mathlib.finite_differences import CUBIC, _aliasing, _choose, _confirmed, _regular, _Rung

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
@example(scaled(times(power(1), power(6)), -1, 0), -0.01, 1.0)  # was half a unit in the last place too small
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


# A fast part on a slow one, and other functions whose scale the first step misses.


def slow(rng):
    """A function that varies over about a unit, and its derivative."""
    s, k, p = rng.normal(), rng.uniform(0.3, 3), rng.uniform(0, 6)
    kinds = [
        (lambda x: s * x, lambda x: s),
        (lambda x: s * np.sin(k * x + p), lambda x: s * k * np.cos(k * x + p)),
        (lambda x: s * np.exp(k * x / 2), lambda x: s * k / 2 * np.exp(k * x / 2)),
        (lambda x: s * (x - k) ** 3 + p * x**2, lambda x: 3 * s * (x - k) ** 2 + 2 * p * x),
    ]
    return kinds[rng.integers(len(kinds))]


def wave(rng):
    """A frequency from 2³ to 2¹⁴, every other time one that repeats itself within the step, and an amplitude."""
    w, a = 2 ** rng.uniform(3, 14), 10 ** rng.uniform(-4, 0)
    w, p = (w, rng.uniform(0, 6)) if rng.random() < 0.5 else (2.0 ** rng.integers(3, 15) * np.pi, 0.0)
    return lambda x: a * np.sin(w * x + p), lambda x: a * w * np.cos(w * x + p)


def faint_wave(rng):
    """A wave that is hidden where the slow part's own changes are what counts."""
    (f, df), faint = wave(rng), 10 ** rng.uniform(-7, -3)
    return lambda x: faint * f(x), lambda x: faint * df(x)


def kink(rng):
    """A change of slope at a distance of 1e-9 to 1, which the values near it show."""
    at = rng.choice([-1, 1]) * 10 ** rng.uniform(-9, 0)
    size = 10 ** rng.uniform(max(-8, -11 - np.log10(abs(at))), 0.5)
    return lambda x: size * np.abs(x - at), lambda x: size * np.sign(x - at)


def jump(rng):
    at, size = rng.choice([-1, 1]) * 10 ** rng.uniform(-8, 0), 10 ** rng.uniform(-8, 0)
    return lambda x: size * np.float64(x > at), lambda x: 0.0


def cube_root(rng):
    at, size = rng.choice([-1, 1]) * 10 ** rng.uniform(-8, 0), 10 ** rng.uniform(-4, 0)
    return lambda x: size * np.cbrt(x - at), lambda x: size / 3 / np.cbrt(x - at) ** 2


def threshold(rng):
    width, size = 10 ** rng.uniform(-5, 0), 10 ** rng.uniform(-6, 1)
    at = rng.uniform(-2, 2) * width
    return (
        lambda x: size * np.tanh((x - at) / width),
        lambda x: size / width * (1 - np.tanh((x - at) / width) ** 2),
    )


def peak(rng):
    """A quotient with poles as near as 1e-4."""
    r = 10 ** rng.uniform(-4, 1)
    return (
        lambda x: r**3 / ((x - r / 2) ** 2 + r**2),
        lambda x: -2 * r**3 * (x - r / 2) / ((x - r / 2) ** 2 + r**2) ** 2,
    )


def power_of_distance(rng):
    """A kink in the derivative, which the values near it show."""
    at = rng.choice([-1, 1]) * 10 ** rng.uniform(-6, 0)
    size = 10 ** rng.uniform(max(-6, -11 - np.log10(abs(at))), 0)
    return (
        lambda x: size * np.abs(x - at) ** 1.5,
        lambda x: 1.5 * size * np.sign(x - at) * np.abs(x - at) ** 0.5,
    )


def growth(rng):
    a = rng.choice([-1, 1]) * 10 ** rng.uniform(-2, 2)
    return lambda x: np.exp(a * x), lambda x: a * np.exp(a * x)


def irregular(x, salt):
    """A number between −1 and 1 that looks random, the same for the same x."""
    return 2 * np.modf(43758.5453 * np.sin(1e12 * x + salt))[0] ** 2 - 1


def noise(rng):
    """Much larger than rounding; it does not count as part of the derivative."""
    size, salt = 10 ** rng.uniform(-11, -3), rng.uniform(1, 1000)
    return lambda x: size * irregular(x, salt), lambda x: 0.0


def sums(second, seed, n=400):
    """n functions, each a slow part plus one of a second kind, with their derivatives and points."""
    for i in range(n):
        rng = np.random.default_rng([seed, i])
        (f, df), (g, dg) = slow(rng), second(rng)
        yield lambda x, f=f, g=g: f(x) + g(x), lambda x, df=df, dg=dg: df(x) + dg(x), rng.choice([0.0, 0.1])


KINDS = [wave, faint_wave, kink, jump, cube_root, threshold, peak, power_of_distance, growth, noise]


@pytest.mark.parametrize("second", KINDS, ids=lambda kind: kind.__name__)
def test_no_error_is_too_small_and_few_are_too_large_to_decide(second):
    undecided = 0
    for function, derivative, x in sums(second, seed=0):
        estimate = finite_difference_gradient(lambda t, f=function: f(t[0]), np.array([x]))
        (value,), (error,), truth = estimate.value, estimate.error, derivative(x)
        assert abs(value - truth) <= error + 1e-14 * abs(truth)  # the truth is rounded, too
        undecided += error > 1e-4 * abs(truth)
    assert undecided <= 40 or second is noise


def test_a_small_wave_that_repeats_itself_within_the_step_does_not_deceive():
    w = 2**11 * np.pi
    estimate = finite_difference_gradient(lambda t: t[0] + 3e-3 * np.sin(w * t[0]), np.zeros(1))
    assert abs(estimate.value[0] - (1 + 3e-3 * w)) <= estimate.error[0] <= 1e-6


def test_each_component_of_a_vector_gets_the_estimate_that_it_gets_alone():
    functions = [
        lambda x: x,
        lambda x: np.abs(x - 2.0**-8),
        lambda x: np.sin(5000 * x),
        lambda x: np.exp(x) + 1e-3 * np.sin(3000 * x),
        lambda x: np.cos(x),  # its derivative is zero, so no error is small beside it
        np.cbrt,
        lambda x: 1e-7 * irregular(x, 1.0),
        lambda x: 7.0,
        lambda x: np.exp(3 * x) + 1e-11 * irregular(x, 2.0),
        lambda x: np.sin(600 * x) + 1e-9 * irregular(x, 3.0),
    ]
    together = finite_difference_jacobian(lambda t: np.array([f(t[0]) for f in functions]), np.zeros(1))
    for f, value, error in zip(functions, together.value[:, 0], together.error[:, 0], strict=True):
        alone = finite_difference_gradient(lambda t, f=f: f(t[0]), np.zeros(1))
        assert (alone.value[0], alone.error[0]) == (value, error)
    truth = [1, -1, 5000, 4, 0]
    assert (np.abs(together.value[:5, 0] - truth) <= together.error[:5, 0]).all()
    assert (together.error[:5, 0] <= 1e-6 * np.maximum(1, np.abs(truth))).all()


def tried(function, x=0.0, **step):
    """How far from x the function was evaluated to the right, in the order of the evaluations; and the estimate."""
    points = []
    estimate = finite_difference_gradient(lambda t: points.append(t[0]) or function(t[0]), np.array([x]), **step)
    right = [p - x for p in points if p > x]
    np.testing.assert_allclose(sorted(points), sorted(x + s * t for t in right for s in (-1, 1)), rtol=1e-14)
    return right, estimate


def test_a_function_that_varies_over_a_unit_takes_ten_evaluations():
    right, _ = tried(np.sin)
    np.testing.assert_allclose(right, [2.0**-7, 2.0**-8, 2.0**-9, 2.0**-10, 0.381966011250105 * 2.0**-7], rtol=1e-15)


def test_each_halving_takes_four_evaluations_at_an_eighth_and_at_0382_of_the_new_step():
    right, estimate = tried(lambda x: np.sin(3000 * x))
    halvings = (len(right) - 5) // 2
    assert 5 <= halvings <= 10
    expected = [x for n in range(1, halvings + 1) for x in (2.0 ** (-10 - n), 0.381966011250105 * 2.0 ** (-7 - n))]
    np.testing.assert_allclose(right[5:], expected, rtol=1e-15)
    h = 2.0 ** (-7 - halvings)
    assert estimate.value[0] == pytest.approx(extrapolated(lambda x: np.sin(3000 * x), 0.0, h), rel=1e-12)


def extrapolated(function, x, h):
    """Three central differences, extrapolated: Romberg's weights."""
    D = [(function(x + h / 2**k) - function(x - h / 2**k)) / (2 * h / 2**k) for k in range(3)]
    return (D[0] - 20 * D[1] + 64 * D[2]) / 45


def test_on_a_flat_stretch_the_derivative_is_zero_without_an_error():
    """Beyond the stretch, which is narrower than the first steps, the function rises."""
    estimate = finite_difference_gradient(lambda t: np.sign(t[0]) * max(0.0, abs(t[0]) - 2.0**-11) ** 2, np.zeros(1))
    assert (estimate.value, estimate.error) == (0, 0)


def test_where_no_rung_is_accurate_the_regular_one_with_the_smallest_error_is_taken():
    rungs = []
    for value, error, regular in [(9.0, 1e-3, False), (2.0, 3e-2, True), (1.0, 1e-2, True), (5.0, 1e-1, True)]:
        numbers = {"value": value, "error": error, "unresolved": 99.0, "noise": 0.0, "seen": 0.0}
        flags = {"regular": regular, "settled": regular, "accurate": False}
        rungs.append(_Rung(**{name: np.array(field) for name, field in (numbers | flags).items()}))
    assert _choose(rungs) == (1.0, 1e-2)


def test_a_rung_is_confirmed_where_it_and_the_one_before_are_settled_and_the_first_by_itself():
    rungs = [SimpleNamespace(settled=np.array(settled)) for settled in (True, False, True, True)]
    np.testing.assert_array_equal(_confirmed(rungs), [True, False, False, True])


@pytest.mark.parametrize("own", [0.0, 3e-4])
@pytest.mark.parametrize("others", [0.0, 2e-4])
def test_roundings_of_the_five_differences_add_up_like_independent_errors(own, others):
    """The root of the sum of their squares, each by its weight in the cubic; half, for a bound is of two roundings."""
    rounding = others * np.ones(4)
    residual, noise = _aliasing(np.ones(4), rounding, (np.array(1.5), np.array(own)))
    assert noise == pytest.approx(np.linalg.norm([own, *(CUBIC * rounding)]) / 2)
    assert residual == pytest.approx(0.5)  # the cubic through four ones is one


@pytest.mark.parametrize(
    ("factor", "noise", "regular"),
    [
        (1 / 4, 0, True),
        (1 / 16, 0, True),
        (1 / 2, 0, False),
        (1 / 8, 0, False),
        (1 / 32, 0, False),
        (-1 / 4, 0, False),
        (-1 / 16, 0, False),
        (0.3124, 0, True),  # of a quarter or a sixteenth, a quarter more or less
        (0.3126, 0, False),
        (0.1876, 0, True),
        (0.1874, 0, False),
        (0.0781, 0, True),
        (0.0782, 0, False),
        (0.0469, 0, True),
        (0.0468, 0, False),
        (0.3144, 1e-3, True),  # and of the rounding, 8 times over 4 and 32 times over 16
        (0.3146, 1e-3, False),
        (0.0801, 1e-3, True),
        (0.0802, 1e-3, False),
    ],
)
def test_differences_are_regular_that_change_by_a_quarter_or_a_sixteenth(factor, noise, regular):
    nowhere = [np.inf, np.inf]  # the rounding of the first two differences is that of no change's finer end
    assert _regular(np.array([1.0, factor, factor / 4]), np.array([*nowhere, noise, np.inf])) == regular
    assert _regular(np.array([4.0, 1.0, factor]), np.array([*nowhere, 0, noise])) == regular


@pytest.mark.parametrize(("function", "x", "h"), [(np.exp, 0.5, 0.25), (lambda x: x + x**3 + x**7, 0.0, 0.25)])
def test_the_truncation_error_is_the_last_change_or_twice_the_one_to_come(function, x, h):
    """The second function has no fifth derivative at 0, so that its last change is small by accident."""
    D = [(function(x + h / 2**k) - function(x - h / 2**k)) / (2 * h / 2**k) for k in range(4)]
    first = [(4 * D[k + 1] - D[k]) / 3 for k in range(3)]
    last = abs(extrapolated(function, x, h) - first[1])
    to_come = 2 * abs(extrapolated(function, x, h) - extrapolated(function, x, h / 2))
    estimate = finite_difference_gradient(lambda t: function(t[0]), np.array([x]), step=h)
    assert estimate.error[0] == pytest.approx(max(last, to_come), rel=1e-6, abs=0)


@pytest.mark.parametrize(("function", "x", "step"), [(np.sin, 0.3, 0.25), (np.exp, 0.0, 2.0), (np.cbrt, 1e-3, 0.125)])
def test_a_given_step_is_kept_even_where_it_is_too_large(function, x, step):
    estimate = finite_difference_gradient(lambda t: function(t[0]), np.array([x]), step=step)
    assert estimate.value[0] == pytest.approx(extrapolated(function, x, step), rel=1e-12)


def test_the_error_of_a_step_that_is_too_large_is_the_distance_to_what_a_smaller_one_finds():
    function = lambda t: t[0] + 0.1 * np.sin(200 * t[0])  # noqa: E731
    estimate = finite_difference_gradient(function, np.zeros(1), step=1.0)
    assert estimate.error[0] == pytest.approx(abs(estimate.value[0] - 21), rel=1e-6)


def test_of_a_given_step_each_component_is_judged_by_itself():
    functions = [lambda x: np.sin(x), lambda x: x + 0.1 * np.sin(200 * x)]
    together = finite_difference_jacobian(lambda t: np.array([f(t[0]) for f in functions]), np.zeros(1), step=0.25)
    for f, value, error in zip(functions, together.value[:, 0], together.error[:, 0], strict=True):
        alone = finite_difference_gradient(lambda t, f=f: f(t[0]), np.zeros(1), step=0.25)
        assert (alone.value[0], alone.error[0]) == (value, error)


@pytest.mark.parametrize(("theta", "scale"), [([1.0, 0.0], 1), ([1e6, 1e5], 1), ([1.0, 1e9], 1e3), ([-2e9, 5.0], 2e3)])
def test_the_first_step_grows_with_the_largest_entry_that_moves_and_only_far_out(theta, scale):
    points = []
    theta = np.array(theta)
    finite_difference_directional(lambda t: points.append(t - theta) or t.sum(), theta, np.ones(2))
    assert np.max(points) == pytest.approx(scale / 128, rel=1e-6)
    finite_difference_directional(lambda t: points.append(t - theta) or t.sum(), theta, np.array([0.0, 1.0]))
    assert points[-10][1] == pytest.approx(max(1, abs(theta[1]) / 1e6) / 128, rel=1e-6)


def test_a_given_step_that_is_small_enough_takes_ten_evaluations():
    right, _ = tried(np.sin, step=2.0**-9)
    assert len(right) == 5
    assert max(right) == 2.0**-9


@pytest.mark.parametrize(
    ("function", "theta", "values", "farthest"),
    [
        (lambda t: t[0] + 2.0**-9, [0.0, 0.0], 2.0**-8, 0.0),  # 0 on the left, where the right has 2⁻⁸
        (lambda t: 2.0**-9 - t[0], [0.0, 0.0], 2.0**-8, 0.0),
        (lambda t: t[0] - 3, [3.0, 5.0], 2.0**-9, 5.0),
        (lambda t: t[0] - 5, [5.0, 3.0], 2.0**-9, 5.0),
    ],
)
def test_the_error_of_a_linear_function_is_ten_units_of_rounding_twice_in_the_values_and_in_the_point(
    function, theta, values, farthest
):
    estimate = finite_difference_directional(function, np.array(theta), np.ones(2))
    assert estimate.error == pytest.approx(20 * np.finfo(float).eps * (values + farthest) / 2.0**-9, rel=1e-12, abs=0)


def test_the_point_is_a_vector_and_the_direction_is_not_zero():
    with pytest.raises(ValueError, match=r"theta has shape \(1, 2\), direction \(1, 2\); expected both \(d,\)"):
        finite_difference_directional(lambda t: t.sum(), np.ones((1, 2)), np.ones((1, 2)))
    with pytest.raises(ValueError, match=r"^direction is zero everywhere; .* Pass another vector\.$"):
        finite_difference_directional(lambda t: t.sum(), np.ones(2), np.zeros(2))


@pytest.mark.parametrize("differentiate_along", [finite_difference_directional, complex_step])
def test_single_precision_is_refused_in_the_point_and_in_the_direction(differentiate_along):
    double, single = np.ones(2), np.ones(2, dtype=np.float32)
    with pytest.raises(TypeError, match="theta has dtype float32"):
        differentiate_along(lambda t: t.sum(), single, double)
    with pytest.raises(TypeError, match="direction has dtype float32"):
        differentiate_along(lambda t: t.sum(), double, single)


def test_a_given_step_is_never_exceeded():
    """Its own first step, 1/128, would lead to where the logarithm is undefined."""
    right, estimate = tried(lambda x: np.log(x) + 1e-3 * np.sin(3e4 * x), x=0.004, step=0.002)
    assert max(right) <= 0.002
    assert abs(estimate.value[0] - (250 + 30 * np.cos(120))) <= estimate.error[0]


def test_where_no_step_shows_a_law_the_error_exceeds_the_value_and_the_search_ends():
    right, estimate = tried(np.cbrt)
    assert 0 < 1.5 * estimate.value[0] < estimate.error[0] < np.inf
    assert len(right) == 126 / 2
    assert min(right) == 2.0**-39
    D = [2.0**24, 2.0**26]  # the smallest and the largest of the last four differences, h^(-2/3)
    assert estimate.error[0] == pytest.approx(D[1] + 4 * (D[1] - D[0]), rel=1e-9)
    estimate = finite_difference_gradient(lambda t: np.array([t[0], np.cbrt(t[0])]) @ np.array([0.0, 1.0]), np.zeros(1))
    assert estimate.value.shape == estimate.error.shape == (1,)


def test_the_values_of_a_noisy_function_are_still_differentiated():
    rng = np.random.default_rng(3)
    estimate = finite_difference_gradient(lambda t: np.sin(t[0]) + 1e-11 * rng.uniform(-1, 1), np.array([0.5]))
    assert abs(estimate.value[0] - np.cos(0.5)) <= estimate.error[0] <= 1e-5


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
    # Both sides subtract in A @ v and in 1 - tanh²: what rounding leaves is relative to the terms, not to the result.
    terms = (1 + np.tanh(A @ theta) ** 2) * (np.abs(A) @ np.abs(v))
    difference = along - (1 - np.tanh(A @ theta) ** 2) * (A @ v)
    assert (np.abs(difference) <= 10 * np.finfo(float).eps * (1 + np.abs(A) @ np.abs(theta)) * terms).all()
    assert np.shape(complex_step(lambda t: np.tanh(A @ t).sum(), theta, v)) == ()


def test_the_complex_step_inherits_the_cancellation_of_the_code():
    """1 − cos(x) over x² loses half of the digits at 1e-4, in its derivative as in its value."""
    quotient = lambda t: (1 - np.cos(t[0])) / t[0] ** 2  # noqa: E731
    x = np.array([1e-4])
    assert 1e-10 < abs(quotient(x) - (1 / 2 - 1e-8 / 24)) < 1e-7
    assert 1e-10 < abs(complex_step(quotient, x, np.ones(1)) + 1e-4 / 12) < 1e-3


@pytest.mark.parametrize("function", [lambda t: np.abs(t).sum(), lambda t: t.real.sum(), lambda t: 3.0, lambda t: 3])
def test_the_complex_step_refuses_what_loses_the_imaginary_part(function):
    message = "the function lost the imaginary part, so it is not analytic code; use finite differences."
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        complex_step(function, np.ones(2), np.ones(2))


def test_an_estimate_cannot_be_changed():
    with pytest.raises(AttributeError):
        Estimate(1.0, 0.1).error = 0.0
