"""The figure that you drag, of notebooks 00 and 06: a still picture, and HTML with a script (drag.js) that moves it."""

import html
import json
import numbers
from importlib.resources import files

import numpy as np
from IPython.display import display

from mathlib.errors import WrongValue
from mathlib.figures.drawing import add_label, cosine_between, draw_arrow, draw_contours, subscript
from mathlib.figures.picture import FOMAML, MAML, picture

__all__ = ["Draggable", "draggable", "two_descents"]

# As in drag.js, so that the still picture shows what the moving one starts with.
WINDOW = (-1.8, 1.4), (-0.4, 2.0)
START = (-1.6, 1.2), (-0.2, 1.8)
LEVELS = np.arange(0.25, 2.1, 0.25) ** 2 / 2
STEP = 0.1
SCALE = 0.8
LONGEST = 1.2


@picture(size=(4.8, 3.6))
def two_descents(figure, path, full, first_order, lowest, M):
    """Contours of the meta-loss M, a function of the start, the inner path, and both directions of descent.

    `path` has the shape (K + 1, 2); `full` is MAML's gradient at its first point, `first_order` FOMAML's; `lowest` is
    the minimum of Q. FOMAML's is drawn a second time, thin, at the end of the path, where it comes from.
    """
    axes = figure.add_axes((0.13, 0.16, 0.85, 0.82))
    axes.set(xlim=WINDOW[0], ylim=WINDOW[1], xlabel="$x$", ylabel="$y$", aspect="equal", anchor="W")
    axes.set(xticks=[-1, 0, 1], yticks=[0, 1, 2])
    draw_contours(axes, M, LEVELS)
    axes.plot(*lowest, "*", color="black", markersize=15)
    add_label(axes, lowest, (10, 0), "minimum of $Q$")
    path = np.array(path)
    axes.plot(*path.T, color="black", marker="o", markersize=5, linewidth=1.2)
    _descend(axes, path[-1], first_order, FOMAML | {"linewidth": 1})
    for g, other, style, name in ((full, first_order, MAML, "MAML"), (first_order, full, FOMAML, "FOMAML")):
        tip = _descend(axes, path[0], g, style)
        left = g[0] * other[1] > g[1] * other[0]  # the name stands on the side away from the other arrow
        normal = np.array([-g[1], g[0]]) / np.linalg.norm(g) * (1 if left else -1)
        ha = "left" if normal[0] > 0 else "right"
        add_label(axes, tip, 8 * normal + np.array([0, 4]), name, color=style["color"], ha=ha)
    axes.plot(*path[0], "o", color="white", markeredgecolor="black", markeredgewidth=2.5, markersize=13, zorder=4)
    add_label(axes, path[0], (-14, 12), r"$\theta_0$", ha="right")
    return _sentence(path, full, first_order, M)


def _descend(axes, start, g, style):
    """Draw the arrow of −g, at most so long that it stays in sight, and return its tip."""
    move = -min(SCALE, LONGEST / np.linalg.norm(g)) * g
    draw_arrow(axes, start, move, style)
    return start + move


def _sentence(path, full, first_order, M):
    """What the picture shows, in the same numbers as the words of the moving figure."""
    theta = path[0]
    angle = np.degrees(np.arccos(cosine_between(full, first_order)))
    sizes = [np.linalg.norm(g) for g in (full, first_order)]
    after = [M(theta - STEP * g / size) for g, size in zip((full, first_order), sizes, strict=True)]
    K = len(path) - 1
    return (
        f"Contours of the meta-loss M, and the inner path from θ₀ = ({theta[0]:.2f}, {theta[1]:.2f}) to θ{subscript(K)}"
        f" = ({path[-1][0]:.2f}, {path[-1][1]:.2f}). MAML and FOMAML: {angle:.0f}° apart. Lengths of the gradients:"
        f" {sizes[0]:.3f} and {sizes[1]:.3f}. M is {M(theta):.3f} here; a step of {STEP:g} along MAML's arrow leads to"
        f" {after[0]:.3f}, one along FOMAML's to {after[1]:.3f}."
    )


class Draggable:
    """The still picture, its sentence, and the moving figure, which hides them where its script runs."""

    def __init__(self, still, start):
        self.still = still
        self.start = start

    def __repr__(self):
        return f"A figure to drag. {self.still.sentence}"

    def _repr_html_(self):
        """Text in place of the figure, and its script without comments: the same string wherever it is made."""
        source = files("mathlib.figures").joinpath("drag.js").read_text(encoding="utf-8")
        lines = (line.strip() for line in source.splitlines())
        script = "\n".join(line for line in lines if line and not line.startswith("//"))
        start = html.escape(json.dumps(self.start))
        return (
            f'<div class="drag-theta" role="figure" aria-label="A figure to drag" data-start="{start}"'
            ' data-lm-suppress-shortcuts="true" data-prevent-swipe>\n'
            "<p>Here θ₀ can be dragged, once a script may run: run the cell, or trust the notebook."
            f" {html.escape(self.still.sentence)}</p>\n"
            f'</div>\n<script type="module">\n{script}\n</script>\n'
        )

    def _ipython_display_(self):
        self.still._ipython_display_()
        display({"text/html": self._repr_html_(), "text/plain": repr(self)}, raw=True)


def draggable(still, theta, alpha, K, adjoints=False):
    """A figure in which θ₀, α and K are moved, and both gradients follow; everything is computed in the page.

    Its support loss is `rosenbrock(a=1, b=1)` in every step, its query loss `quadratic(np.eye(2), [0, 1])`.

    Parameters
    ----------
    still : Picture
        Shown above it where no script runs, as `two_descents` draws it for the same theta, alpha and K.
    theta : array_like, shape (2,)
        Where θ₀ stands at first, with −1.6 ≤ x ≤ 1.2 and −0.2 ≤ y ≤ 1.8: inside the picture, with room for its arrows.
    alpha : float
        The step size at first, zero or positive. The slider goes to 0.18, or to alpha if that is larger.
    K : int
        The number of steps at first. The slider goes to 8, or to K if that is larger.
    adjoints : bool
        Whether the adjoints along the path are shown at first.

    Raises
    ------
    ValueError
        theta elsewhere or not two numbers, a negative alpha or K, or neither a number.
    """
    try:
        x, y = map(float, theta)
    except (TypeError, ValueError):
        raise WrongValue(f"theta is {theta!r}; expected two numbers, such as [-1.0, 1.5].") from None
    (left, right), (low, high) = START
    if not (left <= x <= right and low <= y <= high):
        raise WrongValue(f"theta is ({x:g}, {y:g}); expected a point with {left} ≤ x ≤ {right} and {low} ≤ y ≤ {high}.")
    are_numbers = isinstance(alpha, numbers.Real) and isinstance(K, numbers.Real)
    if not (are_numbers and 0 <= alpha < np.inf and 0 <= K < np.inf and int(K) == K):
        raise WrongValue(f"alpha is {alpha!r} and K is {K!r}; expected a number and a whole number, zero or positive.")
    return Draggable(still, {"theta": [x, y], "alpha": float(alpha), "K": int(K), "adjoints": bool(adjoints)})
