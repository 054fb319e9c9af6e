"""Group the images of a drive, so that intervals do not treat neighbours as independent."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

__all__ = ["blocks"]

BLOCK = 10


def blocks(ids: Sequence[str], drives: Sequence[str]) -> tuple[str, ...]:
    """Return the name of each image's block: up to ten images that follow each other in a drive.

    Frames of one drive show the same streets in the same weather. There are too few drives or cities to
    resample these (three cities in Cityscapes' validation set), so blocks of ten frames are resampled (block
    bootstrap: Künsch, Annals of Statistics 1989).

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
