"""Figures of notebook 01: a meta-loss of one number, and what a step does to the distances between starts."""

import numpy as np

from mathlib.figures.drawing import add_label, printed
from mathlib.figures.picture import FOMAML, MAML, NEUTRAL, picture
from mathlib.meta_gradients import fomaml_gradient, maml_gradient, meta_loss

__all__ = ["meta_loss_and_tangent", "starts_and_ends"]


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


@picture(size=(7.2, 3.0))
def starts_and_ends(figure, starts, ends):
    """Two number lines: starts below, where one step takes them above, and a line from each to its own."""
    axes = figure.add_axes((0.12, 0.22, 0.85, 0.72))
    middle = len(starts) // 2
    for k, (start, end) in enumerate(zip(starts, ends, strict=True)):
        style = MAML if k == middle else {"color": NEUTRAL, "linewidth": 1}
        axes.plot([start, end], [0, 1], **style)
    axes.plot(starts, np.zeros_like(starts), "o", color="black", zorder=3)
    axes.plot(ends, np.ones_like(ends), "o", color="black", zorder=3)
    low, high = min(starts.min(), ends.min()), max(starts.max(), ends.max())
    margin = 0.08 * (high - low)
    axes.set(xlim=(low - margin, high + margin), ylim=(-0.3, 1.3), xlabel="parameter")
    axes.set_yticks([0, 1], labels=[r"start $\theta$", r"end $\theta_1$"])
    axes.tick_params(axis="y", length=0)
    add_label(axes, (starts[middle], 0), (0, -16), f"{starts[middle]:.3g}", MAML["color"], "center")
    add_label(axes, (ends[middle], 1), (0, 16), f"{ends[middle]:.3g}", MAML["color"], "center")
    before, after = starts[-1] - starts[0], ends[-1] - ends[0]
    turned = " The order is turned round." if before * after < 0 else ""
    return (
        f"The step takes {starts[middle]:.3g} to {ends[middle]:.3f}; starts {abs(before):.2f} apart end"
        f" {abs(after):.3f} apart, {abs(after / before):.2f} times as far.{turned}"
    )
