"""A published table beside a run's models, if it is for the same data and conditions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from reports.formats.overview import comparable_rows
from reports.formats.text import percent
from reports.html.models import ModelView
from reports.html.text import label, words
from reports.run.identity import conditions_of
from reports.scoring.published import published
from reports.tables.results import Results

__all__ = ["Beside", "BesideRow", "beside_of"]


class BesideRow(NamedTuple):
    """A model of the run (`ours`) or a published one: clean mIoU, mean of `cells`, kept share, `cells`."""

    name: str
    ours: bool
    clean: str
    mean: str
    kept: str
    cells: list[str]


class Beside(NamedTuple):
    """The published table with the run's models added; without rows, `text` says why there is none."""

    text: str
    columns: list[str]
    rows: list[BesideRow]


def beside_of(results: Results, models: Sequence[ModelView]) -> Beside:
    """Return the published table beside the run's models, the best mean first."""
    rows = comparable_rows(results)
    if not rows:
        return Beside(_why_not(results), [], [])
    names = list(rows[0].corrupted)
    found = [(row.name, False, row.clean, [row.corrupted[name] for name in names]) for row in rows]
    for model in models:
        scores = {bar.name: bar.score for bar in model.corruptions}
        found.append((model.label, True, model.clean.value, [scores[words(name)].value for name in names]))
    ranked = sorted(found, key=lambda row: -_mean(row[3]) if not math.isnan(_mean(row[3])) else math.inf)
    sources = "; ".join(dict.fromkeys(row.source for row in rows))
    return Beside(
        f"mIoU in %, averaged over the severities of each corruption. Published: {sources}. Various people "
        "trained these models on various data, so differences are not those of a controlled experiment.",
        [words(name) for name in names],
        [_row(*row) for row in ranked],
    )


def _row(name: str, ours: bool, clean: float, cells: Sequence[float]) -> BesideRow:
    mean = _mean(cells)
    kept = mean / clean if clean else math.nan
    return BesideRow(
        name, ours, percent(clean), percent(mean), percent(kept), [percent(cell) for cell in cells]
    )


def _mean(scores: Sequence[float]) -> float:
    return math.fsum(scores) / len(scores) if not any(map(math.isnan, scores)) else math.nan


def _why_not(results: Results) -> str:
    """Return why there is no published table; all published rows are for one data set and protocol."""
    row = next(iter(published().values()))
    dataset = results.record.dataset
    here = (dataset["name"], dataset["split"])
    if here != (row.dataset, row.split):
        return (
            f"{len(published())} published models ({row.dataset}, {row.split}) are left out: scores on other "
            f"data do not compare, and this run is on {label(here[0])} ({label(here[1])})."
        )
    advice = (
        f"robseg report RUN --protocol {row.protocol} shows them."
        if row.conditions <= conditions_of(results.record)
        else f"evaluate with --protocol {row.protocol} to see them."
    )
    return f"{len(published())} published models are left out, because their conditions differ: {advice}"
