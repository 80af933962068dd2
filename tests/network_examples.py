"""Networks, examples and points that the tests of networks share."""

from dataclasses import dataclass

import numpy as np
import pytest

from mathlib import MLP


@dataclass(frozen=True)
class Example:
    """A network, some examples for it, and a point."""

    network: MLP
    inputs: np.ndarray
    targets: np.ndarray
    error: str
    theta: np.ndarray

    @property
    def loss(self):
        return self.network.loss(self.inputs, self.targets, self.error)

    def outputs(self, theta):
        return self.network.outputs(theta, self.inputs)


def example(sizes, activation="tanh", error="squared", tasks=(), n=5, seed=0):
    rng = np.random.default_rng(seed)
    network = MLP(sizes, activation)
    inputs = rng.normal(size=(*tasks, n, sizes[0]))
    theta = rng.normal(size=(*tasks, network.d))
    if error == "squared":
        targets = rng.normal(size=(*tasks, n, sizes[-1]))
    else:
        targets = rng.integers(sizes[-1], size=(*tasks, n))
    return Example(network, inputs, targets, error, theta)


ACTIVATIONS = ["tanh", "relu", "softplus"]
ERRORS = ["squared", "cross-entropy"]
each_activation = pytest.mark.parametrize("activation", ACTIVATIONS)
each_error = pytest.mark.parametrize("error", ERRORS)

NETWORK = MLP((3, 4, 2))
INPUTS = np.ones((5, 3))
TARGETS = np.ones((5, 2))
THETA = np.ones(NETWORK.d)
V = np.ones(NETWORK.d)
LOSS = NETWORK.loss(INPUTS, TARGETS)


def directions(theta, count=3):
    return np.random.default_rng(1).normal(size=(count, *theta.shape))


def minibatches(count, sizes=(2, 4, 3), activation="tanh", error="squared", tasks=()):
    """So many losses of one network, each on examples of its own; a point; a direction."""
    drawn = [example(sizes, activation, error, tasks, seed=seed) for seed in range(count)]
    return [each.loss for each in drawn], drawn[0].theta / 2, directions(drawn[0].theta, 1)[0]


def assert_close(given, expected, relative=1e-12):
    """Equal up to rounding, measured against the largest entry."""
    np.testing.assert_allclose(given, expected, rtol=0, atol=relative * np.abs(expected).max())
