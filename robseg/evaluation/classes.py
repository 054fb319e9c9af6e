"""Map the output channels of a model to the classes of a data set."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from robseg.datasets.base import IGNORE_INDEX
from robseg.errors import InputError

__all__ = ["label_map", "spelling"]


def label_map(model: str, channels: Sequence[str], classes: Sequence[str]) -> NDArray[np.uint8]:
    """Return a table (256,) from a model's labels to a data set's class ids, matched by name.

    A channel and a class without a partner of exactly their name match if they alone are spelled alike:
    without regard to case, blanks at the ends, and whether words are joined by a blank, "_" or "-". (One of
    mmsegmentation's names is "bed ".)

    A channel without a class in the data set (such as "void") maps to IGNORE_INDEX, which counts as wrong
    where the target is labelled.

    Raises
    ------
    InputError
        If the model has no channel for one of the data set's classes.

    Examples
    --------
    >>> label_map("m", ["void", "road", "sky"], ["sky", "road"])[:3]
    array([255,   1,   0], dtype=uint8)
    """
    ids = {name: index for index, name in enumerate(classes)}
    matched = _matches(channels, classes)
    missing = ids.keys() - set(matched.values())
    if missing:
        raise InputError(
            f"Expected model '{model}' to have the data set's {len(classes)} classes, but it lacks "
            f"{', '.join(sorted(missing))} (it has {', '.join(channels)}): "
            "choose a data set with its classes, weights trained on this one, or a --class-map."
        )
    table = np.full(256, IGNORE_INDEX, np.uint8)
    for channel, name in enumerate(channels):
        table[channel] = ids[matched[name]] if name in matched else IGNORE_INDEX
    return table


def _matches(channels: Sequence[str], classes: Sequence[str]) -> dict[str, str]:
    """Return the class of each channel that has one."""
    exact = {name: name for name in channels if name in classes}
    alone, left = ([name for name in names if name not in exact] for names in (set(channels), classes))
    alike = {
        name: [each for each in left if spelling(each) == spelling(name)]
        for name in alone
        if [spelling(other) for other in alone].count(spelling(name)) == 1
    }
    return exact | {name: found[0] for name, found in alike.items() if len(found) == 1}


def spelling(name: str) -> str:
    """Return a text that is the same for names that are spelled alike.

    Examples
    --------
    >>> spelling("Traffic_Light "), spelling("traffic-light")
    ('traffic light', 'traffic light')
    """
    return " ".join(name.casefold().replace("_", " ").replace("-", " ").split())
