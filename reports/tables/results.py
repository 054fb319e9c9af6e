"""A run's result tables, always computed from its counts; the CSV files are copies that nothing reads."""

from __future__ import annotations

import dataclasses
import hashlib
import html
import json
import logging
from collections.abc import Hashable, Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from reports import tallies
from reports.run.errors import InvalidRun, unknown_name
from reports.run.files import write_atomically
from reports.run.folder import OutFolder
from reports.run.record import CLEAN, RunRecord
from reports.sanity.rules import RunWarning, check
from reports.sanity.table import ScoreTable, table_of_run
from reports.scoring.jackknife import CONFIDENCE
from reports.scoring.protocols import CUSTOM, MOVES_PIXELS, PROTOCOLS, Protocol, conditions
from reports.scoring.reference import Reference, find_reference
from reports.scoring.replicates import Replicates, read_replicates
from reports.tables import frames
from reports.tables.tallies import TallyTables, csv_tables, tally_tables

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "TABLES",
    "Results",
    "Scoring",
    "claim",
    "csv_text",
    "json_rows",
    "load",
    "protocol_of",
    "results_of",
    "save_tables",
    "score",
    "table_files",
    "under_protocol",
    "write_tables",
]

notes = logging.getLogger("reports")

MODELS_SHOWN = 6  # with title and notes, a repr has ten lines
OVERALL = ("clean_miou", "mpc", "rpc", "mcd", "mrcd")
FURTHER = "Tables: .summary .scores .classes .corruptions .groups .severities, figures: .plot()"

TABLES = ("scores", "classes", "summary", "corruptions", "groups", "severities")


@dataclasses.dataclass(frozen=True)
class Scoring:
    """How scores were computed from counts: every setting that changes them and is not part of the run.

    `source` says where the reference comes from. The intervals are the jackknife's over `units`
    images, clusters or groups of these, as `unit` says.
    """

    protocol: str
    mean_over: str
    ratio: str
    reference: str
    source: str
    confidence: float
    unit: str
    units: int


@dataclasses.dataclass(frozen=True)
class Results:
    """The tables of a run in folder `run`, with the columns of its CSV files; scores are fractions.

    `scores` has a row per model and condition, `classes` a row per model, condition and class, `summary` a
    row per model. `corruptions`, `groups` and `severities` have means over a corruption, a group or a
    severity, for each model. `tallies` has the tables of each further tally: `conditions`, `means` and
    `classes`. `checked` is what `warnings` are found in.
    """

    run: Path
    record: RunRecord
    scoring: Scoring
    scores: pd.DataFrame
    classes: pd.DataFrame
    summary: pd.DataFrame
    corruptions: pd.DataFrame
    groups: pd.DataFrame
    severities: pd.DataFrame
    checked: ScoreTable
    tallies: tuple[TallyTables, ...] = ()

    @property
    def warnings(self) -> tuple[RunWarning, ...]:
        """Results that look like a fault of the evaluation (docs/sanity.md), each with a sentence on it."""
        return check(self.checked)

    def __repr__(self) -> str:
        table = self._shown().to_string(index=False, float_format="{:.1f}".format, na_rep="–")
        left = len(self.summary) - MODELS_SHOWN
        return "\n".join([self._title(), table, *([f"and {left} more models"] if left > 0 else []), FURTHER])

    def _repr_html_(self) -> str:
        """Return the scores of all models as a table, which notebooks show."""
        table = self._shown(len(self.summary)).to_html(
            index=False, float_format="{:.1f}".format, na_rep="–", border=0
        )
        return f"<p>{html.escape(self._title())}</p>{table}<p>{FURTHER}</p>"

    def plot(self, kind: str = "curves") -> Figure:
        """Return a figure, which notebooks show: `curves`, `heat_map` or `clean_against_corrupted`.

        Raises
        ------
        InputError
            If there is no such kind.
        """
        import matplotlib.pyplot  # noqa: F401 - it has notebooks show figures
        from matplotlib import rc_context

        figures = import_module("reports.formats.figures")  # by name, because formats are built on tables
        if kind not in figures.FIGURES:
            raise unknown_name("kind of figure", kind, figures.FIGURES)
        with rc_context(figures.STYLE):
            figure: Figure = figures.FIGURES[kind](self)
        return figure

    def _title(self) -> str:
        data = self.record.dataset["name"]
        return f"Results of {self.run}: {len(self.record.images)} images of {data}, scores in %"

    def _shown(self, models: int = MODELS_SHOWN) -> pd.DataFrame:
        """Return the overall scores of the first models in percent, without those that no model has."""
        table = self.summary[["model", *OVERALL]].head(models).dropna(axis="columns", how="all")
        return table.assign(**{name: 100 * table[name].astype(float) for name in table.columns[1:]})


def load(
    run: Path | str,
    *,
    protocol: str | None = None,
    reference: str | None = None,
    confidence: float = CONFIDENCE,
    partial: bool = False,
) -> Results:
    """Compute the tables of the run in folder `run`.

    Parameters
    ----------
    protocol
        Protocol to score under, by default the run's own. The run must have its conditions.
    reference
        A model of the run, RUN:MODEL, RUN, or the name of a published row. The tables then have CD and rCD
        against it.
    confidence
        Confidence level of the intervals.
    partial
        Accept a run that lacks predictions. The column `images` says how many images each score is based on.

    Raises
    ------
    InvalidRun
        If the run is damaged or incomplete, or has no such protocol or reference.
    """
    run = Path(run)
    record = RunRecord.load(run)
    if protocol is not None:
        record = under_protocol(record, protocol)
    scored = score(run, record, confidence, partial=partial)
    return results_of(run, scored, find_reference(reference, scored[0]) if reference is not None else None)


def score(
    run: Path,
    record: RunRecord,
    confidence: float = CONFIDENCE,
    *,
    partial: bool = False,
    classes: bool = False,
) -> list[Replicates]:
    """Return the scores of a run by each of its tallies, the primary one first."""
    return [
        read_replicates(run, record, tallies.find(name), confidence, partial=partial, classes=classes)
        for name in record.tallies
    ]


def results_of(run: Path, scored: Sequence[Replicates], reference: Reference | None) -> Results:
    """Return the tables of the run in a folder from its scores by each tally, the primary one first."""
    first, *further = scored
    protocol = protocol_of(first.record)
    scoring = Scoring(
        first.record.protocol,
        protocol.mean_over,
        protocol.ratio,
        reference.name if reference else "",
        reference.source if reference else "",
        first.confidence,
        unit=first.units.kind,
        units=first.units.count,
    )
    return Results(
        run,
        first.record,
        scoring,
        frames.scores(first),
        frames.classes(first),
        frames.summary(first, protocol, reference),
        frames.corruptions(first, reference),
        frames.groups(first),
        frames.severities(first),
        table_of_run(run, first.record, first.tally),
        tuple(tally_tables(one, protocol) for one in further),
    )


def protocol_of(record: RunRecord) -> Protocol:
    """Return the protocol that says how a run's scores are averaged; CUSTOM if it has no named one."""
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
            f"as protocol '{name}' says, but in this run they {'stay' if protocol.move_targets else 'move'}: "
            f"evaluate with --{how}-targets."
        )
    known = {(c.corruption, c.severity): c for c in record.conditions}
    lacking = [pair for pair in conditions(protocol) if pair not in known]
    if lacking:
        corruption, severity = lacking[0]
        raise InvalidRun(
            f"Expected the conditions of protocol '{name}', but this run lacks {len(lacking)} of them, for "
            f"example {corruption} at severity {severity}: evaluate with --protocol {name}."
        )
    clean = tuple(c for c in record.conditions if c.corruption == CLEAN)
    chosen = (*clean, *(known[pair] for pair in conditions(protocol)))
    return dataclasses.replace(record, conditions=chosen, protocol=name)


def write_tables(
    run: Path | str,
    *,
    protocol: str | None = None,
    reference: str | None = None,
    confidence: float = CONFIDENCE,
    partial: bool = False,
) -> Results:
    """Write the tables of a run (scores.csv, summary.csv and others) into its folder and return them.

    The same counts give the same bytes. A text that a spreadsheet would take for a formula (it starts with
    = + - @, a tab or a carriage return) is written with an apostrophe in front. scoring.json says how the
    scores were computed. The parameters are those of `load`.
    """
    results = load(run, protocol=protocol, reference=reference, confidence=confidence, partial=partial)
    save_tables(results, Path(run))
    return results


def save_tables(results: Results, folder: Path, beside: Iterable[str] = ()) -> list[Path]:
    """Write every table as CSV, and scoring.json, into a folder; return their paths.

    `beside` names the other files that the caller writes there from the same results (see `claim`).
    """
    texts = {f"{name}.csv": csv_text(table) for name, table in _tables(results).items()}
    claim(results, OutFolder(folder), (*texts, *beside))
    for name, text in texts.items():
        write_atomically(folder / name, text)
    return [folder / name for name in (*texts, "scoring.json")]


def table_files(results: Results) -> list[str]:
    """Return the names of the files that `save_tables` writes, without scoring.json."""
    return [f"{name}.csv" for name in _tables(results)]


def claim(results: Results, folder: OutFolder, files: Iterable[str]) -> None:
    """Prepare a folder for files of a report, so that all files of reports there show the same scores.

    Files that earlier calls claimed for other scores are deleted, and a note names those that are not among
    `files`. scoring.json says how the scores were computed, and which files show them.

    Raises
    ------
    InputError
        If there is a file of such a name which is not robseg's.
    """
    digest = _digest(results)
    written = set(files)
    folder.reserve([*sorted(written), "scoring.json"])
    before, earlier = _earlier(folder.path)
    if before == digest:
        written |= earlier
    else:
        # The new ones too: if this process is killed now, none is out of date.
        if lost := [name for name in folder.delete(earlier) if name not in written]:
            notes.info(
                "Deleted in %s: %s. They showed other scores than the new files.",
                folder.path,
                ", ".join(lost),
            )
    scoring = {**dataclasses.asdict(results.scoring), "scores": digest, "files": sorted(written)}
    write_atomically(folder.path / "scoring.json", json.dumps(scoring, indent=2, ensure_ascii=False) + "\n")


def _tables(results: Results) -> dict[str, pd.DataFrame]:
    return {name: getattr(results, name) for name in TABLES} | csv_tables(results.tallies)


def _digest(results: Results) -> str:
    """Return a hash of all tables and of how they were computed."""
    digest = hashlib.sha256(json.dumps(dataclasses.asdict(results.scoring)).encode())
    for name, table in _tables(results).items():
        digest.update(f"{name}: {', '.join(table.columns)}".encode())
        digest.update(pd.util.hash_pandas_object(table, index=False).to_numpy().tobytes())
    return digest.hexdigest()


def _earlier(folder: Path) -> tuple[str, set[str]]:
    """Return the scores for which files in a folder were claimed, as a digest, and the names of the files."""
    try:
        scoring = json.loads((folder / "scoring.json").read_text(encoding="utf-8"))
        names = {name for name in scoring["files"] if isinstance(name, str) and Path(name).name == name}
        return str(scoring["scores"]), names
    except (OSError, ValueError, KeyError, TypeError):
        return "", set()


def json_rows(table: pd.DataFrame) -> list[dict[Hashable, Any]]:
    """Return the rows of a table for JSON, with None for undefined values."""
    return table.astype(object).where(table.notna(), None).to_dict("records")


def csv_text(table: pd.DataFrame) -> str:
    """Return a table as CSV: the shortest exact floats, nothing for NaN, and no text that is a formula."""
    texts = table.select_dtypes(exclude="number").columns
    harmless = table.assign(**{name: table[name].map(_harmless) for name in texts})
    return harmless.to_csv(index=False, lineterminator="\n")


def _harmless(text: object) -> object:
    return f"'{text}" if isinstance(text, str) and text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
