"""A run's result tables, computed from its counts: the counts are the one truth, the CSV files their copy."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pandas as pd

from reports.run.files import write_atomically
from reports.run.record import CLEAN, InvalidRun, RunRecord
from reports.scoring.protocols import CUSTOM, MOVES_PIXELS, PROTOCOLS, Protocol, conditions
from reports.scoring.reference import Reference, find_reference
from reports.scoring.replicates import Replicates, read_replicates
from reports.scoring.resampling import Bootstrap
from reports.tables import frames
from reports.tables.boundaries import Boundaries, boundaries

__all__ = [
    "NEAR",
    "TABLES",
    "Results",
    "Scoring",
    "csv_text",
    "load",
    "protocol_of",
    "under_protocol",
    "write_tables",
]

TABLES = ("scores", "classes", "summary", "corruptions", "groups", "severities")
NEAR = ("boundaries", "boundary_means")  # tables that are there only where boundaries were counted


@dataclasses.dataclass(frozen=True)
class Scoring:
    """How scores were made from counts: everything that changes them and is not the run's own.

    `source` says where the reference comes from. `unit` is what the bootstrap resamples, `units` how many.
    """

    protocol: str
    mean_over: str
    ratio: str
    reference: str
    source: str
    resamples: int
    confidence: float
    method: str
    unit: str
    units: int


@dataclasses.dataclass(frozen=True)
class Results:
    """The tables of a run, with the columns of its CSV files; scores are fractions.

    `scores` has a row per model and condition, `classes` per model, condition and class, `summary` per model;
    `corruptions`, `groups` and `severities` are means by these, per model. `boundaries` has a row per model,
    condition and width, `boundary_means` per model, mean and width, none where boundaries were not counted.
    """

    record: RunRecord
    scoring: Scoring
    scores: pd.DataFrame
    classes: pd.DataFrame
    summary: pd.DataFrame
    corruptions: pd.DataFrame
    groups: pd.DataFrame
    severities: pd.DataFrame
    boundaries: pd.DataFrame
    boundary_means: pd.DataFrame


def load(
    run: Path | str,
    *,
    protocol: str | None = None,
    reference: str | None = None,
    bootstrap: Bootstrap | None = None,
    partial: bool = False,
) -> Results:
    """Compute the tables of the run in folder `run`.

    Parameters
    ----------
    protocol
        Score under this protocol; the run must have its conditions. None: the run's own.
    reference
        A model of the run, RUN:MODEL, RUN, or a published row's name; where given, the summary has CD scores
        against it.
    bootstrap
        How intervals are made. None: 2000 resamples, 95 %, percentiles.
    partial
        Accept a run that lacks predictions: the column `images` then says how many each score rests on.

    Raises
    ------
    InvalidRun
        If the run is damaged, incomplete, or without that protocol or reference.
    """
    run = Path(run)
    record = RunRecord.load(run)
    if protocol is not None:
        record = under_protocol(record, protocol)
    scored = read_replicates(run, record, bootstrap or Bootstrap(), partial=partial)
    return results_of(
        scored,
        find_reference(reference, scored) if reference is not None else None,
        boundaries(run, scored, protocol_of(record), partial=partial),
    )


def results_of(scored: Replicates, reference: Reference | None, near: Boundaries) -> Results:
    """Return the tables of a scored run; `near` are those of its boundaries."""
    protocol = protocol_of(scored.record)
    scoring = Scoring(
        scored.record.protocol,
        protocol.mean_over,
        protocol.ratio,
        reference.name if reference else "",
        reference.source if reference else "",
        **dataclasses.asdict(scored.bootstrap),
        unit=scored.units.kind,
        units=scored.units.count,
    )
    return Results(
        scored.record,
        scoring,
        frames.scores(scored),
        frames.classes(scored),
        frames.summary(scored, protocol, reference),
        frames.corruptions(scored, reference),
        frames.groups(scored),
        frames.severities(scored),
        near.conditions,
        near.means,
    )


def protocol_of(record: RunRecord) -> Protocol:
    """Return a run's protocol, for how it averages; that of custom conditions if it has no named one."""
    return PROTOCOLS.get(record.protocol, CUSTOM)


def under_protocol(record: RunRecord, name: str) -> RunRecord:
    """Return a record with the conditions of a protocol, in the protocol's order.

    Raises
    ------
    InvalidRun
        If there is no such protocol, or the run lacks some of its conditions.
    """
    if name not in PROTOCOLS:
        raise InvalidRun(f"Expected a protocol ({', '.join(PROTOCOLS)}), but got '{name}'.")
    protocol = PROTOCOLS[name]
    moving = sorted(MOVES_PIXELS & set(protocol.corruptions))
    if moving and protocol.move_targets != record.move_targets:
        how = "move" if protocol.move_targets else "keep"
        raise InvalidRun(
            f"Expected targets that {'move' if protocol.move_targets else 'stay'} under {', '.join(moving)}, "
            f"as protocol '{name}' says, but this run's are otherwise: evaluate with --{how}-targets."
        )
    there = {(c.corruption, c.severity): c for c in record.conditions}
    lacking = [pair for pair in conditions(protocol) if pair not in there]
    if lacking:
        corruption, severity = lacking[0]
        raise InvalidRun(
            f"Expected the conditions of protocol '{name}', but {len(lacking)} are "
            f"not in this run, the first of them {corruption} at severity {severity}: "
            f"evaluate with --protocol {name}."
        )
    clean = tuple(c for c in record.conditions if c.corruption == CLEAN)
    chosen = (*clean, *(there[pair] for pair in conditions(protocol)))
    return dataclasses.replace(record, conditions=chosen, protocol=name)


def write_tables(
    run: Path | str,
    *,
    protocol: str | None = None,
    reference: str | None = None,
    bootstrap: Bootstrap | None = None,
    partial: bool = False,
) -> Results:
    """Write scores.csv, classes.csv, summary.csv and others into the run's folder and return their content.

    The same counts make the same bytes. A text that a spreadsheet would take for a formula (it starts with
    = + - @, a tab or a carriage return) gets an apostrophe in front. scoring.json says how the scores were
    made.
    """
    results = load(run, protocol=protocol, reference=reference, bootstrap=bootstrap, partial=partial)
    save_tables(results, Path(run))
    return results


def save_tables(results: Results, folder: Path) -> list[Path]:
    """Write every table as CSV, and scoring.json, into a folder; return their paths.

    Without boundaries there are no tables of them, not even from before.
    """
    texts = {f"{name}.csv": csv_text(getattr(results, name)) for name in TABLES}
    for name in NEAR:
        if results.boundaries.empty:
            (folder / f"{name}.csv").unlink(missing_ok=True)
        else:
            texts[f"{name}.csv"] = csv_text(getattr(results, name))
    texts["scoring.json"] = (
        json.dumps(dataclasses.asdict(results.scoring), indent=2, ensure_ascii=False) + "\n"
    )
    for name, text in texts.items():
        write_atomically(folder / name, text)
    return [folder / name for name in texts]


def csv_text(table: pd.DataFrame) -> str:
    """Return a table as CSV: shortest exact floats, empty where undefined, no text that acts as a formula."""
    texts = table.select_dtypes(exclude="number").columns
    harmless = table.assign(**{name: table[name].map(_harmless) for name in texts})
    return harmless.to_csv(index=False, lineterminator="\n")


def _harmless(text: object) -> object:
    return f"'{text}" if isinstance(text, str) and text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
