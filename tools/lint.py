"""What CI says of style, format and types: `python3 lab.py lint`; with the word `fix` it mends what it can.

Its own tools are in a lock of their own, installed when it first runs.
"""

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lab import ROOT, pip_install

LOCK = ROOT / "requirements-dev.txt"
CHECKS = [["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"]]
FIXES = [["ruff", "check", "--fix", "."], ["ruff", "format", "."], ["mypy"]]


def main(words):
    if words not in ([], ["fix"]):
        sys.exit(f"lint: the words are {words}; expected none, or `fix`.")
    if subprocess.call([sys.executable, *pip_install(LOCK)]):
        sys.exit("lint: pip could not install its tools; its own words stand above.")
    failed = []
    for command in FIXES if words else CHECKS:
        if subprocess.call([sys.executable, "-m", *command], cwd=ROOT):
            failed.append(" ".join(command))
    if failed:
        sys.exit(f"lint: {', '.join(failed)} found something; its words stand above.")


if __name__ == "__main__":
    main(sys.argv[1:])
