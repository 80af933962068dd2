"""How fast is a meta-gradient, and how much memory does it take, beside PyTorch, libraries on it, and JAX?

    python3 lab.py run -m pip install --editable ".[frameworks]"     the frameworks, once
    python3 lab.py run benchmarks/run.py                        prints the tables, writes mathlib/data/benchmarks.json
    python3 lab.py run benchmarks/run.py --quick --output FILE  a small run, to see that all works

One thread, float64, on one processor core where the system can pin one. Before a peer is timed, its gradient is
compared with ours. Times are processor times, medians over rounds; in each round every competitor has its turn, so
that what disturbs one disturbs all. A turn repeats short computations until it lasts about 20 ms. JAX's programs are
compiled before the rounds; how long that takes stands apart.
"""

import one_thread  # noqa: F401  before NumPy

# isort: split
import argparse
import datetime
import json
import os
import platform
import sys
from pathlib import Path

import numpy as np
from measure import exponent, interleave, peak_bytes
from peers import PEERS, Problem, flat, how, is_installed, multiply_adds, versions

from mathlib import inner_loop, unrolled_jacobian

STORED = Path(__file__).resolve().parents[1] / "mathlib" / "data" / "benchmarks.json"
COMMAND = "python3 lab.py run benchmarks/run.py"
FULL = {
    "rounds": 25,
    "batches": (10, 1000),
    "K": 5,
    "steps": (1, 5, 10),
    "curve_rounds": 9,
    "dense_rounds": 2,
    "over_K": (1, 2, 5, 10, 20, 50),
    "width": 40,
    "hidden": (5, 10, 20, 40, 70, 140, 280, 560),
    "dense": (5, 10, 20, 40, 70),
}
# Along K and d only one peer of each kind: the libraries on PyTorch run PyTorch's own loop, and a checkpoint
# changes what a scan stores, which matters where batches are large.
CURVES = ("mathlib", "torch", "jax-loop", "jax-scan")
LAW = (*CURVES, "jax-checkpoint")
QUICK = dict(FULL, rounds=3, batches=(10, 20), K=2, steps=(1, 2), curve_rounds=3)
STAGES = ("handed_over", "compiled")
QUICK.update(over_K=(1, 2, 4), width=5, hidden=(3, 5, 8), dense=(3, 5))


def verified(problem, K, peers, first_order=False):
    """The competitors by name, ready to be timed; each agrees with mathlib's."""
    expected = PEERS["mathlib"](problem, K, first_order)()
    competitors = {}
    for name in peers:
        compute = PEERS[name](problem, K, first_order)
        error = np.linalg.norm(flat(compute()) - expected) / np.linalg.norm(expected)
        if error > 1e-9:
            raise ArithmeticError(f"{name} computes another gradient: relative difference {error:.1e}")
        competitors[name] = compute
    return competitors


def gradient_table(size, peers):
    """One MAML gradient beside the peers', for each batch."""
    rows = []
    for batch in size["batches"]:
        problem = Problem.sinusoid(batch=batch)
        competitors = verified(problem, size["K"], peers)
        for name, seconds in interleave(competitors, size["rounds"]).items():
            low, median, high = 1e3 * np.quantile(seconds, (0.25, 0.5, 0.75))
            rows.append(
                {
                    "peer": name,
                    "batch": batch,
                    "K": size["K"],
                    "d": problem.network.d,
                    "milliseconds": median,
                    "low": low,
                    "high": high,
                    "compile_seconds": getattr(competitors[name], "seconds", None),
                }
            )
    return rows


def law_table(size, peers):
    """MAML over FOMAML at the large batch, beside the law (3K + 1)/(K + 1)."""
    rows = []
    batch = size["batches"][-1]
    for activation in ("tanh", "relu"):
        problem = Problem.sinusoid(batch=batch, activation=activation)
        for K in size["steps"]:
            both = {
                (name, first_order): compute
                for first_order in (False, True)
                for name, compute in verified(problem, K, peers, first_order).items()
            }
            seconds = interleave(both, size["curve_rounds"])
            for name in peers:
                full, first = (1e3 * float(np.median(seconds[name, order])) for order in (False, True))
                rows.append(
                    {
                        "peer": name,
                        "activation": activation,
                        "batch": batch,
                        "K": K,
                        "maml_ms": full,
                        "fomaml_ms": first,
                        "ratio": full / first,
                        "law": (3 * K + 1) / (K + 1),
                    }
                )
    return rows


def count_table(size):
    """The multiply–adds of MAML and FOMAML, as PyTorch counts them."""
    problem = Problem.sinusoid(size["width"], size["batches"][0])
    return [
        {
            "layers": list(problem.network.sizes),
            "batch": size["batches"][0],
            "K": K,
            **{name: multiply_adds(PEERS["torch"](problem, K, name == "fomaml")) for name in ("maml", "fomaml")},
        }
        for K in size["over_K"]
    ]


def dense(problem, K):
    """The meta-gradient by the full product of d × d Jacobians, then its transpose times ∇Q(θ_K)."""
    support, query = (problem.network.loss(*examples) for examples in (problem.support, problem.query))

    def gradient():
        end = inner_loop([support] * K, problem.theta, problem.alpha)[-1]
        return unrolled_jacobian([support] * K, problem.theta, problem.alpha).T @ query.gradient(end)

    return gradient


def dense_table(size):
    """Matrix-free against the full product: time in interleaved rounds, peak memory in a run of its own."""
    rows = []
    K = size["K"]
    for hidden in size["dense"]:
        problem = Problem.sinusoid(hidden)
        free = PEERS["mathlib"](problem, K)
        full = dense(problem, K)
        free_peak, expected = peak_bytes(free)
        full_peak, product = peak_bytes(full)
        np.testing.assert_allclose(product, expected, rtol=1e-9, atol=1e-12)
        seconds = interleave({"free": free, "full": full}, size["dense_rounds"])
        rows.append(
            {
                "d": problem.network.d,
                "K": K,
                "matrix_free_ms": 1e3 * np.median(seconds["free"]),
                "dense_ms": 1e3 * np.median(seconds["full"]),
                "matrix_free_peak_bytes": free_peak,
                "dense_peak_bytes": full_peak,
            }
        )
    return rows


def along(cases, peers, rounds):
    """For each peer its median milliseconds in each case, a problem and a K; for JAX's also what compiling took."""
    times = {name: [] for name in peers}
    programs = {}
    for problem, K in cases:
        competitors = verified(problem, K, peers)
        for name, seconds in interleave(competitors, rounds).items():
            times[name].append(1e3 * float(np.median(seconds)))
            if hasattr(competitors[name], "size"):
                made = {"compile_seconds": competitors[name].seconds, **competitors[name].size}
                programs.setdefault(name, []).append(made)
    return times, programs


def curves(size, peers, dense_rows):
    """Cost against K and against d, with the exponents fitted to the last points; JAX's programs against K."""
    problem = Problem.sinusoid(size["width"], size["batches"][0])
    Ks = list(size["over_K"])
    over_K, programs = along([(problem, K) for K in Ks], peers, size["curve_rounds"])
    products = [interleave({"dense": dense(problem, K)}, size["dense_rounds"])["dense"] for K in Ks]
    over_K["dense"] = [1e3 * float(np.median(seconds)) for seconds in products]
    wider = [Problem.sinusoid(hidden, size["batches"][0]) for hidden in size["hidden"]]
    over_d, _ = along([(wide, size["K"]) for wide in wider], peers, size["curve_rounds"])
    ways = {name: ([wide.network.d for wide in wider], times) for name, times in over_d.items()}
    ways["dense"] = [row["d"] for row in dense_rows], [row["dense_ms"] for row in dense_rows]
    fixed = {"batch": size["batches"][0]}
    return {
        "over_K": [
            {
                "peer": name,
                "d": problem.network.d,
                **fixed,
                "K": Ks,
                "milliseconds": times,
                "exponent": exponent(Ks, times),
            }
            for name, times in over_K.items()
        ],
        "over_d": [
            {"peer": name, "K": size["K"], **fixed, "d": d, "milliseconds": times, "exponent": exponent(d, times)}
            for name, (d, times) in ways.items()
        ],
        "programs": [
            {"peer": name, "K": Ks, **{key: [row[key] for row in rows] for key in rows[0]}}
            for name, rows in programs.items()
        ],
    }


def machine():
    """What the numbers belong to; no name of a computer or a person."""
    cpu = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        cpu = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), cpu)
    return {"cpu": cpu, "cores": os.cpu_count(), "system": f"{platform.system()} {platform.machine()}"}


def load():
    """How many programs wanted a processor during the last minute, on average; None where the system keeps no count."""
    return round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None


def show(results):
    """The tables, as text."""
    for name, line in results["how"].items():
        print(f"{name:16}{line}")
    print("\nMAML gradient             batch    K      d   median ms     quartiles   times ours   compile s")
    ours = {row["batch"]: row["milliseconds"] for row in results["gradient"] if row["peer"] == "mathlib"}
    for row in results["gradient"]:
        compiling = f"{row['compile_seconds']:9.2f}" if row["compile_seconds"] else ""
        print(
            f"  {row['peer']:22}{row['batch']:7}{row['K']:5}{row['d']:7}{row['milliseconds']:12.2f}"
            f"  {row['low']:6.2f}–{row['high']:<6.2f}{row['milliseconds'] / ours[row['batch']]:12.2f} {compiling:>11}"
        )
    print("\nMAML / FOMAML             batch    K   MAML ms   FOMAML ms   ratio     law")
    for row in results["law"]:
        print(
            f"  {row['peer'] + ', ' + row['activation']:22}{row['batch']:7}{row['K']:5}{row['maml_ms']:10.2f}"
            f"{row['fomaml_ms']:12.2f}{row['ratio']:8.2f}{row['law']:8.2f}"
        )
    print("\nmultiply–adds by PyTorch's counter      K          MAML        FOMAML   ratio")
    for row in results["counted_by_torch"]:
        ratio = row["maml"] / row["fomaml"]
        print(f"{row['K']:41}{row['maml']:14,}{row['fomaml']:14,}{ratio:8.2f}")
    print("\nmatrix-free : full product      d   times faster   share of its peak memory")
    for row in results["dense"]:
        times = row["dense_ms"] / row["matrix_free_ms"]
        share = row["matrix_free_peak_bytes"] / row["dense_peak_bytes"]
        print(f"{row['d']:33}{times:15,.0f}{share:27.3%}")
    for name, axis in (("over_K", "K"), ("over_d", "d")):
        print(f"\ncost against {axis}: exponents over {axis} = {results['curves'][name][0][axis][-3:]}")
        for row in results["curves"][name]:
            print(f"  {row['peer']:10}{row['exponent']:6.2f}   at {axis} = {row[axis][-3:]}")
    print("\nJAX's programs            K    compile s   operations: handed over, compiled   h × h sums: the same")
    for row in results["curves"]["programs"]:
        columns = ("compile_seconds", *(f"{kind}_{stage}" for kind in ("operations", "sums") for stage in STAGES))
        for K, seconds, *counts in zip(row["K"], *(row[column] for column in columns), strict=True):
            print(f"  {row['peer']:22}{K:3}{seconds:13.2f}" + "".join(f"{count:12}" for count in counts))


def main(words):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes, few rounds; needs --output")
    parser.add_argument("--output", type=Path, default=STORED)
    options = parser.parse_args(words)
    if options.quick and options.output == STORED:
        parser.error("--quick would overwrite the stored run; name another file with --output")
    size = QUICK if options.quick else FULL
    peers = [name for name in PEERS if name == "mathlib" or is_installed(name)]
    for name in sorted(PEERS.keys() - set(peers)):
        print(f'{name} is not installed and is left out: python3 lab.py run -m pip install --editable ".[frameworks]"')
    before = load()
    results = {
        "command": COMMAND,
        "date": datetime.date.today().isoformat(),
        "machine": machine(),
        "versions": {"python": platform.python_version(), **versions(["numpy", "scipy", *peers])},
        "how": {name: how(name) for name in peers},
    }
    print("measuring; the tables come at the end, after about ten minutes on a quiet machine", flush=True)
    results["gradient"] = gradient_table(size, peers)
    results["law"] = law_table(size, [name for name in LAW if name in peers])
    results["counted_by_torch"] = count_table(size) if "torch" in peers else []
    results["dense"] = dense_table(size)
    results["curves"] = curves(size, [name for name in CURVES if name in peers], results["dense"])
    results["load"] = [before, load()]
    show(results)
    options.output.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(f"\nwritten to {options.output}")


if __name__ == "__main__":
    main(sys.argv[1:])
