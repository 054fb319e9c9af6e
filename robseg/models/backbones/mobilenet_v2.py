"""MobileNetV2: Inverted Residuals and Linear Bottlenecks (Sandler et al., 2018).

The paper is https://arxiv.org/abs/1801.04381. Parameters have the names that mmsegmentation 1.x uses. Two
upstreams dilate and pad the same layers differently:

=============================  =========================  =====================================
what                           mmsegmentation             VainF/DeepLabV3Plus-Pytorch
=============================  =========================  =====================================
first block of a layer         the layer's dilation       dilation of the layer before
other blocks of a layer        no dilation                the layer's dilation
zeros around a block's input   before its 3x3             before its first 1x1, which turns
                                                          them into its bias
stem                           padded                     not padded
=============================  =========================  =====================================
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Literal, NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from robseg.models.backbones import Backbone, OutputStride
from robseg.models.layers import ConvModule

__all__ = ["BACKBONES", "TAPS", "InvertedResidual", "LayerPlan", "MobileBackbone", "MobileNetV2", "atrous"]

# Properties of the seven layers (table 2).
EXPANSIONS = (1, 6, 6, 6, 6, 6, 6)
CHANNELS = (16, 24, 32, 64, 96, 160, 320)
BLOCKS = (1, 2, 3, 4, 3, 3, 1)
STRIDES = (1, 2, 2, 2, 1, 2, 1)
# The last layers at 1/4, 1/8, 1/16 and 1/32 of the image's size, also for EfficientNet-Lite0.
TAPS = (1, 2, 4, 6)
EARLY = 2  # layers in the precision of their weights

Variant = Literal["mmseg", "vainf"]


class LayerPlan(NamedTuple):
    """The stride of a layer's first block, the layer's dilation, and the dilation of the layer before."""

    stride: int
    dilation: int
    before: int


def atrous(strides: Sequence[int], output_stride: int) -> list[LayerPlan]:
    """Plan the layers after a stem of stride 2; strides beyond the output stride become dilations.

    Examples
    --------
    >>> [(plan.stride, plan.dilation) for plan in atrous(STRIDES, output_stride=8)]
    [(1, 1), (2, 1), (2, 1), (1, 2), (1, 2), (1, 4), (1, 4)]
    """
    plans, reached, dilation = [], 2, 1
    for stride in strides:
        before = dilation
        if reached == output_stride:
            dilation *= stride
            stride = 1  # noqa: PLW2901
        reached *= stride
        plans.append(LayerPlan(stride, dilation, before))
    return plans


class InvertedResidual(nn.Module):
    """A 1x1 convolution that adds channels, a depthwise one, and a 1x1 one that removes them, not activated.

    With `pad_first`, the zeros that keep the size are added to the block's input.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int = 1,
        dilation: int = 1,
        expansion: int = 6,
        kernel_size: int = 3,
        pad_first: bool = False,
    ) -> None:
        super().__init__()
        inside = in_channels * expansion
        depthwise = ConvModule(
            inside, inside, kernel_size, stride, dilation, groups=inside, activation=nn.ReLU6
        )
        self.padding = 0
        if pad_first:
            self.padding = dilation * (kernel_size // 2)
            depthwise.conv.padding = (0, 0)
        widen = [] if expansion == 1 else [ConvModule(in_channels, inside, activation=nn.ReLU6)]
        narrow = ConvModule(inside, out_channels, activation=None)
        self.conv = nn.Sequential(*widen, depthwise, narrow)
        self.is_residual = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, out_channels, H / stride, W / stride)."""
        padded = F.pad(x, [self.padding] * 4) if self.padding else x
        y = cast(Tensor, self.conv(padded))
        return x + y if self.is_residual else y


class OwnPrecision(nn.Module):
    """Runs in the precision of its weights, also under autocast.

    Layer 1 has depthwise filters whose weights add up to almost nothing, so that its output is a small
    difference of large numbers: rounded to bfloat16, it moved the mIoU of small models on blurred images by
    up to 7 points. The layers before and after it are as fast in float32, and reduce what remains.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return the layer's output, in the precision of its weights."""
        device = x.device.type
        known = torch.amp.is_autocast_available(device)  # not on the meta device
        with torch.autocast(device, enabled=False) if known else contextlib.nullcontext():
            return cast(Tensor, super().forward(x))


class Stem(OwnPrecision, ConvModule):
    """The first convolution, with its norm and ReLU6."""

    def __init__(self, channels: int) -> None:
        super().__init__(3, channels, 3, stride=2, activation=nn.ReLU6)


class EarlyLayer(OwnPrecision, nn.Sequential):
    """A layer of inverted residuals at 1/2 or 1/4 of the image's size."""


class MobileBackbone(Backbone):
    """A stem `conv1` and seven layers of inverted residuals, `layer1` to `layer7`."""

    conv1: Stem

    def add_layer(self, index: int, blocks: Sequence[InvertedResidual]) -> None:
        """Add a layer of these blocks; `index` counts layers from 0."""
        kind = EarlyLayer if index < EARLY else nn.Sequential
        self.add_module(f"layer{index + 1}", kind(*blocks))

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return the maps after layers 2, 3, 5 and 7."""
        x = self.conv1(images)
        maps = []
        for index in range(7):
            x = self.get_submodule(f"layer{index + 1}")(x)
            if index in TAPS:
                maps.append(x)
        return maps


class MobileNetV2(MobileBackbone):
    """The layers of table 2 except the last, which has 1280 channels.

    Examples
    --------
    >>> import torch
    >>> [tuple(map.shape) for map in MobileNetV2(output_stride=8).eval()(torch.zeros(1, 3, 65, 97))]
    [(1, 24, 17, 25), (1, 32, 9, 13), (1, 96, 9, 13), (1, 320, 9, 13)]
    """

    def __init__(self, output_stride: OutputStride = 32, variant: Variant = "mmseg") -> None:
        super().__init__()
        vainf = variant == "vainf"
        self.channels = tuple(CHANNELS[index] for index in TAPS)
        self.conv1 = Stem(32)
        if vainf:
            self.conv1.conv.padding = (0, 0)
        in_channels = 32
        for index, plan in enumerate(atrous(STRIDES, output_stride)):
            first, others = (plan.before, plan.dilation) if vainf else (plan.dilation, 1)
            out_channels, expansion = CHANNELS[index], EXPANSIONS[index]
            blocks = [
                InvertedResidual(in_channels, out_channels, plan.stride, first, expansion, pad_first=vainf)
            ]
            blocks += [
                InvertedResidual(out_channels, out_channels, 1, others, expansion, pad_first=vainf)
                for _ in range(1, BLOCKS[index])
            ]
            self.add_layer(index, blocks)
            in_channels = out_channels


BACKBONES = {"mobilenet_v2": MobileNetV2}
