"""Is this gradient the derivative of that function: right ones pass, wrong ones are seen, wherever they are wrong."""

import re

import numpy as np
import pytest

from mathlib import MLP, diagnose_function, fomaml_gradient, maml_gradient, meta_loss, quadratic, rosenbrock


def sinusoid(dtype=np.float64, sizes=(1, 40, 40, 1), activation="tanh"):
    rng = np.random.default_rng(0)
    x = rng.uniform(-5, 5, (2, 10, 1)).astype(dtype)
    net = MLP(sizes, activation)
    theta = (0.4 * rng.normal(size=net.d)).astype(dtype)
    losses = [net.loss(x[0], np.sin(x[0]))] * 3
    return net, losses, net.loss(x[1], np.sin(x[1])), theta, 0.02


def functions(losses, query, alpha, formula=maml_gradient):
    return (lambda theta: meta_loss(losses, query, theta, alpha)), (lambda theta: formula(losses, query, theta, alpha))


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_the_meta_gradient_of_1761_parameters_is_the_derivative(activation):
    _, losses, query, theta, alpha = sinusoid(activation=activation)
    found = diagnose_function(*functions(losses, query, alpha), theta)
    assert (found.equals, found.name, found.directions) == (True, "the derivative", 8)
    assert str(found) == "This gradient is the derivative of your function, along 8 random directions."


def test_the_first_order_gradient_is_not():
    _, losses, query, theta, alpha = sinusoid()
    found = diagnose_function(*functions(losses, query, alpha, fomaml_gradient), theta)
    assert (found.equals, found.factor) == (False, None)
    assert re.search(r"along one of 8 random directions it gives \S+ instead of", str(found))


def test_a_gradient_may_be_given_as_its_value():
    _, losses, query, theta, alpha = sinusoid()
    function, gradient = functions(losses, query, alpha)
    assert diagnose_function(function, gradient(theta), theta).equals is True


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_two_wrong_blocks_are_found_and_placed(dtype):
    net, losses, query, theta, alpha = sinusoid(dtype, sizes=(1, 20, 20, 20, 1))
    first, second = net.blocks[1], net.blocks[3]

    def wrong(theta):
        gradient = maml_gradient(losses, query, theta, alpha)
        gradient[first] = fomaml_gradient(losses, query, theta, alpha)[first] + 0.3 * gradient[first]
        gradient[second] = 0.5 * gradient[second]
        return gradient

    found = diagnose_function(functions(losses, query, alpha)[0], wrong, theta)
    assert (found.equals, found.factor) == (False, None)
    for block in (first, second):
        assert any(piece.start < block.stop and block.start < piece.stop for piece in found.where)
    touched = np.zeros(net.d, dtype=bool)
    for piece in found.where:
        touched[piece] = True
    assert not touched[first.stop + 100 : second.start - 100].any()
    assert "It is off in these pieces of theta: " in str(found)


def test_one_wrong_entry_of_thousands_is_found():
    theta = np.random.default_rng(0).normal(size=5000)

    def gradient(theta):
        answer = np.sinh(theta)
        answer[1234] *= 1.01
        return answer

    found = diagnose_function(lambda theta: np.cosh(theta).sum(), gradient, theta)
    assert found.equals is False
    assert found.where == (slice(937, 1250),)


@pytest.mark.parametrize("factor", [2, -1, 0.1])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_factor_is_named(factor, dtype):
    _, losses, query, theta, alpha = sinusoid(dtype)
    function, gradient = functions(losses, query, alpha)
    found = diagnose_function(function, lambda theta: dtype(factor) * gradient(theta), theta)
    assert found.equals is False
    assert found.factor == pytest.approx(factor, rel=1e-2)
    assert f"It is {factor:.2g}" in str(found)


@pytest.mark.parametrize("share", [1e-5, -1e-4])
def test_an_error_of_a_hundred_thousandth_is_seen_in_double_precision(share):
    _, losses, query, theta, alpha = sinusoid()
    function, gradient = functions(losses, query, alpha)
    off = np.linalg.norm(gradient(theta)) * share * np.random.default_rng(1).normal(size=theta.size) / theta.size**0.5
    assert diagnose_function(function, lambda theta: gradient(theta) + off, theta).equals is False


class TestSinglePrecision:
    @pytest.mark.parametrize("seed", range(3))
    def test_right_and_wrong_are_told_apart_and_it_says_how_exactly(self, seed):
        _, losses, query, theta, alpha = sinusoid(np.float32)
        found = diagnose_function(*functions(losses, query, alpha), theta, seed=seed)
        assert (found.equals, found.dtype) == (True, "float32")
        assert "Your function computes in float32. Its differences show an error of one per cent" in str(found)
        assert diagnose_function(*functions(losses, query, alpha, fomaml_gradient), theta, seed=seed).equals is False

    def test_a_function_that_rounds_to_float32_inside_is_recognised(self):
        _, losses, query, theta, alpha = sinusoid(np.float32)

        def function(theta):
            return float(meta_loss(losses, query, theta.astype(np.float32), alpha))

        def gradient(theta):
            return maml_gradient(losses, query, theta.astype(np.float32), alpha)

        found = diagnose_function(function, gradient, theta.astype(float))
        assert (found.equals, found.dtype) == (True, "float32")

    def test_what_it_cannot_decide_is_not_decided_wrongly(self):
        """Off by a thousandth of its length: too little for single precision."""
        _, losses, query, theta, alpha = sinusoid(np.float32)
        function, gradient = functions(losses, query, alpha)
        off = 1e-4 * np.linalg.norm(gradient(theta)) * np.ones_like(theta) / theta.size**0.5
        assert diagnose_function(function, lambda theta: gradient(theta) + off, theta).equals is not False


def test_a_kink_at_theta_is_undecided_or_seen_but_never_the_derivative():
    theta = np.zeros(3)
    assert diagnose_function(lambda t: np.abs(t).sum(), lambda t: np.ones(3), theta).equals is not True


def test_noise_that_is_part_of_the_function_leaves_it_undecided():
    theta = np.array([0.3, 0.4])

    def noisy(theta):
        seed = np.frombuffer(theta.tobytes(), dtype=np.uint32)
        return theta @ theta + 1e-3 * np.random.default_rng(seed).normal()

    found = diagnose_function(noisy, lambda t: 2 * t, theta)
    assert found.equals is None
    assert str(found).startswith("Undecided along 8 random directions")


def test_one_parameter_has_no_factor():
    bowl = quadratic(np.eye(1), np.zeros(1))
    found = diagnose_function(bowl.value, lambda t: 2 * t, np.array([0.7]))
    assert (found.equals, found.factor) == (False, None)


def test_a_gradient_of_zeros_is_not_the_derivative():
    valley = rosenbrock()
    found = diagnose_function(valley.value, lambda t: 0 * t, np.array([0.3, 0.1]))
    assert (found.equals, found.factor) == (False, None)


class TestBadInput:
    theta = np.array([0.3, 0.4])

    def complaint(self, error, function, gradient, theta=None):
        with pytest.raises(error) as caught:
            diagnose_function(function, gradient, self.theta if theta is None else theta)
        return str(caught.value)

    def test_new_random_numbers_at_every_call(self):
        rng = np.random.default_rng(0)
        said = self.complaint(ValueError, lambda t: t @ t + rng.normal(), lambda t: 2 * t)
        assert "your meta-loss is not a function: two calls at one point differ by" in said

    def test_a_gradient_that_draws(self):
        rng = np.random.default_rng(0)
        said = self.complaint(ValueError, lambda t: t @ t, lambda t: 2 * t + rng.normal())
        assert "your gradient is not a function" in said

    def test_a_gradient_that_changes_what_the_function_keeps(self):
        state = [1.0]

        def gradient(theta):
            state[0] += 0.5
            return 2 * theta

        said = self.complaint(ValueError, lambda t: state[0] * (t @ t), gradient, np.array([1.0, 2.0]))
        assert said.startswith("your meta-loss, once your gradient was called, is not a function")

    def test_a_function_that_writes_into_theta(self):
        def adapt(theta):
            theta -= 0.1
            return theta @ theta

        assert "your meta-loss writes into theta" in self.complaint(ValueError, adapt, lambda t: 2 * t)

    @pytest.mark.parametrize(
        ("gradient", "said"),
        [
            (None, "gradient is None"),
            (lambda t: None, "your gradient is None"),
            (lambda t: np.ones(3), "your gradient has shape (3,); expected theta's, (2,)"),
            (lambda t: t * np.nan, "your gradient has a NaN"),
            (lambda t: t.astype(np.float16), "your gradient has dtype float16"),
        ],
    )
    def test_a_bad_gradient(self, gradient, said):
        assert said in self.complaint((TypeError, ValueError), lambda t: t @ t, gradient)

    def test_a_bad_function(self):
        assert "meta_loss is a float; expected a function" in self.complaint(TypeError, 1.0, lambda t: t)
        assert "your meta-loss is a ndarray, shape (2,)" in self.complaint(TypeError, lambda t: t, lambda t: t)

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("bits", [11, 8])
    def test_a_function_in_half_precision(self, bits, dtype):
        """The right gradient was called wrong: between steps of half precision a difference is 0."""

        def rounded(theta):
            mantissa, exponent = np.frexp(theta @ theta)
            return np.ldexp(np.round(mantissa * 2**bits), exponent - bits)

        theta = np.random.default_rng(0).normal(size=97).astype(dtype)
        said = self.complaint(TypeError, rounded, lambda theta: 2 * theta, theta)
        assert "which have three digits" in said

    def test_a_function_that_never_changes_is_no_half_precision(self):
        theta = np.ones(5)
        assert diagnose_function(lambda theta: 1.0, lambda theta: theta, theta).equals is False

    def test_a_bad_theta(self):
        half = self.theta.astype(np.float16)
        assert "theta has dtype float16" in self.complaint(TypeError, lambda t: t @ t, lambda t: t, half)
        assert "parameters of one task" in self.complaint(ValueError, lambda t: t @ t, lambda t: t, np.ones((2, 2)))


def test_it_is_shown_as_a_sentence_or_two():
    found = diagnose_function(lambda t: t @ t, lambda t: t, np.array([1.0, 2.0]))
    assert repr(found) == str(found)
    assert found._repr_markdown_().startswith("**This gradient is not the derivative of your function")
    assert found._repr_markdown_().endswith("It is 0.5 times the derivative, along all of them.")
