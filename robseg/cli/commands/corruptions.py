"""`robseg corruptions`: about the corruptions themselves."""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
from PIL import Image

from corruptions import MissingDependency, names
from corruptions.verify import SIGNIFICANCE, Agreement, photograph, verify
from robseg.cli.severities import parse_severities
from robseg.errors import InputError
from robseg.evaluation.plan import parse_corruptions

__all__ = ["corruptions_"]

SIDE = 32  # pixels; the reference takes no smaller images


@click.group("corruptions")
def corruptions_() -> None:
    """Check the corruptions themselves."""


@corruptions_.command("verify")
@click.option("--corruptions", "-c", "wanted", default="imagenet-c", show_default=True, help="Names, groups.")
@click.option("--severities", "-s", default="1,3,5", show_default=True, help="Such as 3, 1,3,5 or 1-5.")
@click.option("--copies", type=click.IntRange(min=20), default=60, show_default=True, help="Of each side.")
@click.option("--seed", type=click.IntRange(min=0, max=2**32 - 1), default=0, show_default=True)
@click.option(
    "--image", "path", type=click.Path(path_type=Path), help="An image.  [default: a photo of scikit-image's]"
)
@click.pass_context
def verify_(
    context: click.Context, wanted: str, severities: str, copies: int, seed: int, path: Path | None
) -> None:
    """Compare the corruptions with the installed imagecorruptions package.

    \b
    deterministic   largest and mean difference, that with its sign (bias), share of changed samples
    random          the same between the means of many copies, and the p-value of two-sample tests

    The exit code is 1 where the two do not agree.
    """
    image = photograph() if path is None else _read(path)
    known = set(names("imagenet-c"))
    chosen = [name for name in parse_corruptions(wanted) if name in known]
    if not chosen:
        raise InputError(
            f"Expected corruptions of ImageNet-C, but got '{wanted}': there is nothing to compare."
        )
    rows = []
    click.echo(HEADER)
    try:
        for row in verify(image, chosen, parse_severities(severities) or (1, 3, 5), copies=copies, seed=seed):
            click.echo(_line(row))
            rows.append(row)
    except MissingDependency as error:
        raise InputError(str(error)) from error
    disagreeing = [f"{row.name} {row.severity}" for row in rows if not row.agrees]
    if disagreeing:
        click.echo(f"{len(disagreeing)} of {len(rows)} do not agree: {', '.join(disagreeing)}")
        context.exit(1)
    click.echo(f"All {len(rows)} agree (tests at {SIGNIFICANCE} for all together).")


HEADER = "corruption         severity  copies  largest    mean      bias  changed   p-value"


def _line(row: Agreement) -> str:
    verdict = "" if row.agrees else "  does not agree"
    differences = f"{row.largest:9.2f}{row.mean:8.4f}{row.bias:10.4f}{_or_dash(row.changed, 9)}"
    return f"{row.name:<19}{row.severity:>8}{row.images:>9}{differences}{_or_dash(row.p_value, 10)}{verdict}"


def _or_dash(number: float, width: int) -> str:
    return f"{'-':>{width}}" if np.isnan(number) else f"{number:{width}.4f}"


def _read(path: Path) -> np.typing.NDArray[np.uint8]:
    try:
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB"))
    except OSError as error:
        raise InputError(f"Expected {path} to be an image, but it cannot be read: {error}.") from error
    if min(pixels.shape[:2]) < SIDE:
        raise InputError(
            f"Expected an image of at least {SIDE}x{SIDE} pixels, but {path} has {pixels.shape[0]}x"
            f"{pixels.shape[1]}: choose a larger one."
        )
    return pixels
