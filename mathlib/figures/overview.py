"""The figure of notebook 00 and of the README: both formulas in one picture."""

from itertools import pairwise

from mathlib.figures.picture import FOMAML, MAML, NEUTRAL, picture

__all__ = ["way_back"]


@picture(size=(9.0, 4.9))
def way_back(figure, K=3):
    """The inner loop forwards, and the two ways on which the query's gradient comes back."""
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, 9), ylim=(0, 4.9))
    axes.axis("off")
    xs = [0.75 + 5.4 * i / K for i in range(K + 1)]
    end = 8.1

    for i, x in enumerate(xs):
        _node(axes, x, 4.2, rf"$\theta_{i}$")
    for i, (x, following) in enumerate(pairwise(xs), start=1):
        _arrow(axes, (x + 0.32, 4.2), (following - 0.32, 4.2), color=NEUTRAL)
        axes.text((x + following) / 2, 4.35, rf"$-\alpha\nabla L_{i}$", ha="center", va="bottom", size=14)
    _arrow(axes, (xs[-1] + 0.32, 4.2), (end - 0.55, 4.2), color=NEUTRAL)
    axes.text((xs[-1] + end - 0.23) / 2, 4.35, "$Q$", ha="center", va="bottom", size=14)
    _node(axes, end, 4.2, rf"$Q(\theta_{K})$")

    for i, (x, following) in enumerate(pairwise(xs)):
        _arrow(axes, (following - 0.05, 2.85), (x + 0.05, 2.85), **MAML)
        axes.text(
            (x + following) / 2, 2.98, rf"$I-\alpha H_{i}$", ha="center", va="bottom", size=15, color=MAML["color"]
        )
        axes.plot([x, x], [3.0, 3.85], color="#bbbbbb", linewidth=1, linestyle=":")
    _arrow(axes, (end, 3.85), (end, 2.45), color=NEUTRAL)
    _arrow(axes, (end - 0.05, 2.85), (xs[-1] + 0.05, 2.85), **MAML)
    gradient = rf"$\nabla Q(\theta_{K})$"
    axes.text((xs[-1] + end) / 2, 2.98, gradient, ha="center", va="bottom", size=15, color=MAML["color"])
    _arrow(axes, (end - 0.05, 2.3), (xs[0] + 0.05, 2.3), **FOMAML)
    axes.text(
        (xs[0] + xs[-1]) / 2,
        2.2,
        "carried back unchanged: every factor is $I$",
        ha="center",
        va="top",
        size=13,
        color=FOMAML["color"],
    )

    product = "".join(rf"(I-\alpha H_{i})" for i in range(K))
    for y, style, name, formula in (
        (1.15, MAML, "MAML", rf"$\nabla_{{\theta_0}} Q(\theta_{K}) = {product}\,\nabla Q(\theta_{K})$"),
        (0.5, FOMAML, "FOMAML", rf"$\nabla Q(\theta_{K})$"),
    ):
        axes.plot([0.4, 1.0], [y + 0.06, y + 0.06], **style)
        axes.text(1.2, y, name, size=15, weight="bold", color=style["color"])
        axes.text(2.6, y, formula, size=17)
    last = chr(ord("₀") + K)
    return (
        f"Forwards, {K} inner steps lead from θ₀ to θ{last}, where the query loss Q is asked. Backwards, MAML sends its"
        f" gradient through {K} factors I − αH, the last step's first; FOMAML, dashed, carries it back unchanged."
    )


def _node(axes, x, y, text):
    axes.text(x, y, text, ha="center", va="center", size=18)


def _arrow(axes, start, end, color, linestyle="-"):
    look = {"arrowstyle": "-|>", "color": color, "linestyle": linestyle, "linewidth": 2, "mutation_scale": 18}
    axes.annotate("", end, start, arrowprops=look | {"shrinkA": 0, "shrinkB": 0})
