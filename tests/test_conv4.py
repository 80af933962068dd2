"""The miniImageNet network of benchmarks/conv4.py against other routes, and the table that a run of it stored.

What needs PyTorch is skipped without it, in a sentence. The small network here has 4 filters and images of 16 × 16.
"""

import csv
import importlib.util
import math
import re
import runpy
import sys
import types

import numpy as np
import pytest
from notebooks_as_data import ROOT

from mathlib import fomaml_gradient, inner_loop, maml_gradient, meta_loss

SCRIPT = ROOT / "benchmarks" / "conv4.py"
STORED = ROOT / "mathlib" / "data" / "conv4.csv"
INSTALL = 'python3 lab.py run -m pip install --editable ".[frameworks]"'
SMALL = {"size": 16, "filters": 4}


@pytest.fixture(autouse=True)
def no_pinning(monkeypatch):
    """The script without the part of it that pins the process to one core."""
    monkeypatch.setitem(sys.modules, "one_thread", types.ModuleType("one_thread"))


@pytest.fixture
def conv4():
    pytest.importorskip(
        "torch", reason='PyTorch is not installed: python3 lab.py run -m pip install --editable ".[frameworks]"'
    )
    spec = importlib.util.spec_from_file_location("conv4", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def task(conv4, epsilon=0.001, start="released", kind="smooth", seed=0):
    """A small network's support loss, query loss and start."""
    images = conv4.draw_images(np.random.default_rng(seed), kind, n=3, size=SMALL["size"])
    support, query = (conv4.ImageLoss(part, epsilon, SMALL["filters"]) for part in np.split(images, [1], axis=1))
    return support, query, conv4.draw_start(np.random.default_rng(seed), start, **SMALL)


def difference(function, theta, direction):
    """A derivative along a direction from values alone; the step is so short that no unit meets its kink here."""
    h = 1e-8
    return (function(theta + h * direction) - function(theta - h * direction)) / (2 * h)


@pytest.mark.parametrize("epsilon", [0.001, 0.0, None])
def test_gradient_and_product_agree_with_finite_differences(conv4, epsilon):
    support, _, theta = task(conv4, epsilon)
    gradient, product = support.linearize(theta)
    v = np.random.default_rng(1).normal(size=theta.size)
    slope, curvature = difference(support.value, theta, v), difference(support.gradient, theta, v)
    np.testing.assert_array_equal(gradient, support.gradient(theta))
    assert abs(gradient @ v) > 0.01
    np.testing.assert_allclose(gradient @ v, slope, rtol=1e-6)
    np.testing.assert_allclose(product(v), curvature, atol=1e-6 * np.abs(curvature).max())


@pytest.mark.parametrize("epsilon", [0.001, None])
@pytest.mark.parametrize("K", [1, 5])
def test_both_meta_gradients_are_what_they_are_called(conv4, epsilon, K):
    support, query, theta = task(conv4, epsilon)
    case = [support] * K, query, theta, conv4.ALPHA
    v, g = fomaml_gradient(*case), maml_gradient(*case)
    u = np.random.default_rng(2).normal(size=theta.size)
    along = difference(lambda x: meta_loss([support] * K, query, x, conv4.ALPHA), theta, u)
    end = inner_loop([support] * K, theta, conv4.ALPHA)[-1]
    np.testing.assert_allclose(g @ u, along, rtol=1e-6)
    np.testing.assert_allclose(v @ u, difference(query.value, end, u), rtol=1e-6)
    assert abs(v @ u - g @ u) > 1e-3 * abs(g @ u)


def test_the_ends_of_the_spectrum_are_those_of_the_dense_hessian(conv4):
    support, _, theta = task(conv4)
    product = support.linearize(theta)[1]
    H = np.column_stack([product(e) for e in np.eye(theta.size)])
    smallest, largest, residual = conv4.ends_of_spectrum(product, theta.size)
    np.testing.assert_allclose(H, H.T, atol=1e-12 * np.abs(H).max())
    np.testing.assert_allclose([smallest, largest], np.linalg.eigvalsh(H)[[0, -1]], rtol=1e-4)
    assert residual < 0.001


def test_the_network_is_the_one_that_pytorch_builds_from_layers(conv4):
    torch = conv4.torch
    nn = torch.nn
    support, _, theta = task(conv4, start="He")
    blocks = [
        layer
        for channels in (3, 4, 4, 4)
        for layer in (
            nn.Conv2d(channels, 4, 3, padding="same"),
            nn.BatchNorm2d(4, eps=0.001, affine=False, track_running_stats=False),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
    ]
    network = nn.Sequential(*blocks, nn.Flatten(), nn.Linear(4, 5)).double()
    *convolutions, W, b = np.split(theta, np.cumsum([math.prod(shape) for shape in support.shapes])[:-1])
    with torch.no_grad():
        weights = [*convolutions, W.reshape(4, 5).T, b]
        for parameter, values in zip(network.parameters(), weights, strict=True):
            parameter.copy_(torch.tensor(values.copy()).reshape(parameter.shape))
        loss = nn.functional.cross_entropy(network(support.images), support.labels, reduction="sum")
    np.testing.assert_allclose(support.value(theta), loss.item(), rtol=1e-12)


def test_without_epsilon_the_scale_of_the_convolutions_does_not_count_and_with_it_it_does(conv4):
    for epsilon, same in ((0.0, True), (0.001, False)):
        support, _, theta = task(conv4, epsilon)
        scaled = np.where(np.arange(theta.size) < theta.size - 25, 0.01, 1) * theta  # all but the linear layer
        assert (abs(support.value(scaled) / support.value(theta) - 1) < 1e-12) == same


@pytest.mark.parametrize(("start", "factor"), [("released", 1), ("released × 0.1", 0.1)])
def test_the_released_start_is_the_uniform_draw_of_xavier(conv4, start, factor):
    theta = conv4.draw_start(np.random.default_rng(0), start)
    assert theta.size == 32_645
    kernel, bias = theta[896 : 896 + 9216], theta[896 + 9216 : 896 + 9248]  # of the second convolution
    bound = factor * (6 / (9 * (32 + 32))) ** 0.5
    assert 0.99 * bound < np.abs(kernel).max() <= bound
    assert kernel.std() == pytest.approx(bound / 3**0.5, rel=0.02)
    assert not bias.any()


def test_the_start_of_he_has_variance_two_over_the_inputs(conv4):
    theta = conv4.draw_start(np.random.default_rng(0), "He")
    assert theta[896 : 896 + 9216].std() == pytest.approx((2 / (9 * 32)) ** 0.5, rel=0.02)
    assert theta[-4005:-5].std() == pytest.approx((2 / 800) ** 0.5, rel=0.05)


@pytest.mark.parametrize("kind", ["photograph", "smooth", "noise"])
def test_images_have_the_shape_and_the_range_of_the_released_ones(conv4, kind):
    images = conv4.draw_images(np.random.default_rng(0), kind)
    assert images.shape == (5, 16, 3, 84, 84)
    assert 0 <= images.min() < 0.2
    assert 0.8 < images.max() <= 1
    centred = images - images.mean(axis=(0, 1))
    of_class = centred.mean(axis=1, keepdims=True)
    share = (of_class**2).mean() / (centred**2).mean()  # of the variance, that lies between the classes
    assert share < 0.08 if kind == "noise" else share > 0.15


def test_a_run_that_was_stopped_goes_on_and_repeats_no_case(conv4, monkeypatch, tmp_path):
    seen = []

    def measured(seed, *case):
        seen.append((seed, *case))
        if len(seen) == 20:
            raise KeyboardInterrupt
        return [(seed, *case, K, 1.5) for K in (1, 5)]

    monkeypatch.setattr(conv4, "measure", measured)
    table = tmp_path / "table.csv"
    with pytest.raises(KeyboardInterrupt):
        conv4.main(table, range(2))
    conv4.main(table, range(2))
    assert len(seen) == 2 * len(conv4.CASES) + 1  # the case in which it was stopped
    lines = table.read_text(encoding="utf-8").splitlines()
    assert lines[0] == conv4.HEADER
    assert len(set(lines)) == len(lines) == 1 + 2 * 2 * len(conv4.CASES)


def test_without_pytorch_the_script_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)  # as if it were not installed
    with pytest.raises(SystemExit, match=re.escape(f"PyTorch is not installed: {INSTALL}")):
        runpy.run_path(str(SCRIPT))


def stored_rows():
    with open(STORED, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_stored_table_has_each_case_once_for_at_least_five_seeds():
    rows = stored_rows()
    names = ("images", "norm", "start", "K")
    seeds = {row["seed"] for row in rows}
    cases = {tuple(row[name] for name in names) for row in rows}
    assert len(seeds) >= 5
    assert len({(row["seed"], *(row[name] for name in names)) for row in rows}) == len(rows) == len(seeds) * len(cases)
    starts = {"released", "He", "released × 0.1", "released × 0.01"}
    for norm in ("batch norm", "none"):
        assert {("photograph", norm, start, K) for start in starts for K in ("1", "5")} <= cases
        assert {(images, norm, "released", K) for images in ("smooth", "noise") for K in ("1", "5")} <= cases


def test_the_stored_numbers_lie_where_they_have_to():
    for row in stored_rows():
        number = {name: float(row[name]) for name in list(row)[5:]}
        assert all(map(math.isfinite, number.values()))
        assert number["alpha_lambda_min"] < 0 < number["alpha_lambda_max"]
        assert 0 <= number["residual"] < 0.002
        assert -1 <= number["cosine"] <= 1
        assert number["fomaml_over_maml"] > 0
        assert number["loss"] > 0
        assert number["loss_after"] > 0
        if row["start"] == "released × 0.01" and row["norm"] == "none":
            assert number["loss"] == pytest.approx(5 * math.log(5), rel=1e-3)  # five images, all classes alike


def test_the_start_of_a_seed_does_not_depend_on_the_number_of_steps():
    of_case = {}
    for row in stored_rows():
        at_start = tuple(row[name] for name in ("alpha_lambda_min", "alpha_lambda_max", "loss"))
        of_case.setdefault(tuple(row[name] for name in ("seed", "images", "norm", "start")), set()).add(at_start)
    assert {len(found) for found in of_case.values()} == {1}


def test_the_script_and_the_stored_table_have_the_same_columns_and_cases(conv4):
    rows = stored_rows()
    assert ",".join(rows[0]) == conv4.HEADER
    assert {(row["images"], row["norm"], row["start"]) for row in rows} == set(conv4.CASES)
    assert {int(row["K"]) for row in rows} == set(conv4.STEPS)
