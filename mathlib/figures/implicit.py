"""Figures of notebook 13: an inner problem that is solved, not unrolled, and the distance to a set."""

import numpy as np

from mathlib.figures.drawing import add_label, draw_contours
from mathlib.figures.picture import FOMAML, MAML, NEUTRAL, picture

__all__ = [
    "distance_to_an_ellipse",
    "error_against_inner_accuracy",
    "error_against_products",
    "ring_of_solved_starts",
    "two_filters",
]

IMPLICIT = {"color": "#CC79A7", "linestyle": "-."}
STOPPED = {"color": "black", "linestyle": "--"}
# The accuracies of the linear solver, told apart by line, mark and colour.
SOLVERS = [
    {"color": "black", "linestyle": "-.", "marker": "^"},
    {"color": "#56B4E9", "linestyle": "--", "marker": "s"},
    {"color": "#CC79A7", "linestyle": "-", "marker": "o"},
]


@picture(size=(7.2, 4.6))
def ring_of_solved_starts(figure, value, theta, ring, images, optima, strength, shown):
    """A ring of starts, the inner optima that belong to them, and how θ's optimum moves with the strength.

    `optima` maps strengths to inner optima of θ; those of `strength` and `shown` are labelled.
    """
    axes = figure.add_axes((0.11, 0.14, 0.87, 0.84))
    axes.set(xlim=(-0.55, 1.72), ylim=(-0.93, 0.57), xlabel="$x$", ylabel="$y$", aspect="equal")
    draw_contours(axes, value, levels=14)
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


@picture()
def error_against_inner_accuracy(figure, away, errors, residuals):
    """The error of the implicit gradient against the inner solve's, a row for each accuracy of the linear solver."""
    axes = figure.subplots()
    figure.subplots_adjust(left=0.13, right=0.97, bottom=0.16, top=0.96)
    for error, residual, style in zip(errors, residuals, SOLVERS, strict=True):
        axes.loglog(away, error, **style)
        name = rf"residual $10^{{{np.log10(residual):.0f}}}$"
        if residual == min(residuals):
            add_label(axes, (away[-6], error[-6]), (-10, 8), name, ha="right", va="bottom")
        else:
            add_label(axes, (away[-1], error[-1]), (0, 9), name, va="bottom")
    slope = np.polyfit(np.log(away[-6:]), np.log(error[-6:]), 1)[0]
    reference = 0.12 * error[-1] * np.array(away) / away[-1]
    axes.loglog(away, reference, color=NEUTRAL, linestyle=":")
    add_label(axes, (away[-4], reference[-4]), (8, -4), "slope 1", color=NEUTRAL, va="top")
    axes.set(
        xlabel=r"inner error $\|\hat\varphi - \varphi\| \; / \; \|\theta - \varphi\|$",
        ylabel=r"$\|\tilde g - g\| \; / \; \|g\|$",
    )
    return (
        f"Solved to a relative residual of {residuals[-1]:g}, the implicit gradient's error falls with slope"
        f" {slope:.2f}; solved to {residuals[0]:g} and {residuals[1]:g}, it stays at {errors[0][-1]:.1g} and"
        f" {errors[1][-1]:.1g}."
    )


@picture(size=(7.2, 4.6))
def error_against_products(figure, unrolled, same_point, at_optimum):
    """The relative errors of three routes after 1, 2, 3, … Hessian-vector products."""
    axes = figure.add_axes((0.13, 0.14, 0.84, 0.83))
    largest = len(unrolled)
    routes = {
        "unrolled, $K$ steps: keeps $K$ points": (unrolled, MAML, (0.4, 6, "left", "bottom")),
        "implicit, at the same $K$-th point: keeps 1": (same_point, STOPPED, (1, -8, "right", "top")),
        "implicit, at the optimum: keeps 1": (at_optimum, IMPLICIT, (0.8, 0, "left", "center")),
    }
    for name, (errors, style, (part, rise, ha, va)) in routes.items():
        counts = np.arange(1, len(errors) + 1)
        axes.semilogy(counts, errors, **style)
        at = int(part * len(errors)) - 1
        add_label(axes, (counts[at], errors[at]), (0 if rise else 12, rise), name, style["color"], ha, va)
    axes.set(xlim=(0, largest), ylim=(1e-5, 5))
    axes.set(xlabel="Hessian-vector products", ylabel=r"$\|\tilde g - g\| \; / \; \|g\|$")
    ratio = np.array(unrolled) / np.array(same_point)
    ahead = np.flatnonzero(ratio <= 1)[-1] + 2
    return (
        f"Unrolling has the smaller error up to K = {ahead - 1}, the implicit gradient at the same point from K ="
        f" {ahead} on, from K = 10 on by a factor of {ratio[9:].min():.1f} to {ratio[9:].max():.1f}. After 10"
        f" Hessian-vector products the relative error is {unrolled[9]:.2g} unrolled, {same_point[9]:.2g} implicit at"
        f" the same tenth point, and {at_optimum[9]:.1g} implicit at the optimum; after {largest} it is"
        f" {unrolled[-1]:.2g} and {same_point[-1]:.2g} for the first two."
    )


@picture()
def two_filters(figure, alpha, K, weaker):
    """What an eigendirection of the Hessian lets through of a displacement of the start, for MAML and for iMAML."""
    axes = figure.add_axes((0.12, 0.16, 0.62, 0.8))
    mu, matched = np.linspace(0, 1.5 / alpha, 301), 1 / (alpha * K)
    axes.axhline(0, color=NEUTRAL, linewidth=1)
    axes.axhline(1, **FOMAML)
    axes.plot(mu, (1 - alpha * mu) ** K, **MAML)
    axes.plot(mu, matched / (matched + mu), **IMPLICIT)
    axes.plot(mu, weaker / (weaker + mu), color=IMPLICIT["color"], linestyle=":")
    right = mu[-1]
    ends = {
        "FOMAML": (1, 0, FOMAML),
        rf"iMAML, $\lambda = {matched:g}$": (matched / (matched + right), 8, IMPLICIT),
        rf"iMAML, $\lambda = {weaker:g}$": (weaker / (weaker + right), 2, IMPLICIT),
        "MAML": ((1 - alpha * right) ** K, -8, MAML),
    }
    for name, (end, shift, style) in ends.items():
        add_label(axes, (right, end), (9, shift), name, color=style["color"])
    axes.set(xlim=(0, right), ylim=(-0.22, 1.06), xlabel=r"eigenvalue $\mu$ of the Hessian", ylabel="part that arrives")
    low = (1 - alpha * right) ** K
    return (
        f"K = {K} steps with α = {alpha:g} beside a leash of strength 1/(αK) = {matched:g}: the curves leave 1 with the"
        f" same slope, MAML's reaches 0 at μ = {1 / alpha:g} and {low:.2f} at μ = {right:g}, where iMAML's is still"
        f" {matched / (matched + right):.2f}."
    )


@picture(size=(7.2, 4.6))
def distance_to_an_ellipse(figure, a, b, closest, points):
    """The contours of half the squared distance to an ellipse, and from several points the way to the closest one.

    Inside, up to the vertex's centre of curvature at a − b²/a, the long axis has two closest points.
    """
    turn, torn = np.linspace(0, 2 * np.pi, 400), [(b**2 / a - a, 0), (a - b**2 / a, 0)]
    curve = np.array([a * np.cos(turn), b * np.sin(turn)])
    axes = figure.add_axes((0.125, 0.14, 0.855, 0.84))
    axes.set(xlim=(-2.75, 2.75), ylim=(-1.55, 1.75), xlabel="$x$", ylabel="$y$", aspect="equal")
    x, y = np.linspace(-2.75, 2.75, 111), np.linspace(-1.55, 1.75, 71)
    nearest = np.min([(x[:, None] - p) ** 2 + (y[None] - q) ** 2 for p, q in curve.T], axis=0) / 2
    axes.contour(x, y, nearest.T, levels=np.linspace(0.1, 1.3, 7) ** 2 / 2, colors="#bbbbbb", linewidths=1)
    axes.plot(*curve, color="black")
    axes.plot(*np.array(torn).T, color=FOMAML["color"], linestyle="--")
    lengths = []
    for theta in points:
        p = closest(theta)
        axes.plot(*theta, "o", color=MAML["color"], markersize=5)
        head = {"arrowstyle": "-|>", "mutation_scale": 15, "linewidth": 2, "shrinkA": 0, "shrinkB": 0}
        axes.annotate("", p, theta, arrowprops=head | {"color": MAML["color"]}, zorder=3)
        lengths.append(np.linalg.norm(theta - p))
    add_label(axes, points[0], (7, 4), r"$\theta$", color=MAML["color"])
    add_label(axes, closest(points[0]), (14, 9), r"$p(\theta)$", color=MAML["color"])
    add_label(axes, np.mean(torn, axis=0), (0, -5), "two closest points", color=FOMAML["color"], ha="center", va="top")
    return (
        f"From {len(points)} points an arrow −(θ − p) leads to the closest point of the ellipse, {min(lengths):.2f} to"
        f" {max(lengths):.2f} long, at right angles to the contours of half the squared distance; strictly between"
        f" x = {torn[0][0]:g} and {torn[1][0]:g} on the axis (dashed) two points are closest, and the contours have"
        " corners."
    )
