"""What a point is, and what a loss is asked for: the types in the signatures of the public functions.

Any object is a loss if it has the methods that its caller asks for; it need not inherit from what stands here.
"""

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

import sympy
from numpy.typing import NDArray

# Floating numbers, of the dtype that the caller chose.
Array: TypeAlias = NDArray[Any]
# A point, or a vector there: in NumPy (d,), or (tasks, d) for a batch of tasks; in SymPy a column.
Theta: TypeAlias = Array | sympy.MatrixBase
# Of a loss at a point: a number, one for each task, or an expression.
Value: TypeAlias = Array | float | sympy.Expr
# alpha, which is an expression only where theta is symbolic.
StepSize: TypeAlias = float | sympy.Expr
# v ↦ H v.
Product: TypeAlias = Callable[[Theta], Theta]

# A loss need not take every kind of point: a network's takes numbers alone. So theta is Any below.


class HasValue(Protocol):
    def value(self, theta: Any, /) -> Value:
        """L(θ)."""


class HasGradient(Protocol):
    def gradient(self, theta: Any, /) -> Theta:
        """∇L(θ), shaped like θ."""


class HasHessian(Protocol):
    def hessian(self, theta: Any, /) -> Theta:
        """H = ∇²L(θ), d × d."""


class HasLinearize(Protocol):
    def linearize(self, theta: Any, /) -> tuple[Theta, Product]:
        """∇L(θ), and the function v ↦ H v."""


class HasGradientAndHessian(HasGradient, HasHessian, Protocol):
    """What the Jacobian of an inner loop takes: a step, and its derivative."""


class HasGradientAndLinearize(HasGradient, HasLinearize, Protocol):
    """What Newton's method takes."""


class LossLike(HasValue, HasGradient, HasHessian, HasLinearize, Protocol):
    """A loss with all its methods, which every function takes."""
