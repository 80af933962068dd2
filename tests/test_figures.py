"""What every figure gets from `@picture`, and the small functions that figures share."""

import numpy as np
import pytest

from mathlib.figures.drawing import cosine_between, line_zero, printed, relative_error, subscript
from mathlib.figures.picture import MAML, picture, plot


def test_numbers_in_a_sentence_get_a_true_minus_and_words_keep_their_hyphens():
    @picture()
    def draw(figure):
        return "first-order slope -4.00 in (-1, 2), error 1e-12, a 5-way task of 3-5 steps"

    assert draw().sentence == "first-order slope −4.00 in (−1, 2), error 1e-12, a 5-way task of 3-5 steps"


def test_a_sentence_without_a_number_is_refused():
    @picture()
    def draw(figure):
        return "It goes down."

    with pytest.raises(ValueError, match=r"draw says 'It goes down\.'; expected a sentence with the numbers it shows"):
        draw()


def test_a_figure_keeps_its_size_unless_another_is_asked_for():
    @picture(size=(5, 3))
    def draw(figure, alpha):
        return f"It is {alpha}."

    assert draw(1).figure.get_size_inches().tolist() == [5, 3]
    wide = draw(alpha=2, size=(8, 2))
    assert wide.figure.get_size_inches().tolist() == [8, 2]
    assert wide.sentence == "It is 2."


def test_the_zero_of_a_line_lies_on_it():
    x = np.linspace(2, 5, 7)
    assert line_zero(x, 3 * (x - 4)) == pytest.approx(4)
    assert line_zero((0, 1), (1, 0.5)) == pytest.approx(2)


def test_the_relative_error_is_in_units_of_the_right_one():
    assert relative_error(np.array([3.0, 4.0]), np.array([3.0, 0.0])) == pytest.approx(4 / 3)


def test_the_cosine_between_one_pair_or_many():
    a, b = np.array([[1.0, 0.0], [1.0, 1.0]]), np.array([[0.0, 2.0], [-3.0, -3.0]])
    np.testing.assert_allclose(cosine_between(a, b, axis=1), [0, -1], atol=1e-15)
    assert cosine_between(a[1], b[1]) == pytest.approx(-1)


def test_a_number_is_printed_with_a_true_minus():
    assert [printed(-4), printed(0.125, 1), printed(-1, 0)] == ["−4.00", "0.1", "−1"]


def test_a_subscript_has_all_its_digits():
    assert subscript(10) == "₁₀"


def test_a_plot_in_a_cell_has_its_sentence_a_true_minus_and_a_legend_where_curves_have_labels(monkeypatch):
    displayed = []
    monkeypatch.setattr("mathlib.figures.picture.display", displayed.append)
    with plot("$x$", "$y$") as (axes, say):
        axes.plot([0, 1], [0, -1], label="a line", **MAML)
        say("It falls to -1.")
    (drawn,) = displayed
    assert drawn.sentence == "It falls to −1."
    assert drawn.figure.axes[0].get_legend() is not None


def test_a_plot_that_says_nothing_is_refused():
    with pytest.raises(ValueError, match="expected a sentence with the numbers it shows"), plot("$x$", "$y$"):
        pass
