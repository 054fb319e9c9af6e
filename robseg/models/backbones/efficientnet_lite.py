"""EfficientNet-Lite0: EfficientNet-B0 (Tan & Le, 2019) without squeeze-and-excitation, with ReLU6 for swish.

The paper is https://arxiv.org/abs/1905.11946; the Lite variants are from github.com/tensorflow/tpu,
efficientnet/lite. As in TensorFlow, strided convolutions pad maps of even size more at the bottom and on the
right, and batch norm has an epsilon of 1e-3. The published weights need this arithmetic.
"""

from __future__ import annotations

from typing import cast

import torch.nn.functional as F
from torch import Tensor, nn

from robseg.models.backbones import OutputStride
from robseg.models.backbones.mobilenet_v2 import TAPS, InvertedResidual, MobileBackbone, Stem, atrous
from robseg.models.layers import ConvModule

__all__ = ["BACKBONES", "EfficientNetLite0"]

# Properties of the seven layers (table 1 of the paper).
KERNELS = (3, 3, 5, 3, 5, 5, 3)
EXPANSIONS = (1, 6, 6, 6, 6, 6, 6)
CHANNELS = (16, 24, 40, 80, 112, 192, 320)
BLOCKS = (1, 2, 2, 3, 3, 4, 1)
STRIDES = (1, 2, 2, 2, 1, 2, 1)

STEM_CHANNELS = 32
TENSORFLOW_EPSILON = 1e-3


class SameConv2d(nn.Conv2d):
    """A strided convolution with TensorFlow's `SAME` padding: (N, C, H, W) to sizes rounded up."""

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, out_channels, ceil(H / stride), ceil(W / stride))."""
        padding: list[int] = []
        # F.pad takes the last axis first.
        for side, kernel, stride in zip(
            x.shape[:1:-1], self.kernel_size[::-1], self.stride[::-1], strict=True
        ):
            total = max((-(-side // stride) - 1) * stride + kernel - side, 0)
            padding += [total // 2, total - total // 2]
        return F.conv2d(F.pad(x, padding), self.weight, None, self.stride, 0, 1, self.groups)


class EfficientNetLite0(MobileBackbone):
    """A stem and seven layers of inverted residuals, without the last layer of 1280 channels.

    Strides beyond `output_stride` become dilations. The first block of a layer has the dilation of the layer
    before.

    Examples
    --------
    >>> import torch
    >>> [tuple(map.shape) for map in EfficientNetLite0(output_stride=16).eval()(torch.zeros(1, 3, 64, 96))]
    [(1, 24, 16, 24), (1, 40, 8, 12), (1, 112, 4, 6), (1, 320, 4, 6)]
    """

    def __init__(self, output_stride: OutputStride = 32) -> None:
        super().__init__()
        self.channels = tuple(CHANNELS[index] for index in TAPS)
        self.conv1 = Stem(STEM_CHANNELS)
        pad_as_tensorflow(self.conv1)
        in_channels = STEM_CHANNELS
        for index, plan in enumerate(atrous(STRIDES, output_stride)):
            kernel, expansion, out_channels = KERNELS[index], EXPANSIONS[index], CHANNELS[index]
            first = InvertedResidual(in_channels, out_channels, plan.stride, plan.before, expansion, kernel)
            if plan.stride > 1:
                pad_as_tensorflow(cast(ConvModule, first.conv[1]))
            others = [
                InvertedResidual(out_channels, out_channels, 1, plan.dilation, expansion, kernel)
                for _ in range(1, BLOCKS[index])
            ]
            self.add_layer(index, [first, *others])
            in_channels = out_channels
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eps = TENSORFLOW_EPSILON


def pad_as_tensorflow(module: ConvModule) -> None:
    """Replace a module's convolution by one of the same shape with TensorFlow's padding."""
    conv = module.conv
    module.conv = SameConv2d(
        conv.in_channels,
        conv.out_channels,
        conv.kernel_size[0],
        conv.stride[0],
        groups=conv.groups,
        bias=False,
    )


BACKBONES = {"efficientnet_lite0": EfficientNetLite0}
