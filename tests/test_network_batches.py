"""Networks over batches of tasks, in both precisions, in any memory layout, and what they leave as it was."""

import numpy as np
import pytest
from network_examples import (
    ERRORS,
    INPUTS,
    LOSS,
    NETWORK,
    TARGETS,
    THETA,
    V,
    assert_close,
    each_activation,
    each_error,
    example,
    minibatches,
)

from mathlib import (
    fomaml_gradient,
    inner_loop,
    maml_gradient,
    meta_loss,
    reptile_gradient,
    step_jacobian,
    unrolled_jacobian,
)

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
