"""The losses: of one labelled pixel's class, and of all heads of a network."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from robseg.datasets.base import IGNORE_INDEX
from robseg.models.layers import resize
from robseg.training.recipe import Recipe

__all__ = ["cross_entropy", "focal", "network_loss", "ohem", "pixel_loss"]

# The next three take the surprise -ln p of the true classes, float32 (P,), and these classes' weights (P,).


def cross_entropy(surprise: Tensor, weights: Tensor) -> Tensor:
    """Return the weighted mean.

    Examples
    --------
    >>> cross_entropy(torch.tensor([1.0, 4.0]), torch.tensor([2.0, 1.0]))
    tensor(2.)
    """
    return (weights * surprise).sum() / weights.sum()


def focal(surprise: Tensor, weights: Tensor, gamma: float) -> Tensor:
    """Return the weighted mean of -(1 - p) ** gamma ln p: pixels that are right already count little.

    Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017, with a softmax over all classes.

    Examples
    --------
    >>> focal(torch.tensor([2.0]), torch.tensor([3.0]), gamma=0)
    tensor(2.)
    """
    return cross_entropy((-torch.expm1(-surprise)).clamp(min=0) ** gamma * surprise, weights)


def ohem(surprise: Tensor, weights: Tensor, threshold: float, share: float) -> Tensor:
    """Return the weighted mean over the hard pixels: those with p <= threshold, and at least a share of all.

    Shrivastava et al., "Training Region-based Object Detectors with Online Hard Example Mining", CVPR 2016.

    Examples
    --------
    >>> ohem(torch.tensor([0.1, 0.01, 3.0]), torch.ones(3), threshold=0.7, share=0.1)
    tensor(3.)
    """
    least = max(1, round(share * len(surprise)))
    easiest = surprise.detach().kthvalue(len(surprise) - least + 1).values
    limit = torch.minimum(easiest, -torch.tensor(threshold).log())
    hard = surprise.detach() >= limit
    return cross_entropy(surprise[hard], weights[hard])


def pixel_loss(logits: Tensor, targets: Tensor, weights: Tensor, recipe: Recipe) -> Tensor:
    """Return the recipe's loss over the labelled pixels (0 where there are none that weigh anything).

    Parameters
    ----------
    logits
        float32 (N, C, H, W).
    targets
        uint8 (N, H, W), classes or IGNORE_INDEX.
    weights
        float32 (C,).
    """
    labelled = targets != IGNORE_INDEX
    classes = targets[labelled].long()
    pixel_weights = weights[classes]
    if not bool(pixel_weights.any()):
        return logits.sum() * 0
    surprise = F.cross_entropy(logits, targets.long(), ignore_index=IGNORE_INDEX, reduction="none")[labelled]
    if recipe.loss == "focal":
        return focal(surprise, pixel_weights, recipe.gamma)
    if recipe.loss == "ohem":
        return ohem(surprise, pixel_weights, recipe.ohem_threshold, recipe.ohem_share)
    return cross_entropy(surprise, pixel_weights)


def network_loss(
    heads: Sequence[Tensor], targets: Tensor, weights: Tensor, recipe: Recipe, align_corners: bool = False
) -> Tensor:
    """Return the main head's loss plus the auxiliary heads' ones, each by its weight in the recipe.

    Parameters
    ----------
    heads
        Logits (N, C, h, w) of any size and precision, the main head's first: resized to the targets' size.
    """
    aux = recipe.aux_weights * len(heads) if len(recipe.aux_weights) == 1 else recipe.aux_weights
    losses = [
        factor
        * pixel_loss(resize(logits.float(), targets.shape[-2:], align_corners), targets, weights, recipe)
        for factor, logits in zip((1.0, *aux), heads, strict=False)
    ]
    return torch.stack(losses).sum()
