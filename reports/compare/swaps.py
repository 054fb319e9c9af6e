"""p-values of the differences of two models, by swapping the models' counts on random units.

If two models are equally good, it is chance which of them does better on a unit, so swapping their counts
there gives a difference that is as likely as the one that was found. The p-value is the share of all swaps
whose difference is at least as large, up or down. It is the same for B - A and A - B.

Fisher, The Design of Experiments, 1935, section 21; Phipson & Smyth, SAGMB 2010 (why p is never 0).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from reports.run.counts import ConditionCounts
from reports.run.record import RunRecord
from reports.scoring.replicates import Resampling
from reports.scoring.units import generator, units_of

__all__ = ["p_value", "paired", "swaps"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEAST = 2000  # swaps, so that p-values around 0.05 have a standard error of 0.005
MOST = 100_000
ROUNDING = 1e-12  # differences as close as this are equal


def swaps(record: RunRecord, rows: int, level: float) -> Resampling:
    """Return the resampling that swaps pairs of models, whose counts are (A, B, A, B, ...), on random units.

    All swaps are made if there are few of them. Otherwise their number is large enough for `rows` p-values to
    fall below the significance `level` after a correction for their number (within MOST), and they depend on
    the names of the images only. No p-value is below 1 / their number.
    """
    signs = _signs(record, min(max(LEAST, int(2 * rows / level)), MOST))

    def sums(counts: Ints) -> Ints:
        first, second = counts[0::2], counts[1::2]
        total = (first + second).sum(axis=-2, keepdims=True)
        # Exact in float64, because sums of counts stay far below 2**53; total and difference are both odd or
        # both even.
        difference = (signs @ (first - second).astype(np.float64)).astype(np.int64)
        swapped = np.empty((len(counts), len(signs), counts.shape[-1]), np.int64)
        swapped[0::2], swapped[1::2] = (total + difference) // 2, (total - difference) // 2
        return swapped

    return Resampling(len(signs), sums, models=2)


def _signs(record: RunRecord, number: int) -> Floats:
    """Return rows of signs by unit, (R, U), the first of them all 1: -1 says that the unit is swapped."""
    units = units_of(record.images, record.clusters).count
    if 2 ** (units - 1) <= number:
        # The last unit is never swapped, because swapping all others instead gives the same size.
        bits = np.arange(2 ** (units - 1))[:, None] >> np.arange(units) & 1
    else:
        bits = generator(record.images, record.clusters).integers(0, 2, (1 + number, units))
        bits[0] = 0
    return np.where(bits == 0, 1.0, -1.0)


def p_value(differences: Floats) -> Floats:
    """Return the two-sided p-values (...) of differences with swapped replicates (..., R).

    A swap that leaves the difference undefined counts as one that makes it larger.
    """
    size = np.abs(differences)
    reached = ~(size < size[..., :1] - ROUNDING)
    return np.where(np.isnan(size[..., 0]), np.nan, reached.mean(axis=-1))


def paired(
    first: Iterable[ConditionCounts], second: Iterable[ConditionCounts], places: list[tuple[int, int]]
) -> Iterator[ConditionCounts]:
    """Yield the counts of both runs by condition, for the models at `places`: A, B of each pair in turn."""
    ours, theirs = (list(side) for side in zip(*places, strict=True))
    for a, b in zip(first, second, strict=True):
        columns = {
            name: np.stack([column[ours], b.columns[name][theirs]], axis=1).reshape(-1, *column.shape[1:])
            for name, column in a.columns.items()
        }
        seen = np.stack([a.seen[ours], b.seen[theirs]], axis=1).reshape(-1, a.seen.shape[1])
        yield ConditionCounts(a.place, columns, seen)
