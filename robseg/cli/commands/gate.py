"""Check a run against a baseline and rules, for continuous integration."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from robseg.cli import scoring
from robseg.cli.completion import RUN
from robseg.cli.options import Command
from robseg.cli.output import console, write_command, write_text
from robseg.errors import InputError

if TYPE_CHECKING:
    from reports.gate.gate import Gate

GROUP = "Compare and gate"

FILES = ("gate.json", "junit.xml", "gate.md")


@click.command("gate", cls=Command)
@click.argument("run", type=RUN)
@click.option(
    "--baseline",
    "-b",
    type=RUN,
    metavar="RUN",
    default=None,
    help="A run, RUN:MODEL, or a file of `robseg baseline save`.",
)
@click.option(
    "--rules",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="TOML file with rules. The options below are added to it and override it.",
)
@click.option(
    "--max-drop",
    multiple=True,
    metavar="[TARGET=]POINTS",
    help="Points that TARGET may lose, or off. By default all but conditions and classes.  [default: 1.0]",
)
@click.option(
    "--max-rise",
    multiple=True,
    metavar="[TARGET=]POINTS",
    help="Points that TARGET may gain. By default clean, mPC, each group and corruption.",
)
@click.option(
    "--max-relative-drop",
    multiple=True,
    metavar="[TARGET=]PERCENT",
    help="Share of the baseline that TARGET may lose.",
)
@click.option("--floor", multiple=True, metavar="TARGET=PERCENT", help="Score that TARGET must reach.")
@click.option(
    "--strict/--lenient",
    default=None,
    help="Whether a check fails if its interval spans the limit.  [default: lenient]",
)
@click.option(
    "--intervals/--no-intervals",
    default=None,
    help="Whether to take the images as a sample of many, so that scores have intervals.  [default: on]",
)
@scoring.confidence
@click.option(
    "--out",
    "-o",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="Folder for gate.json, junit.xml and gate.md.  [default: RUN; for a file, gate]",
)
def command(
    run: str,
    baseline: str | None,
    rules: Path | None,
    max_drop: tuple[str, ...],
    max_rise: tuple[str, ...],
    max_relative_drop: tuple[str, ...],
    floor: tuple[str, ...],
    strict: bool | None,
    intervals: bool | None,
    confidence: float,
    out: Path | None,
) -> None:
    """Check RUN against a baseline and rules.

    Exit code 0: passed, 1: failed, 2: wrong input, 3: RUN has not ended.

    TARGET is clean, mpc, rpc, the name of a group or corruption, fog/3, class:NAME, or groups, corruptions,
    conditions or classes for all of these. Scores of another tally have its name in front, as trimap-2/mpc.
    If several targets fit, the most specific one holds.

    \b
    robseg gate runs/new --baseline runs/old --max-drop 1.0 --floor class:person=30
    robseg gate runs/new --baseline baseline.zip --rules gate.toml --strict
    """
    from reports.formats.documents import to_console
    from reports.gate.document import gate_document
    from reports.gate.rules import assigned
    from reports.run.folder import OutFolder
    from reports.run.spec import split_spec
    from robseg.api import gate

    verdict = gate(
        run,
        baseline,
        rules=rules,
        max_drop=assigned(max_drop, "--max-drop"),
        max_rise=assigned(max_rise, "--max-rise"),
        max_relative_drop=assigned(max_relative_drop, "--max-relative-drop"),
        floor=assigned(floor, "--floor"),
        strict=strict,
        intervals=intervals,
        confidence=confidence,
    )
    place = out or split_spec(run)[0] or Path()
    folder = place if out or place.is_dir() else Path("gate")
    OutFolder(folder).reserve(FILES)
    console().print(to_console(gate_document(verdict)))
    _write(verdict, folder)
    if not verdict.passed:
        raise click.exceptions.Exit(1)


def _write(verdict: Gate, folder: Path) -> None:
    """Write the verdict's files, and show it to GitHub if this runs there."""
    from reports.gate.document import gate_json, github_annotations, junit_xml, step_summary

    summary = step_summary(verdict)
    for name, text in zip(FILES, (gate_json(verdict), junit_xml(verdict), summary), strict=True):
        write_text(text, folder / name)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for line in github_annotations(verdict):
            write_command(line)
    if path := os.environ.get("GITHUB_STEP_SUMMARY"):
        try:
            with Path(path).open("a", encoding="utf-8") as file:
                file.write(summary)
        except OSError as error:
            raise InputError(
                f"Expected GITHUB_STEP_SUMMARY to be a file to write to, but got: {error}."
            ) from error
