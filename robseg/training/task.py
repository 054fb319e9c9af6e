"""From a recipe's names to the architecture and the data that they name."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from robseg.datasets import open_dataset
from robseg.datasets.base import Dataset
from robseg.errors import InputError
from robseg.models.base import Architecture, architecture
from robseg.training.recipe import Recipe

__all__ = ["Task", "resolve"]


class Task(NamedTuple):
    """What a recipe names, opened."""

    architecture: Architecture
    train_set: Dataset
    val_set: Dataset


def resolve(recipe: Recipe) -> Task:
    """Open what the recipe names; an unknown name raises InputError before anything is written."""
    network = architecture(recipe.model)
    divisor = network.size_divisor
    if recipe.crop[0] % divisor or recipe.crop[1] % divisor:
        raise InputError(
            f"Expected `crop` to be multiples of {divisor} for {network.name}, but got {recipe.crop}."
        )
    root = None if recipe.data_root is None else Path(recipe.data_root)
    train_set = open_dataset(recipe.dataset, root, recipe.train_split).head(recipe.train_limit)
    val_set = open_dataset(recipe.dataset, root, recipe.val_split).head(recipe.val_limit)
    return Task(network, train_set, val_set)
