"""Figures of notebook 09: what a Lagrange multiplier foretells."""

import numpy as np
from matplotlib.ticker import MultipleLocator

from mathlib.figures.drawing import add_label, draw_arrow, subscript
from mathlib.figures.picture import MAML, picture

__all__ = ["price_of_a_push"]

BRANCH = {"color": "#CC79A7", "linestyle": "--", "linewidth": 1.5}


@picture(size=(7.2, 4.6))
def price_of_a_push(figure, path, branches, prices, falls, lowest, contours):
    """A push after each step, where the rest of the loop takes it, and what it does to the query loss.

    Parameters
    ----------
    path : sequence of K + 1 arrays, shape (2,)
        The points of the inner loop.
    branches : sequence of K + 1 arrays, shape (K + 1 − i, 2)
        From each point after its push, and on.
    prices, falls : sequences of K + 1 numbers
        By how much each push is to lower the query loss, to first order, and by how much it does.
    lowest : numpy.ndarray, shape (2,)
        Where the query loss is least.
    contours : tuple of arrays
        x, y and the support loss's heights over them, one row for each y.
    """
    plane = figure.add_axes((0.10, 0.14, 0.50, 0.84))
    bars = figure.add_axes((0.73, 0.14, 0.25, 0.84))
    path = np.array(path)
    prices = np.array(prices)
    falls = np.array(falls)
    K = len(path) - 1
    x, y, heights = contours
    plane.set(xlim=(x[0], x[-1]), ylim=(y[0], y[-1]), xlabel="$x$", ylabel="$y$", aspect="equal")
    plane.set_yticks([-0.5, 0.0, 0.5, 1.0])
    plane.contour(x, y, heights, levels=np.geomspace(0.05, 10, 16), colors="#bbbbbb", linewidths=1)
    for point, branch in zip(path, branches, strict=True):
        plane.plot(*np.transpose(branch), **BRANCH)
        plane.plot(*branch[-1], "o", color=BRANCH["color"], markersize=4)
        draw_arrow(plane, point, branch[0] - point, MAML)
    plane.plot(*path.T, color="black", marker="o", markersize=5, linewidth=1.5)
    plane.plot(*lowest, "*", color="black", markersize=15)
    add_label(plane, lowest, (-10, 0), "minimum of $Q$", ha="right")
    add_label(plane, path[0], (-8, -2), r"$\theta_0$", ha="right")
    add_label(plane, path[-1], (4, -14), rf"$\theta_{K}$")
    add_label(plane, path[1], (6, 36), "push", MAML["color"])
    add_label(plane, path[0], (8, 58), "the way on", BRANCH["color"])
    at = np.arange(K + 1)
    bars.plot(at, prices, "o", color=MAML["color"], markerfacecolor="white", markeredgewidth=2, label="price")
    bars.plot(at, falls, "x", color="black", markeredgewidth=2, label="measured")
    bars.set(xlabel="pushed at $i$", ylabel="fall of $Q$", xticks=at, ylim=(0, 1.35 * prices.max()))
    bars.yaxis.set_major_locator(MultipleLocator(0.05))
    bars.set_xlim(-0.5, K + 0.5)
    bars.legend(loc="upper center", handletextpad=0, borderaxespad=0)
    length = np.linalg.norm(branches[0][0] - path[0])
    off = np.abs(falls / prices - 1).max()
    return (
        f"A push of length {length:g} against p₀ at the start is to lower the query loss by {prices[0]:.3f}, and lowers"
        f" it by {falls[0]:.3f}; after the last step a push against p{subscript(K)} is to lower it by"
        f" {prices[-1]:.3f}, and lowers it by {falls[-1]:.3f}. No fall is more than {100 * off:.0f} % away from its"
        f" price."
    )
