"""Start a training from a trained model instead of from random weights."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from robseg.errors import InputError
from robseg.models.base import Architecture
from robseg.models.card import Card
from robseg.models.catalogue import architecture_of, is_weights_file
from robseg.models.checkpoints.weights import fitted
from robseg.models.model import load_model
from robseg.training.recipe import Recipe

__all__ = ["Start", "open_start", "options_of"]


class Start(NamedTuple):
    """A trained model: its card, its tensors, and the SHA-256 of its weights."""

    card: Card
    tensors: Mapping[str, Tensor]
    sha256: str

    def give(self, network: nn.Module, architecture: Architecture, card: Card) -> None:
        """Load these weights into a network that is described by `card`.

        If the classes differ, the network keeps its own classifiers.

        Raises
        ------
        InputError
            If the networks differ in more than their classes.
        """
        kept = network.state_dict()
        if self.card.class_names == card.class_names:
            taken = dict(self.tensors)
        else:
            of_classes = _tensors_of_classes(architecture, len(card.class_names), card.options)
            taken = {key: kept[key] if key in of_classes else tensor for key, tensor in self.tensors.items()}
        network.load_state_dict(
            fitted(f"this {card.architecture} (to start from {self.card.id})", taken, kept)
        )

    def history(self, card: Card) -> Card:
        """Return the trained model's card with this model's history: its training data and corruptions."""
        before = f"{self.card.id} ({self.card.trained_on or 'unknown data'}; sha256 {self.sha256[:12]})"
        seen = dict.fromkeys((*self.card.seen_corruptions, *card.seen_corruptions))
        return dataclasses.replace(
            card, trained_on=f"{card.trained_on}; started from {before}", seen_corruptions=tuple(seen)
        )


def options_of(recipe: Recipe, start: Start | None) -> dict[str, Any]:
    """Return the builder's options: those of the start model, overridden by the recipe's."""
    return {**({} if start is None else start.card.options), **recipe.options}


def open_start(architecture: Architecture, spec: str) -> Start:
    """Return the start model for a model's id, or for a file with weights of this architecture."""
    if is_weights_file(spec):
        model = load_model(architecture.name, Path(spec))
    else:
        name = architecture_of(spec)  # before it is loaded: a model of another program would run
        if name != architecture.name:
            raise InputError(
                f"Expected `start` to be a model of {architecture.name}, but {spec} is one of {name}: "
                "start from a model of the same architecture."
            )
        model = load_model(spec)
    return Start(model.card, model.network.state_dict(), model.sha256)


def _tensors_of_classes(architecture: Architecture, num_classes: int, options: Mapping[str, Any]) -> set[str]:
    """Return the names of the tensors whose shape depends on the number of classes."""
    with torch.device("meta"):
        one, other = (architecture.build(n, **options).state_dict() for n in (num_classes, num_classes + 1))
    return {key for key in one if one[key].shape != other[key].shape}
