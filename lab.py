"""Open the notebooks, or test them: sets up .venv by itself, with nothing but Python.

    python3 lab.py                  open JupyterLab on the first notebook
    python3 lab.py test [words]     unit tests, doctests and every notebook; words go to pytest
    python3 lab.py refresh [files]  run notebooks (all without a name) and store what they show
    python3 lab.py run [words]      run .venv's own Python, for instance on a benchmark
"""
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
LOCK = ROOT / "requirements.txt"
STAMP = VENV / "complete"  # written last, so an interrupted set-up has none
COMMANDS = {
    "lab": ["-m", "jupyterlab", "--notebook-dir", str(ROOT), str(ROOT / "notebooks" / "00_start_here.ipynb")],
    "test": ["-m", "pytest"],
    "refresh": [str(ROOT / "tests" / "refresh_notebooks.py")],
    "run": [],
}


def stop(message):
    sys.exit("lab.py: " + message)


def environment():
    """The caller's environment, allowed to write byte code: kernels start twice as fast with it."""
    return {k: v for k, v in os.environ.items() if k not in ("PYTHONDONTWRITEBYTECODE", "PYTHONHOME", "PYTHONPATH")}


def fingerprint():
    """What .venv has to agree with: the lock, the Python that made it, and where it stands."""
    words = LOCK.read_bytes() + repr((sys.version, str(ROOT))).encode()
    return hashlib.sha256(words).hexdigest()


def set_up():
    """Make .venv from the lock, unless it is there and complete."""
    if STAMP.exists() and STAMP.read_text() == fingerprint() and PYTHON.exists():
        return
    try:
        import ensurepip  # noqa: F401  Debian ships it apart, and without it venv fails half-way
        import venv
    except ImportError:
        stop("this Python cannot make environments. On Debian or Ubuntu: sudo apt install python%d.%d-venv"
             % sys.version_info[:2])
    print("lab.py: setting up .venv, once; this takes about a minute", flush=True)
    try:
        shutil.rmtree(VENV, ignore_errors=True)
        venv.create(VENV, with_pip=True)
        pip = [str(PYTHON), "-m", "pip", "install", "-qq", "--no-input", "--disable-pip-version-check"]
        # The lock names every package, so pip need not resolve; byte code is written at first use.
        code = subprocess.call(pip + ["--no-deps", "--no-compile", "--require-hashes", "-r", str(LOCK)], env=environment())
    except (OSError, subprocess.CalledProcessError) as error:
        stop("could not make %s: %s. Close programs that use it, or remove the folder, and try again." % (VENV, error))
    if code:
        stop("pip could not install the packages; its own words stand above. Without a network nothing can be"
             " installed: connect, and run the same command again.")
    site = subprocess.check_output([str(PYTHON), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"])
    Path(os.fsdecode(site).strip(), "mathlib.pth").write_text(str(ROOT), encoding="utf-8")
    STAMP.write_text(fingerprint())


def main(words):
    if sys.version_info < (3, 11):
        stop("Python 3.11 or newer is needed; this is %d.%d." % sys.version_info[:2])
    if words and words[0] in ("-h", "--help", "help"):
        return print(__doc__)
    command, rest = (words[0], words[1:]) if words else ("lab", [])
    if command not in COMMANDS:
        stop("no command %r; python3 lab.py --help says what there is." % command)
    set_up()
    sys.exit(subprocess.call([str(PYTHON)] + COMMANDS[command] + rest, cwd=ROOT, env=environment()))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        stop("interrupted; the same command takes up where this stopped.")
