"""Check the corruptions against imagecorruptions."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from corruptions import MissingDependency, names
from corruptions.compilation import compile_kernels
from corruptions.verify import SIGNIFICANCE, Agreement, photograph, verify
from robseg.cli.images import read_upright
from robseg.cli.options import Command
from robseg.cli.output import FAULT, console
from robseg.cli.verbosity import is_quiet
from robseg.errors import InputError
from robseg.evaluation.conditions import severities_of
from robseg.evaluation.request import Request
from robseg.options import Flag, fields

GROUP = "Understand"

OPTIONS = fields(Request)

SIDE = 32  # pixels; the reference takes no smaller images


@click.group("corruptions")
def command() -> None:
    """Compile and check the corruptions themselves."""


@command.command("compile", cls=Command, fields=[OPTIONS["corruptions"]])
def compile_(corruptions: tuple[str, ...] | None) -> None:
    """Compile the kernels of corruptions and of prediction, which every process of this machine then finds.

    Numba keeps them beside their files, or in NUMBA_CACHE_DIR: for an image of a container, or the cache of a
    CI system. A run does without this command; it compiles the kernels at their first use.
    """
    from rich.progress import track

    from robseg.models.predict.kernels import compile_kernels as compile_prediction

    compile_prediction()
    chosen = list(severities_of(corruptions))
    shown = sys.stderr.isatty() and not is_quiet()
    every = compile_kernels(chosen)
    for _ in track(every, "corruptions", len(chosen), console=console(sys.stderr), disable=not shown):
        pass
    click.echo(f"The kernels of prediction and of {len(chosen)} corruptions are compiled.")


@command.command(
    "verify",
    cls=Command,
    fields=[
        dataclasses.replace(
            OPTIONS["corruptions"],
            default=("imagenet-c",),
            flag=dataclasses.replace(OPTIONS["corruptions"].flag, unset=""),
        ),
        dataclasses.replace(OPTIONS["severities"], default=(1, 3, 5), flag=Flag(short="s", commas=True)),
        OPTIONS["seed"],
    ],
)
@click.option(
    "--copies",
    type=click.IntRange(20, 100_000),
    default=60,
    show_default=True,
    help="Corrupted copies from each package, for random corruptions.",
)
@click.option(
    "--image",
    "path",
    type=click.Path(path_type=Path),
    help="Image to corrupt.  [default: a photo that comes with scikit-image]",
)
@click.pass_context
def verify_(
    context: click.Context,
    corruptions: tuple[str, ...],
    severities: tuple[int, ...],
    seed: int,
    copies: int,
    path: Path | None,
) -> None:
    """Compare the corruptions with the installed imagecorruptions package.

    \b
    deterministic   largest and mean difference, that with its sign (bias), share of changed samples
    random          the same between the means of many copies, and the p-value of two-sample tests

    The exit code is 70, that of a fault, if the two do not agree.
    """
    image = photograph() if path is None else _read(path)
    known = set(names("imagenet-c"))
    chosen = [name for name in severities_of(corruptions, severities) if name in known]
    if not chosen:
        raise InputError(
            f"Expected corruptions of ImageNet-C, but got '{','.join(corruptions)}': "
            "there is nothing to compare."
        )
    rows = []
    click.echo(HEADER)
    try:
        for row in verify(image, chosen, severities, copies=copies, seed=seed):
            click.echo(_line(row))
            rows.append(row)
    except MissingDependency as error:
        raise InputError(str(error)) from error
    disagreeing = [f"{row.name} {row.severity}" for row in rows if not row.agrees]
    if disagreeing:
        click.echo(f"{len(disagreeing)} of {len(rows)} do not agree: {', '.join(disagreeing)}")
        context.exit(FAULT)
    click.echo(f"All {len(rows)} agree (tests at {SIGNIFICANCE} for all together).")


HEADER = "corruption         severity  copies  largest    mean      bias  changed   p-value"


def _line(row: Agreement) -> str:
    verdict = "" if row.agrees else "  does not agree"
    differences = f"{row.largest:9.2f}{row.mean:8.4f}{row.bias:10.4f}{_or_dash(row.changed, 9)}"
    return f"{row.name:<19}{row.severity:>8}{row.images:>9}{differences}{_or_dash(row.p_value, 10)}{verdict}"


def _or_dash(number: float, width: int) -> str:
    return f"{'-':>{width}}" if np.isnan(number) else f"{number:{width}.4f}"


def _read(path: Path) -> NDArray[np.uint8]:
    pixels = read_upright(path)
    if min(pixels.shape[:2]) < SIDE:
        raise InputError(
            f"Expected an image of at least {SIDE}x{SIDE} pixels, but {path} has {pixels.shape[0]}x"
            f"{pixels.shape[1]}: choose a larger one."
        )
    return pixels
