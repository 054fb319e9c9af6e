"""The progress of a run."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Place", "Progress"]


class Place(NamedTuple):
    """How many nodes of a cluster a run is at work on, and with how many workers."""

    nodes: int
    workers: int


class Progress(NamedTuple):
    """How far a run is, in predictions (images x conditions x models); `done` counts this call's only.

    `place` is None for a run on this machine.
    """

    done: int
    total: int
    place: Place | None = None
