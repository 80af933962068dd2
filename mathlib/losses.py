"""Losses that answer for their value, gradient and Hessian, in symbols and in numbers.

A loss is asked at a point. Give it a SymPy column and it answers with expressions; give it a NumPy
array and it answers with numbers. The formulas of the collection are written once, on top of this.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import sympy
from sympy.core.function import AppliedUndef

from mathlib.contracts import Product, Theta, Value
from mathlib.errors import WrongType, WrongValue
from mathlib.inputs import is_symbolic, require_array, require_point
from mathlib.logcosh import logcosh


class Loss:
    r"""A smooth real function of the parameters, :math:`L(\theta)`, from a SymPy expression.

    Parameters
    ----------
    expression : sympy.Expr
        A scalar expression.
    variables : sequence of sympy.Symbol
        The d components of theta, in order. Any other symbol is a constant; it has to be given a
        value (``expression.subs``) before the loss can be evaluated at numbers.

    Raises
    ------
    TypeError
        The expression is no scalar, or a variable is no symbol.
    ValueError
        No variables, or one of them twice.

    Examples
    --------
    >>> x, y = sympy.symbols("x y")
    >>> loss = Loss(x**2 * y, [x, y])
    >>> loss.gradient(np.array([1.0, 3.0]))
    array([6., 1.])
    >>> loss.gradient(sympy.Matrix([x, y])).T
    Matrix([[2*x*y, x**2]])
    """

    def __init__(self, expression: sympy.Expr | float, variables: Sequence[sympy.Symbol]) -> None:
        if not isinstance(expression, (sympy.Expr, int, float)) or isinstance(expression, sympy.MatrixExpr):
            raise WrongType(
                f"the expression is a {type(expression).__name__}; a loss is one number, so expected a scalar"
                f" SymPy expression. For a 1 x 1 matrix pass its entry [0, 0]."
            )
        if isinstance(variables, (str, sympy.Symbol)):
            raise WrongType(f"variables is a {type(variables).__name__}; expected a list of symbols, such as [x, y].")
        variables = tuple(variables)
        if not variables or len(set(variables)) < len(variables):
            raise WrongValue(f"variables is {variables}; expected at least one symbol, each of them once.")
        for variable in variables:
            if not isinstance(variable, sympy.Symbol):
                raise WrongType(f"the variable {variable!r} is a {type(variable).__name__}; expected a SymPy Symbol.")
        self.expression = sympy.sympify(expression)
        self.variables = variables

    def __repr__(self) -> str:
        return f"Loss({self.expression}, {list(self.variables)})"

    def _repr_latex_(self) -> str:
        return rf"$\displaystyle {sympy.latex(self.expression)}$"

    def value(self, theta: Theta) -> Value:
        r"""L(theta): an expression or a number of theta's dtype. Complex theta, shape (d,), is allowed."""
        self._require_point(theta, allow_complex=True)
        return self._evaluate("value", theta)

    def gradient(self, theta: Theta) -> Theta:
        r""":math:`\nabla L(\theta)`, a column: (d, 1) in SymPy, (d,) in NumPy. Complex theta is allowed."""
        self._require_point(theta, allow_complex=True)
        return self._evaluate("gradient", theta)

    def hessian(self, theta: Theta) -> Theta:
        r""":math:`H = \nabla^2 L(\theta)`, shape (d, d), entry (j, k) the derivative of gradient j along k."""
        self._require_point(theta)
        return self._evaluate("hessian", theta)

    def linearize(self, theta: Theta) -> tuple[Theta, Product]:
        r"""Return the gradient at theta and the function v ↦ H v, with H taken there once.

        The closure holds H; that is the memory a backward pass needs for this step. A subclass with a gradient or a
        Hessian of its own needs a `linearize` of its own, too: this one calls neither method.

        Examples
        --------
        >>> gradient, hvp = rosenbrock(a=1, b=5).linearize(np.array([0.0, 0.0]))
        >>> hvp(np.array([1.0, 1.0]))
        array([ 2., 10.])
        """
        self._require_point(theta)
        hessian = self._evaluate("hessian", theta)
        return self._evaluate("gradient", theta), lambda v: hessian @ v

    def hvp(self, theta: Theta, v: Theta) -> Theta:
        r"""The Hessian-vector product :math:`\nabla^2 L(\theta)\, v`, shape like theta."""
        require_point(v, len(self.variables), "v")
        return self.linearize(theta)[1](v)

    @cached_property
    def _expressions(self) -> dict[str, Any]:
        gradient = sympy.Matrix([self.expression.diff(x) for x in self.variables])
        return {"value": self.expression, "gradient": gradient, "hessian": gradient.jacobian(self.variables)}

    @cached_property
    def _functions(self) -> dict[str, Any]:
        unknown = {f.name for f in self.expression.atoms(AppliedUndef)}
        unbound = self.expression.free_symbols - set(self.variables)
        if unknown or unbound:
            names = ", ".join(sorted(unknown | {s.name for s in unbound}))
            raise WrongValue(
                f"no number can be given to {names}: the loss is still symbolic there. Its variables are"
                f" {list(self.variables)}; replace the rest first, with expression.subs."
            )
        flat = {name: np.ravel(e).tolist() for name, e in self._expressions.items()}
        return {name: sympy.lambdify(self.variables, e, "numpy", cse=True) for name, e in flat.items()}

    def _require_point(self, theta: Theta, allow_complex: bool = False) -> None:
        require_point(theta, len(self.variables), allow_complex=allow_complex)

    def _evaluate(self, name: str, theta: Theta) -> Any:
        """The expression of that name at a point that has passed `_require_point`."""
        if is_symbolic(theta):
            return self._expressions[name].xreplace(dict(zip(self.variables, theta, strict=True)))
        d = len(self.variables)
        numbers = np.array(self._functions[name](*theta), dtype=theta.dtype)
        shapes: dict[str, tuple[int, ...]] = {"value": (), "gradient": (d,), "hessian": (d, d)}
        return numbers.reshape(shapes[name])[()]


def _exact(entries: Theta, name: str) -> sympy.Matrix:
    """A SymPy matrix of exactly the numbers given: 0.1 becomes 1/10, which evaluates to 0.1 again."""
    if isinstance(entries, np.ndarray):
        require_array(entries, name)
    if not isinstance(entries, (np.ndarray, sympy.MatrixBase)):
        raise WrongType(f"{name} is a {type(entries).__name__}; expected a NumPy array or a SymPy Matrix.")
    matrix = sympy.Matrix(entries.tolist())
    return matrix.applyfunc(lambda x: sympy.Rational(repr(float(x))) if x.is_Float else x)


def _components(d: int) -> tuple[sympy.Symbol, ...]:
    """x_1 … x_d; an index on theta itself counts the inner steps."""
    return sympy.symbols(f"x1:{d + 1}")


def quadratic(A: Theta, c: Theta) -> Loss:
    r"""The quadratic :math:`\tfrac12 (\theta - c)^T A\,(\theta - c)`, with Hessian A everywhere.

    Parameters
    ----------
    A : numpy.ndarray or sympy.Matrix, shape (d, d)
        Symmetric.
    c : numpy.ndarray, shape (d,), or sympy.Matrix, shape (d, 1)
        Where the gradient vanishes.

    Raises
    ------
    TypeError, ValueError
        Not arrays, not finite, of shapes that do not fit, or A not symmetric.

    Examples
    --------
    >>> quadratic(np.diag([2.0, 1.0]), np.zeros(2)).gradient(np.array([1.0, 1.0]))
    array([2., 1.])
    """
    A = _exact(A, "A")
    c = _exact(c, "c")
    d = A.rows
    if A.shape != (d, d) or c.shape != (d, 1):
        raise WrongValue(f"A has shape {A.shape} and c {c.shape}; expected a square A and a c of as many entries.")
    if A != A.T:
        raise WrongValue(f"A is not symmetric: {A.tolist()}. A Hessian is; pass (A + A.T) / 2.")
    x = sympy.Matrix(_components(d))
    return Loss(((x - c).T * A * (x - c))[0, 0] / 2, tuple(x))


def rosenbrock(a: Any = 1, b: Any = 100) -> Loss:
    r"""Rosenbrock's valley :math:`(a - x)^2 + b\,(y - x^2)^2`, with the minimum 0 at (a, a²).

    Its Hessians at two points do not commute, so a wrong order of factors shows.

    Examples
    --------
    >>> float(rosenbrock().value(np.array([1.0, 1.0])))
    0.0
    """
    x, y = sympy.symbols("x y")
    return Loss((a - x) ** 2 + b * (y - x**2) ** 2, (x, y))


def double_well() -> Loss:
    r"""The double well :math:`\tfrac14 (x^2 - 1)^2` in one number, with curvature :math:`3x^2 - 1`.

    Minima at ±1; the curvature is negative between ±1/√3.

    Examples
    --------
    >>> double_well().hessian(np.array([0.0]))
    array([[-1.]])
    """
    x = sympy.Symbol("x")
    return Loss((x**2 - 1) ** 2 / 4, (x,))


def logistic(inputs: Theta, labels: Theta) -> Loss:
    r"""Mean logistic loss :math:`\frac1n \sum_i \log(1 + e^{-y_i x_i^T \theta})`.

    Written with log(1 + e^−z) = log cosh(z/2) + log 2 − z/2, which overflows nowhere and is analytic code,
    fit for the complex step.

    Parameters
    ----------
    inputs : numpy.ndarray or sympy.Matrix, shape (n, d)
        One example a row.
    labels : numpy.ndarray, shape (n,), or sympy.Matrix, shape (n, 1)
        Each −1 or +1.

    Raises
    ------
    TypeError, ValueError
        Not arrays, other labels, or another number of labels than of examples.

    Examples
    --------
    >>> loss = logistic(np.array([[2.0, 0.0]]), np.array([1.0]))
    >>> loss.gradient(np.zeros(2))
    array([-1.,  0.])
    """
    inputs = _exact(inputs, "inputs")
    labels = _exact(labels, "labels")
    if labels.shape != (inputs.rows, 1) or not set(labels) <= {-1, 1}:
        raise WrongValue(
            f"labels is {labels.tolist()}; expected {inputs.rows} entries, one for each row of inputs, each -1 or +1."
        )
    variables = _components(inputs.cols)
    margins = sympy.matrix_multiply_elementwise(labels, inputs * sympy.Matrix(variables))
    return Loss(sum(logcosh(z / 2) + sympy.log(2) - z / 2 for z in margins) / inputs.rows, variables)
