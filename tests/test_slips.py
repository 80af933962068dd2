"""The catalogue of slips: no two entries of both catalogues are the same, and symbols agree with numbers."""

import itertools

import numpy as np
import pytest
import sympy
from test_mistakes import CASE, far

from mathlib import MISTAKES, SLIPS, fomaml_gradient, maml_gradient, quadratic, wrong_gradients


def test_every_slip_is_wrong_and_no_two_are_the_same():
    found = {name: slip.gradient(*CASE) for name, slip in SLIPS.items()}
    found |= wrong_gradients(*CASE) | {"right": maml_gradient(*CASE)}
    for (first, a), (second, b) in itertools.combinations(found.items(), 2):
        assert far(a, b), (first, second)


@pytest.mark.parametrize("name", SLIPS)
def test_symbols_and_numbers_give_the_same(name):
    x, y = sympy.symbols("x y")
    losses, query, theta, alpha = CASE
    at = dict(zip((x, y), theta, strict=True))
    derived = SLIPS[name].gradient(losses[1:], query, sympy.Matrix([x, y]), sympy.Rational(19, 100))
    computed = SLIPS[name].gradient(losses[1:], query, theta, alpha)
    np.testing.assert_allclose(np.array(derived.subs(at), dtype=float)[:, 0], computed, rtol=1e-11)


@pytest.mark.parametrize("name", SLIPS)
def test_an_entry_says_how_it_looks_in_code_and_ends_its_question(name):
    slip = SLIPS[name]
    assert slip.name == name
    assert "`" in slip.in_code
    assert slip.question.endswith("?")
    assert name not in MISTAKES


@pytest.mark.parametrize("name", SLIPS)
def test_float32_stays_float32(name):
    losses, query, theta, alpha = CASE
    assert SLIPS[name].gradient(losses, query, theta.astype(np.float32), alpha).dtype == np.float32


def test_closed_forms_in_one_number():
    """L = 2x², Q = x²/2 from x = 1, α = 0.1: the path is 1, 0.6, 0.36, and each step multiplies with 0.6."""
    loss, query = quadratic(np.array([[4.0]]), np.zeros(1)), quadratic(np.eye(1), np.zeros(1))
    closed = {
        "one inner step too few": 0.6**2,
        "one inner step too few, first order": 0.6,
        "one inner step too many": 0.6**6,
        "one inner step too many, first order": 0.6**3,
        "the support loss in place of the query's": 4 * 0.6**4,
        "the support loss in place of the query's, first order": 4 * 0.6**2,
        "adapted to the query": 0.9**4,
        "adapted to the query, first order": 0.9**2,
        "support and query exchanged": 4 * 0.9**4,
        "support and query exchanged, first order": 4 * 0.9**2,
        "an inner loop that goes uphill": 1.4**4,
        "an inner loop that goes uphill, first order": 1.4**2,
        "every inner gradient at the start": 0.2**2,
        "every inner gradient at the start, first order": 0.2,
        # m = 4, then 4 + 4 · 0.6; θ = 0.6 − 0.64
        "inner gradients that add up": 0.04**2,
        "inner gradients that add up, first order": -0.04,
        # m = 4, then 3.6 + 2.4; θ = 0.6 − 0.6
        "momentum in the inner loop": 0.0,
        "momentum in the inner loop, first order": 0.0,
        "gradients never zeroed": 6.4 - 0.04,
        "support gradients left in": 0.6**4 + 4 + 4 * 0.6**2,
        "support gradients left in, first order": 0.6**2 + 4 + 4 * 0.6,
        "the last support gradient left in": 0.6**2 + 4 * 0.6,
        "the query after every step": 0.6**2 + 0.6**4,
        "the query after every step, first order": 0.6 + 0.6**2,
        "the last factor lost": 0.6**3,
        "the last factor alone": 0.6**3,
        "α twice": 0.96**2 * 0.6**2,
        "a lost identity": 0.4**2 * 0.6**2,
        "the inner gradient in place of the adjoint": 0.6**2 - 0.4 * (4 + 2.4),
        "row sums of the Hessian": 0.6**4,
    }
    found = {name: slip.gradient([loss] * 2, query, np.ones(1), 0.1)[0] for name, slip in SLIPS.items()}
    assert found == {name: pytest.approx(value, abs=1e-14) for name, value in closed.items()}


def test_the_full_form_differentiates_what_the_first_order_form_ends_at():
    """By differences: each slip that comes twice, full, is the derivative of the loss that it judges by."""
    losses, query, theta, alpha = CASE
    for name in ("every inner gradient at the start", "inner gradients that add up", "momentum in the inner loop"):
        full, first = SLIPS[name], SLIPS[f"{name}, first order"]
        A = query.hessian(theta)
        # ∇Q(θ_K) = A(θ_K − c), so θ_K, and with it Q, can be had from the first-order form.
        values = [first.gradient(losses, query, theta + h, alpha) for h in (1e-6 * np.eye(2))]
        back = [first.gradient(losses, query, theta - h, alpha) for h in (1e-6 * np.eye(2))]
        judged = [[q @ np.linalg.solve(A, q) / 2 for q in side] for side in (values, back)]
        slope = (np.array(judged[0]) - judged[1]) / 2e-6
        np.testing.assert_allclose(full.gradient(losses, query, theta, alpha), slope, rtol=1e-7)


def test_without_a_step_every_slip_still_answers():
    _, query, theta, alpha = CASE
    for name, slip in SLIPS.items():
        assert slip.gradient([], query, theta, alpha).shape == theta.shape, name
    assert fomaml_gradient([], query, theta, alpha).shape == theta.shape
