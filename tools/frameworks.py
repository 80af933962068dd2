"""What needs PyTorch and JAX: notebook 14, and the frameworks as referees: `python3 lab.py frameworks`.

Words after it go to pytest. The frameworks have an environment of their own, .venv-frameworks, made when this first
runs, so that nobody else waits for them.
"""

import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import own_environment
from notebooks_as_data import ROOT, frameworks_of, notebook_paths, read

import lab

VENV = ROOT / ".venv-frameworks"
LOCK = ROOT / "requirements-frameworks.txt"
TORCH = ROOT / "requirements-torch.txt"
# What is skipped where the frameworks are not installed, besides the notebooks that import them.
TESTS = [
    "tests/test_frameworks.py",
    "tests/test_conv4.py",
    "tests/test_benchmarks.py::test_a_peer_computes_the_same_gradient_each_time_it_is_called",
    "tests/test_planted_beside.py::test_each_claim_fails_with_its_mistake_in_the_cells",
]


def pip_install_torch():
    """The words that install PyTorch, whichever build pip is offered, with what that build needs."""
    return ["-m", "pip", "install", "-qq", "--no-input", "--no-compile", "-r", str(TORCH)]


def notebooks():
    """The notebooks that import a framework."""
    return [str(path.relative_to(ROOT)) for path in notebook_paths() if frameworks_of(read(path))]


def main(words):
    own_environment.make(VENV, "frameworks", {LOCK: lab.pip_install(LOCK), TORCH: pip_install_torch()})
    command = [str(own_environment.python_of(VENV)), "-m", "pytest", *notebooks(), *TESTS, *words]
    sys.exit(subprocess.call(command, cwd=ROOT, env=dict(os.environ, PYTHONPATH=str(ROOT))))


if __name__ == "__main__":
    main(sys.argv[1:])
