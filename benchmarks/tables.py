"""What the stored trainings share: their words, a table as CSV, and the cosine of two gradients."""

import argparse
import csv
import json
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]


def words(doc, name, quick):
    """The parser of what a long run may be told; `quick` says what is run on its word."""
    parser = argparse.ArgumentParser(description=doc.partition("\n")[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(5)))
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / name, help="where checkpoints are kept")
    parser.add_argument("--output", type=Path, default=ROOT / "mathlib" / "data")
    parser.add_argument("--quick", action="store_true", help=quick)
    return parser


def begin(parser):
    """What was chosen; a quick run has one seed and a folder of its own."""
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.seeds = chosen.seeds[:1]
        chosen.folder = chosen.folder / "quick"
    chosen.folder.mkdir(parents=True, exist_ok=True)
    return chosen


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
