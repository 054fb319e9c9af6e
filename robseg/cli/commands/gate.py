"""`robseg gate`: whether a run passes, held against a baseline and the rules of a project."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from robseg.cli.output import wide_console, write_text
from robseg.errors import IncompleteRun, InputError

if TYPE_CHECKING:
    from reports.gate.gate import Gate
    from reports.gate.rules import Rules

__all__ = ["gate"]

DEFAULT_DROP = 1.0  # points, where no rule is given at all


@click.command("gate")
@click.argument("run")
@click.option("--baseline", "-b", default=None, help="A run, RUN:MODEL, or a file of `robseg baseline save`.")
@click.option(
    "--rules",
    "rules_file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="A TOML file.",
)
@click.option(
    "--max-drop",
    multiple=True,
    metavar="[TARGET=]POINTS",
    help="Points that may be lost: of clean, mPC, every group and corruption, or of TARGET.  [default: 1.0]",
)
@click.option(
    "--max-rise",
    multiple=True,
    metavar="[TARGET=]POINTS",
    help="Points that may be gained: with --no-intervals, a change of code that moves numbers fails.",
)
@click.option(
    "--max-relative-drop", multiple=True, metavar="[TARGET=]PERCENT", help="The same in % of the baseline."
)
@click.option("--floor", multiple=True, metavar="TARGET=PERCENT", help="What a score must reach. Repeatable.")
@click.option(
    "--strict/--lenient",
    default=None,
    help="Whether an interval that spans its limit fails.  [default: lenient]",
)
@click.option(
    "--intervals/--no-intervals",
    default=None,
    help="Allow for the images being a sample, or judge these very images.  [default: allow]",
)
@click.option("--resamples", type=click.IntRange(min=100), default=2000, show_default=True)
@click.option("--confidence", type=click.FloatRange(0.5, 0.9999), default=0.95, show_default=True)
@click.option(
    "--out",
    "-o",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="Folder for gate.json, junit.xml, gate.md.  [default: RUN]",
)
@click.option("--plan", is_flag=True, help="Tell how many images show a drop of --drop points, and stop.")
@click.option(
    "--drop",
    "drops",
    multiple=True,
    type=click.FloatRange(0.01, 100),
    default=(0.5, 1.0, 2.0),
    show_default=True,
)
def gate(
    run: str,
    baseline: str | None,
    rules_file: Path | None,
    max_drop: tuple[str, ...],
    max_rise: tuple[str, ...],
    max_relative_drop: tuple[str, ...],
    floor: tuple[str, ...],
    strict: bool | None,
    intervals: bool | None,
    resamples: int,
    confidence: float,
    out: Path | None,
    plan: bool,
    drops: tuple[float, ...],
) -> None:
    """Check RUN against a baseline and rules.

    Exit code 0: passed, 1: failed, 2: wrong input, 3: RUN has not ended. A TARGET is clean, mpc, rpc, the
    name of a group or corruption, fog/3, class:NAME, or all groups, corruptions, conditions, classes. The
    more particular one wins.

    \b
    robseg gate runs/new --baseline runs/old --max-drop 1.0 --floor class:person=30
    robseg gate runs/new --baseline baseline.json --rules gate.toml --strict
    robseg gate --plan runs/new --drop 0.5
    """
    from reports.formats.documents import to_console
    from reports.gate.document import gate_document
    from reports.gate.gate import run_gate
    from reports.gate.power import plan_gate
    from reports.run.record import MissingCounts
    from reports.scoring.resampling import Bootstrap

    bootstrap = Bootstrap(resamples, confidence)
    try:
        if plan:
            wide_console().print(to_console(plan_gate(run, [drop / 100 for drop in drops], bootstrap)))
            return
        rules = _rules(rules_file, (max_drop, max_rise, max_relative_drop, floor), strict, intervals)
        verdict = run_gate(run, baseline, rules, bootstrap)
    except MissingCounts as error:
        raise IncompleteRun(str(error)) from error
    wide_console().print(to_console(gate_document(verdict)))
    _write(verdict, out or _folder(run))
    if not verdict.passed:
        raise click.exceptions.Exit(1)


def _rules(
    file: Path | None,
    texts: tuple[tuple[str, ...], ...],
    strict: bool | None,
    intervals: bool | None,
) -> Rules:
    """Return the rules of a file, with those of the flags added; the flags win."""
    from reports.gate.rules import DEFAULT, RULES, Rules, assigned, read_rules

    rules = read_rules(file) if file else Rules()
    limits = {
        name: {**getattr(rules, name), **assigned(given, f"--{name.replace('_', '-')}")}
        for name, given in zip(RULES, texts, strict=True)
    }
    if not any(limits.values()):
        limits["max_drop"] = {DEFAULT: DEFAULT_DROP}
    return Rules(
        **limits,
        strict=rules.strict if strict is None else strict,
        intervals=rules.intervals if intervals is None else intervals,
    )


def _folder(run: str) -> Path:
    from reports.scoring.reference import split_spec

    return split_spec(run)[0] or Path()


def _write(verdict: Gate, folder: Path) -> None:
    """Write the verdict's files, and tell GitHub where it runs this."""
    from reports.gate.document import gate_json, github_annotations, junit_xml, step_summary

    summary = step_summary(verdict)
    texts = {"gate.json": gate_json(verdict), "junit.xml": junit_xml(verdict), "gate.md": summary}
    for name, text in texts.items():
        write_text(text, folder / name)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for line in github_annotations(verdict):
            click.echo(line)
    if path := os.environ.get("GITHUB_STEP_SUMMARY"):
        try:
            with Path(path).open("a", encoding="utf-8") as file:
                file.write(summary)
        except OSError as error:
            raise InputError(
                f"Expected GITHUB_STEP_SUMMARY to be a file to write to, but got: {error}."
            ) from error
