"""Figures of notebook 17: the curvature of a network."""

import numpy as np

from mathlib.figures.drawing import printed
from mathlib.figures.picture import NEUTRAL, picture

__all__ = ["cosines_by_start", "sizes_by_layers"]

UPHILL = "#eeeeee"
DOT = "#56B4E9"
MEDIAN = "black"
FAINTEST = 0.005  # what is smaller is printed as 0


@picture(size=(7.2, 3.2))
def sizes_by_layers(figure, sizes):
    """One panel for each named matrix of sizes, a field for each pair of layers: the darker, the larger."""
    panels = figure.subplots(1, len(sizes))
    figure.subplots_adjust(left=0.1, right=0.98, bottom=0.17, top=0.86, wspace=0.25)
    said = []
    for axes, (name, matrix) in zip(panels, sizes.items(), strict=True):
        shown = np.where(matrix < FAINTEST, 0, matrix)
        axes.imshow(np.sqrt(shown / shown.max()), cmap="Greys", vmin=0, vmax=1.4)
        for (i, j), value in np.ndenumerate(shown):
            axes.text(j, i, f"{value:.0f}" if value else "0", ha="center", va="center", fontsize=13)
        layers = range(len(matrix))
        axes.set_title(name, fontsize=14)
        axes.set(xlabel="layer", xticks=layers, yticks=layers)
        axes.set_xticklabels([i + 1 for i in layers])
        axes.set_yticklabels([i + 1 for i in layers])
        axes.tick_params(length=0)
        said.append(f"{name.replace('$', '')}: {', '.join(f'{value:.0f}' for value in np.diag(shown))}")
    panels[0].set_ylabel("layer")
    return f"Size of each block, by pair of layers. On the diagonal, layers 1 to {len(matrix)}: {'; '.join(said)}."


@picture(size=(7.2, 3.6))
def cosines_by_start(figure, cosines):
    """One row of dots for each way to draw the initial weights, a dot a network with its task, and its median."""
    axes = figure.add_axes((0.15, 0.2, 0.58, 0.69))
    axes.axvspan(-1.05, 0, color=UPHILL, zorder=0)
    said = []
    for row, (name, values) in enumerate(cosines.items()):
        values = np.sort(values)
        # A low-discrepancy jitter: even, and the same every time.
        jitter = 0.5 * ((np.arange(values.size) * 0.618034) % 1 - 0.5)
        axes.plot(values, row + jitter, ".", color=DOT, markersize=4, zorder=2)
        median = np.median(values)
        wrong = 100 * np.mean(values < 0)
        axes.plot([median, median], [row - 0.36, row + 0.36], color=MEDIAN, linewidth=3, zorder=3)
        axes.text(1.09, row, f"{printed(median)},  {wrong:.0f} %", va="center")
        said.append(f"{name} {median:.2f} ({wrong:.0f} % negative)")
    axes.text(1.09, -0.78, "median, wrong", va="center", color=NEUTRAL)
    axes.text(-1.03, -0.78, "wrong way", va="center", color=NEUTRAL)
    axes.set(xlim=(-1.05, 1.05), ylim=(len(cosines) - 0.5, -0.5), xlabel="cosine of $v$ and $g$")
    axes.set_yticks(range(len(cosines)), list(cosines))
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    return f"A dot is one of {values.size} networks with a task of its own; the bar is the median: {', '.join(said)}."
