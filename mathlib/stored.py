"""What was measured once, and is stored with the package."""

import csv
import json
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mathlib.errors import UnknownName, WrongValue


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


def compiled_product() -> dict[str, Any]:
    """The last stored run of ``benchmarks/compiled_product.py``: our reverse product and autodiff, both under jax.jit.

    Returns
    -------
    dict
        The command, the day, the machine and the versions; and "rows", one for each program and batch, with the
        milliseconds and the bytes of its intermediate results.

    Examples
    --------
    >>> compiled_product()["command"]
    'python3 lab.py run benchmarks/compiled_product.py'
    """
    return json.loads(_text("compiled_product.json"))


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


def table(name: str, **chosen: object) -> NDArray[Any]:
    """A stored table of the long trainings, or some of its rows.

    Parameters
    ----------
    name : str
        Of a file in ``mathlib/data``: "sinusoids" and "sinusoids_path", written by ``benchmarks/train_sinusoids.py``;
        "digits" and "digits_path", written by ``benchmarks/train_digits.py``; "conv4", written by
        ``benchmarks/conv4.py``.
    **chosen
        A column and the value that its rows must have.

    Returns
    -------
    numpy.ndarray
        A structured array: ``rows["mean"]`` is the column "mean".

    Raises
    ------
    KeyError
        No such table, or no such column.
    ValueError
        No row with these values.

    Examples
    --------
    >>> rows = table("sinusoids", method="MAML", K=1, seed=0, iteration=10_000, steps=1)
    >>> rows["shots"].tolist()
    [5, 10]
    """
    data = files("mathlib").joinpath("data")
    tables = sorted(file.name.removesuffix(".csv") for file in data.iterdir() if file.name.endswith(".csv"))
    if name not in tables:
        raise UnknownName(f"there is no table {name!r}; stored are {', '.join(tables)}.")
    rows = np.genfromtxt(_text(f"{name}.csv").splitlines(), delimiter=",", names=True, dtype=None, encoding="utf-8")
    columns = rows.dtype.names or ()
    for column, value in chosen.items():
        if column not in columns:
            raise UnknownName(f"the table {name} has no column {column!r}; expected one of {', '.join(columns)}.")
        rows = rows[rows[column] == value]
    if rows.size == 0:
        raise WrongValue(f"the table {name} has no row with {chosen}.")
    return rows


def _text(name: str) -> str:
    return files("mathlib").joinpath("data", name).read_text(encoding="utf-8")
