"""Figures of notebook 02: what a Jacobian does to a displacement, and in which order two of them act."""

import numpy as np

from mathlib.figures.drawing import add_label, draw_arrow, printed
from mathlib.figures.picture import MAML, NEUTRAL, picture

__all__ = ["SQUARE_EDGE", "columns_of_a_jacobian", "identity_or_ones", "two_orders"]

FIRST_COLUMN = {"color": "black", "linestyle": "-", "linewidth": 2.5}
SECOND_COLUMN = {"color": "#CC79A7", "linestyle": "--", "linewidth": 2.5}
MATCHING = {"color": MAML["color"]}
MISTAKEN = {"facecolor": "white", "edgecolor": "#CC79A7", "hatch": "////", "linewidth": 1.5}

SQUARE = np.array([[0, 1, 1, 0, 0], [0, 0, 1, 1, 0]], dtype=float)
# Walked round in steps fine enough to show that the image of an edge is curved: 30 points on each of the four sides.
SQUARE_EDGE = np.concatenate([np.linspace(a, b, 30) for a, b in zip(SQUARE.T[:-1], SQUARE.T[1:], strict=True)])
LETTER_F = np.array(
    [
        [0.25, 0.40, 0.40, 0.65, 0.65, 0.40, 0.40, 0.80, 0.80, 0.25, 0.25],
        [0.10, 0.10, 0.43, 0.43, 0.58, 0.58, 0.75, 0.75, 0.90, 0.90, 0.10],
    ]
)


@picture(size=(7.2, 4.2))
def columns_of_a_jacobian(figure, moved, bent, J):
    """A square of inputs (r, φ), walked round from its corner, and where the polar map and its Jacobian J take it.

    `moved` and `bent` hold the points of the square's edge before and after the map, as rows.
    """
    left = figure.add_axes((0.11, 0.18, 0.42, 0.42 * 7.2 / 4.2))
    right = figure.add_axes((0.57, 0.18, 0.42, 0.42 * 7.2 / 4.2))
    point = moved[0]
    image = bent[0]
    reach = np.ptp(moved[:, 0])
    straight = image + (moved - point) @ J.T
    far = slice(30, 90)  # the two sides that the arrows do not cover
    left.plot(*moved[far].T, color=NEUTRAL)
    right.plot(*bent.T, color=NEUTRAL)
    right.plot(*straight[far].T, color=NEUTRAL, linestyle=":")
    for k, style in enumerate((FIRST_COLUMN, SECOND_COLUMN)):
        draw_arrow(left, point, reach * np.eye(2)[:, k], style)
        draw_arrow(right, image, reach * J[:, k], style)

    for axes, corners, margin in ((left, moved, 0.4), (right, np.vstack([bent, straight]), 0.3)):
        centre = (corners.max(axis=0) + corners.min(axis=0)) / 2
        half = (0.5 + margin) * np.ptp(corners, axis=0).max()
        axes.set(xlim=centre[0] + half * np.array([-1, 1]), ylim=centre[1] + half * np.array([-1, 1]), aspect="equal")
        axes.locator_params(nbins=5)
    add_label(left, point + reach * np.array([0.5, 0]), (0, -8), "move $r$", "black", "center", "top")
    add_label(left, point + reach * np.array([0, 0.5]), (8, 0), r"move $\varphi$", "black", "left", "center")
    add_label(right, image + reach * J[:, 0] / 2, (-4, -8), "column 1", "black", "left", "top")
    add_label(right, image + reach * J[:, 1] / 2, (-16, -6), "column 2", "black", "right", "center")
    add_label(right, bent[59], (0, 6), "the map", NEUTRAL, "right", "bottom")
    add_label(right, straight[59], (0, 6), "its Jacobian", NEUTRAL, "left", "bottom")
    left.set(xlabel="$r$", ylabel=r"$\varphi$")
    right.set(xlabel="$y_1$", ylabel="$y_2$")
    lengths = np.linalg.norm(J, axis=0)
    return (
        f"At r = {point[0]:g}, φ = {point[1]:g} column 1 of the Jacobian has length {lengths[0]:.2f} and points"
        f" outwards, column 2 has length {lengths[1]:.2f} and points round the circle; both are drawn {reach:g} times"
        " as long."
    )


@picture(size=(7.2, 4.2))
def identity_or_ones(figure, J, broadcast):
    """The matrices I − αH and 11ᵀ − αH side by side: each entry as a number and a bar, the wrong ones hatched."""
    d = len(J)
    scale = 0.7 / (max(J.max(), broadcast.max()) - min(J.min(), 0))
    for left, matrix, name in ((0.09, J, r"$I - \alpha H$"), (0.57, broadcast, "1 - alpha * H")):
        axes = figure.add_axes((left, 0.15, 0.41, 0.41 * 7.2 / 4.2))
        for (j, k), entry in np.ndenumerate(matrix):
            style = MATCHING if np.isclose(entry, J[j, k]) else MISTAKEN
            baseline = j + 0.4 + scale * min(J.min(), 0)
            axes.plot([k + 0.24, k + 0.44], [baseline, baseline], color=NEUTRAL, linewidth=1)
            axes.bar(k + 0.34, -scale * entry, width=0.14, bottom=baseline, **style)
            axes.text(k - 0.12, j, printed(entry + 0.0), ha="center", va="center", fontsize=14)
        axes.set(xlim=(-0.5, d - 0.5), ylim=(d - 0.5, -0.5), xlabel="column $k$", ylabel="row $j$")
        axes.set(xticks=range(d), yticks=range(d), xticklabels=range(1, d + 1), yticklabels=range(1, d + 1))
        axes.set_xticks(np.arange(d + 1) - 0.5, minor=True)
        axes.set_yticks(np.arange(d + 1) - 0.5, minor=True)
        axes.grid(which="minor", linewidth=1)
        axes.tick_params(which="both", length=0)
        axes.spines[:].set_visible(False)
        family = "DejaVu Sans" if "$" in name else "DejaVu Sans Mono"
        axes.text(0.5, 1.03, name, transform=axes.transAxes, ha="center", va="bottom", fontsize=14, family=family)
    diagonal = ", ".join(f"{entry:.2f}" for entry in np.diag(J))
    return (
        f"The two matrices share the diagonal ({diagonal}); off it every entry on the right is larger by 1: entry"
        f" (1, 2) is {broadcast[0, 1]:.2f} in place of {J[0, 1]:.2f}."
    )


@picture(size=(7.2, 4.2))
def two_orders(figure, J_1, J_2):
    """The unit square with a letter F through two maps of the plane, given by their matrices, in both orders."""
    rows = (
        ([np.eye(2), J_1, J_2 @ J_1], ["start", "after $J_1$", r"after $J_2\,J_1$"], MAML),
        (
            [np.eye(2), J_2, J_1 @ J_2],
            ["start", "after $J_2$", r"after $J_1\,J_2$"],
            {"color": NEUTRAL, "linestyle": "--"},
        ),
    )
    grid = figure.subplots(2, 3, sharex=True, sharey=True)
    figure.subplots_adjust(left=0.09, right=0.99, bottom=0.15, top=0.985, wspace=0.06, hspace=0.08)
    corners = []
    for axes_row, (maps, names, style) in zip(grid, rows, strict=True):
        for axes, U, name in zip(axes_row, maps, names, strict=True):
            axes.fill(*(U @ LETTER_F), color=style["color"], linewidth=0)
            axes.plot(*(U @ SQUARE), **style)
            axes.plot(*U.sum(axis=1), "o", color="black")
            axes.text(0.04, 0.96, name, transform=axes.transAxes, ha="left", va="top", fontsize=14)
            axes.set(aspect="equal", xlim=(-0.15, 2.45), ylim=(-0.15, 1.85), xticks=(0, 1, 2), yticks=(0, 1))
            corners.append(U.sum(axis=1))
        axes_row[0].set_ylabel("$x_2$")
    for axes in grid[1]:
        axes.set_xlabel("$x_1$")
    (a, b) = corners[2]
    (c, d) = corners[5]
    return (
        f"The corner (1, 1) arrives at ({a:.2f}, {b:.2f}) if J₁ acts first and at ({c:.2f}, {d:.2f}) if J₂ does; the"
        f" area is {abs(np.linalg.det(J_1 @ J_2)):.2f} in both orders, the shape is not the same."
    )
