"""HRNet: Deep High-Resolution Representation Learning for Visual Recognition.

Wang et al., 2019, https://arxiv.org/abs/1908.07919. Branches of several resolutions run in parallel and are
fused after each module; the finest branch keeps its resolution. Parameters have the names that the authors,
mmsegmentation and timm share; the residual blocks are torchvision's.
"""

from __future__ import annotations

import dataclasses
import functools
import operator
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock, Bottleneck

from robseg.models.backbones import Backbone
from robseg.models.layers import resize

__all__ = ["BACKBONES", "HRNET_NAMES", "HRNet", "hrnet"]

STEM = 64
EXPANSION = 4  # the output channels of a bottleneck, divided by its inner channels


@dataclasses.dataclass(frozen=True)
class Plan:
    """The numbers that define an HRNet.

    `width` is the number of channels of the finest branch; each coarser branch has twice as many. `modules`
    is the number of modules in each stage after the first, `blocks` the number of blocks in each branch of a
    module. `first_blocks` is the number of bottlenecks before the first branching; 0 means HRNet2x, which
    branches at once, at half the image's size.
    """

    width: int
    modules: tuple[int, int, int] = (1, 4, 3)
    blocks: int = 4
    first_blocks: int = 4


PLANS = {
    "hrnet_w18_small": Plan(18, modules=(1, 3, 2), blocks=2, first_blocks=2),
    "hrnet_w18": Plan(18),
    "hrnet_w32": Plan(32),
    "hrnet_w48": Plan(48),
    "hrnet_w64": Plan(64),
    "hrnet2x_w20": Plan(20, first_blocks=0),
}
HRNET_NAMES = tuple(PLANS)


class Module(nn.Module):
    """One module: each branch runs through its blocks, then each branch adds all the others to itself."""

    def __init__(
        self, channels: Sequence[int], blocks: int, bottlenecks: bool = False, align_corners: bool = False
    ) -> None:
        super().__init__()
        self.align_corners = align_corners
        self.branches = nn.ModuleList(
            residual_blocks(width, width, blocks, bottlenecks) for width in channels
        )
        self.fuse_layers = nn.ModuleList(
            nn.ModuleList(exchange(channels, source, target) for source in range(len(channels)))
            for target in range(len(channels))
        )
        self.relu = nn.ReLU(inplace=True)

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """Return the maps of the branches, in the shapes of the input."""
        maps = [branch(x) for branch, x in zip(self.branches, maps, strict=True)]
        fused = []
        for target, layers in enumerate(self.fuse_layers):
            parts = [
                self._grown(layer(x), source - target, maps[target].shape[-2:])
                for source, (layer, x) in enumerate(zip(cast(nn.ModuleList, layers), maps, strict=True))
            ]
            fused.append(self.relu(functools.reduce(operator.add, parts)))
        return fused

    def _grown(self, x: Tensor, doublings: int, size: torch.Size) -> Tensor:
        """Return the map of a branch at the size of a finer branch.

        Without aligned corners the map is doubled first, as in mmsegmentation, which overshoots odd sizes.
        """
        if doublings > 0 and not self.align_corners:
            x = resize(x, [side * 2**doublings for side in x.shape[-2:]])
        return resize(x, size, self.align_corners)


class HRNet(Backbone):
    """A stem, and stages with a growing number of branches.

    The maps are the branches of the last stage: four, from 1/4 of the image's size on (HRNet2x: five, from
    1/2 on). `align_corners` says how maps are resized between branches: False in mmsegmentation, True in
    the authors' repositories.

    Examples
    --------
    >>> import torch
    >>> maps = hrnet("hrnet_w18_small").eval()(torch.zeros(1, 3, 64, 96))
    >>> [tuple(map.shape) for map in maps]
    [(1, 18, 16, 24), (1, 36, 8, 12), (1, 72, 4, 6), (1, 144, 2, 3)]
    """

    def __init__(self, plan: Plan, align_corners: bool = False) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, STEM, 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(STEM)
        self.relu = nn.ReLU(inplace=True)
        self.is_2x = plan.first_blocks == 0
        before: tuple[int, ...]
        if self.is_2x:
            # The first stage is one module with two branches of bottlenecks.
            before, branches = (32 * EXPANSION, 64 * EXPANSION), (3, 4, 5)
            self.transition0 = transition((STEM,), before)
            self.stage1 = nn.Sequential(Module(before, 4, bottlenecks=True, align_corners=align_corners))
        else:
            before, branches = (STEM * EXPANSION,), (2, 3, 4)
            self.conv2 = nn.Conv2d(STEM, STEM, 3, stride=2, padding=1, bias=False)
            self.bn2 = nn.BatchNorm2d(STEM)
            self.layer1 = residual_blocks(STEM, before[0], plan.first_blocks, bottlenecks=True)

        for stage, (modules, number) in enumerate(zip(plan.modules, branches, strict=True), start=2):
            channels = tuple(plan.width * 2**branch for branch in range(number))
            exchanges = (Module(channels, plan.blocks, align_corners=align_corners) for _ in range(modules))
            self.add_module(f"transition{stage - 1}", transition(before, channels))
            self.add_module(f"stage{stage}", nn.Sequential(*exchanges))
            before = channels
        self.channels = before

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return the maps of the branches, the finest first."""
        maps = self.first_maps(self.relu(self.bn1(self.conv1(images))))
        for stage in (2, 3, 4):
            maps = part(maps, self.get_submodule(f"transition{stage - 1}"))
            maps = self.get_submodule(f"stage{stage}")(maps)
        return maps

    def first_maps(self, x: Tensor) -> list[Tensor]:
        """Return the maps before the second stage."""
        if self.is_2x:
            return cast("list[Tensor]", self.stage1(part([x], self.transition0)))
        return [self.layer1(self.relu(self.bn2(self.conv2(x))))]


def residual_blocks(in_channels: int, out_channels: int, number: int, bottlenecks: bool) -> nn.Sequential:
    """Return blocks that keep the size; the first one changes the number of channels."""
    kind = Bottleneck if bottlenecks else BasicBlock
    inside = out_channels // EXPANSION if bottlenecks else out_channels
    shortcut = None
    if in_channels != out_channels:
        shortcut = conv_bn(in_channels, out_channels, 1)
    first = kind(in_channels, inside, downsample=shortcut)
    return nn.Sequential(first, *(kind(out_channels, inside) for _ in range(number - 1)))


def conv_bn(
    in_channels: int, out_channels: int, kernel: int, stride: int = 1, relu: bool = False
) -> nn.Sequential:
    """Return a convolution that keeps the size (except for `stride`), batch norm and, on request, ReLU."""
    convolution = nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2, bias=False)
    activation = [nn.ReLU(inplace=True)] if relu else []
    return nn.Sequential(convolution, nn.BatchNorm2d(out_channels), *activation)


def exchange(channels: Sequence[int], source: int, target: int) -> nn.Module:
    """Return layers that bring branch `source` to the channels of branch `target`, and shrink it to its size.

    A coarser branch keeps its size here and is resized when the branches are added.
    """
    if source == target:
        return nn.Identity()
    if source > target:
        return conv_bn(channels[source], channels[target], 1)
    halvings = target - source
    widths = [channels[source]] * halvings + [channels[target]]
    return nn.Sequential(
        *(
            conv_bn(widths[step], widths[step + 1], 3, stride=2, relu=step < halvings - 1)
            for step in range(halvings)
        )
    )


def transition(before: Sequence[int], after: Sequence[int]) -> nn.ModuleList:
    """Return layers from the branches of a stage to those of the next; new ones halve the coarsest branch."""
    layers: list[nn.Module] = []
    for branch, channels in enumerate(after):
        if branch >= len(before):
            layers.append(nn.Sequential(conv_bn(before[-1], channels, 3, stride=2, relu=True)))
        elif channels != before[branch]:
            layers.append(conv_bn(before[branch], channels, 3, relu=True))
        else:
            layers.append(nn.Identity())
    return nn.ModuleList(layers)


def part(maps: list[Tensor], layers: nn.Module) -> list[Tensor]:
    """Apply the layers of a transition to maps; returns the maps of the next stage's branches."""
    return [
        layer(maps[min(branch, len(maps) - 1)]) for branch, layer in enumerate(cast(nn.ModuleList, layers))
    ]


def hrnet(name: str, align_corners: bool = False) -> HRNet:
    """Return an HRNet by name, such as `hrnet_w18`."""
    return HRNet(PLANS[name], align_corners)


BACKBONES = {name: functools.partial(hrnet, name) for name in PLANS}
