"""Find the architecture, the data sets and the start model that a recipe names."""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from robseg.datasets import open_dataset
from robseg.datasets.base import Dataset
from robseg.errors import InputError, unknown_name
from robseg.evaluation.conditions import names_of
from robseg.models.architectures.segfix import DIRECTION_NAMES
from robseg.models.base import Architecture, architecture
from robseg.training.recipe import Recipe
from robseg.training.start import Start, open_start, options_of
from robseg.training.trial import try_out

__all__ = ["Setup", "corruption_names", "open_splits", "output_names", "resolve"]


Answer = TypeVar("Answer")


class Setup(NamedTuple):
    """The architecture, the opened data sets and the start model of a recipe."""

    architecture: Architecture
    train_set: Dataset
    val_set: Dataset
    start: Start | None = None


def resolve(recipe: Recipe) -> Setup:
    """Open everything that the recipe names; an unknown name raises InputError before anything is written."""
    network = architecture(recipe.model)
    if recipe.task != network.task:
        raise InputError(
            f"Expected `task` to be {network.task} for {network.name}, but got {recipe.task}: "
            "change the task or the model."
        )
    options = [name for name in inspect.signature(network.build).parameters if name != "num_classes"]
    for name in recipe.options:
        if name not in options:
            raise unknown_name(f"option of {network.name}", name, options)
    divisor = network.size_divisor
    if recipe.crop[0] % divisor or recipe.crop[1] % divisor:
        raise InputError(
            f"Expected `crop` to be multiples of {divisor} for {network.name}, but got {recipe.crop}: "
            "round both sides."
        )
    corruption_names(recipe)
    root = None if recipe.data_root is None else Path(recipe.data_root)
    train_set = open_splits(recipe.dataset, root, recipe.train_split).spread(recipe.train_limit)
    val_root = root if recipe.val_root is None else Path(recipe.val_root)
    val_set = open_dataset(recipe.dataset, val_root, recipe.val_split).spread(recipe.val_limit)
    if val_set.class_names != train_set.class_names:
        raise InputError(
            f"Expected validation data of the classes that are trained, {', '.join(train_set.class_names)}, "
            f"but '{val_root}' has {', '.join(val_set.class_names)}: "
            "describe the same classes in the same order."
        )
    start = open_start(network, recipe.start) if recipe.start is not None else None
    num_classes = len(output_names(recipe, train_set.class_names))
    try_out(network, options_of(recipe, start), recipe, num_classes, len(train_set))
    return Setup(network, train_set, val_set, start)


def corruption_names(recipe: Recipe) -> tuple[str, ...]:
    """Return the names of the corruptions to train with, each once; groups and subsets are expanded.

    Examples
    --------
    >>> corruption_names(Recipe("enet", "streets", corruptions=("fog", "weather")))
    ('fog', 'snow', 'frost', 'spatter')
    """
    try:
        return names_of(recipe.corruptions)
    except InputError as error:
        raise InputError(f"In `corruptions`: {error}") from error


def output_names(recipe: Recipe, class_names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of the main head's output channels, for data with these classes."""
    return DIRECTION_NAMES if recipe.task == "offsets" else class_names


def open_splits(name: str, root: Path | None, splits: str) -> Dataset:
    """Open one split, or several splits joined by + as one data set."""
    parts = tuple(open_dataset(name, root, split) for split in splits.split("+"))
    if len(parts) == 1:
        return parts[0]
    sizes = tuple(map(len, parts))
    fingerprints = "+".join(part.fingerprint for part in parts)
    return dataclasses.replace(
        parts[0],
        split=splits,
        clusters=tuple(cluster for part in parts for cluster in part.clusters),
        ids=tuple(id_ for part in parts for id_ in part.ids),
        read=_Joined(tuple(part.read for part in parts), sizes),
        is_unchanged=_Joined(tuple(part.is_unchanged for part in parts), sizes),
        fingerprint=hashlib.blake2b(fingerprints.encode(), digest_size=16).hexdigest(),
    )


@dataclasses.dataclass(frozen=True)
class _Joined(Generic[Answer]):
    """A function of an index into several data sets in a row; it can be pickled if theirs can."""

    functions: tuple[Callable[[int], Answer], ...]
    sizes: tuple[int, ...]

    def __call__(self, index: int) -> Answer:
        for function, size in zip(self.functions, self.sizes, strict=True):
            if index < size:
                return function(index)
            index -= size
        raise IndexError(index)
