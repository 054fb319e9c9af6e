"""From images to labels, step by step: what stands between a network and plain NumPy arrays."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Literal, cast

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from robseg.errors import InputError
from robseg.models.card import Card

__all__ = ["PRECISIONS", "Precision", "check_precision", "labels", "padded_size", "preprocess"]

Precision = Literal["fp32", "bf16", "fp16"]
PRECISIONS: dict[str, torch.dtype] = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def padded_size(size: tuple[int, int], card: Card) -> tuple[int, int]:
    """Return (H, W) as the network sees images of that size: resized to the card's size, then padded.

    Examples
    --------
    >>> padded_size((65, 129), Card("m", "enet", "toy", ("road",), size_divisor=8))
    (72, 136)
    """
    height, width = card.test_size or size
    divisor = card.size_divisor
    return -(-height // divisor) * divisor, -(-width // divisor) * divisor


def preprocess(images: NDArray[np.uint8], card: Card, device: torch.device | str = "cpu") -> Tensor:
    """Return uint8 RGB images (N, H, W, 3) as the card's network wants them, float32 (N, 3, h, w).

    Channel order, resizing, normalisation and padding, all on the device.
    """
    # Bytes move to the device: a quarter of what floats take. The permuted view is channels-last memory.
    x = torch.tensor(np.ascontiguousarray(images)).to(device).permute(0, 3, 1, 2).float()
    if card.channel_order == "BGR":
        x = x.flip(1)
    if card.test_size is not None and card.test_size != x.shape[-2:]:
        # With antialiasing, as in Pillow's bilinear resize, by which published models were fed: without it a
        # smaller test size would drop pixels instead of averaging them.
        x = F.interpolate(x, card.test_size, mode="bilinear", align_corners=False, antialias=True)
    mean = torch.tensor(card.mean, device=device).view(1, 3, 1, 1)
    std = torch.tensor(card.std, device=device).view(1, 3, 1, 1)
    x = (x - mean) / std
    height, width = x.shape[-2:]
    rows, columns = padded_size((height, width), card)
    x = F.pad(x, (0, columns - width, 0, rows - height))
    return x.contiguous(memory_format=torch.channels_last)


@torch.inference_mode()
def labels(
    network: nn.Module,
    images: NDArray[np.uint8],
    card: Card,
    device: torch.device | str = "cpu",
    precision: Precision = "fp32",
) -> NDArray[np.uint8]:
    """Return the class of each pixel, uint8 (N, H, W), of uint8 RGB images (N, H, W, 3)."""
    x = preprocess(images, card, device)
    with _autocast(torch.device(device), precision):
        logits = cast(Tensor, network(x))
    # Where the input was padded, logits come to its scale first, so that cropping cuts just the padding.
    height, width = card.test_size or images.shape[1:3]
    if x.shape[-2:] != (height, width):
        logits = _resized(logits.float(), x.shape[-2:], card)[..., :height, :width]
    logits = _resized(logits.float(), images.shape[1:3], card)
    return logits.argmax(dim=1).to(torch.uint8).cpu().numpy()


def check_precision(precision: str, device: torch.device) -> None:
    """Raise InputError unless networks run in that precision on that device."""
    if precision not in PRECISIONS:
        raise InputError(
            f"Expected `precision` to be one of {', '.join(PRECISIONS)}, but got '{precision}': choose one."
        )
    if precision == "fp16" and device.type == "cpu":
        raise InputError("Expected a GPU for precision fp16, but got the CPU: use fp32 or bf16 there.")


def _autocast(device: torch.device, precision: Precision) -> AbstractContextManager[object]:
    if precision == "fp32":
        return nullcontext()
    return torch.autocast(device.type, dtype=PRECISIONS[precision])


def _resized(logits: Tensor, size: tuple[int, ...], card: Card) -> Tensor:
    if logits.shape[-2:] == tuple(size):
        return logits
    return F.interpolate(logits, tuple(size), mode="bilinear", align_corners=card.align_corners)
