"""Class weights from the pixel shares of the training targets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["class_weights", "enet_weights", "median_frequency_weights", "pixel_counts"]


def pixel_counts(targets: Iterable[NDArray[np.uint8]], num_classes: int) -> NDArray[np.int64]:
    """Count the pixels of each class in each target: int64 (number of targets, C)."""
    rows = [np.bincount(target.ravel(), minlength=256)[:num_classes] for target in targets]
    return np.array(rows, np.int64).reshape(-1, num_classes)


def enet_weights(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return 1 / ln(1.02 + p) with p the class's share of the labelled pixels: (M, C) counts to (C,).

    Paszke et al., "ENet", 2016, section 5.1: the weights stay between 1.4 and 50.

    Examples
    --------
    >>> enet_weights(np.array([[98, 2]])).round(2)
    array([ 1.44, 25.5 ])
    """
    total = counts.sum(axis=0)
    return np.asarray(1 / np.log(1.02 + total / max(1, total.sum())))


def median_frequency_weights(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return median(f) / f, where f is a class's share of the labelled pixels of the images that contain it.

    Eigen & Fergus, "Predicting Depth, Surface Normals and Semantic Labels", ICCV 2015, section 4.3.2. A class
    that no target contains gets the weight of the rarest class, because the targets may be only a sample.

    Examples
    --------
    >>> median_frequency_weights(np.array([[60, 40, 0], [80, 0, 20]])).round(2)
    array([0.57, 1.  , 2.  ])
    >>> median_frequency_weights(np.array([[60, 40, 0]])).round(2)
    array([0.83, 1.25, 1.25])
    """
    shown = np.where(counts > 0, counts.sum(axis=1, keepdims=True), 0).sum(axis=0)
    present = shown > 0
    if not present.any():
        return np.ones(counts.shape[1])
    frequency = counts.sum(axis=0)[present] / shown[present]
    weights = np.full(counts.shape[1], np.median(frequency) / frequency.min())
    weights[present] = np.median(frequency) / frequency
    return weights


def class_weights(kind: Literal["enet", "median"], counts: NDArray[np.int64], power: float = 1.0) -> Tensor:
    """Return the weights of that kind, raised to `power`: float32 (C,)."""
    weights = enet_weights(counts) if kind == "enet" else median_frequency_weights(counts)
    return torch.from_numpy((weights**power).astype(np.float32))
