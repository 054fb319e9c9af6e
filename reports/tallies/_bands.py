"""Which pixels are near a boundary between classes.

Distances are in pixels and count a diagonal step as one: a pixel is near a boundary at width w if the square
of side 2 w + 1 around it holds a labelled pixel of another class. A border with ignored pixels is no
boundary, and predictions on ignored pixels do not count.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from reports.run.errors import InputError
from reports.run.tally import IGNORE_INDEX
from reports.run.typed import shown

__all__ = ["TITLE", "at_width", "near_boundary", "only", "width_of", "with_border"]

TITLE = "Near boundaries"

Labels = NDArray[np.uint8]
Mask = NDArray[np.bool_]


def width_of(kind: str, argument: str) -> int:
    """Return the width in pixels from the argument of a tally.

    Raises
    ------
    InputError
        If it is not a whole number from 1 to 99999.
    """
    if not argument.isdecimal() or argument.startswith("0") or len(argument) > 5:
        named = f"{kind}-{argument}" if argument else kind
        raise InputError(
            f"Expected the tally {kind} with a width from 1 to 99999 pixels, but got {shown(named)}: "
            f"write, for example, {kind}-2."
        )
    return int(argument)


def at_width(width: int) -> str:
    """Return a width in words.

    Examples
    --------
    >>> at_width(1), at_width(2)
    ('at 1 pixel', 'at 2 pixels')
    """
    return f"at {width} pixel" + ("" if width == 1 else "s")


def near_boundary(labels: Labels, ignored: Mask, width: int) -> Mask:
    """Return which pixels have another label within `width` pixels; ignored pixels take no part.

    Parameters
    ----------
    labels, ignored
        uint8 and bool, (H, W).
    """
    hidden = ignored.view(np.uint8) * np.uint8(255)
    # If the largest or the smallest label around a pixel is not its own, another class is near.
    largest = _around(labels & ~hidden, width, np.maximum, 0)
    smallest = _around(labels | hidden, width, np.minimum, 255)
    near: Mask = ((largest != labels) | (smallest != labels)) & ~ignored
    return near


def with_border(near: Mask, ignored: Mask, width: int) -> Mask:
    """Return the band together with the labelled pixels that are near the image's border."""
    band = near.copy()
    for edge in (band[:width], band[-width:], band[:, :width], band[:, -width:]):
        edge[...] = True
    return band & ~ignored


def only(labels: Labels, band: Mask) -> Labels:
    """Return the labels in a band, IGNORE_INDEX elsewhere."""
    return labels | (~band).view(np.uint8) * np.uint8(IGNORE_INDEX)


def _around(labels: Labels, width: int, extreme: np.ufunc, neutral: int) -> Labels:
    """Return the extreme over the square of side 2 width + 1 around each pixel, (H, W)."""
    width = min(width, max(labels.shape))
    found = np.pad(labels, width, constant_values=neutral)
    for before, middle, after in _thirds(width):
        found = extreme(extreme(found[before], found[after]), found[middle])
    for before, middle, after in _thirds(width):
        found = extreme(extreme(found[:, before], found[:, after]), found[:, middle])
    return found


def _thirds(width: int) -> Iterator[tuple[slice, slice, slice]]:
    """Yield, up to a window of 2 width + 1, the three shorter windows that make up the next longer one."""
    reach = 0
    while reach < width:
        # Three adjacent windows make one of three times the length, so even wide bands take few steps.
        step = min(2 * reach + 1, width - reach)
        yield slice(None, -2 * step), slice(step, -step), slice(2 * step, None)
        reach += step
