"""What a finished training leaves behind: weights with a card, and the recipe."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from torch import Tensor

from robseg.datasets.base import Dataset
from robseg.files import write_atomically
from robseg.models.base import Architecture
from robseg.models.card import Card
from robseg.models.weights import save_weights
from robseg.training.recipe import Recipe
from robseg.training.state import State

__all__ = ["blank_card", "export"]


def blank_card(architecture: Architecture, train_set: Dataset) -> Card:
    """Return the card of a network that is about to be trained: how to feed it, and what it answers."""
    return Card(
        id=f"{architecture.name}@{train_set.name}",
        architecture=architecture.name,
        dataset=train_set.name,
        class_names=train_set.class_names,
        size_divisor=architecture.size_divisor,
    )


def export(recipe: Recipe, card: Card, train_set: Dataset, state: State, out: Path) -> dict[str, Path]:
    """Write OUT/recipe.json and OUT/<id>.safetensors with its card: the last weights.

    Where an earlier epoch validated better, its weights go to OUT/<id>-best.safetensors. Returns the weights'
    paths under the names `last` and `best`.
    """
    write_atomically(out / "recipe.json", (json.dumps(dataclasses.asdict(recipe), indent=2) + "\n").encode())
    last = _save(out / f"{card.id}.safetensors", recipe, card, train_set, state, "last")
    if state.best_miou <= (state.rows[-1].val_miou or 0.0):
        return {"last": last, "best": last}
    return {
        "last": last,
        "best": _save(out / f"{card.id}-best.safetensors", recipe, card, train_set, state, "best"),
    }


def _save(path: Path, recipe: Recipe, card: Card, train_set: Dataset, state: State, which: str) -> Path:
    miou = state.best_miou if which == "best" else state.rows[-1].val_miou
    weights: dict[str, Tensor] = state.best if which == "best" else state.network.state_dict()
    filled = dataclasses.replace(
        card,
        published_miou=None if miou is None else round(miou, 4),
        weights_file=path.name,
        trained_on=f"{train_set.name} {train_set.split}, {len(train_set)} images",
        source=(
            f"robseg train ({which} weights), {state.seconds / 3600:.2f} hours, mIoU on {recipe.val_split}"
            f"{'' if recipe.val_limit is None else f' (first {recipe.val_limit} images)'}; {_summary(recipe)}"
        ),
    )
    save_weights(path, weights, filled, half=True)
    return path


def _summary(recipe: Recipe) -> str:
    fields = (
        "epochs",
        "batch_size",
        "learning_rate",
        "power",
        "weight_decay",
        "crop",
        "scale",
        "flip",
        "jitter",
    )
    return ", ".join(
        f"{field} {getattr(recipe, field)}" for field in (*fields, "class_weights", "precision", "seed")
    )
