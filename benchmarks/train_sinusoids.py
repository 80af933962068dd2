"""Does the second order matter on sinusoids? The long run behind notebook 11.

    python3 lab.py run benchmarks/train_sinusoids.py                      half an hour of one core, resumable
    python3 lab.py run benchmarks/train_sinusoids.py --quick --output DIR a small run, to see that all works

Section 5.1 of the MAML paper: 1-40-40-1 with ReLU, 10 support and 10 query points, meta-batches of 25 tasks, inner step
size 0.01, Adam at 0.001. Every method trains for 10,000 iterations; MAML, FOMAML and joint training go on to the
paper's 70,000 with one inner step. Both numbers were fixed before the run, and what is compared is the start at these
iterations. Training is in float32, evaluation in float64, on the same 600 test tasks for all, with 100 query points
each. With one inner step the multi-step loss is MAML's, and joint training has no inner loop: neither is trained twice.

Each training has a checkpoint in --folder; a run that was stopped goes on from there. Writes sinusoids.csv, errors by
seed, method and number of steps, and sinusoids_path.csv, both gradients and the curvature along training.
"""

import one_thread  # noqa: F401  before NumPy

# isort: split
import functools
import time
import warnings

import numpy as np
from scipy.sparse.linalg import LinearOperator, eigsh
from tables import begin, cosine, once, words, write

from mathlib.meta_gradients import fomaml_gradient, maml_gradient
from mathlib.meta_training import adapt, draw_start, meta_train
from mathlib.networks import MLP
from mathlib.tasks import sinusoid_tasks

NETWORK = MLP((1, 40, 40, 1), "relu")
ALPHA = 0.01
RUNS = {(method, 1): 10_000 for method in ("MAML", "FOMAML", "Reptile", "ANIL", "joint")}
RUNS |= {(method, 5): 10_000 for method in ("MAML", "FOMAML", "Reptile", "ANIL", "multi-step")}
LONGER = {("MAML", 1): 70_000, ("FOMAML", 1): 70_000, ("joint", 1): 70_000}
COMPARED = (0, 10_000, 70_000)  # iterations at which the errors are stored
POINTS = (0, 500, 1000, 2000, 5000, 10_000, 20_000, 40_000, 70_000)  # those along the path
STEPS = (0, 1, 2, 3, 5, 10)
EXPLODED = 100.0  # four times the largest square of a target, 5² = 25
TEST_SEED = 1_000_000  # far from the seeds of the meta-training


def train(seed, method, steps, iterations, folder):
    """The starts of one training: after how many iterations, and what they are."""
    theta = draw_start(NETWORK, np.random.default_rng(seed), np.float32)
    run = meta_train(
        method,
        NETWORK,
        functools.partial(sinusoid_tasks, dtype=np.float32),
        theta,
        iterations=iterations,
        alpha=ALPHA,
        steps=steps,
        seed=seed,
        every=500,
        checkpoint=folder / f"{method}_{steps}_{seed}.npz",
        save_every=2000,
    )
    return run


def start_after(run, iteration):
    return run.path[iteration // 500].astype(np.float64)


def errors(method, theta, shots, n, steps=STEPS):
    """The query error of each test task after these inner steps, (steps, tasks); infinite where a task diverged.

    Or where its parameters are finite and so large that the error is not: inf - inf inside a layer gives nan, which is
    larger than nothing and would not count as exploded.
    """
    tasks = sinusoid_tasks(np.random.default_rng(TEST_SEED + shots), n, shots, query_shots=100)
    _, query = tasks.losses(NETWORK)
    points, diverged = adapt(method, NETWORK, tasks, theta, ALPHA, max(steps))
    with np.errstate(over="ignore", invalid="ignore"):
        values = np.array([query.value(points[step]) for step in steps])
    return np.where(diverged[list(steps)] | np.isnan(values), np.inf, values)


def error_rows(run, seed, method, steps, n):
    rows = []
    for iteration in COMPARED:
        if iteration > run.iteration:
            continue
        for shots in (5, 10):
            found = errors(method, start_after(run, iteration), shots, n)
            for step, error in zip(STEPS, found, strict=True):
                rows.append(
                    {
                        "seed": seed,
                        "method": method,
                        "K": steps,
                        "iteration": iteration,
                        "shots": shots,
                        "steps": step,
                        "mean": error.mean(),
                        "halfwidth": 1.96 * error.std(ddof=1) / n**0.5,
                        "median": np.median(error),
                        "exploded": np.mean(error > EXPLODED),
                        "worse": np.mean(error > found[0]),
                    }
                )
    return rows


def largest_eigenvalue(task, theta):
    """Of the Hessian of one task's support loss."""
    _, hvp = task.losses(NETWORK)[0].linearize(theta[None])
    matrix = LinearOperator((theta.size,) * 2, lambda v: hvp(v.reshape(1, -1))[0], dtype=theta.dtype)
    start = np.random.default_rng(0).normal(size=theta.size)
    return eigsh(matrix, k=1, which="LA", v0=start, tol=1e-3, return_eigenvectors=False)[0]


def gradient_row(theta, steps, batches):
    """Both gradients on 25 tasks each time, single and averaged, and the curvature where the inner loop begins."""
    tasks = sinusoid_tasks(np.random.default_rng(TEST_SEED), 25 * batches)
    support, query = tasks.losses(NETWORK)
    shared = np.tile(theta, (len(tasks), 1))
    v, g = (f([support] * steps, query, shared, ALPHA) for f in (fomaml_gradient, maml_gradient))
    v_bar, g_bar = (each.reshape(batches, 25, -1).mean(axis=1) for each in (v, g))
    eigenvalues = [largest_eigenvalue(tasks[i : i + 1], theta) for i in range(25)]
    return {
        "cosine_batch": np.median(cosine(v_bar, g_bar)),
        "cosine_batch_least": cosine(v_bar, g_bar).min(),
        "cosine_task": np.median(cosine(v, g)),
        "negative_tasks": np.mean(np.vecdot(v, g) < 0),
        "length_ratio": np.median(np.linalg.norm(v_bar, axis=1) / np.linalg.norm(g_bar, axis=1)),
        "alpha_lambda": ALPHA * np.median(eigenvalues),
        "above_one": np.mean(ALPHA * np.array(eigenvalues) > 1),
        "above_two": np.mean(ALPHA * np.array(eigenvalues) > 2),
    }


def path_rows(run, seed, method, steps, batches):
    """Along the path; joint training has no K of its own and is asked for both."""
    rows = []
    for iteration in POINTS:
        if iteration > run.iteration:
            continue
        theta = start_after(run, iteration)
        after_1, after_10 = errors(method, theta, 5, 200, (1, 10))
        for K in (1, 5) if method == "joint" and iteration <= 10_000 else (steps,):
            lost = run.diverged[:iteration].sum() if iteration else 0
            rows.append(
                {
                    "seed": seed,
                    "method": method,
                    "K": K,
                    "iteration": iteration,
                    "median_1": np.median(after_1),
                    "median_10": np.median(after_10),
                    "lost_in_training": lost,
                    **gradient_row(theta, K, batches),
                }
            )
    return rows


def main():
    parser = words(__doc__, "sinusoids", "500 iterations of each method, one seed, 60 test tasks")
    parser.add_argument("--short", action="store_true", help="no method goes on to 70,000 iterations")
    chosen = begin(parser)
    lengths = dict.fromkeys(RUNS, 500) if chosen.quick else RUNS if chosen.short else RUNS | LONGER
    n, batches = (60, 2) if chosen.quick else (600, 10)
    begun = time.process_time()
    error_table, path_table = [], []
    for seed in chosen.seeds:
        for (method, steps), iterations in lengths.items():
            case = seed, method, steps

            def measure(case=case, iterations=iterations):
                run = train(*case, iterations, chosen.folder)
                return error_rows(run, *case, n), path_rows(run, *case, batches)

            errors_here, path_here = once(chosen.folder / f"{method}_{steps}_{seed}_{iterations}.json", measure)
            error_table += errors_here
            path_table += path_here
            print(f"seed {seed}, {method}, K = {steps}: {time.process_time() - begun:.0f} s in all", flush=True)
    write(chosen.output / "sinusoids.csv", error_table)
    write(chosen.output / "sinusoids_path.csv", path_table)


if __name__ == "__main__":
    warnings.simplefilter("always")
    main()
