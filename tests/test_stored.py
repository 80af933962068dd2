"""Stored tables: rows by their columns, and what is said where there are none."""

import subprocess
import sys

import numpy as np
import pytest
from notebooks_as_data import ROOT

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


SINUSOIDS = [("MAML", 1), ("FOMAML", 1), ("Reptile", 1), ("ANIL", 1), ("joint", 1)]
SINUSOIDS += [("MAML", 5), ("FOMAML", 5), ("Reptile", 5), ("ANIL", 5), ("multi-step", 5)]
LONGER = {("MAML", 1), ("FOMAML", 1), ("joint", 1)}


def keys_of(rows, *names):
    return list(zip(*(rows[name].tolist() for name in names), strict=True))


def test_the_sinusoids_compare_every_method_on_the_same_terms():
    """Five starts of each method, with each number of inner steps once, at each iteration that is compared."""
    rows = table("sinusoids")
    found = keys_of(rows, "seed", "method", "K", "iteration", "shots", "steps")
    expected = {
        (seed, *case, iteration, shots, steps)
        for seed in range(5)
        for case in SINUSOIDS
        for iteration in ((0, 10_000, 70_000) if case in LONGER else (0, 10_000))
        for shots in (5, 10)
        for steps in (0, 1, 2, 3, 5, 10)
    }
    assert len(found) == len(expected)
    assert set(found) == expected
    assert (rows["exploded"] <= rows["worse"]).all()


def test_a_task_without_a_number_counts_as_exploded():
    """An error that is not a number would spoil the median of 600 tasks, and be missing from the share of exploded."""
    rows = table("sinusoids")
    infinite = np.isinf(rows["mean"])
    assert infinite.any()
    assert (rows["exploded"][infinite] > 0).all()
    assert np.isfinite(rows["mean"][~infinite]).all()
    assert np.isfinite(rows["median"]).all()
    path = table("sinusoids_path")
    assert np.isfinite([path[name] for name in path.dtype.names if name != "method"]).all()


def test_an_error_that_is_no_number_is_infinite():
    """Finite parameters, and inf - inf inside the network: with nan the task would not count as exploded."""
    program = """
import numpy as np
from train_sinusoids import NETWORK, draw_start, errors
theta = draw_start(NETWORK, np.random.default_rng(0))
print(errors("MAML", 1e150 * theta, 5, 20, (0, 1)).tolist() == [[np.inf] * 20] * 2)
print(np.isfinite(errors("MAML", theta, 5, 20, (0, 1))).all())
"""
    folder = ROOT / "benchmarks"
    command = [sys.executable, "-W", "ignore", "-c", program]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, encoding="utf-8")
    assert run.stdout.split() == ["True", "True"], run.stderr


def test_the_path_of_the_sinusoids_has_the_same_starts():
    """Joint training has no number of inner steps of its own: its path is seen with one and with five."""
    rows = table("sinusoids_path")
    found = keys_of(rows, "seed", "method", "K", "iteration")
    up_to = {case: 70_000 if case in LONGER else 10_000 for case in [*SINUSOIDS, ("joint", 5)]}
    points = 0, 500, 1000, 2000, 5000, 10_000, 20_000, 40_000, 70_000
    expected = {(seed, *case, n) for seed in range(5) for case, last in up_to.items() for n in points if n <= last}
    assert len(found) == len(expected)
    assert set(found) == expected
    assert (abs(rows["cosine_batch"]) <= 1).all()
    assert (rows["above_two"] <= rows["above_one"]).all()


SMALL_AND_LARGE = ("MAML", "FOMAML")
AT_A_TENTH = (*SMALL_AND_LARGE, "Reptile", "ANIL", "multi-step", "joint")


def test_the_digits_compare_every_method_on_the_same_terms():
    """Five splits, four kinds of task; the centroid has no step size, two starts have it only in the test."""
    rows = table("digits")
    kinds = [(seed, ways, shots) for seed in range(5) for ways in (2, 3) for shots in (1, 5)]
    assert keys_of(rows[rows["method"] == "centroid"], "seed", "ways", "shots", "steps") == [(*k, 0) for k in kinds]
    found = keys_of(rows[rows["method"] != "centroid"], "seed", "ways", "shots", "method", "alpha", "steps")
    expected = {
        (*kind, method, alpha, steps)
        for kind in kinds
        for alpha in (0.02, 0.1, 0.5)
        for method in ("random start", "pretrained", *(AT_A_TENTH if alpha == 0.1 else SMALL_AND_LARGE))
        for steps in (0, 1, 5, 20)
    }
    assert len(found) == len(expected)
    assert set(found) == expected
    path = table("digits_path")
    along = keys_of(path, "seed", "ways", "shots", "method", "alpha", "iteration")
    trained = {(*key[:5], n) for key in expected if key[3] in AT_A_TENTH for n in (0, 50, 100, 200, 500)}
    assert len(along) == len(trained)
    assert set(along) == trained


def test_before_a_step_no_start_is_better_than_chance_on_digits():
    """Classes are numbered at random after the start was fixed; five standard errors of 600 tasks."""
    rows = table("digits", steps=0)
    rows = rows[rows["method"] != "centroid"]
    assert (abs(rows["accuracy"] - 1 / rows["ways"]) <= 5 * rows["halfwidth"] / 1.96 + 1e-3).all()
