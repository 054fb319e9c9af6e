"""Train a model on a data set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from robseg.cli.options import Command, made
from robseg.cli.train_progress import display
from robseg.cli.verbosity import notes
from robseg.options import fields
from robseg.training.recipe import Recipe
from robseg.training.recipe_file import recipe_names, recipe_path

GROUP = "Models and data"


@click.command(
    "train",
    cls=Command,
    fields=fields(Recipe).values(),
    run_file=recipe_path,
    run_names="recipes",
    options_metavar="[OPTIONS] [RECIPE]",
    epilog=f"Recipes that come with robseg: {', '.join(recipe_names())}.",
)
@click.option(
    "--out",
    "-o",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder for the checkpoint, the log and the weights.",
)
@click.option(
    "--minutes",
    type=click.FloatRange(min=0, min_open=True),
    help="Stop after this many minutes. The same command continues.",
)
@click.option(
    "--cache",
    type=click.Path(path_type=Path),
    help="Folder for decoded images, which several trainings may share.  [default: OUT/cache]",
)
@click.option("--device", default="cpu", show_default=True, help="Device: cpu, cuda, cuda:1, ...")
@click.option(
    "--threads",
    type=click.IntRange(1, 1024),
    default=1,
    show_default=True,
    help="Threads of torch. On a busy machine, several are slower than one.",
)
def command(
    out: Path, minutes: float | None, cache: Path | None, device: str, threads: int, **options: Any
) -> None:
    """Train a model. The same command continues a training that was stopped, with the same result.

    RECIPE is a TOML file, or the name of a recipe that comes with robseg (listed below). Options override it.

    \b
    robseg train enet-streets --out runs/enet --minutes 60
    robseg train --model enet --dataset streets --out runs/enet --precision bf16
    """
    import torch

    from robseg.memory import keep_freed_memory
    from robseg.training.setup import resolve
    from robseg.training.trainer import train

    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    keep_freed_memory()
    recipe = made(Recipe, options)
    setup = resolve(recipe)
    notes.info(
        "%s on %d images of %s (%s), seed %d",
        recipe.model, len(setup.train_set), recipe.dataset, recipe.train_split, recipe.seed,
    )  # fmt: skip
    with display() as report:
        trained = train(recipe, setup, out, minutes=minutes, cache=cache, device=device, report=report)
    for name, path in trained.weights.items():
        click.echo(f"{name}: {path}")
