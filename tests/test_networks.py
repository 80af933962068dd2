"""Networks against loops over their units, SciPy, finite differences and the complex step."""

import math
from itertools import pairwise

import numpy as np
import pytest
import scipy.linalg
import scipy.special
from hypothesis import given, settings
from hypothesis import strategies as st
from network_examples import (
    ACTIVATIONS,
    ERRORS,
    assert_close,
    directions,
    each_activation,
    each_error,
    example,
    minibatches,
)

from mathlib import (
    MLP,
    complex_step,
    finite_difference_directional,
    finite_difference_gradient,
    finite_difference_jacobian,
    fomaml_gradient,
    implicit_gradient,
    maml_gradient,
    meta_loss,
)
from mathlib.networks import NetworkLoss

SIZES = [(3, 2), (3, 4, 2), (2, 3, 4, 3)]
CASES = {
    f"{'-'.join(map(str, sizes))} {activation}, {error}": example(sizes, activation, error)
    for sizes in SIZES
    for activation in ACTIVATIONS
    for error in ERRORS
}
each_case = pytest.mark.parametrize("case", list(CASES.values()), ids=list(CASES))


def assert_within(estimate, given, relative=1e-6):
    """Equal within the error of the finite differences, which has to be small itself."""
    size = np.abs(given).max()
    assert np.all(estimate.error <= relative * size)
    # a small entry also carries the rounding of the large terms it is the sum of, which its own size does not tell
    assert np.all(np.abs(estimate.value - given) <= estimate.error + 1e-13 * size)


# The value: one example after the other, one unit after the other, in plain Python.

PHI = {"tanh": math.tanh, "relu": lambda z: max(z, 0.0), "softplus": lambda z: math.log1p(math.exp(z))}


def layers_by_hand(case):
    """For each example and each layer above it, the list of what its units receive."""
    found = []
    for row in case.inputs.tolist():
        units = row
        layers = []
        numbers = iter(case.theta.tolist())
        for above in case.network.sizes[1:]:
            weights = [[next(numbers) for _ in range(above)] for _ in units]
            biases = [next(numbers) for _ in range(above)]
            z = [biases[k] + sum(a * weights[j][k] for j, a in enumerate(units)) for k in range(above)]
            units = [PHI[case.network.activation](z_k) for z_k in z]
            layers.append(z)
        assert next(numbers, None) is None
        found.append(layers)
    return found


def error_by_hand(outputs, target, error):
    if error == "squared":
        return sum((z - y) ** 2 for z, y in zip(outputs, target, strict=True))
    return math.log(sum(math.exp(z) for z in outputs)) - outputs[target]


@each_case
def test_outputs_and_value_are_those_of_a_loop_over_examples_and_units(case):
    outputs = [layers[-1] for layers in layers_by_hand(case)]
    assert_close(case.outputs(case.theta), np.array(outputs), 1e-13)
    errors = [error_by_hand(z, y, case.error) for z, y in zip(outputs, case.targets.tolist(), strict=True)]
    value = case.loss.value(case.theta)
    assert np.shape(value) == ()
    assert value == pytest.approx(sum(errors) / len(errors), rel=1e-13)


def test_no_unit_of_a_relu_case_stands_at_its_kink():
    """Or no finite difference would have anything to say."""
    for case in CASES.values():
        hidden = [z for layers in layers_by_hand(case) for layer in layers[:-1] for z in layer]
        assert all(abs(z) > 1e-3 for z in hidden)


@each_activation
def test_cross_entropy_is_scipys_log_softmax_at_the_label(activation):
    case = example((2, 4, 5), activation, "cross-entropy", n=20)
    log_p = scipy.special.log_softmax(case.outputs(case.theta), axis=1)
    assert_close(case.loss.value(case.theta), -np.mean(log_p[np.arange(20), case.targets]), 1e-13)


def test_squared_error_sums_over_outputs_and_averages_over_examples():
    network = MLP((1, 2))  # with theta = 0 its outputs are zero
    loss = network.loss(np.ones((2, 1)), np.array([[1.0, 2.0], [3.0, 4.0]]))
    assert loss.value(np.zeros(4)) == (1 + 4 + 9 + 16) / 2


def test_theta_holds_layer_by_layer_the_weights_row_by_row_and_then_the_biases():
    first, second = MLP((2, 3, 1)).split(np.arange(13.0))
    np.testing.assert_array_equal(first, [[0, 1, 2], [3, 4, 5], [6, 7, 8]])
    np.testing.assert_array_equal(second, [[9], [10], [11], [12]])
    theta = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])  # W = [[1, 2], [3, 4]], a row for each input; b = [5, 6]
    np.testing.assert_array_equal(MLP((2, 2)).outputs(theta, np.array([[10.0, 100.0]])), [[315, 426]])


@pytest.mark.parametrize(
    ("sizes", "d"), [((1, 1), 2), ((3, 2), 8), ([2, 3, 1], 13), ((1, 40, 40, 1), 1761), ((2, 1, 1, 1, 5), 17)]
)
def test_d_counts_weights_and_biases(sizes, d):
    network = MLP(sizes)
    assert (network.d, network.sizes) == (d, tuple(sizes))
    assert [W.shape for W in network.split(np.zeros((7, d)))] == [(7, m + 1, n) for m, n in pairwise(sizes)]


# The activations: a network with one hidden unit, two weights 1 and two biases 0 is its activation.

UNIT = np.array([1.0, 0.0, 1.0, 0.0])
GRID = np.concatenate([np.linspace(-20, 20, 200_001), np.linspace(-1000, 1000, 2001), [1e-300, 1e-20, -1e-20, 1e6]])
EXACT = {  # the function, its slope
    "tanh": (np.tanh, lambda z: 1 / np.cosh(np.clip(z, -300, 300)) ** 2),
    "relu": (lambda z: np.maximum(z, 0), lambda z: z > 0),
    "softplus": (lambda z: np.logaddexp(0, z), scipy.special.expit),
}
loud = {"over": "raise", "invalid": "raise", "divide": "raise"}


@each_activation
def test_an_activation_is_the_function_of_that_name_to_the_last_digits_and_never_overflows(activation):
    with np.errstate(**loud):
        found = MLP((1, 1, 1), activation).outputs(UNIT, GRID[:, None])[:, 0]
    # some two units in the last place of 1, or of what is larger
    assert (np.abs(found - EXACT[activation][0](GRID)) <= 5e-16 * np.maximum(1, np.abs(GRID))).all()


@pytest.mark.parametrize("dtype", [np.float32, np.complex64])
def test_tanh_does_not_overflow_in_single_precision_either(dtype):
    real = np.zeros(0, dtype).real.dtype
    with np.errstate(over="raise", invalid="raise"):
        found = MLP((1, 1, 1)).outputs(np.array([1, 0, 1, 0], dtype), np.array([[50.0], [400.0], [-400.0]], real))
    np.testing.assert_array_equal(found, [[1], [1], [-1]])


@pytest.mark.parametrize("z", [-300.0, -37.0, -30.0, -1e-9, 0.0, 1e-9, 30.0, 300.0])
def test_softplus_keeps_its_digits_far_out(z):
    loss = MLP((1, 1, 1), "softplus").loss(np.zeros((1, 1)), np.zeros((1, 1)))
    theta = np.array([0.0, z, 1.0, 0.0])  # the output is softplus(z)
    assert loss.network.outputs(theta, loss.inputs).item() == pytest.approx(float(np.logaddexp(0, z)), rel=4e-16, abs=0)
    slope = complex_step(lambda t: loss.network.outputs(t, loss.inputs)[0, 0], theta, np.eye(4)[1])
    assert slope == pytest.approx(scipy.special.expit(z), rel=1e-15)


@each_activation
def test_an_activation_is_analytic_so_that_the_complex_step_knows_its_slope(activation):
    network = MLP((1, 1, 1), activation)
    z = GRID[GRID != 0]
    with np.errstate(**loud):  # a step of the hidden unit's bias
        slope = complex_step(lambda t: network.outputs(t, z[:, None]), UNIT, np.array([0.0, 1.0, 0.0, 0.0]))[:, 0]
    np.testing.assert_allclose(slope, EXACT[activation][1](z), rtol=0, atol=2e-15)


@each_activation
def test_saturated_units_pass_finite_numbers_back(activation):
    inputs = np.array([[-1000.0], [-50.0], [0.0], [50.0], [1000.0]])
    loss = MLP((1, 1, 1), activation).loss(inputs, np.ones((5, 1)))
    with np.errstate(**loud):
        hessian = loss.hessian(UNIT)
        gradient = loss.gradient(UNIT)
        along = complex_step(loss.gradient, UNIT, UNIT)
    assert np.isfinite(gradient).all()
    assert_close(hessian @ UNIT, along)


def test_the_slope_of_relu_at_zero_is_taken_as_zero():
    gradient = MLP((1, 1, 1), "relu").loss(np.zeros((1, 1)), np.ones((1, 1))).gradient(UNIT)
    np.testing.assert_array_equal(gradient, [0, 0, 0, -2])  # only the last bias moves the output


def test_the_slope_of_relu_at_a_kink_is_zero_for_the_complex_step_too():
    loss = MLP((1, 1, 1), "relu").loss(np.zeros((1, 1)), np.ones((1, 1)))
    theta = np.array([1.0, 0.0, 1.0, 0.5])  # the hidden unit's z is 0
    slopes = [complex_step(loss.value, theta, e) for e in np.eye(4)]
    np.testing.assert_array_equal(loss.gradient(theta), slopes)
    np.testing.assert_array_equal(loss.gradient(theta), [0, 0, 0, -1])


LOGITS = {"one far ahead": [1e3, -1e3, 0.0], "all large": [1e3, 1e3, 1e3], "all small": [-1e3, -1e3, -999.0]}


@pytest.mark.parametrize("logits", list(LOGITS.values()), ids=list(LOGITS))
def test_cross_entropy_of_outputs_in_the_thousands_does_not_overflow(logits):
    theta = np.array([0.0, 0.0, 0.0, *logits])  # the outputs are the biases
    loss = MLP((1, 3)).loss(np.ones((3, 1)), np.arange(3), "cross-entropy")
    with np.errstate(**loud):
        value = loss.value(theta)
        gradient, hvp = loss.linearize(theta)
        product = hvp(np.arange(6.0))
        along = complex_step(loss.gradient, theta, np.arange(6.0))
    assert value == pytest.approx(-np.mean(scipy.special.log_softmax(logits)), rel=1e-13)
    np.testing.assert_allclose(gradient[3:], scipy.special.softmax(logits) - 1 / 3, rtol=0, atol=1e-15)
    np.testing.assert_allclose(product, along, rtol=0, atol=1e-14)


def test_each_example_of_cross_entropy_is_shifted_by_its_own_largest_logit():
    loss = MLP((1, 2)).loss(np.array([[0.0], [1000.0]]), np.array([0, 0]), "cross-entropy")
    theta = np.array([1.0, 0.0, 0.0, 0.0])  # logits (0, 0) and (1000, 0)
    assert loss.value(theta) == pytest.approx(np.log(2) / 2)
    np.testing.assert_array_equal(loss.gradient(theta), [0, 0, -0.25, 0.25])


# First and second derivatives.


@each_case
def test_the_gradient_is_what_finite_differences_and_the_complex_step_say(case):
    gradient = case.loss.gradient(case.theta)
    value = case.loss.value
    assert gradient.shape == case.theta.shape
    assert_within(finite_difference_gradient(value, case.theta), gradient)
    assert_close(gradient, [complex_step(value, case.theta, e) for e in np.eye(case.theta.size)], 1e-13)


@each_case
def test_hessian_vector_products_are_what_the_complex_step_and_finite_differences_say(case):
    loss = case.loss
    theta = case.theta
    gradient, hvp = loss.linearize(theta)
    np.testing.assert_array_equal(gradient, loss.gradient(theta))
    for v in directions(theta):
        along = complex_step(loss.gradient, theta, v)
        estimate = finite_difference_directional(loss.gradient, theta, v)
        assert_close(hvp(v), along)
        assert_within(estimate, hvp(v))
        assert_within(estimate, along)  # the referees agree among themselves
        np.testing.assert_array_equal(loss.hvp(theta, v), hvp(v))


@each_case
def test_the_hessian_is_symmetric_and_the_jacobian_of_the_gradient(case):
    hessian = case.loss.hessian(case.theta)
    _, hvp = case.loss.linearize(case.theta)
    assert_close(hessian, hessian.T, 1e-13)
    assert_close(hessian, np.column_stack([hvp(e) for e in np.eye(case.theta.size)]), 1e-13)
    assert_within(finite_difference_jacobian(case.loss.gradient, case.theta), hessian)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    st.lists(st.integers(1, 4), min_size=2, max_size=5),
    st.sampled_from(ACTIVATIONS),
    st.sampled_from(ERRORS),
    st.integers(1, 4),
    st.integers(0, 99),
)
def test_in_any_network_the_derivatives_agree_with_the_complex_step(sizes, activation, error, n, seed):
    case = example(sizes, activation, error, n=n, seed=seed)
    v, w = directions(case.theta, 2)
    gradient, hvp = case.loss.linearize(case.theta)
    size = np.abs(hvp(v)).max() + np.abs(gradient).max()  # either alone can vanish
    assert abs(gradient @ v - complex_step(case.loss.value, case.theta, v)) <= 1e-12 * size
    np.testing.assert_allclose(hvp(v), complex_step(case.loss.gradient, case.theta, v), rtol=0, atol=1e-12 * size)
    assert abs(w @ hvp(v) - v @ hvp(w)) <= 1e-12 * size * v.size


def test_what_linearize_returns_can_be_asked_again_in_any_order():
    case = CASES["2-3-4-3 tanh, squared"]
    v, w, _ = directions(case.theta)
    gradient, hvp = case.loss.linearize(case.theta)
    kept = gradient.copy()
    first = hvp(v)
    second = hvp(w)
    case.loss.gradient(case.theta + 1)
    np.testing.assert_array_equal(hvp(w), second)
    np.testing.assert_array_equal(hvp(v), first)
    np.testing.assert_array_equal(gradient, kept)
    assert not np.shares_memory(hvp(v), first)


def test_a_hessian_of_1761_parameters_can_be_had():
    case = example((1, 40, 40, 1), "tanh", n=10)
    theta = case.theta / 3
    hessian = case.loss.hessian(theta)
    assert hessian.shape == (1761, 1761)
    assert_close(hessian, hessian.T)
    for v in directions(theta):
        assert_close(hessian @ v, complex_step(case.loss.gradient, theta, v))


# The Hessian's two parts.


def delta_by_hand(z, targets, error):
    """How the mean error moves with each output, (n, outputs)."""
    if error == "squared":
        return 2 * (z - targets) / len(z)
    return (scipy.special.softmax(z, axis=1) - np.eye(z.shape[1])[targets]) / len(z)


def curvature_by_hand(z, error):
    """The second derivative of the mean error by all outputs of all examples, one block for each example."""
    if error == "squared":
        return 2 * np.eye(z.size) / len(z)
    return scipy.linalg.block_diag(*[np.diag(p) - np.outer(p, p) for p in scipy.special.softmax(z, axis=1)]) / len(z)


@each_case
def test_the_gauss_newton_part_takes_the_outputs_for_straight(case):
    J = finite_difference_jacobian(lambda t: case.outputs(t).ravel(), case.theta)
    C = curvature_by_hand(case.outputs(case.theta), case.error)
    part = case.loss.hessian(case.theta, part="gauss-newton")
    off = J.error.T @ np.abs(C) @ (np.abs(J.value) + J.error)  # J's own error, carried through JᵀCJ
    assert off.max() < 1e-6 * np.abs(part).max()
    assert (np.abs(J.value.T @ C @ J.value - part) <= off + off.T + 1e-13 * np.abs(part).max()).all()


def test_the_error_of_a_network_is_squared_unless_another_is_named():
    network, inputs, targets = MLP((1, 1)), np.array([[1.0], [2.0]]), np.array([[1.0], [3.0]])
    assert NetworkLoss(network, inputs, targets).value(np.zeros(2)) == 5
    assert network.loss(inputs, targets).value(np.zeros(2)) == 5


@pytest.mark.parametrize("part", ["hessian", "gauss-newton"])
def test_where_every_example_is_met_exactly_the_gauss_newton_part_is_the_hessian(part):
    network = MLP((2, 3, 2), "tanh")
    theta = np.linspace(-1, 1, network.d)
    inputs = np.array([[0.5, -1.0], [2.0, 0.25]])
    loss = network.loss(inputs, network.outputs(theta, inputs))  # every δ is exactly zero
    assert np.isfinite(loss.hessian(theta, part)).all()
    np.testing.assert_array_equal(loss.hessian(theta, part), loss.hessian(theta))
    np.testing.assert_array_equal(loss.hessian(theta, part="residual"), 0)


@each_case
def test_the_gauss_newton_part_is_positive_semidefinite(case):
    part = case.loss.hessian(case.theta, part="gauss-newton")
    assert_close(part, part.T, 1e-13)
    eigenvalues = np.linalg.eigvalsh(part)
    assert eigenvalues[0] >= -1e-13 * eigenvalues[-1]


@each_case
def test_the_two_parts_add_up_to_the_hessian(case):
    gradient = case.loss.gradient(case.theta)
    for v in directions(case.theta):
        parts = [case.loss.linearize(case.theta, part) for part in ("gauss-newton", "residual", "hessian")]
        gauss_newton, residual, whole = (hvp(v) for _, hvp in parts)
        assert_close(gauss_newton + residual, whole, 1e-13)
        assert all(np.array_equal(g, gradient) for g, _ in parts)


@pytest.mark.parametrize("part", ["hessian", "gauss-newton", "residual"])
def test_the_product_from_nothing_takes_the_same_part_of_the_hessian(part):
    case = example((2, 3, 2))
    v = np.ones(case.network.d)
    np.testing.assert_array_equal(case.loss.hvp(case.theta, v, part), case.loss.linearize(case.theta, part)[1](v))


@each_activation
@each_error
@pytest.mark.parametrize("sizes", [(2, 3, 2), (1, 2, 2, 2)])
def test_the_residual_part_is_the_outputs_curvature_times_delta(sizes, activation, error):
    case = example(sizes, activation, error, n=3, seed=2)
    delta = delta_by_hand(case.outputs(case.theta), case.targets, error)

    def slopes(theta):
        """The gradient of Σ δ z for fixed δ: complex steps along all coordinates at once, as a batch of tasks."""
        steps = theta + 1e-20j * np.eye(theta.size)
        z = case.network.outputs(steps, np.broadcast_to(case.inputs, (theta.size, *case.inputs.shape)))
        return (delta * z.imag).sum(axis=(1, 2)) / 1e-20

    assert_within(finite_difference_jacobian(slopes, case.theta), case.loss.hessian(case.theta, part="residual"))


LAYERS = [slice(0, 9), slice(9, 25), slice(25, 40)]  # of a 2-3-4-3 network: 3·3, 4·4 and 5·3 numbers
OFF_DIAGONAL = [(i, j) for i in range(3) for j in range(3) if i != j]


@each_activation
@each_error
def test_relu_bends_only_across_layers(activation, error):
    case = CASES[f"2-3-4-3 {activation}, {error}"]
    residual = case.loss.hessian(case.theta, part="residual")
    assert all(np.abs(residual[LAYERS[i], LAYERS[j]]).max() > 1e-3 for i, j in OFF_DIAGONAL)
    curved = [bool(residual[layer, layer].any()) for layer in LAYERS]
    assert curved == [activation != "relu", activation != "relu", False]  # outputs are linear in the last weights


@each_error
def test_without_a_hidden_layer_the_network_is_linear_in_theta(error):
    case = CASES[f"3-2 tanh, {error}"]
    assert not case.loss.hessian(case.theta, part="residual").any()
    np.testing.assert_array_equal(case.loss.hessian(case.theta, part="gauss-newton"), case.loss.hessian(case.theta))


# Meta-gradients through a network.


@each_activation
@each_error
@pytest.mark.parametrize("K", [0, 1, 5])
def test_the_meta_gradient_is_the_derivative_of_the_meta_loss(K, activation, error):
    (query, *losses), theta, v = minibatches(K + 1, activation=activation, error=error)
    gradient = maml_gradient(losses, query, theta, 0.2)
    assert_close(gradient, [complex_step(lambda t: meta_loss(losses, query, t, 0.2), theta, e) for e in np.eye(v.size)])
    estimate = finite_difference_directional(lambda t: meta_loss(losses, query, t, 0.2), theta, v)
    assert_within(estimate, gradient @ v)
    assert np.array_equal(gradient, fomaml_gradient(losses, query, theta, 0.2)) == (K == 0)


def test_the_meta_gradient_of_1761_parameters_is_the_derivative_of_the_meta_loss():
    (query, *losses), theta, v = minibatches(6, (1, 40, 40, 1))
    theta = theta / 2
    along = maml_gradient(losses, query, theta, 0.05) @ v
    assert_close(along, complex_step(lambda t: meta_loss(losses, query, t, 0.05), theta, v))
    assert_within(finite_difference_directional(lambda t: meta_loss(losses, query, t, 0.05), theta, v), along)


@each_activation
@each_error
def test_the_implicit_gradient_is_the_dense_solution(activation, error):
    (loss, query), phi, _ = minibatches(2, activation=activation, error=error)
    matrix = np.eye(phi.size) + loss.hessian(phi) / 20
    assert np.linalg.eigvalsh(matrix)[0] > 0
    dense = np.linalg.solve(matrix, query.gradient(phi))
    assert_close(implicit_gradient(loss, query, phi, strength=20.0), dense, 1e-11)


@pytest.mark.parametrize("activation", ["tanh", "softplus"])
def test_the_implicit_gradient_is_what_a_long_inner_loop_tends_to(activation):
    """Gradient descent on the loss with a pull towards θ, which is also where it starts."""
    (loss, query), theta, _ = minibatches(2, (1, 2, 1), activation)

    def settled(theta):
        phi = theta
        for _ in range(300):
            phi = phi - 0.05 * (loss.gradient(phi) + 8 * (phi - theta))
        return phi

    along = [complex_step(lambda t: query.value(settled(t)), theta, e) for e in np.eye(theta.size)]
    assert_close(implicit_gradient(loss, query, settled(theta), strength=8.0), along, 1e-10)
