"""The picture that stands beside a link to the reading site: both formulas, and both arrows of the figure to drag.

    python3 lab.py run tools/social_picture.py social.png

1200 by 630 pixels, as those who show links ask for; made to be read at a quarter of that size.
"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from mathlib import fomaml_gradient, inner_loop, maml_gradient, meta_loss, quadratic, rosenbrock
from mathlib.figures.drawing import add_label, draw_arrow, draw_contours
from mathlib.figures.picture import FOMAML, MAML, picture

START = np.array([-1.0, 1.5])  # as notebook 00 begins
ALPHA, K = 0.05, 3
LOWEST = np.array([0.0, 1.0])
L, Q = rosenbrock(a=1, b=1), quadratic(np.eye(2), LOWEST)
SIZE = 1200, 630
NAMES = "MAML", "FOMAML"
LONGEST = 0.85  # an arrow's length in the units of the contours


@picture(size=(SIZE[0] / 150, SIZE[1] / 150))  # the house draws 150 pixels an inch
def social_picture(figure):
    """Left the formulas, one above the other so that the factor they share is seen; right what the difference does."""
    losses = [L] * K
    axes = figure.add_axes((0.6, 0, 0.4, 1))
    axes.set(xlim=(-1.18, 0.27), ylim=(0.297, 2.2), xticks=[], yticks=[], aspect="equal")
    axes.axis("off")
    draw_contours(axes, lambda point: meta_loss(losses, Q, point, ALPHA), np.arange(0.25, 2.1, 0.25) ** 2 / 2)
    axes.plot(*LOWEST, "*", color="black", markersize=16)
    gradients = maml_gradient(losses, Q, START, ALPHA), fomaml_gradient(losses, Q, START, ALPHA)
    for g, style, name, offset in zip(gradients, (MAML, FOMAML), NAMES, ((-40, -14), (8, 20)), strict=True):
        move = -min(1, LONGEST / np.linalg.norm(g)) * g
        draw_arrow(axes, START, move, style | {"linewidth": 5})
        label = {"size": 16, "weight": "bold", "ha": "center", "color": style["color"]}
        axes.annotate(name, START + move, offset, textcoords="offset points", **label)
    axes.plot(*np.transpose(inner_loop(losses, START, ALPHA)), color="black", marker="o", markersize=4, linewidth=1)
    axes.plot(*START, "o", color="white", markeredgecolor="black", markeredgewidth=3, markersize=14, zorder=4)
    add_label(axes, START, (-4, 22), r"$\theta_0$")

    end = 0.59  # where both formulas end
    figure.text(0.035, 0.86, "How a gradient travels back", size=17, weight="bold")
    figure.text(0.035, 0.775, "through gradient descent", size=17, weight="bold")
    for y, style, name, formula in (
        (0.59, MAML, "MAML", r"$(I-\alpha H_0)\cdots(I-\alpha H_{K-1})\;\nabla Q(\theta_K)$"),
        (0.27, FOMAML, "first-order MAML", r"$\nabla Q(\theta_K)$"),
    ):
        figure.text(0.035, y, name, size=17, weight="bold", color=style["color"])
        figure.text(end, y - 0.12, formula, size=20, ha="right")
    cosine = gradients[0] @ gradients[1] / np.prod([np.linalg.norm(g) for g in gradients])
    return (
        "MAML multiplies the query's gradient by a factor I − αH for every inner step; first-order MAML leaves the"
        f" factors out. At one start, after {K} inner steps, the two directions are"
        f" {np.degrees(np.arccos(cosine)):.0f} degrees apart."
    )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("social_picture: say where to write the picture, for instance social.png")
    Path(sys.argv[1]).write_bytes(social_picture().png())
