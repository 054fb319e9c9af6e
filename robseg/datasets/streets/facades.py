"""Houses: fronts with windows, doors and shops on brick, plaster or stone, end walls and roofs."""

import dataclasses

import numpy as np

from robseg.datasets.streets.camera import Array, single
from robseg.datasets.streets.canvas import Face, Hits, Material, Surface
from robseg.datasets.streets.light import Light
from robseg.datasets.streets.street import BUILDING, Street
from robseg.datasets.streets.textures import fractal, photograph, scatter

__all__ = ["House", "house", "wall_block"]

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
class House:
    """A house along the street from `start` to `stop`, as high as `eaves`."""

    start: float
    stop: float
    eaves: float


@dataclasses.dataclass(frozen=True)
class _Style:
    """How a wall looks; lengths in metres. `salt` tells one house's windows from another's."""

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


def _style(rng: np.random.Generator, light: Light, eaves: float, length: float, urban: bool) -> _Style:
    floor = rng.uniform(2.7, 3.4)
    ground_floor = rng.uniform(3.1, 3.9) if urban else floor
    bays = max(1, round(length / rng.uniform(2.0, 3.8)))
    bay = length / bays
    brick = bool(rng.random() < 0.5)
    wall = np.array(BRICKS[rng.integers(5)] if brick else PLASTERS[rng.integers(7)], np.float32)
    width = min(rng.uniform(0.35, 0.7) * bay, 2.2)
    return _Style(
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
    """Return the colour of a shop's board: dark or pale, now and then strong."""
    grey = rng.choice([0.02, 0.06, 0.25, 0.55])
    spread = rng.choice([0.15, 0.4, 0.85])
    return np.asarray(grey * (1 - spread + 2 * spread * rng.random(3)), np.float32)


def _wall(style: _Style, u: Array, v: Array, fine: Array, eaves: float) -> Array:
    """Return the reflectance (N, 3) of the bare wall: bricks or plaster, with dirt and rain streaks."""
    dirt = fractal(31, 4).sample(u + style.salt, v, 8.0, fine)
    streaks = fractal(37, 8).sample(u * 3 + style.salt, v * 0.25, 9.0, fine)
    shade = (0.7 + 0.3 * dirt) * (0.8 + 0.2 * streaks)
    if style.brick:
        shade = shade * photograph("brick").sample(u, v, 1.15, fine)
    else:
        shade = shade * (0.9 + 0.1 * fractal(41, 32).sample(u, v, 1.5, fine))
    shade = shade * (0.75 + 0.25 * np.clip(v / 1.4, 0, 1)) * (1 - 0.25 * np.clip(1 - (eaves - v) / 0.7, 0, 1))
    return np.asarray(shade[:, None] * style.wall, np.float32)


def _glass(style: _Style, i: Array, j: Array, height: Array, u: Array, v: Array) -> tuple[Array, Array]:
    """Return reflectance and glow (N, 3) of panes: a dark room or curtains behind, the sky and the street in it."""
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


def _front(style: _Style, origin: Array, along: Array, length: float, eaves: float) -> Material:
    """Return the material of a wall that starts at `origin` and runs `along` the unit vector."""

    def shade(hits: Hits) -> Surface:
        u = (hits.x - origin[0]) * along[0] + (hits.z - origin[2]) * along[2]
        v, fine = hits.y, hits.footprint
        colour = _wall(style, u, v, fine, eaves)
        glow = np.zeros_like(colour)
        _upper_windows(style, u, v, colour, glow)
        if style.shop is not None:
            _shop(style, style.shop, u, v, colour, glow)
        else:
            _ground_floor(style, u, v, colour, glow)
        # Cornice under the eaves, plinth at the foot, a downpipe at the house's end.
        colour[(eaves - v < 0.28) & (eaves - v > 0.06)] = style.trim * 0.8
        colour[v < 0.35] *= 0.6
        colour[np.abs(u - 0.15) < 0.06] = style.trim * 0.5
        return Surface(colour, glow)

    return shade


def _put_windows(
    style: _Style,
    u: Array,
    v: Array,
    sill: Array | float,
    row: Array,
    where: Array,
    colour: Array,
    glow: Array,
) -> None:
    """Draw a window in the middle of every bay, `sill` metres up, into the samples `where`."""
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


def _upper_windows(style: _Style, u: Array, v: Array, colour: Array, glow: Array) -> None:
    row = np.floor((v - style.ground_floor) / style.floor)
    sill = style.ground_floor + row * style.floor + style.pane[1]
    where = (row >= 0) & (row < style.floors)
    _put_windows(style, u, v, sill, row, where, colour, glow)
    if style.salt % 3 == 0:
        colour[where & (np.abs(v - style.ground_floor - row * style.floor) < 0.09)] = style.trim * 0.85


def _ground_floor(style: _Style, u: Array, v: Array, colour: Array, glow: Array) -> None:
    """Draw the windows and doors of a dwelling."""
    column = np.floor(u / style.bay)
    is_door = (column.astype(np.int64) + style.salt) % 3 == 0
    below = v < style.ground_floor
    _put_windows(style, u, v, 0.95, np.full_like(u, -1), below & ~is_door, colour, glow)
    off = np.abs(u - (column + 0.5) * style.bay)
    door = below & is_door & (off < 0.5) & (v < 2.15) & (v > 0.1)
    colour[below & is_door & (off < 0.66) & (v < 2.35)] = style.trim
    paint = single([0.05, 0.07, 0.12]) if style.salt % 2 else single([0.3, 0.05, 0.04])
    colour[door] = paint * (0.7 + 0.5 * ((v[door] * 2.2) % 1 > 0.15))[:, None]


def _shop(style: _Style, sign: Array, u: Array, v: Array, colour: Array, glow: Array) -> None:
    """Draw a shop window with goods, its frame, and the board with the shop's name above it."""
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


def _roof(colour: Array) -> Material:
    """Return tiles or slates in rows."""

    def shade(hits: Hits) -> Surface:
        noise = fractal(47, 16).sample(hits.x + hits.z, hits.y * 2, 6.0, hits.footprint)
        rows = 1 - 0.25 * ((hits.y % 0.3 < 0.08) & (hits.footprint < 0.06))
        return Surface(colour * (noise * rows)[:, None])

    return shade


def _corners(street: Street, points: list[tuple[float, float, float]]) -> Array:
    """Return the corners of (lateral, height, along) points."""
    return np.array([(street.place(u, s)[0], y, s) for u, y, s in points])


def house(
    rng: np.random.Generator, light: Light, street: Street, side: int, plan: House, urban: bool
) -> list[Face]:
    """Return the faces of a house on the left (-1) or right (1) of the street."""
    outward = side
    front = street.fronts[side > 0] + outward * float(rng.choice([0.0, 0.0, rng.uniform(0, 1.5)]))
    back = front + outward * rng.uniform(8, 12)
    start, stop, eaves = plan.start, plan.stop, plan.eaves
    style = _style(rng, light, eaves, stop - start, urban)
    faces = []
    for a, b, shops in (
        ((front, start), (front, stop), True),
        ((front, start), (back, start), False),
        ((front, stop), (back, stop), False),
    ):
        wall = _corners(street, [(a[0], 0, a[1]), (b[0], 0, b[1]), (b[0], eaves, b[1]), (a[0], eaves, a[1])])
        run = wall[1] - wall[0]
        length = float(np.hypot(run[0], run[2]))
        look = (
            style
            if shops
            else dataclasses.replace(style, shop=None, bay=length / max(1, round(length / 4.5)))
        )
        faces.append(Face(wall, BUILDING, _front(look, wall[0], run / length, length, eaves)))
    tiles = single(rng.choice([[0.2, 0.09, 0.06], [0.09, 0.09, 0.1], [0.15, 0.11, 0.09]]))
    if rng.random() < 0.65:
        faces += _gable_roof(street, style, plan, front, back, eaves + rng.uniform(1.5, 3.2), tiles)
    if rng.random() < 0.6:
        along = rng.uniform(start + 0.5, stop - 0.5)
        at = (front * 0.6 + back * 0.4, along)
        faces += wall_block(street, at, (0.7, 0.9), (eaves, eaves + rng.uniform(2, 4)), style.wall * 0.7)
    return faces


def _gable_roof(
    street: Street, style: _Style, plan: House, front: float, back: float, ridge: float, tiles: Array
) -> list[Face]:
    """Return the two slopes and the two gables of a roof whose ridge runs along the street."""
    middle, eaves, lip = (front + back) / 2, plan.eaves, 0.25 if back > front else -0.25
    ends = (plan.start, plan.stop)
    faces = [
        Face(_corners(street, [(edge, y, ends[0]), (edge, y, ends[1]), (middle, ridge, ends[1]), (middle, ridge, ends[0])]),
             BUILDING, _roof(tiles))
        for edge, y in ((front - lip, eaves - 0.05), (back, eaves))
    ]  # fmt: skip
    for end in ends:
        gable = _corners(street, [(front, eaves, end), (back, eaves, end), (middle, ridge, end)])
        faces.append(Face(gable, BUILDING, _gable(style, ridge)))
    return faces


def _gable(style: _Style, ridge: float) -> Material:
    return lambda hits: Surface(_wall(style, hits.x, hits.y, hits.footprint, ridge + 1))


def wall_block(
    street: Street,
    at: tuple[float, float],
    size: tuple[float, float],
    heights: tuple[float, float],
    colour: Array,
    label: int = BUILDING,
) -> list[Face]:
    """Return an upright block around (lateral, along): a chimney, a garden wall, a dustbin."""
    (u, s), (du, ds), (low, high) = at, (size[0] / 2, size[1] / 2), heights

    def shade(hits: Hits) -> Surface:
        noise = fractal(31, 4).sample(hits.x + hits.z, hits.y, 2.5, hits.footprint)
        return Surface(colour * (0.3 + 0.7 * noise)[:, None])

    rim = [(u - du, s - ds), (u + du, s - ds), (u + du, s + ds), (u - du, s + ds)]
    faces = [
        Face(_corners(street, [(a[0], low, a[1]), (b[0], low, b[1]), (b[0], high, b[1]), (a[0], high, a[1])]),
             label, shade)
        for a, b in zip(rim, [*rim[1:], rim[0]], strict=True)
    ]  # fmt: skip
    faces.append(Face(_corners(street, [(a[0], high, a[1]) for a in rim]), label, shade))
    return faces
