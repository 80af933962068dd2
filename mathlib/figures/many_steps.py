"""Figures of notebook 05: a displacement travels forwards, a gradient travels back, and mistakes that hide."""

import matplotlib as mpl
import numpy as np

from mathlib.figures.drawing import add_label, draw_arrow, draw_contours, relative_error, subscript
from mathlib.figures.picture import MAML, NEUTRAL, picture
from mathlib.meta_gradients import inner_loop, maml_gradient, unrolled_jacobian
from mathlib.mistakes import after_the_step, lost_factor, query_hessian, reversed_order

__all__ = ["adjoints_on_the_path", "displacement_on_the_path", "where_mistakes_hide"]

VIEW = np.array([2.1, 1.25])  # width and height of what is shown of the plane
NEIGHBOUR = {"color": "#CC79A7", "linestyle": "--"}
INVISIBLE = 1e-12  # relative; below it only rounding is left
MISTAKES = {
    "reversed\norder": reversed_order,
    "H after\nthe step": after_the_step,
    "query's\nH": query_hessian,
    "a lost\nfactor": lost_factor,
}


@picture(size=(7.2, 4.8))
def displacement_on_the_path(figure, losses, theta, delta, alpha):
    """Two neighbouring starts, their paths, and the displacement that the product of Jacobians foretells."""
    path, neighbour = (np.array(inner_loop(losses, start, alpha)) for start in (theta, theta + delta))
    axes = _landscape(figure, losses[0], [*path, *neighbour])
    foretold = [unrolled_jacobian(losses[:i], theta, alpha) @ delta for i in range(len(path))]
    axes.plot(*neighbour.T, marker="o", markerfacecolor="white", **NEIGHBOUR)
    _steps(axes, path)
    for point, displacement in zip(path, foretold, strict=True):
        draw_arrow(axes, point, displacement, MAML)
    K = len(losses)
    add_label(axes, path[0], (-6, -4), r"$\theta_0$", ha="right", va="top")
    add_label(axes, path[-1], (2, -8), rf"$\theta_{K}$", ha="center", va="top")
    add_label(axes, neighbour[0], (-8, 2), r"$\theta_0 + \delta$", ha="right", va="bottom")
    add_label(axes, neighbour[2], (0, 12), "the neighbour's path", ha="center", va="bottom")
    add_label(axes, path[0] + delta / 2, (-6, 0), r"$\delta$", color=MAML["color"], ha="right", va="center")
    add_label(axes, path[-1] + foretold[-1] / 2, (8, 0), rf"$U_{K}\,\delta$", color=MAML["color"], va="center")
    missed = np.linalg.norm(neighbour[-1] - path[-1] - foretold[-1])
    before, after = np.linalg.norm(delta), np.linalg.norm(foretold[-1])
    return (
        f"A displacement of length {before:.2f} at the start becomes one of length {after:.2f} after {K} steps"
        f" with α = {alpha:g}, by the product of the Jacobians; the neighbour's own path ends {missed:.2f} away from"
        " that."
    )


@picture(size=(7.2, 4.8))
def adjoints_on_the_path(figure, losses, query, theta, alpha, lowest, scale=0.6):
    """The inner loop's path, and at each of its points the direction −v_i in which the query loss falls fastest."""
    path = np.array(inner_loop(losses, theta, alpha))
    adjoints = [maml_gradient(losses[i:], query, point, alpha) for i, point in enumerate(path)]
    tips = path - scale * np.array(adjoints)
    axes = _landscape(figure, losses[0], [*path, *tips, lowest])
    _steps(axes, path)
    for point, tip in zip(path, tips, strict=True):
        draw_arrow(axes, point, tip - point, MAML)
    axes.plot(*lowest, "*", color="black", markersize=15)
    K = len(losses)
    add_label(axes, lowest, (0, 10), "minimum of $Q$", ha="center", va="bottom")
    add_label(axes, path[0], (-4, 4), r"$\theta_0$", ha="right", va="bottom")
    add_label(axes, path[-1], (6, -4), rf"$\theta_{K}$", va="top")
    add_label(axes, tips[0], (5, 0), "$-v_0$", color=MAML["color"], va="center")
    add_label(axes, tips[-1], (5, 0), rf"$-v_{K}$", color=MAML["color"], va="center")
    first, last = (f"{np.degrees(np.arctan2(-v[1], -v[0])):.0f}°" for v in (adjoints[0], adjoints[-1]))
    return (
        f"With α = {alpha:g} the arrow at the last point, −v{subscript(K)}, points in the direction {last} and has"
        f" length {np.linalg.norm(adjoints[-1]):.2f}; carried back over {K} steps it has turned to {first}, with"
        f" length {np.linalg.norm(adjoints[0]):.2f} (arrows are drawn {scale:g} times as long)."
    )


@picture(size=(7.2, 5.0))
def where_mistakes_hide(figure, cases, alpha):
    """The relative error of four wrong products in each case; grey where nothing but rounding is left of it."""
    errors = np.array([[_relative_error(wrong, case, alpha) for wrong in MISTAKES.values()] for case in cases.values()])
    axes = figure.add_axes((0.44, 0.03, 0.54, 0.82))
    shades = mpl.colormaps["Blues"].with_extremes(bad="#eeeeee")
    seen = np.ma.masked_less(errors, INVISIBLE)
    axes.imshow(seen, norm=mpl.colors.LogNorm(0.003, 6), cmap=shades, aspect="auto")
    for (row, column), error in np.ndenumerate(errors):
        hidden = error < INVISIBLE
        label = "invisible" if hidden else f"{100 * error:.0f} %" if error >= 0.0995 else f"{100 * error:.1f} %"
        color = NEUTRAL if hidden else "black" if error < 0.5 else "white"
        axes.text(column, row, label, ha="center", va="center", color=color, style="italic" if hidden else "normal")
    axes.set(xticks=range(len(MISTAKES)), yticks=range(len(cases)), xticklabels=MISTAKES, yticklabels=cases)
    axes.xaxis.tick_top()
    axes.tick_params(length=0, labelsize=13)
    axes.spines[:].set_visible(False)
    axes.hlines(np.arange(0.5, len(cases) - 1), -0.5, 3.5, color="white", linewidth=3)
    axes.vlines((0.5, 1.5, 2.5), -0.5, len(cases) - 0.5, color="white", linewidth=3)
    reversed_errors = errors[:, 0]
    visible = reversed_errors[reversed_errors >= INVISIBLE]
    return (
        f"With α = {alpha:g}, {(errors < INVISIBLE).sum()} of the {errors.size} errors are invisible, below 1e-12. The"
        f" reversed order is invisible in {len(cases) - len(visible)} of the {len(cases)} cases and between"
        f" {100 * visible.min():.0f} % and {100 * visible.max():.0f} % off in the others. Each is the length of the"
        " error over the length of g; a refutation divides largest entries."
    )


def _relative_error(wrong, case, alpha):
    losses, query, theta = case
    right = maml_gradient(losses, query, theta, alpha)
    return relative_error(wrong(losses, query, theta, alpha), right)


def _landscape(figure, loss, points):
    """Axes around these points of the plane, with the loss's contours, evenly spaced in the logarithm."""
    axes = figure.add_axes((0.11, 0.14, 0.86, 0.84))
    centre = (np.max(points, axis=0) + np.min(points, axis=0)) / 2
    (left, bottom), (right, top) = centre - VIEW / 2, centre + VIEW / 2
    axes.set(xlabel="$x$", ylabel="$y$", aspect="equal", xlim=(left, right), ylim=(bottom, top))
    draw_contours(axes, loss.value, np.geomspace(0.05, 10, 16))
    return axes


def _steps(axes, path):
    axes.plot(*path.T, color="black", marker="o", linewidth=1.5)
