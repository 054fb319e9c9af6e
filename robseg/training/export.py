"""What a finished training leaves behind: weights with a card, and the recipe."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from torch import Tensor

from robseg.datasets.base import DATASETS
from robseg.files import write_atomically
from robseg.models.card import Card
from robseg.models.weights import save_weights
from robseg.training.recipe import Recipe
from robseg.training.recipe_file import to_toml
from robseg.training.state import State
from robseg.training.task import Task, corruption_names

__all__ = ["export"]


def export(recipe: Recipe, card: Card, task: Task, state: State, out: Path) -> dict[str, Path]:
    """Write OUT/recipe.toml and OUT/<id>.safetensors with its card: the last weights.

    Where an earlier epoch validated better, its weights go to OUT/<id>-best.safetensors. Returns the weights'
    paths under the names `last` and `best`.
    """
    write_atomically(out / "recipe.toml", to_toml(recipe).encode())
    last = _save(out / f"{card.id}.safetensors", recipe, card, task, state, "last")
    if state.best_miou <= (state.rows[-1].val_miou or 0.0):
        return {"last": last, "best": last}
    return {
        "last": last,
        "best": _save(out / f"{card.id}-best.safetensors", recipe, card, task, state, "best"),
    }


def _save(path: Path, recipe: Recipe, card: Card, task: Task, state: State, which: str) -> Path:
    miou = state.best_miou if which == "best" else state.rows[-1].val_miou
    weights: dict[str, Tensor] = state.best if which == "best" else state.result.state_dict()
    data = task.train_set
    filled = dataclasses.replace(
        card,
        published_miou=None if miou is None else round(miou, 4),
        published_protocol=f"{recipe.val_split}, whole images at their own size",
        licence=_licence(recipe),
        weights_file=path.name,
        seen_corruptions=corruption_names(recipe),
        trained_on=f"{data.name} {data.split}, {len(data)} images{_augmented(recipe)}",
        source=(
            f"robseg train ({which} weights), {state.seconds / 3600:.2f} hours, mIoU on {recipe.val_split}"
            f"{'' if recipe.val_limit is None else f' (first {recipe.val_limit} images)'}; {_summary(recipe)}"
        ),
    )
    if task.start is not None:
        filled = task.start.history(filled)
    save_weights(path, weights, filled, half=True)
    return path


def _licence(recipe: Recipe) -> str:
    data = DATASETS[recipe.dataset].licence if recipe.dataset in DATASETS else ""
    return f"of the code Apache-2.0; of the data: {data or 'not known'}"


def _augmented(recipe: Recipe) -> str:
    names = corruption_names(recipe)
    if not names:
        return ""
    share = f"{recipe.corruption_rate:.0%} of them corrupted"
    return f", {share} ({', '.join(names)}; severities {', '.join(map(str, recipe.severities))})"


def _summary(recipe: Recipe) -> str:
    """Return the recipe's fields that are not a Recipe's defaults, in one line."""
    skipped = ("model", "dataset", "data_root", "options", "train_split", "val_split", "val_limit")
    told = ("epochs", "batch_size", "learning_rate", "crop", "seed")
    return ", ".join(
        f"{field.name} {getattr(recipe, field.name)}"
        for field in dataclasses.fields(recipe)
        if field.name not in skipped and (field.name in told or getattr(recipe, field.name) != field.default)
    )
