"""Map the output channels of a model to the classes of a data set."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from robseg.datasets.base import IGNORE_INDEX
from robseg.errors import InputError

__all__ = ["label_map"]


def label_map(model: str, channels: Sequence[str], classes: Sequence[str]) -> NDArray[np.uint8]:
    """Return a table (256,) from a model's labels to a data set's class ids, matched by name.

    A channel also matches a class whose name differs only in case, if no other channel has that name exactly
    and no other class differs only in case.

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
    matched = {name: _matching(name, channels, classes) for name in dict.fromkeys(channels)}
    missing = ids.keys() - set(matched.values())
    if missing:
        raise InputError(
            f"Expected model '{model}' to have the data set's {len(classes)} classes, but it lacks "
            f"{', '.join(sorted(missing))} (it has {', '.join(channels)}): "
            "choose a data set with its classes, or weights trained on this one."
        )
    table = np.full(256, IGNORE_INDEX, np.uint8)
    for channel, name in enumerate(channels):
        table[channel] = ids.get(matched[name] or "", IGNORE_INDEX)
    return table


def _matching(name: str, channels: Sequence[str], classes: Sequence[str]) -> str | None:
    """Return the class of a channel: the one of its name, or the only one that differs in case alone."""
    if name in classes:
        return name
    alike = [each for each in classes if each.lower() == name.lower() and each not in channels]
    return alike[0] if len(alike) == 1 else None
