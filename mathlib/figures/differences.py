"""Figures of notebook 03: how near a quotient comes to a derivative, and what it says about a formula."""

import textwrap

import numpy as np

from mathlib.figures.drawing import draw_arrow, printed
from mathlib.figures.picture import FOMAML, MAML, NEUTRAL, picture

__all__ = ["arrows_and_level_line", "error_against_step", "true_against_reported"]

ROUTES = {
    "forward": {"color": "#E69F00", "linestyle": "--"},
    "central": {"color": "#56B4E9", "linestyle": "-."},
    "Richardson": {"color": "#CC79A7", "linestyle": "-"},
    "complex step": {"color": "black", "linestyle": ":"},
}
# One for each candidate, in the order given.
CANDIDATES = [
    MAML,
    {"color": "#CC79A7", "linestyle": ":"},
    {"color": "#E69F00", "linestyle": "-."},
    FOMAML,
]
BEHIND = {"facecolor": "white", "edgecolor": "none", "pad": 1}  # so that no level line runs through a word


@picture()
def error_against_step(figure, steps, errors, promised):
    """The V: the largest relative error against the step, for several ways to a derivative.

    `errors` holds an array for each name in ROUTES; `promised`, for some of them, the step and the error at which a
    bound is smallest.
    """
    axes = figure.add_axes((0.13, 0.16, 0.84, 0.8))
    for name, error in errors.items():
        axes.loglog(steps, error, label=name, **ROUTES[name])
    for name, (step, error) in promised.items():
        axes.loglog(step, error, "o", color=ROUTES[name]["color"], markeredgecolor="black", zorder=5)
    axes.loglog([], [], "o", color="white", markeredgecolor="black", label="promised by the bound")
    _reference_slopes(axes)
    axes.set(xlabel="step $h$", ylabel="largest relative error", xlim=(steps.min(), 1), ylim=(1e-16, 3))
    axes.legend(loc="lower left", bbox_to_anchor=(0, 0.08))
    reached = "; ".join(
        f"the {name} difference errs by {errors[name].min():.0e} at h = {steps[errors[name].argmin()]:.0e}, where the"
        f" bound promised {error:.0e} at {step:.0e}"
        for name, (step, error) in promised.items()
    )
    richardson = errors["Richardson"]
    return (
        f"At their best, {reached}; Richardson reaches {richardson.min():.0e} at h ="
        f" {steps[richardson.argmin()]:.0e}; the complex step errs by at most"
        f" {errors['complex step'][steps < 1e-8].max():.0e} at every h under 1e-8."
    )


@picture()
def true_against_reported(figure, true, reported, steps, default):
    """True error of each derivative against the error that its estimate reports, both relative, with the diagonal.

    All arrays hold an entry for each derivative; `default` is the library's first step. Derivatives that are exact are
    drawn at the lower edge.
    """
    axes = figure.add_axes((0.13, 0.16, 0.84, 0.8))
    usual = steps <= default
    for chosen, marker, color in ((~usual, "s", "#E69F00"), (usual, "o", "#56B4E9")):
        drawn = np.maximum(true[chosen], 2e-17)
        axes.loglog(reported[chosen], drawn, marker, color=color, markersize=4, markeredgewidth=0)
    axes.loglog([1e-13, 1e-3], [1e-13, 1e-3], color="black", linestyle="--")
    axes.set(xlabel="error reported by the estimate", ylabel="true error", xlim=(1e-13, 1e-3), ylim=(1e-17, 1e-4))
    axes.text(4e-13, 2e-7, "a reported error too small\nwould be up here")
    axes.text(5e-7, 1.5e-11, "an arc: one function\nand one step, along $x$", va="top")
    for height, text, marker, color in (
        (1e-14, "larger steps", "s", "#E69F00"),
        (3e-16, rf"steps up to $2^{{{np.log2(default):.0f}}}$", "o", "#56B4E9"),
    ):
        axes.loglog(2e-6, height, marker, color=color)
        axes.text(4e-6, height, text, va="center")
    slack = float(f"{np.median(reported / np.maximum(true, 1e-17)):.0e}")
    return (
        f"In {true.size:,} derivatives the true error is at most {(true / reported).max():.2f} of the reported one; the"
        f" median reported error is {slack:,.0f} times the true one, and at the step {default:.2g} no reported error"
        f" exceeds {reported[steps == default].max():.0e} of the derivative."
    )


@picture()
def arrows_and_level_line(figure, theta, candidates, measured, x, y, heights, length=0.4):
    """Level lines of a function around θ, and candidates for its gradient as arrows at θ, of one length.

    `candidates` maps names to vectors, the claimed one first; `measured` is the gradient that values of the function
    gave; `heights` holds those values, a row for each entry of y.
    """
    axes = figure.add_axes((0.11, 0.16, 0.86, 0.8))
    axes.set_aspect("equal")
    through = _height_at(theta, x, y, heights)
    axes.contour(x, y, heights, levels=through * np.array([0.5, 1.5, 2, 3, 4]), colors="#bbbbbb", linewidths=1)
    axes.contour(x, y, heights, levels=[through], colors="black", linewidths=2)
    normal = measured / np.linalg.norm(measured)
    tangent = np.array([-normal[1], normal[0]])
    units = {name: gradient / np.linalg.norm(gradient) for name, gradient in candidates.items()}
    angles = {name: f"{np.degrees(np.arccos(np.abs(unit @ tangent))):.0f}°" for name, unit in units.items()}
    rightmost = max(units, key=lambda name: units[name][0])
    for (name, unit), style in zip(units.items(), CANDIDATES[: len(units)], strict=True):
        draw_arrow(axes, theta, length * unit, style)
        side, gap = ("left", 0.02) if name == rightmost else ("right", -0.02)
        label = textwrap.fill(f"{name} {angles[name]}", 20)
        axes.text(*(theta + length * unit + [gap, 0]), label, ha=side, va="top", linespacing=1, bbox=BEHIND)
    axes.text(theta[0] + 0.37, theta[1] - 0.33, "level line of $M$", ha="center", bbox=BEHIND)
    _right_angle(axes, theta, tangent, normal)
    axes.set(xlabel="$x$", ylabel="$y$", xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))
    (claimed, angle), *others = angles.items()
    wrong = ", ".join(f"{name} {angle}" for name, angle in others)
    return (
        f"The {claimed} gradient stands at {angle} to the level line of the meta-loss, as a gradient must; the other"
        f" candidates do not: {wrong}."
    )


def _height_at(theta, x, y, heights):
    """The height at θ, which has to be a point of the grid."""
    (column,) = np.flatnonzero(np.isclose(x, theta[0]))
    (row,) = np.flatnonzero(np.isclose(y, theta[1]))
    return heights[row, column]


def _reference_slopes(axes):
    """Thin lines of slope 1, 2 and 6 where truncation rules, and of slope −1 where rounding does."""
    for slope, start, factor, label in (
        (-1, (1e-13, 3e-1), 3e3, (1e-11, 3e-2)),
        (1, (1e-6, 1e-5), 1e2, (3e-7, 6e-4)),
        (2, (4e-5, 1.5e-7), 3e1, (3.5e-7, 4e-8)),
        (6, (1.4e-2, 3e-9), 5, (1.8e-4, 2e-9)),
    ):
        ends = start[0] * np.array([1, factor])
        axes.loglog(ends, start[1] * (ends / start[0]) ** slope, color=NEUTRAL, linewidth=1)
        axes.text(*label, f"slope {printed(slope, 0)}", color=NEUTRAL)


def _right_angle(axes, corner, first, second, size=0.035):
    sides = corner + size * np.array([first, first + second, second])
    axes.plot(*sides.T, color="black", linewidth=1)
