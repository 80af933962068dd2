"""Meta-gradients, written once for symbols and numbers, and the means to check them."""

from mathlib.checks import CheckFailed, check, refute
from mathlib.diagnose import diagnose
from mathlib.exercises import check_answer
from mathlib.finite_differences import (
    Estimate,
    complex_step,
    finite_difference_directional,
    finite_difference_gradient,
    finite_difference_jacobian,
)
from mathlib.foreign import loss_from
from mathlib.function_check import diagnose_function
from mathlib.losses import Loss, double_well, logistic, quadratic, rosenbrock
from mathlib.meta_gradients import (
    fomaml_gradient,
    implicit_gradient,
    inner_loop,
    inner_optimum,
    maml_gradient,
    meta_loss,
    reptile_gradient,
    step_jacobian,
    unrolled_jacobian,
)
from mathlib.mistakes import MISTAKES, wrong_gradients
from mathlib.networks import MLP
from mathlib.slips import SLIPS
from mathlib.unknown import any_loss

__all__ = [
    "MISTAKES",
    "MLP",
    "SLIPS",
    "CheckFailed",
    "Estimate",
    "Loss",
    "any_loss",
    "check",
    "check_answer",
    "complex_step",
    "diagnose",
    "diagnose_function",
    "double_well",
    "finite_difference_directional",
    "finite_difference_gradient",
    "finite_difference_jacobian",
    "fomaml_gradient",
    "implicit_gradient",
    "inner_loop",
    "inner_optimum",
    "logistic",
    "loss_from",
    "maml_gradient",
    "meta_loss",
    "quadratic",
    "refute",
    "reptile_gradient",
    "rosenbrock",
    "step_jacobian",
    "unrolled_jacobian",
    "wrong_gradients",
]
