"""`robseg ranks`: whether two runs, usually on different data, rank models and corruptions alike."""

from __future__ import annotations

from pathlib import Path

import click

from robseg.cli.output import wide_console, write_text

__all__ = ["ranks"]


@click.command("ranks")
@click.argument("first")
@click.argument("second")
@click.option("--protocol", default=None, help="Use its conditions.  [default: those that both runs have]")
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
def ranks(
    first: str,
    second: str,
    protocol: str | None,
    form: str,
    out: Path | None,
    resamples: int,
    confidence: float,
) -> None:
    """Tell whether two runs, RUN or RUN:MODEL, rank models and corruptions alike; their data may differ.

    Models are paired by name, or by what stands before its @: enet@camvid and enet@streets.

    \b
    robseg ranks runs/camvid runs/streets
    robseg ranks runs/camvid runs/streets --protocol segformer --format html -o ranks.html
    """
    from reports.formats.documents import to_console, to_html, to_markdown
    from reports.ranks.document import ranks_csv, ranks_document, ranks_json
    from reports.ranks.ranks import rank_runs

    found = rank_runs(first, second, protocol=protocol, resamples=resamples, confidence=confidence)
    if form == "table" and out is None:
        wide_console().print(to_console(ranks_document(found)))
        return
    if form in ("csv", "json"):
        text = ranks_csv(found) if form == "csv" else ranks_json(found)
    else:
        document = ranks_document(found)
        text = to_html(document) if form == "html" else to_markdown(document)
    write_text(text, out)
