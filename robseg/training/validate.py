"""The mIoU of a network on a validation split, with its interval."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reports.run.tally import PRIMARY, Prediction
from reports.scoring.jackknife import interval, left_out
from reports.scoring.scores import miou
from reports.scoring.units import units_of
from reports.tallies import find
from robseg.datasets.base import Dataset

__all__ = ["MiouInterval", "counted", "score"]


class MiouInterval(NamedTuple):
    """An mIoU and its 95 % interval, as fractions; with fewer than six images or blocks, the ends are NaN."""

    miou: float
    low: float
    high: float


def counted(
    pairs: Iterable[tuple[NDArray[np.uint8], NDArray[np.uint8]]], num_classes: int
) -> NDArray[np.int64]:
    """Count tp, fp and fn of (prediction, target) pairs, uint8 (H, W) each; returns (N, 3, C)."""
    tally = find(PRIMARY)
    rows = [tally.count(Prediction(prediction), target, num_classes) for prediction, target in pairs]
    return np.array([[row[name] for name in tally.columns] for row in rows], np.int64)


def score(counts: NDArray[np.int64], dataset: Dataset) -> MiouInterval:
    """Return the mIoU of a data set from the counts (N, 3, C) of its images.

    Examples
    --------
    >>> counts = np.array([[[3, 1, 0], [1, 0, 0], [0, 1, 0]]])
    >>> score(counts, Dataset("one", "val", ("a", "b", "c"), ((0, 0, 0),) * 3, ("0",), print, "")).miou
    0.625
    """
    units = units_of(dataset.ids, dataset.clusters)
    sums = left_out(units.sums(counts.reshape(len(counts), -1))).reshape(-1, *counts.shape[1:])
    values = miou(*np.moveaxis(sums, 1, 0))
    low, high = interval(values, share=True)
    return MiouInterval(float(values[0]), float(low), float(high))
