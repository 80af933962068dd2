"""Open the notebooks, or test them: sets up .venv by itself, with nothing but Python.

    python3 lab.py [lab words]      open JupyterLab on your own copy of the notebooks; words after `lab` go to it
    python3 lab.py fresh [files]    make that copy again, or the notebooks named; what you changed is kept aside
    python3 lab.py edit [words]     open JupyterLab on the collection itself, outputs and all
    python3 lab.py test [words]     unit tests, doctests and every notebook; words go to pytest
    python3 lab.py lint [fix]       what CI says of style, format and types; `fix` mends what it can
    python3 lab.py slides [words]   make the lectures' slides and open them
    python3 lab.py browser [words]  the notebooks in a real browser, Chromium; words go to pytest
    python3 lab.py site             build the reading site and serve it here; --build only builds
    python3 lab.py frameworks       notebook 14 and the referees, with PyTorch and JAX; words go to pytest
    python3 lab.py refresh [files]  run notebooks (all without a name) and store what they show
    python3 lab.py run [words]      run .venv's own Python, for instance on a script

An interrupted set-up is made again by the next run.
"""

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
LOCK = ROOT / "requirements.txt"
STAMP = VENV / "complete"  # written last, so an interrupted set-up has none
TURN = ROOT / ".venv.lock"  # held while .venv is made; the system lets go of it when its holder dies
WORKING_COPY = str(ROOT / "tools" / "working_copy.py")


def jupyterlab(folder):
    """The words that open a folder's first notebook. Containers run as root."""
    return ["-m", "jupyterlab", "--allow-root", "--notebook-dir", str(folder), str(folder / "00_start_here.ipynb")]


COMMANDS = {
    "lab": jupyterlab(ROOT / "workbook"),
    "fresh": [WORKING_COPY, "fresh"],
    "edit": jupyterlab(ROOT / "notebooks"),
    "test": ["-m", "pytest"],
    "lint": [str(ROOT / "tools" / "lint.py")],
    "slides": [str(ROOT / "tools" / "slides.py")],
    "browser": [str(ROOT / "tools" / "browser.py")],
    "site": [str(ROOT / "tools" / "build_site.py")],
    "frameworks": [str(ROOT / "tools" / "frameworks.py")],
    "refresh": [str(ROOT / "tools" / "refresh_notebooks.py")],
    "run": [],
}


def environment():
    """The caller's environment, with our settings for JupyterLab beneath the reader's own.

    Byte code may be written: kernels start twice as fast with it.
    """
    unwanted = ("PYTHONDONTWRITEBYTECODE", "PYTHONHOME", "PYTHONPATH")
    found = {name: value for name, value in os.environ.items() if name not in unwanted}
    settings = [str(ROOT / "tools" / "jupyter"), found.get("JUPYTER_CONFIG_PATH")]
    found["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, settings))
    found["JUPYTERLAB_WORKSPACES_DIR"] = str(VENV / "workspaces")  # what was open, apart from other projects' tabs
    return found


def pip_install(lock):
    """The words that install a lock. It names every package, so pip need not resolve; byte code comes at first use."""
    options = ["-qq", "--no-input", "--no-deps", "--no-compile", "--require-hashes"]
    return ["-m", "pip", "install", *options, "-r", str(lock)]


def fingerprint(lock):
    """What is installed from a lock has to agree with: the lock, the Python that installed it, and where it stands."""
    return hashlib.sha256(lock.read_bytes() + repr((sys.version, str(ROOT))).encode()).hexdigest()


def is_complete():
    """Whether .venv was made to its end, from today's lock, by this Python, for this folder."""
    return STAMP.exists() and STAMP.read_text(encoding="ascii") == fingerprint(LOCK) and PYTHON.exists()


def try_to_hold(file):
    """Lock an open file for this process alone, or raise OSError because another process holds it."""
    if os.name == "nt":
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextlib.contextmanager
def one_at_a_time():
    """Wait until no other process sets up .venv, and keep the others waiting meanwhile."""
    told = False
    with TURN.open("w") as file:
        while True:
            try:
                try_to_hold(file)
                break
            except OSError:
                if not told:
                    print("lab.py: another lab.py is setting up .venv; waiting for it to finish", flush=True)
                told = True
                time.sleep(0.2)
        yield


def set_up():
    """Make .venv from the lock, unless it is there and complete."""
    if is_complete():
        return
    try:
        import ensurepip  # noqa: F401  Debian ships it apart, and without it venv fails half-way
        import venv
    except ImportError:
        name = "python%d.%d-venv" % sys.version_info[:2]
        sys.exit("lab.py: this Python cannot make environments. On Debian or Ubuntu: sudo apt install " + name)
    try:
        with one_at_a_time():
            if not is_complete():
                make(venv)
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit("lab.py: could not make %s: %s. Remove that folder and try again." % (VENV, error))


def make(venv):
    """Make .venv, install the lock, and put the folder of mathlib on its path."""
    print("lab.py: setting up .venv, once; this takes about a minute", flush=True)
    shutil.rmtree(VENV, ignore_errors=True)
    venv.create(VENV, with_pip=True)
    if subprocess.call([str(PYTHON), *pip_install(LOCK)], env=environment()):
        sys.exit("lab.py: pip could not install the packages; its own words stand above. Without a network"
                 " nothing can be installed: connect, and run the same command again.")  # fmt: skip
    site = subprocess.check_output([str(PYTHON), "-c", "import sysconfig as s; print(s.get_path('purelib'))"])
    site = Path(os.fsdecode(site).strip())
    # A relative path has no letter outside ASCII, whatever the folder is called; Python reads this file in the
    # locale's encoding, which need not be the one of the locale in which it was written.
    Path(site, "mathlib.pth").write_text(os.path.relpath(ROOT, site), encoding="ascii")
    STAMP.write_text(fingerprint(LOCK), encoding="ascii")


def run(words):
    """Run .venv's Python and return its exit code. Ctrl-C is the child's: it may ask, or report, before it ends."""
    process = subprocess.Popen([str(PYTHON), *words], cwd=ROOT, env=environment())
    while True:
        with contextlib.suppress(KeyboardInterrupt):
            return process.wait()


def main(words):
    if sys.version_info < (3, 11):
        sys.exit("lab.py: Python 3.11 or newer is needed; this is %d.%d." % sys.version_info[:2])
    if words and words[0] in ("-h", "--help", "help"):
        return print(__doc__)
    command, rest = (words[0], words[1:]) if words else ("lab", [])
    if command not in COMMANDS:
        sys.exit("lab.py: no command %r; python3 lab.py --help says what there is." % command)
    try:
        set_up()
    except KeyboardInterrupt:
        sys.exit("lab.py: the set-up was interrupted; the next command begins it again.")
    if command == "lab" and run([WORKING_COPY]):
        sys.exit("lab.py: the copy of the notebooks could not be made; Python's own words stand above.")
    sys.exit(run([*COMMANDS[command], *rest]))


if __name__ == "__main__":
    main(sys.argv[1:])
