"""`robseg train`: train a model of ours and leave its weights with a card."""

from __future__ import annotations

from dataclasses import MISSING
from pathlib import Path
from typing import Any

import click

from robseg.cli.severities import parse_severities
from robseg.cli.train_progress import display
from robseg.errors import InputError
from robseg.training.recipe_file import Kind, kinds, make_recipe, read_fields, recipe_names

__all__ = ["train"]


@click.command(epilog=f"Recipes that come with robseg: {', '.join(recipe_names())}.")
@click.argument("recipe", required=False)
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="Folder for checkpoint, log, weights."
)
@click.option(
    "--minutes",
    type=click.FloatRange(min=0, min_open=True),
    help="Stop after so long; run again to continue.",
)
@click.option(
    "--cache",
    type=click.Path(path_type=Path),
    help="Folder for decoded images, which trainings may share.  [default: OUT/cache]",
)
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda, cuda:1, ...")
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Several collapse on a busy machine.",
)
def train(
    recipe: str | None,
    out: Path,
    minutes: float | None,
    cache: Path | None,
    device: str,
    threads: int,
    **fields: Any,
) -> None:
    """Train a model: the same command continues an interrupted training, with the same result.

    RECIPE is a TOML file, or the name of one that comes with robseg (below). Each field of a recipe is an
    option too, which overrides the file's value.

    \b
    robseg train enet-streets --out runs/enet --minutes 60
    robseg train --model enet --dataset streets --out runs/enet --precision bf16
    """
    import torch

    from robseg.memory import keep_freed_memory
    from robseg.training.task import resolve
    from robseg.training.trainer import train as run

    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    keep_freed_memory()
    written = {} if recipe is None else read_fields(recipe)
    made = make_recipe({**written, **_given(fields, written.get("options", {}))})
    task = resolve(made)
    click.echo(
        f"{made.model} on {len(task.train_set)} images of {made.dataset} ({made.train_split}), "
        f"seed {made.seed}",
        err=True,
    )
    with display() as report:
        trained = run(made, task, out, minutes=minutes, cache=cache, device=device, report=report)
    for name, path in trained.weights.items():
        click.echo(f"{name}: {path}")


def _given(fields: dict[str, Any], written_options: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that stand on the command line, as a recipe wants them."""
    known = kinds()
    given: dict[str, Any] = {}
    for name, value in fields.items():
        if name == "options":
            if value:
                given[name] = {**written_options, **dict(map(_option, value))}
        elif value is not None:
            text = known[name].item is not None and known[name].length is None
            given[name] = _items(name, known[name], value) if text else value
    return given


def _items(name: str, kind: Kind, text: str) -> tuple[Any, ...]:
    if name == "severities":
        return parse_severities(text) or ()
    try:
        return tuple(kind.item(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise InputError(
            f"Expected `{name}` to be {kind.item.__name__} values with commas between them, but got '{text}'."
        ) from error


def _option(text: str) -> tuple[str, Any]:
    """Return the name and value of `output_stride=16` or `backbone=efficientnet_lite0`.

    Examples
    --------
    >>> _option("output_stride=16"), _option("backbone=resnet18")
    (('output_stride', 16), ('backbone', 'resnet18'))
    """
    name, equals, value = text.partition("=")
    if not equals:
        raise InputError(f"Expected `--option` as NAME=VALUE, but got '{text}'.")
    for kind in (int, float):
        try:
            return name, kind(value)
        except ValueError:
            continue
    return name, {"true": True, "false": False}.get(value, value)


def _flag(name: str, kind: Kind) -> click.Option:
    """Return the option of a recipe's field; what is not given is None, so that the file's value holds."""
    dashed = "--" + name.replace("_", "-")
    text = kind.text if kind.default in (None, (), MISSING) else f"{kind.text}  [default: {_shown(kind)}]"
    if kind.type is bool:
        return click.Option([f"{dashed}/--no-{dashed[2:]}"], default=None, help=text)
    if kind.choices:
        return click.Option([dashed], type=click.Choice(kind.choices), help=text)
    if kind.length is not None:
        return click.Option([dashed], nargs=kind.length, type=kind.item, default=None, help=text)
    if kind.item is not None:
        return click.Option([dashed], metavar=f"{kind.item.__name__.upper()},...", help=text)
    return click.Option([dashed], type=kind.type, help=text)


def _shown(kind: Kind) -> str:
    """Return a field's default as it is typed: (320, 320) as two words, severities with commas between."""
    if kind.item is None:
        return str(kind.default)
    return (" " if kind.length else ",").join(map(str, kind.default))


for _name, _kind in kinds().items():
    if _name == "options":
        _builder = click.Option(["--option", "options"], multiple=True, metavar="NAME=VALUE", help=_kind.text)
        train.params.append(_builder)
    else:
        train.params.append(_flag(_name, _kind))
