"""Figures of notebook 01: a meta-loss of one number, and what a step does to the distances between starts."""

import numpy as np

from mathlib.figures.drawing import add_label
from mathlib.figures.picture import MAML, NEUTRAL, picture

__all__ = ["starts_and_ends"]


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
    low = min(starts.min(), ends.min())
    high = max(starts.max(), ends.max())
    margin = 0.08 * (high - low)
    axes.set(xlim=(low - margin, high + margin), ylim=(-0.3, 1.3), xlabel="parameter")
    axes.set_yticks([0, 1], labels=[r"start $\theta$", r"end $\theta_1$"])
    axes.tick_params(axis="y", length=0)
    add_label(axes, (starts[middle], 0), (0, -16), f"{starts[middle]:.3g}", MAML["color"], "center")
    add_label(axes, (ends[middle], 1), (0, 16), f"{ends[middle]:.3g}", MAML["color"], "center")
    before = starts[-1] - starts[0]
    after = ends[-1] - ends[0]
    turned = " The order is turned round." if before * after < 0 else ""
    return (
        f"The step takes {starts[middle]:.3g} to {ends[middle]:.3f}; starts {abs(before):.2f} apart end"
        f" {abs(after):.3f} apart, {abs(after / before):.2f} times as far.{turned}"
    )
