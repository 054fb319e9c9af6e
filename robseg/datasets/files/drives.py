"""Which images of a drive belong together, so that intervals do not take neighbours for independent ones."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

__all__ = ["blocks"]

BLOCK = 10


def blocks(ids: Sequence[str], drives: Sequence[str]) -> tuple[str, ...]:
    """Return a name for each image, the same for up to ten that follow each other in a drive.

    Frames of one drive show the same streets in the same weather. Whole drives or cities would be too few to
    resample (Cityscapes' validation set has three cities), so runs of ten frames are (a block bootstrap:
    Künsch, Annals of Statistics 1989).

    Examples
    --------
    >>> blocks(["a1", "a2", "b1"], ["a", "a", "b"])
    ('a/0', 'a/0', 'b/0')
    """
    order = sorted(range(len(ids)), key=lambda place: (drives[place], ids[place]))
    names = [""] * len(ids)
    for drive, places in groupby(order, key=lambda place: drives[place]):
        for number, place in enumerate(places):
            names[place] = f"{drive}/{number // BLOCK}"
    return tuple(names)
