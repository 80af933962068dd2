"""The notebooks, slides and pages in a real browser: `python3 lab.py browser`; words after it go to pytest.

Playwright's Python package comes from a lock of its own, when this first runs. Chromium is the system's: on Debian or
Ubuntu, `sudo apt install chromium`.
"""

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lab import ROOT, pip_install

LOCK = ROOT / "requirements-browser.txt"
SIDE_BY_SIDE = ["--numprocesses=2", "--dist=worksteal"]  # a browser waits a lot
PYTEST = ["pytest", "tests/browser", "-p", "no:nbval", "-o", "addopts=", *SIDE_BY_SIDE, "-rs"]


def install():
    if subprocess.call([sys.executable, *pip_install(LOCK)]):
        sys.exit("browser: pip could not install Playwright; its own words stand above.")


def main(words):
    install()
    sys.exit(subprocess.call([sys.executable, "-m", *PYTEST, *words], cwd=ROOT))


if __name__ == "__main__":
    main(sys.argv[1:])
