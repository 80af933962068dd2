"""Tasks: what is drawn is what the text says, and the same again from the same seed."""

import numpy as np
import pytest

from mathlib.networks import MLP
from mathlib.tasks import Tasks, few_shot_tasks, nearest_centroid, sinusoid_tasks

ARRAYS = ("support_inputs", "support_targets", "query_inputs", "query_targets")
# Twelve images of each of five classes; an image's one entry is its own number.
IMAGES = np.arange(60.0)[:, None]
LABELS = np.repeat([3, 1, 4, 9, 5], 12)


def seeded(seed=0):
    return np.random.default_rng(seed)


def same(one, other):
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in ARRAYS)


# ---- sinusoids


def test_every_sinusoid_is_one_whose_amplitude_and_phase_are_in_range():
    """A sin(x − φ) = a sin x + b cos x: least squares give a and b back, whatever drew them."""
    tasks = sinusoid_tasks(seeded(), 400, shots=3, query_shots=7)
    found = []
    for i in range(400):
        x, y = (np.concatenate([getattr(tasks, f"{part}_{kind}")[i, :, 0] for part in ("support", "query")])
                for kind in ("inputs", "targets"))  # fmt: skip
        basis = np.stack([np.sin(x), np.cos(x)], axis=1)
        (a, b), *_ = np.linalg.lstsq(basis, y)
        np.testing.assert_allclose(basis @ [a, b], y, atol=1e-12)
        found.append((np.hypot(a, b), np.arctan2(-b, a)))
    amplitude, phase = np.array(found).T
    assert amplitude.min() >= 0.1
    assert amplitude.max() <= 5
    assert phase.min() >= 0
    assert phase.max() <= np.pi
    assert amplitude.mean() == pytest.approx(2.55, abs=0.3)
    assert phase.mean() == pytest.approx(np.pi / 2, abs=0.2)


def test_inputs_fill_their_range_and_query_points_are_others():
    tasks = sinusoid_tasks(seeded(), 300)
    both = np.concatenate([tasks.support_inputs, tasks.query_inputs], axis=1)
    assert -5 <= both.min() < -4.9
    assert 4.9 < both.max() <= 5
    assert len(np.unique(both)) == both.size


def test_a_seed_draws_the_same_tasks_again_and_another_others():
    assert same(sinusoid_tasks(seeded(7), 5), sinusoid_tasks(seeded(7), 5))
    assert not same(sinusoid_tasks(seeded(7), 5), sinusoid_tasks(seeded(8), 5))


def test_single_precision_is_double_precision_rounded():
    single, double = (sinusoid_tasks(seeded(), 5, dtype=dtype) for dtype in (np.float32, np.float64))
    for name in ARRAYS:
        assert getattr(single, name).dtype == np.float32
        np.testing.assert_array_equal(getattr(single, name), getattr(double, name).astype(np.float32))


def test_the_losses_of_a_batch_are_those_of_its_tasks():
    network = MLP((1, 3, 1))
    tasks = sinusoid_tasks(seeded(), 4, shots=5, query_shots=2)
    theta = seeded(1).normal(size=(4, network.d))
    for kind, loss in zip(("support", "query"), tasks.losses(network), strict=True):
        for i in range(4):
            alone = network.loss(getattr(tasks, f"{kind}_inputs")[i], getattr(tasks, f"{kind}_targets")[i])
            np.testing.assert_allclose(loss.gradient(theta)[i], alone.gradient(theta[i]), rtol=1e-12)


def test_some_of_the_tasks_are_taken_by_a_slice():
    tasks = sinusoid_tasks(seeded(), 5)
    assert len(tasks[1:3]) == 2
    assert np.array_equal(tasks[1:3].query_targets, tasks.query_targets[1:3])
    with pytest.raises(TypeError, match=r"taken by slices, and 2 is none; for one of them write tasks\[i:i \+ 1\]"):
        tasks[2]


# ---- few shots


@pytest.fixture(params=[(2, 1, 3), (3, 5, 2), (5, 2, 10)], ids=lambda p: f"{p[0]} ways, {p[1]} shots")
def drawn(request):
    ways, shots, query_shots = request.param
    return few_shot_tasks(seeded(), 50, IMAGES, LABELS, ways, shots, query_shots), request.param


def test_a_task_has_its_ways_and_shots(drawn):
    tasks, (ways, shots, query_shots) = drawn
    assert tasks.error == "cross-entropy"
    for part, each in (("support", shots), ("query", query_shots)):
        assert getattr(tasks, f"{part}_inputs").shape == (50, ways * each, 1)
        counts = [np.bincount(targets) for targets in getattr(tasks, f"{part}_targets")]
        np.testing.assert_array_equal(counts, np.full((50, ways), each))


def test_no_image_stands_in_a_task_twice(drawn):
    tasks, _ = drawn
    for task in np.concatenate([tasks.support_inputs, tasks.query_inputs], axis=1):
        assert len(np.unique(task)) == task.size


def test_a_target_stands_for_one_class_in_support_and_query(drawn):
    tasks, (ways, _, _) = drawn
    for i in range(50):
        inputs = np.concatenate([tasks.support_inputs[i], tasks.query_inputs[i]])[:, 0].astype(int)
        targets = np.concatenate([tasks.support_targets[i], tasks.query_targets[i]])
        pairs = set(zip(targets.tolist(), LABELS[inputs].tolist(), strict=True))
        assert len(pairs) == len({label for _, label in pairs}) == ways


def test_classes_are_numbered_anew_in_each_task_unless_they_are_fixed():
    def label_of_target_0(fixed):
        tasks = few_shot_tasks(seeded(), 200, IMAGES, LABELS, 5, 1, 1, fixed)
        return np.bincount(LABELS[tasks.support_inputs[:, 0, 0].astype(int)], minlength=10)[[1, 3, 4, 5, 9]]

    assert label_of_target_0(fixed=False).min() > 20
    assert label_of_target_0(fixed=True).tolist() == [200, 0, 0, 0, 0]


def test_the_nearest_centroid_of_a_case_by_hand():
    support = np.array([[[0.0], [2.0], [10.0], [12.0]]])
    query = np.array([[[1.0], [5.9], [6.1], [30.0]]])
    tasks = Tasks(support, np.array([[0, 0, 1, 1]]), query, np.array([[0, 0, 0, 1]]), "cross-entropy")
    np.testing.assert_array_equal(nearest_centroid(tasks), [0.75])


# ---- bad input


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"rng": 3}, TypeError, r"rng is 3; expected a generator. Write np.random.default_rng\(seed\)"),
        ({"n": 0}, ValueError, "n is 0; expected a whole number, 1 or more"),
        ({"shots": 2.0}, ValueError, "shots is 2.0; expected a whole number"),
        ({"query_shots": True}, ValueError, "query_shots is True; expected a whole number"),
        ({"ways": 6}, ValueError, "labels holds 5 classes; a task of 6 ways needs 6"),
        ({"shots": 9, "query_shots": 4}, ValueError, r"a class has 12 examples; expected at least .* = 13"),
        ({"images": IMAGES[:, 0]}, ValueError, r"images has shape \(60,\); expected \(examples, pixels\)"),
        ({"images": IMAGES.astype(int)}, TypeError, "images has dtype int64; expected floating point"),
        ({"images": IMAGES * np.nan}, ValueError, "images has a NaN or infinite entry"),
        ({"labels": LABELS[:-1]}, TypeError, r"labels is int64 of shape \(59,\); expected an array of 60 whole"),
        ({"labels": LABELS.astype(float)}, TypeError, "labels is float64"),
        ({"labels": list(LABELS)}, TypeError, "labels is list"),
    ],
)
def test_bad_input_is_named(change, error, message):
    case = {"rng": seeded(), "n": 2, "images": IMAGES, "labels": LABELS} | change
    with pytest.raises(error, match=message):
        few_shot_tasks(**case)


def test_sinusoids_name_bad_input_too():
    with pytest.raises(TypeError, match="rng is RandomState"):
        sinusoid_tasks(np.random.RandomState(0), 2)
    with pytest.raises(ValueError, match="query_shots is 0"):
        sinusoid_tasks(seeded(), 2, query_shots=0)
