"""Evaluate models on clean and corrupted images, and write a report."""

from __future__ import annotations

import shlex
import sys
from typing import Any

import click

from robseg.cli.options import Command, made
from robseg.cli.output import console
from robseg.errors import PartDone
from robseg.evaluation.request import Request
from robseg.machine import cores
from robseg.options import fields

GROUP = "Measure"


@click.command("evaluate", cls=Command, fields=fields(Request).values())
@click.option("--dry-run", is_flag=True, help="Show the grid, its cost and its disk space, and stop.")
@click.option(
    "--profile", is_flag=True, help="Also show how long each stage took, and how long the device waited."
)
def command(dry_run: bool, profile: bool, **options: Any) -> None:
    """Evaluate models on clean and corrupted images, and write tables and a report.

    The same command continues a run that was stopped. If more is asked for, only what is missing is computed.

    \b
    robseg evaluate --model enet --corruptions all
    robseg evaluate --model enet --weights my.pth --dataset camvid --data-root DIR --corruptions fog,blur
    robseg evaluate run.toml --limit 20
    """
    from reports import console_summary
    from robseg.cli.dry_run import show
    from robseg.cli.profile import time_of
    from robseg.cli.progress import showing
    from robseg.pipeline import execute

    if options["num_workers"] is None:
        here = cores() if options["device"] == "cpu" else 1
        options["num_workers"] = here if options["executor"] == "local" else 0
    with showing() as progress:
        request = made(Request, {**options, "progress": progress})
        if dry_run:
            show(request)
            return
        try:
            results = execute(request, shlex.join(["robseg", *sys.argv[1:]]))
        except PartDone as done:
            click.echo(str(done))
            return
    console().print(console_summary(results))
    if profile:
        console().print(time_of(results.record))
    click.echo(f"Report: {results.run / 'report.html'}")
