"""Figures of notebook 10: what an expansion in α keeps, and how large the rest is."""

import numpy as np

from mathlib.figures.drawing import add_label
from mathlib.figures.picture import FOMAML, MAML, NEUTRAL, REPTILE, picture

__all__ = ["orders_on_a_network", "rest_against_curvature", "slopes_of_the_rest", "weights_against_k"]

METHODS = {"MAML": MAML, "FOMAML": FOMAML, "Reptile": REPTILE}
MARKERS = ("o", "s", "^")
FIRST = {"color": "#CC79A7", "linestyle": "--"}
REST = {"color": "black", "linestyle": "-"}


@picture()
def slopes_of_the_rest(figure, exact, expansion, alphas):
    """‖exact − expansion‖ / ‖exact‖ against α, log-log, with a reference of slope 2."""
    axes = figure.add_axes((0.12, 0.16, 0.68, 0.80))
    full, near = (np.array([f(alpha) for alpha in alphas]) for f in (exact, expansion))
    rest = np.linalg.norm(full - near, axis=-1) / np.linalg.norm(full, axis=-1)
    fits = [np.polyfit(np.log(alphas[:5]), np.log(r[:5]), 1)[0] for r in rest.T]
    for (name, style), r, rise in zip(METHODS.items(), rest.T, (8, 0, -10), strict=True):
        axes.loglog(alphas, r, **style)
        add_label(axes, (alphas[-1], r[-1]), (10, rise), name, color=style["color"])
    reference = 0.3 * rest[0].min() * (alphas / alphas[0]) ** 2
    axes.loglog(alphas, reference, color=NEUTRAL, linestyle=":", linewidth=1.5)
    middle = len(alphas) // 2
    add_label(axes, (alphas[middle], reference[middle]), (8, -6), "slope 2", color=NEUTRAL, va="top")
    axes.set(xlabel=r"step size $\alpha$", ylabel="relative size of the rest")
    said = ", ".join(f"{fit:.2f} for {name}" for name, fit in zip(METHODS, fits, strict=True))
    return (
        f"Between α = {_plain(alphas[0])} and {alphas[4]:.2g} the slopes are {said}: half the α means"
        f" a quarter of the rest. At α = {alphas[-1]:g} the rest is {100 * rest[-1].min():.0f} to"
        f" {100 * rest[-1].max():.0f} % of the method's gradient."
    )


@picture()
def weights_against_k(figure, ks, fits):
    """AvgGradInner's fitted weight over −α times AvgGrad's, against k: predicted lines, fits as points."""
    axes = figure.add_axes((0.12, 0.16, 0.66, 0.80))
    ks = np.array(ks)
    weights = {alpha: -fit[..., 1] / (alpha * fit[..., 0]) for alpha, fit in fits.items()}
    for m, ((name, style), per_step) in enumerate(zip(METHODS.items(), (2, 1, 0.5), strict=True)):
        axes.plot(ks, per_step * (ks - 1), **style)
        add_label(axes, (ks[-1], per_step * (ks[-1] - 1)), (12, 0), name, color=style["color"])
        for points, fill in zip(weights.values(), (style["color"], "white"), strict=True):
            axes.plot(ks, points[:, m], MARKERS[m], color=style["color"], markerfacecolor=fill, zorder=3)
    tiny, usual = weights
    for alpha, fill in ((tiny, NEUTRAL), (usual, "white")):
        label = rf"fitted at $\alpha$ = {_plain(alpha)}"
        axes.plot([], [], "o", color=NEUTRAL, markerfacecolor=fill, label=label)
    axes.plot([], [], color=NEUTRAL, label=r"predicted, $\alpha \to 0$")
    axes.set(xlabel="number of gradients $k$", xticks=ks, ylim=(0, 2.1 * (ks[-1] - 1)))
    axes.set_ylabel(r"weight of $-\alpha\,$AvgGradInner")
    axes.legend(loc="upper left")
    said = ", ".join(
        f"{weights[tiny][-1, m]:.1f} and {weights[usual][-1, m]:.1f} for {name}" for m, name in enumerate(METHODS)
    )
    return (
        f"Beside one AvgGrad stand 2(k − 1), k − 1 and ½(k − 1) times −α AvgGradInner (lines). At k = {ks[-1]} the fits"
        f" at α = {_plain(tiny)} and {_plain(usual)} give {said}."
    )


@picture()
def rest_against_curvature(figure, k, largest=1.0):
    """On parabolas: all orders from the second on, divided by the first, against αλ."""
    axes = figure.subplots()
    z = np.geomspace(0.002, largest, 200)
    steps = k - 1
    cases = (  # the factor on AvgGrad, its order 0, and the size of its order 1
        ((1 - z) ** (2 * steps), 1, 2 * steps * z),
        ((1 - z) ** steps, 1, steps * z),
        ((1 - (1 - z) ** k) / z, k, k * steps / 2 * z),
    )
    said = []
    for (name, style), (exact, zeroth, first) in zip(METHODS.items(), cases, strict=True):
        ratio = np.abs(exact - (zeroth - first)) / first
        axes.loglog(z, ratio, label=name, **style)
        tenth = np.interp(0.1, ratio, z)
        axes.plot(tenth, 0.1, "o", color=style["color"])
        said.append(f"{tenth:.2g} for {name}")
    axes.axhline(0.1, color=NEUTRAL, linewidth=1, linestyle=":")
    axes.set(xlabel=r"$\alpha\lambda$", ylabel="orders 2, 3, … / order 1", xlim=(z[0], largest))
    axes.legend(loc="upper left")
    return (
        f"Parabolas of curvature λ, k = {k}: the ignored orders reach a tenth of the first one at αλ ="
        f" {', '.join(said)}."
    )


@picture(size=(7.2, 4.4))
def orders_on_a_network(figure, alphas, sizes, alpha):
    """Median sizes of the first order and of all higher ones, in units of order 0, one panel a starting point."""
    panels = figure.subplots(1, len(sizes), sharey=True)
    figure.subplots_adjust(left=0.12, right=0.98, bottom=0.16, top=0.90, wspace=0.10)
    said = []
    for axes, (name, size) in zip(panels, sizes.items(), strict=True):
        axes.axhline(1, color=NEUTRAL, linewidth=1, linestyle=":")
        for curve, style in zip(size.T, (FIRST, REST), strict=True):
            axes.loglog(alphas, curve, **style)
        first, rest = (np.exp(np.interp(np.log(alpha), np.log(alphas), np.log(c))) for c in size.T)
        axes.vlines(alpha, 1e-5, max(first, rest), color=NEUTRAL, linewidth=1)
        axes.plot([alpha, alpha], [first, rest], "o", color=NEUTRAL)
        axes.text(0.5, 1.02, name, transform=axes.transAxes, ha="center", va="bottom", fontsize=13)
        axes.set(xlim=(alphas[0], alphas[-1]), ylim=(1e-5, 1e4), xticks=[1e-3, 1e-1])
        said.append(f"{first:.2g} and {rest:.2g} from {name}")
    panels[0].set_ylabel("size, in units of order 0")
    figure.text(0.55, 0.02, r"step size $\alpha$", ha="center", va="bottom", fontsize=15)
    panels[0].text(0.06, 0.80, "order 1", transform=panels[0].transAxes, color=FIRST["color"], fontsize=14)
    panels[0].text(0.06, 0.88, "orders 2, 3, …", transform=panels[0].transAxes, fontsize=14)
    return (
        f"MAML's gradient with one inner step, in units of its order 0: at α = {alpha:g} (dots) the order 1 and all"
        f" higher orders together have the median sizes {', '.join(said)}."
    )


def _plain(alpha):
    """0.00001, not 1e-05."""
    return f"{alpha:.10f}".rstrip("0")
