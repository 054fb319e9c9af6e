"""The bootstrap over the units of a run, for rank correlations: no jackknife fits what changes in steps.

The resamples depend only on the names of the images, so all models and conditions of a run see the same ones.

Efron & Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from reports.run.record import RunRecord
from reports.run.typed import Range, typed
from reports.scoring.jackknife import Interval
from reports.scoring.replicates import Resampling
from reports.scoring.units import generator, units_of

__all__ = ["bootstrap", "percentiles"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FEWEST = 100  # resamples; with fewer, an interval says nothing
MOST = 100_000  # resamples; more only take time and memory


def bootstrap(record: RunRecord, resamples: int) -> Resampling:
    """Return the resampling of a run's units with replacement.

    Raises
    ------
    InputError
        If the resamples are fewer than 100 or more than 100,000.
    """
    typed(Annotated[int, Range(least=FEWEST, most=MOST)], resamples, "resamples")
    count = units_of(record.images, record.clusters).count
    draws = generator(record.images, record.clusters).integers(0, count, (resamples, count))
    bins = draws + count * np.arange(resamples)[:, None]
    drawn = np.bincount(bins.ravel(), minlength=resamples * count).reshape(resamples, count)
    weights = np.concatenate([np.ones((1, count)), drawn])

    def sums(counts: Ints) -> Ints:
        # Exact in float64, because sums of counts stay far below 2**53.
        return (weights @ counts.astype(np.float64)).astype(np.int64)

    return Resampling(1 + resamples, sums)


def percentiles(values: Floats, units: int, confidence: float) -> Interval:
    """Return the intervals of values with bootstrap replicates (..., R): NaN if there is a single unit."""
    tail = (1 - confidence) / 2
    undefined = np.isnan(values).any(axis=-1) | (units < 2)
    low, high = np.quantile(np.nan_to_num(values[..., 1:]), (tail, 1 - tail), axis=-1)
    return Interval(np.where(undefined, np.nan, low), np.where(undefined, np.nan, high))
