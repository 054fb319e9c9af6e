"""`robseg compare`: what changed between two models, and whether it is more than chance."""

from __future__ import annotations

from pathlib import Path

import click

from robseg.cli.output import wide_console, write_text

__all__ = ["compare"]


@click.command("compare")
@click.argument("first")
@click.argument("second")
@click.option("--protocol", default=None, help="Score both under this protocol.  [default: the runs' own]")
@click.option(
    "--region",
    default="",
    help="Score this near boundaries: trimap-W or boundary-W, W being a width.  [default: whole images]",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "markdown", "html", "csv", "json"]),
    default="table",
    show_default=True,
)
@click.option(
    "--out", "-o", type=click.Path(path_type=Path, dir_okay=False), default=None, help="A file for it."
)
@click.option("--resamples", type=click.IntRange(min=100), default=2000, show_default=True)
@click.option("--confidence", type=click.FloatRange(0.5, 0.9999), default=0.95, show_default=True)
@click.option(
    "--intervals", type=click.Choice(["percentile", "bca"]), default="percentile", show_default=True
)
@click.option(
    "--force",
    is_flag=True,
    help="Compare what the runs have in common though they differ; the output says so.",
)
def compare(
    first: str,
    second: str,
    protocol: str | None,
    region: str,
    form: str,
    out: Path | None,
    resamples: int,
    confidence: float,
    intervals: str,
    force: bool,
) -> None:
    """Compare two runs, RUN or RUN:MODEL, on the same images: SECOND - FIRST, with intervals and p-values.

    Models are matched by name; where each side has only one, these two are compared.

    \b
    robseg compare runs/old runs/new
    robseg compare runs/all:enet@camvid runs/all:pspnet@camvid --format markdown -o compare.md
    robseg compare runs/fix:enet@camvid runs/fix:enet@camvid+segfix --region boundary-2
    """
    from reports.compare.compare import compare_runs
    from reports.compare.document import comparison_csv, comparison_document, comparison_json
    from reports.formats.documents import to_console, to_html, to_markdown
    from reports.scoring.resampling import Bootstrap

    bootstrap = Bootstrap(resamples, confidence, intervals)  # type: ignore[arg-type]  # click has checked it
    comparisons = compare_runs(
        first, second, protocol=protocol, bootstrap=bootstrap, force=force, region=region
    )
    if form == "csv":
        text = comparison_csv(comparisons)
    elif form == "json":
        text = comparison_json(comparisons)
    else:
        documents = [comparison_document(comparison) for comparison in comparisons]
        if form == "table" and out is None:
            console = wide_console()
            for document in documents:
                console.print(to_console(document))
            return
        text = to_html(*documents) if form == "html" else "\n".join(map(to_markdown, documents))
    write_text(text, out)
