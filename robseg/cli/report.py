"""`robseg report`: tables and pages of runs that are done."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["report"]


@click.command("report")
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--reference", default=None, help="The model of the run that CD and rCD are relative to.")
def report(runs: tuple[Path, ...], reference: str | None) -> None:
    """Score RUNS again from their counts, and rewrite their CSV files and report.html."""
    from rich.console import Console

    import reports

    console = Console()
    for run in runs:
        results = reports.write_tables(run, reference=reference)
        page = reports.write_report(run)
        (console if console.is_terminal else Console(width=120)).print(reports.console_summary(results))
        click.echo(f"Report: {page}")
