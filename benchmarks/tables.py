"""What the stored trainings share: a table as CSV, and the cosine of two gradients."""

import csv

import numpy as np


def write(path, rows):
    """A table, its numbers with four significant digits."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, rows[0], lineterminator="\n")
        table.writeheader()
        for row in rows:
            table.writerow({name: f"{v:.4g}" if isinstance(v, (float, np.floating)) else v for name, v in row.items()})


def cosine(v, g):
    """Between the vectors on the last axis."""
    return np.vecdot(v, g) / np.sqrt(np.vecdot(v, v) * np.vecdot(g, g))
