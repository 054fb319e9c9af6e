"""Corruptions of batches of tensors, on their device; needs torch.

Corruptions that work sample by sample, or convolve, are computed on the device, with the engine's own draws:
Philox is an integer function of key and position, the same everywhere. The others are computed on the CPU.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from corruptions import engine
from corruptions.arguments import checked_key, checked_seed, checked_severity
from corruptions.kernels.defocus import published_disk
from corruptions.kernels.gaussian import gaussian_weights
from corruptions.kernels.motion import draw_angle, motion_path
from corruptions.kernels.noise import photon_table
from corruptions.kernels.random import Stream
from corruptions.kernels.rows import EPSILON
from corruptions.kernels.sensor import BINS, logarithm_tables
from corruptions.registry import get
from corruptions.torch_draws import normals, words

__all__ = ["corrupt", "native"]


def corrupt(
    images: Tensor, name: str, severity: int = 3, *, seed: int = 0, keys: Sequence[str] | None = None
) -> Tensor:
    """Return a corrupted copy of a uint8 batch (N, 3, H, W), RGB, on the batch's device.

    Every image has a key, by default "". The pixels are those of `corruptions.corrupt` with the same seed and
    key, except that float32 sums in another order change a pixel by one grey level now and then.

    Examples
    --------
    >>> images = torch.full((2, 3, 40, 60), 100, dtype=torch.uint8)
    >>> corrupt(images, "gaussian_noise", 2, seed=1, keys=["a.png", "b.png"]).shape
    torch.Size([2, 3, 40, 60])
    """
    record, keys = get(name), _checked(images, keys)
    severity, seed = checked_severity(severity, record), checked_seed(seed)
    kernel = _KERNELS.get(record.name)
    if kernel is None or min(images.shape[2:]) < engine.MINIMUM_SIDE:
        return _on_cpu(images, name, severity, seed, keys)
    pixels = images.permute(0, 2, 3, 1)
    corrupted = [
        kernel(image, **record.arguments(severity, seed, key))
        for image, key in zip(pixels, keys, strict=True)
    ]
    if not corrupted:
        return images.clone()
    return torch.stack(corrupted).permute(0, 3, 1, 2).contiguous()


def native() -> tuple[str, ...]:
    """Return the names of the corruptions that are computed on the device.

    Examples
    --------
    >>> "gaussian_blur" in native(), "fog" in native()
    (True, False)
    """
    return tuple(_KERNELS)


def _checked(images: Tensor, keys: Sequence[str] | None) -> Sequence[str]:
    good = isinstance(images, Tensor) and images.dtype == torch.uint8
    if not (good and images.ndim == 4 and images.shape[1] == 3 and min(images.shape[2:]) > 0):
        got = f"{images.dtype} of shape {tuple(images.shape)}" if isinstance(images, Tensor) else type(images)
        raise ValueError(
            f"Expected `images` to be a uint8 tensor (N, 3, H, W) of RGB images, but got {got}: convert it, "
            "e.g. (255 * images).round().to(torch.uint8)."
        )
    if keys is None:
        return [""] * len(images)
    if isinstance(keys, str) or len(keys) != len(images):
        raise ValueError(f"Expected `keys` to hold {len(images)} strings, one per image, but got {keys!r}.")
    return [checked_key(key) for key in keys]


def _on_cpu(images: Tensor, name: str, severity: int, seed: int, keys: Sequence[str]) -> Tensor:
    pixels = images.permute(0, 2, 3, 1).cpu().numpy()
    corrupted = np.empty_like(pixels, order="C")
    for image, key, result in zip(pixels, keys, corrupted, strict=True):
        result[:] = engine.corrupt(image, name, severity, seed=seed, key=key)
    return torch.from_numpy(corrupted).to(images.device).permute(0, 3, 1, 2).contiguous()


# Below, an image is (H, W, 3) uint8; results are on its device.


def _gaussian_noise(image: Tensor, *, scale: float, stream: Stream) -> Tensor:
    deviation = float(np.float32(255 * scale))
    return _truncated(image.float() + deviation * normals(stream, image.shape, image.device))


def _speckle_noise(image: Tensor, *, scale: float, stream: Stream) -> Tensor:
    level = image.float()
    return _truncated(level + scale * level * normals(stream, image.shape, image.device))


def _impulse_noise(image: Tensor, *, amount: float, stream: Stream) -> Tensor:
    drawn = words(stream, image.shape, image.device)
    salted = torch.where(drawn < round(amount * 2**32), 255, image)
    return torch.where(drawn < round(amount / 2 * 2**32), 0, salted)


def _shot_noise(image: Tensor, *, photons: int, stream: Stream) -> Tensor:
    table, levels = (_tensor(part, image) for part in photon_table(photons))
    drawn = words(stream, image.shape, image.device)
    bits = len(levels).bit_length() - 1
    column = drawn >> (32 - bits)
    coin = (drawn >> (8 - bits)) & 0xFFFFFF
    entry = table[(image.long() << bits) | column]
    return levels[torch.where(coin < entry >> 8, column, entry & 0xFF)].to(torch.uint8)


def _intensity_dependent_noise(image: Tensor, *, weight: float, stream: Stream) -> Tensor:
    power, next_level, by_bin = (_tensor(part, image) for part in logarithm_tables())
    drawn = normals(stream, (*image.shape[:2], 4), image.device)
    radiance = (power[image.long()] + float(np.float32(weight)) * (drawn[..., :1] + drawn[..., 1:])).clamp(
        1, 2
    )
    level = by_bin[((radiance - 1) * BINS).long()]
    return (level + (radiance >= next_level[level])).to(torch.uint8)


def _contrast(image: Tensor, *, factor: float) -> Tensor:
    level = image.double() / 255
    means = image.long().sum(dim=(0, 1)).double() / (255 * image.shape[0] * image.shape[1])
    return _truncated(((level - means) * factor + means) * 255)


def _brightness(image: Tensor, *, value_shift: float) -> Tensor:
    hue, saturation, value = _hsv(image)
    return _rgb(hue, saturation, (value + value_shift).clamp(max=1))


def _saturate(image: Tensor, *, factor: float, offset: float) -> Tensor:
    hue, saturation, value = _hsv(image)
    return _rgb(hue, (saturation * factor + offset).clamp(max=1), value)


def _hsv(image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return hue in sextants, saturation and value as (H, W) float64; see corruptions.kernels.colour."""
    levels = image.double() / 255
    red, green, blue = levels.unbind(2)
    value = levels.amax(2)
    chroma = value - levels.amin(2)
    blue_is_most, green_is_most = blue == value, green == value
    difference = torch.where(blue_is_most, red - green, torch.where(green_is_most, blue - red, green - blue))
    sextant = torch.where(blue_is_most, 4.0, torch.where(green_is_most, 2.0, 0.0)).double()
    hue = (sextant + difference / chroma) / 6
    hue = torch.where(hue < 0, hue + 1, hue)
    grey = chroma == 0
    nought = torch.zeros_like(value)
    return torch.where(grey, nought, hue * 6), torch.where(grey, nought, chroma / value), value


def _rgb(hue: Tensor, saturation: Tensor, value: Tensor) -> Tensor:
    sextant = hue.long()
    fraction = hue - sextant
    p = value * (1 - saturation)
    q = value * (1 - fraction * saturation)
    t = value * (1 - (1 - fraction) * saturation)
    # the index into `choices` of each channel, by sextant; sextant 6 is sextant 0
    source = torch.tensor(
        [[0, 3, 1], [2, 0, 1], [1, 0, 3], [1, 2, 0], [3, 1, 0], [0, 1, 2]], device=hue.device
    )
    choices = torch.stack([value, p, q, t], dim=2)
    return _truncated(choices.gather(2, source[sextant % 6]) * 255)


def _gaussian_blur(image: Tensor, *, sigma: float) -> Tensor:
    half = gaussian_weights(sigma)
    weights = _tensor(np.concatenate([half[:0:-1], half]), image)
    radius = len(half) - 1
    padded = F.pad(image.permute(2, 0, 1)[None].float(), (radius,) * 4, mode="replicate")[0][:, None]
    blurred = F.conv2d(F.conv2d(padded, weights.view(1, 1, -1, 1)), weights.view(1, 1, 1, -1))
    return _truncated(blurred[:, 0].permute(1, 2, 0) + float(EPSILON))


def _motion_blur(image: Tensor, *, radius: int, sigma: float, stream: Stream) -> Tensor:
    height, width = image.shape[:2]
    path = motion_path(radius, sigma, draw_angle(stream), height, width)
    above, left = int(np.abs(path.rows).max()), int(np.abs(path.columns).max())
    padded = F.pad(image.permute(2, 0, 1)[None].float(), (left, left, above, above), mode="replicate")[0]
    blurred = torch.zeros_like(image, dtype=torch.float32).permute(2, 0, 1)
    for weight, down, right in zip(*path, strict=True):
        rows = slice(above - int(down), above - int(down) + height)
        blurred = blurred + float(weight) * padded[:, rows, left - int(right) : left - int(right) + width]
    return _truncated(blurred.permute(1, 2, 0) + float(EPSILON))


def _defocus_blur(image: Tensor, *, radius: int, alias_blur: float) -> Tensor:
    disk = _tensor(published_disk(radius, alias_blur).astype(np.float32), image)
    margin = len(disk) // 2
    padded = F.pad(image.permute(2, 0, 1)[None].float(), (margin,) * 4, mode="reflect")[0][:, None]
    blurred = F.conv2d(padded, disk[None, None])
    return _truncated(blurred[:, 0].permute(1, 2, 0) + float(EPSILON))


def _truncated(levels: Tensor) -> Tensor:
    """Clip to 0..255 and truncate, as ImageNet-C does."""
    return levels.clamp(0, 255).to(torch.uint8)


def _tensor(array: NDArray[np.generic], beside: Tensor) -> Tensor:
    """Return an array on another tensor's device; integers become int64, to be indices or to be shifted."""
    tensor = torch.from_numpy(np.array(array.astype(np.int64) if array.dtype.kind in "iu" else array))
    return tensor.to(beside.device)


_KERNELS: Mapping[str, Callable[..., Tensor]] = {
    "gaussian_noise": _gaussian_noise,
    "shot_noise": _shot_noise,
    "impulse_noise": _impulse_noise,
    "speckle_noise": _speckle_noise,
    "defocus_blur": _defocus_blur,
    "motion_blur": _motion_blur,
    "gaussian_blur": _gaussian_blur,
    "brightness": _brightness,
    "contrast": _contrast,
    "saturate": _saturate,
    "intensity_dependent_noise": _intensity_dependent_noise,
}
