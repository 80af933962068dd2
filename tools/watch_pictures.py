"""What a notebook draws, beside what it stores: run in the notebook's own kernel, so that each cell runs once.

`start` wraps the functions of `mathlib.figures` so that each call is kept. `report` says, of the cell that ran
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
class Call:
    """A picture with the function and the arguments that made it."""

    function: object
    arguments: inspect.BoundArguments
    picture: object

    def again(self, **changes):
        """The picture of the same call with some arguments changed."""
        arguments = copy.copy(self.arguments)
        arguments.arguments = arguments.arguments | changes
        return self.function(*arguments.args, **arguments.kwargs)


def wrapped(calls):
    """The functions of mathlib.figures, by name, each of them adding its calls to the list."""

    def wrap(function):
        def record(*args, **kwargs):
            drawn = function(*args, **kwargs)
            if isinstance(drawn, picture_module.Picture):
                calls.append(Call(function, inspect.signature(function).bind(*args, **kwargs), drawn))
            return drawn

        return record

    drawing = {name: f for name, f in vars(figures).items() if inspect.isfunction(f) and not name.startswith("_")}
    return {name: wrap(function) for name, function in drawing.items()}


@contextlib.contextmanager
def recorded_calls():
    """Keep each call of a function of mathlib.figures in a list while the block runs."""
    calls, originals = [], dict(vars(figures))
    vars(figures).update(wrapped(calls))
    try:
        yield calls
    finally:
        vars(figures).update(originals)


def stored_pngs(cell):
    """(picture, metadata) for each picture stored in a cell."""
    return [
        (o["data"]["image/png"], o["metadata"].get("image/png", {}))
        for o in cell["outputs"]
        if "image/png" in o.get("data", {})
    ]


def stale_pictures(cell, calls):
    """What is wrong with the pictures that a cell stores, beside those that it draws."""
    stored = [base64.b64decode(png) for png, _ in stored_pngs(cell)]
    if len(stored) != len(calls):
        return [f"the cell stores {len(stored)} pictures and draws {len(calls)}"]
    return [
        f"{call.function.__name__}: the cell stores a picture that is not what it draws"
        for png, call in zip(stored, calls, strict=True)
        if difference(png, call.picture) > TOLERANCE
    ]


def blind_comparisons(calls):
    """Calls of which the comparison would not notice an alpha that is off, or would stumble over another font."""
    wrong = []
    for call in calls:
        name, alpha = call.function.__name__, call.arguments.arguments.get("alpha")
        if alpha is not None and difference(call.again(alpha=ALPHA_OFF * alpha).png(), call.picture) <= TOLERANCE:
            wrong.append(f"{name}: with alpha ten percent larger the picture looks the same")
        with another_font():
            other = call.again().png()
        if difference(other, call.picture) > TOLERANCE:
            wrong.append(f"{name}: with another font the picture is not recognised")
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


CALLS = []


def start():
    """Keep every picture that this process draws from now on."""
    vars(figures).update(wrapped(CALLS))


def report(path, number):
    """What is wrong with the pictures of a notebook's code cell, which has run since the last report; as JSON."""
    calls = list(CALLS)
    CALLS.clear()
    cells = json.loads(Path(path).read_text(encoding="utf-8"))["cells"]
    cell = [cell for cell in cells if cell["cell_type"] == "code"][number]
    return json.dumps(stale_pictures(cell, calls) + blind_comparisons(calls))
