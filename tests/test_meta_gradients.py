"""Meta-gradients against direct differentiation, closed forms, finite differences and the complex step."""

from itertools import combinations
from math import prod

import numpy as np
import pytest
import scipy.linalg
import scipy.optimize
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

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

ALPHA = sympy.Symbol("alpha")


class LogCosh:
    """Σ_j log cosh((Aθ)_j), written without mathlib; with A of shape (tasks, n, d) one loss for each row of theta."""

    def __init__(self, A):
        self.A = A

    def value(self, theta):
        return np.log(np.cosh(self._inside(theta))).sum(axis=-1)

    def gradient(self, theta):
        return self._back(np.tanh(self._inside(theta)))

    def linearize(self, theta):
        curvature = 1 - np.tanh(self._inside(theta)) ** 2
        return self.gradient(theta), lambda v: self._back(curvature * self._inside(v))

    def _inside(self, theta):
        return np.einsum("...nd,...d->...n", self.A, theta)

    def _back(self, v):
        return np.einsum("...nd,...n->...d", self.A, v)


class Bowl:
    """½ (θ − c)ᵀA(θ − c), written without mathlib."""

    def __init__(self, A, c):
        self.A = A
        self.c = c

    def value(self, theta):
        return (theta - self.c) @ self.A @ (theta - self.c) / 2

    def gradient(self, theta):
        return self.A @ (theta - self.c)

    def linearize(self, theta):
        return self.gradient(theta), lambda v: self.A @ v

    def hessian(self, theta):
        return self.A


def unknown(name, d):
    return any_loss(name, sympy.symbols(f"x1:{d + 1}"))


def minibatch(seed, n=3, d=2):
    rng = np.random.default_rng(seed)
    return logistic(rng.normal(scale=2, size=(n, d)).round(2), rng.choice([-1.0, 1.0], n))


u, v = sympy.symbols("u v")
# support losses, query loss, theta, alpha; where d > 1 the Hessians do not commute
CASES = {
    "rosenbrock": ([rosenbrock(a=1, b=5)] * 5, rosenbrock(a=2, b=3), np.array([-0.5, 0.8]), 0.02),
    "minibatches": ([minibatch(s) for s in (1, 2, 3)], minibatch(4), np.array([0.5, -1.0]), 0.7),
    "double well": ([double_well()] * 4, double_well(), np.array([0.4]), 0.3),
    "a mixture": (
        [
            rosenbrock(a=1, b=2),
            Loss(sympy.cos(u * v) + u, [u, v]),
            quadratic(np.array([[2.0, 1.0], [1.0, 3.0]]), np.ones(2)),
        ],
        rosenbrock(a=0, b=1),
        np.array([0.3, -0.6]),
        0.1,
    ),
}
each_case = pytest.mark.parametrize(("losses", "query", "theta", "alpha"), list(CASES.values()), ids=list(CASES))


# Against numbers that were obtained by another route.


@each_case
def test_the_meta_gradient_is_what_finite_differences_of_the_meta_loss_say(losses, query, theta, alpha):
    estimate = finite_difference_gradient(lambda t: meta_loss(losses, query, t, alpha), theta)
    gradient = maml_gradient(losses, query, theta, alpha)
    assert (estimate.error < 1e-6 * np.abs(gradient).max()).all()
    assert (np.abs(estimate.value - gradient) <= estimate.error).all()


@each_case
def test_the_unrolled_jacobian_is_what_finite_differences_of_the_inner_loop_say(losses, query, theta, alpha):
    estimate = finite_difference_jacobian(lambda t: inner_loop(losses, t, alpha)[-1], theta)
    jacobian = unrolled_jacobian(losses, theta, alpha)
    assert (estimate.error < 1e-6 * np.abs(jacobian).max()).all()
    assert (np.abs(estimate.value - jacobian) <= estimate.error).all()


@each_case
def test_the_complex_step_through_the_whole_inner_loop_says_the_same(losses, query, theta, alpha):
    along = [complex_step(lambda t: meta_loss(losses, query, t, alpha), theta, e) for e in np.eye(theta.size)]
    # No subtraction anywhere: only the rounding of some hundred operations.
    np.testing.assert_allclose(maml_gradient(losses, query, theta, alpha), along, rtol=1e-12, atol=1e-13)


@each_case
def test_the_inner_loop_is_gradient_descent_with_one_loss_a_step(losses, query, theta, alpha):
    trajectory = inner_loop(losses, theta, alpha)
    assert len(trajectory) == len(losses) + 1
    np.testing.assert_array_equal(trajectory[0], theta)
    for loss, before, after in zip(losses, trajectory[:-1], trajectory[1:], strict=True):
        np.testing.assert_array_equal(after, before - alpha * loss.gradient(before))
    assert meta_loss(losses, query, theta, alpha) == query.value(trajectory[-1])
    np.testing.assert_array_equal(fomaml_gradient(losses, query, theta, alpha), query.gradient(trajectory[-1]))


@each_case
def test_reptile_is_the_way_from_the_first_point_to_the_last_over_alpha(losses, query, theta, alpha):
    last = inner_loop(losses, theta, alpha)[-1]
    # The difference cancels: its rounding is that of theta, divided by alpha.
    np.testing.assert_allclose(
        reptile_gradient(losses, theta, alpha), (theta - last) / alpha, rtol=0, atol=1e-13 / alpha
    )


@pytest.mark.parametrize("case", ["rosenbrock", "minibatches", "a mixture"])
def test_the_hessians_of_a_case_do_not_commute_so_that_a_wrong_order_shows(case):
    losses, _, theta, alpha = CASES[case]
    factors = [step_jacobian(L, t, alpha) for L, t in zip(losses, inner_loop(losses, theta, alpha)[:-1], strict=True)]
    forward = np.linalg.multi_dot(factors)
    backward = np.linalg.multi_dot(factors[::-1])
    assert np.abs(forward - backward).max() > 1e-3 * np.abs(forward).max()


def test_on_a_quadratic_the_powers_of_one_matrix_give_every_gradient():
    A = np.array([[2.0, 0.5, 0.0], [0.5, 1.0, -0.25], [0.0, -0.25, 3.0]])
    c = np.array([1.0, -2.0, 0.5])
    theta = np.array([0.5, 1.0, -1.5])
    alpha = 0.2
    K = 5
    I = np.eye(3)
    loss = quadratic(A, c)
    power = np.linalg.matrix_power
    close = {"rtol": 1e-12, "atol": 1e-14}
    np.testing.assert_allclose(
        maml_gradient([loss] * K, loss, theta, alpha), power(I - alpha * A, 2 * K) @ A @ (theta - c), **close
    )
    np.testing.assert_allclose(
        fomaml_gradient([loss] * K, loss, theta, alpha), power(I - alpha * A, K) @ A @ (theta - c), **close
    )
    np.testing.assert_allclose(unrolled_jacobian([loss] * K, theta, alpha), power(I - alpha * A, K), **close)
    np.testing.assert_allclose(
        reptile_gradient([loss] * K, theta, alpha), (I - power(I - alpha * A, K)) @ (theta - c) / alpha, **close
    )


def test_symbols_and_numbers_agree():
    losses, query, theta, alpha = CASES["a mixture"]
    exact = sympy.Matrix([sympy.Rational(3, 10), sympy.Rational(-6, 10)])
    for function in (maml_gradient, fomaml_gradient):
        symbolic = function(losses[::2], query, exact, sympy.Rational(1, 10))
        np.testing.assert_allclose(
            function(losses[::2], query, theta, alpha), np.ravel(symbolic).astype(float), rtol=1e-13
        )


# Laws that hold for all inputs.

numbers = st.floats(-2, 2).map(lambda a: round(a, 3))
step_sizes = st.floats(0.01, 0.5)
laws = settings(derandomize=True, deadline=None, max_examples=40)


def vectors(d=3):
    return st.lists(numbers, min_size=d, max_size=d).map(np.array)


def matrices(n=2, d=3):
    return st.lists(vectors(d), min_size=n, max_size=n).map(np.array)


def bowls(d=3):
    return st.builds(lambda B, c: Bowl(B + B.T, c), matrices(d, d), vectors(d))


curved = st.lists(matrices().map(LogCosh), min_size=1, max_size=4)


@pytest.mark.parametrize("alpha", [0, 0.1])
def test_no_steps_change_nothing(alpha):
    query = rosenbrock()
    theta = np.array([0.5, -1.0])
    assert inner_loop([], theta, alpha) == [theta]
    assert meta_loss([], query, theta, alpha) == query.value(theta)
    np.testing.assert_array_equal(unrolled_jacobian([], theta, alpha), np.eye(2))
    np.testing.assert_array_equal(maml_gradient([], query, theta, alpha), query.gradient(theta))
    np.testing.assert_array_equal(fomaml_gradient([], query, theta, alpha), query.gradient(theta))
    np.testing.assert_array_equal(reptile_gradient([], theta, alpha), [0, 0])


def test_no_steps_change_nothing_in_symbols():
    query = unknown("Q", 2)
    theta = sympy.Matrix(query.variables)
    assert unrolled_jacobian([], theta, ALPHA) == sympy.eye(2)
    assert maml_gradient([], query, theta, ALPHA) == fomaml_gradient([], query, theta, ALPHA) == query.gradient(theta)
    assert reptile_gradient([], theta, ALPHA) == sympy.zeros(2, 1)


@laws
@given(curved, matrices().map(LogCosh), vectors())
def test_steps_of_length_zero_leave_the_query_gradient(losses, query, theta):
    np.testing.assert_array_equal(inner_loop(losses, theta, 0)[-1], theta)
    np.testing.assert_array_equal(maml_gradient(losses, query, theta, 0), query.gradient(theta))


@laws
@given(st.lists(vectors(), min_size=1, max_size=4), matrices().map(LogCosh), vectors(), step_sizes)
def test_on_linear_losses_first_order_is_exact(slopes, query, theta, alpha):
    losses = [Slope(slope) for slope in slopes]
    moved = query.gradient(theta - alpha * np.sum(slopes, axis=0))
    np.testing.assert_array_equal(
        maml_gradient(losses, query, theta, alpha), fomaml_gradient(losses, query, theta, alpha)
    )
    np.testing.assert_allclose(maml_gradient(losses, query, theta, alpha), moved, rtol=0, atol=1e-13)


class Slope:
    """The linear loss with this gradient everywhere."""

    def __init__(self, slope):
        self.slope = slope

    def gradient(self, theta):
        return self.slope

    def linearize(self, theta):
        return self.slope, lambda v: 0 * v


@laws
@given(st.lists(vectors(), min_size=2, max_size=4), st.randoms(use_true_random=False), vectors(), step_sizes)
def test_where_hessians_commute_the_order_of_the_steps_does_not_matter(diagonals, random, theta, alpha):
    losses = [Bowl(np.diag(d), np.zeros(3)) for d in diagonals]
    query = Bowl(np.ones((3, 3)), np.ones(3))
    shuffled = random.sample(losses, len(losses))
    np.testing.assert_allclose(
        maml_gradient(losses, query, theta, alpha), maml_gradient(shuffled, query, theta, alpha), rtol=0, atol=1e-12
    )


@laws
@given(curved, matrices().map(LogCosh), vectors(), step_sizes, st.integers(0, 4))
def test_a_trajectory_can_be_cut_anywhere(losses, query, theta, alpha, cut):
    """The gradient at θ_j travels back through the first j steps as the gradient of a linear query loss would."""
    middle = inner_loop(losses[:cut], theta, alpha)[-1]
    rest = Slope(maml_gradient(losses[cut:], query, middle, alpha))
    np.testing.assert_allclose(
        maml_gradient(losses, query, theta, alpha), maml_gradient(losses[:cut], rest, theta, alpha), rtol=0, atol=1e-13
    )


@laws
@given(st.lists(bowls(), min_size=1, max_size=3), bowls(), vectors(), step_sizes, st.sampled_from([0.25, 3.0, 100.0]))
def test_a_steeper_support_loss_is_a_longer_step(losses, query, theta, alpha, factor):
    steeper = [Bowl(factor * loss.A, loss.c) for loss in losses]
    expected = maml_gradient(losses, query, theta, alpha)
    np.testing.assert_allclose(
        maml_gradient(steeper, query, theta, alpha / factor), expected, rtol=1e-12, atol=1e-12 * np.abs(expected).max()
    )


@laws
@given(st.lists(bowls(), min_size=1, max_size=3), bowls(), vectors(), step_sizes, st.sampled_from([-2.0, 0.5, 1e3]))
def test_a_steeper_query_loss_has_a_longer_gradient(losses, query, theta, alpha, factor):
    steeper = Bowl(factor * query.A, query.c)
    for function in (maml_gradient, fomaml_gradient):
        expected = factor * function(losses, query, theta, alpha)
        # relative to the factors' norms too: the product can be smaller than what it is made of
        np.testing.assert_allclose(
            function(losses, steeper, theta, alpha), expected, rtol=1e-12, atol=1e-12 * abs(factor)
        )


@laws
@given(curved, matrices().map(LogCosh), vectors(), vectors(), step_sizes)
def test_the_meta_gradient_along_any_direction_is_the_complex_step(losses, query, theta, direction, alpha):
    along = complex_step(lambda t: meta_loss(losses, query, t, alpha), theta, direction)
    assert abs(along - maml_gradient(losses, query, theta, alpha) @ direction) <= 1e-11


# Whatever answers to the names of a loss is one.


def test_with_1761_parameters_no_matrix_is_needed():
    rng = np.random.default_rng(0)
    losses = [LogCosh(rng.normal(size=(10, 1761)) / 30) for _ in range(5)]
    query = LogCosh(rng.normal(size=(20, 1761)) / 30)
    theta = rng.normal(size=1761)
    direction = rng.normal(size=1761)
    gradient = maml_gradient(losses, query, theta, 0.3)
    estimate = finite_difference_directional(lambda t: meta_loss(losses, query, t, 0.3), theta, direction)
    assert estimate.error < 1e-6 * np.linalg.norm(gradient)
    assert abs(gradient @ direction - estimate.value) <= estimate.error
    reversed_order = maml_gradient(losses[::-1], query, theta, 0.3)
    assert abs((gradient - reversed_order) @ direction) > 1e-3


@pytest.fixture
def tasks():
    rng = np.random.default_rng(7)
    batch = [LogCosh(rng.normal(size=(6, 4, 3))) for _ in range(4)]
    one_by_one = [[LogCosh(loss.A[task]) for loss in batch] for task in range(6)]
    return batch, one_by_one, rng.normal(size=(6, 3))


@pytest.mark.parametrize("function", [maml_gradient, fomaml_gradient, meta_loss])
def test_a_batch_of_tasks_gives_what_its_tasks_give_one_at_a_time(tasks, function):
    (*losses, query), one_by_one, theta = tasks
    single = [function(each[:-1], each[-1], point, 0.2) for each, point in zip(one_by_one, theta, strict=True)]
    np.testing.assert_allclose(function(losses, query, theta, 0.2), single, rtol=1e-12, atol=1e-14)


def test_reptile_and_the_inner_loop_take_a_batch_of_tasks_too(tasks):
    losses, one_by_one, theta = tasks
    reptiles = [reptile_gradient(each, point, 0.2) for each, point in zip(one_by_one, theta, strict=True)]
    np.testing.assert_allclose(reptile_gradient(losses, theta, 0.2), reptiles, rtol=1e-12, atol=1e-14)
    ends = [inner_loop(each, point, 0.2)[-1] for each, point in zip(one_by_one, theta, strict=True)]
    np.testing.assert_allclose(inner_loop(losses, theta, 0.2)[-1], ends, rtol=1e-12, atol=1e-14)


EVERY_FUNCTION = {
    "inner_loop": lambda L, Q, theta, alpha: inner_loop(L, theta, alpha)[-1],
    "meta_loss": meta_loss,
    "step_jacobian": lambda L, Q, theta, alpha: step_jacobian(L[0], theta, alpha),
    "unrolled_jacobian": lambda L, Q, theta, alpha: unrolled_jacobian(L, theta, alpha),
    "maml_gradient": maml_gradient,
    "fomaml_gradient": fomaml_gradient,
    "reptile_gradient": lambda L, Q, theta, alpha: reptile_gradient(L, theta, alpha),
    "implicit_gradient": lambda L, Q, theta, alpha: implicit_gradient(L[0], Q, theta, 1 / alpha),
    "inner_optimum": lambda L, Q, theta, alpha: inner_optimum(L[0], theta, 1 / alpha),
}
every_function = pytest.mark.parametrize("function", list(EVERY_FUNCTION.values()), ids=list(EVERY_FUNCTION))


@every_function
@pytest.mark.parametrize("alpha", [0.1, np.float64(0.1), np.float32(0.1)], ids=["float", "float64", "float32"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_precision_of_theta_is_kept(function, alpha, dtype):
    losses, query, theta, _ = CASES["minibatches"]
    result = function(losses, query, theta.astype(dtype), alpha)
    assert result.dtype == dtype
    np.testing.assert_allclose(result, function(losses, query, theta, 0.1), rtol=1e-4)


@every_function
def test_theta_is_never_written_to(function):
    losses, query, theta, alpha = CASES["minibatches"]
    frozen = theta.copy()
    frozen.flags.writeable = False
    function(losses, query, frozen, alpha)
    np.testing.assert_array_equal(frozen, theta)


@every_function
def test_the_list_of_losses_is_left_as_it_was(function):
    losses, query, theta, alpha = CASES["minibatches"]
    given = list(losses)
    assert np.array_equal(function(given, query, theta, alpha), function(tuple(losses), query, theta, alpha))
    assert given == losses


# For every smooth loss: proved, for the d and K that stand here.


def is_zero(matrix):
    return matrix.expand() == sympy.zeros(*matrix.shape)


UNKNOWN = {
    "d=2, K=3, three losses": [unknown(name, 2) for name in ("L", "M", "N")],
    "d=3, K=3, one loss": [unknown("L", 3)] * 3,
    "d=1, K=8, one loss": [unknown("L", 1)] * 8,
    "d=2, K=2, a loss returns": [unknown("L", 2), unknown("M", 2)],
    "d=4, K=1": [unknown("L", 4)],
}
each_unknown = pytest.mark.parametrize("losses", list(UNKNOWN.values()), ids=list(UNKNOWN))


@each_unknown
def test_the_meta_gradient_is_the_derivative_of_the_meta_loss_for_every_smooth_loss(losses):
    variables = losses[0].variables
    theta = sympy.Matrix(variables)
    query = any_loss("Q", variables)
    direct = sympy.Matrix([meta_loss(losses, query, theta, ALPHA).diff(x) for x in variables])
    assert is_zero(direct - maml_gradient(losses, query, theta, ALPHA))


@each_unknown
def test_the_unrolled_jacobian_is_the_derivative_of_the_last_point_for_every_smooth_loss(losses):
    theta = sympy.Matrix(losses[0].variables)
    direct = inner_loop(losses, theta, ALPHA)[-1].jacobian(theta)
    assert is_zero(direct - unrolled_jacobian(losses, theta, ALPHA))


@pytest.mark.parametrize("d", [1, 2, 3, 4, 5])
def test_the_jacobian_of_one_step_is_its_derivative_for_every_smooth_loss(d):
    theta = sympy.Matrix(unknown("L", d).variables)
    loss = unknown("L", d)
    assert is_zero((theta - ALPHA * loss.gradient(theta)).jacobian(theta) - step_jacobian(loss, theta, ALPHA))


def test_first_order_is_the_meta_gradient_less_its_hessians_for_every_smooth_loss():
    losses = UNKNOWN["d=2, K=3, three losses"]
    query = unknown("Q", 2)
    theta = sympy.Matrix(query.variables)
    assert fomaml_gradient(losses, query, theta, ALPHA) == query.gradient(inner_loop(losses, theta, ALPHA)[-1])
    assert not is_zero(fomaml_gradient(losses, query, theta, ALPHA) - maml_gradient(losses, query, theta, ALPHA))


class Letter:
    """A loss whose Hessian is one letter that does not commute: a matrix of any size."""

    def __init__(self, name):
        self.H = sympy.Symbol(name, commutative=False)

    def gradient(self, theta):
        return sympy.Matrix([sympy.Symbol("g", commutative=False)])

    def hessian(self, theta):
        return sympy.Matrix([self.H])

    def linearize(self, theta):
        return self.gradient(theta), lambda v: self.hessian(theta) * v


START = sympy.Matrix([sympy.Symbol("t", commutative=False)])


def ordered_sum(letters):
    """Σ over all subsets of (−α)^|subset| times the product of its letters, in their order."""
    subsets = [s for r in range(len(letters) + 1) for s in combinations(letters, r)]
    return sum((-ALPHA) ** len(subset) * prod(subset) for subset in subsets)


@pytest.mark.parametrize("K", range(9))
def test_the_meta_gradient_is_the_ordered_product_for_every_d(K):
    letters = [Letter(f"H{i}") for i in range(K)]
    expected = ordered_sum([letter.H for letter in letters]) * sympy.Symbol("g", commutative=False)
    assert sympy.expand(maml_gradient(letters, Letter("Q"), START, ALPHA)[0] - expected) == 0


@pytest.mark.parametrize("K", range(9))
def test_the_unrolled_jacobian_is_the_product_in_the_other_order_for_every_d(K):
    letters = [Letter(f"H{i}") for i in range(K)]
    expected = ordered_sum([letter.H for letter in reversed(letters)])
    assert sympy.expand(unrolled_jacobian(letters, START, ALPHA)[0] - expected) == 0


@pytest.mark.parametrize("K", range(5))
def test_one_more_step_multiplies_the_jacobian_from_the_left_for_every_d(K):
    letters = [Letter(f"H{i}") for i in range(K + 1)]
    before, after = (unrolled_jacobian(letters[:k], START, ALPHA)[0] for k in (K, K + 1))
    assert sympy.expand(after - (1 - ALPHA * letters[-1].H) * before) == 0


# The implicit gradient, at an inner optimum.


@pytest.mark.parametrize("strength", [1e-3, 0.3, 1.0, 20.0, 1e3])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_inner_optimum_is_where_scipy_finds_it(strength, seed):
    loss = minibatch(seed)
    theta = np.array([0.5, -1.0])
    by_scipy = scipy.optimize.root(
        lambda phi: loss.gradient(phi) + strength * (phi - theta),
        theta,
        jac=lambda phi: loss.hessian(phi) + strength * np.eye(theta.size),
        tol=1e-14,
    ).x
    np.testing.assert_allclose(inner_optimum(loss, theta, strength), by_scipy, rtol=1e-11)


@pytest.mark.parametrize("strength", [0.3, 20.0])
def test_the_inner_optimum_of_a_quadratic_is_a_weighted_mean(strength):
    A = np.array([[2.0, 0.5], [0.5, 1.0]])
    c = np.array([1.0, -2.0])
    theta = np.array([0.5, 3.0])
    expected = np.linalg.solve(A + strength * np.eye(2), A @ c + strength * theta)
    np.testing.assert_allclose(inner_optimum(Bowl(A, c), theta, strength), expected, rtol=1e-13)


@pytest.mark.parametrize("scale", [2.0**-60, 2.0**60])
def test_an_inner_optimum_does_not_depend_on_the_unit_of_length(scale):
    A = np.array([[2.0, 0.5], [0.5, 1.0]])
    c = np.array([1.0, -2.0])
    theta = np.array([0.5, 3.0])
    scaled = inner_optimum(Bowl(A, scale * c), scale * theta, 0.3)
    np.testing.assert_allclose(scaled, scale * inner_optimum(Bowl(A, c), theta, 0.3), rtol=1e-13)


def test_an_inner_optimum_in_single_precision_is_held_to_half_of_its_own_digits():
    """Rounding in float32 keeps the gradient a hundred times longer than half the digits of float64 would allow."""
    A = turned(np.linspace(1, 300, 6))[0]
    c = np.linspace(-1, 2, 6)
    theta = np.linspace(3, 4, 6)
    expected = np.linalg.solve(A + np.eye(6), A @ c + theta)
    found = inner_optimum(Bowl(A.astype(np.float32), c.astype(np.float32)), theta.astype(np.float32), 1.0)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)


def test_a_newton_step_that_is_too_long_is_halved():
    """Far from 0 log cosh has no curvature left: from there, whole Newton steps end further away, on the other side."""
    loss = LogCosh(np.array([[1.0]]))
    theta = np.array([2.0])
    whole = theta - loss.gradient(theta) / (1e-3 * np.ones(1) + loss.linearize(theta)[1](np.ones(1)))
    assert abs(whole) > abs(theta)
    phi = inner_optimum(loss, theta, 1e-3)
    np.testing.assert_allclose(np.tanh(phi) + 1e-3 * (phi - theta), 0, atol=1e-14)


def test_an_inner_optimum_is_found_among_1761_parameters():
    rng = np.random.default_rng(0)
    loss = LogCosh(rng.normal(size=(10, 1761)) / 10)
    theta = rng.normal(size=1761)
    phi = inner_optimum(loss, theta, 0.5)
    assert np.linalg.norm(loss.gradient(phi) + 0.5 * (phi - theta)) < 1e-12 * np.linalg.norm(theta)


def test_an_inner_optimum_of_a_well_is_found_where_newton_meets_minima_only():
    well = double_well()
    (phi,) = inner_optimum(well, np.array([0.8]), 0.5)
    assert abs(phi**3 - phi + 0.5 * (phi - 0.8)) < 1e-14
    with pytest.raises(ArithmeticError, match="not positive definite at phi"):
        inner_optimum(well, np.array([0.1]), 0.5)


def test_an_inner_optimum_with_a_wrong_hessian_is_refused():
    """A loss that curves down and says that it curves up: no part of Newton's step makes the gradient shorter."""

    class Backwards(Bowl):
        def linearize(self, theta):
            return self.gradient(theta), lambda v: -self.A @ v

    with pytest.raises(ArithmeticError) as caught:
        inner_optimum(Backwards(-4 * np.eye(2), np.ones(2)), np.array([2.0, 3.0]), 2.0)
    assert str(caught.value) == (  # the gradient of the inner problem over strength is −2 (1, 2)
        "Newton's method stopped where the gradient of the inner problem, divided by strength, is 4 long; expected at"
        " most 1e-07. Take a larger strength, or check that loss.linearize multiplies with the derivative of"
        " loss.gradient."
    )


@pytest.mark.parametrize(
    ("theta", "strength", "error", "message"),
    [
        (np.ones((3, 2)), 1.0, ValueError, r"theta has shape \(3, 2\); expected one task's parameters"),
        (np.array([1, 1]), 1.0, TypeError, "theta has dtype int64"),
        (np.ones(2), 0.0, ValueError, "strength is 0.0; expected a positive number"),
    ],
)
def test_an_inner_optimum_wants_a_point_and_a_positive_strength(theta, strength, error, message):
    with pytest.raises(error, match=message):
        inner_optimum(minibatch(0), theta, strength)


@pytest.mark.parametrize("strength", [0.3, 1.0, 20.0])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_implicit_gradient_is_the_dense_solution(strength, seed):
    loss = minibatch(seed)
    query = minibatch(seed + 10)
    phi = inner_optimum(loss, np.array([0.5, -1.0]), strength)
    dense = np.linalg.solve(np.eye(2) + loss.hessian(phi) / strength, query.gradient(phi))
    # conjugate gradients stop at a residual of 1e-12, and the matrix is at least I
    np.testing.assert_allclose(implicit_gradient(loss, query, phi, strength), dense, rtol=1e-11)


@pytest.mark.parametrize("strength", [0.3, 1.0, 20.0])
def test_the_implicit_gradient_is_the_derivative_of_the_query_at_the_inner_optimum(strength):
    loss = minibatch(0)
    query = minibatch(10)
    theta = np.array([0.5, -1.0])
    estimate = finite_difference_gradient(lambda t: query.value(inner_optimum(loss, t, strength)), theta)
    gradient = implicit_gradient(loss, query, inner_optimum(loss, theta, strength), strength)
    assert (estimate.error < 1e-6 * np.abs(gradient).max()).all()
    assert (np.abs(estimate.value - gradient) <= estimate.error).all()


def test_the_implicit_gradient_is_what_a_long_inner_loop_tends_to():
    """Gradient descent on the regularised loss, started at θ: θ enters as the start and as the centre."""
    loss = minibatch(0)
    query = minibatch(10)
    theta = np.array([0.5, -1.0])
    strength = 1.0

    def unrolled(theta):
        phi = theta
        for _ in range(200):
            phi = phi - 0.3 * (loss.gradient(phi) + strength * (phi - theta))
        return phi

    along = [complex_step(lambda t: query.value(unrolled(t)), theta, e) for e in np.eye(2)]
    np.testing.assert_allclose(implicit_gradient(loss, query, unrolled(theta), strength), along, rtol=1e-10)


def test_the_implicit_gradient_of_many_parameters_needs_no_matrix():
    rng = np.random.default_rng(0)
    A = rng.normal(size=(10, 1761)) / 10
    loss = LogCosh(A)
    query = LogCosh(rng.normal(size=(20, 1761)) / 30)
    phi = rng.normal(size=1761) / 10
    # (I + AᵀDA/λ)⁻¹ by Woodbury's identity, a 10 × 10 system
    D = 1 - np.tanh(A @ phi) ** 2
    q = query.gradient(phi)
    expected = q - A.T @ np.linalg.solve(np.diag(2.0 / D) + A @ A.T, A @ q)
    np.testing.assert_allclose(implicit_gradient(loss, query, phi, 2.0), expected, rtol=0, atol=1e-11 * np.abs(q).max())


class Ones:
    """A query whose gradient is one in every component."""

    def gradient(self, theta):
        return np.ones_like(theta)

    def linearize(self, theta):
        return self.gradient(theta), lambda v: 0 * v


def test_eigenvalues_over_ten_decades_are_no_obstacle_where_products_round_componentwise():
    # A diagonal matrix with condition number 5e9: d products are not enough, and no digit is lost.
    mu = np.logspace(0, 10, 100)
    found = implicit_gradient(Bowl(np.diag(mu), np.zeros(100)), Ones(), np.zeros(100), 1.0)
    np.testing.assert_allclose(found, 1 / (1 + mu), rtol=1e-8)


def test_a_strength_far_below_every_curvature_is_no_obstacle():
    mu = np.linspace(1e9, 2e9, 50)
    found = implicit_gradient(Bowl(np.diag(mu), np.zeros(50)), Ones(), np.zeros(50), 1.0)
    np.testing.assert_allclose(found, 1 / (1 + mu), rtol=1e-12)


def turned(mu):
    """A dense matrix with these eigenvalues, and the solution of (I + A) g = (1, …, 1) from its eigenvectors."""
    V = np.linalg.qr(np.random.default_rng(0).normal(size=(mu.size, mu.size)))[0]
    return (V * mu) @ V.T, V @ (V.T @ np.ones(mu.size) / (1 + mu))


def test_a_dense_matrix_is_solved_while_rounding_leaves_half_the_digits():
    A, expected = turned(np.logspace(0, 5, 40))
    found = implicit_gradient(Bowl((A + A.T) / 2, np.zeros(40)), Ones(), np.zeros(40), 1.0)
    assert np.linalg.norm(found - expected) < 1e-9 * np.linalg.norm(expected)


@pytest.mark.parametrize(
    "A", [turned(np.logspace(0, 12, 40))[0], 1e12 * scipy.linalg.hilbert(30)], ids=["dense", "Hilbert"]
)
def test_an_answer_that_rounding_has_spoilt_is_refused(A):
    # κε is over 1e-4, four orders above what is allowed: no order of summation brings it below.
    with pytest.raises(ArithmeticError, match=r"means an error of about .*; expected at most .*larger strength"):
        implicit_gradient(Bowl((A + A.T) / 2, np.zeros(len(A))), Ones(), np.zeros(len(A)), 1.0)


def test_an_answer_whose_residual_was_only_carried_along_is_refused():
    """Products that are not linear: conjugate gradients add them up, and their sum is not the product with the sum."""

    class NotLinear(Bowl):
        def linearize(self, theta):
            return self.gradient(theta), lambda v: self.A @ v + 1e-5 * np.abs(v)

    with pytest.raises(ArithmeticError, match="means an error of about"):
        implicit_gradient(
            NotLinear(np.diag([1.0, 2, 3, 4]), np.zeros(4)), Bowl(np.eye(4), np.arange(4.0)), np.ones(4), 1.0
        )


def test_conjugate_gradients_that_cannot_converge_are_refused():
    """A quarter turn for a Hessian: no direction has negative curvature, and each step makes the residual longer."""

    class Turn(Bowl):
        def linearize(self, theta):
            return self.gradient(theta), lambda v: 9 * np.array([-v[1], v[0]])

    message = (
        r"conjugate gradients stopped at a solution \S+ long whose residual means an error of about \S+; expected at"
        r" most \S+, half the digits of float64\. Either I \+ H/strength is too badly conditioned: take a larger"
        r" strength\. Or loss\.linearize does not multiply with a symmetric matrix: compare it with differences of"
        r" loss\.gradient\."
    )
    with pytest.raises(ArithmeticError, match=f"^{message}$"):
        implicit_gradient(Turn(np.eye(2), np.zeros(2)), Ones(), np.zeros(2), 1.0)


def test_a_saddle_stays_unnoticed_where_conjugate_gradients_do_not_walk():
    """The query's gradient is an eigenvector with a positive eigenvalue; all others are negative."""
    mu = np.array([1.0] + [-5.0] * 49)
    q = np.eye(50)[0]
    found = implicit_gradient(Bowl(np.diag(mu), np.zeros(50)), Slope(q), np.ones(50), 1.0)
    np.testing.assert_array_equal(found, q / 2)


NOT_FINITE = (
    r"a product with I \+ H/strength at phi is not finite; expected numbers\. Look at loss\.linearize there, or for an"
    r" inner loop that has diverged\."
)
NO_MINIMUM = (
    r"I \+ H/strength is not positive definite at phi, so phi is no inner minimum, or a degenerate one: solve the inner"
    r" problem first, or take a larger strength\."
)


@pytest.mark.parametrize("curvature", [-1.0, -2.0])
def test_a_flat_direction_and_one_that_curves_down_are_no_minimum(curvature):
    loss = Bowl(np.diag([1.0, curvature]), np.zeros(2))
    with pytest.raises(ArithmeticError, match=f"^{NO_MINIMUM}$"):
        implicit_gradient(loss, Bowl(np.diag([0.0, 1.0]), np.zeros(2)), np.ones(2), 1.0)


def test_products_that_are_not_finite_are_refused_at_once():
    with np.errstate(all="ignore"), pytest.raises(ArithmeticError, match=f"^{NOT_FINITE}$"):
        implicit_gradient(Bowl(np.full((2, 2), np.inf), np.zeros(2)), Ones(), np.zeros(2), 1.0)


def test_a_query_without_a_gradient_has_none():
    np.testing.assert_array_equal(implicit_gradient(minibatch(0), Bowl(np.eye(2), np.ones(2)), np.ones(2), 1.0), [0, 0])


def test_only_values_admit_complex_parameters_whatever_the_loss_admits():
    own = LogCosh(np.eye(2))
    assert np.iscomplexobj(meta_loss([own], own, np.array([0.3 + 0j, 0.2]), 0.1))
    with pytest.raises(TypeError, match="complex"):
        maml_gradient([own], own, np.array([0.3 + 0j, 0.2]), 0.1)
