"""The sky: a gradient, the glow around the sun, and clouds on a plane overhead."""

import numpy as np

from robseg.datasets.streets.camera import Array, single
from robseg.datasets.streets.canvas import Canvas
from robseg.datasets.streets.textures import fractal

__all__ = ["paint_sky"]


def paint_sky(canvas: Canvas, rng: np.random.Generator) -> None:
    """Fill the canvas with sky down to a little below the horizon.

    The sky has no edges, so every second sample in each direction is enough.
    """
    camera, light = canvas.camera, canvas.light
    rows = min(int(camera.horizon) + 2, camera.height)
    across = single(camera.columns()[None, ::2])
    up = single(np.maximum(camera.rows(0, rows), 0.0)[::2, None])
    length = np.sqrt(1 + across**2 + up**2)
    height = up / length
    sky = light.zenith + (light.horizon - light.zenith) * np.exp(-height * 4.5)[..., None]
    toward_sun = np.clip((across * light.sun[0] + up * light.sun[1] + light.sun[2]) / length, 0, 1)
    glow = 0.6 * toward_sun**6 + 2.0 * toward_sun**60
    sky = sky + glow[..., None] * light.sun_colour * (0.45 * (1 - 0.8 * light.cover))
    density, shade = _clouds(rng, across, up, light.cover)
    bright = light.horizon * 0.95 + light.sun_colour * 0.18
    cloud = bright * (1.08 - 0.5 * shade)[..., None]
    thin = (density * np.clip(height * 9 + 0.25, 0, 1))[..., None]
    coarse = sky * (1 - thin) + cloud * thin
    canvas.radiance[:rows] = coarse.repeat(2, 0)[:rows].repeat(2, 1)[:, : camera.width]
    canvas.radiance[rows:] = light.horizon


def _clouds(rng: np.random.Generator, across: Array, up: Array, cover: float) -> tuple[Array, Array]:
    """Return for each ray how dense the clouds are, and how dark they are from below, both 0..1."""
    distance = 1.0 / (up + 0.09)
    u = across * distance + rng.uniform(0, 50)
    v = distance * 1.3 + rng.uniform(0, 50)
    noise = fractal(11, 4, 0.55)
    footprint = 0.006 * distance
    field = noise.sample(u, v, 9.0, footprint) - 1 + 0.35 * (noise.sample(u + 7, v, 2.7, footprint) - 1)
    body = np.clip((field + (cover - 0.5) * 1.2) * 3.6 + 0.45, 0, 1)
    shade = np.clip(noise.sample(u + 0.25, v + 0.4, 9.0, footprint) * 1.3 - 0.8, 0, 1)
    return body * body * (3 - 2 * body), shade
