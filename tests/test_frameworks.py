"""Referees: PyTorch, higher, TorchOpt and JAX compute the same MAML and FOMAML gradients as mathlib, in float64.

They are the extra `frameworks`; `python3 lab.py frameworks` brings it. Where a package is absent its tests are skipped,
and say so.
"""

import contextlib
import importlib.util
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path

import frameworks
import numpy as np
import own_environment
import pytest
from notebooks_as_data import FRAMEWORKS, NOTEBOOKS, ROOT, TEST_FRAMEWORKS, absent_frameworks, read
from packaging.requirements import Requirement

import lab
from mathlib import MLP, fomaml_gradient, maml_gradient, quadratic, rosenbrock


@dataclass(frozen=True)
class Bowl:
    """½ (θ − c)ᵀA(θ − c) for a d that is too large for symbols."""

    A: np.ndarray
    c: np.ndarray

    def gradient(self, theta):
        return self.A @ (theta - self.c)

    def linearize(self, theta):
        return self.gradient(theta), lambda v: self.A @ v


@dataclass(frozen=True)
class Case:
    """Support and query losses for mathlib, and the same ones as functions of a framework's arrays."""

    losses: tuple
    functions: tuple  # (theta, array) → the loss, where array turns NumPy into the framework's
    theta: np.ndarray
    alpha: float


def valley():
    pairs = [(1.0, 5.0), (-0.5, 2.0)]

    def function(a, b):
        return lambda theta, array: (a - theta[0]) ** 2 + b * (theta[1] - theta[0] ** 2) ** 2

    losses = tuple(rosenbrock(a, b) for a, b in pairs)
    return Case(losses, tuple(function(*pair) for pair in pairs), np.array([0.3, -0.2]), 0.02)


def bowl(d):
    rng = np.random.default_rng(d)

    def one():
        square = rng.normal(size=(d, d)) / d**0.5
        return square @ square.T, rng.normal(size=d)

    def function(A, c):
        return lambda theta, array: (theta - array(c)) @ array(A) @ (theta - array(c)) / 2

    pairs = [one(), one()]
    loss = quadratic if d < 10 else Bowl
    return Case(tuple(loss(*p) for p in pairs), tuple(function(*p) for p in pairs), rng.normal(size=d), 0.05)


def network(activation):
    rng = np.random.default_rng(0)
    net = MLP((1, 20, 20, 1), activation)
    batches = rng.uniform(-4, 4, (2, 10, 1))

    def function(x):
        def loss(theta, array):
            z, y = array(x), array(2 * np.sin(x))
            *hidden, last = net.split(theta)
            for W in hidden:
                z = z @ W[:-1] + W[-1]
                z = z.clip(0) if activation == "relu" else array.tanh(z)
            return ((z @ last[:-1] + last[-1] - y) ** 2).mean()

        return loss

    losses = tuple(net.loss(x, 2 * np.sin(x)) for x in batches)
    return Case(losses, tuple(function(x) for x in batches), 0.4 * rng.normal(size=net.d), 0.02)


CASES = {
    "Rosenbrock": valley(),
    "quadratic, d = 5": bowl(5),
    "quadratic, d = 50": bowl(50),
    "quadratic, d = 500": bowl(500),
    "tanh network": network("tanh"),
    "ReLU network": network("relu"),
}


def with_torch(case, K, first_order):
    """A Python loop of autograd.grad; for first order each point of the path is detached."""
    torch, array = torch_arrays()
    support, query = case.functions
    theta = start = array(case.theta).requires_grad_()
    for _ in range(K):
        (g,) = torch.autograd.grad(support(theta, array), theta, create_graph=not first_order)
        theta = theta - case.alpha * g
        if first_order:
            theta = theta.detach().requires_grad_()
    return torch.autograd.grad(query(theta, array), theta if first_order else start)[0].numpy()


def with_higher(case, K, first_order):
    """innerloop_ctx around a Module that holds θ, and its SGD."""
    import higher

    torch, array = torch_arrays()
    support, query = case.functions
    module = torch_point(torch, array(case.theta))
    optimiser = torch.optim.SGD(module.parameters(), lr=case.alpha)
    track = {"copy_initial_weights": False, "track_higher_grads": not first_order}
    with higher.innerloop_ctx(module, optimiser, **track) as (adapted, steps):
        for _ in range(K):
            steps.step(adapted(support, array))
        (start,) = adapted.parameters(time=-1 if first_order else 0)
        return torch.autograd.grad(adapted(query, array), start)[0].numpy()


def with_torchopt(case, K, first_order):
    """MetaSGD on a Module that holds θ; stop_gradient after every step for first order."""
    import torchopt

    torch, array = torch_arrays()
    support, query = case.functions
    module = torch_point(torch, array(case.theta))
    (start,) = module.parameters()
    optimiser = torchopt.MetaSGD(module, lr=case.alpha)
    for _ in range(K):
        optimiser.step(module(support, array))
        if first_order:
            torchopt.stop_gradient(module)
    (end,) = module.parameters()
    return torch.autograd.grad(module(query, array), end if first_order else start)[0].numpy()


def with_jax(case, K, first_order):
    """grad through lax.scan under jit; stop_gradient on the inner gradient for first order."""
    import jax

    with jax.enable_x64(True):

        class Array:
            tanh = staticmethod(jax.numpy.tanh)

            def __call__(self, entries):
                return jax.numpy.asarray(entries)

        array = Array()
        support, query = case.functions

        def step(theta, _):
            g = jax.grad(support)(theta, array)
            return theta - case.alpha * (jax.lax.stop_gradient(g) if first_order else g), None

        def meta_loss(theta):
            return query(jax.lax.scan(step, theta, length=K)[0], array)

        return np.asarray(jax.jit(jax.grad(meta_loss))(array(case.theta)))


def torch_arrays():
    import torch

    class Array:
        tanh = staticmethod(torch.tanh)

        def __call__(self, entries):
            return torch.from_numpy(entries)

    return torch, Array()


def torch_point(torch, theta):
    """θ as the one parameter of a Module, which both libraries on PyTorch want."""

    class Point(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.theta = torch.nn.Parameter(theta.clone())

        def forward(self, function, array):
            return function(self.theta, array)

    return Point()


REFEREES = {
    "torch": (with_torch, ["torch"]),
    "higher": (with_higher, ["torch", "higher"]),
    "torchopt": (with_torchopt, ["torch", "torchopt"]),
    "jax": (with_jax, ["jax"]),
}


@pytest.mark.parametrize("referee", REFEREES)
@pytest.mark.parametrize("first_order", [False, True], ids=["MAML", "FOMAML"])
@pytest.mark.parametrize("K", [1, 5, 10])
@pytest.mark.parametrize("name", CASES)
def test_a_framework_computes_the_same_gradient(name, K, first_order, referee):
    compute, packages = REFEREES[referee]
    absent = [package for package in packages if importlib.util.find_spec(package) is None]
    if absent:
        pytest.skip(f"{', '.join(absent)} not installed; {TEST_FRAMEWORKS} has them")
    case = CASES[name]
    support, query = case.losses
    formula = fomaml_gradient if first_order else maml_gradient
    ours = formula([support] * K, query, case.theta, case.alpha)
    theirs = compute(case, K, first_order)
    assert theirs.dtype == np.float64
    assert np.linalg.norm(theirs - ours) <= 1e-10 * np.linalg.norm(ours)


@pytest.mark.parametrize("name", CASES)
def test_the_cases_tell_first_from_second_order(name):
    """Or a referee that computes the other one would pass."""
    case = CASES[name]
    support, query = case.losses
    both = [formula([support] * 5, query, case.theta, case.alpha) for formula in (maml_gradient, fomaml_gradient)]
    assert np.linalg.norm(both[0] - both[1]) > 1e-3 * np.linalg.norm(both[0])


def test_a_notebook_says_what_it_lacks(monkeypatch):
    """Then its cells are skipped, instead of failing one after the other."""
    asks = read(NOTEBOOKS / "14_ask_your_framework.ipynb")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert absent_frameworks(asks) == ["jax", "optimistix", "torch"]
    assert absent_frameworks(read(NOTEBOOKS / "13_solve_the_inner_problem.ipynb")) == []
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    assert absent_frameworks(asks) == []


def test_the_extra_is_what_notebooks_and_referees_may_lack():
    extra = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert {Requirement(entry).name for entry in extra["frameworks"]} == FRAMEWORKS


def test_the_command_has_the_notebooks_that_need_it_and_its_tests_are_there():
    assert frameworks.notebooks() == [str(Path("notebooks", "14_ask_your_framework.ipynb"))]
    for test in frameworks.TESTS:
        path, _, name = test.partition("::")
        assert f"def {name}" in (ROOT / path).read_text(encoding="utf-8")


def test_an_environment_of_its_own_is_made_once_and_again_when_a_file_changes_or_it_was_interrupted(
    tmp_path, monkeypatch
):
    asked = []
    codes = iter([1, 0, 0, 0, 0])  # the first installation fails
    installs = {tmp_path / name: [name] for name in ("lock", "pin")}
    for path in installs:
        path.write_text("a==1", encoding="utf-8")

    def create(folder, **options):
        folder.mkdir(exist_ok=True)

    def call(words):
        asked.append(words[-1])
        return next(codes)

    monkeypatch.setattr("venv.create", create)
    monkeypatch.setattr(subprocess, "call", call)
    folder = tmp_path / ".venv-own"
    for _ in range(3):
        with contextlib.suppress(SystemExit):
            own_environment.make(folder, "own", installs)
    assert asked == ["lock", "lock", "pin"]
    (tmp_path / "pin").write_text("a==2", encoding="utf-8")
    own_environment.make(folder, "own", installs)
    assert asked == ["lock", "lock", "pin", "lock", "pin"]


def test_torch_comes_as_pip_offers_it_and_all_else_with_hashes():
    assert "--require-hashes" in lab.pip_install(frameworks.LOCK)
    assert not {"--require-hashes", "--no-deps"} & set(frameworks.pip_install_torch())
