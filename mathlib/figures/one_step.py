"""Figures of notebook 04: one inner step in two dimensions, and what its Jacobian does to a direction."""

import numpy as np

from mathlib.figures.drawing import add_label, draw_arrow, draw_contours, printed
from mathlib.figures.picture import FOMAML, MAML, NEUTRAL, picture
from mathlib.meta_gradients import fomaml_gradient, inner_loop, maml_gradient, meta_loss, step_jacobian

__all__ = ["circle_becomes_ellipse", "factor_against_curvature", "one_step_meta_gradient"]

SMALLER = {"color": "black", "linestyle": "-"}  # the eigenvector of the smaller eigenvalue, and its image
LARGER = {"color": "#CC79A7", "linestyle": "--"}
BELOW = "#eeeeee"


@picture()
def one_step_meta_gradient(figure, loss, query, theta, alpha, reach=0.45):
    """Contours of the query loss after one step, and the two directions in which an outer step may go."""
    axes = figure.subplots()
    axes.set(
        xlim=(1.1, 2.9),
        ylim=(0.52, 0.52 + 1.8 * 0.80 * 4.2 / (0.85 * 7.2)),
        xlabel="$x$ of the start",
        ylabel="$y$ of the start",
        aspect="equal",
    )
    levels = [0.4, 1.2, 2.5]
    height = meta_loss([loss], query, theta, alpha)
    x, y, values = draw_contours(axes, lambda start: meta_loss([loss], query, start, alpha), levels)
    axes.contourf(x, y, values, levels=[-np.inf, height], colors=BELOW)
    axes.contour(x, y, values, levels=[height], colors="black", linewidths=1.5)
    full, first_order = maml_gradient([loss], query, theta, alpha), fomaml_gradient([loss], query, theta, alpha)
    ends = [theta - reach * g / np.linalg.norm(g) for g in (full, first_order)]
    for end, style in zip(ends, (MAML, FOMAML), strict=True):
        draw_arrow(axes, theta, end - theta, style)
    axes.plot(*theta, "o", color="black")
    add_label(axes, theta, (8, 2), r"$\theta_0$", "black", "left", "bottom")
    add_label(axes, ends[0], (0, -8), "against the\nmeta-gradient", MAML["color"], "center", "top")
    add_label(axes, ends[1], (8, 0), r"against $\nabla Q(\theta_1)$", FOMAML["color"], "left", "center")
    angle = np.degrees(np.arccos(full @ first_order / np.linalg.norm(full) / np.linalg.norm(first_order)))
    return (
        f"Query loss after one step with α = {alpha:g}, grey where a start does better than θ₀: the arrow against the"
        f" meta-gradient {_pair(full)} leaves the contour at a right angle, into the grey; the arrow against"
        f" ∇Q(θ₁) = {_pair(first_order)} lies {angle:.0f}° away from it."
    )


@picture()
def circle_becomes_ellipse(figure, loss, starts, alpha, radius):
    """Circles of starting points, their true images after one step, and the ellipses that I − αH makes of them."""
    axes = figure.subplots()
    axes.set(
        xlim=(0.68, 2.32),
        ylim=(0.275, 0.275 + 1.64 * 0.80 * 4.2 / (0.85 * 7.2)),
        xlabel="$x$",
        ylabel="$y$",
        aspect="equal",
    )
    draw_contours(axes, loss.value, [0.02, 0.15, 0.5, 1.0])
    said = []
    for theta in starts:
        factors = _circle_and_ellipse(axes, loss, theta, alpha, radius)
        said.append(f"around ({theta[0]:g}, {theta[1]:g}) the factors are {_pair(factors, 2)}")
    gaps = [max(_gap(loss, theta, alpha, r) for theta in starts) for r in (radius, radius / 2)]
    return (
        f"With α = {alpha:g}, {' and '.join(said)}; the dots, true images of the circles of radius {radius:g}, stay"
        f" within {gaps[0]:.2f} radii of the ellipses, and with half the radius within {gaps[1]:.2f}."
    )


@picture()
def factor_against_curvature(figure, loss, starts, alpha):
    """The factor 1 − αλ of a direction against its curvature λ, with the curvatures met at some points."""
    axes = figure.subplots()
    span, top = np.array([-3.0, 11.0]), 2.1
    axes.set(xlim=span, ylim=(-top, top), xlabel=r"curvature $\lambda$ of the direction")
    axes.set_ylabel(r"factor $1 - \alpha\lambda$")
    axes.axhspan(-1, 1, color="#eeeeee", zorder=0)
    axes.axhline(0, color=NEUTRAL, linewidth=1)
    borders = np.array([0, 1, 2]) / alpha
    for border in borders:
        axes.axvline(border, color=NEUTRAL, linewidth=1, linestyle=":")
    edges = [span[0], *borders, span[1]]
    names = ["stretched", "shrunk", "flipped", "flipped and\nenlarged"]
    for name, a, b in zip(names, edges, edges[1:], strict=False):
        axes.text((a + b) / 2, top - 0.1, name, ha="center", va="top", fontsize=13)
    axes.plot(span, 1 - alpha * span, **MAML)
    for at, name in ((borders[0], "kept"), (borders[1], "lost")):
        add_label(axes, (at, 1 - alpha * at), (6, 4), name, "black", "left", "bottom")
    for theta, marker in zip(starts, "os", strict=False):
        values = np.linalg.eigvalsh(loss.hessian(theta))
        label = f"at ({theta[0]:g}, {theta[1]:g})"
        axes.plot(values, 1 - alpha * values, marker, color="black", label=label)
    axes.legend(loc="lower left", handletextpad=0, borderaxespad=0.2)
    return (
        f"With α = {alpha:g} a direction is lost at λ = {borders[1]:.3g}; the factor lies between −1 and 1, in the grey"
        f" band, from λ = 0 to λ = {borders[2]:.3g}."
    )


def _circle_and_ellipse(axes, loss, theta, alpha, radius):
    """Draw one circle of starts with its images, and the eigenvectors before and after; return their factors."""
    values, vectors = np.linalg.eigh(loss.hessian(theta))
    vectors = vectors * np.sign(vectors[0])  # an eigenvector has either sign, and the picture must not
    factors = 1 - alpha * values
    circle, images, ellipse = _pushed(loss, theta, alpha, radius)
    end = inner_loop([loss], theta, alpha)[-1]
    axes.plot(*circle.T, color=NEUTRAL, linestyle=":")
    axes.plot(*np.array([theta, end]).T, color=NEUTRAL, linewidth=1)
    axes.plot(*ellipse.T, **MAML)
    axes.plot(*images[::5].T, ".", color="black", markersize=5)
    for q, factor, style in zip(vectors.T, factors, (SMALLER, LARGER), strict=True):
        draw_arrow(axes, theta, radius * q, style | {"linewidth": 1.2})
        draw_arrow(axes, end, radius * factor * q, style | {"linewidth": 2.6})
        outside = np.sign(factor) * max(abs(factor), 1) * radius * q
        side, name = "left" if outside[0] > 0 else "right", f"× {printed(factor)}"
        add_label(axes, end + outside, 6 * np.sign(outside), name, "black", side, "center")
    if (end != theta).any():
        for point, name in ((theta, r"$\theta_0$"), (end, r"$\theta_1$")):
            add_label(axes, point, (-6, 4), name, "black", "right", "center")
    return factors


def _pushed(loss, theta, alpha, radius):
    """Points on a circle of starts, where one step takes them, and where its Jacobian at the centre would."""
    turn = np.linspace(0, 2 * np.pi, 121)
    u = radius * np.array([np.cos(turn), np.sin(turn)]).T
    images = np.array([inner_loop([loss], start, alpha)[-1] for start in theta + u])
    return theta + u, images, inner_loop([loss], theta, alpha)[-1] + u @ step_jacobian(loss, theta, alpha).T


def _gap(loss, theta, alpha, radius):
    """The largest distance between true images and ellipse, in radii."""
    _, images, ellipse = _pushed(loss, theta, alpha, radius)
    return np.linalg.norm(images - ellipse, axis=1).max() / radius


def _pair(numbers, places=3):
    return f"({numbers[0]:.{places}f}, {numbers[1]:.{places}f})"
