"""Figures of notebook 15: how far the misread products are off, and where first-order MAML comes to rest."""

import numpy as np

from mathlib.figures.drawing import line_zero, relative_error
from mathlib.figures.picture import FOMAML, MAML, NEUTRAL, picture
from mathlib.meta_gradients import fomaml_gradient, maml_gradient
from mathlib.mistakes import after_the_step, query_hessian, reversed_order

__all__ = ["misread_products", "two_resting_points"]

READINGS = {
    "the query's Hessian": (query_hessian, {"color": "#CC79A7", "linestyle": (0, (6, 2))}),
    "$H$ after the step": (after_the_step, {"color": "#56B4E9", "linestyle": "-"}),
    "reversed order": (reversed_order, {"color": "black", "linestyle": "-."}),
}


@picture()
def misread_products(figure, losses, query, theta, alpha):
    """The relative error of three misread products, for step sizes up to alpha."""
    axes = figure.add_subplot()
    figure.subplots_adjust(left=0.14)
    rates = np.geomspace(alpha / 100, alpha, 41)
    exact = [maml_gradient(losses, query, theta, rate) for rate in rates]
    last, slopes = [], []
    for name, (reading, style) in READINGS.items():
        gaps = [relative_error(reading(losses, query, theta, rate), g) for rate, g in zip(rates, exact, strict=True)]
        axes.loglog(rates, gaps, label=name, **style)
        axes.plot(rates[-1], gaps[-1], "o", color=style["color"])
        last.append(gaps[-1])
        slopes.append(np.log10(gaps[10] / gaps[0]) / np.log10(rates[10] / rates[0]))
    axes.set(xlabel=r"inner step size $\alpha$", ylabel=r"relative error $\|\mathrm{wrong} - g\| / \|g\|$")
    axes.autoscale_view()
    for line, slope in zip(axes.lines[::2], slopes, strict=True):  # every second one is a dot
        ends = axes.transData.transform(line.get_xydata()[[2, 12]])
        angle = np.degrees(np.arctan2(*(ends[1] - ends[0])[::-1]))
        axes.annotate(
            f"{line.get_label()}: slope {slope:.1f}",
            line.get_xydata()[2],
            xytext=(-3, 5),
            textcoords="offset points",
            rotation=angle,
            rotation_mode="anchor",
        )
    return (
        f"At α = {alpha:g} the query's Hessian is off by {last[0]:.2f} of the meta-gradient, the Hessian after the step"
        f" by {last[1]:.2f} and the reversed order by {last[2]:.2f}; for small α the three errors shrink with slopes"
        f" {slopes[0]:.1f}, {slopes[1]:.1f} and {slopes[2]:.1f}."
    )


@picture()
def two_resting_points(figure, tasks, r, alpha, span=(0, 9)):
    """The mean MAML and first-order gradients of several tasks of one parameter, and where each of them vanishes."""
    axes = figure.add_subplot()
    grid = np.linspace(*span, 181)
    zeros = []
    for gradient, style, name in ((maml_gradient, MAML, "MAML, $M'$"), (fomaml_gradient, FOMAML, "FOMAML")):
        mean = np.mean([[gradient([task] * r, task, np.array([x]), alpha)[0] for x in grid] for task in tasks], axis=0)
        zeros.append(line_zero(grid, mean))
        axes.plot(grid, mean, label=f"{name}: zero at {zeros[-1]:.2f}", **style)
        axes.plot(zeros[-1], 0, "o", color=style["color"])
        if gradient is maml_gradient:
            line = mean
    left = np.interp(zeros[1], grid, line)
    axes.axhline(0, color=NEUTRAL, linewidth=1)
    axes.plot([zeros[1]] * 2, [0, left], color=MAML["color"], linestyle=":")
    axes.annotate(f"here $M' = {left:.2f}$", (zeros[1], 0), xytext=(6, -20), textcoords="offset points")
    axes.set(xlabel=r"start $\theta$", ylabel="mean gradient over the tasks", xlim=span)
    axes.legend(loc="upper left")
    return (
        f"With {r} inner steps of α = {alpha:g}, the mean first-order gradient vanishes at θ = {zeros[1]:.2f}, where"
        f" the slope of the meta-loss is still {left:.2f}; that slope vanishes at θ = {zeros[0]:.2f}."
    )
