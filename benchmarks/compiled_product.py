"""The reverse product of `maml_gradient`, written in JAX and compiled, beside compiled autodiff through the loop.

    python3 lab.py run -m pip install --editable ".[frameworks]"
    python3 lab.py run benchmarks/compiled_product.py        prints the table, writes mathlib/data/compiled_product.json

One thread, float64, processor time, medians over rounds in which each program has its turn. The memory is what the
compiler sets aside for a program's intermediate results.
"""

import one_thread  # noqa: F401  before NumPy

# isort: split
import datetime
import json
import platform
from importlib.metadata import version
from pathlib import Path

import jax
import numpy as np
from measure import interleave
from peers import Problem, scan

from mathlib import maml_gradient

STORED = Path(__file__).resolve().parents[1] / "mathlib" / "data" / "compiled_product.json"
ROUNDS = 15
STEPS = 5
BATCHES = (10, 1000)


def programs(problem, K):
    """Four programs of θ, ready to run, each with the bytes of its intermediate results."""
    theta, support, query = jax.tree.map(jax.numpy.asarray, (problem.theta, problem.support, problem.query))

    def loss(theta, batch):
        z, y = batch
        *hidden, last = problem.network.split(theta)
        for W in hidden:
            z = jax.numpy.tanh(z @ W[:-1] + W[-1])
        return ((z @ last[:-1] + last[-1] - y) ** 2).mean()

    def inner(theta):
        return jax.grad(loss)(theta, support)

    def step(theta):
        return theta - problem.alpha * inner(theta)

    def product(theta):
        hvps = []
        for _ in range(K):
            g, hvp = jax.linearize(inner, theta)
            theta = theta - problem.alpha * g
            hvps.append(hvp)
        v = jax.grad(loss)(theta, query)
        for hvp in reversed(hvps):
            v = v - problem.alpha * hvp(v)
        return v

    def loop(theta):
        for _ in range(K):
            theta = step(theta)
        return loss(theta, query)

    functions = {
        "our product": product,
        "autodiff of a loop": jax.grad(loop),
        "autodiff of a scan": jax.grad(lambda theta: loss(scan(step, theta, K), query)),
        "autodiff of a scan, checkpointed": jax.grad(lambda theta: loss(scan(jax.checkpoint(step), theta, K), query)),
    }
    compiled = {name: jax.jit(function).lower(theta).compile() for name, function in functions.items()}
    expected = maml_gradient(
        [problem.network.loss(*problem.support)] * K, problem.network.loss(*problem.query), problem.theta, problem.alpha
    )
    for name, program in compiled.items():
        error = np.linalg.norm(program(theta) - expected) / np.linalg.norm(expected)
        if error > 1e-10:
            raise ArithmeticError(f"{name} computes another gradient: relative difference {error:.1e}")
    return {
        name: (lambda program=program: jax.block_until_ready(program(theta)), program.memory_analysis())
        for name, program in compiled.items()
    }


def main():
    jax.config.update("jax_enable_x64", True)
    rows = []
    for batch in BATCHES:
        problem = Problem.sinusoid(batch=batch)
        made = programs(problem, STEPS)
        seconds = interleave({name: run for name, (run, _) in made.items()}, ROUNDS)
        for name, (_, memory) in made.items():
            rows.append(
                {
                    "program": name,
                    "batch": batch,
                    "K": STEPS,
                    "d": problem.network.d,
                    "milliseconds": 1e3 * float(np.median(seconds[name])),
                    "bytes": int(memory.temp_size_in_bytes),
                }
            )
            print(f"{batch:>5}  {name:<34}{rows[-1]['milliseconds']:>8.2f} ms {rows[-1]['bytes'] / 1e3:>9.0f} kB")
    about = {
        "command": "python3 lab.py run benchmarks/compiled_product.py",
        "date": datetime.date.today().isoformat(),
        "machine": platform.machine(),
        "versions": {name: version(name) for name in ("jax", "numpy")},
        "rows": rows,
    }
    STORED.write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
