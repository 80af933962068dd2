"""Figures of notebook 06: what first-order MAML leaves out, seen and measured."""

from itertools import product

import matplotlib as mpl
import numpy as np

from mathlib.figures.drawing import printed
from mathlib.figures.picture import FOMAML, MAML, NEUTRAL, picture

__all__ = [
    "one_of_all_paths",
    "pretended_translation",
    "sign_map",
]


@picture(size=(7.2, 3.6))
def pretended_translation(figure, starts, ends, theta, end):
    """A ring of starts, (n, 2), and beside each other where the steps take them and where a translation would.

    `end` is where the steps take the ring's centre `theta`. The last start closes the ring.
    """
    assumed = starts + (end - theta)
    everything = np.concatenate([starts, ends, assumed])
    low = everything.min(axis=0) - 0.05
    high = everything.max(axis=0) + 0.05
    panels = (
        (0.10, ends, MAML, "where the steps take them"),
        (0.57, assumed, FOMAML, "where FOMAML assumes they go"),
    )
    for left, images, style, title in panels:
        axes = figure.add_axes((left, 0.16, 0.42, 0.73))
        axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), xlabel="$x$", aspect="equal")
        axes.plot(*starts.T, color=NEUTRAL, linestyle=":")
        axes.plot(*images.T, **style)
        # Twelve of the starts, the same ones on both sides, each tied to where it goes.
        for start, image in list(zip(starts, images, strict=True))[: -1 : (len(starts) - 1) // 12]:
            axes.plot(*np.array([start, image]).T, color=style["color"], linewidth=1)
            axes.plot(*start, "o", color=NEUTRAL, markersize=5)
            axes.plot(*image, "o", color=style["color"], markersize=5)
        axes.text(0.5, 1.04, title, transform=axes.transAxes, ha="center", fontsize=13, color=style["color"])
    figure.axes[0].set_ylabel("$y$")
    radius = np.linalg.norm(starts[0] - theta)
    spread = np.linalg.norm(ends - end, axis=1)
    return (
        f"A ring of starts (dotted), at distance {radius:.2g} from its centre. The steps carry it to a curve (left)"
        f" whose distance from the centre's own end runs from {spread.min():.2f} to {spread.max():.2f}; first-order"
        f" MAML computes as if the ring kept its shape (right), at distance {radius:.2g} all round."
    )


@picture(size=(7.2, 4.8))
def one_of_all_paths(figure, shares):
    """The tree of all 2^K paths from θ₀ to θ_K, and at each leaf its share of the meta-gradient.

    `shares` stand in the order of ``product((False, True), repeat=K)``: True where a path goes by the gradient.
    """
    shares = np.array(shares)
    K = len(shares).bit_length() - 1
    tree = figure.add_axes((0.01, 0.14, 0.61, 0.84))
    bars = figure.add_axes((0.63, 0.14, 0.35, 0.84))
    choices = list(product((False, True), repeat=K))
    rows = np.arange(2**K)[::-1].astype(float)
    _tree(tree, choices, rows)
    width = max(shares.max(), 1) - min(shares.min(), 0)
    for row, choice, share in zip(rows, choices, shares, strict=True):
        style = MAML if any(choice) else FOMAML
        bars.plot([0, share], [row, row], linewidth=9, solid_capstyle="butt", color=style["color"])
        bars.text(max(share, 0) + 0.03 * width, row, printed(share), va="center", fontsize=13)
        tree.text(K + 0.12, row, _product(choice), va="center", fontsize=14, color=style["color"])
    bars.axvline(0, color="black", linewidth=1)
    bars.set(xlim=(min(shares.min(), 0) - 0.1 * width, max(shares.max(), 1) + 0.35 * width), yticks=[])
    bars.set(ylim=tree.get_ylim(), xlabel=r"share of $g$")
    bars.spines["left"].set_visible(False)
    return (
        f"All {2**K} paths of {K} steps: their shares of the meta-gradient add up to {shares.sum():.2f}. The path"
        f" without any gradient, the only one that FOMAML keeps, has the share {shares[0]:.2f}; the others together"
        f" have {shares[1:].sum():.2f}, none of them more than {np.abs(shares[1:]).max():.2f} in size."
    )


@picture(size=(7.2, 4.2))
def sign_map(figure, edges, steps, ratios):
    """log₁₀ |g_FO/g| over α and K in one dimension, hatched where the ratio is negative.

    `ratios` has a row for each number of steps and a column for each interval between two `edges` of α. The map
    leaves out the darkest colours at both ends of its palette: black hatching would not be seen on them.
    """
    axes = figure.add_axes((0.10, 0.17, 0.68, 0.74))
    rows = np.append(steps - 0.5, steps[-1] + 0.5)
    colours = mpl.colors.ListedColormap(mpl.colormaps["PuOr_r"](np.linspace(0.2, 0.8, 16)))
    mesh = axes.pcolormesh(edges, rows, np.log10(np.abs(ratios)), cmap=colours, vmin=-2, vmax=2, rasterized=True)
    opposite = ratios < 0
    for K, negative in zip(steps, opposite, strict=True):
        if negative.any():
            left = edges[np.argmax(negative)]
            right = edges[len(negative) - np.argmax(negative[::-1])]
            axes.add_patch(
                mpl.patches.Rectangle((left, K - 0.5), right - left, 1, fill=False, hatch="///", linewidth=0)
            )
    turning = edges[np.argmax(opposite.any(axis=0))]
    axes.axvline(turning, color="black", linewidth=2)
    axes.text(turning, steps[-1] + 0.6, r"$\alpha = 1/\lambda$", ha="center", va="bottom")
    axes.set(xlabel=r"step size $\alpha$", ylabel="number of steps $K$", yticks=steps)
    bar = figure.colorbar(mesh, cax=figure.add_axes((0.81, 0.17, 0.03, 0.74)), extend="both")
    bar.set_ticks([-2, -1, 0, 1, 2], labels=["1/100", "1/10", "1", "10", "100"])
    bar.set_label(r"$|g_{\mathrm{FO}}| \; / \; |g|$")
    wrong = ", ".join(str(K) for K in steps[opposite.any(axis=1)])
    longest = edges[1:][(np.abs(ratios) > 1).any(axis=0)].max()
    return (
        f"α up to {edges[-1]:g}, K up to {steps[-1]}: right of α = {turning:.3g} FOMAML points the wrong way for K ="
        f" {wrong} (hatched), on {100 * opposite.mean():.0f} % of the map; up to α = {longest:.3g} it is longer than"
        " the meta-gradient."
    )


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
    n = sum(choice)
    sign = "-" if n % 2 else ""
    powers = {0: "", 1: r"\alpha\,"}
    power = powers.get(n, rf"\alpha^{n}")
    return f"${sign}{power}{''.join(f'H_{i}' for i, chosen in enumerate(choice) if chosen) or 'I'}$"
