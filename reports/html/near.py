"""Scores near boundaries, where they were counted: clean, and the mean over corrupted conditions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from reports.html.models import ModelView
from reports.html.text import Score
from reports.results import Results
from reports.schema import CLEAN

__all__ = ["NearRow", "near_of"]

KINDS = ("trimap_miou", "boundary_iou")


class NearRow(NamedTuple):
    """A model's scores at one width in pixels: trimap mIoU and boundary IoU."""

    model: ModelView
    width: int
    trimap: Score
    trimap_corrupted: Score
    boundary: Score
    boundary_corrupted: Score


def near_of(results: Results, models: Sequence[ModelView]) -> list[NearRow]:
    """Return a row for each model and width."""
    rows = []
    table = results.boundaries
    for model in models:
        own = table[table["model"] == model.name]
        for width in dict.fromkeys(own["width"]):
            at_width = own[own["width"] == width]
            trimap, boundary = (_scores(at_width, kind) for kind in KINDS)
            rows.append(NearRow(model, int(width), *trimap, *boundary))
    return rows


def _scores(rows: pd.DataFrame, kind: str) -> tuple[Score, Score]:
    """Return the score of clean images, and the mean of the others (NaN where one is undefined)."""
    clean = rows[rows["corruption"] == CLEAN]
    before = (
        Score(*clean[[kind, f"{kind}_low", f"{kind}_high"]].iloc[0]) if len(clean) else Score(float("nan"))
    )
    return before, Score(float(rows[rows["corruption"] != CLEAN][kind].mean(skipna=False)))
