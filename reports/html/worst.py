"""The images on which models score lowest, from the counts of each image."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reports import tallies
from reports.formats.text import percent
from reports.html.models import ModelView
from reports.html.text import label, words
from reports.run.counts import read_conditions
from reports.run.record import CLEAN, RunRecord
from reports.run.tally import PRIMARY, Columns, Tally
from reports.tables.results import Results

__all__ = ["WorstImage", "WorstImages", "worst_images"]

SHOWN = 5

Floats = NDArray[np.float64]


class WorstImage(NamedTuple):
    """One image, and for each model its clean mIoU, its mIoU under corruption and the hardest corruption."""

    image: str
    scores: list[tuple[str, str, str]]


class WorstImages(NamedTuple):
    """The images with the lowest mIoU under corruption, lowest first, and the models that were scored."""

    models: list[ModelView]
    images: list[WorstImage]


def worst_images(run: Path, results: Results, models: Sequence[ModelView]) -> WorstImages:
    """Rank the images of a run's folder by the mIoU of their own counts, summed over corrupted conditions.

    The ranking uses the models of this folder that are plotted before the reader chooses, by their mean.
    """
    own = {model.name: model for model in RunRecord.load(run).models}
    asked = [model for model in models if model.plotted and model.name in own]
    names = sorted({c.corruption for c in results.record.conditions} - {CLEAN})
    if not asked or not names or len(results.record.images) < 2:
        return WorstImages([], [])
    record = dataclasses.replace(results.record, models=tuple(own[model.name] for model in asked))
    tally = tallies.find(PRIMARY)
    sums: dict[str, Columns] = {}
    for counts in read_conditions(run, record, tally, partial=True):
        name = record.conditions[counts.place].corruption
        sums[name] = _added(sums[name], counts.columns) if name in sums else counts.columns
    scores = {name: _values(tally, columns) for name, columns in sums.items()}  # each (M, N)
    clean = scores.get(CLEAN, np.full((len(asked), len(record.images)), np.nan))
    by_corruption = np.stack([scores[name] for name in names])
    total = functools.reduce(_added, (sums[name] for name in names))
    return WorstImages(asked, _ranked(results, clean, _values(tally, total), by_corruption, names))


def _added(one: Columns, other: Columns) -> Columns:
    return {name: one[name] + other[name] for name in one}


def _values(tally: Tally, columns: Columns) -> Floats:
    """Return the headline measure of counts (M, N, L) by model and image, (M, N)."""
    return tally.headline.value({name: column[..., None] for name, column in columns.items()})[..., 0]


def _ranked(
    results: Results, clean: Floats, corrupted: Floats, by_corruption: Floats, names: Sequence[str]
) -> list[WorstImage]:
    """Return the worst images; `clean` and `corrupted` are (M, N), `by_corruption` is (K, M, N)."""
    images = results.record.images
    order = np.argsort(corrupted.mean(axis=0), kind="stable")  # NaN is last
    number = min(SHOWN, len(images) // 2)
    found = []
    for image in (int(place) for place in order[:number]):
        scores = []
        for model in range(len(corrupted)):
            column = by_corruption[:, model, image]
            hardest = "" if np.isnan(column).all() else words(names[int(np.nanargmin(column))])
            scores.append((percent(clean[model, image]), percent(corrupted[model, image]), hardest))
        found.append(WorstImage(label(images[image]), scores))
    return found
