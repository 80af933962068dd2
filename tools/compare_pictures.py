"""Does a stored picture still show what its function draws today?

Where fonts differ, letters differ, and nothing else does, because margins are fixed. So text is blanked in
both pictures, and the rest is compared as means over small blocks: what a rasteriser decides within a pixel
does not count, a curve that moved by a pixel does.
"""

import io

import numpy as np
from matplotlib.legend import Legend
from matplotlib.text import Text
from PIL import Image

BLOCK = 12  # pixels
TOLERANCE = 0.06  # of full contrast, in a block: about one pixel of a 2 pt line's way
PADDING = 9  # pixels around text


def difference(stored_png, picture):
    """The largest difference of a block's mean colour, from 0 to 1; 1 if the sizes differ."""
    stored = _pixels(stored_png)
    fresh = _pixels(picture.png())
    if stored.shape != fresh.shape:
        return 1.0
    for box in _text_boxes(picture.figure, fresh.shape):
        stored[box] = fresh[box] = 1.0
    return float(np.abs(_blocks(stored) - _blocks(fresh)).max())


def _pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), dtype=float) / 255


def _blocks(pixels):
    rows, columns = (size // BLOCK * BLOCK for size in pixels.shape[:2])
    return pixels[:rows, :columns].reshape(rows // BLOCK, BLOCK, columns // BLOCK, BLOCK, 3).mean(axis=(1, 3))


def _text_boxes(figure, shape):
    """Slices of the pixels that text covers, and legends, whose lines move with their text."""
    for artist in figure.findobj(lambda a: isinstance(a, (Text, Legend)) and a.get_visible()):
        if isinstance(artist, Text) and not artist.get_text():
            continue
        box = artist.get_window_extent()
        yield _padded(shape[0] - box.y1, shape[0] - box.y0), _padded(box.x0, box.x1)


def _padded(low, high):
    """A slice with some room: another font is wider or narrower by an eighth or so."""
    padding = PADDING + (high - low) / 8
    return slice(max(int(low - padding), 0), max(int(high + padding), 0))
