"""Inner steps of any kind: the reverse pass against direct differentiation, finite differences and closed forms."""

import numpy as np
import pytest
import sympy

from mathlib import (
    any_loss,
    finite_difference_gradient,
    finite_difference_jacobian,
    fomaml_gradient,
    inner_loop,
    logistic,
    maml_gradient,
    quadratic,
)
from mathlib.steps import carry_back, run_steps, split_jacobian

a, mu, gamma = sympy.symbols("alpha mu gamma")
x, n, m = (np.array(sympy.symbols(f"{name}1:3")) for name in "xnm")
INPUTS = np.random.default_rng(7).normal(scale=2, size=(8, 3)).round(1)
LABELS = np.where(INPUTS[:, 0] > INPUTS[:, 1], 1.0, -1.0)
*BATCHES, QUERY = [logistic(INPUTS[i : i + 2], LABELS[i : i + 2]) for i in (0, 2, 4, 6)]
START = np.array([0.3, -0.2, 0.1])


def plain(theta, n, alpha):
    return theta - alpha * n


def preconditioned(theta, n, P):
    return theta - P @ n


def heavy_ball(theta, n, m, alpha, mu):
    m = mu * m + n
    return theta - alpha * m, m


def decaying(theta, n, alpha, gamma):
    return theta - alpha * (n + gamma * theta)


def clipped(theta, n, alpha, kappa):
    return theta - alpha * n / (1 + n @ n / kappa**2) ** 0.5


def two_memories(theta, n, mean, count, alpha):
    """A running mean of all gradients: memories of two sizes, one of which divides."""
    count = count + 1
    mean = mean + (n - mean) / count
    return theta - alpha * mean * abs(mean), mean, count


CASES = [
    (plain, (), {"alpha": 0.4}),
    (preconditioned, (), {"P": np.array([[0.5, 0.2, 0.0], [-0.3, 0.4, 0.1], [0.0, 0.6, 0.3]])}),
    (heavy_ball, (np.array([0.2, 0.0, -0.1]),), {"alpha": 0.3, "mu": 0.6}),
    (decaying, (), {"alpha": 0.4, "gamma": 0.3}),
    (clipped, (), {"alpha": 0.8, "kappa": 0.5}),
    (two_memories, (np.zeros(3), np.zeros(1)), {"alpha": 0.5}),
]
every_step = pytest.mark.parametrize(("step", "memory", "settings"), CASES, ids=lambda x: getattr(x, "__name__", ""))


@every_step
@pytest.mark.parametrize("K", [0, 1, 3])
def test_the_way_back_is_what_finite_differences_say(step, memory, settings, K):
    def after(theta):
        return QUERY.value(run_steps(step, BATCHES[:K], theta, *memory, **settings)[-1][0])

    measured = finite_difference_gradient(after, START)
    carried = carry_back(step, BATCHES[:K], QUERY, START, *memory, **settings)
    assert (np.abs(measured.value - carried) <= measured.error).all()


@every_step
def test_both_ways_together_are_the_jacobian_of_the_step(step, memory, settings):
    letters = [np.array(sympy.symbols(f"{name}1:{size + 1}", real=True)) for name, size in (("t", 3), ("n", 3))]
    letters += [np.array(sympy.symbols(f"m{i}_1:{len(part) + 1}", real=True)) for i, part in enumerate(memory)]
    S, G = split_jacobian(step, *letters, **settings)
    state = np.concatenate([START, *memory])
    values = dict(
        zip(np.concatenate(letters), np.concatenate([START, BATCHES[0].gradient(START), *memory]), strict=True)
    )
    S, G = (np.array(part.subs(values), dtype=float) for part in (S, G))
    cuts = np.cumsum([3, *(len(part) for part in memory)])[:-1]

    def after(state):
        theta, *rest = np.split(state, cuts)
        return np.concatenate(run_steps(step, BATCHES[:1], theta, *rest, **settings)[1])

    measured = finite_difference_jacobian(after, state)
    S[:, :3] += G @ BATCHES[0].hessian(START)
    assert (np.abs(measured.value - S) <= measured.error + 1e-14).all()


def test_plain_steps_are_gradient_descent_and_its_meta_gradient():
    ours = [theta for (theta,) in run_steps(plain, BATCHES, START, alpha=0.4)]
    np.testing.assert_array_equal(ours, inner_loop(BATCHES, START, 0.4))
    carried = carry_back(plain, BATCHES, QUERY, START, alpha=0.4)
    np.testing.assert_allclose(carried, maml_gradient(BATCHES, QUERY, START, 0.4), rtol=1e-12)


def test_weight_decay_is_a_quadratic_added_to_each_loss():
    bowls = [
        quadratic(np.diag([1.0, 3.0]), np.array([1.0, -1.0])),
        quadratic(np.array([[2.0, 1], [1, 2]]), np.zeros(2)),
    ]
    added = [
        quadratic(np.diag([1.5, 3.5]), np.array([1 / 1.5, -3 / 3.5])),
        quadratic(np.array([[2.5, 1], [1, 2.5]]), np.zeros(2)),
    ]
    theta, query = np.array([0.5, 2.0]), quadratic(np.eye(2), np.ones(2))
    carried = carry_back(decaying, bowls, query, theta, alpha=0.1, gamma=0.5)
    np.testing.assert_allclose(carried, maml_gradient(added, query, theta, 0.1), rtol=1e-12)


def test_without_the_gradient_in_the_step_first_order_is_exact():
    carried = carry_back(lambda theta, n: theta - 0.0 * n, BATCHES, QUERY, START)
    np.testing.assert_allclose(carried, fomaml_gradient([], QUERY, START, 0.0), rtol=1e-14)


def test_the_way_back_is_the_derivative_for_every_smooth_step_and_loss():
    *losses, query = [any_loss(name, x) for name in ("L_1", "L_2", "Q")]
    unknown = [any_loss(f"F_{j}", (*x, *n, *m)) for j in range(4)]

    def any_step(theta, n, m):
        after = np.array([F.value(sympy.Matrix([*theta, *n, *m])) for F in unknown])
        return after[:2], after[2:]

    end = query.value(sympy.Matrix(run_steps(any_step, losses, x, m)[-1][0]))
    for letter, carried in zip(x, carry_back(any_step, losses, query, x, m), strict=True):
        assert sympy.expand(end.diff(letter) - carried) == 0


def test_symbols_are_exact_where_the_step_has_decimals():
    end = run_steps(clipped, [any_loss("L", x)], x, alpha=a, kappa=2)[-1][0]
    assert not any(entry.has(sympy.Float) for entry in end)
    S, G = split_jacobian(clipped, x, n, alpha=0.1, kappa=2)
    assert sympy.eye(2) == S
    assert not G.has(sympy.Float)


def test_single_precision_and_complex_numbers_are_kept():
    start = START.astype(np.float32)
    assert carry_back(plain, [], QUERY, start, alpha=np.float32(0.1)).dtype == np.float32
    turned = START + 1e-20j * np.array([1.0, 2.0, -1.0])
    end = run_steps(clipped, BATCHES, turned, alpha=0.8, kappa=0.5)[-1][0]
    slope = np.imag(QUERY.value(end)) / 1e-20
    assert slope == pytest.approx(carry_back(clipped, BATCHES, QUERY, START, alpha=0.8, kappa=0.5) @ [1, 2, -1])


def test_nothing_given_is_written_into():
    start, memory = START.copy(), np.zeros(3)
    carry_back(heavy_ball, BATCHES, QUERY, start, memory, alpha=0.3, mu=0.6)
    np.testing.assert_array_equal(start, START)
    assert not memory.any()


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: run_steps("plain", BATCHES, START), TypeError, "the step is a str; expected a function"),
        (lambda: run_steps(plain, BATCHES, [0.3], alpha=1), TypeError, r"\[0.3\], a list; expected a NumPy array"),
        (lambda: run_steps(plain, BATCHES, sympy.Matrix(x), alpha=a), TypeError, r"expected a NumPy array of one axis"),
        (lambda: run_steps(plain, BATCHES, np.array([1, 2, 3]), alpha=1), TypeError, "of floats or of symbols"),
        (lambda: run_steps(heavy_ball, BATCHES, START, 0.0, alpha=1, mu=0), TypeError, "0.0, a float"),
        (lambda: run_steps(lambda t, n: t[:2], BATCHES, START), ValueError, r"shapes \[\(2,\)\]; expected \[\(3,\)\]"),
        (lambda: run_steps(lambda t, n, m: t, BATCHES, START, START), ValueError, "and then each memory"),
        (lambda: carry_back(plain, BATCHES, None, START, alpha=1), TypeError, "query"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_was_expected(call, error, words):
    with pytest.raises(error, match=words):
        call()
