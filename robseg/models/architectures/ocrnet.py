"""OCRNet: Object-Contextual Representations for Semantic Segmentation.

Yuan, Chen, Wang, 2019, https://arxiv.org/abs/1909.11065. A coarse segmentation gives soft object regions. The
features of a region's pixels are averaged to represent it. Each pixel is then augmented with the regions that
it relates to. Parameters have the names that mmsegmentation 1.x (Apache-2.0) uses, so that its files load
without renaming; the names in the authors' two repositories are mapped to them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from robseg.models.backbones import Backbone, OutputStride, build_backbone
from robseg.models.backbones.hrnet import HRNET_NAMES, hrnet
from robseg.models.base import Architecture, Fit, Network
from robseg.models.layers import ACTIVATIONS, Activation, ConvModule, FCNHead, resize
from robseg.models.layouts import mmseg, native
from robseg.models.layouts.published import fit_published

__all__ = ["ARCHITECTURE", "OCRNet", "fit"]


def object_regions(features: Tensor, coarse: Tensor) -> Tensor:
    """Return the representation of each class, (N, C, num_classes, 1): a weighted mean of pixel features.

    `features` (N, C, H, W) are weighted by the softmax of the coarse logits (N, num_classes, H, W) over the
    pixels of the image (equation 2).
    """
    weights = coarse.flatten(2).softmax(dim=2)
    regions = weights @ features.flatten(2).transpose(1, 2)
    return regions.transpose(1, 2).unsqueeze(3)


class ObjectContextBlock(nn.Module):
    """Augment pixels with object regions by attention from pixels to regions (equations 3 to 5)."""

    def __init__(self, channels: int, key_channels: int, activation: type[nn.Module]) -> None:
        super().__init__()

        def conv(in_channels: int, out_channels: int) -> ConvModule:
            return ConvModule(in_channels, out_channels, activation=activation)

        self.query_project = nn.Sequential(conv(channels, key_channels), conv(key_channels, key_channels))
        self.key_project = nn.Sequential(conv(channels, key_channels), conv(key_channels, key_channels))
        self.value_project = conv(channels, key_channels)
        self.out_project = conv(key_channels, channels)
        self.bottleneck = conv(2 * channels, channels)
        self.scale = key_channels**-0.5

    def forward(self, features: Tensor, regions: Tensor) -> Tensor:
        """Return pixel features (N, channels, H, W), augmented with the regions (N, channels, classes, 1)."""
        query = self.query_project(features).flatten(2).transpose(1, 2)
        key = self.key_project(regions).flatten(2)
        value = self.value_project(regions).flatten(2).transpose(1, 2)
        relation = (self.scale * (query @ key)).softmax(dim=2)
        context = (relation @ value).transpose(1, 2).unflatten(2, features.shape[-2:])
        return cast(Tensor, self.bottleneck(torch.cat((self.out_project(context), features), dim=1)))


class OCRHead(nn.Module):
    """The main head: pixel representations, object regions, the relation between them, and a classifier."""

    def __init__(
        self,
        in_channels: int,
        channels: int,
        key_channels: int,
        num_classes: int,
        dropout: float,
        activation: type[nn.Module],
    ) -> None:
        super().__init__()
        self.bottleneck = ConvModule(in_channels, channels, 3, activation=activation)
        self.object_context_block = ObjectContextBlock(channels, key_channels, activation)
        self.dropout = nn.Dropout2d(dropout)
        self.conv_seg = nn.Conv2d(channels, num_classes, 1)

    def forward(self, features: Tensor, coarse: Tensor) -> Tensor:
        """Return logits (N, num_classes, H, W)."""
        features = self.bottleneck(features)
        features = self.object_context_block(features, object_regions(features, coarse))
        return cast(Tensor, self.conv_seg(self.dropout(features)))


class OCRNet(Network):
    """Backbone, coarse segmentation, object-contextual representations: (N, 3, H, W) to logits.

    On an HRNet both heads get all branches, resized to the finest one (1/4 of the image). On other backbones
    the coarse head gets the third stage and the main head the fourth, at 1/`output_stride`.

    Parameters
    ----------
    channels, key_channels
        Channels of the pixel representations and of the attention.
    coarse_channels, coarse_kernel
        Channels and kernel size of the coarse head's convolution. The default is 1x1 with as many channels as
        its input on an HRNet, else 3x3 with 256 channels.
    align_corners
        How the branches of an HRNet are resized: False in mmsegmentation, True in the authors' repositories.
    activation
        Use `leaky_relu` (slope 0.01) for weights that were trained with in-place activated batch norm.
    stem_channels, maxpool_ceil_mode
        Options of a ResNet, if the backbone is one.

    Examples
    --------
    >>> import torch
    >>> OCRNet(19, "hrnet_w18_small").eval()(torch.zeros(1, 3, 64, 96)).shape
    torch.Size([1, 19, 16, 24])
    """

    def __init__(
        self,
        num_classes: int,
        backbone: str = "hrnet_w18",
        channels: int = 512,
        key_channels: int = 256,
        coarse_channels: int | None = None,
        coarse_kernel: int | None = None,
        dropout: float | None = None,
        align_corners: bool = False,
        activation: Activation = "relu",
        output_stride: OutputStride = 8,
        stem_channels: int = 64,
        maxpool_ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.multi_resolution = backbone in HRNET_NAMES
        self.align_corners = align_corners
        self.backbone = encoder(backbone, align_corners, output_stride, stem_channels, maxpool_ceil_mode)
        stages = self.backbone.channels
        if self.multi_resolution:
            coarse_in, main_in = sum(stages), sum(stages)
            coarse_channels = coarse_channels or sum(stages)
            coarse_kernel, dropout = coarse_kernel or 1, dropout or 0.0
        else:
            coarse_in, main_in = stages[2:4]
            coarse_channels, coarse_kernel = coarse_channels or 256, coarse_kernel or 3
            dropout = 0.1 if dropout is None else dropout
        act = ACTIVATIONS[activation]
        coarse = FCNHead(coarse_in, coarse_channels, num_classes, coarse_kernel, dropout=dropout)
        for conv in coarse.convs:
            cast(ConvModule, conv).activate = act()
        main = OCRHead(main_in, channels, key_channels, num_classes, dropout, act)
        self.decode_head = nn.ModuleList((coarse, main))

    def forward(self, images: Tensor) -> Tensor:
        """Return the main head's logits."""
        return self.heads(images)[0]

    def heads(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits of the main and the coarse head."""
        coarse_features, features = self.features(self.backbone(images))
        coarse = self.decode_head[0](coarse_features)
        return self.decode_head[1](features, coarse), coarse

    def features(self, maps: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Return the inputs of the coarse and of the main head, from the maps of the backbone."""
        if not self.multi_resolution:
            return maps[2], maps[3]
        size = maps[0].shape[-2:]
        together = torch.cat([resize(x, size, self.align_corners) for x in maps], dim=1)
        return together, together


def encoder(
    name: str, align_corners: bool, output_stride: OutputStride, stem_channels: int, maxpool_ceil_mode: bool
) -> Backbone:
    """Return a backbone with those of the flags that its family supports."""
    if name in HRNET_NAMES:
        return hrnet(name, align_corners)
    if name.startswith("resnet"):
        return build_backbone(
            name,
            output_stride=output_stride,
            stem_channels=stem_channels,
            maxpool_ceil_mode=maxpool_ceil_mode,
        )
    return build_backbone(name, output_stride=output_stride)


def fit(state_dict: dict[str, Tensor]) -> Fit:
    """Return how a checkpoint fits OCRNet: mmsegmentation's (and ours), HRNet-OCR's or openseg's."""
    published = native("ocrnet", state_dict)
    tensors = published.tensors
    num_classes = mmseg.width(tensors, "decode_head.1.conv_seg.weight") or 1
    return fit_published(published, "OCRNet", OCRNet, num_classes, _options(tensors))


def _options(tensors: dict[str, Tensor]) -> dict[str, Any]:
    """Return the options that the names and shapes of the tensors determine."""
    found = {
        "channels": mmseg.width(tensors, "decode_head.1.bottleneck.conv.weight"),
        "key_channels": mmseg.width(tensors, "decode_head.1.object_context_block.value_project.conv.weight"),
        "coarse_channels": mmseg.width(tensors, "decode_head.0.convs.0.conv.weight"),
        "coarse_kernel": mmseg.width(tensors, "decode_head.0.convs.0.conv.weight", axis=2),
        "stem_channels": mmseg.width(tensors, "backbone.stem.6.weight"),
    }
    proved = {name: size for name, size in found.items() if size is not None}
    return {"backbone": mmseg.backbone_name(tensors), **proved}


ARCHITECTURE = Architecture(
    name="ocrnet",
    build=OCRNet,
    fit=fit,
)
