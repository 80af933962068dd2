"""Functions from elsewhere: their differences keep within their errors, and bad answers get a sentence each."""

import numpy as np
import pytest

from mathlib import MLP, fomaml_gradient, loss_from, maml_gradient, rosenbrock
from mathlib.foreign import directional

VALLEY = rosenbrock(a=1, b=5)
THETA = np.array([0.4, -0.7])


def network(dtype, activation="tanh"):
    rng = np.random.default_rng(0)
    x = rng.uniform(-2, 2, (10, 1)).astype(dtype)
    net = MLP((1, 12, 12, 1), activation)
    return net.loss(x, np.sin(x)), (0.5 * rng.normal(size=net.d)).astype(dtype), rng.normal(size=net.d).astype(dtype)


def test_it_is_a_loss_like_any_other():
    loss = loss_from(VALLEY.value, VALLEY.gradient)
    assert loss.value(THETA) == VALLEY.value(THETA)
    np.testing.assert_array_equal(loss.gradient(THETA), VALLEY.gradient(THETA))
    np.testing.assert_allclose(loss.hessian(THETA), VALLEY.hessian(THETA), rtol=1e-8)
    np.testing.assert_allclose(loss.hvp(THETA, np.ones(2)), VALLEY.hvp(THETA, np.ones(2)), rtol=1e-8)
    for gradient in (maml_gradient, fomaml_gradient):
        ours, theirs = (gradient([L] * 3, L, THETA, 0.02) for L in (VALLEY, loss))
        np.testing.assert_allclose(theirs, ours, rtol=1e-7)


@pytest.mark.parametrize("activation", ["tanh", "relu", "softplus"])
def test_a_product_keeps_within_its_error_in_double_precision(activation):
    L, theta, v = network(np.float64, activation)
    estimate = loss_from(L.value, L.gradient).product(theta, v)
    assert (np.abs(estimate.value - L.hvp(theta, v)) <= estimate.error).all()
    assert np.linalg.norm(estimate.error) < 1e-6 * np.linalg.norm(estimate.value)


def test_a_product_and_a_slope_keep_within_their_errors_in_single_precision():
    L32, theta, v = network(np.float32)
    L64, *_ = network(np.float64)
    estimate = loss_from(L32.value, L32.gradient).product(theta, v)
    exact = L64.hvp(theta.astype(float), v.astype(float))
    assert (np.abs(estimate.value - exact) <= estimate.error).all()
    assert np.linalg.norm(estimate.error) < 1e-3 * np.linalg.norm(exact)
    slope = directional(L32.value, theta, v)
    assert abs(slope.value - L64.gradient(theta.astype(float)) @ v) <= slope.error < 0.01 * abs(slope.value)
    assert loss_from(L32.value, L32.gradient).hvp(theta, v).dtype == np.float32


def test_a_small_hessian_in_single_precision():
    loss = loss_from(VALLEY.value, VALLEY.gradient)
    np.testing.assert_allclose(loss.hessian(THETA.astype(np.float32)), VALLEY.hessian(THETA), rtol=1e-2)


def test_the_product_with_nothing_is_nothing():
    estimate = loss_from(VALLEY.value, VALLEY.gradient).product(THETA, np.zeros(2))
    assert not estimate.value.any()
    assert not estimate.error.any()


class Tensor:
    """What a framework returns and NumPy cannot take: it still belongs to a graph."""

    def __array__(self, *arguments, **keywords):
        raise RuntimeError("Can't call numpy() on Tensor that requires grad.")


@pytest.mark.parametrize(
    ("value", "gradient", "error", "said"),
    [
        (3.0, VALLEY.gradient, TypeError, "value is a float; expected a function of theta"),
        (VALLEY.value, None, TypeError, "gradient is a NoneType; expected a function of theta"),
    ],
)
def test_no_function_is_refused(value, gradient, error, said):
    with pytest.raises(error, match=said):
        loss_from(value, gradient)


@pytest.mark.parametrize(
    ("value", "error", "said"),
    [
        (lambda t: t, TypeError, "is a ndarray, shape \\(2,\\), at theta; expected one number"),
        (lambda t: Tensor(), TypeError, "is a Tensor at theta; expected one number. From PyTorch write `.item"),
        (lambda t: "1", TypeError, "is a str at theta"),
        (lambda t: 1j, TypeError, "is a complex at theta"),
        (lambda t: np.nan, ValueError, "is nan at theta; expected a finite number"),
        (lambda t: t.fill(0), ValueError, "writes into theta"),
    ],
)
def test_a_value_that_is_no_number(value, error, said):
    with pytest.raises(error, match=said):
        loss_from(value, VALLEY.gradient).value(THETA)


@pytest.mark.parametrize(
    ("gradient", "error", "said"),
    [
        (lambda t: None, TypeError, "the loss's gradient is None: nothing was ever written there"),
        (lambda t: Tensor(), TypeError, "is a Tensor; expected a NumPy array. From PyTorch write `.detach"),
        (lambda t: list(t), TypeError, "is a list; expected a NumPy array"),
        (lambda t: t[:1], ValueError, "has shape \\(1,\\); expected theta's, \\(2,\\)"),
        (lambda t: t.astype(np.float32), TypeError, "has dtype float32 and theta float64; expected the same"),
        (lambda t: t.astype(np.float16), TypeError, "has dtype float16, which keeps three digits"),
        (lambda t: t.astype(int), TypeError, "has dtype int64; expected floating point"),
        (lambda t: t * np.inf, ValueError, "has a NaN or infinite entry"),
        (lambda t: np.multiply(t, 2, out=t), ValueError, "writes into theta"),
    ],
)
def test_a_gradient_that_is_none(gradient, error, said):
    with pytest.raises(error, match=said):
        loss_from(VALLEY.value, gradient).gradient(THETA)


def test_an_answer_that_is_reused_by_its_owner_is_copied():
    buffer = np.zeros(2)

    def gradient(theta):
        buffer[:] = VALLEY.gradient(theta)
        return buffer

    loss = loss_from(VALLEY.value, gradient)
    first = loss.gradient(THETA)
    loss.gradient(-THETA)
    np.testing.assert_array_equal(first, VALLEY.gradient(THETA))
