"""ResNet (He et al., 2015, https://arxiv.org/abs/1512.03385), dilated (https://arxiv.org/abs/1511.07122).

There are three variants (https://arxiv.org/abs/1812.01187): plain (a 7x7 stem), V1c (a stem of three 3x3
convolutions) and V1d (V1c with average pooling in the strided shortcuts). Parameters have the names that
mmsegmentation 1.x uses, which equal torchvision's except in the deep stem; the blocks are torchvision's.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import cast

from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock, Bottleneck

from robseg.models.backbones import Backbone, OutputStride

__all__ = ["BACKBONES", "ResNet", "resnet"]

BLOCKS = {18: (2, 2, 2, 2), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}
WIDTHS = (64, 128, 256, 512)

# The strides and dilations of the four stages, by output stride.
STRIDES = {8: (1, 2, 1, 1), 16: (1, 2, 2, 1), 32: (1, 2, 2, 2)}
DILATIONS = {8: (1, 1, 2, 4), 16: (1, 1, 1, 2), 32: (1, 1, 1, 1)}


class ResNet(Backbone):
    """A stem, pooling and four stages of residual blocks.

    Parameters
    ----------
    depth
        The number of layers: 18, 50 or 101.
    deep_stem
        Whether the stem has three 3x3 convolutions instead of one of 7x7.
    avg_down
        Whether strided shortcuts average over 2x2 pixels instead of taking one of them.
    output_stride
        Output stride of the last stage; stages beyond it use dilation instead of strides.
    dilations
        The dilations of the four stages, if they are not those that replace the omitted strides.
    contract_dilation
        Whether the first block of a dilated stage has half of its dilation, as in mmsegmentation.
    multi_grid
        The absolute dilations of the last stage's blocks (not multiples), or None.
    stem_channels
        Output channels of the stem; a deep stem starts with half of them. 64, except 128 in hszhao/semseg.
    maxpool_ceil_mode
        Whether the pooling rounds sizes up.

    Examples
    --------
    >>> import torch
    >>> [tuple(map.shape) for map in ResNet(18, output_stride=8).eval()(torch.zeros(1, 3, 65, 97))]
    [(1, 64, 17, 25), (1, 128, 9, 13), (1, 256, 9, 13), (1, 512, 9, 13)]
    """

    def __init__(
        self,
        depth: int,
        deep_stem: bool = False,
        avg_down: bool = False,
        output_stride: OutputStride = 32,
        dilations: Sequence[int] | None = None,
        contract_dilation: bool = True,
        multi_grid: Sequence[int] | None = None,
        stem_channels: int = 64,
        maxpool_ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.deep_stem = deep_stem
        if deep_stem:
            self.stem = stem(stem_channels)
        else:
            self.conv1 = nn.Conv2d(3, stem_channels, 7, stride=2, padding=3, bias=False)
            self.bn1 = nn.BatchNorm2d(stem_channels)
            self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1, ceil_mode=maxpool_ceil_mode)

        expansion = 1 if depth == 18 else 4
        self.channels = tuple(width * expansion for width in WIDTHS)
        before = (stem_channels, *self.channels)
        strides = STRIDES[output_stride]
        rates = [
            block_dilations(blocks, dilation, contract_dilation)
            for blocks, dilation in zip(BLOCKS[depth], dilations or DILATIONS[output_stride], strict=True)
        ]
        if multi_grid is not None:
            rates[3] = tuple(multi_grid)
        self.layer1, self.layer2, self.layer3, self.layer4 = (
            stage(before[index], WIDTHS[index], expansion, strides[index], rates[index], avg_down)
            for index in range(4)
        )

    def entry(self, images: Tensor) -> Tensor:
        """Return the input of the first stage, (N, stem_channels, H/4, W/4)."""
        x = self.stem(images) if self.deep_stem else self.relu(self.bn1(self.conv1(images)))
        return cast(Tensor, self.maxpool(x))

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return the maps of the four stages."""
        x = self.entry(images)
        maps = []
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = layer(x)
            maps.append(x)
        return maps


def stem(channels: int) -> nn.Sequential:
    """Return three 3x3 convolutions that halve the size, numbered as in mmsegmentation."""
    half = channels // 2
    layers: list[nn.Module] = []
    for before, after, stride in ((3, half, 2), (half, half, 1), (half, channels, 1)):
        convolution = nn.Conv2d(before, after, 3, stride, padding=1, bias=False)
        layers += [convolution, nn.BatchNorm2d(after), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


def block_dilations(blocks: int, dilation: int, contract: bool) -> tuple[int, ...]:
    """Return the dilation of each block of a stage.

    Examples
    --------
    >>> block_dilations(3, 4, contract=True)
    (2, 4, 4)
    """
    first = dilation // 2 if contract and dilation > 1 else dilation
    return (first, *[dilation] * (blocks - 1))


def stage(
    in_channels: int, width: int, expansion: int, stride: int, dilations: tuple[int, ...], avg_down: bool
) -> nn.Sequential:
    """Return a residual block for each dilation; the output is (N, width * expansion, H/stride, W/stride)."""
    out_channels = width * expansion
    shortcut = None
    if stride != 1 or in_channels != out_channels:
        shortcut = downsample(in_channels, out_channels, stride, avg_down)
    blocks = [block(in_channels, width, expansion, dilations[0], stride, shortcut)]
    blocks += [block(out_channels, width, expansion, dilation) for dilation in dilations[1:]]
    return nn.Sequential(*blocks)


def block(
    in_channels: int,
    width: int,
    expansion: int,
    dilation: int,
    stride: int = 1,
    shortcut: nn.Module | None = None,
) -> nn.Module:
    """Return a bottleneck (expansion 4), or a basic block, in which only the first convolution is dilated."""
    if expansion == 4:
        return cast(nn.Module, Bottleneck(in_channels, width, stride, shortcut, dilation=dilation))
    basic = cast(nn.Module, BasicBlock(in_channels, width, stride, shortcut))
    # torchvision's does not dilate.
    basic.conv1 = nn.Conv2d(in_channels, width, 3, stride, padding=dilation, dilation=dilation, bias=False)
    return basic


def downsample(in_channels: int, out_channels: int, stride: int, avg_down: bool) -> nn.Sequential:
    """Return the 1x1 convolution of a shortcut, optionally after average pooling instead of a stride."""
    norm = nn.BatchNorm2d(out_channels)
    if not avg_down:
        return nn.Sequential(nn.Conv2d(in_channels, out_channels, 1, stride, bias=False), norm)
    average = nn.AvgPool2d(stride, stride, ceil_mode=True, count_include_pad=False)
    return nn.Sequential(average, nn.Conv2d(in_channels, out_channels, 1, bias=False), norm)


def resnet(
    name: str,
    output_stride: OutputStride = 32,
    dilations: Sequence[int] | None = None,
    contract_dilation: bool = True,
    multi_grid: Sequence[int] | None = None,
    stem_channels: int = 64,
    maxpool_ceil_mode: bool = False,
) -> ResNet:
    """Return a ResNet by name, such as `resnet50`, `resnet50v1c` or `resnet50v1d`."""
    depth, variant = cast("re.Match[str]", re.fullmatch(r"resnet(\d+)(v1c|v1d)?", name)).groups()
    return ResNet(
        int(depth),
        deep_stem=variant is not None,
        avg_down=variant == "v1d",
        output_stride=output_stride,
        dilations=dilations,
        contract_dilation=contract_dilation,
        multi_grid=multi_grid,
        stem_channels=stem_channels,
        maxpool_ceil_mode=maxpool_ceil_mode,
    )


NAMES = tuple(f"resnet{depth}{variant}" for depth in BLOCKS for variant in ("", "v1c", "v1d"))
BACKBONES = {name: functools.partial(resnet, name) for name in NAMES}
