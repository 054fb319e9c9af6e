"""Time of day and weather: sun, light from the sky, haze, and the shadows of the houses."""

import dataclasses

import numpy as np

from robseg.datasets.streets.camera import Array

__all__ = ["Light", "Skyline", "choose_light"]


@dataclasses.dataclass(frozen=True)
class Light:
    """The light of a scene. Colours are linear RGB radiances; `sun` is the unit vector towards the sun.

    `cover` is the share of the sky that clouds cover, `haze` the extinction per metre, and `dusk` in 0..1
    says how bright windows, lamps and headlights are.
    """

    sun: Array
    sun_colour: Array
    ambient: Array
    zenith: Array
    horizon: Array
    cover: float
    haze: float
    dusk: float


@dataclasses.dataclass(frozen=True)
class Skyline:
    """The heights of the houses on the left (0) and right (1) for each metre of the street, from `START` on.

    `lines` are the lateral positions of the two rows of house fronts. `bend` is the curvature of the street:
    a point at (x, z) lies x - bend * z**2 metres to the right of the camera's path.
    """

    heights: Array
    lines: tuple[float, float]
    bend: float

    START = -60

    def sunlit(self, light: Light, x: Array, y: Array, z: Array) -> Array:
        """Return which points are not in the shadow of the houses on the sun's side."""
        side = int(light.sun[0] > 0)
        reach = (self.lines[side] - (x - self.bend * z * z)) / light.sun[0]
        along = np.clip(z + reach * light.sun[2] - self.START, 0, self.heights.shape[1] - 1).astype(np.intp)
        free: Array = (reach < 0) | (y + reach * light.sun[1] > self.heights[side][along])
        return free


def _rgb(*values: float) -> Array:
    return np.array(values, np.float32)


def _sun(rng: np.random.Generator, low: float, high: float) -> Array:
    """Return a direction to the sun, `low` to `high` degrees above the horizon, left or right."""
    up = np.radians(rng.uniform(low, high))
    turn = np.radians(rng.uniform(25, 155)) * rng.choice([-1.0, 1.0])
    return np.array([np.cos(up) * np.sin(turn), np.sin(up), np.cos(up) * np.cos(turn)])


def choose_light(rng: np.random.Generator) -> Light:
    """Return the light of a clear day, a low sun, an overcast day or a dusk."""
    mood = rng.random()
    haze = float(rng.uniform(0.0008, 0.0045))
    tint = rng.uniform(0.95, 1.05, 3).astype(np.float32)
    if mood < 0.42:
        sun, colour, ambient = _sun(rng, 28, 62), _rgb(1.75, 1.62, 1.42), _rgb(0.42, 0.5, 0.63)
        zenith, horizon = _rgb(0.2, 0.42, 0.88), _rgb(0.78, 0.9, 1.05)
        cover, dusk = rng.uniform(0.1, 0.6), 0.0
    elif mood < 0.6:
        sun, colour, ambient = _sun(rng, 12, 26), _rgb(1.9, 1.45, 0.95), _rgb(0.34, 0.38, 0.5)
        zenith, horizon = _rgb(0.25, 0.4, 0.75), _rgb(1.05, 0.92, 0.78)
        cover, dusk = rng.uniform(0.1, 0.6), 0.1
    elif mood < 0.84:
        sun, colour, ambient = _sun(rng, 35, 60), _rgb(0.12, 0.12, 0.12), _rgb(0.86, 0.9, 0.98)
        zenith, horizon = _rgb(0.72, 0.77, 0.85), _rgb(1.0, 1.03, 1.08)
        cover, dusk, haze = rng.uniform(0.85, 1.0), rng.choice([0.0, 0.15]), haze * 1.3
    else:
        sun, colour, ambient = _sun(rng, 6, 12), _rgb(0.22, 0.12, 0.06), _rgb(0.3, 0.31, 0.4)
        zenith, horizon = _rgb(0.16, 0.22, 0.42), _rgb(0.95, 0.62, 0.42) * rng.uniform(0.5, 1.0)
        cover, dusk = rng.uniform(0.2, 0.7), rng.uniform(0.5, 1.0)
    return Light(
        sun, colour * tint, ambient * tint, zenith * tint, horizon * tint, float(cover), haze, float(dusk)
    )
