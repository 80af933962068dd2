"""The outer loop: what each method follows, stopped and resumed without loss, and what happens to a lost task."""

import functools
import random
import subprocess
import sys
import time
import warnings

import numpy as np
import pytest

import mathlib.meta_training
from mathlib import finite_difference_gradient, fomaml_gradient, inner_loop, maml_gradient
from mathlib.meta_training import METHODS, HeadOnly, adapt, draw_start, meta_train, task_gradients
from mathlib.networks import MLP
from mathlib.steps import carry_back
from mathlib.tasks import Tasks, few_shot_tasks, sinusoid_tasks

NETWORK = MLP((1, 2, 1))
START = draw_start(NETWORK, np.random.default_rng(0))
TASKS = sinusoid_tasks(np.random.default_rng(1), 4, shots=5, query_shots=3)
ALPHA = 0.05
FIELDS = ("theta", "first", "second", "path", "lengths", "diverged", "iteration")


def single(i):
    """The losses of one task, for parameters (d,)."""
    return (
        NETWORK.loss(TASKS.support_inputs[i], TASKS.support_targets[i]),
        NETWORK.loss(TASKS.query_inputs[i], TASKS.query_targets[i]),
    )


def run(iterations, start=START, method="FOMAML", draw=sinusoid_tasks, **changed):
    settings = {"alpha": ALPHA, "steps": 1, "meta_batch": 3, "every": 4} | changed
    return meta_train(method, NETWORK, draw, start, iterations=iterations, **settings)


def assert_same(one, other):
    """To the last bit."""
    for name in FIELDS:
        a, b = np.asarray(getattr(one, name)), np.asarray(getattr(other, name))
        assert a.dtype == b.dtype
        assert np.array_equal(a, b), name


# ---- what each method follows, against differences of what it claims to lower


def inner_end(support, theta, steps, head_only=False):
    mask = np.zeros(NETWORK.d)
    mask[NETWORK.blocks[-1] if head_only else slice(None)] = 1
    for _ in range(steps):
        theta = theta - ALPHA * mask * support.gradient(theta)
    return theta


OBJECTIVES = {
    "MAML": lambda support, query, theta: query.value(inner_end(support, theta, 3)),
    "ANIL": lambda support, query, theta: query.value(inner_end(support, theta, 3, head_only=True)),
    "multi-step": lambda support, query, theta: np.mean(
        [query.value(inner_end(support, theta, steps)) for steps in (1, 2, 3)]
    ),
    "joint": lambda support, query, theta: (support.value(theta) + query.value(theta)) / 2,
}


@pytest.mark.parametrize("method", OBJECTIVES)
def test_a_method_that_lowers_something_follows_its_gradient(method):
    gradients, _ = task_gradients(method, NETWORK, TASKS, START, ALPHA, 3)
    for i in range(len(TASKS)):
        objective = functools.partial(OBJECTIVES[method], *single(i))
        measured = finite_difference_gradient(objective, START)
        assert np.all(abs(gradients[i] - measured.value) <= measured.error + 1e-9)


def test_the_first_order_methods_add_up_gradients():
    followed = {name: task_gradients(name, NETWORK, TASKS, START, ALPHA, 2)[0] for name in ("FOMAML", "Reptile")}
    for i in range(len(TASKS)):
        support, query = single(i)
        first, second, third = (inner_end(support, START, steps) for steps in (0, 1, 2))
        on_the_way = support.gradient(first) + support.gradient(second)
        np.testing.assert_allclose(followed["FOMAML"][i], query.gradient(third), rtol=1e-12)
        np.testing.assert_allclose(followed["Reptile"][i], on_the_way + query.gradient(third), rtol=1e-12)


def test_a_head_that_adapts_alone_goes_back_as_any_step_does():
    """SymPy reads the way back off the step's code: another route to (16.7)."""
    head = np.zeros(NETWORK.d)
    head[NETWORK.blocks[-1]] = 1
    support, query = single(0)
    expected = carry_back(lambda theta, n, alpha: theta - alpha * head * n, [support] * 3, query, START, alpha=ALPHA)
    found = maml_gradient([HeadOnly(support)] * 3, query, START, ALPHA)
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_the_multi_step_loss_meets_its_steps_in_their_order():
    (first, query), (second, _), (third, _) = map(single, (0, 1, 2))

    def objective(theta):
        points = inner_loop([first, second, third], theta, ALPHA)
        return np.mean([query.value(point) for point in points[1:]])

    measured = finite_difference_gradient(objective, START)
    found = METHODS["multi-step"].rule([first, second, third], query, START, ALPHA)
    assert np.all(abs(found - measured.value) <= measured.error + 1e-9)


def test_with_one_step_the_multi_step_loss_is_maml():
    one, other = (task_gradients(name, NETWORK, TASKS, START, ALPHA, 1)[0] for name in ("multi-step", "MAML"))
    np.testing.assert_array_equal(one, other)


def test_a_function_of_ones_own_is_a_method():
    found, _ = task_gradients(fomaml_gradient, NETWORK, TASKS, START, ALPHA, 2)
    np.testing.assert_array_equal(found, task_gradients("FOMAML", NETWORK, TASKS, START, ALPHA, 2)[0])


@pytest.mark.parametrize("method", METHODS)
def test_every_method_classifies_too(method):
    images = np.random.default_rng(0).normal(size=(30, 4))
    labels = np.repeat([0, 1, 2], 10)
    network = MLP((4, 3, 2), "relu")
    tasks = few_shot_tasks(np.random.default_rng(0), 6, images, labels, query_shots=4)
    gradients, diverged = task_gradients(method, network, tasks, np.full(network.d, 0.1), 0.1, 2)
    assert gradients.any(axis=1).all()
    assert not diverged.any()


# ---- Adam and the loop


def test_two_iterations_are_adam_by_hand():
    found = run(2, beta=0.1)
    theta, first, second = START, 0.0, 0.0
    for i in range(2):
        tasks = sinusoid_tasks(np.random.default_rng([0, i]), 3)
        g = task_gradients("FOMAML", NETWORK, tasks, theta, ALPHA, 1)[0].mean(axis=0)
        first, second = 0.9 * first + 0.1 * g, 0.999 * second + 0.001 * g * g
        theta = theta - 0.1 * (first / (1 - 0.9 ** (i + 1))) / (np.sqrt(second / (1 - 0.999 ** (i + 1))) + 1e-8)
        assert found.lengths[i] == pytest.approx(np.linalg.norm(g))
    np.testing.assert_allclose(found.theta, theta, rtol=1e-12)


def test_the_first_step_goes_beta_along_every_sign():
    """Adam's first step, whatever the gradient's length."""
    moved = (START - run(1, beta=0.02).theta) / 0.02
    np.testing.assert_allclose(abs(moved), 1, rtol=1e-3)


def test_training_helps():
    network = MLP((1, 20, 1), "relu")
    start = draw_start(network, np.random.default_rng(0))
    trained = meta_train("MAML", network, sinusoid_tasks, start, iterations=300, alpha=0.02, steps=1, beta=0.01)
    tasks = sinusoid_tasks(np.random.default_rng(9), 100)
    query = tasks.losses(network)[1]
    before, after = (
        query.value(adapt("MAML", network, tasks, theta, 0.02, 1)[0][-1]).mean() for theta in (start, trained.theta)
    )
    assert after < 0.8 * before


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_of_the_start_is_kept(dtype):
    done = run(4, START.astype(dtype), draw=functools.partial(sinusoid_tasks, dtype=dtype))
    assert {done.theta.dtype, done.first.dtype, done.second.dtype, done.path.dtype} == {np.dtype(dtype)}


def test_two_methods_with_one_seed_meet_the_same_tasks():
    met = {"MAML": [], "Reptile": []}
    for method, seen in met.items():

        def draw(rng, n, seen=seen):
            seen.append(sinusoid_tasks(rng, n))
            return seen[-1]

        run(3, method=method, draw=draw, seed=5)
    for one, other in zip(*met.values(), strict=True):
        np.testing.assert_array_equal(one.query_targets, other.query_targets)


def test_another_seed_is_another_training():
    assert not np.array_equal(run(2, seed=1).theta, run(2, seed=2).theta)


def test_the_path_holds_the_start_and_every_fourth_theta():
    done = run(9)
    assert done.path.shape == (3, NETWORK.d)
    np.testing.assert_array_equal(done.path[0], START)
    np.testing.assert_array_equal(done.path[2], run(8).theta)


def test_a_random_start_keeps_each_layer_within_its_bounds():
    network = MLP((4, 100, 1))
    start = draw_start(network, np.random.default_rng(0))
    for block, m in zip(network.blocks, (4, 100), strict=True):
        assert 0.95 * m**-0.5 < abs(start[block]).max() <= m**-0.5


# ---- stopped and resumed


@pytest.mark.parametrize("stop", [0, 1, 4, 9])
def test_a_run_goes_on_bit_for_bit(stop, tmp_path):
    whole = run(11)
    part = run(stop)
    assert_same(run(11, part), whole)
    assert part.iteration == stop  # and what was handed over is as it was
    assert len(part.lengths) == stop
    run(stop, checkpoint=tmp_path / "c.npz")
    assert_same(run(11, checkpoint=tmp_path / "c.npz"), whole)
    assert_same(run(11, checkpoint=tmp_path / "c.npz"), whole)  # nothing is left to do


def stops_at(n):
    """A draw that is interrupted in its n-th iteration, as by Ctrl-C; the first call is the fingerprint's."""
    calls = []

    def draw(rng, count):
        calls.append(rng)
        if len(calls) == n + 2:
            raise KeyboardInterrupt
        return sinusoid_tasks(rng, count)

    return draw


def test_ctrl_c_returns_what_was_reached_and_says_so(tmp_path):
    with pytest.warns(UserWarning, match="stopped after 5 of 11 iterations; to go on, pass what this returns as start"):
        part = run(11, draw=stops_at(5), checkpoint=tmp_path / "c.npz")
    assert part.iteration == len(part.lengths) == 5
    whole = run(11)
    assert_same(run(11, part), whole)
    assert_same(run(11, checkpoint=tmp_path / "c.npz"), whole)


def test_ctrl_c_in_the_midst_of_a_step_counts_nothing_twice(monkeypatch):
    whole = run(8)
    real = mathlib.meta_training.replace
    calls = []

    def interrupted(*args, **kwargs):
        calls.append(0)
        if len(calls) == 4:  # the lists have their entry, the run does not
            raise KeyboardInterrupt
        return real(*args, **kwargs)

    monkeypatch.setattr(mathlib.meta_training, "replace", interrupted)
    with pytest.warns(UserWarning, match="stopped after 3"):
        part = run(8)
    monkeypatch.undo()
    assert len(part.lengths) == len(part.diverged) == 3
    assert len(part.path) == 1
    assert_same(run(8, part), whole)


KILLED = """
import sys
import numpy as np
from mathlib.meta_training import draw_start, meta_train
from mathlib.networks import MLP
from mathlib.tasks import sinusoid_tasks
network = MLP((1, 2, 1))
start = draw_start(network, np.random.default_rng(0))
settings = dict(alpha=0.05, steps=1, meta_batch=3, every=4, checkpoint=sys.argv[1], save_every=1)
print("begun", flush=True)
meta_train("FOMAML", network, sinusoid_tasks, start, iterations=300, **settings)
"""


def test_a_kill_at_any_moment_loses_nothing(tmp_path):
    """SIGKILL, which no program can catch, at two random moments of 300 iterations that each save; then it goes on."""
    checkpoint = tmp_path / "c.npz"
    for _ in range(2):
        command = [sys.executable, "-c", KILLED, str(checkpoint)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            process.stdout.readline()
            time.sleep(random.uniform(0, 0.1))
            process.kill()
    assert process.returncode != 0
    assert_same(run(300, checkpoint=checkpoint), run(300))


def test_a_checkpoint_half_written_leaves_the_last_one_whole(tmp_path, monkeypatch):
    checkpoint = tmp_path / "c.npz"
    run(5, checkpoint=checkpoint)

    def half(file, **arrays):
        file.write(b"PK\x03\x04 and no more")
        raise OSError("no space left on device")

    monkeypatch.setattr(np, "savez", half)
    with pytest.raises(OSError, match="no space left"):
        run(7, checkpoint=checkpoint)
    monkeypatch.undo()
    assert_same(run(7, checkpoint=checkpoint), run(7))


def test_a_checkpoint_is_written_beside_flushed_and_renamed(tmp_path, monkeypatch):
    done = []
    for name in ("fsync", "replace"):
        real = getattr(mathlib.meta_training.os, name)
        monkeypatch.setattr(
            mathlib.meta_training.os, name, lambda *a, real=real, name=name: (done.append(name), real(*a))
        )
    run(4, checkpoint=tmp_path / "c.npz", save_every=2)
    assert done == ["fsync", "replace"] * 3


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"method": "MAML"}, "method 'FOMAML' there, 'MAML' here"),
        ({"alpha": 0.1}, "alpha 0.05 there, 0.1 here"),
        ({"steps": 2}, "steps 1 there, 2 here"),
        ({"seed": 3}, "seed 0 there, 3 here"),
        ({"meta_batch": 4}, "meta_batch 3 there, 4 here"),
        ({"draw": functools.partial(sinusoid_tasks, shots=4)}, "tasks '"),
        ({"start": START.astype(np.float32)}, "dtype 'float64' there, 'float32' here"),
    ],
)
def test_a_checkpoint_of_another_training_is_refused(change, named, tmp_path):
    run(2, checkpoint=tmp_path / "c.npz")
    with pytest.raises(ValueError, match=f"begun with other settings: .*{named}"):
        run(4, checkpoint=tmp_path / "c.npz", **change)


def test_a_run_with_other_settings_another_start_too_few_iterations_and_garbage_are_refused(tmp_path):
    with pytest.raises(ValueError, match="the run handed over as start was begun with other settings: steps 1"):
        run(4, run(2), steps=2)
    checkpoint = tmp_path / "c.npz"
    run(6, checkpoint=checkpoint)
    with pytest.raises(ValueError, match="began at another start"):
        run(8, START + 1, checkpoint=checkpoint)
    with pytest.raises(ValueError, match="iterations is 3, and the run has done 6"):
        run(3, checkpoint=checkpoint)
    for content in (b"", b"no archive", checkpoint.read_bytes()[:-40]):
        checkpoint.write_bytes(content)
        with pytest.raises(ValueError, match="is no checkpoint of meta_train"):
            run(8, checkpoint=checkpoint)


# ---- a task that diverges


def with_a_lost_one(rng, n):
    """Sinusoids, the second of them so high that its inner loop leaves the range of numbers."""
    tasks = sinusoid_tasks(rng, n)
    tasks.support_targets[1:2] *= 1e200  # of a single task, the fingerprint's, nothing
    return tasks


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("steps", [1, 5])
def test_a_lost_task_adds_nothing_is_counted_and_leaves_the_others_alone(method, steps):
    tasks = with_a_lost_one(np.random.default_rng(0), 3)
    gradients, diverged = task_gradients(method, NETWORK, tasks, START, ALPHA, steps)
    assert diverged.tolist() == [False, True, False]
    assert not gradients[1].any()
    rest = sinusoid_tasks(np.random.default_rng(0), 3)
    expected, _ = task_gradients(method, NETWORK, rest, START, ALPHA, steps)
    np.testing.assert_allclose(gradients[[0, 2]], expected[[0, 2]], rtol=1e-12)


def test_the_mean_is_over_all_tasks_and_the_loss_is_reported():
    with pytest.warns(UserWarning, match="2 of 6 tasks diverged, in 2 of 2 iterations; each added nothing"):
        done = run(2, draw=with_a_lost_one)
    assert done.diverged.tolist() == [1, 1]
    tasks = with_a_lost_one(np.random.default_rng([0, 0]), 3)
    gradients, _ = task_gradients("FOMAML", NETWORK, tasks, START, ALPHA, 1)
    assert done.lengths[0] == pytest.approx(np.linalg.norm(gradients.sum(axis=0) / 3))
    assert np.isfinite(done.theta).all()


def test_a_gradient_whose_square_overflows_is_lost_too():
    """Adam would keep an infinite second moment for ever, and the parameter would never move again."""
    tasks = sinusoid_tasks(np.random.default_rng(0), 3, dtype=np.float32)
    tasks.query_targets[1] *= np.float32(1e25)
    gradients, diverged = task_gradients("joint", NETWORK, tasks, START.astype(np.float32), ALPHA, 1)
    assert diverged.tolist() == [False, True, False]
    assert np.isfinite(gradients**2).all()


def test_no_loss_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not run(3).diverged.any()


def test_adapting_follows_the_inner_loop_and_says_which_task_was_lost():
    support, _ = TASKS.losses(NETWORK)
    points, diverged = adapt("FOMAML", NETWORK, TASKS, START, ALPHA, 3)
    expected = inner_loop([support] * 3, np.tile(START, (len(TASKS), 1)), ALPHA)
    np.testing.assert_array_equal(points, expected)
    assert not diverged.any()
    tasks = with_a_lost_one(np.random.default_rng(0), 3)
    points, diverged = adapt("FOMAML", NETWORK, tasks, START, ALPHA, 6)
    assert not diverged[:, [0, 2]].any()
    assert diverged[-1, 1]
    assert not diverged[0, 1]
    assert np.isfinite(points).all()


def test_anil_adapts_its_head_alone():
    points, _ = adapt("ANIL", NETWORK, TASKS, START, ALPHA, 2)
    moved = (points[-1] != START).all(axis=0)
    assert moved.tolist() == [False] * 4 + [True] * 3


# ---- bad input, and the bar


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"method": "MAMl"}, ValueError, "method is 'MAMl'; expected one of MAML, FOMAML, Reptile, multi-step, ANIL"),
        ({"iterations": -1}, ValueError, "iterations is -1; expected a whole number, 0 or more"),
        ({"steps": 0}, ValueError, "steps is 0; expected a whole number, 1 or more"),
        ({"alpha": -0.1}, ValueError, "alpha is -0.1; a step size is finite, and zero or positive"),
        ({"beta": np.inf}, ValueError, "beta is inf; a step size is finite"),
        ({"every": 0}, ValueError, "every is 0"),
        ({"seed": 1.5}, ValueError, "seed is 1.5"),
        ({"start": START[:-1]}, ValueError, r"theta has shape \(6,\); expected \(7,\), the start that all tasks share"),
        ({"start": list(START)}, TypeError, "theta is a list; expected a NumPy array"),
        ({"start": START * np.nan}, ValueError, "theta has a NaN or infinite entry"),
        ({"draw": lambda rng: None}, TypeError, r"draw could not be called as draw\(rng, n\)"),
        ({"draw": lambda rng, n: rng}, TypeError, "draw returned a Generator; expected mathlib.tasks.Tasks"),
        (
            {"draw": functools.partial(sinusoid_tasks, dtype=np.float32)},
            TypeError,
            "theta has dtype float64 and inputs float32",
        ),
    ],
)
def test_bad_input_is_named(change, error, message):
    with pytest.raises(error, match=message):
        run(**({"iterations": 2} | change))


def test_the_bar_is_shown_on_request_alone(capsys, monkeypatch):
    run(3)
    assert capsys.readouterr() == ("", "")
    run(3, progress=True)
    assert "FOMAML: 100%" in capsys.readouterr().err
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("CI", "true")
    run(3)
    assert capsys.readouterr() == ("", "")
    monkeypatch.delenv("CI")
    run(3)
    assert "FOMAML" in capsys.readouterr().err


def test_tasks_may_be_of_any_kind():
    """Whoever has other tasks writes a function of a generator and a count."""

    def lines(rng, n):
        x = rng.normal(size=(n, 4, 1))
        return Tasks(x[:, :2], 3 * x[:, :2], x[:, 2:], 3 * x[:, 2:], "squared")

    assert run(2, draw=lines).iteration == 2
