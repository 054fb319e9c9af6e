"""Compare two models on the same images, with p-values."""

from __future__ import annotations

from pathlib import Path

import click

from reports.run.tally import PRIMARY
from robseg.cli import scoring
from robseg.cli.completion import RUN, Names
from robseg.cli.options import Command

GROUP = "Compare and gate"


@click.command("compare", cls=Command)
@click.argument("first", type=RUN)
@click.argument("second", type=RUN)
@scoring.protocol("the runs' own")
@click.option(
    "--tally",
    default=PRIMARY,
    show_default=True,
    type=Names("tallies"),
    help="Compare the scores of this tally, such as trimap-2 or boundary-2.",
)
@scoring.format_and_out
@scoring.confidence
@click.option(
    "--force",
    is_flag=True,
    help="Compare what the runs have in common even if they differ. The output says how they differ.",
)
def command(
    first: str,
    second: str,
    protocol: str | None,
    tally: str,
    form: str,
    out: Path | None,
    confidence: float,
    force: bool,
) -> None:
    """Compare two runs, RUN or RUN:MODEL, on the same images: SECOND - FIRST, with intervals and p-values.

    Models are matched by name. If each run has only one model, these two are compared.

    \b
    robseg compare runs/old runs/new
    robseg compare runs/all:enet@camvid runs/all:pspnet@camvid --format markdown -o compare.md
    robseg compare runs/fix:enet@camvid runs/fix:enet@camvid+segfix --tally boundary-2
    """
    from reports.compare.document import comparison_csv, comparison_document, comparison_json
    from robseg.api import compare

    found = compare(
        first,
        second,
        protocol=protocol,
        tally=tally,
        confidence=confidence,
        force=force,
    )
    scoring.answer(
        form,
        out,
        documents=lambda: [comparison_document(comparison) for comparison in found],
        csv=lambda: comparison_csv(found),
        json=lambda: comparison_json(found),
    )
