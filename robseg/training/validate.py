"""The mIoU of a network in training over a validation split."""

from __future__ import annotations

from typing import Literal

import numpy as np
from torch import nn

from robseg.evaluation.counts import Counts, count
from robseg.models.card import Card
from robseg.models.inference import labels
from robseg.training.batches import SampleCache

__all__ = ["miou", "validate"]


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


def validate(
    network: nn.Module, samples: SampleCache, card: Card, precision: Literal["fp32", "bf16"]
) -> float:
    """Return the mIoU over all samples, at the images' own size; the network's mode is kept."""
    num_classes = len(card.class_names)
    total = np.zeros((3, num_classes), np.int64)
    training = network.training
    network.eval()
    for index in range(len(samples)):
        image, target = samples[index]
        prediction = labels(network, image[None], card, precision=precision)[0]
        total += np.stack(count(prediction, target, num_classes))
    network.train(training)
    return miou(Counts(*total))
