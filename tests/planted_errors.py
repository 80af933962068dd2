"""Plausible mistakes, planted one at a time in mathlib, and what kills them.

`python3 lab.py run tests/planted_errors.py` plants each of them, runs the module's unit tests and every
notebook against it, stores the killers in planted_errors.json and prints the table; with the word `notebooks` or
`unit-tests` it makes that half again. The test suite re-runs the stored killers, one unit test and one notebook
for each mistake.
"""

import contextlib
import importlib
import inspect
import io
import itertools
import json
import shutil
import sys
import tempfile
from collections import ChainMap
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from _pytest.mark import ParameterSet

TESTS = Path(__file__).resolve().parent
ROOT = TESTS.parent
RECORD = TESTS / "planted_errors.json"
UNIT_TESTS = {
    "meta_gradients.py": ["test_meta_gradients"],
    "losses.py": ["test_losses", "test_meta_gradients"],
    "finite_differences.py": ["test_finite_differences"],
    "networks.py": ["test_networks"],
    "network_parts.py": ["test_networks"],
}


@dataclass(frozen=True)
class Mistake:
    """A piece of mathlib's text and what somebody in a hurry would have written instead."""

    name: str
    file: str
    right: str
    wrong: str


MAML, LOSSES, DIFFERENCES = "meta_gradients.py", "losses.py", "finite_differences.py"
NETWORKS, PARTS = "networks.py", "network_parts.py"
BACKWARD = "v = v - alpha * hvp(v)"
LATER = "gradient, hvp = loss.linearize(theta)\n        theta = theta - alpha * gradient"
MISTAKES = [
    Mistake(
        "factors in reversed order",
        MAML,
        "for hvp in reversed(hessian_vector_products)",
        "for hvp in hessian_vector_products",
    ),
    Mistake("Hessian after the step", MAML, LATER, f"{LATER}\n        hvp = loss.linearize(theta)[1]"),
    Mistake("the query's Hessian", MAML, BACKWARD, "v = v - alpha * query.linearize(theta)[1](v)"),
    Mistake("a lost alpha", MAML, BACKWARD, "v = v - hvp(v)"),
    Mistake("alpha off by 0.1 %", MAML, BACKWARD, "v = v - alpha * hvp(v) * 1001 / 1000"),
    Mistake("a dropped factor", MAML, "reversed(hessian_vector_products)", "reversed(hessian_vector_products[1:])"),
    Mistake("first order for full", MAML, BACKWARD, "v = v - 0 * hvp(v)"),
    Mistake("plus for minus, going back", MAML, BACKWARD, "v = v + alpha * hvp(v)"),
    Mistake("the query's gradient at the start", MAML, "v = query.gradient(theta)", "v = query.gradient(start)"),
    Mistake(
        "one inner step too few",
        MAML,
        "for loss in losses:\n        theta = theta",
        "for loss in losses[:-1]:\n        theta = theta",
    ),
    Mistake(
        "plus for minus, going forward",
        MAML,
        "theta = theta - alpha * loss.gradient(theta)",
        "theta = theta + alpha * loss.gradient(theta)",
    ),
    Mistake("1 - alpha * H", MAML, "else np.eye(theta.shape[-1], dtype=theta.dtype)", "else np.ones(2 * theta.shape)"),
    Mistake(
        "plus for minus in the Jacobian",
        MAML,
        "_identity(theta) - alpha * hessian",
        "_identity(theta) + alpha * hessian",
    ),
    Mistake(
        "unrolled Jacobian transposed",
        MAML,
        "step_jacobian(loss, theta_i, alpha) @ U",
        "U @ step_jacobian(loss, theta_i, alpha)",
    ),
    Mistake(
        "unrolled Jacobian, Hessian after the step",
        MAML,
        "zip(losses, trajectory, strict=False):\n        U",
        "zip(losses, trajectory[1:], strict=False):\n        U",
    ),
    Mistake(
        "first order without adaptation",
        MAML,
        '"query").gradient(inner_loop(losses, theta, alpha)[-1])',
        '"query").gradient(inner_loop(losses, theta, alpha)[0])',
    ),
    Mistake(
        "meta-loss one step early",
        MAML,
        '"query").value(inner_loop(losses, theta, alpha)[-1])',
        '"query").value(inner_loop(losses, theta, alpha)[-2:][0])',
    ),
    Mistake(
        "Reptile, gradients after the step",
        MAML,
        "zip(losses, trajectory, strict=False)]",
        "zip(losses, trajectory[1:], strict=False)]",
    ),
    Mistake("Reptile, mean for sum", MAML, "[loss.gradient(theta_i) for", "[loss.gradient(theta_i) / len(losses) for"),
    Mistake("implicit gradient, times the strength", MAML, "v + hvp(v) / strength", "v + hvp(v) * strength"),
    Mistake("implicit gradient, a leash without its half", MAML, "v + hvp(v) / strength", "v + hvp(v) / 2 / strength"),
    Mistake("implicit gradient of the support loss", MAML, "query.gradient(phi), rtol", "loss.gradient(phi), rtol"),
    Mistake(
        "only the Hessian's diagonal",
        LOSSES,
        "lambda v: hessian @ v",
        "lambda v: hessian.diagonal() * v if isinstance(v, np.ndarray) else sympy.diag(*hessian.diagonal()) @ v",
    ),
    Mistake("unknown functions that forget which argument", LOSSES, "n + (j == argindex)", "n + (j == 1)"),
    Mistake("differences over h for 2h", DIFFERENCES, "/ (2 * h)", "/ h"),
    Mistake(
        "finite-difference Jacobian transposed",
        DIFFERENCES,
        "np.stack([c.value for c in columns], axis=1)",
        "np.stack([c.value for c in columns], axis=0)",
    ),
    Mistake("complex step's real part", DIFFERENCES, "np.imag(value) / h", "np.real(value)"),
    Mistake("Gauss-Newton for the Hessian", NETWORKS, 'if part == "gauss-newton":', 'if part != "residual":'),
    Mistake(
        "the activation's own curvature lost",
        NETWORKS,
        "delta_dot += back * slope_dot(x[..., :-1]) * a_dot",
        "delta_dot += 0 * back * slope_dot(x[..., :-1]) * a_dot",
    ),
    Mistake("a product rule cut short, forward", NETWORKS, "z_dot += a_dots[-1] @ W", "z_dot += 0 * a_dots[-1] @ W"),
    Mistake(
        "a product rule cut short, at the weights",
        NETWORKS,
        "product[-1][..., :-1, :] += a_dot.mT @ delta",
        "product[-1][..., :-1, :] += 0 * a_dot.mT @ delta",
    ),
    Mistake(
        "a product rule cut short, going back",
        NETWORKS,
        "delta_dot += delta @ V[..., :-1, :].mT",
        "delta_dot += 0 * delta @ V[..., :-1, :].mT",
    ),
    Mistake(
        "the biases' gradient lost",
        NETWORKS,
        "gradient.append(x.mT @ delta)",
        "gradient.append(x.mT @ delta * (np.arange(x.shape[-1]) < x.shape[-1] - 1)[:, None])",
    ),
    Mistake("slope taken at a for z", PARTS, "lambda a: 1 - a * a", "lambda a: 1 - np.tanh(a) ** 2"),
    Mistake("sum over examples for mean", PARTS, "scale = 2 / z.shape[-2]", "scale = 2"),
    Mistake(
        "softmax curvature without its second term",
        PARTS,
        "return (p_dot - p * p_dot.sum(axis=-1, keepdims=True)) / n",
        "return p_dot / n",
    ),
]


@contextlib.contextmanager
def planted(mistake):
    """Import mathlib afresh with the mistake in it, for as long as the block runs."""
    saved = {name: sys.modules.pop(name) for name in list(sys.modules) if name.split(".")[0] == "mathlib"}
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "mathlib", Path(folder, "mathlib"), ignore=shutil.ignore_patterns("__pycache__"))
        file = Path(folder, "mathlib", mistake.file)
        file.write_text(with_mistake(mistake, file.read_text(encoding="utf-8")), encoding="utf-8")
        sys.path.insert(0, folder)
        importlib.invalidate_caches()
        try:
            yield
        finally:
            sys.path.remove(folder)
            for name in [name for name in sys.modules if name.split(".")[0] == "mathlib"]:
                del sys.modules[name]
            sys.modules.update(saved)


def with_mistake(mistake, text):
    """The file's text with the mistake; its right version has to stand there exactly once."""
    if text.count(mistake.right) != 1:
        raise ValueError(
            f"{mistake.right!r} stands {text.count(mistake.right)} times in {mistake.file}; expected once."
        )
    if "start" in mistake.wrong:  # the first point has to be kept before the loop overwrites it
        text = text.replace("    hessian_vector_products = []\n", "    hessian_vector_products, start = [], theta\n")
    return text.replace(mistake.right, mistake.wrong)


def unit_tests(module):
    """The test functions of a module, imported afresh, that need no fixture: name → function of no arguments."""
    sys.modules.pop(module, None)
    functions = vars(importlib.import_module(module))
    return {name: f for name, f in functions.items() if name.startswith("test_") and cases(f) is not None}


def cases(function):
    """The keyword arguments of each parametrised case; None where a test needs a fixture."""
    choices = []
    for mark in getattr(function, "pytestmark", []):
        if mark.name == "parametrize":
            names, rows = mark.args
            names = names.replace(" ", "").split(",") if isinstance(names, str) else list(names)
            rows = [row.values if isinstance(row, ParameterSet) else row if len(names) > 1 else (row,) for row in rows]
            choices.append([dict(zip(names, row, strict=True)) for row in rows])
    combined = [dict(ChainMap(*combination)) for combination in itertools.product(*choices)]
    return combined if set(inspect.signature(function).parameters) == set(combined[0]) else None


def fails(function):
    """Whether a test, in any of its cases, raises."""
    for case in cases(function):
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                function(**case)
        except (Exception, pytest.fail.Exception):  # pytest.raises fails with the latter, no Exception
            return True
    return False


def failing_cell(path):
    """The index of the code cell in which a check of this notebook fails; None if all hold."""
    from notebooks_as_data import code_cells, is_ignored, run_code

    from mathlib import CheckFailed

    namespace = {}
    with contextlib.chdir(ROOT / "notebooks"), contextlib.redirect_stdout(io.StringIO()):
        for i, cell in enumerate(code_cells(nbformat.read(path, as_version=4)), start=1):
            if is_ignored(cell) or cell.source.startswith("figures."):
                continue
            try:
                run_code(cell.source, namespace)
            except CheckFailed:
                return i
    return None


def killing_unit_tests(mistake):
    """The names of the unit tests that fail with the mistake."""
    with planted(mistake):
        modules = UNIT_TESTS[mistake.file]
        return [f"{m}::{name}" for m in modules for name, f in unit_tests(m).items() if fails(f)]


def killing_notebooks(mistake):
    """The notebooks in which a check fails, each with the code cell that says so."""
    from notebooks_as_data import NOTEBOOKS

    found = {}
    with planted(mistake):
        for path in sorted(NOTEBOOKS.glob("*.ipynb")):
            if mistake.file in (NETWORKS, PARTS) and "MLP" not in path.read_text(encoding="utf-8"):
                continue  # no network in it, so it cannot notice
            try:
                cell = failing_cell(path)
            except Exception as error:  # it stops, but no check says so: that is not a kill
                print(f"    {path.name}: {type(error).__name__}: {error}", file=sys.stderr)
            else:
                found |= {path.name: cell} if cell else {}
    return found


def table(record):
    """Which kills which, as text: for each mistake how many unit tests, and which notebooks."""
    lines = [f"{'planted mistake':<46}{'unit tests':>10}   notebooks"]
    for name, found in record.items():
        chapters = " ".join(book[:2] for book in found["notebooks"])
        lines.append(f"{name:<46}{len(found['unit tests']):>10}   {chapters}")
    return "\n".join(lines)


HALVES = {"unit tests": killing_unit_tests, "notebooks": killing_notebooks}


def killers(mistake, halves):
    """What kills the mistake, for each half that is asked for."""
    return {half: HALVES[half](mistake) for half in halves}


def main(halves):
    """Make the record again: both halves, or those that are named; a process for each processor core."""
    old = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    record = {}
    with ProcessPoolExecutor() as pool:
        found_by_each = pool.map(killers, MISTAKES, itertools.repeat(halves or list(HALVES)))
        for mistake, found in zip(MISTAKES, found_by_each, strict=True):
            print(mistake.name, flush=True)
            record[mistake.name] = {"unit tests": [], "notebooks": {}} | old.get(mistake.name, {}) | found
    RECORD.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(table(record))


if __name__ == "__main__":
    sys.path.insert(0, str(TESTS))
    main([word.replace("-", " ") for word in sys.argv[1:]])
