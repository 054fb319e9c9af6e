"""What the rules check: a score for each model and condition, and what the counts of a run add to it."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reports.run.counts import ConditionCounts, read_conditions
from reports.run.record import CLEAN, RunRecord
from reports.run.tally import Tally
from reports.scoring.scores import ratio

__all__ = ["PixelCounts", "ScoreTable", "joined", "table_of_run", "table_of_scores"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ROUNDED = 2  # see `coincidences`; measured on a published table, see docs/sanity.md


@dataclasses.dataclass(frozen=True)
class PixelCounts:
    """What the counts of a run say beside its scores.

    `predicted` and `target`, int64 (M, K, C), are the labelled pixels of each class. `comparable`, (M, K), is
    the number of images for which a model predicts several classes when they are clean: equal counts of the
    corrupted image then mean that it is the clean image, or that the model cannot tell. `unchanged`, (M, K),
    is the number of these.
    """

    classes: tuple[str, ...]
    predicted: Ints
    target: Ints
    comparable: Ints
    unchanged: Ints

    @property
    def by_model(self) -> tuple[Ints, ...]:
        """All arrays."""
        return self.predicted, self.target, self.comparable, self.unchanged


@dataclasses.dataclass(frozen=True)
class ScoreTable:
    """The scores of models under conditions, which are pairs of a corruption and a severity.

    `scores` (M, K) are fractions, NaN if unknown. `marks` (M, K) are equal where results are: hashes of the
    counts of all images, or the scores themselves. Up to `coincidences` equal marks are chance: none for
    counts, some for rounded scores. `counts` is None for a table of scores.
    """

    models: tuple[str, ...]
    conditions: tuple[tuple[str, int], ...]
    scores: Floats
    marks: NDArray[np.uint64] | Floats
    coincidences: int
    counts: PixelCounts | None = None

    @property
    def kept(self) -> Floats:
        """The share of a model's clean score that it keeps, (M, K); NaN if undefined."""
        clean = [place for place, (corruption, _) in enumerate(self.conditions) if corruption == CLEAN]
        return ratio(self.scores, self.scores[:, clean]) if clean else np.full_like(self.scores, np.nan)


def table_of_scores(
    models: Sequence[str], conditions: Sequence[tuple[str, int]], scores: Floats
) -> ScoreTable:
    """Return a table of published scores, fractions (M, K), of models on one data set."""
    return ScoreTable(tuple(models), tuple(conditions), scores, scores, ROUNDED)


def table_of_run(run: Path, record: RunRecord, tally: Tally) -> ScoreTable:
    """Return the table of a run by its primary tally, which counts tp, fp and fn; clean comes first."""
    clean_first = sorted(record.conditions, key=lambda condition: condition.corruption != CLEAN)
    record = dataclasses.replace(record, conditions=tuple(clean_first))
    clean: ConditionCounts | None = None
    columns = []
    for counts in read_conditions(run, record, tally, partial=True):
        if clean is None and record.conditions[counts.place].corruption == CLEAN:
            clean = counts
        columns.append(_column(counts, clean, tally))
    scores, marks, predicted, target, comparable, unchanged = (
        np.stack(parts, axis=1) for parts in zip(*columns, strict=True)
    )
    return ScoreTable(
        tuple(model.name for model in record.models),
        tuple((condition.corruption, condition.severity) for condition in record.conditions),
        scores,
        marks,
        0,
        PixelCounts(tuple(record.dataset["class_names"]), predicted, target, comparable, unchanged),
    )


def _column(
    counts: ConditionCounts, clean: ConditionCounts | None, tally: Tally
) -> tuple[Floats, NDArray[np.uint64], Ints, Ints, Ints, Ints]:
    """Return the arrays of a table for one condition, each (M,) or (M, C)."""
    together = _together(counts)
    totals = {name: column.sum(axis=1) for name, column in counts.columns.items()}
    comparable = unchanged = np.zeros(counts.seen.shape, bool)
    if clean is not None:
        predicted = clean.columns["tp"] + clean.columns["fp"]
        comparable = counts.seen & ((predicted > 0).sum(axis=-1) > 1)
        unchanged = comparable & (together == _together(clean)).all(axis=-1)
    return (
        tally.headline.value({name: total[..., None] for name, total in totals.items()})[..., 0],
        np.array([_mark(model) for model in together], np.uint64),
        totals["tp"] + totals["fp"],
        totals["tp"] + totals["fn"],
        comparable.sum(axis=1),
        unchanged.sum(axis=1),
    )


def _together(counts: ConditionCounts) -> Ints:
    """Return all columns of the counts as one array, (M, N, L)."""
    return np.concatenate(list(counts.columns.values()), axis=-1)


def _mark(counts: Ints) -> int:
    return int.from_bytes(hashlib.blake2b(counts.tobytes(), digest_size=8).digest())


def joined(tables: Sequence[ScoreTable]) -> ScoreTable:
    """Return the table of the models of several runs, which share conditions and classes."""
    first = tables[0]
    counts = [table.counts for table in tables if table.counts is not None]
    return dataclasses.replace(
        first,
        models=tuple(model for table in tables for model in table.models),
        scores=np.concatenate([table.scores for table in tables]),
        marks=np.concatenate([table.marks for table in tables]),
        counts=PixelCounts(
            counts[0].classes,
            *(np.concatenate(parts) for parts in zip(*(one.by_model for one in counts), strict=True)),
        ),
    )
