"""What was measured once, and is stored with the package."""

import csv
import json
from importlib.resources import files
from typing import Any


def benchmark_run() -> dict[str, Any]:
    """The last stored run of ``benchmarks/run.py``, as the dictionary that it wrote.

    Returns
    -------
    dict
        The command, the day, the machine with its load, the versions and how each peer is used; the tables
        "gradient", "law" and "dense", lists of rows; and "curves", with the size of JAX's programs.

    Examples
    --------
    >>> benchmark_run()["command"]
    'python3 lab.py run benchmarks/run.py'
    """
    return json.loads(_text("benchmarks.json"))


def claims() -> list[dict[str, str]]:
    """How each numbered claim of the collection is known.

    Returns
    -------
    list of dict
        In the order of the notebooks: "claim", its number; "kind", one of "proved for all", "proved at these d and K",
        "measured on these cases" and "by construction"; "scope", the hypotheses, and the cases that the machine took;
        "lets_through", a wrong claim that the machine's check alone would not notice.

    Examples
    --------
    >>> claims()[0]["kind"]
    'proved for all'
    """
    return list(csv.DictReader(_text("claims.csv").splitlines()))


def verdicts() -> list[dict[str, str]]:
    """What notebook 15 finds of each statement that it takes from a source.

    Returns
    -------
    list of dict
        In the notebook's order: "statement", its name, and "verdict".

    Examples
    --------
    >>> verdicts()[0]
    {'statement': 'A1', 'verdict': 'holds'}
    """
    return list(csv.DictReader(_text("verdicts.csv").splitlines()))


def _text(name: str) -> str:
    return files("mathlib").joinpath("data", name).read_text(encoding="utf-8")
