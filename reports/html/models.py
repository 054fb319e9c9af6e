"""The models of a report: their scores, their weak points, and how each is drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import pandas as pd

from reports.formats.colours import COLOURS
from reports.formats.text import seen_in_training
from reports.html.text import Score, distinct, label, score_of, words
from reports.tables.results import Results

__all__ = ["FEW", "Bar", "ModelView", "models_of", "ranked", "rows_by_model"]

FEW = 6  # models that are drawn before the reader chooses: as many as there are colours
WORST = 5
DASHES = ("", "6 3", "2 3", "8 3 2 3", "12 3")  # patterns of lines whose colours repeat


class Bar(NamedTuple):
    """A group or a corruption, its mIoU, and the group of the corruption."""

    name: str
    score: Score
    group: str


class ModelView(NamedTuple):
    """One model.

    `place` is its index in the run; `plotted` says whether it is drawn before the reader chooses. `seen`
    lists the corruptions of the run that it was trained with. `parameters`, `gmacs` and `ms_per_image` are
    NaN if unknown.
    """

    place: int
    name: str
    label: str
    colour: str
    dashes: str
    plotted: bool
    clean: Score
    mpc: Score
    rpc: Score
    mcd: Score
    mrcd: Score
    groups: list[Bar]
    corruptions: list[Bar]
    seen: list[str]
    parameters: float
    gmacs: float
    ms_per_image: float

    @property
    def weakest_group(self) -> Bar | None:
        """The group with the lowest mIoU."""
        return _lowest(self.groups)

    @property
    def worst(self) -> list[Bar]:
        """The corruptions with the lowest mIoU, lowest first."""
        defined = [bar for bar in self.corruptions if bar.score.defined]
        return sorted(defined, key=lambda bar: bar.score.value)[:WORST]

    @property
    def full(self) -> float:
        """The mIoU of a full bar: the clean mIoU, or a higher value that a bar or its interval reaches."""
        ends = [self.clean.value]
        for bar in (*self.groups, *self.corruptions):
            ends += [bar.score.value, bar.score.high]
        return max((end for end in ends if end > 0), default=1.0)


def models_of(results: Results) -> list[ModelView]:
    """Return the models of a run in its order; if there are many, the first of `ranked` are plotted."""
    record = results.record
    groups, corruptions = rows_by_model(results.groups), rows_by_model(results.corruptions)
    summary = results.summary.to_dict("records")
    labels = distinct(model.name for model in record.models)
    models = [
        ModelView(
            place=place,
            name=model.name,
            label=labels[place],
            colour="",
            dashes="",
            plotted=False,
            clean=score_of(row, "clean_miou"),
            mpc=score_of(row, "mpc"),
            rpc=score_of(row, "rpc"),
            mcd=score_of(row, "mcd"),
            mrcd=score_of(row, "mrcd"),
            groups=[Bar(label(r["group"]), score_of(r, "miou"), "") for r in groups.get(model.name, [])],
            corruptions=[
                Bar(words(r["corruption"]), score_of(r, "miou"), label(r["group"]))
                for r in corruptions.get(model.name, [])
            ],
            seen=list(map(words, seen_in_training(model, record))),
            parameters=float(row["parameters"]),
            gmacs=float(row["gmacs"]),
            ms_per_image=float(row["ms_per_image"]),
        )
        for place, (model, row) in enumerate(zip(record.models, summary, strict=True))
    ]
    return _drawn(models)


def _drawn(models: Sequence[ModelView]) -> list[ModelView]:
    """Return models with colours and dashes: in order if they are few, else the best differ most."""
    order = ranked(models) if len(models) > FEW else models
    looks = {model.place: look for look, model in enumerate(order)}
    return [
        model._replace(
            colour=colour_of(looks[model.place]),
            dashes=dashes_of(looks[model.place]),
            plotted=looks[model.place] < FEW,
        )
        for model in models
    ]


def ranked(models: Sequence[ModelView]) -> list[ModelView]:
    """Return the models with the highest mPC first; models without mPC follow, by clean mIoU."""

    def rank(model: ModelView) -> tuple[float, float]:
        mpc, clean = model.mpc, model.clean
        return (-mpc.value if mpc.defined else math.inf, -clean.value if clean.defined else math.inf)

    return sorted(models, key=rank)


def rows_by_model(table: pd.DataFrame) -> dict[str, list[dict[Any, Any]]]:
    """Return the rows of a table of `Results` by model, in the order of the table."""
    rows: dict[str, list[dict[Any, Any]]] = {}
    for row in table.to_dict("records"):
        rows.setdefault(str(row["model"]), []).append(row)
    return rows


def colour_of(look: int) -> str:
    """Return the colour of number `look`."""
    return COLOURS[look % len(COLOURS)]


def dashes_of(look: int) -> str:
    """Return the dashes of number `look`; together with the colours, the first 30 models differ."""
    return DASHES[look // len(COLOURS) % len(DASHES)]


def _lowest(bars: Sequence[Bar]) -> Bar | None:
    defined = [bar for bar in bars if bar.score.defined]
    return min(defined, key=lambda bar: bar.score.value) if defined else None
