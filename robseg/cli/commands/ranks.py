"""Show whether two data sets rank models and corruptions alike."""

from __future__ import annotations

from pathlib import Path

import click

from robseg.cli import scoring
from robseg.cli.completion import RUN
from robseg.cli.options import Command

GROUP = "Understand"


@click.command("ranks", cls=Command)
@click.argument("first", type=RUN)
@click.argument("second", type=RUN)
@scoring.protocol("the conditions that both runs have")
@scoring.format_and_out
@click.option(
    "--resamples",
    type=int,
    default=2000,
    show_default=True,
    help="Number of bootstrap resamples of each run's images.",
)
@scoring.confidence
def command(
    first: str,
    second: str,
    protocol: str | None,
    form: str,
    out: Path | None,
    resamples: int,
    confidence: float,
) -> None:
    """Show whether two runs, RUN or RUN:MODEL, rank models and corruptions alike. Their data may differ.

    Models are paired by name, or by the part of the name before its @: enet@camvid and enet@streets.

    \b
    robseg ranks runs/camvid runs/streets
    robseg ranks runs/camvid runs/streets --protocol segformer --format html -o ranks.html
    """
    from reports.ranks.document import ranks_csv, ranks_document, ranks_json
    from reports.ranks.ranks import rank_runs

    found = rank_runs(first, second, protocol=protocol, resamples=resamples, confidence=confidence)
    scoring.answer(
        form,
        out,
        documents=lambda: [ranks_document(found)],
        csv=lambda: ranks_csv(found),
        json=lambda: ranks_json(found),
    )
