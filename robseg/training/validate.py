"""The mIoU of a network in training over a validation split."""

from __future__ import annotations

from contextlib import AbstractContextManager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from robseg.evaluation.counts import Counts, count
from robseg.models.card import Card
from robseg.training.batches import SampleCache

__all__ = ["autocast", "miou", "normalise", "validate"]


def autocast(precision: str) -> AbstractContextManager[None]:
    """Return the context under which a network runs in `precision`: fp32 or bf16."""
    return torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16")


def normalise(images: NDArray[np.uint8], card: Card) -> Tensor:
    """Turn uint8 RGB (N, H, W, 3) into the network's float32 (N, 3, H, W), in channels_last memory order."""
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2).float()
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (card.mean, card.std))
    return (pixels - mean) / std


def miou(counts: Counts) -> float:
    """Return the mean IoU over the classes that occur in target or prediction (NaN where none does).

    Examples
    --------
    >>> miou(Counts(np.array([3, 1, 0]), np.array([1, 0, 0]), np.array([0, 1, 0])))
    0.625
    """
    union = counts.tp + counts.fp + counts.fn
    occurs = union > 0
    return float((counts.tp[occurs] / union[occurs]).mean()) if occurs.any() else float("nan")


@torch.inference_mode()
def predict(network: nn.Module, image: NDArray[np.uint8], card: Card, precision: str) -> NDArray[np.uint8]:
    """Return the labels, uint8 (H, W), of one image; `network` is in eval mode."""
    pixels = normalise(image[None], card)
    height, width = image.shape[:2]
    pixels = F.pad(pixels, (0, -width % card.size_divisor, 0, -height % card.size_divisor))
    with autocast(precision):
        logits = network(pixels).float()
    if logits.shape[-2:] != pixels.shape[-2:]:
        logits = F.interpolate(logits, pixels.shape[-2:], mode="bilinear", align_corners=card.align_corners)
    labels: NDArray[np.uint8] = logits[0, :, :height, :width].argmax(0).to(torch.uint8).numpy()
    return labels


def validate(network: nn.Module, samples: SampleCache, card: Card, precision: str) -> float:
    """Return the mIoU over all samples, at the images' own size; the network is left in train mode."""
    num_classes = len(card.class_names)
    total = np.zeros((3, num_classes), np.int64)
    network.eval()
    for index in range(len(samples)):
        image, target = samples[index]
        total += np.stack(count(predict(network, image, card, precision), target, num_classes))
    network.train()
    return miou(Counts(*total))
