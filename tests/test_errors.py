"""An error in a notebook: eight lines at most, the sentence that helps first, and %tb for the rest."""

import re
import subprocess
import sys

import pytest
from IPython.core.interactiveshell import InteractiveShell
from notebooks_as_data import ROOT

from mathlib import CheckFailed
from mathlib.errors import COLUMNS, NoSolution, UnknownName, WrongType, WrongValue

IMPORTS = "import numpy as np, sympy\nfrom mathlib import *\nfrom mathlib import figures"


class Shell(InteractiveShell):
    """IPython's own, whose display of errors is kept."""

    def _showtraceback(self, etype, evalue, stb):
        self.shown = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(stb)).splitlines()


@pytest.fixture
def shell(monkeypatch, tmp_path):
    """A real shell, of which nothing stays."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    shell = Shell.instance()
    shell.run_cell(IMPORTS)
    yield shell
    Shell.clear_instance()


SLIPS = {
    "integers": ("maml_gradient([rosenbrock()], rosenbrock(), np.array([-1, 2]), alpha=0.1)", "theta has dtype int64;"),
    "a list": ("maml_gradient([rosenbrock()], rosenbrock(), [-1.0, 2.0], alpha=0.1)", "theta is a list;"),
    "three numbers": ("fomaml_gradient([rosenbrock()], rosenbrock(), np.ones(3), alpha=0.1)", "theta has shape (3,);"),
    "no list": ("inner_loop(rosenbrock(), np.ones(2), alpha=0.1)", "losses is a Loss;"),
    "negative": ("inner_loop([rosenbrock()], np.ones(2), alpha=-0.1)", "alpha is -0.1;"),
    "diverged": ("inner_loop([], np.array([np.inf, 1.0]), alpha=0.1)", "theta has a NaN or infinite entry: [inf  1.]"),
    "a start off the picture": ("figures.draggable(None, [-9, 0], 0.1, 3)", "theta is (-9, 0);"),
    "a start of three": ("figures.draggable(None, [-1.0, 0.0, 1.0], 0.1, 3)", "theta is [-1.0, 0.0, 1.0];"),
    "a failed check": ('check("1.1", np.ones(2), np.zeros(2))', "✗ (1.1) does not hold"),
    "symbols": ('x = sympy.Symbol("x")\ncheck("1.1", x, x + 1)', "✗ (1.1) does not hold: at a random exact point"),
    "nothing refuted": ('refute("1.1", np.ones(2), np.ones(2))', "✗ (1.1) was to be refuted, but it agrees"),
    "a list as an answer": ('check_answer("5A", [1, 2])', "the answer is [1, 2],"),
    "an answer that fails": ('check_answer("5A", lambda: 1 / 0)', "your function takes ()"),
    "no exercise": ('check_answer("5Z", 1)', "there is no exercise '5Z'"),
    "no mistake": (
        'wrong_gradients([], rosenbrock(), np.ones(2), 0.1, "none")',
        "there is no mistake 'none'; expected",
    ),
}


@pytest.mark.parametrize("code", SLIPS)
def test_a_slip_takes_eight_lines_and_the_sentence_that_helps_comes_first(shell, code):
    code, first = SLIPS[code]
    shell.run_cell(code)
    assert shell.shown[0].startswith(first)
    assert len(shell.shown) <= 8
    assert max(map(len, shell.shown)) <= COLUMNS


def test_the_last_two_lines_name_the_readers_own_line_and_the_way_to_the_rest(shell):
    shell.run_cell("def half(theta):\n    return inner_loop([], theta, 0.5)\nhalf([1.0])")
    assert shell.shown[-2:] == [
        "In line 2 of the cell: return inner_loop([], theta, 0.5)",
        "WrongType. Run %tb in a cell of its own to see the whole traceback.",
    ]


@pytest.mark.parametrize("magic", ["%tb", "%tb Verbose"])
def test_tb_shows_every_frame(shell, magic):
    shell.run_cell("maml_gradient([rosenbrock()], rosenbrock(), [1.0, 2.0], alpha=0.1)")
    assert len(shell.shown) <= 8
    shell.run_cell(magic)
    text = "\n".join(shell.shown)
    assert len(shell.shown) > 20
    for frame in ("maml_gradient(", "require_array(", "WrongType", "inputs.py"):
        assert frame in text


def test_the_cause_of_an_error_is_in_the_whole_traceback(shell):
    shell.run_cell('check_answer("1A", lambda theta, alpha: 1 / 0)')
    assert shell.shown[0].startswith("your function raised ZeroDivisionError: division by zero.")
    shell.run_cell("%tb")
    assert "The above exception was the direct cause" in "\n".join(shell.shown)


def test_a_long_message_is_cut_in_its_middle(shell):
    shell.run_cell("from mathlib.errors import WrongValue\nraise WrongValue('first ' + 500 * 'and ' + 'last')")
    assert len(shell.shown) == 8
    assert shell.shown[0].startswith("first and")
    assert shell.shown[2] == "…"
    assert shell.shown[4].endswith("and last")
    assert len(str(sys.last_value)) > 2000


def test_of_an_array_with_many_entries_a_message_shows_the_ends(shell):
    shell.run_cell("inner_loop([], np.full(500, np.nan), 0.5)")
    assert "[nan nan nan ... nan nan nan]" in shell.shown[0]


def test_outside_ipython_nothing_changes():
    code = "from mathlib import inner_loop; inner_loop([], [1.0], 0.5)"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.stderr.startswith("Traceback (most recent call last):")
    assert "mathlib.errors.WrongType: theta is a list; expected a NumPy array" in ran.stderr


@pytest.mark.parametrize(
    ("ours", "pythons"),
    [
        (WrongType, TypeError),
        (WrongValue, ValueError),
        (UnknownName, KeyError),
        (NoSolution, ArithmeticError),
        (CheckFailed, AssertionError),
    ],
)
def test_each_is_one_of_pythons_own(ours, pythons):
    assert issubclass(ours, pythons)
    assert str(ours("what was given")) == str(pythons("what was given"))


def test_the_whole_traceback_needs_no_ipython():
    with pytest.raises(WrongType) as caught:
        raise WrongType("theta is a list")
    assert caught.value.in_full()[0].startswith("Traceback")
