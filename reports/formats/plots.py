"""The colours and markers that distinguish the models of a run in plots."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["COLOURS", "Series", "series"]

# Okabe & Ito's palette without black and yellow. Colour-blind readers can distinguish these colours, and all
# are visible on white and on black.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
MARKERS = (
    ("o", "\u25cf"),
    ("s", "\u25a0"),
    ("^", "\u25b2"),
    ("D", "\u25c6"),
    ("v", "\u25bc"),
    ("p", "\u2b1f"),
    ("h", "\u2b22"),
)


class Series(NamedTuple):
    """How a model is drawn: its colour, its matplotlib marker, and that marker as a character for legends."""

    colour: str
    marker: str
    symbol: str


def series(place: int) -> Series:
    """Return how the model at `place` in the run is drawn; the first 42 differ."""
    marker, symbol = MARKERS[place % len(MARKERS)]
    return Series(COLOURS[place % len(COLOURS)], marker, symbol)
