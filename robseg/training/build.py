"""Build the start of a training: a card, a network with its first weights, and an optimizer."""

from __future__ import annotations

import copy
import inspect
import math

import torch

from robseg.datasets.base import Dataset
from robseg.models.base import Architecture
from robseg.models.card import Card
from robseg.training.encoder import normalisation, start_from_imagenet
from robseg.training.optimizer import build_optimizer
from robseg.training.quick import quicken
from robseg.training.recipe import Recipe
from robseg.training.setup import output_names
from robseg.training.start import Start, options_of
from robseg.training.state import State

__all__ = ["blank_card", "build_state"]


def blank_card(
    recipe: Recipe, architecture: Architecture, train_set: Dataset, start: Start | None = None
) -> Card:
    """Return the card of a network before its training: how to feed it, and its classes.

    A network that starts from a model takes that model's options and normalisation; the recipe's options
    override them.
    """
    chosen = options_of(recipe, start)
    parameters = inspect.signature(architecture.build).parameters
    defaults = {name: parameter.default for name, parameter in parameters.items()}
    options = {**defaults, **chosen}
    backbone = str(options.get("backbone", ""))
    pixels = normalisation(backbone) if start is None else start.card
    return Card(
        id=recipe.name or f"{architecture.name}@{train_set.name}",
        architecture=architecture.name,
        dataset=train_set.name,
        class_names=output_names(recipe, train_set.class_names),
        backbone=backbone,
        mean=pixels.mean,
        std=pixels.std,
        channel_order=pixels.channel_order,
        test_size=recipe.test_size,
        resize="exact" if recipe.test_size is None else "fit",
        size_divisor=math.lcm(architecture.size_divisor, recipe.size_divisor),
        align_corners=bool(options.get("align_corners", False)),
        options=chosen,
    )


def build_state(
    recipe: Recipe,
    architecture: Architecture,
    card: Card,
    start: Start | None,
    device: torch.device,
) -> State:
    """Return the state before the first step; the first weights come from torch's global generator."""
    torch.manual_seed(recipe.seed)
    network = architecture.build(len(card.class_names), **card.options)
    if recipe.pretrained:
        start_from_imagenet(network, card.backbone)
    if start is not None:
        start.give(network, architecture, card)
    network = network.to(device).to(memory_format=torch.channels_last).train()
    if device.type == "cpu":
        quicken(network)
    averaged = copy.deepcopy(network).eval() if recipe.ema else None
    return State(network, build_optimizer(network, recipe), averaged)
