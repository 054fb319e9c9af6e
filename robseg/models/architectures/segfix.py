"""SegFix: Model-Agnostic Boundary Refinement for Segmentation.

Yuan, Xie, Chen, Wang, 2020, https://arxiv.org/abs/2007.04269. From the image alone, the network predicts
whether a pixel is near a boundary, and in which of eight directions the inside of its region lies.
`robseg.models.refine` moves labels accordingly. Parameters have the names that
github.com/openseg-group/openseg.pytorch (MIT) uses.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from robseg.errors import InputError
from robseg.models.backbones import Backbone, OutputStride, build_backbone
from robseg.models.backbones.hrnet import HRNET_NAMES, hrnet
from robseg.models.base import Architecture, Fit, Network
from robseg.models.layers import ACTIVATIONS, Activation, resize
from robseg.models.layouts import mmseg, openseg
from robseg.models.layouts.published import fit_published

__all__ = ["ARCHITECTURE", "DIRECTION_NAMES", "SegFix", "fit"]

# The directions in the order of the direction head's channels: every 45 degrees, clockwise from the left.
DIRECTION_NAMES = ("left", "up left", "up", "up right", "right", "down right", "down", "down left")
MASK_CHANNELS = 2


class SegFix(Network):
    """A backbone, whose maps are resized to the finest one and concatenated, and two heads.

    It maps normalised float (N, 3, H, W) to direction logits (N, 8, h, w) at the size of the finest map: half
    the image's size for HRNet2x, else a quarter. Maps are resized with aligned corners.

    Examples
    --------
    >>> import torch
    >>> directions, mask = SegFix(8, "hrnet_w18_small").eval().heads(torch.zeros(1, 3, 64, 96))
    >>> directions.shape, mask.shape
    (torch.Size([1, 8, 16, 24]), torch.Size([1, 2, 16, 24]))
    """

    def __init__(
        self,
        num_classes: int = len(DIRECTION_NAMES),
        backbone: str = "hrnet_w48",
        channels: int = 256,
        activation: Activation = "relu",
        output_stride: OutputStride = 32,
    ) -> None:
        super().__init__()
        if num_classes != len(DIRECTION_NAMES):
            raise InputError(
                f"Expected {len(DIRECTION_NAMES)} directions of SegFix, but got {num_classes}: "
                "do not set the number of classes, which SegFix does not predict."
            )
        self.backbone = encoder(backbone, output_stride)
        in_channels = sum(self.backbone.channels)
        self.dir_head = head(in_channels, channels, num_classes, activation)
        self.mask_head = head(in_channels, channels, MASK_CHANNELS, activation)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits of the directions."""
        return self.heads(images)[0]

    def heads(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits of the directions, and those of inside (0) and boundary (1)."""
        maps = self.backbone(images)
        size = maps[0].shape[-2:]
        features = torch.cat([resize(x, size, align_corners=True) for x in maps], dim=1)
        return self.dir_head(features), self.mask_head(features)


def encoder(name: str, output_stride: OutputStride) -> Backbone:
    """Return a backbone; HRNets resize their branches with aligned corners."""
    if name in HRNET_NAMES:
        return hrnet(name, align_corners=True)
    return build_backbone(name, output_stride=output_stride)


def head(in_channels: int, channels: int, out_channels: int, activation: Activation) -> nn.Sequential:
    """Return a 1x1 convolution with batch norm and activation, and a classifier without bias."""
    return nn.Sequential(
        nn.Conv2d(in_channels, channels, 1, bias=False),
        nn.Sequential(nn.BatchNorm2d(channels), ACTIVATIONS[activation]()),
        nn.Conv2d(channels, out_channels, 1, bias=False),
    )


def fit(state_dict: dict[str, Tensor]) -> Fit:
    """Return how a checkpoint of openseg or of ours fits SegFix."""
    published = openseg.segfix(state_dict)
    shown = {
        "backbone": mmseg.backbone_name(published.tensors),
        "channels": mmseg.width(published.tensors, "dir_head.0.weight") or 256,
    }
    return fit_published(published, "SegFix", SegFix, len(DIRECTION_NAMES), shown, DIRECTION_NAMES)


ARCHITECTURE = Architecture(
    name="segfix",
    build=SegFix,
    fit=fit,
    task="offsets",
)
