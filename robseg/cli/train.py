"""`robseg train`: train a model of ours and leave its weights with a card."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

if TYPE_CHECKING:
    from robseg.training.trainer import Progress

__all__ = ["train"]

QUIET_SECONDS = 30  # between two lines where there is no terminal


@click.command()
@click.option("--model", required=True, help="Architecture, such as enet.")
@click.option("--dataset", required=True, help="Data set, such as streets or camvid.")
@click.option("--data-root", type=click.Path(path_type=Path), help="Folder of the data set.")
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="Folder for checkpoint, log, weights."
)
@click.option(
    "--minutes",
    type=click.FloatRange(min=0, min_open=True),
    help="Stop after so long; run again to continue.",
)
@click.option("--train-split", default="train", show_default=True)
@click.option("--val-split", default="val", show_default=True)
@click.option("--train-limit", type=int, help="Train on the first so many images only.")
@click.option(
    "--val-limit", type=int, default=100, show_default=True, help="Validate on the first so many images."
)
@click.option(
    "--val-every", type=int, default=5, show_default=True, help="Validate after every so many epochs."
)
@click.option("--epochs", type=int, default=100, show_default=True)
@click.option("--batch-size", type=int, default=8, show_default=True)
@click.option("--learning-rate", type=float, default=2e-3, show_default=True, help="Adam's, decaying to 0.")
@click.option("--power", type=float, default=0.9, show_default=True, help="Of the polynomial decay.")
@click.option("--weight-decay", type=float, default=2e-4, show_default=True)
@click.option("--crop", type=(int, int), default=(320, 320), show_default=True, metavar="H W")
@click.option("--scale", type=(float, float), default=(0.6, 1.6), show_default=True, metavar="MIN MAX")
@click.option("--flip/--no-flip", default=True, show_default=True)
@click.option(
    "--jitter", type=float, default=0.3, show_default=True, help="Strength of the photometric jitter, 0..1."
)
@click.option(
    "--class-weights", type=click.Choice(["enet", "median", "none"]), default="enet", show_default=True
)
@click.option("--precision", type=click.Choice(["fp32", "bf16"]), default="fp32", show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--checkpoint-minutes", type=float, default=5.0, show_default=True)
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Several collapse on a busy machine.",
)
def train(
    model: str,
    dataset: str,
    data_root: Path | None,
    out: Path,
    minutes: float | None,
    train_split: str,
    val_split: str,
    train_limit: int | None,
    val_limit: int,
    val_every: int,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    power: float,
    weight_decay: float,
    crop: tuple[int, int],
    scale: tuple[float, float],
    flip: bool,
    jitter: float,
    class_weights: Literal["enet", "median", "none"],
    precision: Literal["fp32", "bf16"],
    seed: int,
    checkpoint_minutes: float,
    threads: int,
) -> None:
    """Train a model: the same command continues an interrupted training, with the same result.

    Example: robseg train --model enet --dataset streets --out runs/enet --precision bf16 --minutes 60
    """
    import torch

    from robseg.training.recipe import Recipe
    from robseg.training.task import resolve
    from robseg.training.trainer import train as run

    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    recipe = Recipe(
        model=model,
        dataset=dataset,
        data_root=None if data_root is None else str(data_root),
        train_split=train_split,
        val_split=val_split,
        train_limit=train_limit,
        val_limit=val_limit,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        power=power,
        weight_decay=weight_decay,
        crop=crop,
        scale=scale,
        flip=flip,
        jitter=jitter,
        class_weights=class_weights,
        precision=precision,
        seed=seed,
        val_every=val_every,
        checkpoint_minutes=checkpoint_minutes,
    )
    task = resolve(recipe)
    click.echo(f"{model} on {len(task.train_set)} images of {dataset} ({train_split}), seed {seed}", err=True)
    with _display() as report:
        trained = run(recipe, task, out, minutes=minutes, report=report)
    for name, path in trained.weights.items():
        click.echo(f"{name}: {path}")


@contextlib.contextmanager
def _display() -> Iterator[Callable[[Progress], None]]:
    """Yield what shows progress on stderr: a live line on a terminal, elsewhere a line now and then."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Lines()
        return
    with console.status("preparing") as status:

        def report(progress: Progress) -> None:
            status.update(line(progress))
            if progress.val_miou is not None:
                console.print(line(progress), highlight=False)

        yield report


class _Lines:
    """Write a line at each validation and otherwise every QUIET_SECONDS."""

    def __init__(self) -> None:
        self.written = time.monotonic() - QUIET_SECONDS

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if progress.val_miou is not None or now - self.written >= QUIET_SECONDS:
            click.echo(line(progress), err=True)
            self.written = now


def line(progress: Progress) -> str:
    """Describe a training's progress in one line."""
    text = (
        f"epoch {progress.epoch}/{progress.epochs}  step {progress.step}/{progress.steps}  "
        f"loss {progress.loss:.3f}  {progress.seconds / 60:.1f} min"
    )
    return text if progress.val_miou is None else f"{text}  val mIoU {100 * progress.val_miou:.1f}"
