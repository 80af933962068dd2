"""Environments beside .venv, each made from a lock when its word of lab.py first needs it."""

import subprocess
import sys
import venv
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import lab


def python_of(folder):
    """An environment's own Python."""
    return folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def is_made_from(stamp, *locks):
    """Whether something was installed to its end from today's locks."""
    return stamp.exists() and stamp.read_text(encoding="ascii") == _fingerprint(locks)


def finish(stamp, *locks):
    """Say that it was; written last, so that an interrupted installation is made again."""
    stamp.write_text(_fingerprint(locks), encoding="ascii")


def make(folder, name, installs):
    """Make an environment, unless it is there and complete; `installs` has the words that install each file."""
    stamp = folder / "complete"
    if is_made_from(stamp, *installs):
        return
    print(f"{name}: setting up {folder.name}, once", flush=True)
    venv.create(folder, with_pip=True, clear=True)
    for words in installs.values():
        if subprocess.call([str(python_of(folder)), *words]):
            sys.exit(f"{name}: pip could not install the packages; its own words stand above.")
    finish(stamp, *installs)


def _fingerprint(locks):
    return " ".join(map(lab.fingerprint, locks))
