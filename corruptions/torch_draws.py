"""The draws of corruptions.kernels.random as tensors, by the same arithmetic."""

from collections.abc import Sequence
from math import pi, prod

import torch
from torch import Tensor

from corruptions.kernels.random import BLOCK, Stream

__all__ = ["normals", "words"]

_QUARTER = BLOCK // 4
_LOW = 0xFFFFFFFF


def words(stream: Stream, shape: Sequence[int], device: torch.device, lane: int = 0) -> Tensor:
    """Return a field of words below 2**32 as int64."""
    return _blocks(stream, prod(shape), device, lane).reshape(-1)[: prod(shape)].reshape(tuple(shape))


def normals(stream: Stream, shape: Sequence[int], device: torch.device, lane: int = 0) -> Tensor:
    """Return a field of standard normal numbers, float32."""
    radii, angles = _blocks(stream, prod(shape), device, lane).view(-1, 2, BLOCK // 2).unbind(1)
    positive = ((radii >> 8).float() + 0.5) * 2.0**-24
    radius = torch.sqrt(-2 * _log(positive))
    cosine, sine = _cosine_and_sine(angles)
    field = torch.stack([radius * cosine, radius * sine], dim=1)
    return field.reshape(-1)[: prod(shape)].reshape(tuple(shape))


def _blocks(stream: Stream, count: int, device: torch.device, lane: int) -> Tensor:
    """Return (blocks, BLOCK) words of Philox4x32-10, at least `count`; the products wrap around in int64."""
    blocks = -(-count // BLOCK)
    c0 = torch.arange(blocks * _QUARTER, device=device, dtype=torch.int64)
    c1, c2, c3 = torch.full_like(c0, lane), torch.zeros_like(c0), torch.zeros_like(c0)
    k0, k1 = int(stream.key0), int(stream.key1)
    for _ in range(10):
        left, right = 0xD2511F53 * c0, 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (
            (right >> 32 & _LOW) ^ c1 ^ k0,
            right & _LOW,
            (left >> 32 & _LOW) ^ c3 ^ k1,
            left & _LOW,
        )
        k0, k1 = (k0 + 0x9E3779B9) & _LOW, (k1 + 0xBB67AE85) & _LOW
    return torch.stack([c.view(blocks, _QUARTER) for c in (c0, c1, c2, c3)], dim=1).view(blocks, BLOCK)


def _log(x: Tensor) -> Tensor:
    """Return the natural logarithm of normal float32 > 0: 2 artanh((m - 1) / (m + 1)) + exponent log 2."""
    bits = x.view(torch.int32)
    exponent = (bits - 0x3F3504F3) >> 23
    m = (bits - (exponent << 23)).view(torch.float32)
    t = (m - 1) / (m + 1)
    square = t * t
    series = 2 / 5 + square * (2 / 7)
    series = 2 + square * (2 / 3 + square * series)
    return exponent.float() * torch.tensor(2.0).log().item() + t * series


def _cosine_and_sine(angles: Tensor) -> tuple[Tensor, Tensor]:
    """Return cosine and sine of an angle from -pi/4 to pi/4, mirrored by the two lowest bits of its word."""
    signed = torch.where(angles >= 2**31, angles - 2**32, angles) >> 8
    x = (signed.float() + 0.5) * (pi / 4 * 2.0**-23)
    square = x * x
    s = 1 / 120 - square * (1 / 5040)
    s = x - x * square * (1 / 6 - square * s)
    c = 1 / 720 - square * (1 / 40320)
    c = 1 - square * (1 / 2 - square * (1 / 24 - square * c))
    c = torch.where(angles & 1 == 1, c, -c)
    swapped = angles & 2 == 2
    return torch.where(swapped, s, c), torch.where(swapped, c, s)
