"""What a report says, as plain records for its templates."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from reports.html.models import ModelView, models_of, ranked
from reports.html.sections.classes import ClassRow, classes_of
from reports.html.sections.conditions import Grid, Matrix, grids_of, matrix_of
from reports.html.sections.curves import CurvePanels, curves_of
from reports.html.sections.plots import Scatter, accuracy_plot, cost_plots
from reports.html.sections.provenance import Origin, facts_of, origins_of
from reports.html.sections.published import Beside, beside_of
from reports.html.sections.summary import compared_with, verdict
from reports.html.sections.tallies import TallySection, sections_of
from reports.html.strength import SOURCE
from reports.html.text import Phrase, label, listing, plural
from reports.html.worst import WorstImages, worst_images
from reports.run.record import CLEAN
from reports.scoring.protocols import PROTOCOLS
from reports.tables.results import Results

__all__ = ["Content", "describe"]

LONGEST = 44  # characters of several models' names that a title has room for


class Content(NamedTuple):
    """The whole report but its pictures; `groups` are those of the corruptions."""

    title: str
    lead: str
    warnings: list[str]
    verdict: list[Phrase]
    compared: str
    note: str
    reference: str
    models: list[ModelView]
    ranked: list[ModelView]
    corrupted: int
    severities: list[int]
    groups: list[str]
    grids: list[Grid]
    matrix: Matrix
    curves: CurvePanels
    classes: list[ClassRow]
    tallies: list[TallySection]
    plots: list[Scatter]
    beside: Beside
    worst: WorstImages
    facts: list[tuple[str, str]]
    origins: list[Origin]
    strength: str
    intervals: str
    version: str


def describe(results: Results, run: Path, left_out: Sequence[str] = ()) -> Content:
    """Return what the report of a run's folder says; of several runs, `left_out` says what is not in it."""
    record = results.record
    corrupted = [c for c in record.conditions if c.corruption != CLEAN]
    severities = sorted({c.severity for c in corrupted})
    models = models_of(results)
    order = ranked(models)
    protocol = PROTOCOLS.get(record.protocol)
    accuracy = accuracy_plot(models)
    return Content(
        title=f"{_title(models)} on {label(record.dataset['name'])}",
        lead=_lead(results, len(corrupted)),
        warnings=_warnings(results, models, left_out),
        verdict=verdict(models, len(corrupted)),
        compared=compared_with(results) if corrupted else "",
        note=protocol.note if protocol else "",
        reference=label(results.scoring.reference) if results.scoring.reference else "",
        models=models,
        ranked=order,
        corrupted=len(corrupted),
        severities=severities,
        groups=list(dict.fromkeys(label(c.group) for c in corrupted)),
        grids=grids_of(results, order, severities),
        matrix=matrix_of(order),
        curves=curves_of(results, models, severities),
        classes=classes_of(results, models),
        tallies=sections_of(results, order),
        plots=([accuracy] if accuracy else []) + cost_plots(models),
        beside=beside_of(results, models),
        worst=worst_images(run, results, models),
        facts=facts_of(results, left_out),
        origins=origins_of(results),
        strength=SOURCE,
        intervals=f"{100 * results.scoring.confidence:g} % intervals" if results.scoring.units > 1 else "",
        version=label(record.versions.get("robseg", "")) if record.versions.get("robseg") else "",
    )


def _title(models: Sequence[ModelView]) -> str:
    names = listing(model.label for model in models)
    return names if len(models) == 1 or len(names) <= LONGEST else f"{len(models)} models"


def _lead(results: Results, corrupted: int) -> str:
    """Return in a line what was evaluated."""
    record = results.record
    images = f"{plural(len(record.images), 'image')} ({label(record.dataset['split'])})"
    if not corrupted:
        return f"{images}, clean only"
    names = {c.corruption for c in record.conditions if c.corruption != CLEAN}
    protocol = f" · protocol {record.protocol}" if record.protocol in PROTOCOLS else ""
    return (
        f"{images}, clean and under {plural(len(names), 'corruption')} "
        f"({plural(corrupted, 'condition')}){protocol}"
    )


def _warnings(results: Results, models: Sequence[ModelView], left_out: Sequence[str]) -> list[str]:
    """Return what nobody should overlook."""
    record = results.record
    asked = len(record.models) * len(record.conditions) * len(record.images)
    missing = asked - int(results.scores["images"].sum())
    found = []
    if missing:
        found.append(
            f"Incomplete: {missing:,} predictions are missing: scores rest on fewer images or are left blank."
        )
    if left_out:
        found.append(f"Left out: {plural(len(left_out), 'run or model')}, see Provenance.")
    trained = [model for model in models if model.seen]
    if len(trained) == 1:
        seen = listing(trained[0].seen)
        found.append(f"{trained[0].label} was trained with {seen}, which flatters its scores there.")
    elif trained:
        found.append(
            f"{len(trained)} models were trained with some of these corruptions, which flatters their scores "
            "there: see Provenance."
        )
    return found
