"""What the figures of several chapters draw alike: three curves, contours, an arrow, a label."""

import numpy as np
from matplotlib.patheffects import withStroke

# Three curves that are told apart without colour too, and not mistaken for a method's own colour.
CURVES = [
    {"color": "#56B4E9", "linestyle": "-"},
    {"color": "#CC79A7", "linestyle": (0, (6, 2))},
    {"color": "black", "linestyle": "-."},
]


def draw_contours(axes, function, levels, points=90):
    """Thin grey contours of a function of two numbers over the axes' window; return their x, y and heights."""
    x, y = (np.linspace(*limits, points) for limits in (axes.get_xlim(), axes.get_ylim()))
    heights = np.array([[function(np.array([a, b])) for a in x] for b in y])
    axes.contour(x, y, heights, levels=levels, colors="#bbbbbb", linewidths=1)
    return x, y, heights


def draw_arrow(axes, start, move, style):
    """A shaft in the style's line, and a head of its colour: a dashed head would be ragged."""
    (shaft,) = axes.plot(*np.array([start, start + 0.9 * move]).T, zorder=3, **style)
    head = {"arrowstyle": "-|>", "mutation_scale": 16, "shrinkA": 0, "shrinkB": 0, "capstyle": "butt"}
    head |= {"color": style["color"], "linewidth": shaft.get_linewidth(), "joinstyle": "miter"}
    axes.annotate("", start + move, start + 0.88 * move, arrowprops=head, zorder=3)


def add_label(axes, point, offset, text, color="black", ha="left", va="center"):
    """Text beside a point, `offset` in points of the page, with a white edge that keeps lines out of it."""
    place = {"textcoords": "offset points", "color": color, "ha": ha, "va": va, "fontsize": 14}
    axes.annotate(text, point, offset, path_effects=[withStroke(linewidth=4, foreground="white")], **place)


def cosine_between(a, b, axis=None):
    """The cosine of the angle between two vectors, or of many angles along an axis."""
    between = (a * b).sum(axis) / np.sqrt((a * a).sum(axis) * (b * b).sum(axis))
    return np.clip(between, -1, 1)


def relative_error(found, right):
    """How far an array is off, in units of the right one's length."""
    return np.linalg.norm(found - right) / np.linalg.norm(right)


def line_zero(x, y):
    """Where a straight line through the first and the last point meets zero."""
    return x[0] - y[0] * (x[-1] - x[0]) / (y[-1] - y[0])


def printed(number, places=2):
    """A number for a label, with a true minus; in sentences `picture` sees to that."""
    return f"{number:.{places}f}".replace("-", "−")


def subscript(i):
    """A number as a subscript."""
    return "".join(chr(ord("₀") + int(digit)) for digit in str(i))
