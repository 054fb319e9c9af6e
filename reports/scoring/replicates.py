"""The mIoU of every model and condition of a run, on all its images and on every resample of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reports.run.counts import ConditionCounts, Totals, merge_images, read_conditions
from reports.run.record import CLEAN, WHOLE, RunRecord
from reports.scoring.resampling import Bootstrap, Units, replicate, units_of
from reports.scoring.scores import defined_mean, iou

__all__ = ["ClassReplicates", "Replicates", "read_replicates"]

Floats = NDArray[np.float64]
PART = 2**22  # numbers of one piece of work, 32 MiB


@dataclasses.dataclass(frozen=True)
class ClassReplicates:
    """IoU by model and class, (M, C, R): clean, and its mean over the corrupted conditions that define it."""

    clean: Floats
    corrupted: Floats


@dataclasses.dataclass(frozen=True)
class Replicates:
    """The scores of a run: `totals` over its images, and `miou` (M, K, R) with replicates (`resampling`).

    They are of whole images or of a `region`.
    """

    record: RunRecord
    bootstrap: Bootstrap
    units: Units
    totals: Totals
    miou: Floats
    classes: ClassReplicates | None
    region: str = WHOLE


def read_replicates(
    run: Path,
    record: RunRecord,
    bootstrap: Bootstrap,
    *,
    partial: bool = False,
    classes: bool = False,
    region: str = WHOLE,
) -> Replicates:
    """Score a run on its images, or on a region of them, and on resamples; IoU by class only if asked for.

    Raises
    ------
    InvalidRun
        As `reports.run.counts.read_conditions`.
    """
    units = units_of(record.images, record.clusters, bootstrap.resamples)
    number = 1 + bootstrap.resamples + (units.count if bootstrap.method == "bca" else 0)
    miou = np.empty((len(record.models), len(record.conditions), number))
    by_class = _ClassMeans(record, number) if classes else None

    def scored(conditions: Iterable[ConditionCounts]) -> Iterator[ConditionCounts]:
        for counts in conditions:
            for models in _parts(counts, number):
                ious = _ious(counts, models, units, bootstrap)
                miou[models, counts.place] = defined_mean(ious).T
                if by_class is not None:
                    by_class.add(models, counts.place, ious)
            yield counts

    totals = merge_images(scored(read_conditions(run, record, partial=partial, region=region)))
    means = by_class.means() if by_class is not None else None
    return Replicates(record, bootstrap, units, totals, miou, means, region)


def _ious(counts: ConditionCounts, models: slice, units: Units, bootstrap: Bootstrap) -> Floats:
    """Return the IoU of some models under a condition, (R, M, C)."""
    tp, fp, fn = (np.moveaxis(part[models], 0, 1) for part in (counts.tp, counts.fp, counts.fn))
    # Both sums that an IoU is made of, for all models, in one product.
    sums = replicate(np.stack([tp, fp + fn], axis=2), units, bootstrap.method)
    return iou(sums[:, :, 0], sums[:, :, 1], np.zeros((), np.int64))


def _parts(counts: ConditionCounts, number: int) -> list[slice]:
    """Return slices of models whose replicates fit into memory together."""
    models, _, classes = counts.tp.shape
    size = max(1, PART // (2 * classes * number))
    return [slice(start, start + size) for start in range(0, models, size)]


class _ClassMeans:
    """Adds up IoU by class, leaving out what is undefined."""

    def __init__(self, record: RunRecord, number: int) -> None:
        shape = (len(record.models), len(record.dataset["class_names"]), number)
        self._clean = [condition.corruption == CLEAN for condition in record.conditions]
        self._sums = {True: np.zeros(shape), False: np.zeros(shape)}
        self._counts = {True: np.zeros(shape, np.int32), False: np.zeros(shape, np.int32)}

    def add(self, models: slice, condition: int, ious: Floats) -> None:
        """Add IoU (R, M, C) of a condition."""
        values = np.moveaxis(ious, 0, -1)
        defined = ~np.isnan(values)
        self._sums[self._clean[condition]][models] += np.where(defined, values, 0.0)
        self._counts[self._clean[condition]][models] += defined

    def means(self) -> ClassReplicates:
        """Return the means of what was added."""
        clean, corrupted = (
            np.divide(self._sums[kind], self._counts[kind], out=np.full(self._sums[kind].shape, np.nan),
                      where=self._counts[kind] > 0)
            for kind in (True, False)
        )  # fmt: skip
        return ClassReplicates(clean, corrupted)
