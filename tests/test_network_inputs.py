"""Bad input to a network meets a message that says what was given and what to pass instead."""

import numpy as np
import pytest
import sympy
from network_examples import ERRORS, INPUTS, LOSS, NETWORK, TARGETS, THETA, V

from mathlib import MLP, inner_loop, maml_gradient, unrolled_jacobian


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


CLASSIFIER = MLP((3, 4, 3), "relu")
LABELS = np.array([0, 1, 2, 1, 0])
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
