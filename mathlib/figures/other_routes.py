"""Figures of notebook 09: paths, prices, and steps that are not plain gradient descent."""

from itertools import product

import numpy as np
from matplotlib.ticker import MultipleLocator

from mathlib.figures.drawing import CURVES, add_label, draw_arrow, draw_contours, printed, subscript
from mathlib.figures.picture import FOMAML, MAML, NEUTRAL, picture
from mathlib.meta_gradients import inner_loop, maml_gradient, meta_loss

__all__ = ["first_step_of_adam", "paths_and_shares", "price_of_a_push", "slope_with_momentum"]

BRANCH = {"color": "#CC79A7", "linestyle": "--", "linewidth": 1.5}


@picture(size=(7.2, 5.0))
def paths_and_shares(figure, losses, query, theta, alpha):
    """The tree of all paths from θ₀ to θ_K, and at each leaf the share that its product has in the meta-gradient."""
    tree, bars = figure.add_axes((0.01, 0.14, 0.61, 0.84)), figure.add_axes((0.63, 0.14, 0.35, 0.84))
    K = len(losses)
    choices, shares = _shares(losses, query, theta, alpha)
    rows = np.arange(2**K)[::-1].astype(float)
    _tree(tree, choices, rows)
    for row, choice, share in zip(rows, choices, shares, strict=True):
        style = MAML if any(choice) else FOMAML
        bars.plot([0, share], [row, row], linewidth=9, solid_capstyle="butt", color=style["color"])
        bars.text(max(share, 0) + 0.08, row, printed(share), va="center", fontsize=13)
        tree.text(K + 0.12, row, _product(choice), va="center", fontsize=14, color=style["color"])
    bars.axvline(0, color="black", linewidth=1)
    bars.set(xlim=(-0.5, 2.3), ylim=tree.get_ylim(), yticks=[], xlabel=r"share of $g$")
    bars.spines["left"].set_visible(False)
    return (
        f"All {2**K} paths of {K} steps with α = {alpha:g}: their shares of the meta-gradient add up to"
        f" {shares.sum():.2f}. The path without any gradient, the only one that FOMAML keeps, has the share"
        f" {shares[0]:.2f}; the others together have {shares[1:].sum():.2f}, none of them more than"
        f" {np.abs(shares[1:]).max():.2f} in size."
    )


@picture(size=(7.2, 4.6))
def price_of_a_push(figure, losses, query, theta, alpha, lowest, push=0.15):
    """A push against p_i after each step, where the rest of the loop takes it, and what it does to the query loss."""
    plane, prices = figure.add_axes((0.10, 0.14, 0.50, 0.84)), figure.add_axes((0.73, 0.14, 0.25, 0.84))
    path = np.array(inner_loop(losses, theta, alpha))
    K, before = len(losses), query.value(path[-1])
    plane.set(xlim=(-1.05, 0.8), ylim=(-0.75, 1.24), xlabel="$x$", ylabel="$y$", aspect="equal")
    plane.set_yticks([-0.5, 0.0, 0.5, 1.0])
    draw_contours(plane, losses[0].value, np.geomspace(0.05, 10, 16))
    foretold, measured = [], []
    for i, point in enumerate(path):
        p = maml_gradient(losses[i:], query, point, alpha)
        moved = point - push * p / np.linalg.norm(p)
        branch = np.array(inner_loop(losses[i:], moved, alpha))
        plane.plot(*branch.T, **BRANCH)
        plane.plot(*branch[-1], "o", color=BRANCH["color"], markersize=4)
        draw_arrow(plane, point, moved - point, MAML)
        foretold.append(push * np.linalg.norm(p))
        measured.append(before - meta_loss(losses[i:], query, moved, alpha))
    plane.plot(*path.T, color="black", marker="o", markersize=5, linewidth=1.5)
    plane.plot(*lowest, "*", color="black", markersize=15)
    add_label(plane, lowest, (-10, 0), "minimum of $Q$", ha="right")
    add_label(plane, path[0], (-8, -2), r"$\theta_0$", ha="right")
    add_label(plane, path[-1], (4, -14), rf"$\theta_{K}$")
    add_label(plane, path[1], (6, 36), "push", MAML["color"])
    add_label(plane, path[0], (8, 58), "the way on", BRANCH["color"])
    at = np.arange(K + 1)
    prices.plot(at, foretold, "o", color=MAML["color"], markerfacecolor="white", markeredgewidth=2, label="price")
    prices.plot(at, measured, "x", color="black", markeredgewidth=2, label="measured")
    prices.set(xlabel="pushed at $i$", ylabel="fall of $Q$", xticks=at, ylim=(0, 1.35 * max(foretold)))
    prices.yaxis.set_major_locator(MultipleLocator(0.05))
    prices.set_xlim(-0.5, K + 0.5)
    prices.legend(loc="upper center", handletextpad=0, borderaxespad=0)
    off = np.abs(np.array(measured) / foretold - 1).max()
    return (
        f"With α = {alpha:g}, a push of length {push:g} against p₀ at the start is to lower the query loss by"
        f" {foretold[0]:.3f}, and lowers it by {measured[0]:.3f}; after the last step a push against p{subscript(K)}"
        f" is to lower it by {foretold[-1]:.3f}, and lowers it by {measured[-1]:.3f}. No fall is more than"
        f" {100 * off:.0f} % away from its price."
    )


@picture()
def slope_with_momentum(figure, alpha, K, momenta=(0.0, 0.5, 0.9), largest=12.0):
    """∂θ_K/∂θ₀ on a parabola against its curvature, for several momenta, and the 1 that first order puts for it."""
    axes = figure.subplots()
    curvatures = np.linspace(0, largest, 1201)
    said = []
    labels = [(0.2, (8, 8)), (0.28, (0, -12)), (0.38, (8, -8))]
    for mu, style, (at, offset) in zip(momenta, CURVES, labels, strict=True):
        step = np.array([[[1 - alpha * lam, -alpha * mu], [lam, mu]] for lam in curvatures])
        slope = np.linalg.matrix_power(step, K)[:, 0, 0]
        axes.plot(curvatures, slope, **style)
        crossing = curvatures[np.argmax(slope < 0)]
        axes.plot(crossing, 0, "o", color=style["color"], markersize=9, zorder=3)
        said.append(f"αλ = {crossing * alpha:.2f} with μ = {mu:g}")
        nearest = np.argmin(np.abs(curvatures - at * largest))
        point = (curvatures[nearest], slope[nearest])
        add_label(axes, point, offset, rf"$\mu = {mu:g}$")
    axes.axhline(1, **FOMAML)
    axes.axhline(0, color=NEUTRAL, linewidth=1)
    axes.text(0.99 * largest, 1.03, "first order: 1", color=FOMAML["color"], ha="right", va="bottom", fontsize=13)
    axes.set(xlabel=r"curvature $\lambda$", ylabel=rf"$\partial\theta_{K} \,/\, \partial\theta_0$")
    axes.set(xlim=(0, largest), ylim=(-1.05, 1.25))
    return (
        f"How the end of {K} steps with α = {alpha:g} follows its start on a parabola: the slope first reaches zero"
        f" (dots) at {', at '.join(said)}; with μ = 0 it is tiny long before. First order takes it for 1 everywhere."
    )


@picture()
def first_step_of_adam(figure, loss, alpha, eps, span=(-1.6, 1.6)):
    """Where one step leads from each start on a loss of one number: Adam from rest, and gradient descent."""
    axes = figure.subplots()
    starts = np.linspace(*span, 3201)
    n, curvature = (np.array([f(np.array([x])).item() for x in starts]) for f in (loss.gradient, loss.hessian))
    slope = 1 - alpha * eps / (np.abs(n) + eps) ** 2 * curvature
    axes.plot(starts, starts, color=NEUTRAL, linewidth=1)
    axes.plot(starts, starts - alpha * n, **CURVES[1])
    axes.plot(starts, starts - alpha * n / (np.abs(n) + eps), **CURVES[2] | {"linestyle": "-"})
    for x in (-1, 0, 1):
        axes.axvline(x, color=NEUTRAL, linewidth=1, linestyle=":", zorder=0)
    axes.set(xlabel=r"start $\theta_0$", ylabel=r"end of the step, $\theta_1$", xlim=span)
    add_label(axes, (0.0, -0.3), (6, -6), "Adam, from rest")
    add_label(axes, (-1.3, -1.03), (-4, 48), "gradient\ndescent", CURVES[1]["color"], ha="center")
    add_label(axes, (1.45, 1.45), (-2, 8), "no step", NEUTRAL, ha="right")
    near = np.mean(np.abs(slope - 1) < 0.1)
    low, high = slope.min(), slope.max()
    return (
        f"One step on the double well with α = {alpha:g}, ε = {eps:g}: on {100 * near:.0f} % of these starts the slope"
        f" of Adam's end lies within 0.1 of 1, which is what first order assumes; where the gradient vanishes (dotted)"
        f" it is {low:.0f} at the minima and {high:.0f} between them."
    )


def _shares(losses, query, theta, alpha):
    """For each choice of steps at which a path goes through the gradient: its product's share of the meta-gradient."""
    path = inner_loop(losses, theta, alpha)
    hessians = [loss.hessian(point) for loss, point in zip(losses, path, strict=False)]
    g = maml_gradient(losses, query, theta, alpha)
    choices = list(product((False, True), repeat=len(losses)))
    shares = []
    for choice in choices:
        v = query.gradient(path[-1])
        for by_gradient, H in reversed(list(zip(choice, hessians, strict=True))):
            v = -alpha * H @ v if by_gradient else v
        shares.append(v @ g / (g @ g))
    return choices, np.array(shares)


def _tree(axes, choices, rows):
    """Every choice as a line of its own from θ₀ to a leaf: level where it goes straight, dotted through a gradient."""
    K = len(choices[0])
    place = dict(zip(choices, rows, strict=True))

    def height(prefix):
        return np.mean([row for choice, row in place.items() if choice[: len(prefix)] == prefix])

    for i in range(K):
        for prefix in product((False, True), repeat=i):
            for by_gradient in (False, True):
                kept = not any((*prefix, by_gradient))
                style = {"color": FOMAML["color"], "linewidth": 3} if kept else {"color": NEUTRAL, "linewidth": 2}
                style = style | ({"linestyle": ":"} if by_gradient else {})
                axes.plot([i, i + 1], [height(prefix), height((*prefix, by_gradient))], **style)
    axes.set(xlim=(-0.35, K + 1.25), ylim=(-0.6, len(rows) + 0.1))
    axes.axis("off")
    axes.text(-0.05, height(()), r"$\theta_0$", ha="right", va="center", fontsize=15)
    axes.text(0.05, rows[0], "kept by FOMAML", va="center", fontsize=13, color=FOMAML["color"])
    axes.text(K + 0.12, rows[0] + 0.65, rf"times $\nabla Q(\theta_{K})$:", va="center", fontsize=13)
    for i in range(K):
        axes.text(i + 0.5, -0.75, f"step {i + 1}", ha="center", va="top", fontsize=13)
    for y, linestyle, name in ((0.75, "-", "straight on"), (0.1, ":", "by gradient")):
        axes.plot([-0.3, 0.0], [y, y], color=NEUTRAL, linewidth=2, linestyle=linestyle)
        axes.text(0.06, y, name, va="center", fontsize=13)


def _product(choice):
    """What a path contributes, before ∇Q."""
    m = sum(choice)
    sign = "-" if m % 2 else ""
    power = "" if m == 0 else r"\alpha\," if m == 1 else rf"\alpha^{m}"
    return f"${sign}{power}{''.join(f'H_{i}' for i, b in enumerate(choice) if b) or 'I'}$"
