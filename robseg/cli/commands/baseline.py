"""Keep a run's scores in a small file, for the gate."""

from __future__ import annotations

from pathlib import Path

import click

from robseg.cli import scoring
from robseg.cli.completion import RUN
from robseg.cli.options import Command
from robseg.cli.output import write_text

GROUP = "Compare and gate"


@click.group("baseline")
def command() -> None:
    """Keep the scores of a run in a small file, for `robseg gate`."""


@command.command("save", cls=Command)
@click.argument("run", type=RUN)
@click.option(
    "--out",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("baseline.json"),
    show_default=True,
    help="File to write.",
)
@scoring.resamples
def save(run: str, out: Path, resamples: int) -> None:
    """Write the scores of RUN (or RUN:MODEL) and their intervals to a JSON file.

    Commit the file. It holds no counts. A gate refuses it for other data, or another protocol, seed or
    corruption set.

    \b
    robseg baseline save runs/enet -o baseline.json
    robseg gate runs/new --baseline baseline.json
    """
    from reports.gate.baseline import baseline_json
    from reports.run.spec import open_spec
    from reports.scoring.resampling import Bootstrap
    from reports.tables.results import score

    folder, record = open_spec(run)
    write_text(baseline_json(score(folder, record, Bootstrap(resamples), classes=True)), out)
