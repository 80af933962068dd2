"""Figures of notebook 03: how near a quotient comes to a derivative, and what it says about a formula."""

import numpy as np

from mathlib.figures.drawing import draw_arrow, printed
from mathlib.figures.picture import FOMAML, MAML, NEUTRAL, picture
from mathlib.finite_differences import finite_difference_directional, finite_difference_gradient
from mathlib.meta_gradients import fomaml_gradient, maml_gradient, meta_loss
from mathlib.mistakes import after_the_step, reversed_order

__all__ = ["arrows_and_level_line", "error_against_step", "true_against_reported"]

FLOOR = 4 * np.finfo(float).eps  # smaller relative errors are drawn here: they are the last digit's own
ROUTES = {
    "forward": {"color": "#E69F00", "linestyle": "--"},
    "central": {"color": "#56B4E9", "linestyle": "-."},
    "Richardson": {"color": "#CC79A7", "linestyle": "-"},
    "complex step": {"color": "black", "linestyle": ":"},
}
REVERSED = {"color": "#CC79A7", "linestyle": ":"}
LATE = {"color": "#E69F00", "linestyle": "-."}
BEHIND = {"facecolor": "white", "edgecolor": "none", "pad": 1}  # so that no level line runs through a word


@picture()
def error_against_step(figure, function, derivative, points, best):
    """The V: the largest relative error over the points, against the step h, for four ways to a derivative.

    `best` holds the step and the relative error that minimising the bound promises, for the forward and the central
    difference. Points and steps are short binary fractions, so that x + h is exact. Errors below 4ε are drawn there.
    """
    axes = figure.add_axes((0.13, 0.16, 0.84, 0.8))
    steps = 2.0 ** -np.arange(2, 51)
    errors = _largest_errors(function, derivative, points, steps)
    for name, style in ROUTES.items():
        axes.loglog(steps, errors[name], **style)
    for (step, error), route in zip(best, ("forward", "central"), strict=True):
        axes.loglog(step, error, "o", color=ROUTES[route]["color"], markeredgecolor="black", zorder=5)
    _reference_slopes(axes)
    axes.set(xlabel="step $h$", ylabel="largest relative error", xlim=(steps[-1], 1), ylim=(1e-16, 3))
    for x, y, text in (
        (9e-5, 6e-2, "forward"),
        (4e-5, 6e-11, "central"),
        (4e-4, 1.2e-14, "Richardson"),
        (2e-15, 3e-15, "complex step"),
    ):
        axes.text(x, y, text)
    lowest = {name: (values.min(), steps[values.argmin()]) for name, values in errors.items()}
    reached = "; ".join(
        f"the {route} difference errs by {lowest[route][0]:.0e} at h = {lowest[route][1]:.0e}, where the bound promised"
        f" {error:.0e} at {step:.0e}"
        for (step, error), route in zip(best, ("forward", "central"), strict=True)
    )
    return (
        f"At their best, {reached}; Richardson reaches {lowest['Richardson'][0]:.0e} at h ="
        f" {lowest['Richardson'][1]:.0e}; the complex step"
        f" errs by at most {errors['complex step'][steps < 1e-8].max():.0e} at every h under 1e-8."
    )


@picture()
def true_against_reported(figure, family, points, steps, default):
    """True error of each derivative against the error that its estimate reports, both relative, with the diagonal.

    Derivatives that are exact are drawn at the lower edge.
    """
    axes = figure.add_axes((0.13, 0.16, 0.84, 0.8))
    true, reported, step = np.array(
        [
            (*_relative_errors(function, derivative, x, step), step)
            for function, derivative in family
            for x in points
            for step in steps
        ]
    ).T
    usual = step <= default
    for chosen, marker, color in ((~usual, "s", "#E69F00"), (usual, "o", "#56B4E9")):
        drawn = np.maximum(true[chosen], 2e-17)
        axes.loglog(reported[chosen], drawn, marker, color=color, markersize=4, markeredgewidth=0)
    axes.loglog([1e-13, 1e-3], [1e-13, 1e-3], color="black", linestyle="--")
    axes.set(xlabel="error reported by the estimate", ylabel="true error", xlim=(1e-13, 1e-3), ylim=(1e-17, 1e-4))
    axes.text(4e-13, 2e-7, "a reported error too small\nwould be up here")
    for height, text, marker, color in (
        (3e-14, "larger steps", "s", "#E69F00"),
        (4e-16, rf"steps up to $2^{{{np.log2(default):.0f}}}$", "o", "#56B4E9"),
    ):
        axes.loglog(2e-6, height, marker, color=color)
        axes.text(4e-6, height, text, va="center")
    slack = float(f"{np.median(reported / np.maximum(true, 1e-17)):.0e}")
    return (
        f"In {true.size:,} derivatives of {len(family)} functions the true error is at most"
        f" {(true / reported).max():.2f} of the reported one; the median reported error is {slack:,.0f} times the"
        f" true one, and at the step {default:.2g} no reported error exceeds {reported[step == default].max():.0e} of"
        f" the derivative."
    )


@picture()
def arrows_and_level_line(figure, losses, query, theta, alpha, length=0.4):
    """Level lines of the meta-loss around θ, and four candidates for its gradient as arrows at θ, of one length."""
    axes = figure.add_axes((0.11, 0.16, 0.86, 0.8))
    axes.set_aspect("equal")
    x, y = np.linspace(-0.75, 0.55, 131) + theta[0], np.linspace(-0.54, 0.16, 71) + theta[1]
    _level_lines(axes, lambda t: meta_loss(losses, query, t, alpha), theta, x, y)
    measured = finite_difference_gradient(lambda t: meta_loss(losses, query, t, alpha), theta).value
    tangent = np.array([-measured[1], measured[0]]) / np.linalg.norm(measured)

    angles = {}
    for name, candidate, style, side, offset in (
        ("claimed", maml_gradient, MAML, "right", (-0.02, -0.03)),
        ("first order", fomaml_gradient, FOMAML, "right", (-0.02, -0.03)),
        ("a step late", after_the_step, LATE, "right", (-0.02, -0.05)),
        ("reversed", reversed_order, REVERSED, "left", (0.02, -0.03)),
    ):
        gradient = candidate(losses, query, theta, alpha)
        unit = gradient / np.linalg.norm(gradient)
        angles[name] = f"{np.degrees(np.arccos(np.abs(unit @ tangent))):.0f}°"
        draw_arrow(axes, theta, length * unit, style)
        axes.text(*(theta + length * unit + offset), f"{name} {angles[name]}", ha=side, bbox=BEHIND)
    axes.text(theta[0] + 0.37, theta[1] - 0.33, "level line of $M$", ha="center", bbox=BEHIND)
    _right_angle(axes, theta, tangent, measured / np.linalg.norm(measured))
    axes.set(xlabel="$x$", ylabel="$y$", xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))
    wrong = ", ".join(f"{name} {angle}" for name, angle in angles.items() if name != "claimed")
    return (
        f"With α = {alpha:g}, the claimed gradient stands at {angles['claimed']} to the level line of the measured"
        f" meta-loss, as a gradient must; the other candidates do not: {wrong}."
    )


def _largest_errors(function, derivative, points, steps):
    """For each way to a derivative, its largest relative error over the points at each step."""
    truth = derivative(points)

    def richardson(h):
        along = np.ones(1)
        return [finite_difference_directional(lambda t: function(t[0]), np.array([x]), along, h).value for x in points]

    ways = {
        "forward": lambda h: (function(points + h) - function(points)) / h,
        "central": lambda h: (function(points + h) - function(points - h)) / (2 * h),
        "Richardson": richardson,
        "complex step": lambda h: function(points + 1j * h).imag / h,
    }
    return {name: np.maximum(FLOOR, [np.abs(way(h) / truth - 1).max() for h in steps]) for name, way in ways.items()}


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


def _relative_errors(function, derivative, x, step):
    estimate = finite_difference_directional(lambda t: function(t[0]), np.array([x]), np.ones(1), step)
    truth = derivative(x)
    return abs(estimate.value / truth - 1), abs(estimate.error / truth)


def _level_lines(axes, M, theta, x, y):
    values = np.array([[M(np.array([a, b])) for a in x] for b in y])
    through = M(theta)
    axes.contour(x, y, values, levels=through * np.array([0.5, 1.5, 2, 3, 4]), colors="#bbbbbb", linewidths=1)
    axes.contour(x, y, values, levels=[through], colors="black", linewidths=2)


def _right_angle(axes, corner, first, second, size=0.035):
    sides = corner + size * np.array([first, first + second, second])
    axes.plot(*sides.T, color="black", linewidth=1)
