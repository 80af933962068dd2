r"""Meta-gradients: how the gradient of a query loss travels back through an inner loop.

.. math::
    \theta_i = \theta_{i-1} - \alpha \nabla L_i(\theta_{i-1}), \qquad i = 1 \dots K

    \nabla_{\theta_0} Q(\theta_K) = (I - \alpha H_0)(I - \alpha H_1) \cdots (I - \alpha H_{K-1})\, \nabla Q(\theta_K),
    \qquad H_{i-1} = \nabla^2 L_i(\theta_{i-1})

Each formula is written once. Give it SymPy columns and it derives; give it NumPy arrays and it
computes; a loss over a batch of tasks, parameters (tasks, d), makes it answer for all of them.
"""

import math
import numbers
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import sympy
from scipy.sparse.linalg import LinearOperator, cg

from mathlib.contracts import (
    Array,
    HasGradient,
    HasGradientAndHessian,
    HasGradientAndLinearize,
    HasHessian,
    HasLinearize,
    HasValue,
    StepSize,
    Theta,
    Value,
)
from mathlib.errors import NoSolution, WrongValue
from mathlib.inputs import is_symbolic, require_array, require_loss, require_losses, require_step_size

# Newton's method doubles the digits at every step once it is near; what takes more steps than these does not converge.
NEWTON_STEPS = 50


def inner_loop(losses: Sequence[HasGradient], theta: Theta, alpha: StepSize) -> list[Theta]:
    r"""Gradient descent on the support losses: :math:`\theta_i = \theta_{i-1} - \alpha\nabla L_i(\theta_{i-1})`.

    Parameters
    ----------
    losses : list of losses
        :math:`L_1 \dots L_K`, one for each step, with ``.gradient``; ``[loss] * K`` for K steps on the same one,
        [] for none.
    theta : sympy.Matrix, shape (d, 1), or numpy.ndarray, shape (d,)
        :math:`\theta_0`. Complex numbers are allowed, here and in `meta_loss`, for the complex step.
    alpha : number or sympy.Expr
        The inner step size, zero or positive.

    Returns
    -------
    list
        :math:`[\theta_0, \dots, \theta_K]`, K + 1 points shaped like theta.

    Raises
    ------
    TypeError, ValueError
        Whatever is not as above; the message says what to pass instead.

    Examples
    --------
    >>> from mathlib import quadratic
    >>> inner_loop([quadratic(np.eye(1), np.zeros(1))] * 2, np.array([8.0]), 0.5)
    [array([8.]), array([4.]), array([2.])]
    """
    losses = require_losses(losses, "gradient", caller="inner_loop")
    alpha = _require_theta_and_alpha(theta, alpha, allow_complex=True)
    trajectory = [theta]
    for loss in losses:
        theta = theta - alpha * loss.gradient(theta)
        trajectory.append(theta)
    return trajectory


def meta_loss(losses: Sequence[HasGradient], query: HasValue, theta: Theta, alpha: StepSize) -> Value:
    r"""The query loss after the inner loop, :math:`Q(\theta_K)`, as a function of :math:`\theta_0`.

    This is what every outside derivative differentiates. Parameters as in `maml_gradient`.

    Examples
    --------
    >>> from mathlib import quadratic
    >>> bowl = quadratic(np.eye(1), np.zeros(1))
    >>> float(meta_loss([bowl], bowl, np.array([8.0]), 0.5))
    8.0
    """
    require_loss(query, "query", "value", caller="meta_loss")
    return query.value(inner_loop(losses, theta, alpha)[-1])


def step_jacobian(loss: HasHessian, theta: Theta, alpha: StepSize) -> Theta:
    r"""The Jacobian of one step, of :math:`\theta - \alpha\nabla L(\theta)`: :math:`I - \alpha\nabla^2 L(\theta)`.

    The loss needs ``.hessian`` alone.

    Returns
    -------
    sympy.Matrix or numpy.ndarray, shape (d, d)

    Examples
    --------
    >>> from mathlib import rosenbrock
    >>> step_jacobian(rosenbrock(a=1, b=5), np.array([0.0, 0.0]), 0.1)
    array([[0.8, 0. ],
           [0. , 0. ]])
    """
    require_loss(loss, "loss", "hessian", caller="step_jacobian")
    alpha = _require_theta_and_alpha(theta, alpha)
    hessian = loss.hessian(theta)
    return _identity(theta) - alpha * hessian


def unrolled_jacobian(losses: Sequence[HasGradientAndHessian], theta: Theta, alpha: StepSize) -> Theta:
    r"""The Jacobian of the whole inner loop, :math:`U_K = \partial\theta_K/\partial\theta_0`.

    Built by the induction :math:`U_0 = I,\; U_{i} = (I - \alpha H_{i-1})\, U_{i-1}`: each new step
    multiplies from the left. Row j belongs to component j of :math:`\theta_K`. The losses need ``.gradient`` and
    ``.hessian``.

    Returns
    -------
    sympy.Matrix or numpy.ndarray, shape (d, d)

    Examples
    --------
    >>> from mathlib import quadratic
    >>> unrolled_jacobian([quadratic(np.diag([1.0, 4.0]), np.zeros(2))] * 3, np.ones(2), 0.5)
    array([[ 0.125,  0.   ],
           [ 0.   , -1.   ]])
    """
    losses = require_losses(losses, "gradient", "hessian", caller="unrolled_jacobian")
    trajectory = inner_loop(losses, theta, alpha)
    U = _identity(theta)
    for loss, theta_i in zip(losses, trajectory[:-1], strict=True):
        U = step_jacobian(loss, theta_i, alpha) @ U
    return U


def maml_gradient(losses: Sequence[HasLinearize], query: HasGradient, theta: Theta, alpha: StepSize) -> Theta:
    r"""The meta-gradient :math:`\nabla_{\theta_0} Q(\theta_K)`, the gradient of `meta_loss`.

    .. math::
        \nabla_{\theta_0} Q(\theta_K) = (I-\alpha H_0)(I-\alpha H_1)\cdots(I-\alpha H_{K-1})\,\nabla Q(\theta_K)

    Computed from the right, so that only Hessian-vector products are needed and no d × d matrix is
    multiplied: :math:`v_K = \nabla Q(\theta_K)`, :math:`v_{i-1} = v_i - \alpha H_{i-1} v_i`.

    Parameters
    ----------
    losses : list of losses
        :math:`L_1 \dots L_K`, the support loss of each inner step, with ``.linearize``.
    query : loss
        :math:`Q`, with ``.gradient``, which is called once, at :math:`\theta_K`.
    theta : sympy.Matrix, shape (d, 1), or numpy.ndarray, shape (d,) or (tasks, d)
        :math:`\theta_0`; a batch of tasks needs losses that take one.
    alpha : number or sympy.Expr
        The inner step size, zero or positive.

    Returns
    -------
    sympy.Matrix or numpy.ndarray
        Shaped like theta.

    Raises
    ------
    TypeError, ValueError
        Whatever is not as above; the message says what to pass instead.

    References
    ----------
    Finn, Abbeel and Levine, Model-Agnostic Meta-Learning, 2017 (arXiv 1703.03400).

    Examples
    --------
    >>> from mathlib import quadratic
    >>> bowl = quadratic(np.diag([1.0, 4.0]), np.zeros(2))
    >>> maml_gradient([bowl], bowl, np.ones(2), 0.1)
    array([0.81, 1.44])
    """
    losses = require_losses(losses, "linearize", caller="maml_gradient")
    require_loss(query, "query", "gradient", caller="maml_gradient")
    alpha = _require_theta_and_alpha(theta, alpha)
    hessian_vector_products = []
    for loss in losses:
        gradient, hvp = loss.linearize(theta)
        theta = theta - alpha * gradient
        hessian_vector_products.append(hvp)
    v = query.gradient(theta)
    for hvp in reversed(hessian_vector_products):
        v = v - alpha * hvp(v)
    return v


def fomaml_gradient(losses: Sequence[HasGradient], query: HasGradient, theta: Theta, alpha: StepSize) -> Theta:
    r"""First-order MAML: :math:`\nabla Q(\theta_K)`, every factor :math:`I - \alpha H_i` replaced by I.

    Parameters and Returns as in `maml_gradient`.

    Examples
    --------
    >>> from mathlib import quadratic
    >>> bowl = quadratic(np.diag([1.0, 4.0]), np.zeros(2))
    >>> fomaml_gradient([bowl], bowl, np.ones(2), 0.1)
    array([0.9, 2.4])
    """
    require_loss(query, "query", "gradient", caller="fomaml_gradient")
    return query.gradient(inner_loop(losses, theta, alpha)[-1])


def reptile_gradient(losses: Sequence[HasGradient], theta: Theta, alpha: StepSize) -> Theta:
    r"""Reptile: the sum of the gradients met on the way, :math:`\sum_i \nabla L_i(\theta_{i-1})`.

    It equals :math:`(\theta_0 - \theta_K)/\alpha`, without the division. The Reptile paper's k
    gradients count the query's as the last: pass ``[*losses, query]``.

    Parameters as in `inner_loop`.

    Returns
    -------
    same as theta
        The direction, shaped like theta.

    References
    ----------
    Nichol, Achiam and Schulman, On First-Order Meta-Learning Algorithms, 2018 (arXiv 1803.02999).

    Examples
    --------
    >>> from mathlib import quadratic
    >>> reptile_gradient([quadratic(np.eye(1), np.zeros(1))] * 2, np.array([8.0]), 0.5)
    array([12.])
    """
    trajectory = inner_loop(losses, theta, alpha)
    gradients = [loss.gradient(theta_i) for loss, theta_i in zip(losses, trajectory[:-1], strict=True)]
    return sum(gradients, start=0 * theta)


def inner_optimum(loss: HasGradientAndLinearize, theta: Array, strength: float) -> Array:
    r"""iMAML's inner optimum, :math:`\arg\min_\varphi\; L(\varphi) + \frac\lambda2 \|\varphi - \theta\|^2`.

    Newton's method on the gradient of this function, started at :math:`\theta`. Its steps

    .. math::
        \varphi \leftarrow \varphi - t\, \Bigl(I + \frac1\lambda \nabla^2 L(\varphi)\Bigr)^{-1}
        \Bigl(\varphi - \theta + \frac1\lambda \nabla L(\varphi)\Bigr), \qquad t = 1, \tfrac12, \tfrac14, \dots

    are halved until the gradient is shorter than before. Every matrix in brackets that it meets has to be positive
    definite. That is so if L is convex, or if `strength` is larger than minus the least eigenvalue of its Hessian
    anywhere; the optimum is then the only one.

    Parameters
    ----------
    loss : loss
        The support loss L, with ``.gradient`` and ``.linearize``.
    theta : numpy.ndarray, shape (d,)
        The start, and the centre of the pull.
    strength : float
        :math:`\lambda > 0`.

    Returns
    -------
    numpy.ndarray, shape (d,)
        A point whose gradient, divided by strength, is at most :math:`\sqrt\varepsilon` times
        :math:`\|\theta\| + \|\varphi\|` long, :math:`\varepsilon` the machine epsilon of theta's dtype. Newton's method
        aims at 100 :math:`\varepsilon`, and stops before where rounding lets the gradient shrink no further.

    Raises
    ------
    ArithmeticError
        A matrix that is not positive definite or too badly conditioned, or no convergence within 50 steps.
    TypeError, ValueError
        Whatever is not as above; the message says what to pass instead.

    References
    ----------
    Rajeswaran, Finn, Kakade and Levine, Meta-Learning with Implicit Gradients, 2019 (arXiv 1909.04630).

    Examples
    --------
    >>> from mathlib import quadratic
    >>> inner_optimum(quadratic(np.diag([1.0, 3.0]), np.zeros(2)), np.array([2.0, 4.0]), strength=1.0)
    array([1., 1.])
    """
    strength = _require_point_and_strength(theta, "theta", strength)
    require_loss(loss, "loss", "gradient", "linearize", caller="inner_optimum")

    def pull(phi: Array) -> Array:
        return phi - theta + loss.gradient(phi) / strength

    epsilon = np.finfo(theta.dtype).eps
    phi = theta
    left = pull(theta)
    for _ in range(NEWTON_STEPS):
        if _length(left) <= 100 * epsilon * (_length(theta) + _length(phi)):
            break
        shorter = _shorten(pull, phi, _solve_bracket(loss, phi, strength, left), _length(left))
        if shorter is None:
            break
        phi, left = shorter
    allowed = math.sqrt(epsilon) * (_length(theta) + _length(phi))
    if not _length(left) <= allowed:
        raise NoSolution(
            f"Newton's method stopped where the gradient of the inner problem, divided by strength, is"
            f" {_length(left):.1g} long; expected at most {allowed:.1g}. Take a larger strength, or check that"
            " loss.linearize multiplies with the derivative of loss.gradient."
        )
    return phi


def implicit_gradient(loss: HasLinearize, query: HasGradient, phi: Array, strength: float) -> Array:
    r"""iMAML's meta-gradient :math:`(I + \nabla^2 L(\varphi)/\lambda)^{-1}\, \nabla Q(\varphi)`.

    Here :math:`\varphi` minimises :math:`L(\varphi) + \frac\lambda2 \|\varphi - \theta\|^2`, see `inner_optimum`, and
    `strength` is :math:`\lambda`. Solved by conjugate gradients on Hessian-vector products; the matrix in brackets has
    to be positive definite, which it is at every inner minimum that is not degenerate.

    Parameters
    ----------
    loss, query : losses
        The support loss L, with ``.linearize``, and the query loss Q, with ``.gradient``.
    phi : numpy.ndarray, shape (d,)
        The inner optimum; if it is only near one, the answer is only near the gradient.
    strength : float
        :math:`\lambda > 0`.

    Returns
    -------
    numpy.ndarray, shape (d,)

    Raises
    ------
    ArithmeticError
        Conjugate gradients met a direction of no positive curvature, or their answer does not hold. They look along
        the directions they walk and no others, so a saddle can stay unnoticed.

    Notes
    -----
    With M for the matrix in brackets and g for the answer, the residual :math:`r = \nabla Q - M g` is computed afresh:
    the one that conjugate gradients carry along goes on falling where rounding keeps the true one up. The error of g
    is at most :math:`\|r\| / \nu`, with :math:`\nu` the least eigenvalue of M. For it stands here the least curvature
    :math:`v^T M v / v^T v` of the directions walked, so this is an estimate. Where it is over
    :math:`\sqrt\varepsilon\,\|g\|`, half the digits of phi's dtype, the answer is refused. Rounding in the products
    alone makes the residual about :math:`\varepsilon \|M\| \|g\|`. So in double precision an M with a condition number
    far below :math:`10^8` is solved, and one far above it is refused, unless its products round less: those of a
    diagonal matrix are exact to :math:`\varepsilon` in each component.

    In exact arithmetic d products are enough. Rounding makes conjugate gradients meet eigenvalues again, so 100 d are
    allowed.

    References
    ----------
    Rajeswaran, Finn, Kakade and Levine, Meta-Learning with Implicit Gradients, 2019 (arXiv 1909.04630).

    Examples
    --------
    >>> from mathlib import quadratic
    >>> bowl = quadratic(np.diag([1.0, 4.0]), np.zeros(2))
    >>> implicit_gradient(bowl, bowl, np.ones(2), strength=1.0)
    array([0.5, 0.8])
    """
    strength = _require_point_and_strength(phi, "phi", strength)
    require_loss(query, "query", "gradient", caller="implicit_gradient")
    require_loss(loss, "loss", "linearize", caller="implicit_gradient")
    return _solve_bracket(loss, phi, strength, query.gradient(phi))


def _solve_bracket(loss: HasLinearize, phi: Array, strength: float, q: Array) -> Array:
    """The solution g of (I + H/strength) g = q, H the loss's Hessian at phi, if its residual holds."""
    hvp = loss.linearize(phi)[1]
    curvatures: list[float] = []

    def bracket(v: Array) -> Array:
        image = v + hvp(v) / strength
        if v @ v > 0:
            curvatures.append(_require_positive((v @ image) / (v @ v)))
        return image

    epsilon = np.finfo(phi.dtype).eps
    matrix = LinearOperator((phi.size,) * 2, bracket, dtype=phi.dtype)
    solution, _ = cg(matrix, q, rtol=epsilon, maxiter=100 * phi.size)
    error = _length(q - bracket(solution)) / min(curvatures, default=1)
    allowed = math.sqrt(epsilon) * _length(solution)
    if not error <= allowed:
        raise NoSolution(
            f"conjugate gradients stopped at a solution {_length(solution):.1g} long whose residual means an error of"
            f" about {error:.1g}; expected at most {allowed:.1g}, half the digits of {phi.dtype}. Either I + H/strength"
            " is too badly conditioned: take a larger strength. Or loss.linearize does not multiply with a symmetric"
            " matrix: compare it with differences of loss.gradient."
        )
    return solution


def _shorten(
    function: Callable[[Array], Array], phi: Array, step: Array, length: np.floating[Any]
) -> tuple[Array, Array] | None:
    """The first of phi − step, phi − step/2, … at which the function's value is shorter, with this value; or None."""
    for halvings in range(30):
        part = 0.5**halvings
        value = function(phi - part * step)
        # A Newton step shortens the value by `part` of its length to first order; ask for a quarter of that.
        if np.linalg.norm(value) <= (1 - part / 4) * length:
            return phi - part * step, value
    return None


def _require_positive(curvature: float) -> float:
    if not math.isfinite(curvature):
        raise NoSolution(
            "a product with I + H/strength at phi is not finite; expected numbers. Look at loss.linearize there, or for"
            " an inner loop that has diverged."
        )
    if curvature <= 0:
        raise NoSolution(
            "I + H/strength is not positive definite at phi, so phi is no inner minimum, or a degenerate one:"
            " solve the inner problem first, or take a larger strength."
        )
    return curvature


def _length(vector: Array) -> np.floating[Any]:
    return np.linalg.norm(vector)


def _require_point_and_strength(point: object, name: str, strength: Any) -> float:
    """Raise unless `point` is one task's parameters and `strength` a positive number; return it as a float."""
    point = require_array(point, name)
    if point.ndim != 1:
        raise WrongValue(f"{name} has shape {point.shape}; expected one task's parameters, shape (d,).")
    real = isinstance(strength, numbers.Real) and not isinstance(strength, bool)
    if not (real and math.isfinite(strength) and strength > 0):
        raise WrongValue(f"strength is {strength!r}; expected a positive number, iMAML's lambda.")
    return float(strength)


def _require_theta_and_alpha(theta: Any, alpha: object, allow_complex: bool = False) -> Any:
    if not is_symbolic(theta):
        require_array(theta, allow_complex=allow_complex)
    return require_step_size(alpha, theta)


def _identity(theta: Theta) -> Theta:
    return sympy.eye(theta.rows) if is_symbolic(theta) else np.eye(theta.shape[-1], dtype=theta.dtype)
