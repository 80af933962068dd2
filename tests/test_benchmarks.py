"""The benchmark runs, measures what it says, and its stored run is a whole one. Nothing here depends on speed."""

import importlib.util
import json
import re
import subprocess
import sys
import tomllib
import types

import numpy as np
import pytest
from notebooks_as_data import ROOT
from packaging.requirements import Requirement

from mathlib.stored import benchmark_run

BENCHMARKS = ROOT / "benchmarks"


def load(name):
    """A module of benchmarks/, which is no package."""
    spec = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


measure, peers = load("measure"), load("peers")
OTHERS = [name for name in peers.PEERS if name != "mathlib"]


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """What a small run prints and writes, with whatever frameworks are installed."""
    file = tmp_path_factory.mktemp("benchmark") / "results.json"
    command = [sys.executable, BENCHMARKS / "run.py", "--quick", "--output", file]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, encoding="utf-8")
    assert run.returncode == 0, run.stderr
    return run.stdout, json.loads(file.read_text(encoding="utf-8"))


def test_a_small_run_prints_every_table_and_writes_what_it_prints(quick):
    printed, results = quick
    for heading in ("MAML gradient", "MAML / FOMAML", "matrix-free : full product", "cost against K", "cost against d"):
        assert heading in printed
    for name, line in results["how"].items():
        assert re.search(rf"^{name} +{re.escape(line)}$", printed, re.M)
    assert {row["peer"] for row in results["gradient"]} >= {"mathlib"}
    for row in results["gradient"]:
        assert 0 < row["low"] <= row["milliseconds"] <= row["high"]
        assert f"{row['milliseconds']:.2f}" in printed
    for row in results["law"]:
        assert row["ratio"] == pytest.approx(row["maml_ms"] / row["fomaml_ms"])
        assert row["law"] == (3 * row["K"] + 1) / (row["K"] + 1)
    assert all(row["matrix_free_peak_bytes"] < row["dense_peak_bytes"] for row in results["dense"])


def test_a_peer_that_is_not_installed_is_named_with_the_command_that_installs_it(quick):
    printed, results = quick
    missing = [name for name in OTHERS if not peers.is_installed(name)]
    for name in missing:
        assert (
            f'{name} is not installed and is left out: python3 lab.py run -m pip install --editable ".[frameworks]"'
            in printed
        )
    assert not {row["peer"] for row in results["gradient"]} & set(missing)


def test_a_small_run_never_replaces_the_stored_one():
    command = [sys.executable, BENCHMARKS / "run.py", "--quick"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode != 0
    assert "--output" in run.stderr


def test_the_stored_run_is_whole():
    results = benchmark_run()
    everyone = set(peers.PEERS)
    assert {(row["peer"], row["batch"]) for row in results["gradient"]} == {
        (p, n) for p in everyone for n in (10, 1000)
    }
    assert {row["d"] for row in results["gradient"]} == {1761}
    assert {row["K"] for row in results["law"]} == {1, 5, 10}
    assert {row["peer"] for row in results["law"]} == {"mathlib", "torch", "jax-loop", "jax-scan", "jax-checkpoint"}
    assert results["dense"][-1]["d"] == 5181
    for axis in ("over_K", "over_d"):
        assert {row["peer"] for row in results["curves"][axis]} == {"mathlib", "torch", "jax-loop", "jax-scan", "dense"}
    assert set(map(peers.package, OTHERS)) < set(results["versions"])
    assert results["how"] == {name: peers.how(name) for name in peers.PEERS}
    assert results["machine"]["cpu"]
    assert len(results["load"]) == 2
    assert results["command"] == "python3 lab.py run benchmarks/run.py"


def test_in_the_stored_run_compiling_stands_apart_and_belongs_to_jax_alone():
    for row in benchmark_run()["gradient"]:
        assert (row["compile_seconds"] is not None) == (peers.package(row["peer"]) == "jax")


def test_in_the_stored_run_an_unrolled_program_grows_by_the_same_amount_a_step_and_a_scan_keeps_its_size():
    loop, scan = benchmark_run()["curves"]["programs"]
    assert [loop["peer"], scan["peer"]] == ["jax-loop", "jax-scan"]
    steps, operations = np.array(loop["K"]), np.array(loop["operations_handed_over"])
    assert len(set(np.diff(operations) / np.diff(steps))) == 1
    assert len(set(scan["operations_handed_over"])) == 1


def test_pytorch_counts_the_multiply_adds_that_the_sums_of_notebook_08_give():
    for row in benchmark_run()["counted_by_torch"]:
        inputs, first, second, outputs = row["layers"]
        d, e = inputs * first + first * second + second * outputs, inputs * first  # it leaves biases out
        assert row["fomaml"] == row["batch"] * (row["K"] + 1) * (3 * d - e)
        assert row["maml"] - row["fomaml"] == row["batch"] * row["K"] * (6 * d - 4 * e)


def test_every_peer_says_in_one_line_how_it_is_used():
    for name in peers.PEERS:
        assert 40 < len(peers.how(name)) < 110
        assert peers.how(name).endswith(".")


def test_the_frameworks_are_an_extra_and_in_no_lock():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    names = {requirement.name for requirement in map(Requirement, extras["frameworks"])}
    assert names >= set(map(peers.package, OTHERS))
    locked = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    assert not [name for name in names if f"\n{name}==" in locked]


def test_each_competitor_is_warmed_up_before_the_rounds():
    log = []
    measure.interleave({"a": lambda: log.append("a"), "b": lambda: log.append("b")}, rounds=0)
    assert log == ["a", "a", "b", "b"]  # warming up


def test_in_each_round_every_competitor_has_its_turn_and_another_one_begins(monkeypatch):
    clock, log = [0.0], []

    def work(name, seconds):
        log.append(name)
        clock[0] += seconds

    monkeypatch.setattr(measure.time, "process_time", lambda: clock[0])
    seconds = measure.interleave({"a": lambda: work("a", 0.005), "b": lambda: work("b", 2.0)}, rounds=3)
    assert "".join(log) == "aab" + "aaaab" + "baaaa" + "aaaab"  # warming up, then three rounds
    np.testing.assert_allclose(seconds["a"], [0.005] * 3)
    np.testing.assert_allclose(seconds["b"], [2.0] * 3)


def test_the_peak_counts_what_lives_at_once_and_not_what_is_returned_alone():
    def two_at_once():
        a, b = np.ones(100_000), np.ones(100_000)
        return (a + b).sum()

    peak, answer = measure.peak_bytes(two_at_once)
    assert answer == 200_000
    assert 2.4e6 <= peak <= 2.5e6


def test_the_exponent_of_a_power_is_the_power():
    d = np.array([10.0, 100.0, 1000.0, 10000.0])
    assert measure.exponent(d, 5 * d**3) == pytest.approx(3)
    assert measure.exponent(d, 1e9 + d**3) != pytest.approx(3, abs=0.1)
    assert measure.exponent(d, np.array([7e9, 1e6, 1e9, 1e12])) == pytest.approx(3)  # of the last three points


@pytest.fixture
def run(monkeypatch):
    """The module run.py, without the part of it that pins the process to one core."""
    monkeypatch.setitem(sys.modules, "one_thread", types.ModuleType("one_thread"))
    monkeypatch.syspath_prepend(BENCHMARKS)
    return load("run")


def test_a_peer_that_computes_another_gradient_is_not_timed(run, monkeypatch):
    def slightly_off(problem, K, first_order):
        return lambda: (1 + 1e-8) * peers.PEERS["mathlib"](problem, K, first_order)()

    monkeypatch.setitem(run.PEERS, "off", slightly_off)
    with pytest.raises(ArithmeticError, match="off computes another gradient"):
        run.verified(run.Problem.sinusoid(5), 2, ["mathlib", "off"])


def test_the_tables_hold_medians_with_quartiles_and_maml_over_fomaml(run, monkeypatch):
    def three_rounds(competitors, rounds):
        first_order = {name: isinstance(name, tuple) and name[1] for name in competitors}
        return {name: np.array([2e-3, 1e-3, 30e-3]) / (2 if first_order[name] else 1) for name in competitors}

    monkeypatch.setattr(run, "interleave", three_rounds)
    (row,) = run.gradient_table(run.QUICK | {"batches": (10,)}, ["mathlib"])
    assert [row[key] for key in ("low", "milliseconds", "high")] == pytest.approx([1.5, 2, 16])
    for row in run.law_table(run.QUICK, ["mathlib"]):
        assert [row[key] for key in ("maml_ms", "fomaml_ms", "ratio")] == pytest.approx([2, 1, 2])


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("first_order", [False, True])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_a_peer_computes_the_same_gradient_each_time_it_is_called(name, first_order, activation):
    if not peers.is_installed(name):
        pytest.skip(
            f'{peers.package(name)} is not installed: python3 lab.py run -m pip install --editable ".[frameworks]"'
        )
    problem = peers.Problem.sinusoid(hidden=6, activation=activation)
    expected = peers.PEERS["mathlib"](problem, 3, first_order)()
    compute = peers.PEERS[name](problem, 3, first_order)
    for _ in range(2):
        np.testing.assert_allclose(peers.flat(compute()), expected, rtol=1e-9, atol=1e-12)


def test_the_size_of_a_program_counts_operations_and_sums_of_square_arrays():
    class Program:
        def as_text(self):
            return "\n".join(
                (
                    "  a.1 = f64[3,3]{1,0} add(b, c)",
                    "  ROOT %s = f64[3,3]{1,0} subtract(a.1, b)",
                    "  m = f64[3,3]{1,0} multiply(a.1, b)",
                    "  n = f64[3,5]{1,0} add(d, e)",
                )
            )

        def cost_analysis(self):
            return {"bytes accessed": 72.0}

    handed_over = "%0 = stablehlo.add %a, %b : tensor<3x3xf64>\n%1 = stablehlo.tanh %0 : tensor<3x3xf64>"
    assert peers.program_size(handed_over, Program(), 3) == {
        "operations_handed_over": 2,
        "operations_compiled": 4,
        "sums_handed_over": 1,
        "sums_compiled": 2,
        "bytes_compiled": 72,
    }
