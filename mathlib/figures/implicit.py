"""Figures of notebook 13: an inner problem that is solved, not unrolled, and the distance to a set."""

import numpy as np
from scipy.sparse.linalg import LinearOperator, cg, eigsh

from mathlib.figures.drawing import add_label, draw_contours, relative_error
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
def ring_of_solved_starts(figure, loss, theta, strength, shown, radius=0.3):
    """A ring of starts, the inner optima that belong to them, and how the optimum moves with the strength."""
    axes = figure.add_axes((0.11, 0.14, 0.87, 0.84))
    axes.set(xlim=(-0.55, 1.72), ylim=(-0.93, 0.57), xlabel="$x$", ylabel="$y$", aspect="equal")
    draw_contours(axes, loss.value, levels=14)
    way = [_inner_optimum(loss, theta, s) for s in np.geomspace(1e-3, 1e3, 61)]
    axes.plot(*np.array(way).T, color=NEUTRAL, linestyle=":")
    turn = np.linspace(0, 2 * np.pi, 49)
    ring = theta + radius * np.array([np.cos(turn), np.sin(turn)]).T
    images = np.array([_inner_optimum(loss, start, strength) for start in ring])
    axes.plot(*ring.T, color=NEUTRAL, linestyle="--")
    axes.plot(*images.T, **MAML)
    for start, image in zip(ring[:-1:8], images[:-1:8], strict=True):
        axes.plot(*np.array([start, image]).T, color=NEUTRAL, linewidth=0.8)
        axes.plot(*start, "o", color=NEUTRAL, markersize=5)
        axes.plot(*image, "o", color=MAML["color"], markersize=5)
    axes.plot(*theta, "o", color="black")
    add_label(axes, theta, (8, 0), r"$\theta$")
    for s in (strength, *shown):
        optimum = _inner_optimum(loss, theta, s)
        axes.plot(*optimum, "o", color="black", markersize=5)
        add_label(axes, optimum, (12, 14) if s == strength else (6, 9), rf"$\lambda = {s:g}$")
    add_label(axes, ring[0], (8, 0), "starts", color=NEUTRAL)
    add_label(axes, images[24], (-8, 0), "their optima", color=MAML["color"], ha="right")
    optimum = _inner_optimum(loss, theta, strength)
    spread = np.linalg.norm(images - optimum, axis=1)
    return (
        f"With λ = {strength:g} a ring of starts at distance {radius:g} from θ has inner optima (solid) at distances"
        f" {spread.min():.2f} to {spread.max():.2f} from φ; as λ falls, φ leaves θ along the dotted line towards the"
        " minimum of L."
    )


@picture()
def error_against_inner_accuracy(figure, loss, query, theta, strength, alpha, residuals, steps):
    """The error of the implicit gradient against the inner solve's, for several accuracies of the linear solver."""
    axes = figure.subplots()
    figure.subplots_adjust(left=0.13, right=0.97, bottom=0.16, top=0.96)
    phi = _inner_optimum(loss, theta, strength)
    g = _solve(loss, phi, strength, query.gradient(phi), rtol=1e-13)
    path = _descend(loss, theta, strength, alpha, max(steps))
    away = [np.linalg.norm(path[n] - phi) / np.linalg.norm(theta - phi) for n in steps]
    floors = []
    for residual, style in zip(residuals, SOLVERS, strict=True):
        found = [_solve(loss, path[n], strength, query.gradient(path[n]), rtol=residual) for n in steps]
        error = [relative_error(f, g) for f in found]
        floors.append(error[-1])
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
        f"Inner loops of {min(steps)} to {max(steps)} steps with α = {alpha:g}, d = {theta.size:,}: solved to a"
        f" relative residual of {residuals[-1]:g}, the implicit gradient's error falls with slope {slope:.2f}; solved"
        f" to {residuals[0]:g} and {residuals[1]:g}, it stays at {floors[0]:.1g} and {floors[1]:.1g}."
    )


@picture(size=(7.2, 4.6))
def error_against_products(figure, loss, query, theta, strength, alpha, largest):
    """The error of three routes to the meta-gradient against the number of Hessian-vector products they take."""
    axes = figure.add_axes((0.13, 0.14, 0.84, 0.83))
    phi = _inner_optimum(loss, theta, strength)
    g = _solve(loss, phi, strength, query.gradient(phi), rtol=1e-13)
    counts, path = np.arange(1, largest + 1), _descend(loss, theta, strength, alpha, largest)
    routes = {
        "unrolled, $K$ steps: keeps $K$ points": (
            [_unrolled(loss, query, path[: K + 1], strength, alpha) for K in counts],
            MAML,
            (0.4, 6, "left", "bottom"),
        ),
        "implicit, at the same $K$-th point: keeps 1": (
            [_solve(loss, path[K], strength, query.gradient(path[K]), maxiter=K) for K in counts],
            STOPPED,
            (1, -8, "right", "top"),
        ),
        "implicit, at the optimum: keeps 1": (
            [_solve(loss, phi, strength, query.gradient(phi), maxiter=m) for m in counts],
            IMPLICIT,
            (0.2, 0, "left", "center"),
        ),
    }
    errors = []
    for name, (found, style, (part, rise, ha, va)) in routes.items():
        errors.append(np.linalg.norm(np.array(found) - g, axis=1) / np.linalg.norm(g))
        seen = errors[-1] > 1e-10
        axes.semilogy(counts[seen], errors[-1][seen], **style)
        at = int(part * largest) - 1
        add_label(axes, (counts[at], errors[-1][at]), (0 if rise else 12, rise), name, style["color"], ha, va)
    axes.set(xlim=(0, largest), ylim=(1e-10, 5))
    axes.set(xlabel="Hessian-vector products", ylabel=r"$\|\tilde g - g\| \; / \; \|g\|$")
    bracket, start = _bracket(loss, phi, strength), np.ones(theta.size)
    high, low = (eigsh(bracket, k=1, which=end, v0=start, return_eigenvectors=False)[0] for end in ("LA", "SA"))
    unrolled, same, exact = (f"{e[9]:.2g}" for e in errors)
    return (
        f"λ = {strength:g}, α = {alpha:g}, d = {theta.size:,}, least eigenvalue of H {strength * (low - 1):.2f},"
        f" condition number of M {high / low:.0f}: after 10 Hessian-vector products the relative error is {unrolled}"
        f" unrolled, {same} implicit at the same tenth point, and {exact} implicit at the optimum; after {largest} it"
        f" is {errors[0][-1]:.2g} and {errors[1][-1]:.2g} for the first two."
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


def _bracket(loss, phi, strength):
    """v ↦ v + Hv/λ at φ."""
    hvp = loss.linearize(phi)[1]
    return LinearOperator((phi.size,) * 2, lambda v: v + hvp(v) / strength, dtype=phi.dtype)


def _solve(loss, phi, strength, q, rtol=0.0, maxiter=None):
    """(I + H/λ)⁻¹ q by conjugate gradients, stopped at a relative residual or after so many products."""
    return cg(_bracket(loss, phi, strength), q, rtol=rtol, maxiter=maxiter)[0]


def _inner_optimum(loss, theta, strength):
    """argmin of L(φ) + λ/2 ‖φ − θ‖², by Newton's method; steps are halved until the gradient shrinks."""
    phi = theta
    pull = loss.gradient(phi) / strength
    for _ in range(50):
        if np.linalg.norm(pull) <= 1e-13 * (1 + np.linalg.norm(theta)):
            break
        move = _solve(loss, phi, strength, pull, rtol=1e-10)
        for halvings in range(30):
            nearer = phi - move / 2**halvings
            new = nearer - theta + loss.gradient(nearer) / strength
            if np.linalg.norm(new) < np.linalg.norm(pull):
                break
        phi, pull = nearer, new
    return phi


def _descend(loss, theta, strength, alpha, K):
    """K steps of gradient descent on the inner problem: K + 1 points."""
    path = [theta]
    for _ in range(K):
        path.append(path[-1] - alpha * (loss.gradient(path[-1]) + strength * (path[-1] - theta)))
    return path


def _unrolled(loss, query, path, strength, alpha):
    """The gradient of Q at the end of such a path by θ, which every step contains."""
    v = query.gradient(path[-1])
    total = 0 * v
    for phi in path[-2::-1]:
        total = total + alpha * strength * v
        v = v - alpha * (loss.hvp(phi, v) + strength * v)
    return v + total
