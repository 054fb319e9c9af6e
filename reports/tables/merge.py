"""Several runs in one set of tables, if their models saw the same pixels and share a protocol."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from reports.run.identity import differences
from reports.run.record import ModelRecord, RunRecord
from reports.sanity.table import joined
from reports.scoring.jackknife import CONFIDENCE
from reports.scoring.reference import Reference, find_reference
from reports.scoring.replicates import Replicates
from reports.tables.results import TABLES, Results, results_of, score, under_protocol
from reports.tables.tallies import TallyTables

__all__ = ["Merged", "load_runs"]


class Merged(NamedTuple):
    """The tables of several runs, and sentences about what was left out of them."""

    results: Results
    left_out: tuple[str, ...]


def load_runs(
    runs: Sequence[Path | str],
    *,
    protocol: str | None = None,
    reference: str | None = None,
    confidence: float = CONFIDENCE,
    partial: bool = False,
) -> Merged:
    """Compute the tables of runs that share data, pixels and protocol with the first of them.

    Runs that differ in these are left out, and so are models whose name an earlier run has. `reference` may
    be a model of any of the runs; the other parameters are those of `reports.load`.

    Raises
    ------
    InvalidRun
        If a run is damaged or incomplete, or there is no such protocol or reference.
    """
    first, *others = [_asked(Path(run), protocol) for run in runs]
    kept, left_out = [first], []
    names = {model.name for model in first[1].models}
    for folder, record in others:
        unlike = differences(first[1], record)
        if unlike:
            left_out.append(f"{folder}: it differs in {'; '.join(map(str, unlike))}")
            continue
        known = [model.name for model in record.models if model.name in names]
        left_out += [f"{folder}: its model {name} is in an earlier run" for name in known]
        new = tuple(model for model in record.models if model.name not in names)
        if new:
            # The order of images and conditions is the first run's, so that the resamples are the same.
            kept.append((folder, _aligned(record, first[1], new)))
            names |= {model.name for model in new}
    scored = [score(folder, record, confidence, partial=partial) for folder, record in kept]
    found = _reference(reference, [one[0] for one in scored]) if reference is not None else None
    parts = [results_of(folder, one, found) for one, (folder, _) in zip(scored, kept, strict=True)]
    return Merged(_joined(parts), tuple(left_out))


def _asked(run: Path, protocol: str | None) -> tuple[Path, RunRecord]:
    record = RunRecord.load(run)
    return run, record if protocol is None else under_protocol(record, protocol)


def _aligned(record: RunRecord, first: RunRecord, models: tuple[ModelRecord, ...]) -> RunRecord:
    return dataclasses.replace(
        record, models=models, images=first.images, clusters=first.clusters, conditions=first.conditions
    )


def _reference(text: str, scored: Sequence[Replicates]) -> Reference:
    """Return the reference, which may be a model of any of the runs."""
    for one in scored:
        if text in [model.name for model in one.record.models]:
            return find_reference(text, one)
    return find_reference(text, scored[0])


def _joined(parts: Sequence[Results]) -> Results:
    """Concatenate the tables of all parts, with one record for all models.

    Times and examples belong to a single run, so they are dropped if there are several.
    """
    if len(parts) == 1:
        return parts[0]
    first = parts[0].record
    record = dataclasses.replace(
        first,
        command="; ".join(part.record.command for part in parts),
        models=tuple(model for part in parts for model in part.record.models),
        device=", ".join(dict.fromkeys(part.record.device for part in parts)),
        seconds={},
        examples=(),
    )
    tables = {name: pd.concat([getattr(part, name) for part in parts], ignore_index=True) for name in TABLES}
    return dataclasses.replace(
        parts[0],
        record=record,
        checked=joined([part.checked for part in parts]),
        tallies=_joined_tallies(parts),
        **tables,
    )


def _joined_tallies(parts: Sequence[Results]) -> tuple[TallyTables, ...]:
    """Concatenate the tables of each tally over the parts that have it."""
    by_name: dict[str, list[TallyTables]] = {}
    for tables in (tables for part in parts for tables in part.tallies):
        by_name.setdefault(tables.tally.name, []).append(tables)
    return tuple(
        TallyTables(
            same[0].tally,
            *(
                pd.concat(frames, ignore_index=True)
                for frames in zip(*(one[1:] for one in same), strict=True)
            ),
        )
        for same in by_name.values()
    )
