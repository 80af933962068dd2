"""The dragged figure as a string: what it holds where nothing runs. How it answers: browser/test_dragging.py."""

import re
from importlib.resources import files

import pytest
from drag_examples import START, figure

from mathlib.figures import draggable


def test_the_same_start_gives_the_same_string():
    assert figure(*START)._repr_html_() == figure(*START)._repr_html_()


def test_the_html_asks_for_nothing_and_says_its_numbers_without_a_script():
    made = figure(*START)
    html = made._repr_html_()
    assert re.findall(r"https?:|import\s*\(|fetch\(|\bsrc=|@import|url\(", html) == []
    text = html.partition("<script")[0]
    assert "30° apart" in text
    assert made.still.sentence.replace("'", "&#x27;") in text
    assert "<input" not in text  # a page that strips scripts keeps no dead slider


def test_the_script_is_a_file_of_the_package_and_fits_into_a_script_element():
    script = files("mathlib.figures").joinpath("drag.js").read_text(encoding="utf-8")
    assert "</script" not in script.lower()
    assert len(script.encode()) < 24_000


@pytest.mark.parametrize(
    ("theta", "alpha", "K", "message"),
    [
        ([-3.0, 0.0], 0.05, 3, "expected a point with"),
        ([-1.0, 1.5], -0.1, 3, "expected a number and a whole number"),
        ([-1.0, 1.5], 0.05, 2.5, "expected a number and a whole number"),
        ([-1.0, 1.5], float("nan"), 3, "expected a number and a whole number"),
        ([-1.0, 1.5], 0.05, float("inf"), "expected a number and a whole number"),
        ([-1.0, 1.5], "0.05", 3, "expected a number and a whole number"),
        ([-1.0, 1.5, 2.0], 0.05, 3, "expected two numbers"),
        (-1.0, 0.05, 3, "expected two numbers"),
    ],
)
def test_a_start_that_cannot_be_shown_is_refused(theta, alpha, K, message):
    with pytest.raises(ValueError, match=message):
        draggable(None, theta, alpha, K)
