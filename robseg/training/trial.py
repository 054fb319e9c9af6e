"""Check that a recipe's network can be built and accepts its batches, without using memory for either."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from robseg.errors import InputError
from robseg.models.base import WRONG_OPTIONS, Architecture
from robseg.training.recipe import Recipe

__all__ = ["try_out"]


def try_out(
    network: Architecture, options: Mapping[str, Any], recipe: Recipe, num_classes: int, num_images: int
) -> None:
    """Build the network and feed it the smallest batch of `num_images` images, on torch's meta device.

    Raises
    ------
    InputError
        If no network can be built with these options, if the network does not accept such a batch (a norm
        after global pooling needs more than one image), or if `aux_weights` does not fit its auxiliary heads.
    """
    together = min(num_images, recipe.batch_size * recipe.accumulate)
    smallest = (together - 1) % recipe.batch_size + 1
    try:
        with torch.device("meta"):
            heads = (
                network.build(num_classes, **options).train().heads(torch.empty(smallest, 3, *recipe.crop))
            )
    except InputError:
        raise
    except WRONG_OPTIONS as error:
        raise InputError(
            f"Expected options, a crop and batches with which {network.name} can be trained, but got "
            f"{dict(options)}, {recipe.crop} and a batch of {smallest} ({type(error).__name__}: {error}): "
            "correct them."
        ) from error
    auxiliary = len(heads) - 1
    if network.task == "segmentation" and len(recipe.aux_weights) not in (1, auxiliary):
        raise InputError(
            f"Expected `aux_weights` to be one number or {auxiliary} of them, one for each auxiliary head of "
            f"{network.name}, but got {recipe.aux_weights}: correct them."
        )
