r"""A multilayer perceptron, its gradient and its Hessian-vector product, written out by hand.

Rows are examples. Layer l multiplies its input, with a column of ones for the biases, by its weights;
between layers stands the activation :math:`\varphi`, with slope :math:`s_l = \varphi'(z_{l-1})`:

.. math::
    a_l = \varphi(z_{l-1}), \qquad z_l = [a_l\; 1]\, W_l, \qquad \delta_l = \partial L / \partial z_l

    \partial L/\partial W_l = [a_l\; 1]^T \delta_l, \qquad \delta_{l-1} = (\delta_l W_l^T) \circ s_l

Differentiate each of these along v, a dot for the derivative: the last line becomes H v. That is forward over reverse.
"""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mathlib.contracts import Array
from mathlib.network_inputs import (
    require_classes,
    require_direction,
    require_inputs,
    require_name,
    require_parameters,
    require_sizes,
    require_targets,
)
from mathlib.network_parts import ACTIVATIONS, ERRORS, Function


def with_ones(a: Array) -> Array:
    """[a 1]: a with a column of ones, so that one product takes care of weights and biases."""
    extended = np.empty((*a.shape[:-1], a.shape[-1] + 1), dtype=a.dtype)
    extended[..., :-1] = a
    extended[..., -1] = 1
    return extended


class MLP:
    """A fully connected network whose d parameters are one flat vector: layer by layer, weights, then biases.

    Parameters
    ----------
    sizes : sequence of int
        The number of units from the inputs to the outputs.
    activation : {"tanh", "relu", "softplus"}
        Of the hidden layers; the last layer is linear. ReLU's slope at 0 is taken as 0.

    Raises
    ------
    ValueError
        Fewer than two sizes, one that is no positive whole number, or an unknown activation.

    Examples
    --------
    >>> MLP((1, 40, 40, 1), "relu").d
    1761
    """

    def __init__(self, sizes: Sequence[int], activation: str = "tanh") -> None:
        self.sizes = require_sizes(sizes)
        require_name(activation, "activation", ACTIVATIONS)
        self.activation = activation
        self.shapes = [(m + 1, n) for m, n in itertools.pairwise(self.sizes)]
        stops = list(itertools.accumulate(m * n for m, n in self.shapes))
        self.blocks = [slice(*ends) for ends in itertools.pairwise([0, *stops])]
        self.d = stops[-1]

    def split(self, theta: Array) -> list[Array]:
        """Each layer's weights W, the biases as their last row, (…, inputs + 1, outputs), out of the flat (…, d)."""
        pairs = zip(self.blocks, self.shapes, strict=True)
        return [theta[..., block].reshape(*theta.shape[:-1], *shape) for block, shape in pairs]

    def outputs(self, theta: Array, inputs: Array) -> Array:
        """The network's answer to inputs (…, n, inputs) with parameters (…, d), shape (…, n, outputs)."""
        require_inputs(inputs, self.sizes)
        require_parameters(theta, inputs, self.d, allow_complex=True)
        return self.forward(self.split(theta), with_ones(inputs))[1]

    def forward(self, weights: list[Array], examples: Array) -> tuple[list[Array], Array]:
        """Each layer's input [a 1], the first one being `examples`, and the last layer's output z."""
        layers = [examples]
        z = examples @ weights[0]
        for W in weights[1:]:
            layers.append(with_ones(ACTIVATIONS[self.activation][0](z)))
            z = layers[-1] @ W
        return layers, z

    def loss(self, inputs: Array, targets: Array, error: str = "squared") -> "NetworkLoss":
        """The mean error on these examples as a function of theta: a `NetworkLoss`."""
        return NetworkLoss(self, inputs, targets, error)


class _Layer(NamedTuple):
    """What the two passes leave of a layer above the first, with the letters of the module's formulas."""

    x: np.ndarray  # [a 1], its input with a column of ones
    W: np.ndarray  # its weights, without the biases
    s: np.ndarray  # the activation's slope where it made a
    delta: np.ndarray  # ∂L/∂z of its output
    back: np.ndarray  # δWᵀ, which s has not multiplied yet


class NetworkLoss:
    r"""The mean error of a network over n examples, a loss like any other.

    One theta (d,) goes with inputs (n, inputs); a batch of tasks is (tasks, d) with inputs (tasks, n, inputs), and
    each answer gains that axis. Nothing is broadcast, nothing is cast. Complex theta is for the complex step.

    Parameters
    ----------
    network : MLP
    inputs : numpy.ndarray, shape (…, n, inputs)
    targets : numpy.ndarray
        (…, n, outputs) for "squared", the mean of :math:`|z - y|^2`; whole numbers (…, n), the classes, for
        "cross-entropy".
    error : {"squared", "cross-entropy"}

    Raises
    ------
    TypeError, ValueError
        Examples or targets that do not fit the network or each other, labels out of range, entries that are not
        finite; in the methods, theta or v of another shape or dtype.

    References
    ----------
    Pearlmutter, Fast Exact Multiplication by the Hessian, Neural Computation 6 (1994), for H v. Schraudolph, Fast
    Curvature Matrix-Vector Products for Second-Order Gradient Descent, Neural Computation 14 (2002), for the parts.

    Examples
    --------
    >>> line = MLP((1, 1))  # a weight and a bias
    >>> gradient, hvp = line.loss(np.array([[1.0], [2.0]]), np.array([[1.0], [3.0]])).linearize(np.zeros(2))
    >>> gradient, hvp(np.array([1.0, 0.0]))
    (array([-7., -4.]), array([5., 3.]))
    """

    def __init__(self, network: MLP, inputs: Array, targets: Array, error: str = "squared") -> None:
        require_name(error, "error", ERRORS)
        require_inputs(inputs, network.sizes)
        if error == "cross-entropy":
            require_classes(targets, inputs, network.sizes[-1])
        else:
            require_targets(targets, inputs, network.sizes[-1])
        self.network = network
        self.inputs = inputs.copy()
        self.targets = targets.copy()
        self.error = error
        self.examples = with_ones(inputs)
        for array in (self.inputs, self.targets, self.examples):
            array.setflags(write=False)  # the functions that linearize returned still read them

    def value(self, theta: Array) -> Array:
        """The mean error, one number a task."""
        require_parameters(theta, self.inputs, self.network.d, allow_complex=True)
        _, z = self.network.forward(self.network.split(theta), self.examples)
        return ERRORS[self.error][0](z, self.targets)

    def gradient(self, theta: Array) -> Array:
        """The gradient, shaped like theta."""
        return self._backward(theta, allow_complex=True)[0]

    def linearize(self, theta: Array, part: str = "hessian") -> tuple[Array, Function]:
        """The gradient, and v ↦ H v, which reuses what the gradient's two passes computed.

        H is a sum: part="gauss-newton" is what is left of it when the network is linear in theta (no term with δ),
        "residual" the rest, which is there only because the network is nonlinear.
        """
        require_name(part, "part", ("hessian", "gauss-newton", "residual"))
        gradient, tape, curvature = self._backward(theta)
        shape = theta.shape
        dtype = theta.dtype
        slope_dot = ACTIVATIONS[self.network.activation][2]
        if part == "gauss-newton":
            tape = [layer._replace(delta=np.zeros_like(layer.delta), back=np.zeros_like(layer.back)) for layer in tape]
        if part == "residual":
            curvature = np.zeros_like

        def hvp(v: Array) -> Array:
            first, *above = self.network.split(require_direction(v, shape, dtype))
            z_dot = self.examples @ first
            a_dots = []
            for (x, W, s, _, _), V in zip(tape, above, strict=True):
                a_dots.append(s * z_dot)
                z_dot = x @ V
                z_dot += a_dots[-1] @ W
            delta_dot = curvature(z_dot)
            product = []
            for (x, W, s, delta, back), V, a_dot in zip(tape[::-1], above[::-1], a_dots[::-1], strict=True):
                product.append(x.mT @ delta_dot)
                product[-1][..., :-1, :] += a_dot.mT @ delta
                delta_dot = delta_dot @ W.mT
                delta_dot += delta @ V[..., :-1, :].mT
                delta_dot *= s
                delta_dot += back * slope_dot(x[..., :-1]) * a_dot
            return _join([self.examples.mT @ delta_dot, *product[::-1]])

        return gradient, hvp

    def hvp(self, theta: Array, v: Array, part: str = "hessian") -> Array:
        """H v, shaped like theta."""
        return self.linearize(theta, part)[1](v)

    def hessian(self, theta: Array, part: str = "hessian") -> Array:
        """H column by column, shape (…, d, d): d Hessian-vector products, and d² numbers to keep."""
        _, hvp = self.linearize(theta, part)
        columns = (np.broadcast_to(e, theta.shape) for e in np.eye(self.network.d, dtype=theta.dtype))
        return np.stack([hvp(e) for e in columns], axis=-1)

    def _backward(self, theta: Array, allow_complex: bool = False) -> tuple[Array, list[_Layer], Function]:
        """The gradient, the tape (a `_Layer` for each layer above the first), and how the last δ moves with z."""
        require_parameters(theta, self.inputs, self.network.d, allow_complex=allow_complex)
        weights = self.network.split(theta.copy())
        slope = ACTIVATIONS[self.network.activation][1]
        layers, z = self.network.forward(weights, self.examples)
        delta, curvature = ERRORS[self.error][1](z, self.targets)
        gradient = []
        tape = []
        for x, W in zip(layers[:0:-1], weights[:0:-1], strict=True):
            gradient.append(x.mT @ delta)
            W = W[..., :-1, :]
            layer = _Layer(x, W, slope(x[..., :-1]), delta, delta @ W.mT)
            tape.append(layer)
            delta = layer.back * layer.s
        return _join([self.examples.mT @ delta, *gradient[::-1]]), tape[::-1], curvature


def _join(weights: list[Array]) -> Array:
    """The flat vector of these weights: what `MLP.split` took apart."""
    flat = (*weights[0].shape[:-2], -1)
    return np.concatenate([W.reshape(flat) for W in weights], axis=-1)
