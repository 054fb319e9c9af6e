"""The layers that PSPNet, DeepLabV3+, OCRNet and ICNet share.

Parameters have the names that mmsegmentation 1.x (Apache-2.0) uses, which is our native layout, so that its
files load without renaming.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Literal, cast

from torch import Tensor, nn

from robseg.models.predict.fused import fused, is_fusible
from robseg.models.predict.resizing import resize

__all__ = [
    "ACTIVATIONS",
    "Activation",
    "ConvModule",
    "FCNHead",
    "PyramidPooling",
    "SeparableConvModule",
    "initialise",
    "resize",
]

Activation = Literal["relu", "leaky_relu"]
ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "leaky_relu": nn.LeakyReLU}  # slope 0.01


def initialise(network: nn.Module, encoder: nn.Module | None = None) -> None:
    """Initialise the weights of a network, except those of its `encoder` (arXiv 1502.01852).

    This keeps the scale of signals through ReLUs. torch's own initialisation shrinks it until the biases of
    the classifiers dominate. Convolutions with a bias are classifiers: they start with logits near 0.
    """
    kept = set() if encoder is None else set(encoder.modules())
    for module in network.modules():
        if not isinstance(module, nn.Conv2d) or module in kept:
            continue
        if module.bias is None:
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        else:
            nn.init.normal_(module.weight, std=0.01)
            nn.init.zeros_(module.bias)


class ConvModule(nn.Module):
    """A convolution without bias that keeps the size (except for `stride`), then batch norm and ReLU."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 1,
        stride: int = 1,
        dilation: int | tuple[int, int] = 1,
        groups: int = 1,
        activation: type[nn.Module] | None = nn.ReLU,
    ) -> None:
        super().__init__()
        rows, columns = (dilation, dilation) if isinstance(dilation, int) else dilation
        padding = (rows * (kernel_size // 2), columns * (kernel_size // 2))
        self.conv = nn.Conv2d(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias=False
        )
        self.bn = nn.BatchNorm2d(out_channels)
        self.activate = activation(inplace=True) if activation is not None else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, out_channels, H / stride, W / stride)."""
        if is_fusible(self.conv, self.bn, self.activate, x):
            return fused(self.conv, self.bn, self.activate, x)
        return cast(Tensor, self.activate(self.bn(self.conv(x))))


class SeparableConvModule(nn.Module):
    """A depthwise 3x3 convolution and a pointwise convolution, each with batch norm and ReLU."""

    def __init__(self, in_channels: int, out_channels: int, dilation: int | tuple[int, int] = 1) -> None:
        super().__init__()
        self.depthwise_conv = ConvModule(in_channels, in_channels, 3, dilation=dilation, groups=in_channels)
        self.pointwise_conv = ConvModule(in_channels, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, out_channels, H, W)."""
        return cast(Tensor, self.pointwise_conv(self.depthwise_conv(x)))


class PyramidPooling(nn.ModuleList):
    """Average pooling to grids of `scales` x `scales` cells, projected and resized (arXiv 1612.01105)."""

    def __init__(
        self,
        in_channels: int,
        channels: int,
        scales: Sequence[int] = (1, 2, 3, 6),
        align_corners: bool = False,
    ) -> None:
        super().__init__(
            nn.Sequential(nn.AdaptiveAvgPool2d(scale), ConvModule(in_channels, channels)) for scale in scales
        )
        self.align_corners = align_corners

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return a map (N, channels, H, W) for each scale."""
        return [resize(level(x), x.shape[-2:], self.align_corners) for level in self]


class FCNHead(nn.Module):
    """A head of `num_convs` convolutions and a classifier, as auxiliary or coarse head (arXiv 1411.4038)."""

    def __init__(
        self,
        in_channels: int,
        channels: int,
        num_classes: int,
        kernel_size: int = 3,
        num_convs: int = 1,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        widths = [in_channels] + [channels] * num_convs
        self.convs = nn.Sequential(
            *(ConvModule(before, after, kernel_size) for before, after in itertools.pairwise(widths))
        )
        self.dropout = nn.Dropout2d(dropout)
        self.conv_seg = nn.Conv2d(channels, num_classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, num_classes, H, W)."""
        return cast(Tensor, self.conv_seg(self.dropout(self.convs(x))))
