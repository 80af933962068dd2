"""The copy of notebooks/ that a reader works in: made without outputs, brought up to date, never overwritten.

`python3 lab.py` runs this before it opens the copy, `python3 lab.py fresh [files]` with the word `fresh`. A file of the
copy belongs to the reader once a cell of it was changed, added or removed; to run cells changes nothing. Needs nothing
but Python.
"""

import datetime
import hashlib
import json
import os
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
COPY = ROOT / "workbook"
RECORD = ".made.json"  # for each file of the copy: what it was made from, and what it said then
LAYOUT = Path("workspaces", "default-37a8.jupyterlab-workspace")  # the name that JupyterLab gives to its first layout


def content(data, name):
    """What a reader opens: a notebook without outputs and execution counts, any other file as it is."""
    if not name.endswith(".ipynb"):
        return data
    notebook = json.loads(data)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell.update(outputs=[], execution_count=None)
    return (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode()


def words(data, name):
    """A fingerprint of what a reader writes: of a notebook its cells, without what running or folding them leaves."""
    if name.endswith(".ipynb"):
        try:
            cells = json.loads(data)["cells"]
            written = [[cell["cell_type"], "".join(cell["source"]), cell.get("attachments")] for cell in cells]
            data = json.dumps(written).encode()
        except (ValueError, KeyError, TypeError):
            pass  # no notebook any more, so not the one that was made
    return hashlib.sha256(data).hexdigest()


def files(folder):
    """The files of a folder by their relative names; hidden ones belong to some tool."""
    found = {path.relative_to(folder): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {name.as_posix(): path for name, path in found.items() if not any(p.startswith(".") for p in name.parts)}


def write(path, data):
    """Write a file so that it is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name("." + path.name + ".part")
    part.write_bytes(data)
    os.replace(part, path)


def update(source=NOTEBOOKS, copy=COPY):
    """Bring the copy up to date; return the names of files that the reader and the collection both changed.

    A file that the reader did not touch follows the collection, into and out of the folder. Every other one stays.
    """
    record = read_record(copy)
    current = files(source)
    kept = []
    for name, path in current.items():
        mine = copy / name
        data = path.read_bytes()
        origin = hashlib.sha256(data).hexdigest()
        if mine.exists() and record.get(name, {}).get("origin") == origin:
            continue
        new = content(data, name)
        if mine.exists():
            written = words(mine.read_bytes(), name)
            if written not in (record.get(name, {}).get("words"), words(new, name)):
                kept.append(name)
                continue
        if not mine.exists() or written != words(new, name):
            write(mine, new)
        record[name] = {"origin": origin, "words": words(new, name)}
    for name in sorted(set(record) - set(current)):
        mine = copy / name
        made = record.pop(name)
        if mine.exists() and words(mine.read_bytes(), name) == made["words"]:
            mine.unlink()
    write(copy / RECORD, json.dumps(record, indent=1).encode())
    return kept


def read_record(copy):
    try:
        return json.loads((copy / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def freshen(names, today, source=NOTEBOOKS, copy=COPY):
    """Put files of the copy aside, all or those named, so that they are made again; return where to, or None."""
    record = read_record(copy)
    aside = free_name(copy / f"kept-{today}")
    current = files(source)
    for name in names or current:
        mine = copy / name
        if mine.exists() and mine.read_bytes() != content(current[name].read_bytes(), name):
            (aside / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.move(mine, aside / name)
        mine.unlink(missing_ok=True)
        record.pop(name, None)
    write(copy / RECORD, json.dumps(record, indent=1).encode())
    return aside if aside.exists() else None


def free_name(folder):
    """The folder, or with a number behind it the first that is not there yet."""
    number = 1
    free = folder
    while free.exists():
        number += 1
        free = folder.with_name(f"{folder.name}-{number}")
    return free


def known(names, source=NOTEBOOKS):
    """The files of the collection that a reader means: by their name, with or without a folder before it."""
    current = files(source)
    meant = []
    for name in names:
        found = [f for f in current if name in (f, Path(f).stem, f"notebooks/{f}", f"workbook/{f}")]
        if not found:
            sys.exit(f"lab.py: there is no notebook {name!r}; expected a name such as 05_unroll_k_steps.ipynb.")
        meant += found[:1]
    return meant


def lay_out():
    """Give JupyterLab its first layout: the table of contents open, names readable. The reader's own stays."""
    layout = ROOT / ".venv" / LAYOUT
    if not layout.exists():
        write(layout, (ROOT / "tools" / "jupyter" / "layout.json").read_bytes())


def main(arguments):
    if arguments[:1] == ["fresh"]:
        aside = freshen(known(arguments[1:]), datetime.date.today().isoformat())
        if aside:
            print(f"lab.py: what you had is kept in {aside.relative_to(ROOT)}.")
        print("lab.py: the copy is fresh; python3 lab.py opens it. Reload what is open in JupyterLab.")
    kept = update()
    if kept:
        names = " ".join(kept)
        print(f"lab.py: newer in the collection, and changed by you, so yours stays: python3 lab.py fresh {names}")
    lay_out()


if __name__ == "__main__":
    main(sys.argv[1:])
