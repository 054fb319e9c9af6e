"""Faster versions of layers whose gradients torch computes slowly on a CPU, with the same weights and values.

In bfloat16 with channels last, on an Intel Xeon with AMX, the gradients of a dilated depthwise convolution
take about twenty times as long as those of an undilated one, and those of PReLU take three times as long as
necessary (tests/benchmarks/test_training_speed.py).
"""

from __future__ import annotations

from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["QuickDepthwise", "QuickPReLU", "quicken"]


def quicken(network: nn.Module) -> None:
    """Replace a network's depthwise convolutions and PReLUs by the faster versions; the weights stay."""
    for module in network.modules():
        if type(module) is nn.PReLU and module.num_parameters == 1:
            module.__class__ = QuickPReLU
        elif type(module) is nn.Conv2d and module.groups == module.in_channels == module.out_channels:
            module.__class__ = QuickDepthwise


class QuickPReLU(nn.PReLU):
    """PReLU with one slope for all channels."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the same values as nn.PReLU."""
        return cast(Tensor, _OneSlope.apply(x, self.weight))


class _OneSlope(torch.autograd.Function):
    """A leaky ReLU, for which torch has vectorised kernels, with a gradient for its slope."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, slope: Tensor) -> Tensor:
        ctx.save_for_backward(x, slope)
        return F.leaky_relu(x, slope.item())

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor]:
        x, slope = ctx.saved_tensors
        of_x = torch.ops.aten.leaky_relu_backward(gradients[0], x, slope.item(), False)
        of_slope = (gradients[0] * x.clamp(max=0)).sum(dtype=slope.dtype)
        return of_x, of_slope.view_as(slope)


class QuickDepthwise(nn.Conv2d):
    """A depthwise convolution that uses the kernels with a fast gradient in torch.

    A convolution with dilation d is an undilated one on each of the d x d images that consist of every d-th
    row and column. A convolution with a stride, or larger than 3x3, is computed in float32.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return the same values as nn.Conv2d."""
        rows, columns = self.dilation
        if (rows, columns) == (1, 1):
            return self._undilated(x, self.padding)
        if self.stride != (1, 1):
            return super().forward(x)
        over, beside = int(self.padding[0]), int(self.padding[1])
        height, width = x.shape[2] + 2 * over, x.shape[3] + 2 * beside
        x = F.pad(x, (beside, beside + -width % columns, over, over + -height % rows))
        y = _joined(self._undilated(_split(x, rows, columns), 0), rows, columns)
        kept = height - rows * (self.kernel_size[0] - 1), width - columns * (self.kernel_size[1] - 1)
        # The next layer, usually a norm, is many times slower on a view with gaps.
        return y[:, :, : kept[0], : kept[1]].contiguous(memory_format=torch.channels_last)

    def _undilated(self, x: Tensor, padding: int | str | tuple[int, ...]) -> Tensor:
        if self.stride == (1, 1) and self.kernel_size == (3, 3):
            return F.conv2d(x, self.weight, self.bias, 1, padding, 1, self.groups)
        with torch.autocast("cpu", enabled=False):
            y = F.conv2d(
                x.to(self.weight.dtype), self.weight, self.bias, self.stride, padding, 1, self.groups
            )
        return y.to(x.dtype)


def _split(x: Tensor, rows: int, columns: int) -> Tensor:
    """Return the images (N * rows * columns, C, H / rows, W / columns) that are interleaved in x."""
    n, c, height, width = x.shape
    grid = x.permute(0, 2, 3, 1).reshape(n, height // rows, rows, width // columns, columns, c)
    return grid.permute(0, 2, 4, 1, 3, 5).flatten(0, 2).permute(0, 3, 1, 2)


def _joined(x: Tensor, rows: int, columns: int) -> Tensor:
    """Undo `_split`."""
    images, c, height, width = x.shape
    grid = x.permute(0, 2, 3, 1).reshape(images // (rows * columns), rows, columns, height, width, c)
    return grid.permute(0, 3, 1, 4, 2, 5).flatten(3, 4).flatten(1, 2).permute(0, 3, 1, 2)
