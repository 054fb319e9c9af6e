"""Keep a run in a small file, for the gate."""

from __future__ import annotations

from pathlib import Path

import click

from robseg.cli.completion import RUN
from robseg.cli.options import Command
from robseg.cli.output import write_file

GROUP = "Compare and gate"


@click.group("baseline")
def command() -> None:
    """Keep a run in a small file, for `robseg gate`."""


@command.command("save", cls=Command)
@click.argument("run", type=RUN)
@click.option(
    "--out",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("baseline.zip"),
    show_default=True,
    help="File to write.",
)
def save(run: str, out: Path) -> None:
    """Write the counts of RUN (or RUN:MODEL) to a small ZIP file, which every command reads as a run.

    Commit the file. A gate refuses it for other data, or another protocol, seed or corruption set.

    \b
    robseg baseline save runs/enet -o baseline.zip
    robseg gate runs/new --baseline baseline.zip
    """
    from reports import tallies
    from reports.run.packed import pack
    from reports.run.spec import open_spec

    folder, record = open_spec(run)
    write_file(pack(folder, record, tallies.find), out)
