"""Figures of notebook 13: an inner problem that is solved, not unrolled, and the distance to a set."""

import numpy as np

from mathlib.figures.drawing import add_label
from mathlib.figures.picture import FOMAML, MAML, NEUTRAL, picture

__all__ = ["distance_to_an_ellipse", "ring_of_solved_starts"]


@picture(size=(7.2, 4.6))
def ring_of_solved_starts(figure, grid, heights, theta, ring, images, optima, strength, shown):
    """A ring of starts, the inner optima that belong to them, and how θ's optimum moves with the strength.

    `heights` are the loss's values over `grid`, which is the window: its x and its y, a row of heights for each y.
    `optima` maps strengths to inner optima of θ; those of `strength` and `shown` are labelled.
    """
    axes = figure.add_axes((0.11, 0.14, 0.87, 0.84))
    x, y = grid
    axes.set(xlim=(x[0], x[-1]), ylim=(y[0], y[-1]), xlabel="$x$", ylabel="$y$", aspect="equal")
    axes.contour(x, y, heights, levels=14, colors="#bbbbbb", linewidths=1)
    axes.plot(*np.array([optima[s] for s in sorted(optima)]).T, color=NEUTRAL, linestyle=":")
    axes.plot(*ring.T, color=NEUTRAL, linestyle="--")
    axes.plot(*images.T, **MAML)
    for start, image in zip(ring[:-1:8], images[:-1:8], strict=True):
        axes.plot(*np.array([start, image]).T, color=NEUTRAL, linewidth=0.8)
        axes.plot(*start, "o", color=NEUTRAL, markersize=5)
        axes.plot(*image, "o", color=MAML["color"], markersize=5)
    axes.plot(*theta, "o", color="black")
    add_label(axes, theta, (8, 0), r"$\theta$")
    for s in (strength, *shown):
        axes.plot(*optima[s], "o", color="black", markersize=5)
        add_label(axes, optima[s], (12, 14) if s == strength else (6, 9), rf"$\lambda = {s:g}$")
    add_label(axes, ring[0], (8, 0), "starts", color=NEUTRAL)
    add_label(axes, images[24], (-8, 0), "their optima", color=MAML["color"], ha="right")
    spread = np.linalg.norm(images - optima[strength], axis=1)
    return (
        f"With λ = {strength:g} a ring of starts at distance {np.linalg.norm(ring[0] - theta):.2g} from θ has inner"
        f" optima (solid) at distances {spread.min():.2f} to {spread.max():.2f} from φ; as λ falls, φ leaves θ along"
        " the dotted line towards the minimum of L."
    )


@picture(size=(7.2, 4.6))
def distance_to_an_ellipse(figure, a, b, points, nearest):
    """Contours of half the squared distance to the ellipse with half-axes a, b; from points the way to the nearest one.

    Inside, up to the vertex's centre of curvature at a − b²/a, the long axis has two closest points.
    """
    turn = np.linspace(0, 2 * np.pi, 400)
    torn = [(b**2 / a - a, 0), (a - b**2 / a, 0)]
    curve = np.array([a * np.cos(turn), b * np.sin(turn)])
    axes = figure.add_axes((0.125, 0.14, 0.855, 0.84))
    axes.set(xlim=(-2.75, 2.75), ylim=(-1.55, 1.75), xlabel="$x$", ylabel="$y$", aspect="equal")
    x = np.linspace(-2.75, 2.75, 111)
    y = np.linspace(-1.55, 1.75, 71)
    halves = np.min([(x[:, None] - p) ** 2 + (y[None] - q) ** 2 for p, q in curve.T], axis=0) / 2
    axes.contour(x, y, halves.T, levels=np.linspace(0.1, 1.3, 7) ** 2 / 2, colors="#bbbbbb", linewidths=1)
    axes.plot(*curve, color="black")
    axes.plot(*np.array(torn).T, color=FOMAML["color"], linestyle="--")
    lengths = []
    for theta, p in zip(points, nearest, strict=True):
        axes.plot(*theta, "o", color=MAML["color"], markersize=5)
        head = {"arrowstyle": "-|>", "mutation_scale": 15, "linewidth": 2, "shrinkA": 0, "shrinkB": 0}
        axes.annotate("", p, theta, arrowprops=head | {"color": MAML["color"]}, zorder=3)
        lengths.append(np.linalg.norm(theta - p))
    add_label(axes, points[0], (7, 4), r"$\theta$", color=MAML["color"])
    add_label(axes, nearest[0], (14, 9), r"$p(\theta)$", color=MAML["color"])
    add_label(axes, np.mean(torn, axis=0), (0, -5), "two closest points", color=FOMAML["color"], ha="center", va="top")
    return (
        f"From {len(points)} points an arrow −(θ − p) leads to the closest point of the ellipse, {min(lengths):.2f} to"
        f" {max(lengths):.2f} long, at right angles to the contours of half the squared distance; strictly between"
        f" x = {torn[0][0]:g} and {torn[1][0]:g} on the axis (dashed) two points are closest, and the contours have"
        " corners."
    )
