"""Networks against loops over their units, SciPy, finite differences and the complex step."""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
import scipy.linalg
import scipy.special
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from mathlib import (
    MLP,
    complex_step,
    finite_difference_directional,
    finite_difference_gradient,
    finite_difference_jacobian,
    fomaml_gradient,
    implicit_gradient,
    inner_loop,
    maml_gradient,
    meta_loss,
    reptile_gradient,
    step_jacobian,
    unrolled_jacobian,
)


@dataclass(frozen=True)
class Example:
    """A network, some examples for it, and a point."""

    network: MLP
    inputs: np.ndarray
    targets: np.ndarray
    error: str
    theta: np.ndarray

    @property
    def loss(self):
        return self.network.loss(self.inputs, self.targets, self.error)

    def outputs(self, theta):
        return self.network.outputs(theta, self.inputs)


def example(sizes, activation="tanh", error="squared", tasks=(), n=5, seed=0):
    rng = np.random.default_rng(seed)
    network = MLP(sizes, activation)
    inputs = rng.normal(size=(*tasks, n, sizes[0]))
    theta = rng.normal(size=(*tasks, network.d))
    if error == "squared":
        targets = rng.normal(size=(*tasks, n, sizes[-1]))
    else:
        targets = rng.integers(sizes[-1], size=(*tasks, n))
    return Example(network, inputs, targets, error, theta)


ACTIVATIONS = ["tanh", "relu", "softplus"]
ERRORS = ["squared", "cross-entropy"]
SIZES = [(3, 2), (3, 4, 2), (2, 3, 4, 3)]
CASES = {
    f"{'-'.join(map(str, sizes))} {activation}, {error}": example(sizes, activation, error)
    for sizes in SIZES
    for activation in ACTIVATIONS
    for error in ERRORS
}
each_case = pytest.mark.parametrize("case", list(CASES.values()), ids=list(CASES))
each_activation = pytest.mark.parametrize("activation", ACTIVATIONS)
each_error = pytest.mark.parametrize("error", ERRORS)


def directions(theta, count=3):
    return np.random.default_rng(1).normal(size=(count, *theta.shape))


def assert_close(given, expected, relative=1e-12):
    """Equal up to rounding, measured against the largest entry."""
    np.testing.assert_allclose(given, expected, rtol=0, atol=relative * np.abs(expected).max())


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


def minibatches(count, sizes=(2, 4, 3), activation="tanh", error="squared", tasks=()):
    """So many losses of one network, each on examples of its own; a point; a direction."""
    drawn = [example(sizes, activation, error, tasks, seed=seed) for seed in range(count)]
    return [each.loss for each in drawn], drawn[0].theta / 2, directions(drawn[0].theta, 1)[0]


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


# Batches of tasks, precision, and what is left alone.

FUNCTIONS = {
    "outputs": lambda L, Q, theta, v: Q.network.outputs(theta, Q.inputs),
    "value": lambda L, Q, theta, v: Q.value(theta),
    "gradient": lambda L, Q, theta, v: Q.gradient(theta),
    "linearize": lambda L, Q, theta, v: Q.linearize(theta)[0],
    "hvp": lambda L, Q, theta, v: Q.hvp(theta, v),
    "gauss-newton": lambda L, Q, theta, v: Q.hvp(theta, v, part="gauss-newton"),
    "residual": lambda L, Q, theta, v: Q.hvp(theta, v, part="residual"),
    "hessian": lambda L, Q, theta, v: Q.hessian(theta),
    "residual hessian": lambda L, Q, theta, v: Q.hessian(theta, part="residual"),
    "inner_loop": lambda L, Q, theta, v: inner_loop(L, theta, 0.1)[-1],
    "meta_loss": lambda L, Q, theta, v: meta_loss(L, Q, theta, 0.1),
    "step_jacobian": lambda L, Q, theta, v: step_jacobian(Q, theta, 0.1),
    "unrolled_jacobian": lambda L, Q, theta, v: unrolled_jacobian(L, theta, 0.1),
    "maml_gradient": lambda L, Q, theta, v: maml_gradient(L, Q, theta, 0.1),
    "fomaml_gradient": lambda L, Q, theta, v: fomaml_gradient(L, Q, theta, 0.1),
    "reptile_gradient": lambda L, Q, theta, v: reptile_gradient(L, theta, 0.1),
}
every_function = pytest.mark.parametrize("function", list(FUNCTIONS.values()), ids=list(FUNCTIONS))


def rebuilt(loss, inputs, targets):
    return loss.network.loss(inputs, targets, loss.error)


@every_function
@each_error
@pytest.mark.parametrize("sizes", [(2, 3), (2, 4, 3), (1, 3, 2, 2)])
def test_a_batch_of_tasks_gives_what_its_tasks_give_one_at_a_time(function, error, sizes):
    (query, *losses), theta, v = minibatches(4, sizes, error=error, tasks=(3,))
    found = function(losses, query, theta, v)
    for task in range(3):
        Q, *L = (rebuilt(loss, loss.inputs[task], loss.targets[task]) for loss in (query, *losses))
        expected = function(L, Q, theta[task], v[task])
        assert found[task].shape == np.shape(expected)
        np.testing.assert_allclose(found[task], expected, rtol=1e-12, atol=1e-13)


@every_function
@each_error
def test_one_theta_shared_among_tasks_is_read_and_never_written(function, error):
    (query, *losses), theta, v = minibatches(3, error=error, tasks=(4,))
    given = []
    for loss in (query, *losses):
        inputs = loss.inputs.copy()
        targets = loss.targets.copy()
        inputs.flags.writeable = targets.flags.writeable = False
        given.append(rebuilt(loss, inputs, targets))
    shared_theta, shared_v = (np.broadcast_to(array[0], array.shape) for array in (theta, v))
    before = shared_theta[0].copy(), shared_v[0].copy()
    found = function(given[1:], given[0], shared_theta, shared_v)
    np.testing.assert_array_equal((shared_theta[0], shared_v[0]), before)
    expected = function(losses, query, np.array(shared_theta), np.array(shared_v))
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-13)
    for array in (shared_theta, shared_v, *(g.inputs for g in given), *(g.targets for g in given)):
        assert not np.shares_memory(found, array)


@every_function
def test_arrays_in_any_memory_layout_will_do(function):
    (query, *losses), theta, v = minibatches(3, tasks=(4,))
    expected = function(losses, query, theta, v)
    Q, *L = (rebuilt(loss, *map(np.asfortranarray, (loss.inputs, loss.targets))) for loss in (query, *losses))
    found = function(L, Q, np.asfortranarray(theta), np.repeat(v, 2, axis=1)[:, ::2])
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-13)


@every_function
@each_error
@each_activation
def test_single_precision_stays_single_and_agrees_with_double(function, activation, error):
    (query, *losses), theta, v = minibatches(3, activation=activation, error=error, tasks=(3,))
    single = [
        rebuilt(loss, loss.inputs.astype(np.float32), loss.targets.astype(np.float32 if error == "squared" else int))
        for loss in (query, *losses)
    ]
    found = function(single[1:], single[0], theta.astype(np.float32), v.astype(np.float32))
    expected = function(losses, query, theta, v)
    assert (found.dtype, expected.dtype) == (np.float32, np.float64)
    assert_close(found, expected, 1e-5)


@pytest.mark.parametrize("function", ["outputs", "value", "gradient", "inner_loop", "meta_loss", "fomaml_gradient"])
@each_error
@each_activation
@pytest.mark.parametrize(("real", "dtype"), [(np.float32, np.complex64), (np.float64, np.complex128)])
def test_complex_points_of_either_precision_are_taken_where_the_complex_step_needs_them(
    function, activation, error, real, dtype
):
    (query, *losses), theta, v = minibatches(3, activation=activation, error=error)
    Q, *L = (
        rebuilt(loss, loss.inputs.astype(real), loss.targets.astype(real if error == "squared" else int))
        for loss in (query, *losses)
    )
    found = FUNCTIONS[function](L, Q, theta.astype(dtype), v)
    assert found.dtype == dtype
    assert_close(found.real, FUNCTIONS[function](losses, query, theta, v), 1e-5 if real is np.float32 else 1e-13)
    assert not found.imag.any()


# Bad input meets a message that says what was given and what to pass instead.


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ((3,), r"sizes is \(3,\); expected two or more positive whole numbers"),
        ((), r"sizes is \(\); expected two or more"),
        ((3, 0, 1), r"sizes is \(3, 0, 1\); expected two or more positive whole numbers"),
        ((3, -1), r"sizes is \(3, -1\)"),
        ((3, True), r"sizes is \(3, True\)"),
        ((3, 2.0), r"sizes is \(3, 2\.0\)"),
        (("3", 2), r"sizes is \('3', 2\)"),
        ("32", r"sizes is '32'; expected .* such as \(1, 40, 40, 1\)"),
        (3, "sizes is 3; expected"),
        (None, "sizes is None; expected"),
        (np.array([3, 2]), r"sizes is array\(\[3, 2\]\)"),
    ],
)
def test_a_network_has_two_or_more_positive_sizes(sizes, message):
    with pytest.raises(ValueError, match=message):
        MLP(sizes)


@pytest.mark.parametrize("activation", ["sigmoid", "Tanh", None, np.tanh])
def test_an_activation_has_one_of_three_names(activation):
    with pytest.raises(ValueError, match=r"activation is .*; expected one of tanh, relu, softplus") as caught:
        MLP((1, 1), activation)
    assert repr(activation) in str(caught.value)


NETWORK = MLP((3, 4, 2))
CLASSIFIER = MLP((3, 4, 3), "relu")
INPUTS = np.ones((5, 3))
TARGETS = np.ones((5, 2))
LABELS = np.array([0, 1, 2, 1, 0])
THETA = np.ones(NETWORK.d)
V = np.ones(NETWORK.d)
LOSS = NETWORK.loss(INPUTS, TARGETS)
OF_TASKS = NETWORK.loss(np.ones((6, 5, 3)), np.ones((6, 5, 2)))
SYMBOLS = sympy.Matrix(sympy.symbols(f"x:{NETWORK.d}"))
METHODS = {
    "value": LOSS.value,
    "gradient": LOSS.gradient,
    "linearize": LOSS.linearize,
    "hvp": lambda theta: LOSS.hvp(theta, V),
    "hessian": LOSS.hessian,
    "outputs": lambda theta: NETWORK.outputs(theta, INPUTS),
    "inner_loop": lambda theta: inner_loop([LOSS], theta, 0.1),
    "maml_gradient": lambda theta: maml_gradient([LOSS], LOSS, theta, 0.1),
    "unrolled_jacobian": lambda theta: unrolled_jacobian([LOSS], theta, 0.1),
}
every_method = pytest.mark.parametrize("method", list(METHODS.values()), ids=list(METHODS))


def with_nan(array):
    array = np.array(array)
    array.flat[1] = np.nan
    return array


@pytest.mark.parametrize("error", ["mse", "cross_entropy", None])
def test_an_error_has_one_of_two_names(error):
    with pytest.raises(ValueError, match=rf"error is {error!r}; expected one of squared, cross-entropy"):
        NETWORK.loss(INPUTS, TARGETS, error)


@pytest.mark.parametrize("part", ["gn", "Hessian", None])
@pytest.mark.parametrize("method", [LOSS.linearize, LOSS.hessian, lambda theta, part: LOSS.hvp(theta, V, part)])
def test_a_part_of_the_hessian_has_one_of_three_names(method, part):
    with pytest.raises(ValueError, match=rf"part is {part!r}; expected one of hessian, gauss-newton, residual"):
        method(THETA, part)


@pytest.mark.parametrize(
    ("inputs", "error", "message"),
    [
        (INPUTS.tolist(), TypeError, "inputs is a list; expected a NumPy array"),
        (SYMBOLS, TypeError, "inputs is a MutableDenseMatrix; expected a NumPy array"),
        (INPUTS.astype(int), TypeError, r"inputs has dtype int64; expected floating point\. Write inputs\.astype"),
        (INPUTS + 0j, TypeError, r"inputs is complex.* Pass inputs\.real"),
        (with_nan(INPUTS), ValueError, "inputs has a NaN or infinite entry"),
        (INPUTS * np.inf, ValueError, "inputs has a NaN or infinite entry"),
        (INPUTS[0], ValueError, r"inputs has shape \(3,\); expected \(n, 3\), one example a row, or \(tasks, n, 3\)"),
        (INPUTS.T, ValueError, r"inputs has shape \(3, 5\); expected \(n, 3\)"),
        (INPUTS[None, None], ValueError, r"inputs has shape \(1, 1, 5, 3\); expected \(n, 3\)"),
        (INPUTS[:0], ValueError, r"inputs has shape \(0, 3\); expected \(n, 3\)"),
        (np.ones((0, 5, 3)), ValueError, r"inputs has shape \(0, 5, 3\); expected \(n, 3\)"),
    ],
)
@pytest.mark.parametrize(
    ("network", "targets", "kind"), [(NETWORK, TARGETS, "squared"), (CLASSIFIER, LABELS, ERRORS[1])]
)
def test_inputs_are_floating_with_one_example_a_row(network, targets, kind, inputs, error, message):
    with pytest.raises(error, match=message):
        network.loss(inputs, targets, kind)


@pytest.mark.parametrize(
    ("targets", "error", "message"),
    [
        (TARGETS.tolist(), TypeError, "targets is a list; expected a NumPy array"),
        (TARGETS.astype(int), TypeError, r"targets has dtype int64; expected floating point"),
        (TARGETS.astype(np.float32), TypeError, "targets has dtype float32 and inputs float64; expected the same"),
        (TARGETS + 0j, TypeError, "targets is complex"),
        (with_nan(TARGETS), ValueError, "targets has a NaN or infinite entry"),
        (TARGETS[:, 0], ValueError, r"targets has shape \(5,\); expected \(5, 2\) beside inputs \(5, 3\)"),
        (TARGETS[:, :1], ValueError, r"targets has shape \(5, 1\); expected \(5, 2\)"),
        (TARGETS.T, ValueError, r"targets has shape \(2, 5\); expected \(5, 2\)"),
        (TARGETS[:4], ValueError, r"targets has shape \(4, 2\); expected \(5, 2\)"),
        (TARGETS[None], ValueError, r"targets has shape \(1, 5, 2\); expected \(5, 2\)"),
    ],
)
def test_targets_of_the_squared_error_are_shaped_like_the_outputs(targets, error, message):
    with pytest.raises(error, match=message):
        NETWORK.loss(INPUTS, targets)


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        (LABELS.tolist(), TypeError, "targets is list; cross-entropy expects a NumPy array of whole numbers"),
        (LABELS.astype(float), TypeError, "targets is float64; cross-entropy expects .* whole numbers, the classes"),
        (LABELS > 0, TypeError, "targets is bool; cross-entropy expects"),
        (LABELS.astype(object), TypeError, "targets is object; cross-entropy expects"),
        (LABELS + 1, ValueError, "labels from 1 to 3; expected 0 to 2, because the network has 3 outputs"),
        (LABELS - 1, ValueError, "labels from -1 to 1; expected 0 to 2"),
        (LABELS[:, None], ValueError, r"targets has shape \(5, 1\); expected \(5,\) beside inputs \(5, 3\)"),
        (LABELS[:4], ValueError, r"targets has shape \(4,\); expected \(5,\)"),
        (LABELS[:0], ValueError, r"targets has shape \(0,\); expected \(5,\)"),
        (np.eye(3, dtype=int)[LABELS], ValueError, r"targets has shape \(5, 3\); expected \(5,\)"),
    ],
)
def test_targets_of_cross_entropy_are_classes(labels, error, message):
    with pytest.raises(error, match=message):
        CLASSIFIER.loss(INPUTS, labels, "cross-entropy")


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.uint64])
def test_classes_are_whole_numbers_of_any_width(dtype):
    theta = np.linspace(-1, 1, CLASSIFIER.d)
    narrow, wide = (CLASSIFIER.loss(INPUTS, labels, "cross-entropy") for labels in (LABELS.astype(dtype), LABELS))
    assert narrow.value(theta) == wide.value(theta)
    np.testing.assert_array_equal(narrow.gradient(theta), wide.gradient(theta))


@every_method
@pytest.mark.parametrize(
    ("theta", "error", "message"),
    [
        (THETA.tolist(), TypeError, "theta is a list; expected a NumPy array"),
        (None, TypeError, "theta is a NoneType; expected a NumPy array"),
        (SYMBOLS, TypeError, "theta is a MutableDenseMatrix; expected a NumPy array"),
        (THETA.astype(int), TypeError, r"theta has dtype int64; expected floating point"),
        (
            THETA.astype(np.float32),
            TypeError,
            r"theta has dtype float32 and inputs float64.* theta\.astype\('float64'\)",
        ),
        (with_nan(THETA), ValueError, "theta has a NaN or infinite entry"),
        (THETA[1:], ValueError, r"theta has shape \(25,\); expected \(26,\): the network has 26 parameters"),
        (THETA[:, None], ValueError, r"theta has shape \(26, 1\); expected \(26,\)"),
        (np.ones((6, 26)), ValueError, r"theta has shape \(6, 26\); expected \(26,\): .* inputs has shape \(5, 3\)"),
    ],
)
def test_theta_holds_the_parameters_of_the_network(method, theta, error, message):
    with pytest.raises(error, match=message):
        method(theta)


@pytest.mark.parametrize("theta", [THETA, np.ones((5, 26)), np.ones((1, 26)), np.ones((6, 1, 26))])
@pytest.mark.parametrize("method", [OF_TASKS.value, OF_TASKS.gradient, OF_TASKS.linearize, OF_TASKS.hessian])
def test_a_batch_of_tasks_wants_a_theta_for_each(method, theta):
    with pytest.raises(ValueError, match=r"expected \(6, 26\).* write np\.broadcast_to\(theta, \(6, 26\)\)") as caught:
        method(theta)
    assert f"theta has shape {theta.shape}" in str(caught.value)


@pytest.mark.parametrize("name", ["linearize", "hvp", "hessian", "maml_gradient", "unrolled_jacobian"])
def test_second_derivatives_take_no_complex_point(name):
    with pytest.raises(TypeError, match=r"theta is complex; only \.value and \.gradient take complex .* theta\.real"):
        METHODS[name](THETA + 0j)


@pytest.mark.parametrize(
    ("v", "error", "message"),
    [
        (V[1:], ValueError, r"v has shape \(25,\); expected theta's shape \(26,\)"),
        (np.ones((1, 26)), ValueError, r"v has shape \(1, 26\); expected theta's shape \(26,\)"),
        (V[:, None], ValueError, r"v has shape \(26, 1\); expected theta's shape \(26,\)"),
        (V.astype(np.float32), TypeError, "v has dtype float32; expected an array of theta's dtype float64"),
        (V.astype(int), TypeError, "v has dtype int64; expected an array of theta's dtype float64"),
        (V + 0j, TypeError, "v has dtype complex128; expected an array of theta's dtype float64"),
        (V.tolist(), TypeError, "v has type list; expected an array of theta's dtype float64"),
        (1.0, TypeError, "v has type float; expected an array of theta's dtype float64"),
        (SYMBOLS, TypeError, "v has type MutableDenseMatrix; expected an array of theta's dtype float64"),
        (with_nan(V), ValueError, "v has a NaN or infinite entry"),
    ],
)
@pytest.mark.parametrize("hvp", [LOSS.linearize(THETA)[1], lambda v: LOSS.hvp(THETA, v)])
def test_a_direction_is_a_finite_array_like_theta(hvp, v, error, message):
    with pytest.raises(error, match=message):
        hvp(v)


@pytest.mark.parametrize("dtype", [np.float32, np.complex64])
def test_tanh_does_not_overflow_in_single_precision_either(dtype):
    real = np.zeros(0, dtype).real.dtype
    with np.errstate(over="raise", invalid="raise"):
        found = MLP((1, 1, 1)).outputs(np.array([1, 0, 1, 0], dtype), np.array([[50.0], [400.0], [-400.0]], real))
    np.testing.assert_array_equal(found, [[1], [1], [-1]])


@pytest.mark.parametrize(
    ("inputs", "error", "message"),
    [
        (INPUTS.tolist(), TypeError, "inputs is a list; expected a NumPy array"),
        (np.ones((5, 4)), ValueError, r"inputs has shape \(5, 4\); expected \(n, 3\)"),
        (INPUTS[0], ValueError, r"inputs has shape \(3,\); expected \(n, 3\)"),
        (INPUTS * np.nan, ValueError, r"(?s)inputs has a NaN .* Leave that example out"),
        (INPUTS.astype(int), TypeError, "inputs has dtype int64; expected floating point"),
    ],
)
def test_outputs_looks_at_its_inputs(inputs, error, message):
    with pytest.raises(error, match=message):
        NETWORK.outputs(THETA, inputs)


def test_linearize_does_not_follow_a_theta_that_is_changed_afterwards():
    theta = THETA.copy()
    gradient, hvp = LOSS.linearize(theta)
    before = hvp(V)
    theta -= 0.1 * gradient  # the commonest way to write a step
    np.testing.assert_array_equal(hvp(V), before)


def test_a_loss_does_not_follow_examples_that_are_changed_afterwards():
    inputs = INPUTS.copy()
    targets = TARGETS.copy()
    loss = NETWORK.loss(inputs, targets)
    inputs *= 2
    targets *= 2
    assert loss.value(THETA) == LOSS.value(THETA)
    np.testing.assert_array_equal(loss.gradient(THETA), LOSS.gradient(THETA))


def test_symbols_are_not_what_a_network_asks_for():
    with pytest.raises(TypeError, match="expected a NumPy array") as caught:
        LOSS.value(SYMBOLS)
    assert "SymPy" not in str(caught.value)


@pytest.mark.parametrize(
    "make",
    [
        lambda: MLP((1, 1), ["tanh"]),
        lambda: NETWORK.loss(INPUTS, TARGETS, ["squared"]),
        lambda: LOSS.linearize(THETA, np.ones(2)),
    ],
)
def test_a_list_is_no_name(make):
    with pytest.raises(ValueError, match="expected one of"):
        make()


def test_durations_are_no_classes():
    with pytest.raises(TypeError, match="whole numbers"):
        CLASSIFIER.loss(INPUTS, np.zeros(5, "timedelta64[s]"), "cross-entropy")


def test_many_thetas_for_one_task_are_not_told_to_broadcast():
    with pytest.raises(ValueError, match="Give the loss inputs with a task axis") as caught:
        LOSS.value(np.ones((6, 26)))
    assert "broadcast" not in str(caught.value)


def test_the_advice_for_a_complex_theta_keeps_it_complex():
    single = NETWORK.loss(INPUTS.astype(np.float32), TARGETS.astype(np.float32))
    with pytest.raises(TypeError, match=r"astype\('complex64'\)"):
        single.value(THETA + 0j)


def test_each_example_of_cross_entropy_is_shifted_by_its_own_largest_logit():
    loss = MLP((1, 2)).loss(np.array([[0.0], [1000.0]]), np.array([0, 0]), "cross-entropy")
    theta = np.array([1.0, 0.0, 0.0, 0.0])  # logits (0, 0) and (1000, 0)
    assert loss.value(theta) == pytest.approx(np.log(2) / 2)
    np.testing.assert_array_equal(loss.gradient(theta), [0, 0, -0.25, 0.25])


def test_the_slope_of_relu_at_a_kink_is_zero_for_the_complex_step_too():
    loss = MLP((1, 1, 1), "relu").loss(np.zeros((1, 1)), np.ones((1, 1)))
    theta = np.array([1.0, 0.0, 1.0, 0.5])  # the hidden unit's z is 0
    slopes = [complex_step(loss.value, theta, e) for e in np.eye(4)]
    np.testing.assert_array_equal(loss.gradient(theta), slopes)
    np.testing.assert_array_equal(loss.gradient(theta), [0, 0, 0, -1])


@pytest.mark.parametrize("part", ["hessian", "gauss-newton", "residual"])
def test_the_product_from_nothing_takes_the_same_part_of_the_hessian(part):
    case = example((2, 3, 2))
    v = np.ones(case.network.d)
    np.testing.assert_array_equal(case.loss.hvp(case.theta, v, part), case.loss.linearize(case.theta, part)[1](v))


@pytest.mark.parametrize("error", ERRORS)
def test_a_loss_keeps_its_examples_whatever_becomes_of_the_arrays(error):
    case = example((2, 3, 2), error=error)
    loss = case.loss
    before = case.loss.value(case.theta)
    case.inputs[:] = 0
    case.targets[:] = 0
    assert loss.value(case.theta) == before
    for kept in (loss.inputs, loss.targets, loss.examples):
        with pytest.raises(ValueError, match="read-only"):
            kept[:] = 0


@pytest.mark.parametrize("z", [-300.0, -37.0, -30.0, -1e-9, 0.0, 1e-9, 30.0, 300.0])
def test_softplus_keeps_its_digits_far_out(z):
    loss = MLP((1, 1, 1), "softplus").loss(np.zeros((1, 1)), np.zeros((1, 1)))
    theta = np.array([0.0, z, 1.0, 0.0])  # the output is softplus(z)
    assert loss.network.outputs(theta, loss.inputs).item() == pytest.approx(float(np.logaddexp(0, z)), rel=4e-16, abs=0)
    slope = complex_step(lambda t: loss.network.outputs(t, loss.inputs)[0, 0], theta, np.eye(4)[1])
    assert slope == pytest.approx(scipy.special.expit(z), rel=1e-15)
