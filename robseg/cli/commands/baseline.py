"""`robseg baseline`: keep the scores of a run in a small file, for later runs to be held against."""

from __future__ import annotations

from pathlib import Path

import click

from robseg.cli.output import write_text

__all__ = ["baseline"]


@click.group("baseline")
def baseline() -> None:
    """Keep the scores of a run in a small file, for `robseg gate`."""


@baseline.command("save")
@click.argument("run")
@click.option(
    "--out",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("baseline.json"),
    show_default=True,
)
@click.option("--resamples", type=click.IntRange(min=100), default=2000, show_default=True)
def save(run: str, out: Path, resamples: int) -> None:
    """Write the scores of RUN (or RUN:MODEL) with their intervals, and what they are of, to a JSON file.

    Commit it: a gate refuses it for other data, protocol, seed or corruption set. It has no counts.

    \b
    robseg baseline save runs/enet -o baseline.json
    robseg gate runs/new --baseline baseline.json
    """
    from reports.compare.compare import open_spec
    from reports.gate.baseline import baseline_json
    from reports.scoring.replicates import read_replicates
    from reports.scoring.resampling import Bootstrap

    folder, record = open_spec(run)
    write_text(baseline_json(read_replicates(folder, record, Bootstrap(resamples), classes=True)), out)
