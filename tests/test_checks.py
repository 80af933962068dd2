"""A check passes what holds, raises at what does not, decides nothing that it cannot, and shows the same everywhere."""

import re

import numpy as np
import pytest
import sympy

from mathlib import CheckFailed, Estimate, any_loss, check, refute, rosenbrock
from mathlib.checks import Verdict, _width
from mathlib.meta_gradients import maml_gradient, meta_loss

x, y = sympy.symbols("x y")
A, B = sympy.symbols("A B", commutative=False)
EXACT = "holds exactly"
WITHIN = "holds within the error of the differences"


def L(argument):
    return any_loss("L", [x]).value(sympy.Matrix([argument]))


def estimate(value, error=1e-9):
    return Estimate(np.asarray(value, dtype=float), np.full_like(value, error, dtype=float))


@pytest.fixture
def shown(monkeypatch):
    """Run a check or a refutation; return the verdict that it displays."""

    def run(function, *arguments, **options):
        verdicts = []
        monkeypatch.setattr("mathlib.checks.display", verdicts.append)
        assert function(*arguments, **options) is None
        (verdict,) = verdicts
        return verdict

    return run


# What holds.

HOLDS = {
    "two expressions": ((x + 1) ** 2, x**2 + 2 * x + 1, EXACT),
    "an expression and a whole number": (sympy.expand((x + 1) ** 2 - x**2 - 2 * x), 1, EXACT),
    "two columns": (sympy.Matrix([x * (x + 1), 2]), sympy.Matrix([x**2 + x, 2]), EXACT),
    "a changeable and an unchangeable matrix": (sympy.eye(2) * x, sympy.ImmutableMatrix([[x, 0], [0, x]]), EXACT),
    "letters that do not commute": ((A + B) ** 2, A**2 + A * B + B * A + B**2, EXACT),
    "unknown functions": (L((x + 1) ** 2), L(x**2 + 2 * x + 1), EXACT),
    "two arrays": (np.array([0.1 + 0.2, 1.0]), np.array([0.3, 1.0]), "holds to 12 digits"),
    "two matrices": (np.eye(2) / 3, np.diag([1 / 3, 1 / 3]), "holds to 12 digits"),
    "two numbers": (0.1 + 0.2, 0.3, "holds to 12 digits"),
    "a NumPy number and a Python one": (np.float64(0.1) + 0.2, 0.3, "holds to 12 digits"),
    "two arrays of zeros": (np.zeros(2), np.zeros(2), "holds to 12 digits"),
    "an estimate and an array": (estimate([1.0, 2 + 5e-10]), np.array([1.0, 2.0]), WITHIN),
    "an array and an estimate": (np.array([1.0, 2.0]), estimate([1.0, 2 - 5e-10]), WITHIN),
    "a single estimate and a number": (estimate(2.0), 2 + 5e-10, WITHIN),
    "an estimate and exact zeros": (estimate([5e-10, 0.0]), np.zeros(2), WITHIN),
}


@pytest.mark.parametrize(("left", "right", "finding"), list(HOLDS.values()), ids=list(HOLDS))
def test_what_holds_is_said_to_hold_and_how_exactly(shown, left, right, finding):
    verdict = shown(check, "5.2", left, right)
    assert verdict.finding == finding
    assert verdict.label == "5.2"
    assert repr(verdict).startswith("✓ (5.2)")


@pytest.mark.parametrize(("left", "right", "finding"), list(HOLDS.values()), ids=list(HOLDS))
def test_what_holds_cannot_be_refuted(left, right, finding):
    with pytest.raises(CheckFailed, match=r"\(5\.2\) was to be refuted, but .*Take a case where the mistake shows"):
        refute("5.2", left, right)


@pytest.mark.parametrize("digits", [1, 3, 12, 15])
def test_the_digits_demanded_are_of_the_largest_entry(digits):
    left = np.array([[4.0, 0.0], [-1.0, 2.0]])
    for share, holds in [(0.9, True), (1.1, False)]:
        right = left + np.array([[0, 0], [0, share * 4.0 * 10.0**-digits]])
        if digits == 15:  # the next number after 2 is as far away as that
            right = left + np.array([[0, 0], [0, 4.4e-16 if holds else 4.44e-15]])
        if holds:
            check("1.1", left, right, digits=digits)
        else:
            with pytest.raises(CheckFailed):
                check("1.1", left, right, digits=digits)


def test_an_inequality_holds_entry_by_entry_and_allows_what_an_equality_would(shown):
    verdict = shown(check, "6.1", np.array([1.0, 2.0]), np.array([5.0, 2 - 1e-13]), relation="<=")
    assert verdict.finding == "holds"
    assert r"\le" in verdict.formula
    assert shown(check, "6.1", estimate(1.0), 1 - 5e-10, relation="<=").finding == WITHIN
    with pytest.raises(CheckFailed, match=r"entry \(2,\): the left side is 2, the right 1\.9"):
        check("6.1", np.array([1.0, 2.0]), np.array([5.0, 1.9]), relation="<=")
    with pytest.raises(CheckFailed, match=r"the left side is 1, the right 0\.5"):
        check("6.1", estimate(1.0), 0.5, relation="<=")


# What does not hold.

FAILS = {
    "two expressions": (x**2, x**3, "", r"left side is \S+, the right \S+, a relative error of [\d.]+ %"),
    "in a matrix": (
        sympy.Matrix([[x, y], [1, x]]),
        sympy.Matrix([[x, y], [2, x]]),
        r" in entry \(2, 1\)",
        "left side is 1, the right 2, a relative error of 1e?.* %",
    ),
    "the order of letters": (A * B, B * A, "", "left side is a matrix of norm .*, the right a matrix of norm"),
    "two arrays": (
        np.array([1.0, 1.25, 4.0]),
        np.array([1.0, 1.5, 4.0]),
        r" in entry \(2,\)",
        "left side is 1.25, the right 1.5, a relative error of 0.062 where 1e-12 is allowed",
    ),
    "two numbers": (2.0, 2.5, "", "left side is 2, the right 2.5, a relative error of 0.2 where 1e-12"),
    "the entry that is furthest off": (
        np.array([[1.0, 2.0], [3.0, 4.0]]),
        np.array([[1.0, 2.1], [3.9, 4.0]]),
        r" in entry \(2, 1\)",
        "left side is 3, the right 3.9, a relative error of 0.22",
    ),
    "beside the largest entry of the left": (
        np.array([4.0, 1.0]),
        np.array([1.0, 1.0]),
        r" in entry \(1,\)",
        "left side is 4, the right 1, a relative error of 0.75",
    ),
    "beside the largest entry of the right": (
        np.array([1.0, 1.0]),
        np.array([4.0, 1.0]),
        r" in entry \(1,\)",
        "left side is 1, the right 4, a relative error of 0.75",
    ),
    "an estimate": (
        estimate([1.0, 2.0]),
        np.array([1.0, 2 + 4e-9]),
        r" in entry \(2,\)",
        r"left side is 2, the right 2\.000000004, a relative error of 2e-09 where 5e-10 is allowed",
    ),
    "an estimate of what is not zero": (
        estimate([1e-3]),
        np.zeros(1),
        r" in entry \(1,\)",
        "right 0, a relative error",
    ),
}


@pytest.mark.parametrize(("left", "right", "entry", "message"), list(FAILS.values()), ids=list(FAILS))
def test_what_does_not_hold_is_named_with_its_entry_both_values_and_the_relative_error(left, right, entry, message):
    with pytest.raises(CheckFailed, match=rf"\(5\.2\) does not hold{entry}: .*{message}") as failure:
        check("5.2", left, right)
    assert isinstance(failure.value, AssertionError)


@pytest.mark.parametrize(("left", "right", "entry", "message"), list(FAILS.values()), ids=list(FAILS))
def test_what_does_not_hold_by_far_is_refuted(shown, left, right, entry, message):
    if "right 2\\.000000004" in message:  # only four times the error
        with pytest.raises(CheckFailed, match="agrees with what is right"):
            refute("5.2", left, right)
    else:
        verdict = shown(refute, "5.2", left, right)
        assert repr(verdict).startswith("⊘ (5.2) rejected, as it should be")


@pytest.mark.parametrize("times_the_error", [1.5, 50, 90])
@pytest.mark.parametrize(
    ("left", "right", "error"), [(np.ones(2), np.ones(2), 1e-12), (estimate(np.ones(2)), np.ones(2), 1e-9)]
)
def test_a_version_that_differs_by_little_more_than_the_error_is_neither_right_nor_refuted(
    left, right, error, times_the_error
):
    off = right + np.array([0.0, times_the_error * error])
    with pytest.raises(CheckFailed, match="does not hold"):
        check("5.2", left, off)
    with pytest.raises(CheckFailed, match=r"differ by .*, and only more than .* would tell them apart"):
        refute("5.2", left, off)
    refute("5.2", left, right + np.array([0.0, 110 * error]))


def test_a_refutation_says_how_long_the_error_is_beside_what_is_right(shown):
    """The measure of the figures: all entries together, and never beside the wrong version."""
    cases = [
        (np.array([3.0, 4.0]), np.array([3.0, 5.0]), "20 %"),
        (np.array([1.0, 2.0]), np.array([1.0, 3.0]), "45 %"),
        (4.0, 3.0, "25 %"),
        (1000.0, 999.0, "0.1 %"),
        (1.0, 46.0, "a factor of 45"),
        (0.0, 3.0, "all of it, for 0 is right"),
        (sympy.Matrix([3, 4]), sympy.Matrix([3, 5]), "20 %"),
        (sympy.Integer(0), sympy.Integer(2), "all of it, for 0 is right"),
        (A * B, 2 * A * B, "100 %"),
    ]
    for right, wrong, off in cases:
        ((_, _, _, error),) = shown(refute, "1", right, wrong).rows
        assert error == off


def test_all_wrong_versions_of_a_claim_stand_in_one_table(capsys, shown):
    right = np.array([1.0, -2.0])
    versions = {"a lost sign": np.array([1.0, 2.0]), "a lost | half": np.array([0.5, -1.0])}
    refute("5.2", right, versions)
    assert capsys.readouterr().out.splitlines() == [
        "⊘ (5.2) rejected, as it should be:",
        "  a lost sign: gives 2 for -2, off by 180 % over all entries",
        "  a lost | half: gives -1 for -2, off by 50 % over all entries",
    ]
    assert shown(refute, "5.2", right, versions)._repr_markdown_().splitlines() == [
        "⊘ **(5.2)** rejected, as it should be:",
        "",
        "| wrong version | gives | right | off by, over all entries |",
        "|---|---|---|---|",
        "| a lost sign | 2 | -2 | 180 % |",
        r"| a lost \| half | -1 | -2 | 50 % |",
    ]


def test_one_version_that_agrees_is_named_and_nothing_is_displayed(monkeypatch):
    displayed = []
    monkeypatch.setattr("mathlib.checks.display", displayed.append)
    with pytest.raises(CheckFailed, match=r"\(5\.2\) was to be refuted, .*: the same thing\."):
        refute("5.2", ONE, {"another": ONE + 1, "the same thing": ONE})
    with pytest.raises(CheckFailed, match=r"\(5\.2\) was to be refuted, .*: the same thing\."):
        refute("5.2", x, {"another": 2 * x, "the same thing": x})
    with pytest.raises(ValueError, match="no wrong version to refute"):
        refute("5.2", ONE, {})
    assert displayed == []


def test_a_hundred_times_the_error_is_the_least_that_refutes():
    refute("5.2", np.ones(1), np.array([1 + 1.005e-10]))
    with pytest.raises(CheckFailed, match=r"They differ by 9\.95e-11, and only more than 1e-10 would tell them apart"):
        refute("5.2", np.ones(1), np.array([1 + 9.95e-11]))


def test_a_refutation_that_fails_names_the_largest_difference_and_the_largest_error():
    measured = Estimate(np.array([1.0, 1.0]), np.array([1e-9, 2e-9]))
    with pytest.raises(CheckFailed, match="They differ by 3e-08, and only more than 2e-07 would tell them apart"):
        refute("5.2", measured, np.array([1.0, 1 + 3e-8]))


@pytest.mark.parametrize(
    ("right", "wrong", "gives", "instead_of"),
    [(100.0, 0.12345, "0.1", "100"), (3.0, 0.0, "0", "3"), (0.0, 3.0, "3", "0")],
)
def test_a_refutation_shows_both_numbers_with_four_digits_of_the_larger(shown, right, wrong, gives, instead_of):
    assert shown(refute, "5.2", right, wrong).rows[0][1:3] == (gives, instead_of)


def test_a_version_that_differs_at_some_of_the_points_only_is_refuted_there():
    """At one of the three points y is negative, at the others positive."""
    for right in (y, -y):
        refute("5.2", right, abs(y))


def failure(left, right):
    with pytest.raises(CheckFailed) as failed:
        check("5.2", left, right)
    return str(failed.value)


def test_the_relative_error_of_exact_numbers_is_said_in_percent_or_as_a_factor():
    whole = sympy.Integer
    assert "a relative error of 900 %." in failure(whole(1), whole(10))
    assert "a relative error of a factor of 10." in failure(whole(1), whole(11))
    assert "a relative error of a factor of 25." in failure(whole(1), whole(26))
    assert "a relative error of all of it, for 0 is right." in failure(whole(0), whole(1))
    assert "a relative error of 100 %." in failure(A, 2 * A)


def test_an_undecided_estimate_names_its_largest_error():
    message = failure(Estimate(np.ones(2), np.array([1e-9, 2e-4])), np.ones(2))
    assert "the estimate's error 0.0002 is too coarse beside values of size 1." in message


def test_exact_numbers_are_shown_whole_or_with_four_digits():
    million = 10**6
    for number, said in [
        (sympy.Rational(1, 3), "0.3333"),
        (sympy.Integer(million * 1000 - 1), "999999999"),
        (sympy.Integer(million * 1000), "1e+09"),
        (sympy.I / 3, r"0.3333*I"),
        (sympy.sqrt(2), "1.414"),
    ]:
        assert f"the left side is {said}, the right 7, a" in failure(number, sympy.Integer(7))


# What is undecided.


def test_an_undecided_difference_fails_the_check_and_is_no_success_of_refute():
    left, right = sympy.sin(2 * x), 2 * sympy.sin(x) * sympy.cos(x)
    with pytest.raises(CheckFailed, match=r"\(5\.2\) is undecided: .*proves nothing.*Prove it for any_loss"):
        check("5.2", left, right)
    with pytest.raises(CheckFailed, match="no random point tells it from what is right"):
        refute("5.2", left, right)


def test_a_concrete_loss_that_does_not_expand_is_undecided_too():
    loss, theta, alpha = rosenbrock(), sympy.Matrix([x, y]), sympy.Symbol("alpha")
    direct = sympy.Matrix([meta_loss([loss] * 2, loss, theta, alpha).diff(v) for v in (x, y)])
    with pytest.raises(CheckFailed, match=r"is undecided in entry \(1, 1\)"):
        check("5.2", direct, maml_gradient([loss] * 2, loss, theta, alpha))


def test_what_is_undefined_is_not_called_proved():
    for function in (check, refute):
        with pytest.raises(CheckFailed):
            function("5.2", sympy.nan, sympy.nan)


def test_equal_arguments_written_differently_do_not_refute():
    for left, right in [(sympy.sin(x) ** 2 + sympy.cos(x) ** 2, 1), ((sympy.exp(x) - 1) ** 2 - 1, sympy.exp(2 * x))]:
        if left.has(sympy.exp):
            right = right - 2 * sympy.exp(x)
        with pytest.raises(CheckFailed, match="no random point"):
            refute("5.2", L(left), L(right))


@pytest.mark.parametrize("function", [check, refute])
@pytest.mark.parametrize(
    ("left", "right"),
    [
        (estimate([1.0], error=2e-4), np.array([1.0])),
        (estimate([1.0, 1e3], error=0.2), np.array([1.0, 1e3])),
        (np.array([3e-9]), estimate([3e-9], error=1e-9)),
        (estimate(0.0, error=2e-4), 0.0),
        (estimate([0.0, 1e-3], error=1e-5), np.array([0.0, 1e-3])),
        (Estimate(np.ones(2), np.array([1e-9, 2e-4])), np.ones(2)),
    ],
)
def test_an_estimate_that_is_too_coarse_decides_nothing(function, left, right):
    with pytest.raises(CheckFailed, match=r"\(5\.2\) is undecided: the estimate's error .* too coarse .* smaller step"):
        function("5.2", left, right)


# Sides that cannot be compared.

ONE = np.array([1.0])
REFUSED = {
    "a list": ([1.0], ONE, TypeError, "a side is a list; expected a NumPy array"),
    "a text": ("1", ONE, TypeError, "a side is a str"),
    "None": (None, ONE, TypeError, "a side is a NoneType"),
    "integers": (np.array([1]), ONE, TypeError, r"a side has dtype int64; .*astype\(float\)"),
    "True": (True, 1.0, TypeError, "a side is a bool"),
    "booleans": (np.array([True]), ONE, TypeError, "a side has dtype bool"),
    "a complex number": (1j, 1.0, TypeError, "a side is a complex"),
    "complex numbers": (ONE + 0j, ONE, TypeError, "a side is complex"),
    "single precision": (ONE.astype(np.float32), ONE, TypeError, "dtype float32; a check needs float64"),
    "a single number in single precision": (np.float32(1), 1.0, TypeError, "dtype float32; a check needs float64"),
    "objects": (np.array([x]), ONE, TypeError, "a side has dtype object"),
    "NaN": (np.array([np.nan]), ONE, ValueError, "a side has a NaN or infinite entry"),
    "infinity": (np.inf, 1.0, ValueError, "a side has a NaN or infinite entry"),
    "an estimate in single precision": (
        Estimate(np.float32([1.0]), np.float32([1e-9])),
        ONE,
        TypeError,
        r"\(5\.2\) an estimate has dtype float32",
    ),
    "a list on the right": (ONE, [1.0], TypeError, r"\(5\.2\) a side is a list"),
    "an estimate that is NaN": (estimate([np.nan]), ONE, ValueError, "an estimate has a NaN"),
    "an estimate with an infinite error": (
        estimate([1.0], np.inf),
        ONE,
        ValueError,
        "an estimate has a NaN or infinite",
    ),
    "two estimates": (estimate([1.0]), estimate([1.0]), TypeError, "cannot compare Estimate with Estimate"),
    "a symbol and a number": (x, 1.0, TypeError, r"cannot compare Symbol with float: .* Evaluate the symbols first"),
    "a whole number and an array": (1, ONE, TypeError, "cannot compare int with ndarray"),
    "a matrix of symbols and an array": (sympy.Matrix([x]), ONE, TypeError, "cannot compare MutableDenseMatrix with"),
    "a symbol and an estimate": (x, estimate(1.0), TypeError, "cannot compare Symbol with Estimate"),
    "a rounded number among symbols": (0.5 * x + 0.75, x / 2, TypeError, r"\(5\.2\) a symbolic side .* 0\.5.*exact"),
    "matrices without entries": (
        sympy.MatrixSymbol("M", 2, 2),
        sympy.MatrixSymbol("M", 2, 2),
        TypeError,
        r"\(5\.2\) cannot compare MatrixSymbol, a matrix without entries",
    ),
    "shapes of arrays": (np.ones(2), np.ones((2, 1)), ValueError, r"left side has shape \(2,\), the right \(2, 1\)"),
    "a number and an array": (1.0, ONE, ValueError, r"left side has shape \(\), the right \(1,\)"),
    "shapes of matrices": (sympy.eye(2), sympy.zeros(2, 1), ValueError, r"shape \(2, 2\), the right \(2, 1\)"),
    "an expression and a matrix": (x, sympy.Matrix([x]), ValueError, r"shape \(\), the right \(1, 1\)"),
    "shapes of an estimate": (estimate([1.0]), np.ones(2), ValueError, r"shape \(1,\), the right \(2,\)"),
    "no entries": (np.ones(0), np.ones(0), ValueError, r"\(5\.2\)"),
    "no symbolic entries": (sympy.zeros(0, 0), sympy.zeros(0, 0), ValueError, r"\(5\.2\)"),
}


@pytest.mark.parametrize("function", [check, refute])
@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize(("left", "right", "error", "message"), list(REFUSED.values()), ids=list(REFUSED))
def test_sides_that_cannot_be_compared_meet_an_error_of_their_own(function, swapped, left, right, error, message):
    if swapped and re.search("cannot compare|shape", message):
        left, right, message = right, left, r"\(5\.2\)"
    elif swapped:
        left, right = right, left
    with pytest.raises(error, match=message):
        function("5.2", left, right)


@pytest.mark.parametrize("function", [check, refute])
def test_the_label_is_the_number_of_the_equation(function):
    for label in ("", 5.2, None):
        with pytest.raises(TypeError, match=r"the label is .*; expected the number of the equation"):
            function(label, x, x)


@pytest.mark.parametrize("function", [check, refute])
@pytest.mark.parametrize("digits", [0, 16, -1, 3.0, "12", True])
def test_digits_are_what_float64_can_hold(function, digits):
    with pytest.raises(ValueError, match=r"digits is .*; expected a whole number from 1 to 15"):
        function("5.2", ONE, ONE, digits=digits)


def test_a_relation_is_equal_or_at_most_and_at_most_is_for_numbers():
    with pytest.raises(ValueError, match="relation is '>='; expected"):
        check("5.2", ONE, ONE, relation=">=")
    with pytest.raises(TypeError, match=r"\(5\.2\) an inequality is checked on numbers"):
        check("5.2", x, x + 1, relation="<=")


# What is shown.


def text(verdict):
    return repr(verdict) + verdict._repr_markdown_()


def test_a_verdict_is_printed_with_its_number_finding_and_route(capsys):
    check("5.2", ONE, ONE, route="a product and a sum")
    check("5.3", ONE, ONE, digits=7)
    refute("5.4", x, 2 * x, route="a lost factor")
    first, second, third, fourth = capsys.readouterr().out.splitlines()
    assert first == "✓ (5.2) holds to 12 digits. Route: a product and a sum."
    assert second == "✓ (5.3) holds to 7 digits. Route: two computations in float64."
    assert third == "⊘ (5.4) rejected, as it should be; numbers at a random exact point:"
    assert re.fullmatch(r"  a lost factor: gives \S+ for \S+, off by 100 %", fourth)


ROUTES = {
    "symbols": (x + x, 2 * x, 3 * x, "two expressions, compared by expansion and at random exact points"),
    "an estimate": (estimate([2.0]), np.array([2.0]), np.array([3.0]), "a formula against finite differences"),
    "its other side": (np.array([2.0]), estimate([2.0]), estimate([3.0]), "a formula against finite differences"),
    "arrays": (np.array([2.0]), np.array([2.0]), np.array([3.0]), "two computations in float64"),
}


@pytest.mark.parametrize(("left", "right", "wrong", "route"), list(ROUTES.values()), ids=list(ROUTES))
def test_without_a_route_the_kind_of_the_sides_is_named(shown, left, right, wrong, route):
    assert shown(check, "5.2", left, right).route == route
    assert shown(check, "5.2", left, right, route="said").route == "said"
    assert shown(refute, "5.2", left, wrong).rows[0][0] == "a wrong version"
    assert shown(refute, "5.2", left, wrong, route="said").rows[0][0] == "said"


def test_a_refutation_of_plain_numbers_names_them_and_no_point(capsys):
    refute("5.4", sympy.Integer(91464), sympy.Integer(60492), route="a lost factor")
    refute("5.5", sympy.Matrix([1, 2]), sympy.Matrix([1, 3]), route="a lost factor")
    refute("5.6", any_loss("L", [x]).value(sympy.Matrix([1])), sympy.Integer(2), route="an unknown number")
    first, its_row, second, another, third, _ = capsys.readouterr().out.splitlines()
    assert "at a random exact point" in third
    assert first == "⊘ (5.4) rejected, as it should be:"
    assert its_row == "  a lost factor: gives 60492 for 91464, off by 34 %"
    assert second == "⊘ (5.5) rejected, as it should be:"
    assert another == "  a lost factor: gives 3 for 2, off by 45 % over all entries"
    refute("5.7", sympy.Integer(2), any_loss("L", [x]).value(sympy.Matrix([1])), route="an unknown number")
    assert "at a random exact point" in capsys.readouterr().out


def test_a_verdict_without_a_formula_is_one_line(shown):
    line = "✓ **(5.2)** holds to 12 digits. *Route: a product and a sum.*"
    assert shown(check, "5.2", ONE, ONE, route="a product and a sum")._repr_markdown_() == line
    assert Verdict("5.2", "holds to 12 digits", "a product and a sum")._repr_markdown_() == line


def test_a_verdict_shows_both_sides_as_mathematics(shown):
    markdown = shown(check, "5.2", (x + 1) ** 2, x**2 + 2 * x + 1)._repr_markdown_()
    assert markdown.startswith("✓ **(5.2)** holds exactly")
    assert markdown.splitlines()[1:] == ["", r"$$\displaystyle \left(x + 1\right)^{2} = x^{2} + 2 x + 1$$"]
    assert r"\left(x + 1\right)^{2} = x^{2} + 2 x + 1" in markdown
    assert "$$" not in shown(check, "5.2", ONE, ONE)._repr_markdown_()  # both sides look the same
    assert "$$" not in shown(check, "5.2", x + x, 2 * x)._repr_markdown_()
    assert r"1 \le 2" in shown(check, "5.2", 1.0, 2.0, relation="<=")._repr_markdown_()
    assert "$$" not in shown(check, "5.2", sympy.expand((x + y) ** 40), (x + y) ** 40)._repr_markdown_()


def test_an_expression_too_large_to_print_is_not_printed(shown, monkeypatch):
    loss, theta = any_loss("L", [x]), sympy.Matrix([x])
    points = theta
    for _ in range(14):  # each is met twice in the next: 2¹⁴ letters, if they were printed
        points = points - sympy.Symbol("alpha") * loss.gradient(points)
    monkeypatch.setattr(sympy, "latex", None)  # it is not even tried
    assert "$$" not in shown(check, "5.2", points, points + 0 * theta)._repr_markdown_()


def test_a_formula_is_shown_only_where_both_sides_can_be_and_fit(shown):
    """One term too many to print on either side, and nothing is shown of both."""
    terms = sympy.symbols("u1:700")
    factored, expanded = x * sympy.Add(*terms), sympy.Add(*(x * term for term in terms))
    power = (x + y) ** 200  # short, and long when it is expanded
    for left, right in [(factored, expanded), (expanded, factored), (power, power.expand()), (power.expand(), power)]:
        assert shown(check, "5.2", left, right, route="a sum").formula == ""


def test_a_formula_is_shown_up_to_the_width_of_a_page(shown, monkeypatch):
    left, right = x * (x + y), x**2 + x * y
    formula = shown(check, "5.2", left, right).formula
    width = sum(_width(side) for side in formula.split(" = "))
    monkeypatch.setattr("mathlib.checks.WIDEST", width)
    assert shown(check, "5.2", left, right).formula == formula
    monkeypatch.setattr("mathlib.checks.WIDEST", width - 1)
    assert shown(check, "5.2", left, right).formula == ""


def test_a_formula_that_is_too_wide_for_a_line_is_broken_before_its_sign(shown, monkeypatch):
    left, right = x * (x + y), x**2 + x * y
    formula = shown(check, "5.2", left, right).formula
    one, two = formula.split(" = ")
    monkeypatch.setattr("mathlib.checks.ONE_LINE", _width(one) + _width(two))
    assert shown(check, "5.2", left, right).formula == formula
    monkeypatch.setattr("mathlib.checks.ONE_LINE", _width(one) + _width(two) - 1)
    broken = rf"\begin{{aligned}}&{one} \\ &= {two}\end{{aligned}}"
    assert shown(check, "5.2", left, right).formula == broken
    monkeypatch.setattr("mathlib.checks.ONE_LINE", max(_width(one), _width(two)) - 1)
    assert shown(check, "5.2", left, right).formula == ""


def numbers(shown, array):
    """An array as it is shown, below a bound that looks different."""
    formula = shown(check, "5.2", array, np.full_like(array, 200.0), relation="<=").formula
    return formula.partition(r" \le ")[0]


def test_numbers_are_shown_with_four_digits_of_the_largest(shown):
    assert numbers(shown, np.array(0.123456)) == "0.1235"
    assert numbers(shown, np.array([100.0, 0.12345])) == r"\begin{pmatrix}100 \\ 0.1\end{pmatrix}"
    assert numbers(shown, np.array([1.0, -1e-6])) == r"\begin{pmatrix}1 \\ 0\end{pmatrix}"
    assert numbers(shown, np.eye(3)) == r"\begin{pmatrix}1 & 0 & 0 \\ 0 & 1 & 0 \\ 0 & 0 & 1\end{pmatrix}"
    assert numbers(shown, np.zeros(2)) == r"\begin{pmatrix}0 \\ 0\end{pmatrix}"
    assert numbers(shown, np.ones(10)) == numbers(shown, np.ones((2, 2, 2))) == ""


def test_a_matrix_of_symbols_is_shown_in_round_brackets(shown):
    formula = shown(check, "5.2", sympy.Matrix([x * (x + 1), y]), sympy.Matrix([x**2 + x, y])).formula
    assert formula.endswith(r"= \left(\begin{matrix}x^{2} + x\\y\end{matrix}\right)")


@pytest.mark.parametrize(
    ("latex", "width"),
    [
        (r"\left(x\right)", 3),
        (r"\alpha^{2} + \beta_{1 2}", 6),
        (r"\displaystyle X", 1),
        (r"\begin{pmatrix}1 \\ 22 & 333 \\ 4\end{pmatrix}", 5),
        (r"\left(\begin{matrix}x\\y + z\end{matrix}\right)", 4),
    ],
)
def test_the_width_of_a_formula_is_that_of_its_widest_row(latex, width):
    assert _width(latex) == width


def test_large_arrays_are_not_shown(shown):
    assert "$$" not in shown(check, "5.2", np.ones((4, 5)), np.ones((4, 5)))._repr_markdown_()


NICE = [
    [1.0, 0.12345],
    [10.0, 1.2345],
    [0.1, 0.05],
    [100.0, -0.5],
    [0.15625, 0.03125],
    [2.5, 0.00125],
    [1e-8, 3e-9],
    [0.99995, 1.00005],
    [9.9995, 0.1],
    [1e16, 1.0],
    [1 / 3, 2 / 3],
    [1.0, 1e-17],
    [5.0, -3e-16],
]


@pytest.mark.parametrize("last_bits", [[1, 1], [-1, -1], [1, -1], [-1, 1]], ids=str)
@pytest.mark.parametrize("numbers", NICE, ids=str)
def test_what_is_shown_does_not_depend_on_the_last_bits(shown, numbers, last_bits):
    numbers = np.array(numbers)
    moved = numbers * (1 + 1e-15 * np.array(last_bits))
    assert (moved != numbers).all()
    assert text(shown(check, "1", numbers, numbers)) == text(shown(check, "1", moved, numbers))
    assert text(shown(check, "1", numbers, estimate(numbers, 1e-12 * numbers.max()))) == text(
        shown(check, "1", moved, estimate(moved, 2e-12 * numbers.max()))
    )
    wrong = 1.5 * numbers + numbers[0] / 8
    assert text(shown(refute, "1", numbers, wrong)) == text(shown(refute, "1", moved, wrong))


@pytest.mark.parametrize("noise", [1e-17, -1e-17, 3e-16, -2e-14])
def test_an_entry_that_is_rounding_noise_is_shown_as_zero(shown, noise):
    clean = shown(check, "1", np.array([1.0, 0.0]), np.array([1.0, 0.0]))
    assert text(shown(check, "1", np.array([1.0, noise]), np.array([1.0, 0.0]))) == text(clean)


@pytest.mark.parametrize("noise", [4e-13, -3e-12, 2.5e-11])
def test_an_estimate_of_zero_is_shown_as_zero(shown, noise):
    clean = shown(check, "1", estimate([0.0, 0.0], 1e-10), np.zeros(2))
    assert text(shown(check, "1", estimate([noise, -noise], 3e-10), np.zeros(2))) == text(clean)


def test_what_is_noise_beside_the_largest_error_is_shown_as_zero(shown):
    measured = Estimate(np.array([4e-13, 4e-14]), np.array([1e-10, 1e-13]))
    assert shown(check, "1", measured, np.zeros(2)).formula == ""  # 0 on both sides, which looks the same


@pytest.mark.parametrize(("share", "said"), [(0.125, "13 %"), (0.345, "35 %"), (0.5, "50 %"), (0.995, "100 %")])
def test_the_percentage_of_a_refutation_does_not_depend_on_the_last_bits(shown, share, said):
    findings = {
        shown(refute, "1", np.array([1.0]), np.array([1 - share + bit])).rows[0][3] for bit in (-2.2e-16, 0, 2.2e-16)
    }
    assert len(findings) == 1
    assert re.search(said, findings.pop())


def test_the_digits_demanded_are_shown_and_never_the_digits_measured(shown):
    verdicts = [shown(check, "1", np.array([2.0]), np.array([2 + gap])) for gap in (0.0, 1e-15, 1e-13, 1e-12)]
    assert len({text(verdict) for verdict in verdicts}) == 1
    assert "12 digits" in text(verdicts[0])
    verdicts = [shown(check, "1", estimate([2.0], error), np.array([2 + 1e-10])) for error in (2e-10, 7e-9, 1e-6)]
    assert len({text(verdict) for verdict in verdicts}) == 1
