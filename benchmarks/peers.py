"""The same meta-gradient by other people's means: PyTorch, two libraries on top of it, and compiled JAX.

Each peer is a function (problem, K, first_order) that returns a function without arguments; called, that one
computes one meta-gradient and returns it as a flat vector in mathlib's layout, or as what `flat` makes into one.
Every peer gets its arrays ready beforehand, so that what is timed is the gradient alone. The first line of a
peer's docstring says how it is used; the benchmark stores that line and prints it.

learn2learn 0.2.0 is not among them: pip cannot build it on Python 3.11 or newer, because the C sources in its
archive include longintrepr.h, a header that Python has since moved.
"""

import importlib.metadata
import importlib.util
import inspect
import re
import time
from dataclasses import dataclass

import numpy as np

from mathlib import MLP, fomaml_gradient, maml_gradient


@dataclass(frozen=True)
class Problem:
    """One task: a network 1-h-h-1, a support batch, a query batch of the same size, a starting point."""

    network: MLP
    support: tuple
    query: tuple
    theta: np.ndarray
    alpha: float = 0.01

    @classmethod
    def sinusoid(cls, hidden=40, batch=10, activation="tanh", seed=0):
        """Sine of amplitude 2 and phase 1 on [−5, 5], float64, weights uniform in ±1/√fan-in."""
        rng = np.random.default_rng(seed)
        network = MLP((1, hidden, hidden, 1), activation)
        bounds = [np.full(m * n, (m - 1) ** -0.5) for m, n in network.shapes]
        theta = np.concatenate(bounds) * rng.uniform(-1, 1, network.d)
        x = rng.uniform(-5, 5, size=(2, batch, 1))
        return cls(network, *((inputs, 2 * np.sin(inputs - 1)) for inputs in x), theta)

    def blocks(self):
        """Weights (in, out) and biases (out,) of each layer, layer by layer."""
        return [part for W in self.network.split(self.theta) for part in (W[:-1].copy(), W[-1].copy())]


def with_mathlib(problem, K, first_order=False):
    """NumPy; the reverse product of notebook 05, with Hessian-vector products written by hand."""
    support, query = (problem.network.loss(*examples) for examples in (problem.support, problem.query))
    gradient = fomaml_gradient if first_order else maml_gradient
    return lambda: gradient([support] * K, query, problem.theta, problem.alpha)


def with_torch(problem, K, first_order=False):
    """PyTorch, eager; a Python loop of autograd.grad with create_graph=True, detached steps for FOMAML."""
    import torch

    torch.set_num_threads(1)
    activation = getattr(torch, problem.network.activation)
    x, y, x_query, y_query = map(torch.from_numpy, (*problem.support, *problem.query))
    theta = [torch.from_numpy(block).requires_grad_() for block in problem.blocks()]

    def loss(parameters, x, y):
        for W, b in zip(parameters[:-2:2], parameters[1:-2:2], strict=True):
            x = activation(torch.addmm(b, x, W))
        return torch.nn.functional.mse_loss(torch.addmm(parameters[-1], x, parameters[-2]), y)

    def gradient():
        parameters = theta
        for _ in range(K):
            steps = torch.autograd.grad(loss(parameters, x, y), parameters, create_graph=not first_order)
            parameters = [p - problem.alpha * g for p, g in zip(parameters, steps, strict=True)]
            if first_order:
                parameters = [p.detach().requires_grad_() for p in parameters]
        return torch.autograd.grad(loss(parameters, x_query, y_query), parameters if first_order else theta)

    return gradient


def with_higher(problem, K, first_order=False):
    """higher on PyTorch; innerloop_ctx around a Module and its SGD, track_higher_grads=False for FOMAML."""
    import higher
    import torch

    module = torch_module(problem)
    optimiser = torch.optim.SGD(module.parameters(), lr=problem.alpha)
    x, y, x_query, y_query = map(torch.from_numpy, (*problem.support, *problem.query))
    loss = torch.nn.functional.mse_loss

    def gradient():
        with higher.innerloop_ctx(
            module, optimiser, copy_initial_weights=False, track_higher_grads=not first_order
        ) as (adapted, steps):
            for _ in range(K):
                steps.step(loss(adapted(x), y))
            start = adapted.parameters(time=-1 if first_order else 0)
            parts = torch.autograd.grad(loss(adapted(x_query), y_query), list(start))
            return transposed(parts)

    return gradient


def with_torchopt(problem, K, first_order=False):
    """TorchOpt on PyTorch; MetaSGD steps a Module, whose state is taken back afterwards; stop_gradient for FOMAML."""
    import torch
    import torchopt

    module = torch_module(problem)
    optimiser = torchopt.MetaSGD(module, lr=problem.alpha)
    x, y, x_query, y_query = map(torch.from_numpy, (*problem.support, *problem.query))
    loss = torch.nn.functional.mse_loss
    theta = list(module.parameters())
    states = [torchopt.extract_state_dict(thing) for thing in (module, optimiser)]

    def gradient():
        for _ in range(K):
            optimiser.step(loss(module(x), y))
            if first_order:
                torchopt.stop_gradient(module)
        start = list(module.parameters()) if first_order else theta
        parts = torch.autograd.grad(loss(module(x_query), y_query), start)
        for thing, state in zip((module, optimiser), states, strict=True):
            torchopt.recover_state_dict(thing, state)
        return transposed(parts)

    return gradient


def torch_module(problem):
    """The problem's network as a Module, as most people write one."""
    import torch

    torch.set_num_threads(1)
    activation = {"tanh": torch.nn.Tanh, "relu": torch.nn.ReLU}[problem.network.activation]
    layers = []
    blocks = problem.blocks()
    for W, b in zip(blocks[::2], blocks[1::2], strict=True):
        layers += [torch.nn.Linear(*W.shape, dtype=torch.float64), activation()]
        layers[-2].load_state_dict({"weight": torch.from_numpy(W.T.copy()), "bias": torch.from_numpy(b)})
    return torch.nn.Sequential(*layers[:-1])


def transposed(parts):
    """Linear holds its weights (out, in); mathlib (in, out)."""
    return [part.mT if part.ndim == 2 else part for part in parts]


@dataclass(frozen=True)
class Compiled:
    """A JAX program, ready to run on its arguments; what making it took, and how large it is."""

    program: object
    arguments: tuple
    seconds: float
    size: dict

    def __call__(self):
        return self.program(*self.arguments)


def compiled(problem, K, first_order, repeat):
    """`jit(grad(…))` of the meta-loss, compiled; `repeat(step, theta, K)` takes the inner steps."""
    import jax

    jax.config.update("jax_enable_x64", True)
    jax.block_until_ready(jax.jit(jax.numpy.sin)(0.0))  # the compiler starts here, outside what is timed
    activation = {"tanh": jax.numpy.tanh, "relu": jax.nn.relu}[problem.network.activation]

    def loss(parameters, x, y):
        for W, b in parameters[:-1]:
            x = activation(x @ W + b)
        W, b = parameters[-1]
        return ((x @ W + b - y) ** 2).mean()

    def meta_loss(theta, support, query):
        def step(parameters):
            slopes = jax.grad(loss)(parameters, *support)
            if first_order:
                slopes = jax.lax.stop_gradient(slopes)
            return jax.tree.map(lambda p, g: p - problem.alpha * g, parameters, slopes)

        return loss(repeat(step, theta, K), *query)

    blocks = problem.blocks()
    theta = list(zip(blocks[::2], blocks[1::2], strict=True))
    arguments = jax.tree.map(jax.numpy.asarray, (theta, problem.support, problem.query))
    start = time.process_time()
    lowered = jax.jit(jax.grad(meta_loss)).lower(*arguments)
    program = lowered.compile()
    seconds = time.process_time() - start
    size = program_size(lowered.as_text(), program, problem.network.sizes[1])
    return Compiled(lambda *given: jax.block_until_ready(program(*given)), arguments, seconds, size)


def program_size(handed_over, program, h):
    """Operations before and after compiling, sums and differences of h × h arrays among them, and bytes moved."""
    optimised = program.as_text()
    return {
        "operations_handed_over": handed_over.count(" stablehlo."),
        "operations_compiled": len(re.findall(r"^\s+(?:ROOT )?%?[\w.-]+ = ", optimised, re.M)),
        "sums_handed_over": len(re.findall(rf"stablehlo\.(?:add|subtract) .*tensor<{h}x{h}xf64>", handed_over)),
        "sums_compiled": len(re.findall(rf"= f64\[{h},{h}\]\S* (?:add|subtract)\(", optimised)),
        "bytes_compiled": int(program.cost_analysis()["bytes accessed"]),
    }


def with_jax_loop(problem, K, first_order=False):
    """JAX, jit of grad; the inner steps in a Python loop, which unrolls: the program holds K copies of a step."""

    def repeat(step, theta, K):
        for _ in range(K):
            theta = step(theta)
        return theta

    return compiled(problem, K, first_order, repeat)


def scan(step, theta, K):
    import jax

    return jax.lax.scan(lambda carry, _: (step(carry), None), theta, length=K)[0]


def with_jax_scan(problem, K, first_order=False):
    """JAX, jit of grad; the inner steps in lax.scan: the program holds one step, and runs it K times."""
    return compiled(problem, K, first_order, scan)


def with_jax_checkpoint(problem, K, first_order=False):
    """JAX, jit of grad; lax.scan over jax.checkpoint of a step: only θ is kept, the step is computed again."""

    import jax

    return compiled(problem, K, first_order, lambda step, theta, K: scan(jax.checkpoint(step), theta, K))


def flat(answer):
    """A peer's answer as one flat vector, weights (in, out), then biases, layer by layer."""
    if isinstance(answer, np.ndarray):
        return answer
    parts = [np.asarray(part) for entry in answer for part in (entry if isinstance(entry, tuple) else (entry,))]
    return np.concatenate([part.ravel() for part in parts])


PEERS = {
    "mathlib": with_mathlib,
    "torch": with_torch,
    "higher": with_higher,
    "torchopt": with_torchopt,
    "jax-loop": with_jax_loop,
    "jax-scan": with_jax_scan,
    "jax-checkpoint": with_jax_checkpoint,
}


def multiply_adds(compute):
    """What PyTorch counts itself while it computes: the multiply–adds of its matrix products, biases left out."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        compute()
    return counter.get_total_flops() // 2  # it counts a multiplication and an addition as two


def package(name):
    """What has to be installed for a peer: "jax" for "jax-scan"."""
    return name.partition("-")[0]


def is_installed(name):
    return importlib.util.find_spec(package(name)) is not None


def how(name):
    """How a peer is used, in one line."""
    return inspect.getdoc(PEERS[name]).partition("\n")[0]


def versions(names):
    return {name: importlib.metadata.version(name) for name in dict.fromkeys(map(package, names)) if name != "mathlib"}
