"""Download published weights, or show what a weights file is."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from robseg.cli.completion import Names
from robseg.cli.options import Command
from robseg.errors import InputError

if TYPE_CHECKING:
    from robseg.models.card import Card
    from robseg.models.inspection import Inspection, NearlyConstant

GROUP = "Models and data"

SHOWN = 6  # of a list of names


@click.group("weights")
def command() -> None:
    """Download published weights, or show what a weights file is."""


@command.command("fetch", cls=Command)
@click.argument("ids", nargs=-1, required=True, metavar="ID...", type=Names("cards"))
def fetch(ids: tuple[str, ...]) -> None:
    """Download the weights of published models, given by id or glob (see `robseg list models`).

    A file that is already there is checked and not downloaded again. A download that broke off continues.
    Files are kept in $ROBSEG_HOME/weights, or in this system's folder for caches.

    \b
    robseg weights fetch pspnet_r18-d8_4xb2-80k_cityscapes-512x1024
    robseg weights fetch 'icnet_r18*'
    """
    from robseg.models.belonging import check_belongs
    from robseg.models.checkpoints.fetch import weights_path

    cards, missed = _cards(ids), []
    for card in cards:
        try:
            path = weights_path(card, check_belongs)
        except InputError as error:
            if len(cards) == 1:
                raise
            missed.append(card.id)
            click.echo(str(error), err=True)
        else:
            click.echo(f"{card.id}: {path} ({path.stat().st_size / 1e6:.1f} MB)")
    if missed:
        raise InputError(f"Expected to fetch {len(cards)} files, but {len(missed)} are missing, see above.")


def _cards(ids: tuple[str, ...]) -> list[Card]:
    from robseg.models import catalogue

    cards: dict[str, Card] = {}
    for spec in ids:
        some = any(character in spec for character in "*?[")
        found = catalogue.wanted(spec) if some else (catalogue.resolve(spec),)
        cards.update({card.id: card for card in found})
    return list(cards.values())


@command.command("inspect", cls=Command)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--arch", type=Names("architectures"), default=None, help="Compare with this architecture only."
)
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def inspect_(file: Path, arch: str | None, as_json: bool) -> None:
    """Show what a weights file is: its format, the models it fits, and what differs if it fits none.

    No code in the file is executed.
    """
    from robseg.models.inspection import inspect_file

    found = inspect_file(file, arch)
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(found), indent=2, default=str))
        return
    for title, text in _lines(found):
        click.echo(f"{title:<11}{text}")


def _lines(found: Inspection) -> Iterator[tuple[str, str]]:
    dtypes = ", ".join(f"{count} {dtype}" for dtype, count in found.dtypes.items())
    yield "File", f"{found.path} ({found.size / 1e6:.1f} MB, {found.format})"
    yield "SHA-256", found.sha256
    yield "Tensors", f"{found.tensors} ({dtypes}), {found.parameters:,} parameters"
    if found.class_names is not None:
        yield "Classes", f"{len(found.class_names)}: {_few(found.class_names)}"
    if found.stubs:
        yield "Not run", _few(found.stubs)
    yield "Catalogue", _published(found)
    if found.nearly_constant:
        yield "Batch norm", _nearly_constant(found.nearly_constant)
    for fitting in found.fits:
        options = ", ".join(f"{key} {value}" for key, value in fitting.options.items())
        yield (
            "Fits",
            f"{fitting.model} ({fitting.layout}), {fitting.num_classes} classes; {options or 'no options'}",
        )
    if not found.fits:
        yield "Fits", "nothing known:"
        for name, why in found.misfits.items():
            yield f"  {name}", f"  {why}"


def _published(found: Inspection) -> str:
    if found.same:
        return f"the file of {found.same}, by its SHA-256"
    if found.named:
        return f"bears the name of the file of {found.named}"
    if found.alike:
        return f"of the kind of {_few(found.alike)}"
    return "nothing like it"


def _nearly_constant(layers: tuple[NearlyConstant, ...]) -> str:
    most = layers[0]
    return (
        f"{sum(layer.found for layer in layers)} channels were nearly constant in training (running variance "
        f"below 1e-6) and are multiplied by up to {max(layer.gain for layer in layers):.0f}; most in "
        f"{most.layer} ({most.found} of {most.channels}). Compare scores in fp32 and bf16 under corruptions "
        "before you rely on one of them."
    )


def _few(names: tuple[str, ...]) -> str:
    more = f", ... ({len(names)})" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
