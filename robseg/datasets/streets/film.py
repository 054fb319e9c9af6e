"""Develop radiance to a photograph: exposure, glare, lens, sensor noise and tone curve."""

import numpy as np
from scipy import ndimage

from robseg.datasets.streets.camera import Array
from robseg.datasets.streets.street import (
    BUILDING,
    CAR,
    CYCLIST,
    FENCE,
    PAVEMENT,
    PERSON,
    POLE,
    ROAD,
    SIGN,
    SKY,
    TREE,
)

__all__ = ["develop", "vote"]

# Large and distant objects come first: at a tie, a later class replaces an earlier one.
VOTING_ORDER = (SKY, BUILDING, ROAD, PAVEMENT, TREE, FENCE, CAR, POLE, SIGN, PERSON, CYCLIST)


def develop(radiance: Array, samples: int, look: np.random.Generator, grain: np.random.Generator) -> Array:
    """Return the uint8 (H, W, 3) photograph of (samples*H, samples*W, 3) linear radiance.

    `look` draws the properties of the camera, `grain` the noise of each pixel.
    """
    height, width = (n // samples for n in radiance.shape[:2])
    light = radiance.reshape(height, samples, width, samples, 3).mean((1, 3))
    glare = ndimage.gaussian_filter(np.maximum(light - 0.9, 0), (height / 50, height / 50, 0), truncate=3)
    light = light + look.uniform(0.1, 0.35) * glare + look.uniform(0.0, 0.02)
    brightness = float(np.exp(np.log(light.mean(2) + 0.01).mean()))
    light = light * (look.uniform(0.19, 0.3) / brightness) ** 0.85
    light = light * look.uniform(0.95, 1.06, 3).astype(np.float32) * _vignette(height, width, look)
    light = ndimage.gaussian_filter(light, (*[look.uniform(0.35, 0.6)] * 2, 0), truncate=3)
    light = _noise(light, look.uniform(0.004, 0.02), grain)
    tone = _tone(np.clip(light, 0, None), look.uniform(0.9, 1.12))
    image: Array = np.clip(np.rint(tone * 255), 0, 255).astype(np.uint8)
    return image


def _vignette(height: int, width: int, look: np.random.Generator) -> Array:
    """Return the share of light that the lens transmits: 1 in the middle and less in the corners."""
    v = np.linspace(-1, 1, height)[:, None]
    u = np.linspace(-1, 1, width)[None, :]
    fall: Array = (1 - look.uniform(0.05, 0.3) * (u * u + v * v) / 2)[..., None].astype(np.float32)
    return fall


def _noise(light: Array, strength: float, grain: np.random.Generator) -> Array:
    """Add shot noise and read noise, slightly blurred as by the sensor's colour filter."""
    noise = grain.standard_normal(light.shape, dtype=np.float32)
    noise = (
        0.6 * noise + 0.4 * ndimage.uniform_filter(noise, (2, 2, 1)) * 2 + 0.4 * noise.mean(2, keepdims=True)
    )
    amount = strength * np.sqrt(np.clip(light, 0, 2) * 0.5 + 0.01)
    return np.asarray(light + noise * amount, np.float32)


def _tone(light: Array, gamma: float) -> Array:
    """Return display values 0..1: a film curve that rolls off highlights, after Narkowicz's fit of ACES."""
    x = light * 0.85
    curve = np.clip((x * (2.51 * x + 0.03)) / (x * (2.43 * x + 0.59) + 0.14), 0, 1)
    return np.asarray(curve ** (gamma / 2.2))


def vote(label: Array, samples: int) -> Array:
    """Return the class that covers most of each pixel; at a tie an object wins against its surroundings."""
    height, width = (n // samples for n in label.shape)
    blocks = label.reshape(height, samples, width, samples).transpose(0, 2, 1, 3).reshape(height, width, -1)
    winner = blocks[..., 0].copy()
    contested = (blocks != winner[..., None]).any(2)
    winner[contested] = _majority(blocks[contested])
    return winner


def _majority(blocks: Array) -> Array:
    """Return the most frequent class of each row of (N, samples)."""
    best = np.zeros(len(blocks), np.uint8)
    most = np.zeros(len(blocks), np.int16)
    for number in VOTING_ORDER:
        count = (blocks == number).sum(1, dtype=np.int16)
        wins = (count >= most) & (count > 0)
        best[wins] = number
        most = np.where(wins, count, most)
    return best
