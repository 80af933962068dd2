"""What was measured once, and is stored with the package."""

import json
from importlib.resources import files


def benchmark_run():
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
    return json.loads(files("mathlib").joinpath("data", "benchmarks.json").read_text(encoding="utf-8"))
