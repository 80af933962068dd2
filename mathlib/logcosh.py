"""log cosh for the logistic loss: exact derivatives in symbols, and in numbers code that overflows nowhere."""

from typing import Any

import numpy as np
import sympy


def _numbers(z: Any) -> Any:
    """log cosh z = |z| + log(1 + e^(−2|z|)) − log 2, where |z| takes the sign from the real part."""
    z = np.where(np.real(z) < 0, -z, z)[()]
    return z + np.log1p(np.exp(-2 * z)) - np.log(2.0).astype(np.real(z).dtype)


class logcosh(sympy.Function):
    """log cosh z, which overflows nowhere: its derivative is tanh z, and its code is analytic."""

    nargs = 1
    _imp_ = staticmethod(_numbers)  # where SymPy's lambdify looks for a function's code

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return sympy.tanh(self.args[0])

    def _eval_evalf(self, prec: int) -> sympy.Expr:
        return sympy.log(sympy.cosh(self.args[0])).evalf(sympy.core.evalf.prec_to_dps(prec))

    def _latex(self, printer: Any) -> str:
        return rf"\log\cosh\left({printer._print(self.args[0])}\right)"
