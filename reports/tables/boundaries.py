"""The scores near class boundaries, from counts of their regions, as data frames."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from reports.run.record import BOUNDARY, TRIMAP, region_name
from reports.scoring.measures import measures
from reports.scoring.protocols import Protocol
from reports.scoring.replicates import Replicates, read_replicates
from reports.scoring.resampling import interval
from reports.tables.frames import clean_first, ends, with_interval

__all__ = ["SCORES", "Boundaries", "boundaries"]

# Both are the mean IoU over classes, of other counts.
SCORES = {"trimap_miou": TRIMAP, "boundary_iou": BOUNDARY}
COLUMNS = ["model", "dataset", "corruption", "severity", "width", *ends(*SCORES)]
MEAN_COLUMNS = ["model", "dataset", "kind", "name", "width", *ends(*SCORES)]
MEANS = ("overall", "group", "corruption")

Row = dict[str, Any]


class Boundaries(NamedTuple):
    """The tables of boundaries.csv, a row per condition, and of boundary_means.csv; empty where none are.

    `means` has the kinds and names of `reports.scoring.measures`: clean, mPC, rPC of either score, then its
    means over the conditions of each group and of each corruption.
    """

    conditions: pd.DataFrame
    means: pd.DataFrame


def boundaries(run: Path, scored: Replicates, protocol: Protocol, *, partial: bool = False) -> Boundaries:
    """Return the scores near the boundaries of a run by model, condition or mean, and width.

    Trimap mIoU (Kohli et al. 2009): mIoU over the pixels within `width` of a boundary of the target. Boundary
    IoU (Cheng et al. 2021): the mean over classes of the IoU of their inner bands in target and prediction.

    Raises
    ------
    InvalidRun
        If counts near boundaries are damaged or, unless `partial`, missing.
    """
    record = scored.record
    conditions: dict[tuple[int, int, int], Row] = {}
    means: dict[tuple[int, int, int], Row] = {}
    for w, width in enumerate(record.boundaries):
        for score, kind in SCORES.items():
            region = region_name(kind, width)
            near = read_replicates(run, record, scored.bootstrap, partial=partial, region=region)
            for m, model in enumerate(record.models):
                facts = {"model": model.name, "dataset": record.dataset["name"], "width": width}
                for place, row in enumerate(_by_condition(near, m, score)):
                    conditions.setdefault((m, place, w), {}).update(facts | row)
                for place, row in enumerate(_means(near, m, score, protocol)):
                    means.setdefault((m, place, w), {}).update(facts | row)
    return Boundaries(_table(conditions, COLUMNS), _table(means, MEAN_COLUMNS))


def _by_condition(near: Replicates, model: int, score: str) -> list[Row]:
    """Return a model's score under each condition, in the order of scores.csv."""
    units = np.minimum(near.totals.images[model], near.units.count)
    low, high = interval(near.miou[model], units, near.bootstrap)
    return [
        {
            "corruption": condition.corruption,
            "severity": condition.severity,
            score: near.miou[model, k, 0],
            f"{score}_low": low[k],
            f"{score}_high": high[k],
        }
        for k, condition in clean_first(near.record.conditions)
    ]


def _means(near: Replicates, model: int, score: str, protocol: Protocol) -> list[Row]:
    return [
        {"kind": measure.kind, "name": measure.name, **with_interval(near, model, score, values)}
        for measure, values in measures(near, model, protocol).items()
        if measure.kind in MEANS
    ]


def _table(rows: dict[tuple[int, int, int], Row], columns: list[str]) -> pd.DataFrame:
    return pd.DataFrame([rows[place] for place in sorted(rows)], columns=columns)
