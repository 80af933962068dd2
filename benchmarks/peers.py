"""The same meta-gradient by other people's means: PyTorch, higher on top of it, and compiled JAX.

Each peer is a function (problem, K, first_order) that returns a function without arguments; called, that one
computes one meta-gradient and returns it as a flat vector in mathlib's layout, or as what `flat` makes into one.
Every peer gets its arrays ready beforehand, so that what is timed is the gradient alone.
"""

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
        rng, network = np.random.default_rng(seed), MLP((1, hidden, hidden, 1), activation)
        bounds = [np.full(m * n, (m - 1) ** -0.5) for m, n in network.shapes]
        theta = np.concatenate(bounds) * rng.uniform(-1, 1, network.d)
        x = rng.uniform(-5, 5, size=(2, batch, 1))
        return cls(network, *((inputs, 2 * np.sin(inputs - 1)) for inputs in x), theta)

    def blocks(self):
        """Weights (in, out) and biases (out,) of each layer, layer by layer."""
        return [part for W in self.network.split(self.theta) for part in (W[:-1].copy(), W[-1].copy())]


def with_mathlib(problem, K, first_order=False):
    """This repository: NumPy, the reverse product written by hand."""
    support, query = (problem.network.loss(*examples) for examples in (problem.support, problem.query))
    gradient = fomaml_gradient if first_order else maml_gradient
    return lambda: gradient([support] * K, query, problem.theta, problem.alpha)


def with_torch(problem, K, first_order=False):
    """PyTorch: `autograd.grad` with create_graph for MAML; detached steps for FOMAML."""
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
    """higher: a module and its optimiser made differentiable, `track_higher_grads` for MAML."""
    import higher
    import torch

    torch.set_num_threads(1)
    activation = {"tanh": torch.nn.Tanh, "relu": torch.nn.ReLU}[problem.network.activation]
    layers, blocks = [], problem.blocks()
    for W, b in zip(blocks[::2], blocks[1::2], strict=True):
        layers += [torch.nn.Linear(*W.shape, dtype=torch.float64), activation()]
        layers[-2].load_state_dict({"weight": torch.from_numpy(W.T.copy()), "bias": torch.from_numpy(b)})
    module = torch.nn.Sequential(*layers[:-1])
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
            return [part.mT if part.ndim == 2 else part for part in parts]  # Linear holds (out, in)

    return gradient


def jax_program(problem, K, first_order=False):
    """`jit(grad(…))` of the unrolled loop, with `stop_gradient` for FOMAML, and the parameters it takes."""
    import jax

    jax.config.update("jax_enable_x64", True)
    activation = {"tanh": jax.numpy.tanh, "relu": jax.nn.relu}[problem.network.activation]

    def loss(parameters, x, y):
        for W, b in parameters[:-1]:
            x = activation(x @ W + b)
        W, b = parameters[-1]
        return ((x @ W + b - y) ** 2).mean()

    def meta_loss(theta):
        parameters = theta
        for _ in range(K):
            steps = jax.grad(loss)(parameters, *problem.support)
            if first_order:
                steps = jax.lax.stop_gradient(steps)
            parameters = jax.tree.map(lambda p, g: p - problem.alpha * g, parameters, steps)
        return loss(parameters, *problem.query)

    blocks = problem.blocks()
    theta = jax.tree.map(jax.numpy.asarray, list(zip(blocks[::2], blocks[1::2], strict=True)))
    return jax.jit(jax.grad(meta_loss)), theta


def with_jax(problem, K, first_order=False):
    """JAX, compiled at the first call."""
    import jax

    program, theta = jax_program(problem, K, first_order)
    jax.block_until_ready(jax.jit(jax.numpy.sin)(0.0))  # the compiler starts here, outside what is timed
    return lambda: jax.block_until_ready(program(theta))


def bytes_by_compiler(problem, K):
    """How many bytes JAX's compiler says that its MAML program reads and writes."""
    program, theta = jax_program(problem, K)
    return int(program.lower(theta).compile().cost_analysis()["bytes accessed"])


def flat(answer):
    """A peer's answer as one flat vector, weights (in, out), then biases, layer by layer."""
    if isinstance(answer, np.ndarray):
        return answer
    parts = [np.asarray(part) for entry in answer for part in (entry if isinstance(entry, tuple) else (entry,))]
    return np.concatenate([part.ravel() for part in parts])


PEERS = {"mathlib": with_mathlib, "torch": with_torch, "higher": with_higher, "jax": with_jax}
