"""The measures of a tally for every model and condition of a run: on all images and on parts of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reports.run.counts import ConditionCounts, Totals, merge_images, read_conditions
from reports.run.record import CLEAN, RunRecord
from reports.run.tally import Columns, Measure, Tally
from reports.scoring.jackknife import CONFIDENCE, check_confidence, left_out
from reports.scoring.scores import ratio
from reports.scoring.targets import SameTargets
from reports.scoring.units import Units, units_of

__all__ = ["ClassReplicates", "Replicates", "Resampling", "read_replicates", "replicates_of"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
AT_ONCE = 2**22  # numbers that are resampled together: 32 MiB


class Resampling(NamedTuple):
    """What replicates are: the scores of `number` sums over parts of the units, first over all of them.

    `sums` maps counts by unit (M, U, L) to the sums (M, number, L), for `models` models at a time, or several
    times as many.
    """

    number: int
    sums: Callable[[Ints], Ints]
    models: int = 1


@dataclasses.dataclass(frozen=True)
class ClassReplicates:
    """A measure by model and class, (M, C, R): clean, and the mean over conditions that define it."""

    clean: Floats
    corrupted: Floats


@dataclasses.dataclass(frozen=True)
class Replicates:
    """The scores of a run by one tally, whose replicates are the last axis, R.

    `confidence` is the level of the intervals. `totals` are the counts summed over all images. `measures`
    maps the name of each measure in `tally.whole` to its replicates, (M, K, R). `classes` maps the name of
    each measure in `tally.by_class` to its means, and is empty unless they were asked for.
    """

    record: RunRecord
    units: Units
    confidence: float
    tally: Tally
    totals: Totals
    measures: Mapping[str, Floats]
    classes: Mapping[str, ClassReplicates]

    @property
    def headline(self) -> Floats:
        """The replicates of the tally's headline measure, (M, K, R)."""
        return self.measures[self.tally.headline.name]

    def on_all_images(self, measure: Measure) -> Floats:
        """Return a measure on all images, without replicates, (M, K) or (M, K, C)."""
        columns = {name: column[..., None] for name, column in self.totals.columns.items()}
        return measure.value(columns)[..., 0]


def read_replicates(
    run: Path,
    record: RunRecord,
    tally: Tally,
    confidence: float = CONFIDENCE,
    *,
    resampling: Resampling | None = None,
    partial: bool = False,
    classes: bool = False,
) -> Replicates:
    """Score a run by a tally, on its images and without each unit of them; by class only if `classes`.

    Raises
    ------
    InputError
        If the confidence level is none.
    InvalidRun
        For the same reasons as in `reports.run.counts.read_conditions`.
    """
    check_confidence(confidence)
    counts = read_conditions(run, record, tally, partial=partial)
    return replicates_of(counts, record, tally, confidence, resampling=resampling, classes=classes)


def replicates_of(
    conditions: Iterable[ConditionCounts],
    record: RunRecord,
    tally: Tally,
    confidence: float = CONFIDENCE,
    *,
    resampling: Resampling | None = None,
    classes: bool = False,
) -> Replicates:
    """Score the counts of each condition of a record; the resampling is by default the jackknife's."""
    units = units_of(record.images, record.clusters)
    resampling = resampling or Resampling(1 + units.count, left_out)
    targets = SameTargets(record, tally)
    values: dict[str, list[Floats]] = {measure.name: [] for measure in tally.whole}
    by_class = {measure: _ClassMeans(record) for measure in tally.by_class if classes}

    def scored() -> Iterator[ConditionCounts]:
        for counts in conditions:
            targets.check(counts)
            parts = [_resampled(counts, models, units, resampling) for models in _parts(counts, resampling)]
            for measure in tally.whole:
                values[measure.name].append(np.concatenate([measure.value(part) for part in parts]))
            for measure, means in by_class.items():
                means.add(counts.place, np.concatenate([measure.value(part) for part in parts]))
            yield counts

    totals = merge_images(scored())
    measures = {name: np.stack(found, axis=1) for name, found in values.items()}
    means = {measure.name: means.means() for measure, means in by_class.items()}
    return Replicates(record, units, confidence, tally, totals, measures, means)


def _resampled(counts: ConditionCounts, models: slice, units: Units, resampling: Resampling) -> Columns:
    """Return the columns of some models under a condition, resampled, (M, L, R)."""
    lengths = [column.shape[-1] for column in counts.columns.values()]
    # A view makes the replicates the last axis, so a sum over classes runs over adjacent memory and has the
    # same last bit for any number of replicates.
    together = np.concatenate([column[models] for column in counts.columns.values()], axis=-1)
    sums = np.moveaxis(resampling.sums(units.sums(together)), -2, -1)
    parts = np.split(sums, np.cumsum(lengths)[:-1], axis=-2)
    return dict(zip(counts.columns, parts, strict=True))


def _parts(counts: ConditionCounts, resampling: Resampling) -> list[slice]:
    """Return slices of models whose replicates fit into memory together."""
    length = sum(column.shape[-1] for column in counts.columns.values())
    size = max(1, AT_ONCE // (length * resampling.number * resampling.models)) * resampling.models
    return [slice(start, start + size) for start in range(0, len(counts.seen), size)]


class _ClassMeans:
    """Averages a measure by class over conditions, leaving out undefined values."""

    def __init__(self, record: RunRecord) -> None:
        self._clean = [condition.corruption == CLEAN for condition in record.conditions]
        self._sums: dict[bool, Floats | float] = {True: 0.0, False: 0.0}
        self._counts: dict[bool, Ints | int] = {True: 0, False: 0}

    def add(self, condition: int, values: Floats) -> None:
        """Add the values (M, C, R) under a condition."""
        kind, defined = self._clean[condition], ~np.isnan(values)
        self._sums[kind] = self._sums[kind] + np.where(defined, values, 0.0)
        self._counts[kind] = self._counts[kind] + defined.astype(np.int64)

    def means(self) -> ClassReplicates:
        """Return the means of the values that were added; NaN where there are none."""
        shape = np.broadcast_shapes(*(np.shape(one) for one in self._sums.values()))
        clean, corrupted = (
            ratio(np.broadcast_to(self._sums[kind], shape), np.broadcast_to(self._counts[kind], shape))
            for kind in (True, False)
        )
        return ClassReplicates(clean, corrupted)
