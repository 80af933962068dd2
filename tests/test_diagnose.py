"""Which gradient is this: programs in another style are named rightly, and nothing is named wrongly."""

import itertools

import numpy as np
import pytest
from diagnose_examples import IN_PLACE, PLANTED, forwards, in_place, network, regression, valley
from hypothesis import given, settings
from hypothesis import strategies as st

import mathlib
from mathlib import (
    MISTAKES,
    MLP,
    SLIPS,
    diagnose,
    fomaml_gradient,
    loss_from,
    maml_gradient,
    quadratic,
    reptile_gradient,
    rosenbrock,
)
from mathlib.diagnose import FORMULAS, TELLING

PROBLEMS = {"valley": valley(), "network": network(), "regression": regression()}
VALLEY, NETWORK = PROBLEMS["valley"], PROBLEMS["network"]


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("slip", PLANTED)
def test_a_planted_slip_is_named(problem, slip):
    found = diagnose(forwards(PROBLEMS[problem], slip), *PROBLEMS[problem].case)
    assert (found.name, found.ambiguous) == (PLANTED[slip], ())


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("slip", IN_PLACE, ids=str)
def test_a_planted_slip_in_a_first_order_loop_is_named(problem, slip):
    found = diagnose(in_place(PROBLEMS[problem], *slip), *PROBLEMS[problem].case)
    assert (found.name, found.ambiguous) == (IN_PLACE[slip], ())


def test_the_slips_planted_are_most_of_both_catalogues():
    assert len({*PLANTED.values(), *IN_PLACE.values()}) >= 39


@pytest.mark.parametrize(("problem", "dtype"), [("valley", np.float32), ("network", np.float64)])
@pytest.mark.parametrize("name", FORMULAS)
def test_what_a_formula_gives_is_called_by_its_name_and_not_by_another(problem, dtype, name):
    losses, query, theta, alpha = PROBLEMS[problem].case
    gradient = FORMULAS[name].gradient(losses, query, theta, alpha).astype(dtype)
    assert diagnose(gradient, losses, query, theta, alpha).equals == (name,)


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("share", [1e-3, 1e-5, -1e-7])
def test_a_near_miss_is_none_of_them(problem, share):
    """The step size is off by 0.1 % and less on the way back alone, so that no step size fits."""
    losses, query, theta, alpha = PROBLEMS[problem].case
    v = fomaml_gradient(losses, query, theta, alpha)
    right = maml_gradient(losses, query, theta, alpha)
    found = diagnose(right + share * (right - v), losses, query, theta, alpha)
    assert (found.name, found.equals, found.parallel, found.other_alpha) == (None, (), {}, {})
    assert found.headline == "None of them."
    assert min(found.distances, key=found.distances.get) == "MAML"


@settings(derandomize=True, max_examples=15, deadline=None)
@given(st.sampled_from(list(FORMULAS)), st.integers(0, 10**6), st.integers(2, 4), st.floats(0.02, 0.2))
def test_a_formula_is_always_among_those_it_equals_and_a_changed_one_never(name, seed, K, alpha):
    rng = np.random.default_rng(seed)
    net = MLP((1, 3, 1), rng.choice(["tanh", "softplus"]))
    *losses, query = (net.loss(rng.normal(size=(6, 1)), rng.normal(size=(6, 1))) for _ in range(K + 1))
    theta = rng.normal(size=net.d)
    gradient = FORMULAS[name].gradient(losses, query, theta, alpha)
    assert name in diagnose(gradient, losses, query, theta, alpha).equals
    changed = gradient + 1e-6 * np.linalg.norm(gradient) * rng.normal(size=net.d)
    assert name not in diagnose(changed, losses, query, theta, alpha).equals


@pytest.mark.parametrize(
    ("factor", "word"),
    [(-1, "sign"), (2, "Twice"), (1 / 3, "One over"), (3, "number of inner steps"), (0.15, "is α"), (1.7, "A sum")],
)
def test_a_multiple_is_called_parallel(factor, word):
    found = diagnose(factor * maml_gradient(*NETWORK.case), *NETWORK.case)
    assert found.name is None
    assert found.parallel == {"MAML": pytest.approx(factor)}
    assert f"parallel to MAML with factor {factor:.4g}" in str(found)
    assert word in found.notes[0]


def test_a_factor_is_recognised_in_single_precision_too():
    gradient = -maml_gradient(*NETWORK.case).astype(np.float32)
    assert "Its sign is reversed" in diagnose(gradient, *NETWORK.case).notes[0]
    twice = (2.00001 * maml_gradient(*NETWORK.case)).astype(np.float32)
    assert "Twice" in diagnose(twice, *NETWORK.case).notes[0]


def test_mistakes_that_are_the_same_here_are_not_called_by_one_name_alone():
    losses, query, theta, alpha = NETWORK.case
    gradient = losses[0].gradient(theta) + fomaml_gradient(losses[:1], query, theta, alpha)
    found = diagnose(gradient, losses[:1], query, theta, alpha)
    assert found.equals[0] == "support gradients left in, first order"
    assert found.headline.endswith("“support gradients left in, first order”, or one that is the same here.")


def test_a_displacement_is_parallel_to_the_inner_gradients():
    found = diagnose(in_place(NETWORK, slip="displacement"), *NETWORK.case)
    assert found.parallel == {"the inner gradients in place of the query's": pytest.approx(NETWORK.alpha)}


def test_a_clipped_gradient_is_seen_by_its_length():
    gradient = maml_gradient(*NETWORK.case)
    assert "Its length is 0.5" in str(diagnose(0.5 * gradient / np.linalg.norm(gradient), *NETWORK.case))


def test_in_one_dimension_everything_is_parallel_so_nothing_is_said():
    loss, query = quadratic(np.array([[4.0]]), np.zeros(1)), quadratic(np.eye(1), np.ones(1))
    found = diagnose(np.array([0.123]), [loss] * 2, query, np.ones(1), 0.1)
    assert (found.parallel, found.other_alpha, found.headline) == ({}, {}, "None of them.")


@pytest.mark.parametrize(("name", "gradient"), [("MAML", maml_gradient), ("FOMAML", fomaml_gradient)])
@pytest.mark.parametrize("share", [1.001, 2, 0.1, 12.5])
def test_another_step_size_is_found(name, gradient, share):
    losses, query, theta, alpha = PROBLEMS["regression"].case
    found = diagnose(gradient(losses, query, theta, share * alpha), losses, query, theta, alpha)
    assert found.name is None
    assert found.other_alpha == {name: pytest.approx(share * alpha, rel=1e-9)}


def test_losses_that_are_summed_where_a_mean_belongs_are_recognised():
    losses, query, theta, alpha = NETWORK.case
    found = diagnose(6 * maml_gradient(losses, query, theta, 6 * alpha), losses, query, theta, alpha)
    assert found.name is None
    assert found.other_alpha == {"MAML": pytest.approx(6 * alpha, rel=1e-9)}
    assert found.parallel == {"MAML": pytest.approx(6, rel=1e-9)}
    assert found.headline == "None of them, but MAML with alpha = 0.9, times 6."
    assert "summed over its examples" in found.notes[0]


def test_two_unknowns_are_not_fitted_to_three_numbers():
    losses, query, theta, alpha = PROBLEMS["regression"].case
    for gradient in np.array([0.3, -0.2, 0.7]), 6 * maml_gradient(losses, query, theta, 6 * alpha):
        found = diagnose(gradient, losses, query, theta, alpha)
        assert (found.other_alpha, found.parallel) == ({}, {})


def test_a_gradient_of_zeros_is_explained():
    found = diagnose(np.zeros(2), *VALLEY.case)
    assert (found.name, found.parallel) == (None, {})
    assert "nothing arrives at theta" in str(found)


def test_a_gradient_of_single_precision_in_double_is_recognised():
    gradient = fomaml_gradient(*NETWORK.case).astype(np.float32).astype(float)
    found = diagnose(gradient, *NETWORK.case)
    assert found.name is None
    assert "as near to FOMAML as single precision comes" in str(found)


class TestLoopsThatAmplifyRounding:
    """A long inner loop: some formulas' inner loops are chaotic, and rounding alone decides what they give."""

    def case(self, steps, alpha):
        rng = np.random.default_rng(1)
        net = MLP((1, 8, 8, 1))
        x = rng.uniform(-3, 3, (2, 10, 1))
        support, query = (net.loss(examples, np.sin(examples + 0.5)) for examples in x)
        theta = 0.6 * rng.normal(size=net.d)
        return [support] * steps, query, theta, alpha

    def test_a_vector_of_random_numbers_is_none_of_them(self):
        """Rounding may move the loop that goes uphill by more than its length; then it equals every short vector."""
        case = self.case(30, 0.3)
        found = diagnose(np.random.default_rng(1).normal(size=97), *case)
        assert (found.name, found.equals, found.other_alpha, found.parallel) == (None, (), {}, {})
        assert "an inner loop that goes uphill" in found.unsettled
        assert "Not compared, because rounding decides them here: “an inner loop that goes uphill”" in str(found)

    def test_the_right_one_is_the_only_answer(self):
        case = self.case(30, 0.3)
        found = diagnose(maml_gradient(*case), *case)
        assert (found.name, found.ambiguous) == ("MAML", ())

    @pytest.mark.parametrize("random", [False, True])
    def test_where_rounding_decides_the_meta_gradient_itself_nothing_is_named(self, random):
        case = self.case(40, 0.5)
        gradient = np.random.default_rng(1).normal(size=97) if random else fomaml_gradient(*case)
        found = diagnose(gradient, *case)
        assert (found.name, found.headline) == (None, "Undecided: MAML itself is not settled here.")
        assert "Take a smaller alpha, or fewer steps." in str(found)


def test_in_single_precision_it_is_said_how_close_an_equality_is():
    losses, query, theta, alpha = VALLEY.case
    case = losses, query, theta, alpha
    gradient = maml_gradient(*case)
    coarse = diagnose(gradient.astype(np.float32), *case)
    assert coarse.name == "MAML"
    assert "a mistake that changes less is not seen: that is what single precision rounds" in str(coarse)
    assert "is not seen" not in str(diagnose(gradient, *case))
    assert "It is a multiple to within" in str(diagnose(3 * gradient.astype(np.float32), *case))


def test_a_factor_near_one_is_not_called_one():
    found = diagnose(0.99995 * maml_gradient(*NETWORK.case), *NETWORK.case)
    assert found.headline == "None of them, but parallel to MAML with factor 0.99995."


class TestCasesThatCannotTell:
    bowl = quadratic(np.diag([1.0, 3.0]), np.ones(2))
    query = quadratic(np.array([[2.0, 1.0], [1.0, 2.0]]), np.zeros(2))
    flat = quadratic(np.zeros((2, 2)), np.ones(2))
    theta = np.array([0.3, 0.4])

    def ask(self, losses, query, theta, alpha, formula=maml_gradient):
        found = diagnose(formula(losses, query, theta, alpha), losses, query, theta, alpha)
        assert "cannot tell them apart" in str(found)
        return found

    def test_one_quadratic_cannot_show_a_reversed_order(self):
        found = self.ask([self.bowl] * 3, self.query, self.theta, 0.1)
        assert found.name == "MAML"
        assert {"reversed order", "the Hessian after the step", "every Hessian at the start"} <= set(found.ambiguous)
        assert found.case is TELLING

    def test_one_step_cannot_show_an_order(self):
        found = self.ask(VALLEY.losses[:1], VALLEY.query, VALLEY.theta, VALLEY.alpha)
        assert found.name == "MAML"
        assert "reversed order" in found.ambiguous
        assert found.case.words == "take three inner steps"

    def test_without_a_step_size_first_and_second_order_are_one(self):
        found = self.ask(VALLEY.losses, VALLEY.query, VALLEY.theta, 0.0)
        assert found.name is None
        assert found.equals[:2] == ("MAML", "FOMAML")
        assert found.headline.startswith("Undecided")
        assert found.case.alpha > 0

    def test_losses_without_curvature_make_first_and_second_order_one(self):
        found = self.ask([self.flat] * 2, self.query, self.theta, 0.1)
        assert found.name is None
        assert found.case is TELLING

    @pytest.mark.parametrize("name", ["MAML", "FOMAML", "α twice"])
    def test_a_case_that_is_named_tells_them_apart(self, name):
        found = diagnose(
            FORMULAS[name].gradient([self.bowl], self.query, self.theta, 0.1),
            [self.bowl],
            self.query,
            self.theta,
            0.1,
        )
        assert name in found.equals
        if found.ambiguous:
            case = found.case
            for true in found.equals:
                gradient = FORMULAS[true].gradient(case.losses, case.query, case.theta, case.alpha)
                again = diagnose(gradient, case.losses, case.query, case.theta, case.alpha)
                assert set(again.equals) & set(found.equals) == {true}

    def test_the_case_shown_as_code_is_the_one_that_was_tried(self):
        names = {"np": np, "rosenbrock": rosenbrock, "quadratic": quadratic}
        names |= {"diagnose": lambda *arguments: arguments, "your_gradient": None}
        exec(TELLING.code, names)
        for made, tried in zip([*names["losses"], names["query"]], [*TELLING.losses, TELLING.query], strict=True):
            assert made.expression == tried.expression
        np.testing.assert_array_equal(names["theta"], TELLING.theta)
        assert names["alpha"] == TELLING.alpha

    def test_the_telling_case_tells_every_formula_from_every_other(self):
        values = [f.gradient(TELLING.losses, TELLING.query, TELLING.theta, TELLING.alpha) for f in FORMULAS.values()]
        for a, b in itertools.combinations(values, 2):
            assert np.linalg.norm(a - b) > 1e-3 * np.linalg.norm(b)

    def test_a_tiny_step_size_hides_the_order_from_single_precision(self):
        losses, query, theta, _ = NETWORK.case
        gradient = maml_gradient(losses, query, theta, 1e-5).astype(np.float32)
        found = diagnose(gradient, losses, query, theta, 1e-5)
        assert "reversed order" in found.ambiguous
        assert "less than what single precision rounds" in str(found)
        assert diagnose(maml_gradient(losses, query, theta, 1e-4), losses, query, theta, 1e-4).equals == ("MAML",)


class TestLossesFromElsewhere:
    losses = tuple(loss_from(loss.value, loss.gradient) for loss in NETWORK.losses)
    query = loss_from(NETWORK.query.value, NETWORK.query.gradient)

    @pytest.mark.parametrize("name", list(FORMULAS)[::5])
    def test_differences_name_every_formula(self, name):
        gradient = FORMULAS[name].gradient(*NETWORK.case)
        assert diagnose(gradient, self.losses, self.query, NETWORK.theta, NETWORK.alpha).equals == (name,)

    def test_an_error_bar_that_is_too_wide_leaves_it_undecided(self):
        class Coarse(type(self.query)):
            def product(self, theta, v):
                estimate = super().product(theta, v)
                return mathlib.Estimate(estimate.value, estimate.error + 10 * np.abs(estimate.value).max())

        losses = [Coarse(loss.value, loss.gradient) for loss in self.losses]
        found = diagnose(fomaml_gradient(*NETWORK.case), losses, self.query, NETWORK.theta, NETWORK.alpha)
        assert {"MAML", "FOMAML"} <= set(found.equals)
        assert (found.name, found.headline) == (None, "Undecided: MAML itself is not settled here.")
        assert "The error of the differences may move MAML by" in str(found)
        assert "\n  MAML: not settled." in str(found)

    def test_differences_that_differ_a_little_are_said_to_be_coarse(self):
        class Wide(type(self.query)):
            def product(self, theta, v):
                estimate = super().product(theta, v)
                return mathlib.Estimate(estimate.value, estimate.error + 1e-4 * np.abs(estimate.value).max())

        losses = [Wide(loss.value, loss.gradient) for loss in self.losses]
        found = diagnose(maml_gradient(*NETWORK.case), losses, self.query, NETWORK.theta, NETWORK.alpha)
        assert found.name == "MAML"
        assert "a mistake that changes less is not seen: that is the error of the differences" in str(found)

    @pytest.mark.parametrize("formula", [maml_gradient, fomaml_gradient])
    def test_single_precision_tells_first_from_second_order(self, formula):
        losses, query, theta, alpha = NETWORK.case
        single = [
            loss.network.loss(loss.inputs.astype(np.float32), loss.targets.astype(np.float32))
            for loss in (*losses, query)
        ]
        *outside, judge = (loss_from(loss.value, loss.gradient) for loss in single)
        theta = theta.astype(np.float32)
        found = diagnose(formula(single[:-1], single[-1], theta, alpha), outside, judge, theta, alpha)
        assert found.name == {maml_gradient: "MAML", fomaml_gradient: "FOMAML"}[formula]


class TestBadInput:
    def complaint(self, error, *arguments):
        with pytest.raises(error) as caught:
            diagnose(*arguments)
        return str(caught.value)

    def test_none(self):
        assert "gradient is None: nothing was ever written there" in self.complaint(TypeError, None, *VALLEY.case)

    def test_half_precision(self):
        said = self.complaint(TypeError, np.ones(2, dtype=np.float16), *VALLEY.case)
        assert "gradient has dtype float16, which keeps three digits" in said

    def test_another_shape(self):
        assert "gradient has shape (3,); expected theta's, (2,)" in self.complaint(ValueError, np.ones(3), *VALLEY.case)

    def test_nan(self):
        assert "gradient has a NaN or infinite entry" in self.complaint(
            ValueError, np.array([1.0, np.nan]), *VALLEY.case
        )

    def test_a_tensor(self):
        assert "gradient is a Tensor; expected a NumPy array" in self.complaint(
            TypeError, type("Tensor", (), {})(), *VALLEY.case
        )

    def test_a_batch_of_tasks(self):
        losses, query, theta, alpha = VALLEY.case
        theta = np.stack([theta, theta])
        assert "the parameters of one task" in self.complaint(ValueError, theta, losses, query, theta, alpha)

    def test_no_step(self):
        _, query, theta, alpha = VALLEY.case
        assert "losses is empty" in self.complaint(ValueError, theta, [], query, theta, alpha)

    def test_a_loss_that_lacks_a_method(self):
        losses, _, theta, alpha = VALLEY.case
        assert "It lacks .gradient and .linearize" in self.complaint(TypeError, theta, losses, 3, theta, alpha)

    def test_a_loss_that_draws_new_numbers(self):
        losses, query, theta, alpha = VALLEY.case
        rng = np.random.default_rng(0)
        noisy = loss_from(query.value, lambda t: query.gradient(t) + rng.normal(size=2))
        said = self.complaint(ValueError, theta, losses, noisy, theta, alpha)
        assert "the query loss is not a function: two calls at one point differ by" in said

    def test_a_loss_that_writes_into_theta(self):
        losses, query, theta, alpha = VALLEY.case

        class Writes(type(query)):
            def gradient(self, theta):
                answer = super().gradient(theta)
                theta[0] = 7.0
                return answer

        writing = Writes(query.expression, query.variables)
        said = self.complaint(ValueError, theta, losses, writing, theta.copy(), alpha)
        assert "the query loss writes into theta" in said

    def test_a_loop_that_diverges(self):
        losses, query, theta, _ = VALLEY.case
        assert "Take a smaller alpha" in self.complaint(ValueError, theta, losses * 4, query, theta, 50.0)


def test_what_is_not_finite_is_left_out_and_named():
    losses, query, theta, _ = VALLEY.case
    losses = [losses[2]] * 9
    found = diagnose(maml_gradient(losses, query, theta, 0.11), losses, query, theta, 0.11)
    assert found.name == "MAML"
    assert "an inner loop that goes uphill" in found.skipped
    assert "Not compared, because not finite here: " in str(found)


def test_the_table_is_short_and_names_what_to_look_for():
    found = diagnose(fomaml_gradient(*NETWORK.case), *NETWORK.case)
    assert str(found).startswith("This gradient equals FOMAML.\n  FOMAML: equal. In code: `create_graph=True` left out")
    markdown = found._repr_markdown_()
    assert markdown.startswith("**This gradient equals FOMAML.**\n\n| formula | this gradient | in code |")
    assert markdown.count("\n|") == 2 + 5
    assert repr(found) == str(found)


def test_both_catalogues_are_asked_and_no_name_stands_twice():
    assert set(FORMULAS) == {"MAML", "FOMAML", *MISTAKES, *SLIPS} - {"first order only"}
    assert not set(MISTAKES) & set(SLIPS)


def test_thousands_of_parameters_need_no_matrix():
    """A loss that cannot make a Hessian, with d = 5000: every formula is computed with products."""

    class Chain:
        def __init__(self, shift):
            self.shift = shift

        def value(self, theta):
            return np.cosh(theta - self.shift).sum() + (theta[1:] * theta[:-1]).sum() / 4

        def gradient(self, theta):
            gradient = np.sinh(theta - self.shift)
            gradient[1:] += theta[:-1] / 4
            gradient[:-1] += theta[1:] / 4
            return gradient

        def linearize(self, theta):
            def hvp(v):
                product = np.cosh(theta - self.shift) * v
                product[1:] += v[:-1] / 4
                product[:-1] += v[1:] / 4
                return product

            return self.gradient(theta), hvp

    losses, query = [Chain(0.1), Chain(-0.3), Chain(0.5)], Chain(1.0)
    theta = np.random.default_rng(0).normal(size=5000)
    found = diagnose(maml_gradient(losses, query, theta, 0.05), losses, query, theta, 0.05)
    assert found.equals == ("MAML",)
    found = diagnose(reptile_gradient(losses, theta, 0.05), losses, query, theta, 0.05)
    assert found.equals == ("the inner gradients in place of the query's",)
