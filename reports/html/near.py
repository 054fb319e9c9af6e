"""Scores near boundaries, where they were counted: clean, and the mean over corrupted conditions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from reports.html.models import ModelView
from reports.html.text import Score
from reports.tables.results import Results

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
    means = results.boundary_means
    overall = means[means["kind"] == "overall"].set_index(["model", "width", "name"])
    return [
        NearRow(
            model,
            width,
            *(
                _score(overall, (model.name, width, mean), kind)
                for kind in KINDS
                for mean in ("clean", "mpc")
            ),
        )
        for model in models
        for width in results.record.boundaries
    ]


def _score(table: pd.DataFrame, place: tuple[str, int, str], kind: str) -> Score:
    """Return a score, NaN where there is none: mPC without corruptions."""
    if place not in table.index:
        return Score(float("nan"))
    return Score(*table.loc[place, [kind, f"{kind}_low", f"{kind}_high"]])
