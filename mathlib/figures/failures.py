"""Figures of notebook 07: where first-order MAML points the wrong way."""

import numpy as np

from mathlib.figures.drawing import CURVES, cosine_between, draw_arrow
from mathlib.figures.picture import FOMAML, MAML, NEUTRAL, picture

__all__ = ["gradient_turns_back", "where_g_can_lie"]

UPHILL = "#eeeeee"
REACH = 0.24  # length of the arrows, in units of the axes
SHORTER = 0.7  # of the arrows on the way, so that the two that are compared stand out


@picture(size=(7.2, 4.6))
def gradient_turns_back(figure, path, carried, across, up, heights):
    """The inner loop on the support loss's contours, and at each point the direction in which v_i is downhill.

    `path` and `carried`, both (K + 1, 2), hold θ₀ … θ_K and v_0 = g, …, v_K = v; `heights` the loss over the grid.
    """
    axes = figure.add_axes((0.12, 0.15, 0.62, 0.83), anchor="W")
    axes.contour(across, up, heights, levels=np.geomspace(0.1, 6, 9), colors="#bbbbbb", linewidths=1)
    axes.set(xlim=across[[0, -1]], ylim=up[[0, -1]], xlabel="$x$", ylabel="$y$", aspect="equal")
    axes.plot(*path.T, color="black", marker="o", markersize=5, linewidth=1.2, label="inner loop")
    downhill = -REACH * carried / np.linalg.norm(carried, axis=1, keepdims=True)
    thin = {"color": NEUTRAL, "linestyle": "-", "linewidth": 1.2}
    for point, move in list(zip(path, downhill, strict=True))[1:-1]:
        draw_arrow(axes, point, SHORTER * move, thin)
    draw_arrow(axes, path[-1], SHORTER * downhill[-1], FOMAML | {"linewidth": 1.2})
    draw_arrow(axes, path[0], downhill[-1], FOMAML)
    draw_arrow(axes, path[0], downhill[0], MAML)
    K = len(path) - 1
    for point, name, offset in ((path[0], r"$\theta_0$", (-14, -14)), (path[-1], rf"$\theta_{K}$", (4, 10))):
        axes.annotate(name, point, offset, textcoords="offset points", fontsize=14)
    axes.plot([], [], label="MAML\n$-g$", **MAML)
    axes.plot([], [], label="FOMAML\n$-v$", **FOMAML)
    axes.plot([], [], color=NEUTRAL, linewidth=1.2, label="on the way")
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), borderaxespad=0, labelspacing=1)
    turned = np.degrees(np.arccos(cosine_between(carried[-2::-1], carried[-1:], axis=1)))
    listed = ", ".join(f"{angle:.0f}°" for angle in turned)
    left = np.linalg.norm(carried[0]) / np.linalg.norm(carried[-1])
    return (
        f"The query's gradient starts home from the end of the path (thin, orange). After one factor, two, and so on"
        f" to {K}, it has turned by {listed}. Its length shrinks to {left:.3f} of what it was, which the arrows do not"
        f" show: all of a kind are drawn equally long."
    )


@picture(size=(7.2, 4.5))
def where_g_can_lie(figure, products, lengths, cases, steps):
    """The region that K factors between 0 and I can send a vector v of length 1 to, with random and named (v, g).

    `products` are vᵀg and `lengths` |g| of random products of steps[1] factors; `cases` are pairs (v, g) by name.
    """
    axes = figure.add_axes((0.10, 0.15, 0.88, 0.83))
    axes.set(xlim=(-0.62, 1.08), ylim=(0, 0.98), aspect="equal")
    axes.set(xlabel="component of $g$ along $v$, in units of $|v|$", ylabel="component across, same units")
    axes.axvspan(-0.7, 0, color=UPHILL, zorder=0)
    axes.text(-0.6, 0.94, "wrong way", va="top", color=NEUTRAL)
    for K, style, at, offset in zip(steps, CURVES, (45, 60, 80), ((0, -20), (0, 7), (0, 7)), strict=True):
        _draw_border(axes, K, style, at, offset)
    across = np.sqrt(np.maximum(lengths**2 - products**2, 0))
    dots = f"a dot: random, $K = {steps[1]}$"
    axes.plot(products, across, ".", color="#CC79A7", markersize=3, zorder=2, label=dots)
    for (name, (v, g)), mark in zip(cases.items(), "o^", strict=True):
        along = v @ g / (v @ v)
        beside = np.sqrt(g @ g / (v @ v) - along**2)
        big = {"color": FOMAML["color"], "markersize": 8, "zorder": 4, "clip_on": False, "linestyle": "none"}
        axes.plot(along, beside, mark, label=name, **big)
    axes.legend(loc="upper left", bbox_to_anchor=(-0.01, 0.93), handletextpad=0.2, borderaxespad=0.3)
    many = np.array(steps[1:])
    listed = " and ".join(map(str, many))
    border = " and ".join(f"{r:.2f}" for r in np.cos(np.pi / 2 / many) ** many)
    lowest = " and ".join(f"−{r:.3f}" for r in np.cos(np.pi / (many + 1)) ** (many + 1))
    return (
        f"Inside its curve lies every g that K factors make of a v of length 1. For K = {listed}"
        f" the curves cross the border to the wrong way at length {border}, and reach {lowest} along v at most"
        f" ({products.size} dots, each a random product of {many[0]})."
    )


def _draw_border(axes, K, style, at, offset):
    """The curve cos^K(ψ/K) in direction ψ, with its K beside it at the angle `at`."""
    psi = np.linspace(0, np.pi / 2 if K == 1 else np.pi, 400)
    g = np.cos(psi / K) ** K * np.array([np.cos(psi), np.sin(psi)])
    axes.plot(*g, zorder=3, **style)
    top = g[:, np.abs(psi - np.radians(at)).argmin()]
    behind = {"facecolor": "white", "edgecolor": "none", "pad": 1}
    axes.annotate(f"$K = {K}$", top, offset, textcoords="offset points", ha="center", fontsize=14, bbox=behind)
