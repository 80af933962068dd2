"""The catalogue of mistakes: every entry is wrong, no two are the same, and each is right where it should be."""

import itertools
import re
from functools import partial

import numpy as np
import pytest
import sympy

from mathlib import (
    MISTAKES,
    any_loss,
    fomaml_gradient,
    inner_loop,
    maml_gradient,
    quadratic,
    rosenbrock,
    wrong_gradients,
)

LOSSES = [rosenbrock(a=1, b=1), quadratic(np.array([[2.0, 1.0], [1.0, 3.0]]), np.array([0.5, -1.0])), rosenbrock(-1, 2)]
QUERY = quadratic(np.array([[1.0, -0.5], [-0.5, 2.0]]), np.array([-1.0, 0.5]))
CASE = (LOSSES, QUERY, np.array([0.1, -0.7]), 0.19)


def far(a, b):
    return np.linalg.norm(a - b) > 0.01 * np.linalg.norm(b)


def test_every_mistake_is_wrong_and_no_two_are_the_same():
    found = wrong_gradients(*CASE) | {"right": maml_gradient(*CASE)}
    assert list(found) == [*MISTAKES, "right"]
    for (first, a), (second, b) in itertools.combinations(found.items(), 2):
        assert far(a, b), (first, second)


@pytest.mark.parametrize("name", MISTAKES)
def test_symbols_and_numbers_give_the_same(name):
    x, y = sympy.symbols("x y")
    losses, query, theta, alpha = CASE
    at = dict(zip((x, y), theta, strict=True))
    derived = MISTAKES[name].gradient(losses[:2], query, sympy.Matrix([x, y]), sympy.Rational(19, 100))
    computed = MISTAKES[name].gradient(losses[:2], query, theta, alpha)
    assert derived.shape == (2, 1)
    np.testing.assert_allclose(np.array(derived.subs(at), dtype=float)[:, 0], computed, rtol=1e-12)


@pytest.mark.parametrize("name", MISTAKES)
def test_an_entry_says_how_it_looks_in_code_and_ends_its_question(name):
    mistake = MISTAKES[name]
    assert mistake.name == name
    assert mistake.in_code.startswith(("`", "the "))
    assert mistake.question.endswith((".", "?"))


# The reverse pass around the code that an entry shows first.
ON_THE_WAY_BACK = {
    "reversed order": "{}\n    v = v - alpha * hvp(v)",
    "the Hessian after the step": """hvps = []
for loss in losses:
    g = loss.gradient(theta)
    {}
    hvps.append(partial(loss.hvp, theta))
for hvp in reversed(hvps):
    v = v - alpha * hvp(v)""",
    "every Hessian at the start": "for loss in reversed(losses):\n    v = v - alpha * {}",
    "the query's Hessian": "for theta in reversed(starts):\n    v = v - alpha * {}",
    "the query's gradient at the start": "v = {}\nfor hvp in reversed(hvps):\n    v = v - alpha * hvp(v)",
    "a lost α": "for hvp in reversed(hvps):\n    {}",
    "plus for minus": "for hvp in reversed(hvps):\n    {}",
    "a lost factor": "for loss, at in reversed(list(zip({}, starts[1:]))):\n    v = v - alpha * loss.hvp(at, v)",
    "a sum instead of a product": "{}",
    "a vector of ones": "for H in reversed(hessians):\n    v = {}",
}


@pytest.mark.parametrize("name", ON_THE_WAY_BACK)
def test_the_code_of_an_entry_computes_what_its_formula_does(name):
    losses, query, theta_0, alpha = CASE
    *starts, end = inner_loop(losses, theta_0, alpha)
    names = {"losses": losses, "query": query, "theta_0": theta_0, "theta": theta_0, "alpha": alpha, "starts": starts}
    names["hvps"] = [partial(loss.hvp, start) for loss, start in zip(losses, starts, strict=True)]
    names["hessians"] = [loss.hessian(start) for loss, start in zip(losses, starts, strict=True)]
    names |= {"v": query.gradient(end), "partial": partial}
    shown = re.search("`(.*?)`", MISTAKES[name].in_code)[1]
    exec(ON_THE_WAY_BACK[name].format(shown), names)
    np.testing.assert_allclose(names["v"], MISTAKES[name].gradient(*CASE), rtol=1e-12)


# With these a mistake cannot be seen, and the entry has to give what is right.
HIDDEN = {
    "reversed order": ([rosenbrock()], QUERY, np.array([-0.4, 0.7]), 0.001),
    "the Hessian after the step": ([LOSSES[1]] * 3, QUERY, np.array([-0.4, 0.7]), 0.05),
    "every Hessian at the start": ([LOSSES[1]] * 3, QUERY, np.array([-0.4, 0.7]), 0.05),
    "the query's Hessian": ([LOSSES[1]] * 3, LOSSES[1], np.array([-0.4, 0.7]), 0.05),
    "a lost α": ([LOSSES[1]] * 2, QUERY, np.array([-0.4, 0.7]), 1.0),
    "a sum instead of a product": ([LOSSES[1]], QUERY, np.array([-0.4, 0.7]), 0.05),
    "the query's gradient at the start": ([LOSSES[1]], quadratic(np.zeros((2, 2)), np.ones(2)), np.zeros(2), 0.05),
}


@pytest.mark.parametrize("name", HIDDEN)
def test_where_a_mistake_cannot_show_its_entry_is_right(name):
    np.testing.assert_allclose(MISTAKES[name].gradient(*HIDDEN[name]), maml_gradient(*HIDDEN[name]), rtol=1e-12)


def test_closed_forms_in_one_number():
    """L = 2x², Q = x²/2 from x = 1 with α = 0.1: one step ends at 0.6, and the right answer is 0.6 · 0.6."""
    loss, query = quadratic(np.array([[4.0]]), np.zeros(1)), quadratic(np.eye(1), np.zeros(1))
    found = wrong_gradients([loss], query, np.ones(1), 0.1)
    closed = {
        "reversed order": 0.36,
        "the Hessian after the step": 0.36,
        "every Hessian at the start": 0.36,
        "the query's Hessian": 0.9 * 0.6,
        "the query's gradient at the start": 0.6 * 1.0,
        "no adaptation": 1.0,
        "a lost α": (1 - 4) * 0.6,
        "plus for minus": 1.4 * 0.6,
        "a lost factor": 0.6,
        "a sum instead of a product": 0.36,
        "a vector of ones": 0.36,
        "first order only": 0.6,
        "the inner gradients in place of the query's": 4.0,
    }
    assert {name: pytest.approx(value) for name, value in closed.items()} == {n: v[0] for n, v in found.items()}


def test_reversed_order_is_the_product_the_other_way_round_for_every_smooth_loss():
    x, y, a = sympy.symbols("x y alpha")
    first, second, query = (any_loss(name, [x, y]) for name in ("L1", "L2", "Q"))
    theta = sympy.Matrix([x, y])
    theta_1 = theta - a * first.gradient(theta)
    v = fomaml_gradient([first, second], query, theta, a)
    by_hand = (sympy.eye(2) - a * second.hessian(theta_1)) * (sympy.eye(2) - a * first.hessian(theta)) * v
    assert (MISTAKES["reversed order"].gradient([first, second], query, theta, a) - by_hand).expand() == sympy.zeros(
        2, 1
    )


def test_a_lost_factor_is_the_one_next_to_the_start_and_no_more():
    losses, query, theta, alpha = CASE
    theta_1 = theta - alpha * losses[0].gradient(theta)
    np.testing.assert_allclose(
        MISTAKES["a lost factor"].gradient(*CASE), maml_gradient(losses[1:], query, theta_1, alpha), rtol=1e-12
    )


def test_names_select_and_an_unknown_one_is_refused():
    assert list(wrong_gradients(*CASE, "a lost α", "no adaptation")) == ["a lost α", "no adaptation"]
    with pytest.raises(KeyError, match="there is no mistake 'nothing'; expected one of reversed order"):
        wrong_gradients(*CASE, "nothing")
