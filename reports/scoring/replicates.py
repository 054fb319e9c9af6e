"""The measures of a tally for every model and condition of a run: on all images and on every resample."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reports.run.counts import ConditionCounts, Totals, merge_images, read_conditions
from reports.run.record import CLEAN, RunRecord
from reports.run.tally import Columns, Measure, Tally
from reports.scoring.resampling import Bootstrap, Units, replicate, units_of
from reports.scoring.scores import ratio

__all__ = ["ClassReplicates", "Replicates", "read_replicates"]

Floats = NDArray[np.float64]
AT_ONCE = 2**22  # numbers that are resampled together: 32 MiB


@dataclasses.dataclass(frozen=True)
class ClassReplicates:
    """A measure by model and class, (M, C, R): clean, and the mean over conditions that define it."""

    clean: Floats
    corrupted: Floats


@dataclasses.dataclass(frozen=True)
class Replicates:
    """The scores of a run by one tally.

    `totals` are the counts summed over all images. `measures` maps the name of each measure in `tally.whole`
    to its replicates, (M, K, R), see `reports.scoring.resampling`. `classes` maps the name of each measure in
    `tally.by_class` to its means, and is empty unless they were asked for.
    """

    record: RunRecord
    bootstrap: Bootstrap
    units: Units
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
    bootstrap: Bootstrap,
    tally: Tally,
    *,
    partial: bool = False,
    classes: bool = False,
) -> Replicates:
    """Score a run by a tally, on its images and on resamples of them; by class only if `classes`.

    Raises
    ------
    InvalidRun
        For the same reasons as in `reports.run.counts.read_conditions`.
    """
    units = units_of(record.images, record.clusters, bootstrap.resamples)
    number = 1 + bootstrap.resamples + (units.count if bootstrap.method == "bca" else 0)
    shape = (len(record.models), len(record.conditions), number)
    values = {measure.name: np.empty(shape) for measure in tally.whole}
    by_class = {measure: _ClassMeans(record, number) for measure in tally.by_class if classes}

    def scored(conditions: Iterable[ConditionCounts]) -> Iterator[ConditionCounts]:
        for counts in conditions:
            for models in _parts(counts, number):
                columns = _resampled(counts, models, units, bootstrap)
                for measure in tally.whole:
                    values[measure.name][models, counts.place] = measure.value(columns)
                for measure, means in by_class.items():
                    means.add(models, counts.place, measure.value(columns))
            yield counts

    totals = merge_images(scored(read_conditions(run, record, tally, partial=partial)))
    means = {measure.name: means.means() for measure, means in by_class.items()}
    return Replicates(record, bootstrap, units, tally, totals, values, means)


def _resampled(counts: ConditionCounts, models: slice, units: Units, bootstrap: Bootstrap) -> Columns:
    """Return the columns of some models under a condition, summed over images, (M, L, R)."""
    lengths = [column.shape[-1] for column in counts.columns.values()]
    # One product for all columns of all models. Its first axis is replicates, which a view makes the last, so
    # a sum over classes runs over adjacent memory and has the same last bit for any number of replicates.
    together = np.concatenate([column[models] for column in counts.columns.values()], axis=-1)
    sums = np.moveaxis(replicate(np.moveaxis(together, 0, 1), units, bootstrap.method), 0, -1)
    parts = np.split(sums, np.cumsum(lengths)[:-1], axis=-2)
    return dict(zip(counts.columns, parts, strict=True))


def _parts(counts: ConditionCounts, number: int) -> list[slice]:
    """Return slices of models whose replicates fit into memory together."""
    models = len(counts.seen)
    length = sum(column.shape[-1] for column in counts.columns.values())
    size = max(1, AT_ONCE // (length * number))
    return [slice(start, start + size) for start in range(0, models, size)]


class _ClassMeans:
    """Averages a measure by class over conditions, leaving out undefined values."""

    def __init__(self, record: RunRecord, number: int) -> None:
        shape = (len(record.models), len(record.dataset["class_names"]), number)
        self._clean = [condition.corruption == CLEAN for condition in record.conditions]
        self._sums = {True: np.zeros(shape), False: np.zeros(shape)}
        self._counts = {True: np.zeros(shape, np.int32), False: np.zeros(shape, np.int32)}

    def add(self, models: slice, condition: int, values: Floats) -> None:
        """Add the values (M, C, R) of some models under a condition."""
        defined = ~np.isnan(values)
        self._sums[self._clean[condition]][models] += np.where(defined, values, 0.0)
        self._counts[self._clean[condition]][models] += defined

    def means(self) -> ClassReplicates:
        """Return the means of the values that were added."""
        clean, corrupted = (ratio(self._sums[kind], self._counts[kind]) for kind in (True, False))
        return ClassReplicates(clean, corrupted)
