"""Figures of notebook 07: where first-order MAML points the wrong way."""

import numpy as np

from mathlib.figures.drawing import CURVES, cosine_between, draw_arrow, draw_contours, line_zero, printed
from mathlib.figures.picture import FOMAML, MAML, NEUTRAL, picture
from mathlib.meta_gradients import fomaml_gradient, inner_loop, maml_gradient, meta_loss

__all__ = [
    "cosine_as_v_turns",
    "cosines_by_start",
    "gradient_turns_back",
    "outer_loops_settle",
    "two_tasks_disagree",
    "where_g_can_lie",
]

UPHILL = "#eeeeee"
ROUNDING = 1e-9  # two zeros of lines of slope about 1 that are nearer than this are one


@picture(size=(7.2, 4.4))
def cosine_as_v_turns(figure, curvatures, alpha, steps):
    """The cosine between v and Pv on bowls, as v turns between the two eigenvectors, and the theorem's bounds."""
    panels = figure.subplots(1, 2, sharey=True)
    figure.subplots_adjust(left=0.14, right=0.97, bottom=0.16, top=0.9, wspace=0.12)
    turn = np.linspace(0, 90, 721)
    v = np.array([np.cos(np.radians(turn)), np.sin(np.radians(turn))])
    lowest = []
    for axes, lam in zip(panels, np.array(curvatures), strict=True):
        axes.axhspan(-1.1, 0, color=UPHILL, zorder=0)
        for K, style in zip(steps, CURVES, strict=True):
            P = (1 - alpha * lam) ** K
            cosine = cosine_between(v, P[:, None] * v, axis=0)
            axes.plot(turn, cosine, label=f"$K = {K}$", **style)
            lowest.append(f"{cosine.min():.2f}")
            if P.min() > 0:
                kappa = P.max() / P.min()
                axes.axhline(2 * kappa**0.5 / (1 + kappa), color=NEUTRAL, linestyle=":", linewidth=1.5)
        rates = ", ".join(f"{alpha * x:.2g}" for x in lam)
        axes.text(0.5, 1.03, rf"$\alpha\lambda = {rates}$", transform=axes.transAxes, ha="center", fontsize=14)
        axes.set(xlim=(0, 90), xticks=[0, 30, 60, 90], xlabel="direction of $v$ (degrees)")
    panels[0].set(ylim=(-1.06, 1.06), ylabel="cosine of $v$ and $g$")
    panels[0].text(88, -0.98, "wrong way", ha="right", va="bottom", color=NEUTRAL)
    panels[1].legend(loc="lower right")
    K = ", ".join(map(str, steps))
    left, right = (", ".join(dict.fromkeys(lowest[i : i + len(steps)])) for i in (0, len(steps)))
    return (
        f"K = {K}. Left, with αλ = {alpha * curvatures[0][0]:.2g} along the first eigenvector, the cosine falls to"
        f" {left}. Right, with αλ = {alpha * curvatures[1][0]:.2g}, it falls to {right}, and there it touches its bound"
        f" (dotted)."
    )


@picture(size=(7.2, 4.6))
def gradient_turns_back(figure, loss, query, theta, alpha, K, reach=0.24):
    """The inner loop on the support loss's contours, and at each point the direction in which v_i is downhill."""
    axes = figure.add_axes((0.12, 0.15, 0.62, 0.83), anchor="W")
    axes.set(xlim=(-0.62, 0.68), ylim=(-0.62, 0.42), xlabel="$x$", ylabel="$y$", aspect="equal")
    draw_contours(axes, loss.value, np.geomspace(0.1, 6, 12))
    path = inner_loop([loss] * K, theta, alpha)
    carried = [maml_gradient([loss] * (K - i), query, point, alpha) for i, point in enumerate(path)]
    axes.plot(*np.array(path).T, color="black", marker="o", markersize=5, linewidth=1.2, label="inner loop")
    for point, v in list(zip(path, carried, strict=True))[1:-1]:
        draw_arrow(
            axes, point, -0.7 * reach * v / np.linalg.norm(v), {"color": NEUTRAL, "linestyle": "-", "linewidth": 1.2}
        )
    g, v = carried[0], carried[-1]
    draw_arrow(axes, path[-1], -0.7 * reach * v / np.linalg.norm(v), FOMAML | {"linewidth": 1.2})
    draw_arrow(axes, theta, -reach * v / np.linalg.norm(v), FOMAML)
    draw_arrow(axes, theta, -reach * g / np.linalg.norm(g), MAML)
    for point, name, offset in ((theta, r"$\theta_0$", (-14, -14)), (path[-1], rf"$\theta_{K}$", (4, 10))):
        axes.annotate(name, point, offset, textcoords="offset points", fontsize=14)
    axes.plot([], [], label="MAML\n$-g$", **MAML)
    axes.plot([], [], label="FOMAML\n$-v$", **FOMAML)
    axes.plot([], [], color=NEUTRAL, linewidth=1.2, label="on the way")
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), borderaxespad=0, labelspacing=1)
    turned = [np.degrees(np.arccos(cosine_between(v, w))) for w in carried[-2::-1]]
    listed = ", ".join(f"{angle:.0f}°" for angle in turned)
    return (
        f"With α = {alpha:g} the query's gradient starts home from the end of the path (thin, orange). After one"
        f" factor, two, and so on to {K}, it has turned by {listed}. Its length shrinks to"
        f" {np.linalg.norm(g) / np.linalg.norm(v):.3f} of what it was, which the arrows do not show: all of a kind are"
        f" drawn equally long."
    )


@picture(size=(7.2, 4.5))
def where_g_can_lie(figure, products, lengths, cases, steps):
    """The region that K factors between 0 and I can send a vector v of length 1 to, with random and named (v, g)."""
    axes = figure.add_axes((0.10, 0.15, 0.88, 0.83))
    axes.set(xlim=(-0.62, 1.08), ylim=(0, 0.98), aspect="equal")
    axes.set(xlabel="component of $g$ along $v$, in units of $|v|$", ylabel="component across, same units")
    axes.axvspan(-0.7, 0, color=UPHILL, zorder=0)
    axes.text(-0.6, 0.94, "wrong way", va="top", color=NEUTRAL)
    for K, style, at, offset in zip(steps, CURVES, (45, 60, 80), ((0, -20), (0, 7), (0, 7)), strict=True):
        psi = np.linspace(0, np.pi / 2 if K == 1 else np.pi, 400)
        g = np.cos(psi / K) ** K * np.array([np.cos(psi), np.sin(psi)])
        axes.plot(*g, zorder=3, **style)
        top = g[:, np.abs(psi - np.radians(at)).argmin()]
        behind = {"facecolor": "white", "edgecolor": "none", "pad": 1}
        axes.annotate(f"$K = {K}$", top, offset, textcoords="offset points", ha="center", fontsize=14, bbox=behind)
    axes.plot(
        products,
        np.sqrt(np.maximum(lengths**2 - products**2, 0)),
        ".",
        color="#CC79A7",
        markersize=3,
        zorder=2,
        label=f"random, $K = {steps[1]}$",
    )
    for (name, (v, g)), mark in zip(cases.items(), "o^", strict=True):
        along = v @ g / (v @ v)
        axes.plot(
            along,
            np.sqrt(g @ g / (v @ v) - along**2),
            mark,
            color=FOMAML["color"],
            markersize=8,
            zorder=4,
            clip_on=False,
            label=name,
        )
    axes.legend(loc="upper left", bbox_to_anchor=(-0.01, 0.93), handletextpad=0.2, borderaxespad=0.3)
    many = np.array(steps[1:])
    listed = " and ".join(map(str, many))
    border = " and ".join(f"{r:.2f}" for r in np.cos(np.pi / 2 / many) ** many)
    lowest = " and ".join(f"−{r:.3f}" for r in np.cos(np.pi / (many + 1)) ** (many + 1))
    return (
        f"Inside its curve lies every g that K factors make of a v of length 1. For K = {listed}"
        f" the curves cross the border to the wrong way at length {border}, and reach {lowest} along v at most"
        f" ({products.size} dots are random products of {many[0]})."
    )


@picture(size=(7.2, 4.2))
def two_tasks_disagree(figure, tasks, minima, alpha, largest_alpha, span):
    """The mean gradients of two tasks against θ, and their zeros against α; grey where the signs differ."""
    left, right = figure.subplots(1, 2)
    figure.subplots_adjust(left=0.12, right=0.97, bottom=0.16, top=0.96, wspace=0.32)
    ends, roots, alphas = [], [], np.linspace(0, largest_alpha, 100)
    for gradient, style, name in ((maml_gradient, MAML, r"$\bar g$"), (fomaml_gradient, FOMAML, r"$\bar v$")):
        at = [_mean(gradient, tasks, np.array([float(x)]), alpha)[0] for x in span]
        ends.append(_root(gradient, tasks, alpha, span))
        left.plot(span, at, label=name, **style)
        roots.append([_root(gradient, tasks, x, span) for x in alphas])
        right.plot(alphas, roots[-1], label=name, **style)
    left.axhline(0, color=NEUTRAL, linewidth=1)
    left.axvspan(*ends, color=UPHILL, zorder=0)
    left.set(xlim=span, xlabel=r"start $\theta$", ylabel="mean gradient")
    left.legend(loc="upper left")
    right.fill_between(alphas, *roots, color=UPHILL, zorder=0)
    right.axvline(alpha, color=NEUTRAL, linestyle=":", linewidth=1.5)
    gap = np.abs(np.subtract(*roots))
    closed = " and ".join(f"α = {x:.3g}" for x in alphas[gap < ROUNDING])
    right.set_xticks([0, 0.05, 0.1])
    right.set(xlim=(0, largest_alpha), ylim=(min(minima), max(minima)), xlabel=r"step size $\alpha$")
    right.set_ylabel(r"$\theta$ where it vanishes")
    return (
        f"At α = {alpha:g} the mean MAML gradient vanishes at θ = {ends[0]:.3f}, the mean FOMAML gradient at"
        f" {ends[1]:.3f}; between them (grey) FOMAML leads uphill. Right: of the {alphas.size} step sizes drawn, the"
        f" grey interval is closed at {closed} and open at all others."
    )


@picture(size=(7.2, 4.2))
def outer_loops_settle(figure, tasks, theta, alpha, K, betas, outer_steps, lowest):
    """How far the mean query loss lies above its minimum, step by step, for both methods and several outer steps."""
    axes = figure.subplots()
    figure.subplots_adjust(left=0.14, right=0.8, bottom=0.16, top=0.96)

    settled = _mean(meta_loss, tasks, np.array([lowest]), alpha, K)
    stops, shrink = {}, {}
    for gradient, style, name in ((maml_gradient, MAML, "MAML"), (fomaml_gradient, FOMAML, "FOMAML")):
        for beta, width in zip(betas, (2.6, 1.3), strict=True):
            point, heights = np.array([theta]), []
            for _ in range(outer_steps + 1):
                heights.append(_mean(meta_loss, tasks, point, alpha, K) - settled)
                point = point - beta * _mean(gradient, tasks, point, alpha, K)
            stops[name, beta] = heights[-1]
            shrink[name, beta] = heights[1] / heights[0]
            axes.semilogy(heights, **style | {"linewidth": width})
            if name == "MAML":
                end = min(outer_steps, sum(height > 2e-6 for height in heights))
                at, text = (end, max(heights[end], 2e-6)), rf"MAML, $\beta = {beta:g}$"
            else:
                at, text = (outer_steps, heights[-1]), "FOMAML,\nboth $\\beta$"
            place = {"textcoords": "offset points", "va": "center", "annotation_clip": False}
            axes.annotate(text, at, (6, 0), color=style["color"], **place)
    axes.set(xlim=(0, outer_steps), ylim=(1e-6, 3 * heights[0]), xlabel="outer steps")
    axes.set_ylabel(r"$M(\theta) - \min M$")
    fomaml = " and ".join(dict.fromkeys(f"{stops['FOMAML', beta]:.2f}" for beta in betas))
    maml = " and ".join(f"{shrink['MAML', beta]:.2f} (β = {beta:g})" for beta in betas)
    return (
        f"From θ = {theta:g} with α = {alpha:g}, K = {K}: each outer step of MAML multiplies the height above the"
        f" minimum by {maml}; FOMAML stops {fomaml} above the minimum with either β."
    )


@picture(size=(7.2, 3.6))
def cosines_by_start(figure, cosines):
    """One row of dots for each way to draw the initial weights, a dot a task, and its median."""
    axes = figure.add_axes((0.15, 0.2, 0.58, 0.69))
    axes.axvspan(-1.05, 0, color=UPHILL, zorder=0)
    said = []
    for row, (name, values) in enumerate(cosines.items()):
        values = np.sort(values)
        # A low-discrepancy jitter: even, and the same every time.
        jitter = 0.5 * ((np.arange(values.size) * 0.618034) % 1 - 0.5)
        axes.plot(values, row + jitter, ".", color="#56B4E9", markersize=4, zorder=2)
        median, wrong = np.median(values), 100 * np.mean(values < 0)
        axes.plot([median, median], [row - 0.36, row + 0.36], color="black", linewidth=3, zorder=3)
        axes.text(1.09, row, f"{printed(median)},  {wrong:.0f} %", va="center")
        said.append(f"{name} {median:.2f} ({wrong:.0f} % negative)")
    axes.text(1.09, -0.78, "median, wrong", va="center", color=NEUTRAL)
    axes.text(-1.03, -0.78, "wrong way", va="center", color=NEUTRAL)
    axes.set(xlim=(-1.05, 1.05), ylim=(len(cosines) - 0.5, -0.5), xlabel="cosine of $v$ and $g$")
    axes.set_yticks(range(len(cosines)), list(cosines))
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    return f"The median cosine of {values.size} networks, each with a task of its own: {', '.join(said)}."


def _mean(gradient, tasks, theta, alpha, K=1):
    """The mean over tasks of one parameter, each its own support and query."""
    return np.mean([gradient([task] * K, task, theta, alpha) for task in tasks], axis=0)


def _root(gradient, tasks, alpha, span):
    """Where the mean gradient of quadratics, a straight line in θ, vanishes."""
    return line_zero(span, [_mean(gradient, tasks, np.array([float(x)]), alpha)[0] for x in span])
