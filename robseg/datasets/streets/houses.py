"""Houses along the street, with a front, two ends, a roof and a chimney."""

import dataclasses

import numpy as np

from robseg.datasets.streets.camera import Array, single
from robseg.datasets.streets.canvas import Face, Hits, Material, Surface
from robseg.datasets.streets.facades import Style, bare_wall, choose_style
from robseg.datasets.streets.facades import front as facade
from robseg.datasets.streets.light import Light
from robseg.datasets.streets.street import BUILDING, Street
from robseg.datasets.streets.textures import fractal

__all__ = ["House", "house"]


@dataclasses.dataclass(frozen=True)
class House:
    """A house along the street from `start` to `stop`, with eaves at the height `eaves`, in metres."""

    start: float
    stop: float
    eaves: float


def _roof(colour: Array) -> Material:
    """Return a material of tiles or slates in rows."""

    def shade(hits: Hits) -> Surface:
        noise = fractal(47, 16).sample(hits.x + hits.z, hits.y * 2, 6.0, hits.footprint)
        rows = 1 - 0.25 * ((hits.y % 0.3 < 0.08) & (hits.footprint < 0.06))
        return Surface(colour * (noise * rows)[:, None])

    return shade


def _corners(street: Street, points: list[tuple[float, float, float]]) -> Array:
    """Return the world coordinates of (lateral, height, along) points."""
    return np.array([(street.place(u, s)[0], y, s) for u, y, s in points])


def _wall(
    street: Street, style: Style, ends: tuple[tuple[float, float], tuple[float, float]], eaves: float
) -> Face:
    """Return the wall between two (lateral, along) points."""
    (u, s), (v, t) = ends
    corners = _corners(street, [(u, 0, s), (v, 0, t), (v, eaves, t), (u, eaves, s)])
    run = corners[1] - corners[0]
    length = float(np.hypot(run[0], run[2]))
    return Face(corners, BUILDING, facade(style, corners[0], run / length, eaves))


def _plain_side(style: Style, depth: float) -> Style:
    """Return the style of the end of a house: no shop, and few windows."""
    length = abs(depth)
    return dataclasses.replace(style, shop=None, bay=length / max(1, round(length / 4.5)))


def house(
    rng: np.random.Generator, light: Light, street: Street, side: int, plan: House, urban: bool
) -> list[Face]:
    """Return the faces of a house on the left (-1) or right (1) of the street."""
    front = street.fronts[side > 0] + side * float(rng.choice([0.0, 0.0, rng.uniform(0, 1.5)]))
    back = front + side * rng.uniform(8, 12)
    start, stop, eaves = plan.start, plan.stop, plan.eaves
    style = choose_style(rng, light, eaves, stop - start, urban)
    corner, far_corner = (front, start), (front, stop)
    faces = [
        _wall(street, style, (corner, far_corner), eaves),
        _wall(street, _plain_side(style, back - front), (corner, (back, start)), eaves),
        _wall(street, _plain_side(style, back - front), (far_corner, (back, stop)), eaves),
    ]
    tiles = single(rng.choice([[0.2, 0.09, 0.06], [0.09, 0.09, 0.1], [0.15, 0.11, 0.09]]))
    if rng.random() < 0.65:
        faces += _gable_roof(street, style, plan, front, back, eaves + rng.uniform(1.5, 3.2), tiles)
    if rng.random() < 0.6:
        along = rng.uniform(start + 0.5, stop - 0.5)
        at = (front * 0.6 + back * 0.4, along)
        faces += _block(street, at, (0.7, 0.9), (eaves, eaves + rng.uniform(2, 4)), style.wall * 0.7)
    return faces


def _gable_roof(
    street: Street, style: Style, plan: House, front: float, back: float, ridge: float, tiles: Array
) -> list[Face]:
    """Return the two slopes and the two gables of a roof whose ridge runs along the street."""
    middle, eaves, lip = (front + back) / 2, plan.eaves, 0.25 if back > front else -0.25
    start, stop = plan.start, plan.stop
    faces = []
    for edge, y in ((front - lip, eaves - 0.05), (back, eaves)):
        rim = [(edge, y, start), (edge, y, stop), (middle, ridge, stop), (middle, ridge, start)]
        faces.append(Face(_corners(street, rim), BUILDING, _roof(tiles)))
    for end in (start, stop):
        gable = _corners(street, [(front, eaves, end), (back, eaves, end), (middle, ridge, end)])
        faces.append(Face(gable, BUILDING, _gable(style, ridge)))
    return faces


def _gable(style: Style, ridge: float) -> Material:
    return lambda hits: Surface(bare_wall(style, hits.x, hits.y, hits.footprint, ridge + 1))


def _block(
    street: Street,
    at: tuple[float, float],
    size: tuple[float, float],
    heights: tuple[float, float],
    colour: Array,
) -> list[Face]:
    """Return an upright block around (lateral, along), such as a chimney."""
    (u, s), (du, ds), (low, high) = at, (size[0] / 2, size[1] / 2), heights

    def shade(hits: Hits) -> Surface:
        noise = fractal(31, 4).sample(hits.x + hits.z, hits.y, 2.5, hits.footprint)
        return Surface(colour * (0.3 + 0.7 * noise)[:, None])

    rim = [(u - du, s - ds), (u + du, s - ds), (u + du, s + ds), (u - du, s + ds)]
    faces = [
        Face(_corners(street, [(a[0], low, a[1]), (b[0], low, b[1]), (b[0], high, b[1]), (a[0], high, a[1])]),
             BUILDING, shade)
        for a, b in zip(rim, [*rim[1:], rim[0]], strict=True)
    ]  # fmt: skip
    faces.append(Face(_corners(street, [(a[0], high, a[1]) for a in rim]), BUILDING, shade))
    return faces
