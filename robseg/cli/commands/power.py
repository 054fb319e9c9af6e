"""Show how many images it takes to see a drop."""

from __future__ import annotations

import click

from robseg.cli import scoring
from robseg.cli.completion import RUN
from robseg.cli.options import Command
from robseg.cli.output import console

GROUP = "Compare and gate"


@click.command("power", cls=Command)
@click.argument("run", type=RUN)
@click.argument("earlier", type=RUN, required=False)
@click.option(
    "--drop",
    "drops",
    multiple=True,
    type=click.FloatRange(0.01, 100),
    default=(0.5, 1.0, 2.0),
    show_default=True,
    metavar="POINTS",
    help="Drop to see, in points. May be repeated.",
)
@scoring.confidence
def command(run: str, earlier: str | None, drops: tuple[float, ...], confidence: float) -> None:
    """Show how many images it takes to see a drop of each score of RUN with 80 % probability.

    With an EARLIER run on the same images, the drop is the paired difference of the two, as in a gate.
    Without one, the number is an upper bound.

    \b
    robseg power runs/main --drop 0.5
    robseg power runs/new runs/main --drop 0.5
    """
    from reports.formats.documents import to_console
    from reports.gate.power import detectable_drops

    needed = detectable_drops(run, [drop / 100 for drop in drops], confidence, earlier=earlier)
    console().print(to_console(needed))
