"""The task of the figure that is dragged, and the figure itself, for the tests of both kinds."""

import numpy as np

from mathlib import fomaml_gradient, inner_loop, maml_gradient, meta_loss, quadratic, rosenbrock
from mathlib.figures import draggable, two_descents

C = np.array([0.0, 1.0])
L = rosenbrock(a=1, b=1)
Q = quadratic(np.eye(2), C)
START = np.array([-1.0, 1.5]), 0.05, 3


def figure(theta, alpha, K, adjoints=False):
    task = [L] * K, Q, theta, alpha
    path = inner_loop([L] * K, theta, alpha)
    gradients = maml_gradient(*task), fomaml_gradient(*task)
    still = two_descents(path, *gradients, C, lambda point: meta_loss([L] * K, Q, point, alpha))
    return draggable(still, theta, alpha, K, adjoints)
