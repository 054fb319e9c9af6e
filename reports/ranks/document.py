"""The rank correlations of two runs as a document for people, and as CSV and JSON for programs."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable, Iterator

import pandas as pd

from reports.formats.documents import Document, Table
from reports.formats.text import p_text, percent
from reports.ranks.ranks import OVERALL, Ranks, Side
from reports.ranks.spearman import EXACT, FEWEST
from reports.run.tally import Unit
from reports.tables.results import csv_text, json_rows

__all__ = ["ranks_csv", "ranks_document", "ranks_json"]

RHO = Unit(decimals=2)
SIDES = {"A": "first", "B": "second"}
LABELS = {"clean": "clean mIoU", "mpc": "mPC", "rpc": "rPC"}
MEANS = {
    "models": "ranks of models, mean over corruptions",
    "corruptions": "ranks of corruptions, mean over models",
    "conditions": "ranks of conditions, mean over models",
}
TITLES = {
    "mean": "Rank correlations",
    "models": "Ranks of models, by each overall score and by mIoU under each corruption",
    "corruptions": "Ranks of corruptions, by mean mIoU over severities, for each model",
    "conditions": "Ranks of conditions (a corruption at a severity), by mIoU, for each model",
}


def ranks_document(ranks: Ranks) -> Document:
    """Return the rank correlations of two runs, and the scores that were ranked, with their ranks."""
    correlations = {kind: _correlations(ranks.table, kind) for kind in TITLES}
    tables = [
        correlations["mean"],
        _models(ranks.models),
        _corruptions(ranks.corruptions),
        *(correlations[kind] for kind in ("models", "corruptions", "conditions")),
    ]
    return Document(
        "Do two runs rank alike?",
        tuple(f"the runs differ in {reason}." for reason in ranks.unlike),
        tuple(_lines(ranks)),
        tuple(table for table in tables if table.rows),
    )


def ranks_csv(ranks: Ranks) -> str:
    """Return the rank correlations as CSV."""
    return csv_text(ranks.table.assign(first=ranks.first.run, second=ranks.second.run))


def ranks_json(ranks: Ranks) -> str:
    """Return the ranks of two runs and their correlations as JSON; undefined values are null."""
    fields = dataclasses.asdict(ranks) | {
        "pairs": [pair._asdict() for pair in ranks.pairs],
        **{name: json_rows(getattr(ranks, name)) for name in ("table", "models", "corruptions")},
    }
    return json.dumps(fields, indent=2, ensure_ascii=False) + "\n"


def _lines(ranks: Ranks) -> Iterator[str]:
    """Yield sentences on what was ranked and how certain the correlations are."""
    models, level = len(ranks.pairs), f"{100 * ranks.confidence:g} %"
    yield f"A: {_side(ranks.first)}"
    yield f"B: {_side(ranks.second)}"
    yield (
        f"Protocol {ranks.protocol or 'custom'}, {len(ranks.corruptions)} corruptions. Models in A and B: "
        + "; ".join(f"{pair.first} and {pair.second}" for pair in ranks.pairs)
        + "."
    )
    yield (
        "Spearman's rho is 1 if both runs rank alike and -1 if one ranks in the reverse order of the other. "
        f"Its {level} interval, from {ranks.resamples} resamples of each run's images, covers the "
        "choice of images. With few images, rho is biased towards zero, and its interval even more: the low "
        "end is safe, but the high end may be below rho. p covers the number of items: it is the share of "
        "their orders that agree at least as well."
    )
    if models < FEWEST:
        yield f"Models are not ranked: this takes at least {FEWEST} of them, but there are {models}."
    elif models <= EXACT:
        yield f"{models} models in the same order have p = {p_text(1 / math.factorial(models))}."
    if ranks.left_out:
        yield f"Left out, because the other run has no counterpart: {'; '.join(ranks.left_out)}."


def _side(side: Side) -> str:
    clusters = f" in {side.units} clusters" if side.unit == "cluster" else ""
    return f"{side.run}, {side.images} images of {side.dataset}{clusters}"


def _correlations(table: pd.DataFrame, kind: str) -> Table:
    labels = MEANS if kind == "mean" else LABELS
    return Table(
        TITLES[kind],
        ("", "items", "rho", "interval", "p"),
        tuple(
            (
                labels.get(row["name"], row["name"]),
                str(row["items"]),
                RHO.text(row["rho"]),
                f"{RHO.text(row['low'])} .. {RHO.text(row['high'])}",
                p_text(row["p"]),
            )
            for row in table[table["kind"] == kind].to_dict("records")
        ),
    )


def _models(models: pd.DataFrame) -> Table:
    columns = {
        f"{LABELS[name]} {letter}": _ranked(models[f"{name}_{side}"])
        for name in OVERALL
        for letter, side in SIDES.items()
    }
    return _numbers("Models: scores in % (ranks)", models["model"], columns)


def _corruptions(corruptions: pd.DataFrame) -> Table:
    rows = corruptions.sort_values("first", ascending=False, kind="stable")
    columns = {letter: _ranked(rows[side]) for letter, side in SIDES.items()}
    title = "Corruptions: share of the clean mIoU that is kept, mean over models, in % (ranks)"
    return _numbers(title, rows["corruption"], columns)


def _numbers(title: str, names: Iterable[str], columns: dict[str, list[str]]) -> Table:
    return Table(title, ("", *columns), tuple(zip(names, *columns.values(), strict=True)))


def _ranked(values: pd.Series[float]) -> list[str]:
    """Return fractions as percentages with ranks, 1 for the highest; ties share their mean rank."""
    ranks = values.rank(ascending=False)
    return [
        percent(value) if math.isnan(rank) else f"{percent(value)} ({rank:g})"
        for value, rank in zip(values, ranks, strict=True)
    ]
