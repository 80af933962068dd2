"""Figures of notebook 06: what first-order MAML leaves out, seen and measured."""

import io

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mathlib.figures.drawing import CURVES, add_label, cosine_between, draw_arrow, draw_contours, subscript
from mathlib.figures.picture import FOMAML, MAML, NEUTRAL, STYLE, picture
from mathlib.meta_gradients import fomaml_gradient, inner_loop, maml_gradient, meta_loss

__all__ = [
    "angle_and_length",
    "arrows_on_meta_loss",
    "bias_slope",
    "compare_gradients",
    "moving_comparison",
    "pretended_translation",
    "sign_map",
]

PATH = {"color": "black", "marker": "o", "markersize": 5, "linewidth": 1.2}
COMPARISON = (7.2, 4.4)


@picture(size=(7.2, 4.4))
def pretended_translation(figure, loss, theta, alpha, K, radius=0.3):
    """A ring of starts, where K steps take it, and where a translation would."""
    axes = figure.add_axes((0.10, 0.15, 0.88, 0.83))
    axes.set(xlim=(-1.52, 0.38), ylim=(0.72, 1.9), xlabel="$x$", ylabel="$y$", aspect="equal")
    draw_contours(axes, loss.value, np.geomspace(0.25, 16, 10))
    turn = np.linspace(0, 2 * np.pi, 145)
    ring = radius * np.array([np.cos(turn), np.sin(turn)]).T
    end = inner_loop([loss] * K, theta, alpha)[-1]
    images = np.array([inner_loop([loss] * K, theta + u, alpha)[-1] for u in ring])
    spread = np.linalg.norm(images - end, axis=1)

    axes.plot(*(theta + ring).T, color=NEUTRAL, linestyle=":")
    axes.plot(*images.T, **MAML)
    axes.plot(*(end + ring).T, **FOMAML)
    # One start in six, the same ones in all three curves, so that the eye can follow where each of them goes.
    for points, color in ((theta + ring, NEUTRAL), (end + ring, FOMAML["color"]), (images, MAML["color"])):
        axes.plot(*points[:-1:24].T, "o", color=color, markersize=5)
    for point, name, offset in ((theta, r"$\theta_0$", (-6, 8)), (end, rf"$\theta_{K}$", (-15, -6))):
        axes.plot(*point, "o", color="black")
        add_label(axes, point, offset, name, ha="right")
    add_label(axes, theta + np.array([0, radius]), (0, 6), "starts", color=NEUTRAL, ha="center", va="bottom")
    right = end + np.array([1.07 * radius, 0])
    add_label(axes, right, (0, 22), "where FOMAML\nassumes they go", color=FOMAML["color"])
    add_label(axes, right, (0, -40), "where the steps\ntake them", color=MAML["color"])
    return (
        f"{K} steps with α = {alpha:g} carry a ring of starts, at distance {radius:g} from θ₀, to a curve (solid) whose"
        f" distance from θ{subscript(K)} runs from {spread.min():.2f} to {spread.max():.2f}; first-order MAML computes"
        f" as if the ring kept its shape (dashed), at distance {radius:g} all round."
    )


@picture(size=(7.2, 4.6))
def arrows_on_meta_loss(figure, loss, query, starts, alpha, K, reach=0.4):
    """Contours of the meta-loss, and at several starts the two directions of descent."""
    axes = figure.add_axes((0.12, 0.15, 0.64, 0.83), anchor="W")
    axes.set(xlim=(-1.75, 1.45), ylim=(-0.55, 1.85), xlabel="$x$ of the start", ylabel="$y$ of the start")
    axes.set_aspect("equal")
    losses = [loss] * K
    levels = np.linspace(0.15, 2.0, 12) ** 2
    draw_contours(axes, lambda start: meta_loss(losses, query, start, alpha), levels, points=80)
    angles = []
    for start in starts:
        pair = [gradient(losses, query, start, alpha) for gradient in (maml_gradient, fomaml_gradient)]
        for g, style in zip(pair, (MAML, FOMAML), strict=True):
            draw_arrow(axes, start, -reach * g / np.linalg.norm(g), style)
        axes.plot(*start, "o", color="black", markersize=5)
        angles.append(np.degrees(np.arccos(cosine_between(*pair))))
    _legend_beside(axes)
    return (
        f"Contours of the query loss after {K} steps with α = {alpha:g}. MAML's arrows cross them at right angles,"
        f" downhill; at these {len(starts)} starts FOMAML's lean away from MAML's by {min(angles):.0f}° to"
        f" {max(angles):.0f}°. All arrows are drawn equally long."
    )


@picture(size=(7.2, 6.0))
def angle_and_length(figure, loss, query, theta, alphas, curvatures, alpha, steps=(1, 2, 5)):
    """The cosine between both gradients and the ratio of their lengths, against step size and against curvature."""
    axes = figure.subplots(2, 2, sharex="col", sharey="row")
    figure.subplots_adjust(left=0.13, right=0.97, bottom=0.12, top=0.97, wspace=0.2, hspace=0.1)
    said = []
    for K, style in zip(steps, CURVES, strict=True):
        pairs = [[f([loss] * K, query, theta, a) for f in (maml_gradient, fomaml_gradient)] for a in alphas]
        cosine, ratio = _angle_and_length_curves(axes[:, 0], alphas, pairs, style | {"label": f"$K = {K}$"})
        said.append(f"{cosine[-1]:.2f} and {ratio[-1]:.2f} for K = {K}")
        bowl = [(np.array([(1 - alpha * lam) ** K, (1 - alpha) ** K]), np.ones(2)) for lam in curvatures]
        _angle_and_length_curves(axes[:, 1], curvatures, bowl, style)
    for (cosine, ratio), across, label in (
        (axes[:, 0], alphas, r"step size $\alpha$ (valley)"),
        (axes[:, 1], curvatures, r"curvature $\lambda$ (bowl)"),
    ):
        cosine.axhline(0, color=NEUTRAL, linewidth=1)
        ratio.axhline(1, color=NEUTRAL, linewidth=1)
        ratio.set(xlim=(0, across[-1]), xlabel=label)
    axes[0, 0].set(ylabel="cosine of the angle", ylim=(-0.6, 1.04))
    axes[1, 0].set_ylabel(r"$\|g_{\mathrm{FO}}\| \; / \; \|g\|$")
    axes[0, 0].legend(loc="lower left")
    figure.align_ylabels(axes[:, 0])
    return (
        f"Valley from θ₀ = {_point(theta)}, left: at α = {alphas[-1]:g} the cosine and the ratio of lengths are"
        f" {', '.join(said)}; at α = 0 both are 1. Bowl with α = {alpha:g} and ∇Q = (1, 1), right: at λ = 1/α ="
        f" {1 / alpha:.3g} the angle is 45° for every K; it passes 90° at λ = {2 / alpha - 1:.3g} where K is odd, and"
        " never where K is even."
    )


@picture(size=(7.2, 4.2))
def sign_map(figure, curvature, largest_alpha, largest_K):
    """log₁₀ |g_FO/g| over α and K on a quadratic in one dimension, hatched where the signs differ.

    The map leaves out the darkest colours at both ends of its palette: black hatching would not be seen on them.
    """
    axes = figure.add_axes((0.10, 0.17, 0.68, 0.74))
    edges = np.linspace(0, largest_alpha, 241)
    alphas, steps = (edges[1:] + edges[:-1]) / 2, np.arange(1, largest_K + 1)
    excess = -steps[:, None] * np.log10(np.abs(1 - alphas * curvature))
    mesh = axes.pcolormesh(
        edges,
        np.arange(largest_K + 1) + 0.5,
        excess,
        cmap=mpl.colors.ListedColormap(mpl.colormaps["PuOr_r"](np.linspace(0.2, 0.8, 16))),
        vmin=-2,
        vmax=2,
        rasterized=True,
    )
    for K in steps[::2]:
        corner, width = (1 / curvature, K - 0.5), largest_alpha - 1 / curvature
        axes.add_patch(mpl.patches.Rectangle(corner, width, 1, fill=False, hatch="///", linewidth=0))
    axes.axvline(1 / curvature, color="black", linewidth=2)
    axes.text(1 / curvature, largest_K + 0.6, r"$\alpha = 1/\lambda$", ha="center", va="bottom")
    axes.set(xlabel=r"step size $\alpha$", ylabel="number of steps $K$", yticks=steps)
    bar = figure.colorbar(mesh, cax=figure.add_axes((0.81, 0.17, 0.03, 0.74)), extend="both")
    bar.set_ticks([-2, -1, 0, 1, 2], labels=["1/100", "1/10", "1", "10", "100"])
    bar.set_label(r"$|g_{\mathrm{FO}}| \; / \; |g|$")
    opposite = (((1 - alphas * curvature) ** steps[:, None]) < 0).mean()
    return (
        f"A quadratic support loss in one dimension, λ = {curvature:g}, α up to {largest_alpha:g}, K up to {largest_K}:"
        f" right of α = 1/λ = {1 / curvature:g} FOMAML points the wrong way in every odd row (hatched),"
        f" {100 * opposite:.0f} % of the map; it is too long for α < 2/λ = {2 / curvature:g}, and too short beyond."
    )


@picture()
def bias_slope(figure, cases, query, theta, alphas):
    """The relative difference of both gradients against α, log-log, with a reference of slope 1."""
    axes = figure.subplots()
    slopes = []
    for (name, losses), style in zip(cases.items(), CURVES, strict=True):
        pairs = [[f(losses, query, theta, a) for f in (maml_gradient, fomaml_gradient)] for a in alphas]
        bias = np.array([np.linalg.norm(first - full) / np.linalg.norm(first) for full, first in pairs])
        slopes.append(f"{np.polyfit(np.log(alphas[:5]), np.log(bias[:5]), 1)[0]:.2f}")
        axes.loglog(alphas, bias, label=f"{name}: slope {slopes[-1]}", **style)
    reference = 0.35 * bias[0] / alphas[0] * alphas
    axes.loglog(alphas, reference, color=NEUTRAL, linestyle=":", linewidth=1.5)
    middle = len(alphas) // 2
    add_label(axes, (alphas[middle], reference[middle]), (6, -4), "slope 1", color=NEUTRAL, va="top")
    axes.set(xlabel=r"step size $\alpha$", ylabel=r"$\|g_{\mathrm{FO}} - g\| \; / \; \|g_{\mathrm{FO}}\|$")
    axes.legend(loc="upper left")
    return (
        f"From θ₀ = {_point(theta)}, between α = {alphas[0]:g} and {alphas[4]:.2g}, the slopes are {', '.join(slopes)}:"
        " there, half the α means about half the relative bias."
    )


@picture(size=COMPARISON)
def compare_gradients(figure, loss, query, theta, alpha, K, lowest):
    """The inner loop on the support loss's contours, and at its start both directions of descent."""
    axes = _stage(figure, loss, lowest)
    return _comparison(axes, loss, query, theta, alpha, K)


def moving_comparison(loss, query, theta, lowest):
    """The same picture for sliders: a function of alpha and K that returns PNG bytes and the sentence at once.

    Whatever does not move is drawn once: axes, contours and names take most of the time.
    """
    with mpl.rc_context(fname=STYLE):
        figure = Figure(figsize=COMPARISON, dpi=100)
        canvas = FigureCanvasAgg(figure)
        axes = _stage(figure, loss, lowest)
        canvas.draw()
        background = canvas.copy_from_bbox(figure.bbox)

    def redraw(alpha, K):
        with mpl.rc_context(fname=STYLE):
            canvas.restore_region(background)
            still = set(axes.get_children())
            sentence = _comparison(axes, loss, query, theta, alpha, K)
            moving = [artist for artist in axes.get_children() if artist not in still]
            for artist in sorted(moving, key=lambda artist: artist.zorder):
                axes.draw_artist(artist)
                artist.remove()
            buffer = io.BytesIO()
            mpl.image.imsave(buffer, canvas.buffer_rgba(), format="png", pil_kwargs={"compress_level": 1})
        return buffer.getvalue(), sentence

    return redraw


def _stage(figure, loss, lowest):
    """Whatever does not depend on alpha and K."""
    axes = figure.add_axes((0.12, 0.15, 0.62, 0.83), anchor="W")
    axes.set(xlim=(-1.6, 1.3), ylim=(-0.15, 2.05), xlabel="$x$", ylabel="$y$", aspect="equal")
    draw_contours(axes, loss.value, np.geomspace(0.06, 16, 10))
    axes.plot(*lowest, "*", color="black", markersize=15)
    add_label(axes, lowest, (10, 0), "minimum of $Q$")
    axes.plot([], [], label="inner loop", **PATH)
    _legend_beside(axes)
    return axes


def _comparison(axes, loss, query, theta, alpha, K, scale=0.6):
    """Draw the path and both arrows, FOMAML's also where it comes from, and say how they compare."""
    losses = [loss] * K
    full, first_order = (f(losses, query, theta, alpha) for f in (maml_gradient, fomaml_gradient))
    path = np.array(inner_loop(losses, theta, alpha))
    axes.plot(*path.T, **PATH)
    draw_arrow(axes, path[-1], -scale * first_order, FOMAML | {"linewidth": 1})
    draw_arrow(axes, theta, -scale * full, MAML)
    draw_arrow(axes, theta, -scale * first_order, FOMAML)
    angle = np.degrees(np.arccos(cosine_between(full, first_order)))
    ratio = np.linalg.norm(first_order) / np.linalg.norm(full)
    return (
        f"From θ₀ = {_point(theta)}, α = {alpha:g}, K = {K}: the angle between both gradients is {angle:.0f}°, and the"
        f" first-order one is {ratio:.2f} times as long as the other."
    )


def _angle_and_length_curves(axes, across, pairs, style):
    """Draw the cosine of each pair (g, g_FO) on the first axes, the ratio of lengths on the second; return both."""
    cosine = np.array([cosine_between(*pair) for pair in pairs])
    ratio = np.array([np.linalg.norm(first) / np.linalg.norm(full) for full, first in pairs])
    for ax, values in zip(axes, (cosine, ratio), strict=True):
        ax.plot(across, values, **style)
    return cosine, ratio


def _point(theta):
    return f"({', '.join(f'{x:g}' for x in theta)})"


def _legend_beside(axes):
    """The names of both directions of descent, to the right of the axes."""
    axes.plot([], [], label="MAML\n$-g$", **MAML)
    axes.plot([], [], label="FOMAML\n" r"$-\nabla Q(\theta_K)$", **FOMAML)
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), borderaxespad=0, labelspacing=1)
