"""A picture and the one sentence that says what it shows.

Every figure of the collection is made by a function that is marked with `@picture`, draws on a figure and
returns the sentence. Shown in a notebook, the sentence stands under the picture, where a test can compare
it, and inside it as the alternative text, where a screen reader finds it.
"""

import base64
import contextlib
import inspect
import io
import re
from dataclasses import dataclass
from functools import wraps
from pathlib import Path

import matplotlib as mpl
from IPython.display import display
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from mathlib.errors import WrongValue

STYLE = Path(__file__).parents[1] / "house.mplstyle"

# One colour and one line style each, through the whole collection.
MAML = {"color": "#0072B2", "linestyle": "-"}
FOMAML = {"color": "#D55E00", "linestyle": "--"}
REPTILE = {"color": "#009E73", "linestyle": "-."}
NEUTRAL = "#555555"


@dataclass(frozen=True)
class Picture:
    """A drawn figure with its sentence; shows both in a notebook."""

    figure: Figure
    sentence: str

    def png(self):
        """The picture as PNG bytes, always of the same size: nothing is cropped to what text happens to need.

        A palette of 256 colours makes it a third as large, and a notebook that much quicker to open.
        """
        drawn = io.BytesIO()
        buffer = io.BytesIO()
        with mpl.rc_context(fname=STYLE):
            self.figure.savefig(drawn, format="png")
        Image.open(drawn).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(buffer, "png", optimize=True)
        return buffer.getvalue()

    def __repr__(self):
        return self.sentence

    def _ipython_display_(self):
        width, _ = self.figure.get_size_inches()
        data = {"image/png": base64.b64encode(self.png()).decode(), "text/plain": self.sentence}
        metadata = {"image/png": {"alt": self.sentence, "width": int(100 * width)}}
        display(data, metadata=metadata, raw=True)
        display({"text/markdown": f"*{self.sentence}*", "text/plain": self.sentence}, raw=True)


@contextlib.contextmanager
def plot(xlabel, ylabel, size=(7.2, 3.6)):
    """Draw a plain curve in a cell: yields axes in the house style, and what takes the sentence under the picture.

    Parameters
    ----------
    xlabel, ylabel : str
        With symbols and units.
    size : tuple of float
        Width and height in inches.

    Yields
    ------
    axes : matplotlib.axes.Axes
        To draw on. Labels given to curves become a legend.
    say : callable
        Takes one sentence with the numbers that the picture shows. It is printed under the picture, and a screen
        reader reads it in place of the picture.

    Raises
    ------
    ValueError
        Nothing was said, or nothing with a number in it.

    Examples
    --------
    >>> with plot("$x$", "$x^2$") as (axes, say):
    ...     _ = axes.plot([0, 1, 2], [0, 1, 4], **MAML)
    ...     say("From 0 to 2 the square grows from 0 to 4.")
    From 0 to 2 the square grows from 0 to 4.
    """
    said = []
    with mpl.rc_context(fname=STYLE):
        figure = _canvas(size)
        axes = figure.subplots()
        axes.set(xlabel=xlabel, ylabel=ylabel)
        yield axes, said.append
        if axes.get_legend_handles_labels()[0]:
            axes.legend()
    display(Picture(figure, _sentence("this plot", " ".join(said))))


def picture(size=(7.2, 4.2)):
    """Turn ``draw(figure, …) -> sentence`` into a function of the other arguments that returns a `Picture`.

    The margins are fixed and not fitted, so that a stored picture can be compared with a fresh one
    wherever fonts differ; a drawing sets its own with ``figure.subplots_adjust`` or ``figure.add_axes``.
    Numbers in the sentence get a true minus; the hyphens of its words stay. A call may ask for another `size`, in
    inches, for instance wide and low for a slide: type keeps its points, so it is larger beside what is drawn.
    """

    def decorate(draw):
        @wraps(draw)
        def make(*args, size=size, **kwargs):
            with mpl.rc_context(fname=STYLE):
                figure = _canvas(size)
                sentence = _sentence(draw.__name__, draw(figure, *args, **kwargs))
            return Picture(figure, sentence)

        signature = inspect.signature(draw)
        own_size = inspect.Parameter("size", inspect.Parameter.KEYWORD_ONLY, default=size)
        make.__signature__ = signature.replace(parameters=[*list(signature.parameters.values())[1:], own_size])
        return make

    return decorate


def _canvas(size):
    """An empty figure with margins for large labels."""
    figure = Figure(figsize=size)
    FigureCanvasAgg(figure)
    figure.subplots_adjust(left=0.12, right=0.97, bottom=0.16, top=0.96)
    return figure


def _sentence(name, text):
    """The text with a true minus in its numbers; raises where it holds no number."""
    sentence = re.sub(r"(?<!\w)-(?=\d)", "−", text)
    if not any(character.isdigit() for character in sentence):
        raise WrongValue(f"{name} says {sentence!r}; expected a sentence with the numbers it shows.")
    return sentence
