"""Plausible mistakes, planted one at a time in a copy of mathlib, and what kills them.

`python3 lab.py run tools/planted_errors.py` plants each of them, runs the module's unit tests and the notebooks
against it until one of either kind notices, stores these killers in planted_errors.json and prints the table. With
the word `all` it goes on to the end, and finds every killer; that takes about an hour. The test suite re-runs the
stored killers, one unit test and one notebook for each mistake.

Mistakes in the formulas need a killer of either kind. Beside them, in tasks, trainings and diagnoses, a unit test is
enough. A claim that stands on a notebook's own cells has its mistake planted there.

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
    "diagnose.py": ["test_diagnose"],
    "diagnosis.py": ["test_diagnose"],
    "slips.py": ["test_slips"],
    "foreign.py": ["test_foreign", "test_function_check"],
    "function_check.py": ["test_function_check"],
    "tasks.py": ["test_tasks"],
    "meta_training.py": ["test_meta_training"],
    "stored.py": ["test_stored"],
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

DIAGNOSE = "diagnose.py"
DIAGNOSIS = "diagnosis.py"
SLIPS = "slips.py"
FOREIGN = "foreign.py"
FUNCTION = "function_check.py"
TASKS = "tasks.py"
TRAINING = "meta_training.py"
# Here no claim is derived: notebooks show what these modules say, and nbval compares it. A unit test has to notice.
PLANTED_BESIDE = [
    PlantedError("a tolerance too wide by a million", DIAGNOSE, "MAY_PASS = 16", "MAY_PASS = 16e6"),
    PlantedError("no error bars for differences", DIAGNOSE, "ERROR_BAR * signs", "0 * signs"),
    PlantedError(
        "MAML where FOMAML is the same",
        DIAGNOSE,
        "name=None if {MAML, FOMAML} <= {*equals} else next(iter(equals), None)",
        "name=next(iter(equals), None)",
    ),
    PlantedError(
        "one name of several that are the same", DIAGNOSIS, "self.name not in (MAML, FOMAML)", "self.name is None"
    ),
    PlantedError(
        "what rounding hides, called the same",
        DIAGNOSE,
        "exact = COINCIDE * np.finfo(self.theta.dtype).eps",
        "exact = 1",
    ),
    PlantedError("a case that tells some apart", DIAGNOSE, "finite and all(", "finite and any("),
    PlantedError("a gradient of zeros, unexplained", DIAGNOSE, "if not self.gradient.any():", "if False:"),
    PlantedError("only equals are multiples", DIAGNOSE, "self.equals(other / factor)", "self.equals(other)"),
    PlantedError("multiples in one dimension", DIAGNOSE, "if parallel and self.theta.size > 1:", "if parallel:"),
    PlantedError(
        "a factor to digits that float32 lacks", DIAGNOSE, "near = max(FACTOR, COINCIDE * self.eps)", "near = FACTOR"
    ),
    PlantedError(
        "clipped by its largest entry",
        DIAGNOSE,
        "length = float(np.linalg.norm(self.gradient))",
        "length = float(np.abs(self.gradient).max())",
    ),
    PlantedError("a fit that walks away", DIAGNOSE, "change = -(residual @ slope)", "change = (residual @ slope)"),
    PlantedError(
        "the ratio of the step sizes upside down", DIAGNOSE, "alphas[name] / self.alpha", "self.alpha / alphas[name]"
    ),
    PlantedError("as many unknowns as numbers", DIAGNOSE, "self.theta.size > 2 + scaled", "self.theta.size > 2"),
    PlantedError("rounded numbers asked in full", DIAGNOSE, "coarse = replace(self, eps=SINGLE)", "coarse = self"),
    PlantedError(
        "what is not finite, left out in silence",
        DIAGNOSE,
        "skipped=tuple(name for name, result in results.items() if result is None)",
        "skipped=()",
    ),
    PlantedError("a loop that diverges, compared", DIAGNOSE, "if MAML not in finite:", "if not finite:"),
    PlantedError("no inner step, compared", DIAGNOSE, "if not losses:", "if False:"),
    PlantedError(
        "a loss that draws, believed", DIAGNOSE, "require_function(partial(loss.gradient, theta), name, eps)", "pass"
    ),
    PlantedError("a loss that writes, believed", DIAGNOSE, "if not np.array_equal(theta, given):", "if False:"),
    PlantedError("momentum lost on the way back", SLIPS, "w = kept * w - alpha * v", "w = w - alpha * v"),
    PlantedError("uphill, and its curvature downhill", SLIPS, "lambda v: -hvp(v)", "hvp"),
    PlantedError("None, called a type", FOREIGN, "if vector is None:", "if False:"),
    PlantedError("half precision let in", FOREIGN, "array.dtype.itemsize < 4", "array.dtype.itemsize < 2"),
    PlantedError("asked once", FOREIGN, "for _ in range(2):", "for _ in range(0):"),
    PlantedError("theta itself handed over", FOREIGN, "given = theta.copy()", "given = theta"),
    PlantedError("differences over h for 2h, float32", FOREIGN, "(right - left) / (2 * h)", "(right - left) / h"),
    PlantedError(
        "every gradient the derivative",
        FUNCTION,
        "np.median(gaps / measured.error) > CLEARLY",
        "np.median(gaps / measured.error) > np.inf",
    ),
    PlantedError("coarse differences that decide", FUNCTION, "np.mean(decided & (", "np.mean((True) & ("),
    PlantedError(
        "a factor upside down",
        FUNCTION,
        "f = float(given @ measured.value / square)",
        "f = float(square / (given @ measured.value))",
    ),
    PlantedError(
        "the pieces that are right",
        FUNCTION,
        "off = np.abs(given - measured.value) >",
        "off = np.abs(given - measured.value) <=",
    ),
    PlantedError(
        "float32 taken for float64", FUNCTION, "single = len(np.unique(values)) > 1 and", "single = False and"
    ),
    PlantedError("phases the other way", TASKS, "np.sin(x - phase)", "np.sin(x + phase)"),
    PlantedError("phases all round", TASKS, "PHASES = (0.0, np.pi)", "PHASES = (0.0, 2 * np.pi)"),
    PlantedError("judged by the support images", TASKS, "drawn[:, :, shots:]", "drawn[:, :, :query_shots]"),
    PlantedError("an image twice in a task", TASKS, "needed, replace=False", "needed, replace=True"),
    PlantedError("classes that keep their names", TASKS, "    if fixed:", "    if True:"),
    PlantedError("the farthest centroid", TASKS, ".argmin(axis=-1)", ".argmax(axis=-1)"),
    PlantedError(
        "Reptile without its last gradient", TRAINING, "reptile_gradient([*losses, query]", "reptile_gradient([*losses]"
    ),
    PlantedError(
        "the multi-step loss backwards", TRAINING, "for loss in reversed(losses[1:]):", "for loss in losses[1:]:"
    ),
    PlantedError("the multi-step loss summed", TRAINING, "theta, alpha) / len(losses)", "theta, alpha)"),
    PlantedError(
        "ANIL projected on the wrong side", TRAINING, "lambda v: hvp(self.project(v))", "lambda v: self.project(hvp(v))"
    ),
    PlantedError("Adam without its correction", TRAINING, "np.sqrt(second / (1 - DECAY_SECOND**n))", "np.sqrt(second)"),
    PlantedError(
        "a task that diverged, in the mean", TRAINING, "    gradients[diverged] = 0", "    gradients[diverged] = 1"
    ),
    PlantedError(
        "the mean of those that are left",
        TRAINING,
        "gradients.mean(axis=0)",
        "gradients.sum(axis=0) / max(1, meta_batch - int(lost.sum()))",
    ),
    PlantedError("a lost task that moves on", TRAINING, "np.where(lost[:, None], points[-1], after)", "after"),
    PlantedError(
        "the same tasks at every iteration", TRAINING, "default_rng([seed, run.iteration])", "default_rng([seed, 0])"
    ),
    PlantedError(
        "resumed without Adam's second moment", TRAINING, 'second=saved["second"]', 'second=0 * saved["second"]'
    ),
    PlantedError("a checkpoint that is not flushed", TRAINING, "        os.fsync(file.fileno())\n", ""),
    PlantedError(
        "an interrupted step, counted", TRAINING, "np.array(self._lengths[: self.iteration])", "np.array(self._lengths)"
    ),
    PlantedError(
        "all rows but those asked for", "stored.py", "rows[rows[column] == value]", "rows[rows[column] != value]"
    ),
]


@dataclass(frozen=True)
class PlantedClaim:
    """A piece of a notebook's own cells, and a wrong one with which the claim's check has to fail."""

    claim: str
    right: str
    wrong: str


# Claims whose sides come from cells, from SymPy or from a framework: a mistake in mathlib cannot reach both.
PLANTED_CLAIMS = [
    PlantedClaim("11.1", "(A, low, 5)) / (5 - low)", "(A, low, 5)) / 5"),
    PlantedClaim("11.2", "sympy.sin(5) * sympy.cos(5) / 10", "sympy.sin(10) / 10"),
    PlantedClaim("12.1", "over_numberings = -np.log(p).mean(axis=1)", "over_numberings = -(p * np.log(p)).sum(axis=1)"),
    PlantedClaim("12.2", "(c - c.mean(axis=0)).T / 3", "(c - c.mean(axis=0)).T"),
    PlantedClaim(
        "14.1", "full = meta_gradient(theta, create_graph=True)", "full = meta_gradient(theta, retain_graph=True)"
    ),
    PlantedClaim("14.2", "first = meta_gradient(theta)", "first = meta_gradient(theta, create_graph=True)"),
    PlantedClaim("14.3", "v = -alpha * S.hvp(point, v)", "v = v - alpha * S.hvp(point, v)"),
    PlantedClaim("14.4", "theta, alpha) for i in range(K)]", "theta, alpha) for i in range(1, K)]"),
    PlantedClaim("14.5", "body = lambda p, _: (take(p), None)", "body = lambda p, _: (stop(take(p)), None)"),
    PlantedClaim("14.6", "slim = np.diff([stored(jax.checkpoint(take), k)", "slim = np.diff([stored(take, k)"),
    PlantedClaim("14.7", "v = v - alpha * hvp(v)", "v = v - hvp(v)"),
    PlantedClaim("14.8", "strength * (p - t)", "(p - t) / strength"),
]


def with_mistake(mistake, text):
    """The file's text with the mistake; its right version has to stand there exactly once."""
    if text.count(mistake.right) != 1:
        raise ValueError(f"{mistake.right!r} stands there {text.count(mistake.right)} times; expected once.")
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


def sources(path):
    """The code of a notebook, without what only draws and what is different each time."""
    return [
        cell.source for cell in code_cells(read(path)) if not (is_ignored(cell) or cell.source.startswith("figures."))
    ]


@contextlib.contextmanager
def where_notebooks_run():
    with contextlib.chdir(NOTEBOOKS), contextlib.redirect_stdout(io.StringIO()):
        yield


def first_failure(cells, namespace):
    """The number of the first claim whose check raises in these cells; None if all hold."""
    from mathlib import CheckFailed

    for source in cells:
        try:
            run_code(source, namespace)
        except CheckFailed as failure:
            return re.match(r"\(([\d.]+)\)", str(failure))[1]
    return None


def failing_claim(path):
    """The number of the first claim of a notebook whose check raises; None if all hold."""
    with where_notebooks_run():
        return first_failure(sources(path), {})


def failing_with(path, mistakes):
    """Which claim fails with each of the mistakes, planted one at a time in a notebook's own cells.

    The notebook runs once. Where a mistake begins, the cells from there to the claim's check run on a copy of what
    the cells before have made.
    """
    cells = sources(path)
    at = {i: [m for m in mistakes if m.right in source] for i, source in enumerate(cells)}
    found = {}
    namespace = {}
    with where_notebooks_run():
        for i in range(max((i for i in at if at[i]), default=-1) + 1):
            for mistake in at[i]:
                last = next(n for n, source in enumerate(cells) if f'check("{mistake.claim}"' in source)
                wrong = [with_mistake(mistake, cells[i]), *cells[i + 1 : last + 1]]
                found[mistake.claim] = first_failure(wrong, dict(namespace))
            run_code(cells[i], namespace)
    return found


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
    """What kills the mistake, of either kind; beside the formulas, unit tests alone."""
    is_beside = mistake in PLANTED_BESIDE
    return {
        "unit tests": killing_unit_tests(mistake, every),
        "notebooks": {} if is_beside else killing_notebooks(mistake, every, likely),
    }


def main(words):
    """Make the record again, with a process for each processor core."""
    if words not in ([], ["all"]):
        sys.exit(f"planted_errors: the words are {words}; expected none, or `all`.")
    old = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    planted = [*PLANTED, *PLANTED_BESIDE]
    likely = [old.get(mistake.name, {}).get("notebooks", {}) for mistake in planted]
    record = {}
    with ProcessPoolExecutor() as pool:
        found_by_each = pool.map(killers, planted, repeat(bool(words)), likely)
        for mistake, found in zip(planted, found_by_each, strict=True):
            print(mistake.name, flush=True)
            record[mistake.name] = found
    RECORD.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(table(record))


if __name__ == "__main__":
    main(sys.argv[1:])
