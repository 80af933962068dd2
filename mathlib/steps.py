r"""Inner steps of any kind, and the way back through them.

A step is a function of the point, of the gradient met there, and of whatever the loop remembers:

.. math::
    (\theta_i, m_i) = F(\theta_{i-1}, n_i, m_{i-1}), \qquad n_i = \nabla L_i(\theta_{i-1})

A change of :math:`\theta_{i-1}` passes it in two ways, straight on and by the gradient. With S the Jacobian of F
while the gradient is held, and G the Jacobian with respect to the gradient, an adjoint w of the state goes back as

.. math::
    S^T w, \qquad \text{and}\quad H_{i-1} G^T w \quad\text{is added to its part for}\ \theta

So every step costs one Hessian-vector product on the way back. The step is written once, as a few lines of
arithmetic: on arrays of numbers they run, and on arrays of symbols SymPy differentiates them.
"""

import numpy as np
import sympy

from mathlib.errors import WrongType, WrongValue
from mathlib.inputs import require_loss, require_losses

__all__ = ["carry_back", "run_steps", "split_jacobian"]


def run_steps(step, losses, theta, *memory, **settings):
    r"""Run an inner loop of any kind of step.

    Parameters
    ----------
    step : callable
        ``step(theta, n, *memory, **settings)`` returns the new theta, or the tuple (theta, \*memory). Arithmetic,
        powers, ``@`` and ``abs`` work on numbers and on symbols.
    losses : list of losses
        :math:`L_1 \dots L_K`, one for each step.
    theta : numpy.ndarray, shape (d,)
        :math:`\theta_0`: numbers, or SymPy expressions, ``np.array([x, y])``. Complex numbers are allowed here, for
        the complex step.
    *memory : numpy.ndarray, shape (m,)
        What the loop remembers, before the first step; a momentum, say.
    **settings
        What the step is called with besides: step sizes, decay rates.

    Returns
    -------
    list of tuple
        The states (theta, \*memory) before and after each step, K + 1 of them.

    Raises
    ------
    TypeError, ValueError
        A state that is no array, or a step that returns parts of other shapes than it was given.

    Examples
    --------
    >>> from mathlib import quadratic
    >>> def heavy_ball(theta, n, m, alpha, mu):
    ...     m = mu * m + n
    ...     return theta - alpha * m, m
    >>> bowl = quadratic(np.eye(1), np.zeros(1))
    >>> run_steps(heavy_ball, [bowl] * 2, np.array([8.0]), np.zeros(1), alpha=0.5, mu=0.5)[-1]
    (array([0.]), array([8.]))
    """
    losses = require_losses(losses, "gradient", caller="run_steps")
    state = _require_state(step, theta, *memory)
    states = [state]
    for loss in losses:
        state = _take(step, _gradient(loss, state[0]), state, settings)
        states.append(state)
    return states


def split_jacobian(step, theta, n, *memory, **settings):
    r"""Both ways through one step: S, with the gradient held, and G, with respect to the gradient.

    The Jacobian of the step on a loss with Hessian H is S, with G H added to the columns of theta.

    Parameters
    ----------
    step, **settings
        As in `run_steps`.
    theta, n, *memory : numpy.ndarray of sympy.Symbol
        The point, the gradient and the memory, each symbol once.

    Returns
    -------
    S : sympy.Matrix, shape (s, s)
        The state has s components: those of theta, then the memory's.
    G : sympy.Matrix, shape (s, d)

    Examples
    --------
    >>> theta, n, m = (np.array([sympy.Symbol(name)]) for name in ("theta", "n", "m"))
    >>> alpha, mu = sympy.symbols("alpha mu")
    >>> split_jacobian(lambda theta, n, m: (theta - alpha * (mu * m + n), mu * m + n), theta, n, m)
    (Matrix([
    [1, -alpha*mu],
    [0,        mu]]), Matrix([
    [-alpha],
    [     1]]))
    """
    state = _require_state(step, theta, *memory)
    after = sympy.Matrix(np.concatenate(_take(step, n, state, settings)))
    return after.jacobian(sympy.Matrix(np.concatenate(state))), after.jacobian(sympy.Matrix(n))


def carry_back(step, losses, query, theta, *memory, **settings):
    r"""The meta-gradient :math:`\nabla_{\theta_0} Q(\theta_K)` through any kind of step, by one reverse pass.

    .. math::
        w_K = (\nabla Q(\theta_K), 0), \qquad
        w_{i-1} = S_i^T w_i + \begin{pmatrix} H_{i-1} \\ 0 \end{pmatrix} G_i^T w_i

    SymPy derives :math:`S^T w` and :math:`G^T w` from the step's code. The memory before the first step is taken for
    a constant. Parameters as in `run_steps`.

    Parameters
    ----------
    query : loss
        :math:`Q`, asked once, at :math:`\theta_K`.

    Returns
    -------
    numpy.ndarray, shape (d,)
        Of numbers, or of expressions where theta holds symbols.

    Examples
    --------
    >>> from mathlib import quadratic
    >>> bowl = quadratic(np.diag([1.0, 4.0]), np.zeros(2))
    >>> carry_back(lambda theta, n, alpha: theta - alpha * n, [bowl], bowl, np.ones(2), alpha=0.1)
    array([0.81, 1.44])
    """
    losses = require_losses(losses, "linearize", caller="carry_back")
    require_loss(query, "query", "gradient", caller="carry_back")
    state = _require_state(step, theta, *memory)
    pull_back = _derive(step, state, settings)
    tape = []
    for loss in losses:
        gradient, hvp = _linearize(loss, state[0])
        tape.append((state, gradient, hvp))
        state = _take(step, gradient, state, settings)
    d = len(theta)
    w = np.concatenate(state) * 0
    w[:d] = _gradient(query, state[0])
    for state, gradient, hvp in reversed(tape):
        straight_on, by_gradient = pull_back(state, gradient, w)
        w = straight_on
        w[:d] += hvp(by_gradient)
    return w[:d]


def _derive(step, state, settings):
    """The function (state, n, w) ↦ (Sᵀw, Gᵀw) of one step, for numbers or for expressions as they come."""
    sizes = [len(part) for part in (state[0], *state)]
    n, *parts = (np.array([sympy.Dummy(real=True) for _ in range(size)]) for size in sizes)
    before = np.concatenate(parts)
    w = np.array([sympy.Dummy(real=True) for _ in before])
    weighted = np.concatenate(_take(step, n, tuple(parts), settings)) @ w
    letters = [*before, *n, *w]
    slopes = [weighted.diff(letter) for letter in (*before, *n)]
    in_numbers = sympy.lambdify(letters, slopes, "numpy", cse=True)

    def pull_back(state, gradient, w):
        values = np.concatenate([*state, gradient, w])
        if values.dtype == object:
            known = dict(zip(letters, map(sympy.sympify, values), strict=True))
            both = np.array([slope.xreplace(known) for slope in slopes])
        else:
            both = np.array(in_numbers(*values), dtype=values.dtype)
        return both[: len(before)], both[len(before) :]

    return pull_back


def _take(step, gradient, state, settings):
    """The state after a step, as a tuple of arrays shaped as before."""
    theta, *memory = state
    after = step(theta, gradient, *memory, **settings)
    after = after if isinstance(after, tuple) else (after,)
    shapes = [np.shape(part) for part in after]
    expected = [part.shape for part in state]
    if shapes != expected:
        raise WrongValue(
            f"the step returned parts of shapes {shapes}; expected {expected}, the new theta and then each memory in"
            f" the order of the arguments."
        )
    return tuple(_exact(part) if part.dtype == object else part for part in after)


def _gradient(loss, theta):
    """The gradient at a point, as an array of numbers or of expressions."""
    return np.ravel(loss.gradient(sympy.Matrix(theta))) if theta.dtype == object else loss.gradient(theta)


def _linearize(loss, theta):
    """The gradient at a point and v ↦ H v, as arrays of numbers or of expressions."""
    if theta.dtype != object:
        return loss.linearize(theta)
    gradient, hvp = loss.linearize(sympy.Matrix(theta))
    return np.ravel(gradient), lambda v: np.ravel(hvp(sympy.Matrix(v)))


def _exact(part):
    """Expressions with exact numbers: 0.5 becomes 1/2, which evaluates to 0.5 again."""
    column = sympy.Matrix(part)
    return np.ravel(column.xreplace({x: sympy.Rational(repr(float(x))) for x in column.atoms(sympy.Float)}))


def _require_state(step, *state):
    if not callable(step):
        raise WrongType(
            f"the step is a {type(step).__name__}; expected a function of theta, the gradient and the memory."
        )
    for part in state:
        if not isinstance(part, np.ndarray) or part.ndim != 1 or part.dtype.kind not in "fcO":
            raise WrongType(
                f"a part of the state is {part!r}, a {type(part).__name__}; expected a NumPy array of one axis, of"
                f" floats or of symbols, such as np.array([x, y])."
            )
    return state
