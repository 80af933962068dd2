"""What a notebook draws, beside what it stores: run in the notebook's own kernel, so that each cell runs once.

`start` keeps each picture that is displayed, with the call that drew it. `report` says, of the cell that ran
last, which stored pictures are stale, and whether the comparison would notice what it has to notice.
"""

import base64
import contextlib
import copy
import inspect
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

from compare_pictures import TOLERANCE, difference

from mathlib import figures
from mathlib.figures import picture as picture_module

ALPHA_OFF = 1.1  # a picture drawn with alpha ten percent larger has to be told from the right one


@dataclass(frozen=True)
class Shown:
    """A picture that was displayed, with the function and the arguments that drew it; a plot in a cell has none."""

    picture: object
    function: object = None
    arguments: inspect.BoundArguments | None = None

    @property
    def name(self):
        return "plot" if self.function is None else self.function.__name__

    def again(self, **changes):
        """The picture of the same call with some arguments changed."""
        arguments = copy.copy(self.arguments)
        arguments.arguments = arguments.arguments | changes
        return self.function(*arguments.args, **arguments.kwargs)


@contextlib.contextmanager
def displays_in(shown):
    """Add each picture that is displayed to the list while the block runs, with the call that drew it."""
    drawn = []

    def wrap(function):
        def remember(*args, **kwargs):
            picture = function(*args, **kwargs)
            drawn.append(Shown(picture, function, inspect.signature(function).bind(*args, **kwargs)))
            return picture

        return remember

    def display(picture):
        made = [call for call in drawn if call.picture is picture]
        shown.append(made[0] if made else Shown(picture))
        showing(picture)

    originals = dict(vars(figures))
    showing = picture_module.Picture._ipython_display_
    drawing = {n: f for n, f in originals.items() if hasattr(f, "__wrapped__") and n != "plot"}
    vars(figures).update({name: wrap(function) for name, function in drawing.items()})
    picture_module.Picture._ipython_display_ = display
    try:
        yield
    finally:
        vars(figures).update(originals)
        picture_module.Picture._ipython_display_ = showing


def stored_pngs(cell):
    """(picture, metadata) for each picture stored in a cell."""
    return [
        (o["data"]["image/png"], o["metadata"].get("image/png", {}))
        for o in cell["outputs"]
        if "image/png" in o.get("data", {})
    ]


def stale_pictures(cell, shown):
    """What is wrong with the pictures that a cell stores, beside those that it displays."""
    stored = [base64.b64decode(png) for png, _ in stored_pngs(cell)]
    if len(stored) != len(shown):
        return [f"the cell stores {len(stored)} pictures and draws {len(shown)}"]
    return [
        f"{fresh.name}: the cell stores a picture that is not what it draws"
        for png, fresh in zip(stored, shown, strict=True)
        if difference(png, fresh.picture) > TOLERANCE
    ]


def blind_comparisons(shown):
    """Figures of which the comparison would not notice an alpha that is off, or would stumble over another font."""
    wrong = []
    for fresh in shown:
        if fresh.function is None:
            continue
        alpha = fresh.arguments.arguments.get("alpha")
        if alpha is not None and difference(fresh.again(alpha=ALPHA_OFF * alpha).png(), fresh.picture) <= TOLERANCE:
            wrong.append(f"{fresh.name}: with alpha ten percent larger the picture looks the same")
        with another_font():
            other = fresh.again().png()
        if difference(other, fresh.picture) > TOLERANCE:
            wrong.append(f"{fresh.name}: with another font the picture is not recognised")
    return wrong


@contextlib.contextmanager
def another_font():
    """Draw as on a machine with other fonts while the block runs."""
    style = picture_module.STYLE
    with tempfile.TemporaryDirectory() as folder:
        other = Path(folder, "other.mplstyle")
        text = style.read_text(encoding="utf-8").replace("DejaVu Sans", "DejaVu Serif")
        other.write_text(text + "\ntext.hinting: none\n", encoding="utf-8")
        picture_module.STYLE = other
        try:
            yield
        finally:
            picture_module.STYLE = style


SHOWN = []
WATCHING = displays_in(SHOWN)


def start():
    """Keep every picture that this process displays from now on."""
    WATCHING.__enter__()


def report(path, number):
    """What is wrong with the pictures of a notebook's code cell, which has run since the last report; as JSON."""
    shown = list(SHOWN)
    SHOWN.clear()
    cells = json.loads(Path(path).read_text(encoding="utf-8"))["cells"]
    cell = [cell for cell in cells if cell["cell_type"] == "code"][number]
    return json.dumps(stale_pictures(cell, shown) + blind_comparisons(shown))
