"""Show the versions, devices, data sets and weights that are found here."""

from __future__ import annotations

import click

from robseg.cli.options import Command

GROUP = "Models and data"


@click.command("doctor", cls=Command, options_metavar="[OPTIONS]")
def command() -> None:
    """Show the versions, devices, data sets and weights that are found here."""
    from robseg.evaluation.provenance import versions

    click.echo("Versions")
    for name, version in versions().items():
        click.echo(f"  {name:<16} {version or 'not installed'}")
    click.echo("Devices")
    for line in _devices():
        click.echo(f"  {line}")
    click.echo("Corruptions")
    for line in _corruptions():
        click.echo(f"  {line}")
    click.echo("Data sets")
    for line in _datasets():
        click.echo(f"  {line}")
    click.echo("Weights")
    for line in _weights():
        click.echo(f"  {line}")


def _devices() -> list[str]:
    import torch

    from robseg.machine import cores

    gpus = [f"cuda:{i}  {torch.cuda.get_device_name(i)}" for i in range(torch.cuda.device_count())]
    return [f"cpu     {cores()} cores", *gpus] if gpus else [f"cpu     {cores()} cores (no CUDA device)"]


def _corruptions() -> list[str]:
    import corruptions

    return [f"{len(corruptions.names('all'))} of set version {corruptions.SET_VERSION}"]


def _datasets() -> list[str]:
    from robseg.datasets import DATASETS, open_dataset
    from robseg.errors import InputError

    lines = []
    for name in DATASETS:
        try:
            dataset = open_dataset(name)
            lines.append(f"{name:<16} {len(dataset)} images ({dataset.split})")
        except InputError as error:
            lines.append(f"{name:<16} not found: {str(error).splitlines()[0]}")
    return lines


def _weights() -> list[str]:
    from robseg.errors import InputError
    from robseg.models.catalogue import list_cards, shipped
    from robseg.models.model import load_model

    lines = []
    for card in filter(shipped, list_cards()):
        try:
            lines.append(f"{card.id:<16} loads, sha256 {load_model(card.id).sha256[:12]}")
        except InputError as error:
            lines.append(f"{card.id:<16} {error}")
    return [*(lines or ["none come with this package"]), _downloaded()]


def _downloaded() -> str:
    from robseg.models.catalogue import list_cards
    from robseg.models.checkpoints.fetch import weights_folder, whereabouts

    found = [card.id for card in list_cards() if whereabouts(card) == "downloaded"]
    return f"{len(found)} published files in {weights_folder()}" + (f": {', '.join(found)}" if found else "")
