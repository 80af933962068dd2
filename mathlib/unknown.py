"""Losses about which nothing is known: what is proved for them is proved for every smooth loss."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import sympy
from sympy.core.function import AppliedUndef

from mathlib.errors import WrongType
from mathlib.losses import Loss


class UnknownFunction(AppliedUndef):
    """A function about which nothing is known but that it is smooth. Made by `any_loss`.

    For SymPy, too, it is a function without a formula; so `Loss` finds it, and refuses to put numbers in.
    """


@cache
def _partial_derivative(name: str, orders: tuple[int, ...]) -> type[UnknownFunction]:
    """The class of one partial derivative of `name`: differentiated orders[j] times along argument j.

    One class for each multi-index, so mixed partials are symmetric by construction; and its own
    derivative is again such a class of the same arguments, so SymPy's chain rule needs no more.
    """

    def fdiff(self: UnknownFunction, argindex: int = 1) -> UnknownFunction:
        raised = tuple(n + (j == argindex) for j, n in enumerate(orders, start=1))
        return _partial_derivative(name, raised)(*self.args)

    def _latex(self: UnknownFunction, printer: Any, exp: str | None = None) -> str:
        index = " ".join(str(j) for j, n in enumerate(orders, start=1) for _ in range(n))
        symbol = printer._print(sympy.Symbol(name))
        if len(orders) == 1:
            symbol += "'" * orders[0]
        elif index:
            symbol = rf"\partial_{{{index}}} {symbol}"
        if not all(argument.is_Symbol for argument in self.args):
            symbol += rf"\left({', '.join(map(printer._print, self.args))}\right)"
        return symbol if exp is None else rf"\left({symbol}\right)^{{{exp}}}"

    members = {"nargs": len(orders), "fdiff": fdiff, "_latex": _latex, "name": name, "orders": orders}
    return type(f"{name}_{''.join(map(str, orders))}", (UnknownFunction,), members)


def any_loss(name: str, variables: Sequence[sympy.Symbol]) -> Loss:
    """A loss about which nothing is known but that it is smooth.

    What is proved for it is proved for every smooth loss of that many variables: its partial
    derivatives are undefined functions, and no relation holds between them but symmetry.

    Parameters
    ----------
    name : str
        How it is printed; two names are two independent losses.
    variables : sequence of sympy.Symbol
        The d components of theta.

    Returns
    -------
    Loss
        For symbols only; at numbers it raises ValueError.

    Examples
    --------
    >>> x, y = sympy.symbols("x y")
    >>> any_loss("L", [x, y]).hessian(sympy.Matrix([x, y]))[0, 1]
    L_11(x, y)
    """
    if not isinstance(name, str) or not name:
        raise WrongType(f"the name is {name!r}; expected a text such as 'L'.")
    variables = tuple(variables)
    return Loss(_partial_derivative(name, (0,) * len(variables))(*variables), variables)
