"""Tests on other machines, as far as one machine can play them: `python3 tools/elsewhere.py`.

The checkout is copied into a folder with a space and an umlaut, set up there by its own lab.py, and its tests and
notebooks run once for each configuration: other kernels of OpenBLAS, NumPy without its newest vector instructions,
another locale, another time zone. A sum then rounds otherwise; whatever hangs on the last bits shows. Words after the
name go to pytest in place of the usual ones. Needs nothing but Python.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = "Jürgen's copy"
NUMERIC = [
    "mathlib",
    "tests/test_checks.py",
    "tests/test_diagnose.py",
    "tests/test_exercises.py",
    "tests/test_figures.py",
    "tests/test_finite_differences.py",
    "tests/test_inputs.py",
    "tests/test_losses.py",
    "tests/test_meta_gradients.py",
    "tests/test_meta_training.py",
    "tests/test_mistakes.py",
    "tests/test_network_batches.py",
    "tests/test_network_inputs.py",
    "tests/test_networks.py",
    "tests/test_proofs.py",
    "tests/test_stored.py",
    "tests/test_tasks.py",
    "notebooks",
]
# Of what NumPy found on this processor, the sets that are newer than each of these are switched off.
SIMD = "import numpy; print(*numpy.show_config(mode='dicts')['SIMD Extensions'].get('found', []))"
RUNS_HERE = "import numpy; a = numpy.ones((64, 64)); print((a @ a).sum())"


@dataclass(frozen=True)
class Configuration:
    """Another machine: its OpenBLAS kernels, whether NumPy has its vector instructions, locale and time zone."""

    kernels: str
    vectorised: bool
    locale: str
    zone: str

    def __str__(self):
        instructions = "NumPy as it is" if self.vectorised else "NumPy without newer instructions"
        return f"OpenBLAS kernels for {self.kernels}, {instructions}, LC_ALL={self.locale}, TZ={self.zone}"

    def environment(self, extensions):
        changed = {
            "OPENBLAS_CORETYPE": self.kernels,
            "LC_ALL": self.locale,
            "LANG": self.locale,
            "TZ": self.zone,
        }
        if not self.vectorised:
            changed["NPY_DISABLE_CPU_FEATURES"] = extensions
        return os.environ | changed


CONFIGURATIONS = [
    Configuration("Nehalem", False, "C", "Pacific/Kiritimati"),
    Configuration("SkylakeX", True, "C.UTF-8", "America/St_Johns"),
    Configuration("Haswell", False, "POSIX", "Asia/Kathmandu"),
    Configuration("Prescott", True, "C", "UTC"),
]


def copy_checkout(folder):
    """Copy the files that git tracks, as they are now; without git everything but what lab.py made."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode:
        shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(".venv*", ".git", "__pycache__"))
        return
    for name in filter(None, os.fsdecode(listed.stdout).split("\0")):
        source = ROOT / name
        target = folder / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)


def lab(folder, words, environment, **options):
    """Run the copy's lab.py in the environment."""
    return subprocess.run([sys.executable, "lab.py", *words], cwd=folder, env=environment, check=False, **options)


def main(words):
    outcomes = {}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary, FOLDER)
        copy_checkout(folder)
        asked = lab(folder, ["run", "-c", SIMD], os.environ, stdout=subprocess.PIPE, text=True)
        if asked.returncode:
            sys.exit(f"elsewhere: the set-up failed in a folder called {FOLDER!r}.")
        extensions = asked.stdout.splitlines()[-1]
        for configuration in CONFIGURATIONS:
            print(f"\n=== {configuration}", flush=True)
            environment = configuration.environment(extensions)
            if lab(folder, ["run", "-c", RUNS_HERE], environment, stdout=subprocess.DEVNULL).returncode:
                outcomes[configuration] = "this processor cannot play it"
                continue
            failed = lab(folder, ["test", "-q", *(words or NUMERIC)], environment).returncode
            outcomes[configuration] = "FAILED" if failed else "passed"
    print("\n=== elsewhere")
    for configuration, outcome in outcomes.items():
        print(f"{outcome}: {configuration}")
    played = [outcome for outcome in outcomes.values() if outcome in ("passed", "FAILED")]
    if "FAILED" in played:
        sys.exit(1)
    if len(played) < 3:
        print("elsewhere: fewer than three of these can be played here; what passes is less than was wanted.")


if __name__ == "__main__":
    main(sys.argv[1:])
