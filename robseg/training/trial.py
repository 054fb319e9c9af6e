"""Whether a recipe's network can be built and take its batches, found out without memory for either."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from robseg.errors import InputError
from robseg.models.base import Architecture
from robseg.training.recipe import Recipe

__all__ = ["try_out"]


def try_out(
    network: Architecture, options: Mapping[str, Any], recipe: Recipe, num_classes: int, num_images: int
) -> None:
    """Build the network and show it the smallest batch of `num_images` images, on torch's meta device.

    Raises
    ------
    InputError
        If the options are no network's, if it does not take such a batch (as norms that see one value of an
        image do not take a single one), or if its auxiliary heads are not those of `aux_weights`.
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
    except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
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
