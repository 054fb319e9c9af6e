"""The progress of a run."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Progress"]


class Progress(NamedTuple):
    """How far a run is, in predictions (images x conditions x models); `done` counts this call's only."""

    done: int
    total: int
