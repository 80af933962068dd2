"""Plausible mistakes, planted one at a time in a copy of mathlib, and what kills them.

`python3 lab.py run tools/planted_errors.py` plants each of them, runs the module's unit tests and the notebooks
against it until one of either kind notices, stores these killers in planted_errors.json and prints the table. With
the word `all` it goes on to the end, and finds every killer; that takes about an hour. The test suite re-runs the
stored killers, one unit test and one notebook for each mistake.

Each mistake has a process of its own, so that nothing of the right mathlib is left in memory.
"""

import contextlib
import importlib
import io
import json
import multiprocessing
import os
import re
import shutil
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path

import pytest
from notebooks_as_data import NOTEBOOKS, ROOT, absent_frameworks, code_cells, is_ignored, read, run_code

RECORD = Path(__file__).with_suffix(".json")
UNIT_TESTS = {
    "meta_gradients.py": ["test_meta_gradients"],
    "losses.py": ["test_losses", "test_meta_gradients"],
    "unknown.py": ["test_losses", "test_meta_gradients"],
    "finite_differences.py": ["test_finite_differences"],
    "networks.py": ["test_networks"],
    "network_parts.py": ["test_networks"],
}
SLOW_TO_IMPORT = [
    "hypothesis",
    "IPython.display",
    "matplotlib.backends.backend_agg",
    "nbformat",
    "PIL.Image",
    "pytest",
    "scipy.differentiate",
    "scipy.optimize",
    "scipy.sparse.linalg",
    "sympy",
]


@dataclass(frozen=True)
class PlantedError:
    """A piece of mathlib's text and what somebody in a hurry would have written instead."""

    name: str
    file: str
    right: str
    wrong: str
    entry: str | None = None  # of mathlib.mistakes, where the catalogue has the same mistake


MAML = "meta_gradients.py"
LOSSES = "losses.py"
UNKNOWN = "unknown.py"
DIFFERENCES = "finite_differences.py"
NETWORKS = "networks.py"
PARTS = "network_parts.py"
BACKWARD = "v = v - alpha * hvp(v)"
LATER = "gradient, hvp = loss.linearize(theta)\n        theta = theta - alpha * gradient"
PLANTED = [
    PlantedError(
        "factors in reversed order",
        MAML,
        "for hvp in reversed(hessian_vector_products)",
        "for hvp in hessian_vector_products",
        entry="reversed order",
    ),
    PlantedError(
        "Hessian after the step",
        MAML,
        LATER,
        f"{LATER}\n        hvp = loss.linearize(theta)[1]",
        entry="the Hessian after the step",
    ),
    PlantedError(
        "the query's Hessian",
        MAML,
        BACKWARD,
        "v = v - alpha * query.linearize(theta)[1](v)",
        entry="the query's Hessian",
    ),
    PlantedError("a lost alpha", MAML, BACKWARD, "v = v - hvp(v)", entry="a lost α"),
    PlantedError("alpha off by 0.1 %", MAML, BACKWARD, "v = v - alpha * hvp(v) * 1001 / 1000"),
    PlantedError(
        "a dropped factor",
        MAML,
        "reversed(hessian_vector_products)",
        "reversed(hessian_vector_products[1:])",
        entry="a lost factor",
    ),
    PlantedError("first order for full", MAML, BACKWARD, "v = v - 0 * hvp(v)", entry="first order only"),
    PlantedError("plus for minus, going back", MAML, BACKWARD, "v = v + alpha * hvp(v)", entry="plus for minus"),
    PlantedError(
        "the query's gradient at the start",
        MAML,
        "    hessian_vector_products = []\n    for loss in losses:\n        gradient, hvp = loss.linearize(theta)\n"
        "        theta = theta - alpha * gradient\n        hessian_vector_products.append(hvp)\n"
        "    v = query.gradient(theta)\n",
        "    hessian_vector_products = []\n    start = theta\n    for loss in losses:\n"
        "        gradient, hvp = loss.linearize(theta)\n"
        "        theta = theta - alpha * gradient\n        hessian_vector_products.append(hvp)\n"
        "    v = query.gradient(start)\n",
        entry="the query's gradient at the start",
    ),
    PlantedError(
        "one inner step too few",
        MAML,
        "for loss in losses:\n        theta = theta",
        "for loss in losses[:-1]:\n        theta = theta",
    ),
    PlantedError(
        "plus for minus, going forward",
        MAML,
        "theta = theta - alpha * loss.gradient(theta)",
        "theta = theta + alpha * loss.gradient(theta)",
    ),
    PlantedError(
        "1 - alpha * H", MAML, "else np.eye(theta.shape[-1], dtype=theta.dtype)", "else np.ones(2 * theta.shape)"
    ),
    PlantedError(
        "plus for minus in the Jacobian",
        MAML,
        "_identity(theta) - alpha * hessian",
        "_identity(theta) + alpha * hessian",
    ),
    PlantedError(
        "unrolled Jacobian transposed",
        MAML,
        "step_jacobian(loss, theta_i, alpha) @ U",
        "U @ step_jacobian(loss, theta_i, alpha)",
    ),
    PlantedError(
        "unrolled Jacobian, Hessian after the step",
        MAML,
        "zip(losses, trajectory[:-1], strict=True):\n        U",
        "zip(losses, trajectory[1:], strict=True):\n        U",
    ),
    PlantedError(
        "first order without adaptation",
        MAML,
        "query.gradient(inner_loop(losses, theta, alpha)[-1])",
        "query.gradient(inner_loop(losses, theta, alpha)[0])",
    ),
    PlantedError(
        "meta-loss one step early",
        MAML,
        "query.value(inner_loop(losses, theta, alpha)[-1])",
        "query.value(inner_loop(losses, theta, alpha)[-2:][0])",
    ),
    PlantedError(
        "Reptile, gradients after the step",
        MAML,
        "zip(losses, trajectory[:-1], strict=True)]",
        "zip(losses, trajectory[1:], strict=True)]",
    ),
    PlantedError(
        "Reptile, mean for sum", MAML, "[loss.gradient(theta_i) for", "[loss.gradient(theta_i) / len(losses) for"
    ),
    PlantedError("implicit gradient, times the strength", MAML, "v + hvp(v) / strength", "v + hvp(v) * strength"),
    PlantedError(
        "implicit gradient, a penalty without its half", MAML, "v + hvp(v) / strength", "v + hvp(v) / 2 / strength"
    ),
    PlantedError("implicit gradient of the support loss", MAML, "query.gradient(phi)", "loss.gradient(phi)"),
    PlantedError(
        "only the Hessian's diagonal",
        LOSSES,
        "lambda v: hessian @ v",
        "lambda v: hessian.diagonal() * v if isinstance(v, np.ndarray) else sympy.diag(*hessian.diagonal()) @ v",
    ),
    PlantedError("unknown functions that forget which argument", UNKNOWN, "n + (j == argindex)", "n + (j == 1)"),
    PlantedError("differences over h for 2h", DIFFERENCES, "/ (2 * h)", "/ h"),
    PlantedError(
        "finite-difference Jacobian transposed",
        DIFFERENCES,
        "np.stack([c.value for c in columns], axis=1)",
        "np.stack([c.value for c in columns], axis=0)",
    ),
    PlantedError("complex step's real part", DIFFERENCES, "np.imag(value) / h", "np.real(value)"),
    PlantedError("Gauss-Newton for the Hessian", NETWORKS, 'if part == "gauss-newton":', 'if part != "residual":'),
    PlantedError(
        "the activation's own curvature lost",
        NETWORKS,
        "delta_dot += back * slope_dot(x[..., :-1]) * a_dot",
        "delta_dot += 0 * back * slope_dot(x[..., :-1]) * a_dot",
    ),
    PlantedError(
        "a product rule cut short, forward", NETWORKS, "z_dot += a_dots[-1] @ W", "z_dot += 0 * a_dots[-1] @ W"
    ),
    PlantedError(
        "a product rule cut short, at the weights",
        NETWORKS,
        "product[-1][..., :-1, :] += a_dot.mT @ delta",
        "product[-1][..., :-1, :] += 0 * a_dot.mT @ delta",
    ),
    PlantedError(
        "a product rule cut short, going back",
        NETWORKS,
        "delta_dot += delta @ V[..., :-1, :].mT",
        "delta_dot += 0 * delta @ V[..., :-1, :].mT",
    ),
    PlantedError(
        "the biases' gradient lost",
        NETWORKS,
        "gradient.append(x.mT @ delta)",
        "gradient.append(x.mT @ delta * (np.arange(x.shape[-1]) < x.shape[-1] - 1)[:, None])",
    ),
    PlantedError("slope taken at a for z", PARTS, "lambda a: 1 - a * a", "lambda a: 1 - np.tanh(a) ** 2"),
    PlantedError("sum over examples for mean", PARTS, "scale = 2 / z.shape[-2]", "scale = 2"),
    PlantedError(
        "softmax curvature without its second term",
        PARTS,
        "return (p_dot - p * p_dot.sum(axis=-1, keepdims=True)) / n",
        "return p_dot / n",
    ),
]


def with_mistake(mistake, text):
    """The file's text with the mistake; its right version has to stand there exactly once."""
    if text.count(mistake.right) != 1:
        raise ValueError(
            f"{mistake.right!r} stands {text.count(mistake.right)} times in {mistake.file}; expected once."
        )
    return text.replace(mistake.right, mistake.wrong)


@contextlib.contextmanager
def planted(mistake):
    """A folder with a copy of mathlib in which the mistake stands; with None, as it is."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "mathlib", Path(folder, "mathlib"), ignore=shutil.ignore_patterns("__pycache__"))
        if mistake is not None:
            file = Path(folder, "mathlib", mistake.file)
            file.write_text(with_mistake(mistake, file.read_text(encoding="utf-8")), encoding="utf-8")
        yield folder


def in_a_process_of_its_own(mistake, ask, *words):
    """What `ask(*words)` answers in a new process whose mathlib has the mistake."""
    context = multiprocessing.get_context("spawn" if sys.platform == "win32" else "forkserver")
    if sys.platform != "win32":
        context.set_forkserver_preload(SLOW_TO_IMPORT)
    with planted(mistake) as folder, ProcessPoolExecutor(1, context, import_from, (folder,)) as pool:
        return pool.submit(ask, *words).result()


def import_from(folder):
    """Make this process import mathlib from the folder, and from nowhere else."""
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # unit tests need none, and each takes time to load
    sys.path.insert(0, folder)
    found = importlib.import_module("mathlib").__file__
    if not Path(found).is_relative_to(folder):
        raise ImportError(f"mathlib was imported from {found}; expected the copy in {folder}.")


class Failures:
    """A plugin of pytest that remembers which tests failed."""

    def __init__(self):
        self.names = []

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.names.append(report.nodeid.removeprefix("tests/").replace(".py::", "::"))


def node_id(word):
    """What pytest calls "test_losses", or "test_losses::test_a"."""
    module, colons, test = word.partition("::")
    return f"tests/{module}.py{colons}{test}"


def failing_tests(words, every=True):
    """The names, such as "test_losses::test_a", of the unit tests that fail; `words` name files or single tests.

    Without `every` it stops at the first.
    """
    failures = Failures()
    options = ["-q", "-o", "addopts=", "-o", "pythonpath=tools", "--noconftest", "-p", "no:cacheprovider"]
    with contextlib.chdir(ROOT), contextlib.redirect_stdout(io.StringIO()):
        code = pytest.main([*options, *([] if every else ["-x"]), *map(node_id, words)], [failures])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise RuntimeError(f"pytest ended with {code!r} on {words}; expected it to run the tests.")
    return failures.names


def failing_claim(path):
    """The number of the first claim of a notebook whose check raises; None if all hold."""
    from mathlib import CheckFailed

    namespace = {}
    with contextlib.chdir(NOTEBOOKS), contextlib.redirect_stdout(io.StringIO()):
        for cell in code_cells(read(path)):
            if is_ignored(cell) or cell.source.startswith("figures."):
                continue
            try:
                run_code(cell.source, namespace)
            except CheckFailed as failure:
                return re.match(r"\(([\d.]+)\)", str(failure))[1]
    return None


def failing_claims(paths, every=True):
    """Each notebook in which a check fails, with the number of the claim; or the first such notebook alone."""
    found = {}
    for path in paths:
        try:
            claim = failing_claim(path)
        except Exception as error:  # it stops, but no check says so: that is no kill
            print(f"    {path.name}: {type(error).__name__}: {error}", file=sys.stderr)
        else:
            found |= {path.name: claim} if claim else {}
        if found and not every:
            break
    return found


def killers_again(test, path):
    """Whether one unit test fails, and the claim that fails in one notebook."""
    return bool(failing_tests([test])), failing_claim(path)


def failures_of(tests, paths):
    """The unit tests that fail, and the notebooks with the claims that fail."""
    return failing_tests(tests), failing_claims(paths)


def as_the_catalogue_has_it(entry):
    """Whether `maml_gradient` returns here what the catalogue's entry returns; the catalogue does not call it."""
    import numpy as np

    from mathlib import MISTAKES, maml_gradient, quadratic, rosenbrock

    query = quadratic(np.array([[1.0, -0.5], [-0.5, 2.0]]), np.array([-1.0, 0.5]))
    case = [rosenbrock(1, 1), rosenbrock(-1, 2), rosenbrock(2, 1)], query, np.array([0.1, -0.7]), 0.05
    return np.allclose(maml_gradient(*case), MISTAKES[entry].gradient(*case), rtol=1e-12)


def killing_unit_tests(mistake, every):
    """The names of the unit tests that fail with the mistake; or the first alone."""
    found = in_a_process_of_its_own(mistake, failing_tests, UNIT_TESTS[mistake.file], every)
    return sorted({name.split("[")[0] for name in found})


def killing_notebooks(mistake, every, likely):
    """The notebooks in which a check fails, each with its claim; or the first alone, the likely ones tried before."""
    paths = sorted(NOTEBOOKS.glob("*.ipynb"), key=lambda path: (path.name not in likely, path.name))
    paths = [path for path in paths if not absent_frameworks(read(path))]  # or each would fail in its imports
    if mistake.file in (NETWORKS, PARTS):  # a notebook without a network cannot notice
        paths = [path for path in paths if "MLP" in path.read_text(encoding="utf-8")]
    return in_a_process_of_its_own(mistake, failing_claims, paths, every)


def table(record):
    """Which kills which, as text: for each mistake how many unit tests, and which notebooks."""
    lines = [f"{'planted mistake':<46}{'unit tests':>10}   notebooks"]
    for name, found in record.items():
        chapters = " ".join(book[:2] for book in found["notebooks"])
        lines.append(f"{name:<46}{len(found['unit tests']):>10}   {chapters}")
    return "\n".join(lines)


def killers(mistake, every, likely):
    """What kills the mistake, of either kind."""
    return {
        "unit tests": killing_unit_tests(mistake, every),
        "notebooks": killing_notebooks(mistake, every, likely),
    }


def main(words):
    """Make the record again, with a process for each processor core."""
    if words not in ([], ["all"]):
        sys.exit(f"planted_errors: the words are {words}; expected none, or `all`.")
    old = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    likely = [old.get(mistake.name, {}).get("notebooks", {}) for mistake in PLANTED]
    record = {}
    with ProcessPoolExecutor() as pool:
        found_by_each = pool.map(killers, PLANTED, repeat(bool(words)), likely)
        for mistake, found in zip(PLANTED, found_by_each, strict=True):
            print(mistake.name, flush=True)
            record[mistake.name] = found
    RECORD.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(table(record))


if __name__ == "__main__":
    main(sys.argv[1:])
