"""Figures of notebook 04: one inner step in two dimensions, and what its Jacobian does to a direction."""

import numpy as np

from mathlib.figures.drawing import add_label, draw_arrow, printed
from mathlib.figures.picture import FOMAML, MAML, NEUTRAL, picture

__all__ = ["circle_becomes_ellipse", "one_step_meta_gradient"]

AXES = [{"color": "black", "linestyle": "-"}, {"color": "#CC79A7", "linestyle": "--"}]  # the ellipse's, in order of λ
BELOW = "#eeeeee"


@picture()
def one_step_meta_gradient(figure, theta, meta_gradient, query_gradient, x, y, heights, height, reach=0.2):
    """Contours of the meta-loss over the start, and the two directions in which an outer step may go.

    `heights` are the meta-losses, a row for each entry of y; `height` is the one at θ.
    """
    axes = figure.subplots()
    axes.set(xlabel="$x$ of the start", ylabel="$y$ of the start", aspect="equal")
    axes.contourf(x, y, heights, levels=[-np.inf, height], colors=BELOW)
    axes.contour(x, y, heights, levels=height * np.array([0.25, 4, 16]), colors="#bbbbbb", linewidths=1)
    axes.contour(x, y, heights, levels=[height], colors="black", linewidths=1.5)
    ends = [theta - reach * g / np.linalg.norm(g) for g in (meta_gradient, query_gradient)]
    for end, style in zip(ends, (MAML, FOMAML), strict=True):
        draw_arrow(axes, theta, end - theta, style)
    axes.plot(*theta, "o", color="black")
    add_label(axes, theta, (10, -2), r"$\theta_0$", "black", "left", "center")
    add_label(axes, ends[0], (0, -8), "against the\nmeta-gradient", MAML["color"], "center", "top")
    add_label(axes, ends[1], (8, 0), r"against $\nabla Q(\theta_1)$", FOMAML["color"], "left", "center")
    for edge, side, text in ((0.02, "left", "better starts"), (0.98, "right", "worse starts")):
        axes.text(edge, 0.03, text, ha=side, va="bottom", transform=axes.transAxes)
    axes.set(xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))
    lengths = np.linalg.norm(meta_gradient) * np.linalg.norm(query_gradient)
    angle = np.degrees(np.arccos(meta_gradient @ query_gradient / lengths))
    return (
        f"The meta-loss, grey where a start does better than θ₀ = {_pair(theta, 0)}: the arrow against the"
        f" meta-gradient {_pair(meta_gradient)} leaves the contour at a right angle, into the grey; the arrow against"
        f" ∇Q(θ₁) = {_pair(query_gradient)} lies {angle:.0f}° away from it."
    )


@picture(size=(7.2, 3.7))
def circle_becomes_ellipse(figure, starts, jacobians):
    """For each start the unit circle of moves, and the ellipse that the step's symmetric Jacobian makes of it."""
    panels = figure.subplots(1, len(starts), sharex=True, sharey=True)
    figure.subplots_adjust(left=0.1, right=0.98, bottom=0.16, top=0.9, wspace=0.08)
    turn = np.linspace(0, 2 * np.pi, 121)
    circle = np.array([np.cos(turn), np.sin(turn)])
    said = []
    for axes, start, jacobian in zip(panels, starts, jacobians, strict=True):
        factors, vectors = np.linalg.eigh(jacobian)
        # In order of λ; an eigenvector has either sign, and the picture must not.
        factors = factors[::-1]
        vectors = (vectors * np.sign(vectors[0]))[:, ::-1]
        axes.plot(*circle, color=NEUTRAL, linestyle=":")
        axes.plot(*(jacobian @ circle), **MAML)
        for q, factor, style in zip(vectors.T, factors, AXES, strict=True):
            axes.plot(*np.array([[0, 0], q]).T, **style | {"linewidth": 1})
            draw_arrow(axes, np.zeros(2), factor * q, style | {"linewidth": 2.6})
            outside = np.sign(factor) * max(abs(factor), 1) * q
            side = "left" if outside[0] > 0 else "right"
            add_label(axes, outside, 6 * np.sign(outside), f"× {printed(factor)}", style["color"], side)
        add_label(axes, [-0.72, 0.72], (-2, 6), "starts", NEUTRAL, "right", "bottom")
        axes.set(xlim=(-1.6, 1.9), ylim=(-1.35, 1.35), aspect="equal", xlabel="move along $x$")
        axes.text(0.98, 0.97, f"at {_pair(start, 0)}", ha="right", va="top", transform=axes.transAxes)
        said.append(f"at {_pair(start, 0)} the factors are {_pair(factors, 2)}")
    panels[0].set_ylabel("move along $y$")
    return f"A circle of starts (dotted) and where the step takes it (solid): {' and '.join(said)}."


def _pair(numbers, places=3):
    return f"({numbers[0]:.{places}f}, {numbers[1]:.{places}f})"
