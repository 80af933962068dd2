"""Figures of notebook 01: a meta-loss of one number."""

import numpy as np

from mathlib.figures.drawing import printed
from mathlib.figures.picture import FOMAML, MAML, NEUTRAL, picture
from mathlib.meta_gradients import fomaml_gradient, maml_gradient, meta_loss

__all__ = ["meta_loss_and_tangent", "two_starting_points"]


@picture()
def meta_loss_and_tangent(figure, loss, query, theta, alpha, span=(-0.2, 1.0)):
    """M(θ) = Q(θ − α∇L(θ)) with its tangent at θ, and the line of the first-order slope."""
    axes = figure.add_subplot()
    grid = np.linspace(*span, 300)
    M = np.array([meta_loss([loss], query, np.array([x]), alpha) for x in grid])
    at = np.array([theta])
    height = meta_loss([loss], query, at, alpha)
    (slope,) = maml_gradient([loss], query, at, alpha)
    (first_order,) = fomaml_gradient([loss], query, at, alpha)

    axes.plot(grid, M, color=NEUTRAL)
    reach = np.array([-0.35, 0.35]) * (span[1] - span[0])
    axes.plot(theta + reach, height + slope * reach, **MAML)
    axes.plot(theta + reach, height + first_order * reach, **FOMAML)
    axes.plot(theta, height, "o", color="black")
    axes.set(xlabel=r"starting point $\theta$", ylabel=r"query loss after one step, $M(\theta)$", xlim=span)
    margin = 0.12 * np.ptp(M)
    axes.set_ylim(M.min() - margin, M.max() + margin)
    axes.plot([], [], color=NEUTRAL, label=r"$M(\theta) = Q(\theta_1)$")
    axes.plot([], [], label=f"its tangent: slope {printed(slope)}", **MAML)
    axes.plot([], [], label=f"first-order slope {printed(first_order)}", **FOMAML)
    axes.legend()
    return (
        f"At θ = {theta:g} with α = {alpha:g} the meta-loss has slope {slope:.2f}, and its tangent touches the curve;"
        f" the first-order slope {first_order:.2f} belongs to a line that cuts through it."
    )


@picture()
def two_starting_points(figure, tasks, alpha, span=(-0.5, 1.5)):
    """The mean query loss of several tasks before adapting and after one inner step, each with its lowest point."""
    axes = figure.add_subplot()
    grid = np.linspace(*span, 401)
    lowest = []
    for steps, style, name in (
        (0, {"color": NEUTRAL, "linestyle": ":"}, "before adapting"),
        (1, MAML, "after one step"),
    ):
        mean = np.mean([[meta_loss([t] * steps, t, np.array([x]), alpha) for x in grid] for t in tasks], axis=0)
        best = grid[mean.argmin()]
        lowest.append(best)
        axes.plot(grid, mean, label=f"{name}: lowest at {best:.2f}", **style)
        axes.plot(best, mean.min(), "o", color=style["color"])
    axes.set(xlabel=r"starting point $\theta$", ylabel="mean loss over the tasks", xlim=span)
    axes.legend()
    return (
        f"The start with the lowest mean loss before adapting is θ = {lowest[0]:.2f}; the start with the lowest mean"
        f" loss after one inner step with α = {alpha:g} is θ = {lowest[1]:.2f}."
    )
