"""Figures of notebook 05: a displacement travels forwards, a gradient travels back, and mistakes that hide."""

import matplotlib as mpl
import numpy as np

from mathlib.figures.drawing import add_label, draw_arrow, draw_contours, subscript
from mathlib.figures.picture import MAML, NEUTRAL, picture

__all__ = ["adjoints_on_the_path", "displacement_on_the_path", "where_mistakes_hide"]

VIEW = np.array([2.1, 1.25])  # width and height of what is shown of the plane
NEIGHBOUR = {"color": "#CC79A7", "linestyle": "--"}
INVISIBLE = 1e-12  # relative; below it only rounding is left


@picture(size=(7.2, 4.4))
def displacement_on_the_path(figure, path, neighbour, displacements, height):
    """Two neighbouring paths, (K + 1, 2), and the displacement at each point of the first, as foretold.

    `height` is the function of the plane whose contours are drawn.
    """
    path, neighbour, displacements = (np.array(points) for points in (path, neighbour, displacements))
    axes = _landscape(figure, height, [*path, *neighbour])
    axes.plot(*neighbour.T, marker="o", markerfacecolor="white", **NEIGHBOUR)
    _steps(axes, path)
    for point, displacement in zip(path, displacements, strict=True):
        draw_arrow(axes, point, displacement, MAML)
    K = len(path) - 1
    delta = displacements[0]
    foretold = displacements[-1]
    add_label(axes, path[0], (-6, -4), r"$\theta_0$", ha="right", va="top")
    add_label(axes, path[-1], (2, -8), rf"$\theta_{K}$", ha="center", va="top")
    add_label(axes, neighbour[0], (-8, 2), r"$\theta_0 + \delta$", ha="right", va="bottom")
    add_label(axes, neighbour[2], (0, 12), "the neighbour's path", ha="center", va="bottom")
    add_label(axes, path[0] + delta / 2, (-6, 0), r"$\delta$", color=MAML["color"], ha="right", va="center")
    add_label(axes, path[-1] + foretold / 2, (8, 0), rf"$\delta_{K}$", color=MAML["color"], va="center")
    missed = np.linalg.norm(neighbour[-1] - path[-1] - foretold)
    before = np.linalg.norm(delta)
    after = np.linalg.norm(foretold)
    return (
        f"By the factors, a displacement of length {before:.2f} at the start becomes one of length {after:.2f} after"
        f" {K} steps; the neighbour's own path ends {missed:.2f} away from that."
    )


@picture(size=(7.2, 4.4))
def adjoints_on_the_path(figure, path, adjoints, lowest, height, scale=0.6):
    """The inner loop's path, (K + 1, 2), and at each of its points the direction −v_i in which the query loss falls.

    `lowest` is the minimum of the query loss, `height` the function of the plane whose contours are drawn.
    """
    path = np.array(path)
    adjoints = np.array(adjoints)
    tips = path - scale * adjoints
    axes = _landscape(figure, height, [*path, *tips, lowest])
    _steps(axes, path)
    for point, tip in zip(path, tips, strict=True):
        draw_arrow(axes, point, tip - point, MAML)
    axes.plot(*lowest, "*", color="black", markersize=15)
    K = len(path) - 1
    add_label(axes, lowest, (0, 10), "minimum of $Q$", ha="center", va="bottom")
    add_label(axes, path[0], (-4, 4), r"$\theta_0$", ha="right", va="bottom")
    add_label(axes, path[-1], (6, -4), rf"$\theta_{K}$", va="top")
    add_label(axes, tips[0], (5, 0), "$-v_0$", color=MAML["color"], va="center")
    add_label(axes, tips[-1], (5, 0), rf"$-v_{K}$", color=MAML["color"], va="center")
    first, last = (f"{np.degrees(np.arctan2(-v[1], -v[0])):.0f}°" for v in (adjoints[0], adjoints[-1]))
    return (
        f"The arrow at the last point, −v{subscript(K)}, points in the direction {last} and has length"
        f" {np.linalg.norm(adjoints[-1]):.2f}; carried back over {K} steps it has turned to {first}, with length"
        f" {np.linalg.norm(adjoints[0]):.2f} (arrows are drawn {scale:g} times as long)."
    )


@picture(size=(7.2, 4.8))
def where_mistakes_hide(figure, errors, mistakes, cases):
    """Relative errors, a row for each case and a column for each mistake; grey where only rounding is left."""
    errors = np.array(errors)
    rows, columns = errors.shape
    axes = figure.add_axes((0.38, 0.03, 0.60, 0.82))
    shades = mpl.colormaps["Blues"].with_extremes(bad="#eeeeee")
    seen = np.ma.masked_less(errors, INVISIBLE)
    axes.imshow(seen, norm=mpl.colors.LogNorm(0.003, 6), cmap=shades, aspect="auto")
    for (row, column), error in np.ndenumerate(errors):
        hidden = error < INVISIBLE
        legible = "black" if error < 0.5 else "white"  # on the shade of its field
        color = NEUTRAL if hidden else legible
        style = "italic" if hidden else "normal"
        axes.text(column, row, _percent(error), ha="center", va="center", color=color, style=style)
    axes.set(xticks=range(columns), yticks=range(rows), yticklabels=cases)
    axes.set_xticklabels([_two_lines(name) for name in mistakes])
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.hlines(np.arange(0.5, rows - 1), -0.5, columns - 0.5, color="white", linewidth=3)
    axes.vlines(np.arange(0.5, columns - 1), -0.5, rows - 0.5, color="white", linewidth=3)
    first = errors[:, 0]
    visible = first[first >= INVISIBLE]
    return (
        f"{(errors < INVISIBLE).sum()} of the {errors.size} errors are invisible, below 1e-12. The {mistakes[0]} is"
        f" invisible in {rows - len(visible)} of the {rows} cases and between {100 * visible.min():.0f} % and"
        f" {100 * visible.max():.0f} % off in the others."
    )


def _percent(error):
    if error < INVISIBLE:
        return "invisible"
    return f"{100 * error:.0f} %" if error >= 0.0995 else f"{100 * error:.1f} %"


def _two_lines(name):
    """A name without its article, broken at the space nearest to its middle."""
    name = name.removeprefix("the ").removeprefix("a ")
    spaces = [i for i, letter in enumerate(name) if letter == " "]
    middle = min(spaces, key=lambda i: abs(i - len(name) / 2))
    return f"{name[:middle]}\n{name[middle + 1 :]}"


def _landscape(figure, height, points):
    """Axes around these points of the plane, with the function's contours, evenly spaced in the logarithm."""
    axes = figure.add_axes((0.11, 0.15, 0.86, 0.83))
    centre = (np.max(points, axis=0) + np.min(points, axis=0)) / 2
    (left, bottom) = centre - VIEW / 2
    (right, top) = centre + VIEW / 2
    axes.set(xlabel="$x$", ylabel="$y$", aspect="equal", xlim=(left, right), ylim=(bottom, top))
    draw_contours(axes, height, np.geomspace(0.05, 10, 16))
    return axes


def _steps(axes, path):
    axes.plot(*path.T, color="black", marker="o", linewidth=1.5)
