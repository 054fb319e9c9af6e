"""Write the results of a finished training: weights with a card, and the recipe."""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Callable
from pathlib import Path

from reports.run.files import write_atomically
from robseg.datasets.base import DATASETS
from robseg.models.base import Network
from robseg.models.card import Card
from robseg.models.checkpoints.weights import halved, save_weights
from robseg.training.recipe import Recipe
from robseg.training.recipe_file import to_toml
from robseg.training.setup import Setup, corruption_names
from robseg.training.state import State
from robseg.training.validate import MiouInterval

__all__ = ["export", "exported"]


def exported(card: Card) -> list[str]:
    """Return the names of the files that `export` may write for a card."""
    weights = [f"{card.id}{which}.{suffix}" for which in ("", "-best") for suffix in ("safetensors", "json")]
    return ["recipe.toml", *weights]


def export(
    recipe: Recipe,
    card: Card,
    setup: Setup,
    state: State,
    out: Path,
    score: Callable[[Network], MiouInterval],
) -> dict[str, Path]:
    """Write OUT/recipe.toml, and the last weights to OUT/<id>.safetensors with a card.

    If an earlier epoch had a higher validation mIoU, its weights go to OUT/<id>-best.safetensors. Weights are
    stored in half precision, and the mIoU on a card is measured with the stored weights. Returns the paths of
    the weights under the names `last` and `best`.
    """
    write_atomically(out / "recipe.toml", to_toml(recipe).encode())
    card = _described(card, recipe, setup)
    last = out / f"{card.id}.safetensors"
    _save(last, state.result, _sourced(card, recipe, setup, state, "last"), score)
    if not state.best or state.best_miou == state.rows[-1].val_miou:
        return {"last": last, "best": last}
    best = out / f"{card.id}-best.safetensors"
    network = copy.deepcopy(state.result)
    network.load_state_dict(state.best)
    _save(best, network, _sourced(card, recipe, setup, state, "best"), score)
    return {"last": last, "best": best}


def _save(path: Path, network: Network, card: Card, score: Callable[[Network], MiouInterval]) -> None:
    network = copy.deepcopy(network).eval()
    for tensor in network.state_dict().values():
        tensor.copy_(halved(tensor))
    miou, low, high = (round(value, 4) for value in score(network))
    card = dataclasses.replace(
        card,
        weights_file=path.name,
        published_miou=None if math.isnan(miou) else miou,
        published_interval=None if math.isnan(low) else (low, high),
    )
    save_weights(path, network.state_dict(), card, half=True)


def _described(card: Card, recipe: Recipe, setup: Setup) -> Card:
    """Return the card, completed with the data and corruptions that the network was trained on."""
    data = setup.train_set
    filled = dataclasses.replace(
        card,
        published_protocol=f"{recipe.val_split}, whole images at {_size(recipe)}{_known_images(recipe)}",
        published_precision=recipe.precision,
        licence=_licence(recipe),
        citation=data.citation,
        seen_corruptions=corruption_names(recipe),
        trained_on=f"{data.name} {data.split}, {len(data)} images{_augmented(recipe)}",
    )
    return filled if setup.start is None else setup.start.history(filled)


def _sourced(card: Card, recipe: Recipe, setup: Setup, state: State, which: str) -> Card:
    """Return the card, completed with its source: the training, which of its weights, and its start model."""
    before = "" if setup.start is None else f"; it started from: {setup.start.card.source or 'unknown'}"
    limit = "" if recipe.val_limit is None else f" ({recipe.val_limit} images)"
    return dataclasses.replace(
        card,
        source=f"robseg train ({which} weights), {state.seconds / 3600:.2f} hours, mIoU on "
        f"{recipe.val_split}{limit}; {_summary(recipe)}{before}",
    )


def _size(recipe: Recipe) -> str:
    size = recipe.test_size
    return "their own size" if size is None else f"a size that fits into {size[0]}x{size[1]}"


def _known_images(recipe: Recipe) -> str:
    known = recipe.val_root is None and recipe.val_split in recipe.train_split.split("+")
    return "; it was also trained on these images" if known else ""


def _licence(recipe: Recipe) -> str:
    data = DATASETS[recipe.dataset].licence if recipe.dataset in DATASETS else ""
    return f"code: Apache-2.0; data: {data or 'unknown'}"


def _augmented(recipe: Recipe) -> str:
    names = corruption_names(recipe)
    if not names:
        return ""
    share = f"{recipe.corruption_rate:.0%} of them corrupted"
    return f", {share} ({', '.join(names)}; severities {', '.join(map(str, recipe.severities))})"


def _summary(recipe: Recipe) -> str:
    """Return, in one line, the recipe's fields that differ from the defaults, and a few others."""
    skipped = (
        "model",
        "dataset",
        "name",
        "start",
        "data_root",
        "val_root",
        "options",
        "train_split",
        "val_split",
        "val_limit",
    )
    told = ("epochs", "batch_size", "learning_rate", "crop", "seed")
    return ", ".join(
        f"{field.name} {getattr(recipe, field.name)}"
        for field in dataclasses.fields(recipe)
        if field.name not in skipped and (field.name in told or getattr(recipe, field.name) != field.default)
    )
