"""What a report says, as plain records for its template. Scores are fractions; NaN is undefined."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import pandas as pd

from reports.frames import by_corruption, by_group
from reports.plots import Series, series
from reports.protocols import PROTOCOLS
from reports.results import Results
from reports.schema import CLEAN

__all__ = ["Content", "describe"]

WORST = 5


class Bar(NamedTuple):
    """One line of a bar list; `kept` is the score over the clean score, 0 where undefined."""

    name: str
    miou: float
    kept: float


class Cell(NamedTuple):
    """One cell of the heat map; `loss` is the share of the clean mIoU that is lost, 0..1."""

    miou: float
    loss: float


class GridRow(NamedTuple):
    """One corruption: its mean and a cell per severity, None where the run has no such condition."""

    corruption: str
    mean: Cell
    cells: list[Cell | None]


class GridGroup(NamedTuple):
    """The corruptions of one group."""

    group: str
    rows: list[GridRow]


class ModelView(NamedTuple):
    """One model: its row of summary.csv, how it is drawn, where it breaks."""

    name: str
    summary: dict[str, Any]
    drawn: Series
    groups: list[Bar]
    worst: list[Bar]
    grid: list[GridGroup]


class ClassRow(NamedTuple):
    """One class: its colour as CSS, and per model the clean IoU and its mean over corrupted conditions."""

    name: str
    colour: str
    ious: list[tuple[float, float]]


class Panel(NamedTuple):
    """One degradation curve: the corruption, and in words where the lines run."""

    corruption: str
    text: str


class Content(NamedTuple):
    """The whole report but its pictures."""

    title: str
    protocol: str
    note: str
    reference: str
    models: list[ModelView]
    severities: list[int]
    panels: list[tuple[str, list[Panel]]]
    classes: list[ClassRow]
    corrupted: int
    missing: int
    facts: list[tuple[str, str]]


def describe(results: Results) -> Content:
    """Return what the report of a run says."""
    record = results.record
    corrupted = [c for c in record.conditions if c.corruption != CLEAN]
    protocol = PROTOCOLS.get(record.protocol)
    predictions = len(record.models) * len(record.conditions) * len(record.images)
    return Content(
        title=f"{_listing(model.name for model in record.models)} on {record.dataset['name']}",
        protocol=protocol.title if protocol else record.protocol,
        note=protocol.note if protocol else "",
        reference=str(results.summary["reference"].iloc[0]),
        models=[_model(results, place) for place in range(len(record.models))],
        severities=sorted({c.severity for c in corrupted}),
        panels=_panels(results),
        classes=_classes(results),
        corrupted=len(corrupted),
        missing=predictions - int(results.scores["images"].sum()),
        facts=_facts(results),
    )


def _listing(names: Iterable[str]) -> str:
    *most, last = names
    if len(most) > 2:
        return f"{len(most) + 1} models"
    return f"{', '.join(most)} and {last}" if most else last


def _model(results: Results, place: int) -> ModelView:
    name = results.record.models[place].name
    summary = {str(key): value for key, value in results.summary.iloc[place].items()}
    scores = results.scores[results.scores["model"] == name]
    clean = summary["clean_miou"]
    worst = by_corruption(scores).sort_values("miou", kind="stable").head(WORST)
    return ModelView(
        name=name,
        summary=summary,
        drawn=series(place),
        groups=_bars(by_group(scores), "group", clean),
        worst=_bars(worst, "corruption", clean),
        grid=_grid(scores, clean),
    )


def _bars(means: pd.DataFrame, column: str, clean: float) -> list[Bar]:
    return [
        Bar(str(name), miou, 1 - _loss(miou, clean))
        for name, miou in zip(means[column], means["miou"], strict=True)
    ]


def _grid(scores: pd.DataFrame, clean: float) -> list[GridGroup]:
    corrupted = scores[scores["corruption"] != CLEAN]
    severities = sorted(set(corrupted["severity"]))
    means = by_corruption(scores)
    by_condition = {
        (corruption, severity): miou
        for corruption, severity, miou in zip(
            corrupted["corruption"], corrupted["severity"], corrupted["miou"], strict=True
        )
    }
    groups = []
    for group, rows in means.groupby("group", sort=False):
        lines = []
        for corruption, mean in zip(rows["corruption"], rows["miou"], strict=True):
            found = [by_condition.get((corruption, severity)) for severity in severities]
            cells = [None if miou is None else Cell(miou, _loss(miou, clean)) for miou in found]
            lines.append(GridRow(corruption, Cell(mean, _loss(mean, clean)), cells))
        groups.append(GridGroup(str(group), lines))
    return groups


def _loss(miou: float, clean: float) -> float:
    """Return the share of the clean score that is lost, clipped to 0..1; 0 where undefined."""
    if not clean > 0 or math.isnan(miou):
        return 0.0
    return min(1.0, max(0.0, 1 - miou / clean))


def _panels(results: Results) -> list[tuple[str, list[Panel]]]:
    """Return the panels by group, each with a sentence for those who cannot see it."""
    scores = results.scores[results.scores["corruption"] != CLEAN]
    panels: dict[str, list[Panel]] = {}
    for (group, corruption), rows in scores.groupby(["group", "corruption"], sort=False):
        lines = (
            f"{model}: " + ", ".join(f"{100 * miou:.1f}" for miou in curve["miou"])
            for model, curve in rows.groupby("model", sort=False)
        )
        severities = ", ".join(str(s) for s in dict.fromkeys(rows["severity"]))
        text = f"mIoU in % under {corruption} at severities {severities}. {'; '.join(lines)}."
        panels.setdefault(str(group), []).append(Panel(str(corruption), text))
    return list(panels.items())


def _classes(results: Results) -> list[ClassRow]:
    table = results.classes.assign(clean=results.classes["corruption"] == CLEAN)
    # A class that occurs nowhere has no IoU; mean() leaves it NaN.
    means = table.groupby(["model", "class", "clean"], sort=False)["iou"].mean().to_dict()
    nan = float("nan")
    rows = []
    for name, colour in zip(
        results.record.dataset["class_names"], results.record.dataset["palette"], strict=True
    ):
        ious = [
            (means.get((model.name, name, True), nan), means.get((model.name, name, False), nan))
            for model in results.record.models
        ]
        rows.append(ClassRow(name, "#{:02x}{:02x}{:02x}".format(*colour), ious))
    return rows


def _refinement(facts: dict[str, Any] | None) -> str:
    """Return by what labels were refined, "" where they were not."""
    if facts is None:
        return ""
    return (
        f"{facts['method']} by {facts['by']}, scale {facts['scale']}; offsets {facts['offsets']}; "
        f"SHA-256 {facts['sha256']}"
    )


def _facts(results: Results) -> list[tuple[str, str]]:
    """Return what one must know to repeat the run, as (name, value)."""
    record = results.record
    dataset = record.dataset
    weights = [(f"Weights of {model.name}", f"SHA-256 {model.sha256}") for model in record.models]
    facts = [
        ("Command", record.command),
        ("Created", record.created),
        ("Data set", f"{dataset['name']}, {dataset['split']}, {len(record.images)} images"),
        ("Data fingerprint", str(dataset["fingerprint"])),
        ("Citation", str(dataset["citation"])),
        *weights,
        ("Protocol", record.protocol),
        ("Refinement", _refinement(record.refinement)),
        ("Seed", str(record.seed)),
        ("Corruption set", record.set_version),
        ("Targets", "move with the pixels" if record.move_targets else "stay where they are"),
        ("Device", f"{record.device}, {record.precision}, batches of {record.batch_size}"),
        ("Versions", ", ".join(f"{name} {version}" for name, version in record.versions.items())),
        ("Seconds", ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in record.seconds.items())),
    ]
    return [(name, value) for name, value in facts if value]
