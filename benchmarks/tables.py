"""What the stored trainings share: a table as CSV, and the cosine of two gradients."""

import csv
import json

import numpy as np


def write(path, rows):
    """A table, its numbers with four significant digits."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, rows[0], lineterminator="\n")
        table.writeheader()
        for row in rows:
            table.writerow({name: f"{v:.4g}" if isinstance(v, (float, np.floating)) else v for name, v in row.items()})


def once(path, compute):
    """What `compute` returns, lists of rows; kept at `path`, so that a run that was stopped need not do it again."""
    if not path.exists():
        rows = compute()
        beside = path.with_suffix(".part")
        beside.write_text(json.dumps(rows, default=float), encoding="utf-8")
        beside.replace(path)
    return json.loads(path.read_text(encoding="utf-8"))


def cosine(v, g):
    """Between the vectors on the last axis."""
    return np.vecdot(v, g) / np.sqrt(np.vecdot(v, v) * np.vecdot(g, g))
