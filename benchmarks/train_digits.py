"""Does the second order matter on handwritten digits? The long run behind notebook 12.

    python3 lab.py run benchmarks/train_digits.py                      a quarter of an hour of one core, resumable
    python3 lab.py run benchmarks/train_digits.py --quick --output DIR a small run, to see that all works

Of scikit-learn's ten digits six are for meta-training and four for testing, another split with each seed. A fifth of
the six classes' images is kept out of the training, too, to see what is learned about classes that were seen. The
network is 64-40-ways with ReLU; five inner steps, meta-batches of 25 tasks with 15 query images a class, Adam at
0.001, 500 iterations. The number of iterations was fixed before the run, and the last is compared. All methods train at
the inner step size 0.1; MAML and FOMAML also at 0.02 and 0.5. Training is in float32, evaluation in float64 on the same
600 test tasks for all of one seed.

Beside the methods stand a random start, a start from plain classification of the six classes whose last layer is
replaced by zeros ("pretrained"), and nearest centroid on raw pixels, which learns nothing across tasks.

Each training has a checkpoint in --folder; a run that was stopped goes on from there. Writes digits.csv, accuracies by
seed and number of steps, and digits_path.csv, classes seen and unseen and both gradients along training.
"""

import one_thread  # noqa: F401  before NumPy

# isort: split
import functools
import itertools
import time
import warnings

import numpy as np
from sklearn.datasets import load_digits
from tables import begin, cosine, once, words, write

from mathlib.meta_gradients import fomaml_gradient, maml_gradient
from mathlib.meta_training import adapt, draw_start, meta_train
from mathlib.networks import MLP
from mathlib.tasks import few_shot_tasks, nearest_centroid

HIDDEN = (64, 40)
K = 5
ALPHAS = (0.02, 0.1, 0.5)
METHODS = dict.fromkeys(ALPHAS, ("MAML", "FOMAML"))
METHODS[0.1] = ("MAML", "FOMAML", "Reptile", "ANIL", "multi-step", "joint")
QUERY_SHOTS = 15
STEPS = (0, 1, 5, 20)
EVERY = 50
POINTS = (0, 50, 100, 200, 500)
TEST_SEED = 1_000_000  # far from the seeds of the meta-training


def split(seed):
    """Images and labels, three times: to train on, of the same six classes but kept out, of the four others."""
    images, labels = load_digits(return_X_y=True)
    rng = np.random.default_rng([TEST_SEED, seed])
    seen = np.isin(labels, rng.permutation(10)[:6])
    kept_out = rng.random(len(labels)) < 0.2
    parts = seen & ~kept_out, seen & kept_out, ~seen
    return [(images[part] / 16, labels[part]) for part in parts]


def train(method, network, draw, start, alpha, iterations, seed, checkpoint):
    return meta_train(
        method,
        network,
        draw,
        start,
        iterations=iterations,
        alpha=alpha,
        steps=K,
        seed=seed,
        every=EVERY,
        checkpoint=checkpoint,
    )


def pretrain(ways, images, labels, iterations, seed, checkpoint):
    """A start for tasks of `ways` classes: trained to classify all six, its last layer then zero."""
    network = MLP((*HIDDEN, 6), "relu")
    theta = draw_start(network, np.random.default_rng(seed), np.float32)
    draw = functools.partial(
        few_shot_tasks, images=images, labels=labels, ways=6, shots=1, query_shots=QUERY_SHOTS, fixed=True
    )
    run = train("joint", network, draw, theta, 0.0, iterations, seed, checkpoint)
    target = MLP((*HIDDEN, ways), "relu")
    start = np.zeros(target.d)
    body = target.blocks[-1].start
    start[:body] = run.theta[:body]
    return start


def accuracies(method, network, tasks, theta, alpha, steps=STEPS):
    """The share of query images told right after these inner steps, (steps, tasks); 0 where a task diverged."""
    points, diverged = adapt(method, network, tasks, theta.astype(np.float64), alpha, max(steps))
    answers = np.array([network.outputs(points[step], tasks.query_inputs).argmax(axis=-1) for step in steps])
    return np.where(diverged[list(steps)], 0, np.mean(answers == tasks.query_targets, axis=-1))


def rows_of(values, where, steps):
    """One row for each number of inner steps: mean and 95 % interval over the tasks."""
    return [
        where
        | {
            "steps": step,
            "accuracy": value.mean(),
            "halfwidth": 1.96 * value.std(ddof=1) / value.size**0.5,
        }
        for step, value in zip(steps, values, strict=True)
    ]


def gradient_columns(network, draw, theta, alpha):
    """Both gradients of ten meta-batches at one start."""
    tasks = draw(np.random.default_rng(TEST_SEED), 250)
    support, query = tasks.losses(network)
    shared = np.tile(theta, (len(tasks), 1))
    v, g = (f([support] * K, query, shared, alpha) for f in (fomaml_gradient, maml_gradient))
    v_bar, g_bar = (each.reshape(10, 25, -1).mean(axis=1) for each in (v, g))
    return {
        "cosine_batch": np.median(cosine(v_bar, g_bar)),
        "cosine_task": np.median(cosine(v, g)),
        "length_ratio": np.median(np.linalg.norm(v_bar, axis=1) / np.linalg.norm(g_bar, axis=1)),
    }


def one_setting(seed, ways, shots, iterations, n, folder):
    """All rows of one split and one kind of task."""
    network = MLP((*HIDDEN, ways), "relu")
    shape = {"ways": ways, "shots": shots, "query_shots": QUERY_SHOTS}
    training, kept_out, unseen = split(seed)
    draw = functools.partial(few_shot_tasks, images=training[0].astype(np.float32), labels=training[1], **shape)
    double = functools.partial(few_shot_tasks, images=training[0], labels=training[1], **shape)
    test = few_shot_tasks(np.random.default_rng(TEST_SEED), n, *unseen, **shape)
    seen = few_shot_tasks(np.random.default_rng(TEST_SEED), n // 6, *kept_out, **shape)
    start = draw_start(network, np.random.default_rng(seed), np.float32)
    where = {"seed": seed, "ways": ways, "shots": shots}
    found = nearest_centroid(test)[None]
    rows = rows_of(found, where | {"method": "centroid", "alpha": ""}, [0])
    path = []
    pretrained = pretrain(
        ways, training[0].astype(np.float32), training[1], iterations, seed, folder / f"six_{seed}.npz"
    )
    for alpha in ALPHAS:
        for name, theta in (("random start", start), ("pretrained", pretrained)):
            found = accuracies("MAML", network, test, theta, alpha)
            rows += rows_of(found, where | {"method": name, "alpha": alpha}, STEPS)
        for method in METHODS[alpha]:
            name = f"{method}_{ways}_{shots}_{alpha}_{seed}.npz"
            run = train(method, network, draw, start, alpha, iterations, seed, folder / name)
            found = accuracies(method, network, test, run.theta, alpha)
            rows += rows_of(found, where | {"method": method, "alpha": alpha}, STEPS)
            for iteration in POINTS[: 1 + sum(point <= iterations for point in POINTS[1:])]:
                theta = run.path[iteration // EVERY].astype(np.float64)
                both = [accuracies(method, network, some, theta, alpha, (K,)).mean() for some in (seen, test[: n // 6])]
                path.append(
                    where
                    | {"method": method, "alpha": alpha, "iteration": iteration, "seen": both[0], "unseen": both[1]}
                    | {"lost_in_training": int(run.diverged[:iteration].sum())}
                    | gradient_columns(network, double, theta, alpha)
                )
    return rows, path


def main():
    chosen = begin(words(__doc__, "digits", "50 iterations of each method, one seed, 60 test tasks"))
    begun = time.process_time()
    rows, path = [], []
    for seed, ways, shots in itertools.product(chosen.seeds, (2, 3), (1, 5)):
        size = (50, 60) if chosen.quick else (500, 600)
        measure = functools.partial(one_setting, seed, ways, shots, *size, chosen.folder)
        more, along = once(chosen.folder / f"{seed}_{ways}_{shots}.json", measure)
        rows += more
        path += along
        print(f"seed {seed}, {ways} ways, {shots} shots: {time.process_time() - begun:.0f} s in all", flush=True)
    write(chosen.output / "digits.csv", rows)
    write(chosen.output / "digits_path.csv", path)


if __name__ == "__main__":
    warnings.simplefilter("always")
    main()
