"""The figure of notebook 10: how large each order in α is on a network."""

import numpy as np

from mathlib.figures.picture import NEUTRAL, picture

__all__ = ["orders_on_a_network"]

FIRST = {"color": "#CC79A7", "linestyle": "--"}
REST = {"color": "black", "linestyle": "-"}


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
