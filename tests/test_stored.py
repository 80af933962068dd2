"""Stored tables: rows by their columns, and what is said where there are none."""

import numpy as np
import pytest

from mathlib.stored import table


def test_chosen_rows_have_the_values_asked_for_and_no_other_row_has_them():
    every = table("sinusoids")
    some = table("sinusoids", method="MAML", K=1, steps=5)
    mask = (every["method"] == "MAML") & (every["K"] == 1) & (every["steps"] == 5)
    assert some.size
    np.testing.assert_array_equal(some, every[mask])


@pytest.mark.parametrize(
    ("name", "chosen", "error", "message"),
    [
        ("sinusoid", {}, KeyError, "there is no table 'sinusoid'; stored are .*sinusoids, sinusoids_path"),
        (
            "sinusoids",
            {"methods": "MAML"},
            KeyError,
            "the table sinusoids has no column 'methods'; expected one of seed",
        ),
        ("sinusoids", {"method": "SGD"}, ValueError, "the table sinusoids has no row with {'method': 'SGD'}"),
    ],
)
def test_what_is_not_there_is_named(name, chosen, error, message):
    with pytest.raises(error, match=message):
        table(name, **chosen)


def test_a_table_compares_every_method_on_the_same_terms():
    """Each start has each number of inner steps once, at each iteration that is stored."""
    rows = table("sinusoids")
    keys = list(zip(*(rows[name] for name in ("seed", "method", "K", "iteration", "shots", "steps")), strict=True))
    assert len(set(keys)) == len(keys)
    assert set(rows["steps"]) == {0, 1, 2, 3, 5, 10}
    assert (rows["exploded"] <= rows["worse"]).all()
