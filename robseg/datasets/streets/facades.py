"""Facades of houses: windows, doors and shops on walls of brick or plaster."""

import dataclasses

import numpy as np

from robseg.datasets.streets.camera import Array, single
from robseg.datasets.streets.canvas import Hits, Material, Surface
from robseg.datasets.streets.light import Light
from robseg.datasets.streets.textures import fractal, photograph, scatter

__all__ = ["Style", "bare_wall", "choose_style", "front"]

BRICKS = ((0.3, 0.13, 0.08), (0.36, 0.2, 0.12), (0.24, 0.12, 0.09), (0.4, 0.31, 0.2), (0.17, 0.12, 0.1))
PLASTERS = (
    (0.62, 0.58, 0.5),
    (0.6, 0.5, 0.34),
    (0.66, 0.66, 0.64),
    (0.5, 0.4, 0.34),
    (0.42, 0.47, 0.5),
    (0.57, 0.42, 0.32),
    (0.35, 0.36, 0.38),
)
TRIMS = ((0.75, 0.74, 0.7), (0.6, 0.57, 0.5), (0.1, 0.1, 0.1), (0.25, 0.17, 0.1), (0.12, 0.2, 0.16))


@dataclasses.dataclass(frozen=True)
class Style:
    """The look of a wall, with lengths in metres; `salt` makes the windows of each house different."""

    brick: bool
    wall: Array
    trim: Array
    shop: Array | None
    floor: float
    ground_floor: float
    floors: int
    bay: float
    pane: tuple[float, float, float]
    mullions: int
    salt: int
    light: Light


def choose_style(rng: np.random.Generator, light: Light, eaves: float, length: float, urban: bool) -> Style:
    """Return the style of a house `length` metres long; in an `urban` street it may have a shop."""
    floor = rng.uniform(2.7, 3.4)
    ground_floor = rng.uniform(3.1, 3.9) if urban else floor
    bays = max(1, round(length / rng.uniform(2.0, 3.8)))
    bay = length / bays
    brick = bool(rng.random() < 0.5)
    wall = np.array(BRICKS[rng.integers(5)] if brick else PLASTERS[rng.integers(7)], np.float32)
    width = min(rng.uniform(0.35, 0.7) * bay, 2.2)
    return Style(
        brick=brick,
        wall=wall * single(rng.uniform(0.75, 1.15)),
        trim=np.array(TRIMS[rng.integers(5)], np.float32),
        shop=_shop_colour(rng) if urban and rng.random() < 0.65 else None,
        floor=float(floor),
        ground_floor=float(ground_floor),
        floors=int(max(0, (eaves - ground_floor - 0.3) // floor)),
        bay=float(bay),
        pane=(float(width), float(rng.uniform(0.75, 1.0)), float(rng.uniform(1.25, 1.8))),
        mullions=int(rng.integers(0, 3)),
        salt=int(rng.integers(256)),
        light=light,
    )


def _shop_colour(rng: np.random.Generator) -> Array:
    """Return the colour of a shop's sign: dark or pale, sometimes strong."""
    grey = rng.choice([0.02, 0.06, 0.25, 0.55])
    spread = rng.choice([0.15, 0.4, 0.85])
    return np.asarray(grey * (1 - spread + 2 * spread * rng.random(3)), np.float32)


def bare_wall(style: Style, u: Array, v: Array, fine: Array, eaves: float) -> Array:
    """Return the reflectance (N, 3) of the bare wall: brick or plaster, with dirt and rain streaks."""
    dirt = fractal(31, 4).sample(u + style.salt, v, 8.0, fine)
    streaks = fractal(37, 8).sample(u * 3 + style.salt, v * 0.25, 9.0, fine)
    shade = (0.7 + 0.3 * dirt) * (0.8 + 0.2 * streaks)
    if style.brick:
        shade = shade * photograph("brick").sample(u, v, 1.15, fine)
    else:
        shade = shade * (0.9 + 0.1 * fractal(41, 32).sample(u, v, 1.5, fine))
    shade = shade * (0.75 + 0.25 * np.clip(v / 1.4, 0, 1)) * (1 - 0.25 * np.clip(1 - (eaves - v) / 0.7, 0, 1))
    return np.asarray(shade[:, None] * style.wall, np.float32)


def _glass(style: Style, i: Array, j: Array, height: Array, u: Array, v: Array) -> tuple[Array, Array]:
    """Return reflectance and glow (N, 3) of panes: dark rooms or curtains that reflect sky and street."""
    dice, other = scatter(i, j, style.salt), scatter(j, i, style.salt + 1)
    room = (0.015 + 0.05 * dice)[:, None] * single([0.9, 1.0, 1.05])
    curtain = (
        (other > 0.55) & (height < 0.25 + 0.9 * dice) if style.salt % 2 else (other > 0.6) & (height > 0.45)
    )
    room = np.where(curtain[:, None], single([0.4, 0.38, 0.34]) * (0.5 + 0.5 * dice)[:, None], room)
    image = fractal(43, 8).sample(u * 1.7 + 3 * dice, v + 5 * other, 5.0, 0.02)
    mirrored = 0.04 + 0.3 * np.clip((image - 0.95) * 2.5 + 0.7 * height - 0.1, 0, 1) * (0.35 + 0.65 * other)
    glow = mirrored[:, None] * (0.6 * style.light.horizon + 0.4 * style.light.zenith)
    burning = (scatter(i, j, style.salt + 5) < 0.45 * style.light.dusk).astype(np.float32)
    warm = single([0.9, 0.62, 0.3]) * style.light.dusk
    glow = glow + (burning * (0.35 + 0.5 * dice))[:, None] * warm
    return room, np.asarray(glow, np.float32)


def front(style: Style, origin: Array, along: Array, eaves: float) -> Material:
    """Return the material of a wall that runs from `origin` in the direction `along`, a unit vector."""

    def shade(hits: Hits) -> Surface:
        u = (hits.x - origin[0]) * along[0] + (hits.z - origin[2]) * along[2]
        v, fine = hits.y, hits.footprint
        colour = bare_wall(style, u, v, fine, eaves)
        glow = np.zeros_like(colour)
        _upper_windows(style, u, v, colour, glow)
        if style.shop is not None:
            _shop(style, style.shop, u, v, colour, glow)
        else:
            _ground_floor(style, u, v, colour, glow)
        # A cornice under the eaves, a plinth at the foot, and a downpipe at the end of the house.
        colour[(eaves - v < 0.28) & (eaves - v > 0.06)] = style.trim * 0.8
        colour[v < 0.35] *= 0.6
        colour[np.abs(u - 0.15) < 0.06] = style.trim * 0.5
        return Surface(colour, glow)

    return shade


def _put_windows(
    style: Style,
    u: Array,
    v: Array,
    sill: Array | float,
    row: Array,
    where: Array,
    colour: Array,
    glow: Array,
) -> None:
    """Draw a window in the middle of every bay, with its sill at height `sill`, into the samples `where`."""
    width, _, tall = style.pane
    column = np.floor(u / style.bay)
    off = u - (column + 0.5) * style.bay
    up = v - sill
    inside = where & (np.abs(off) < width / 2) & (up > 0) & (up < tall)
    ledge = where & (np.abs(off) < width / 2 + 0.12) & (up <= 0) & (up > -0.12)
    lintel = where & (np.abs(off) < width / 2 + 0.08) & (up >= tall) & (up < tall + 0.16)
    colour[ledge] = style.trim * 0.9
    colour[where & (np.abs(off) < width / 2 + 0.1) & (up <= -0.12) & (up > -0.3)] *= 0.6
    colour[lintel] *= 1.25 if style.brick else 0.85
    edge = np.minimum(width / 2 - np.abs(off), np.minimum(up, tall - up))
    frame = edge < 0.07
    if style.mullions:
        frame |= np.abs(off) < 0.03
    if style.mullions == 2:
        frame |= np.abs(up - 0.5 * tall) < 0.035
    pane, bars = inside & ~frame, inside & frame
    colour[bars] = style.trim
    colour[pane], glow[pane] = _glass(style, column[pane], row[pane], up[pane] / tall, u[pane], v[pane])
    # The wall's thickness shades the top and one side of the pane.
    reveal = inside & ((tall - up < 0.16) | (width / 2 + off < 0.1))
    colour[reveal] *= 0.55
    glow[reveal] *= 0.5


def _upper_windows(style: Style, u: Array, v: Array, colour: Array, glow: Array) -> None:
    row = np.floor((v - style.ground_floor) / style.floor)
    sill = style.ground_floor + row * style.floor + style.pane[1]
    where = (row >= 0) & (row < style.floors)
    _put_windows(style, u, v, sill, row, where, colour, glow)
    if style.salt % 3 == 0:
        colour[where & (np.abs(v - style.ground_floor - row * style.floor) < 0.09)] = style.trim * 0.85


def _ground_floor(style: Style, u: Array, v: Array, colour: Array, glow: Array) -> None:
    """Draw the windows and doors of a residential ground floor."""
    column = np.floor(u / style.bay)
    is_door = (column.astype(np.int64) + style.salt) % 3 == 0
    below = v < style.ground_floor
    _put_windows(style, u, v, 0.95, np.full_like(u, -1), below & ~is_door, colour, glow)
    off = np.abs(u - (column + 0.5) * style.bay)
    door = below & is_door & (off < 0.5) & (v < 2.15) & (v > 0.1)
    colour[below & is_door & (off < 0.66) & (v < 2.35)] = style.trim
    paint = single([0.05, 0.07, 0.12]) if style.salt % 2 else single([0.3, 0.05, 0.04])
    colour[door] = paint * (0.7 + 0.5 * ((v[door] * 2.2) % 1 > 0.15))[:, None]


def _shop(style: Style, sign: Array, u: Array, v: Array, colour: Array, glow: Array) -> None:
    """Draw a shop window with goods, its frame, and the shop's sign above it."""
    top = style.ground_floor - 0.35
    wide = 2 * style.bay
    column = np.floor(u / wide)
    off = u - (column + 0.5) * wide
    below = v < top
    colour[below] = sign * 0.45
    pane = below & (np.abs(off) < wide / 2 - 0.18) & (v > 0.45) & (v < top - 0.75)
    door = pane & (off > wide / 2 - 1.2)
    pane = pane & (~door | (off > wide / 2 - 1.12))
    goods = scatter(np.floor(u[pane] * 2.6), np.floor(v[pane] * 3.1), style.salt)
    hue = scatter(np.floor(u[pane] * 2.6), np.floor(v[pane] * 3.1), style.salt + 9)
    tint = np.stack([0.1 + 0.5 * hue, np.full_like(hue, 0.25), 0.6 - 0.5 * hue], axis=1)
    stocked = ((v[pane] < 1.6) & (goods > 0.35))[:, None]
    room, mirror = _glass(style, column[pane], column[pane], v[pane] / top, u[pane], v[pane])
    colour[pane] = np.where(stocked, (0.4 * tint + 0.1) * goods[:, None] * 0.6, room)
    inside = single([0.55, 0.45, 0.3]) * (0.06 + 0.9 * style.light.dusk)
    glow[pane] = mirror * 0.8 + inside * (0.3 + 0.7 * goods)[:, None] * np.where(stocked, tint, 0.5)
    board = (v > top - 0.7) & (v < top)
    colour[board] = sign
    letters = board & (np.abs(v - top + 0.35) < 0.17) & (np.abs(off) < wide * 0.3)
    letters &= scatter(np.floor(u / 0.13), column, style.salt + 2) > 0.35
    colour[letters] = 0.8 - sign * 0.9
    colour[(v >= top) & (v < top + 0.12)] *= 0.6
