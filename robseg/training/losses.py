"""The losses, for the labelled pixels of one head and for all heads of a network."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from robseg.datasets.base import IGNORE_INDEX
from robseg.models.layers import resize
from robseg.training.recipe import Recipe

__all__ = ["cross_entropy", "focal", "network_loss", "offset_loss", "ohem", "pixel_loss"]

# The next three functions take, for each pixel, the negative log-likelihood -ln p of its true class, float32
# (P,), and the weight of that class, (P,).


def cross_entropy(nll: Tensor, weights: Tensor) -> Tensor:
    """Return the weighted mean.

    Examples
    --------
    >>> cross_entropy(torch.tensor([1.0, 4.0]), torch.tensor([2.0, 1.0]))
    tensor(2.)
    """
    return (weights * nll).sum() / weights.sum()


def focal(nll: Tensor, weights: Tensor, gamma: float) -> Tensor:
    """Return the weighted mean of -(1 - p) ** gamma ln p, in which easy pixels count little.

    Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017, with a softmax over all classes.

    Examples
    --------
    >>> focal(torch.tensor([2.0]), torch.tensor([3.0]), gamma=0)
    tensor(2.)
    """
    return cross_entropy((-torch.expm1(-nll)).clamp(min=0) ** gamma * nll, weights)


def ohem(nll: Tensor, weights: Tensor, threshold: float, share: float) -> Tensor:
    """Return the weighted mean over the hard pixels: those with p <= threshold, but at least a share of all.

    Shrivastava et al., "Training Region-based Object Detectors with Online Hard Example Mining", CVPR 2016.

    Examples
    --------
    >>> ohem(torch.tensor([0.1, 0.01, 3.0]), torch.ones(3), threshold=0.7, share=0.1)
    tensor(3.)
    """
    least = max(1, round(share * len(nll)))
    easiest = nll.detach().kthvalue(len(nll) - least + 1).values
    limit = torch.minimum(easiest, -torch.tensor(threshold).log())
    hard = nll.detach() >= limit
    return cross_entropy(nll[hard], weights[hard])


def pixel_loss(logits: Tensor, targets: Tensor, weights: Tensor, recipe: Recipe) -> Tensor:
    """Return the recipe's loss over the labelled pixels (0 if none has a positive weight).

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
    nll = F.cross_entropy(logits, targets.long(), ignore_index=IGNORE_INDEX, reduction="none")[labelled]
    if recipe.loss == "focal":
        return focal(nll, pixel_weights, recipe.gamma)
    if recipe.loss == "ohem":
        return ohem(nll, pixel_weights, recipe.ohem_threshold, recipe.ohem_share)
    return cross_entropy(nll, pixel_weights)


def network_loss(
    heads: Sequence[Tensor], targets: Tensor, weights: Tensor, recipe: Recipe, align_corners: bool = False
) -> Tensor:
    """Return the loss of the main head plus those of the auxiliary heads times their weights in the recipe.

    Parameters
    ----------
    heads
        Logits (N, C, h, w) of any size and precision, those of the main head first. They are resized to the
        targets' size.
    """
    aux = recipe.aux_weights * (len(heads) - 1) if len(recipe.aux_weights) == 1 else recipe.aux_weights
    losses = [
        factor
        * pixel_loss(resize(logits.float(), targets.shape[-2:], align_corners), targets, weights, recipe)
        for factor, logits in zip((1.0, *aux), heads, strict=True)
    ]
    return torch.stack(losses).sum()


def offset_loss(direction_logits: Tensor, mask_logits: Tensor, directions: Tensor, mask: Tensor) -> Tensor:
    """Return SegFix's loss: that of the boundary plus that of the direction where a boundary is predicted.

    Both are cross entropies. The weight of a class is 1 - its share of the batch (SegFix, section 3.2).

    Parameters
    ----------
    direction_logits, mask_logits
        (N, 8, h, w) and (N, 2, h, w) in any precision. They are resized to the targets' size with aligned
        corners.
    directions, mask
        uint8 (N, H, W), see `OffsetTargets`.
    """
    size = mask.shape[-2:]
    direction_logits, mask_logits = (
        resize(logits.float(), size, align_corners=True) for logits in (direction_logits, mask_logits)
    )
    predicted = mask_logits.detach().argmax(dim=1) == 1
    near = directions.masked_fill(~predicted, IGNORE_INDEX)
    return balanced_cross_entropy(mask_logits, mask) + balanced_cross_entropy(direction_logits, near)


def balanced_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the cross entropy in which the weight of a class is 1 - its share of the labelled pixels.

    It is 0 if no class has both pixels and a positive weight.
    """
    labelled = targets != IGNORE_INDEX
    counts = torch.bincount(targets[labelled].long(), minlength=logits.shape[1])
    weights = 1 - counts / counts.sum().clamp(min=1)
    if not bool((weights * counts).any()):
        return logits.sum() * 0
    return F.cross_entropy(logits, targets.long(), weights, ignore_index=IGNORE_INDEX)
