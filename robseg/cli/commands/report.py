"""`robseg report`: tables, pages and plots of runs that are done."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from robseg.cli.output import wide_console
from robseg.errors import InputError

if TYPE_CHECKING:
    from reports import Results

__all__ = ["report"]

FORMATS = ("html", "csv", "md", "latex", "png", "svg")


@click.command("report")
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--protocol", default=None, help="Score under this protocol, whose conditions the run must have."
)
@click.option(
    "--reference",
    default=None,
    help="What CD and rCD are relative to: a model, RUN:MODEL, or a published row.",
)
@click.option(
    "--format",
    "formats",
    default="html,csv",
    show_default=True,
    help=f"Of {', '.join(FORMATS)}; comma-separated.",
)
@click.option(
    "--out", "-o", type=click.Path(path_type=Path, file_okay=False), default=None,
    help="Where to write.  [default: RUN; of several, `report`]",
)  # fmt: skip
@click.option("--resamples", type=click.IntRange(min=100), default=2000, show_default=True)
@click.option("--confidence", type=click.FloatRange(0.5, 0.9999), default=0.95, show_default=True)
@click.option(
    "--intervals", type=click.Choice(["percentile", "bca"]), default="percentile", show_default=True
)
def report(
    runs: tuple[Path, ...],
    protocol: str | None,
    reference: str | None,
    formats: str,
    out: Path | None,
    resamples: int,
    confidence: float,
    intervals: str,
) -> None:
    """Score RUNS again from their counts, and write tables, pages and plots.

    Several runs become one report of the models that share data and protocol; what is left out is said.

    \b
    robseg report runs/cityscapes --protocol segformer --reference ICNet
    robseg report runs/a runs/b --out both --format csv,latex,svg
    """
    import reports
    from reports.scoring.resampling import Bootstrap
    from reports.tables.merge import load_runs

    asked = _formats(formats)
    bootstrap = Bootstrap(resamples, confidence, intervals)  # type: ignore[arg-type]  # click has checked it
    merged = load_runs(runs, protocol=protocol, reference=reference, bootstrap=bootstrap)
    folder = out or (runs[0] if len(runs) == 1 else Path("report"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(merged.results, merged.left_out, folder, asked, runs[0])
    except OSError as error:
        raise InputError(
            f"Expected to be able to write to {folder}, but got: {error}. Choose another --out."
        ) from error
    wide_console().print(reports.console_summary(merged.results))
    for reason in merged.left_out:
        click.echo(f"Left out: {reason}.", err=True)
    click.echo(f"Report: {folder / 'report.html' if 'html' in asked else folder}")


def _formats(text: str) -> list[str]:
    asked = [part.strip() for part in text.split(",") if part.strip()]
    unknown = [name for name in asked if name not in FORMATS]
    if unknown or not asked:
        raise InputError(f"Expected --format of {', '.join(FORMATS)}, but got '{text}'.")
    return asked


def _write(results: Results, left_out: tuple[str, ...], folder: Path, formats: list[str], run: Path) -> None:
    from reports.formats.documents import to_markdown
    from reports.formats.figures import save_figures
    from reports.formats.latex import latex_table
    from reports.formats.overview import overview
    from reports.html import write_page
    from reports.run.files import write_atomically
    from reports.tables.results import save_tables

    if "csv" in formats:
        save_tables(results, folder)
    if "html" in formats:
        write_page(results, folder / "report.html", run, left_out)
    if "md" in formats:
        write_atomically(folder / "report.md", to_markdown(overview(results, left_out)))
    if "latex" in formats:
        write_atomically(folder / "report.tex", latex_table(results))
    for form in ("png", "svg"):
        if form in formats:
            save_figures(results, folder, form)
