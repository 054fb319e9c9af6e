"""The objectives that a network can learn and be scored by: classes of pixels, or SegFix's offsets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from robseg.datasets.base import IGNORE_INDEX
from robseg.models.architectures.segfix import DIRECTION_NAMES
from robseg.models.base import Network
from robseg.models.card import Card
from robseg.models.layers import resize
from robseg.models.predict.inference import autocast, labels, preprocess
from robseg.models.refine.targets import offset_targets
from robseg.training.batches import SampleCache
from robseg.training.class_weights import class_weights, pixel_counts
from robseg.training.losses import network_loss, offset_loss
from robseg.training.recipe import Recipe
from robseg.training.validate import counted

__all__ = ["Objective", "Offsets", "Segmentation", "objective"]

CPU = torch.device("cpu")
WEIGHING_SAMPLE = 100  # number of targets that the class weights are computed from
INSIDE = 0  # class of pixels away from boundaries; the directions follow


class Objective(Protocol):
    """What the trainer needs from an objective."""

    def loss(self, heads: Sequence[Tensor], targets: NDArray[np.uint8]) -> Tensor:
        """Return the loss of the logits of all heads for the targets of a batch, uint8 (N, H, W)."""

    def counts(self, network: Network, samples: SampleCache) -> NDArray[np.int64]:
        """Return the counts of a network in eval mode, by sample: see `counted`."""


def objective(recipe: Recipe, card: Card, samples: SampleCache, device: torch.device) -> Objective:
    """Return the recipe's objective on a device; `samples` are the training samples."""
    if recipe.task == "offsets":
        return Offsets(recipe, card, device)
    if recipe.class_weights == "none":
        return Segmentation(recipe, card, torch.ones(len(card.class_names)), device)
    chosen = np.linspace(0, len(samples) - 1, min(WEIGHING_SAMPLE, len(samples))).astype(int)
    counts = pixel_counts((samples[int(i)][1] for i in chosen), len(card.class_names))
    weights = class_weights(recipe.class_weights, counts, recipe.class_weights_power)
    return Segmentation(recipe, card, weights, device)


class Segmentation:
    """The objective of predicting the class of each pixel, counted at the images' own size."""

    def __init__(self, recipe: Recipe, card: Card, weights: Tensor, device: torch.device = CPU) -> None:
        self.recipe, self.card, self.device = recipe, card, device
        self.weights = weights.to(device)

    def loss(self, heads: Sequence[Tensor], targets: NDArray[np.uint8]) -> Tensor:
        """Return the recipe's loss over all heads."""
        there = torch.from_numpy(targets).to(self.device)
        return network_loss(heads, there, self.weights, self.recipe, self.card.align_corners)

    def counts(self, network: Network, samples: SampleCache) -> NDArray[np.int64]:
        """Return the counts of the classes."""
        pairs = (samples[index] for index in range(len(samples)))
        predicted = (
            (labels(network, image[None], self.card, self.device, self.recipe.precision)[0], target)
            for image, target in pairs
        )
        return counted(predicted, len(self.card.class_names))


class Offsets:
    """SegFix's objective: whether a pixel is near a boundary, and in which direction the inside lies.

    It is scored over nine classes: away from boundaries, and near a boundary in each of eight directions.
    """

    def __init__(self, recipe: Recipe, card: Card, device: torch.device = CPU) -> None:
        self.recipe, self.card, self.device = recipe, card, device

    def loss(self, heads: Sequence[Tensor], targets: NDArray[np.uint8]) -> Tensor:
        """Return the loss of both heads."""
        wanted = [offset_targets(target, IGNORE_INDEX) for target in targets]
        directions = torch.from_numpy(np.stack([target.directions for target in wanted]))
        mask = torch.from_numpy(np.stack([target.mask for target in wanted]))
        return offset_loss(heads[0], heads[1], directions.to(self.device), mask.to(self.device))

    def counts(self, network: Network, samples: SampleCache) -> NDArray[np.int64]:
        """Return the counts of the nine classes."""
        pairs = (samples[index] for index in range(len(samples)))
        return counted(
            ((self._predict(network, image), _together(target)) for image, target in pairs),
            1 + len(DIRECTION_NAMES),
        )

    @torch.inference_mode()
    def _predict(self, network: Network, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        x = preprocess(image[None], self.card, self.device)
        with autocast(self.device, self.recipe.precision):
            heads = network.heads(x)
        height, width = image.shape[:2]
        directions, mask = (
            resize(logits.float(), x.shape[-2:], align_corners=True)[0, :, :height, :width].argmax(dim=0)
            for logits in heads
        )
        classes: NDArray[np.uint8] = torch.where(mask == 1, 1 + directions, INSIDE).byte().cpu().numpy()
        return classes


def _together(target: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the nine classes of an image's labels, with boundary pixels that lack a direction ignored."""
    wanted = offset_targets(target, IGNORE_INDEX)
    near = np.where(wanted.directions == IGNORE_INDEX, IGNORE_INDEX, 1 + wanted.directions.astype(np.int64))
    classes = np.where(wanted.mask == 1, near, np.where(wanted.mask == 0, INSIDE, IGNORE_INDEX))
    return classes.astype(np.uint8)
