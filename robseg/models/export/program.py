"""Trace a network as a program that every engine can run.

Adaptive pooling and max unpooling are slow in other engines, or missing. For images of one size, the first is
a product with constant matrices. The second, in windows of two by two, is a choice among four places.
"""

from __future__ import annotations

import copy
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.export import ExportedProgram

from robseg.models.architectures import enet

__all__ = ["traced"]


class FixedAdaptiveAvgPool2d(nn.Module):
    """Adaptive average pooling of maps (N, C, H, W) of one size to (N, C, cells, cells)."""

    rows: Tensor
    columns: Tensor

    def __init__(self, size: tuple[int, int], cells: int) -> None:
        super().__init__()
        self.register_buffer("rows", _averaging(size[0], cells))
        self.register_buffer("columns", _averaging(size[1], cells))

    def forward(self, x: Tensor) -> Tensor:
        """Return the means of the cells."""
        return self.rows @ x @ self.columns.T


def _averaging(length: int, cells: int) -> Tensor:
    """Return the matrix (cells, length) whose product with values is the mean of each cell.

    Examples
    --------
    >>> _averaging(3, 2)
    tensor([[0.5000, 0.5000, 0.0000],
            [0.0000, 0.5000, 0.5000]])
    """
    matrix = torch.zeros(cells, length)
    for cell in range(cells):
        start, end = cell * length // cells, -(-(cell + 1) * length // cells)
        matrix[cell, start:end] = 1 / (end - start)
    return matrix


class ScatteredUnpool2d(nn.Module):
    """Max unpooling of any windows: each value is put at its place, and of several the last one stays."""

    def forward(self, x: Tensor, indices: Tensor, output_size: torch.Size) -> Tensor:
        """Return the map (N, C, *output_size) of values (N, C, h, w)."""
        height, width = output_size
        zeros = x.new_zeros(*x.shape[:2], height * width)
        placed = zeros.scatter(2, indices.flatten(2), x.flatten(2))
        return placed.view(*x.shape[:2], height, width)


class QuarterMaxPool2d(nn.Module):
    """Max pooling of windows 2 x 2 that says which quarter of its window each maximum is, 0 to 3, by rows.

    Engines find that much faster than indices of a whole map.
    """

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return maxima (N, C, H/2, W/2) and their quarters; of equal values, the first is the maximum."""
        rows = (x[..., 0::2, :], x[..., 1::2, :])
        a, b, c, d = (row[..., column::2] for row in rows for column in (0, 1))
        maxima = torch.maximum(torch.maximum(a, b), torch.maximum(c, d))
        later = torch.where(b == maxima, 1, torch.where(c == maxima, 2, 3))
        return maxima, torch.where(a == maxima, 0, later)


class QuarterUnpool2d(nn.Module):
    """Max unpooling to the quarters of windows 2 x 2 that QuarterMaxPool2d says."""

    def forward(self, x: Tensor, quarters: Tensor, output_size: torch.Size) -> Tensor:  # noqa: ARG002 - as ENet calls it
        """Return the map (N, C, 2 h, 2 w) of values (N, C, h, w)."""
        places = [torch.where(quarters == quarter, x, 0) for quarter in range(4)]
        return F.pixel_shuffle(torch.stack(places, dim=2).flatten(1, 2), 2)


def traced(network: nn.Module, size: tuple[int, int]) -> ExportedProgram:
    """Return a network as a program from one normalised image (1, 3, H, W) of one size to its logits."""
    network = copy.deepcopy(network).cpu().float().eval()
    # What torch.export saves must be contiguous, and not a part of a larger memory.
    own = {
        key: value.clone(memory_format=torch.contiguous_format) for key, value in network.state_dict().items()
    }
    network.load_state_dict(own, assign=True)
    image = torch.zeros(1, 3, *size)
    pools: dict[nn.AdaptiveAvgPool2d, FixedAdaptiveAvgPool2d] = {}

    def see(pool: nn.Module, inputs: tuple[Tensor, ...], _output: Any) -> None:
        height, width = inputs[0].shape[-2:]
        pools[pool] = FixedAdaptiveAvgPool2d((height, width), pool.output_size)  # type: ignore[index,arg-type]

    for module in network.modules():
        if isinstance(module, nn.AdaptiveAvgPool2d):
            module.register_forward_hook(see)
        elif isinstance(module, enet.UpsamplingBottleneck):
            quarters = isinstance(module.main_unpool1, nn.MaxUnpool2d)
            module.main_unpool1 = QuarterUnpool2d() if quarters else ScatteredUnpool2d()
        elif isinstance(module, enet.DownsamplingBottleneck) and module.main_max1.kernel_size == 2:
            module.main_max1 = QuarterMaxPool2d()  # type: ignore[assignment]
    with torch.no_grad():
        network(image)
        for module in list(network.modules()):
            for name, child in module.named_children():
                if child in pools:
                    setattr(module, name, pools[child])
        return torch.export.export(network, (image,))
