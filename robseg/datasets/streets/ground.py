"""The ground: asphalt with markings and patches, kerbs, pavements and grass, and the shadows on them."""

import dataclasses

import numpy as np
from scipy import ndimage

from robseg.datasets.streets.camera import Array, single
from robseg.datasets.streets.canvas import Canvas
from robseg.datasets.streets.street import PAVEMENT, ROAD, TREE, Street
from robseg.datasets.streets.textures import fractal, photograph, scatter

__all__ = ["Contact", "paint_ground"]

KERB = 0.12
FARTHEST = 600.0


@dataclasses.dataclass(frozen=True)
class Contact:
    """A dark spot under an object at (x, z), with radii in metres and a darkness `depth` in 0..1."""

    x: float
    z: float
    across: float
    along: float
    depth: float


@dataclasses.dataclass(frozen=True)
class _Spots:
    """N samples of the ground: metres across the street (x - bend * z**2) and along it, and sample widths."""

    lateral: Array
    along: Array
    footprint: Array

    def pick(self, chosen: Array) -> "_Spots":
        return _Spots(self.lateral[chosen], self.along[chosen], self.footprint[chosen])


def paint_ground(canvas: Canvas, street: Street, contacts: list[Contact], rng: np.random.Generator) -> None:
    """Draw the ground below the horizon, behind everything that is already drawn."""
    camera, light = canvas.camera, canvas.light
    first = max(int(np.ceil(camera.horizon + camera.focal * camera.eye / FARTHEST)), 0)
    if first >= camera.height:
        return
    empty = canvas.nearness[first:] == 0
    across, down = camera.columns(), camera.rows(first)
    on_road, low = _spots(across, camera.eye / -down, street, camera.focal)
    _, high = _spots(across, (camera.eye - KERB) / -down, street, camera.focal)
    raised = ~_is_road(high, street)
    kerb = ~raised & ~on_road
    label = np.full(empty.shape, ROAD, np.uint8)
    label[raised | kerb] = PAVEMENT
    grass = raised & _is_verge(high, street)
    label[grass] = TREE
    albedo = np.zeros((*empty.shape, 3), np.float32)
    albedo[kerb] = 0.2
    flat = on_road & ~raised & empty
    albedo[flat] = _asphalt(low.pick(flat), street, rng)
    albedo[raised & empty] = _paving(high.pick(raised & empty), street, rng)
    albedo[grass & empty] = _grass(high.pick(grass & empty), rng)
    x = low.lateral + street.bend * low.along**2
    _darken(albedo, x, low.along, contacts, canvas)
    lit = canvas.skyline.sunlit(light, x, 0.0 * x, low.along)
    lit = lit * (1 - ndimage.uniform_filter(canvas.shadow[first:].astype(np.float32), 5))
    received = 0.95 * light.ambient + lit[..., None].astype(np.float32) * (light.sun[1] * light.sun_colour)
    depth = low.along[:, :1, None]
    sheen = 0.05 * np.clip(depth / 50, 0, 1) * light.horizon
    clear = np.exp(-light.haze * depth)
    colour = (albedo * received + sheen) * clear + light.horizon * (0.8 * (1 - clear))
    canvas.radiance[first:][empty] = colour[empty]
    canvas.label[first:][empty] = label[empty]


def _spots(across: Array, depth: Array, street: Street, focal: float) -> tuple[Array, _Spots]:
    """Return the points where rays hit a horizontal plane, and which of these points are on the road."""
    along = np.broadcast_to(depth[:, None], (len(depth), len(across))).astype(np.float32)
    lateral = (across[None, :] * along - street.bend * along**2).astype(np.float32)
    spots = _Spots(lateral, along, along / focal)
    return _is_road(spots, street), spots


def _is_road(spots: _Spots, street: Street) -> Array:
    road = (spots.lateral > street.kerbs[0]) & (spots.lateral < street.kerbs[1])
    if street.side_street is not None:
        start, stop = street.side_street
        # Kerbs are rounded where the streets meet.
        beyond = np.maximum(street.kerbs[0] - spots.lateral, spots.lateral - street.kerbs[1])
        round_off = 1.5 * np.clip(1 - beyond / 1.5, 0, 1) ** 2
        road |= (spots.along > start - round_off) & (spots.along < stop + round_off)
    return np.asarray(road)


def _is_verge(spots: _Spots, street: Street) -> Array:
    left = street.kerbs[0] - street.walks[0]
    right = street.kerbs[1] + street.walks[1]
    outside = (spots.lateral < left) | (spots.lateral > right)
    if street.side_street is not None:
        outside &= (spots.along < street.side_street[0] - 2) | (spots.along > street.side_street[1] + 2)
    return np.asarray(outside)


def _asphalt(spots: _Spots, street: Street, rng: np.random.Generator) -> Array:
    """Return the reflectance (N, 3) of the road's surface with its markings."""
    u, v, fine = spots.lateral, spots.along, spots.footprint
    tone = rng.uniform(0.085, 0.19) * np.array([1.0, 1.0, 1.0]) * rng.uniform(0.96, 1.05, 3)
    grain = 0.45 + 0.55 * photograph("gravel").sample(u, v, 1.3, fine * 0.6)
    stains = fractal(3, 4).sample(u + rng.uniform(0, 9), v * 0.5, 7.0, fine)
    broad = fractal(5, 4).sample(u, v * 0.4 + rng.uniform(0, 40), 31.0, fine)
    shade = grain * (0.4 + 0.6 * stains) * (0.55 + 0.45 * broad)
    for lane in (street.going, street.coming):
        beside = np.abs(np.abs(u - lane) - 0.78)
        shade *= 1 - 0.13 * np.clip(1 - beside / 0.4, 0, 1)
    gutter = np.minimum(u - street.kerbs[0], street.kerbs[1] - u)
    shade *= 0.72 + 0.28 * np.clip(gutter / 0.5, 0, 1)
    _patch(shade, spots, street, rng)
    cracks = np.abs(fractal(17, 4, 0.7).sample(u, v * 0.6, 9.0, fine) - 0.93)
    shade = np.where((cracks < 0.006 + 0.2 * fine) & (fine < 0.03) & (stains > 1.1), shade * 0.62, shade)
    colour = (shade[:, None] * tone).astype(np.float32)
    paint, yellow = _marks(spots, street, rng)
    worn = 0.85 * np.clip((stains * grain - rng.uniform(0.25, 0.6)) * 4, 0, 1)
    colour += (paint * worn)[:, None] * (single([0.62, 0.62, 0.58]) - colour)
    colour += (yellow * worn)[:, None] * (single([0.55, 0.4, 0.07]) - colour)
    return colour


def _patch(shade: Array, spots: _Spots, street: Street, rng: np.random.Generator) -> None:
    """Add repaired strips and manholes to the road."""
    for _ in range(int(rng.integers(2, 7))):
        middle, depth = rng.uniform(*street.kerbs), rng.uniform(3, 40)
        half, reach = rng.uniform(0.3, 1.3), rng.uniform(0.6, 9)
        distance = np.maximum(np.abs(spots.lateral - middle) - half, np.abs(spots.along - depth) - reach)
        tone = rng.uniform(0.68, 1.2)
        shade[distance < 0] *= tone
        shade[np.abs(distance) < 0.03] *= 0.75
    for _ in range(int(rng.integers(0, 4))):
        middle, depth = rng.uniform(*street.kerbs) * 0.7, rng.uniform(4, 22)
        distance = np.hypot(spots.lateral - middle, spots.along - depth)
        shade[distance < 0.36] *= 0.6
        shade[np.abs(distance - 0.33) < 0.03] *= 1.8


def _marks(spots: _Spots, street: Street, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return whether white and whether yellow paint covers each sample, 0 or 1."""
    u, v = spots.lateral, spots.along
    period, dash = rng.uniform(4.5, 9), rng.uniform(0.35, 0.6)
    half = rng.uniform(0.05, 0.08)
    straight = np.ones_like(u, bool)
    if street.side_street is not None:
        straight = (v < street.side_street[0] - 1) | (v > street.side_street[1] + 1)
    white = (np.abs(u - street.middle) < half) & ((v + rng.uniform(0, 9)) % period < dash * period)
    style = rng.random()
    if style < 0.25:
        white |= np.abs(np.abs(u - street.middle) - 0.14) < half * 0.8
    yellow = np.zeros_like(white)
    kerbside = np.minimum(u - street.kerbs[0], street.kerbs[1] - u)
    edges = rng.random()
    if edges < 0.4:
        yellow = (np.abs(kerbside - 0.28) < 0.05) | (np.abs(kerbside - 0.5) < 0.05)
    elif edges < 0.7:
        white |= np.abs(kerbside - 0.35) < half
    for side in (0, 1):
        if street.parking[side]:
            inner = np.abs(u - street.kerbs[side])
            white |= (np.abs(inner - 2.1) < 0.05) | ((inner < 2.1) & (v % 5.6 < 0.1) & (edges > 0.3))
    if street.side_street is not None:
        start = street.side_street[0]
        mine = (u - street.middle) * (street.going - street.middle) > 0
        white |= mine & (v > start - 2.2) & (v < start - 1.8) & (kerbside > 0.3)
    white, yellow = white & straight, yellow & straight
    if street.zebra is not None:
        on_zebra = (v > street.zebra) & (v < street.zebra + 2.8)
        white = np.where(on_zebra, u % 1.1 < 0.55, white)
        yellow = yellow & ~on_zebra
    return white.astype(np.float32), yellow.astype(np.float32)


def _paving(spots: _Spots, street: Street, rng: np.random.Generator) -> Array:
    """Return the reflectance (N, 3) of kerb stones and slabs."""
    u, v, fine = spots.lateral, spots.along, spots.footprint
    tone = rng.uniform(0.17, 0.34) * np.array([1.03, 1.0, 0.95]) * rng.uniform(0.95, 1.05, 3)
    long, wide = rng.uniform(0.4, 0.9, 2)
    inward = np.where(u < street.middle, street.kerbs[0] - u, u - street.kerbs[1])
    stone = inward < 0.16
    row = np.floor(inward / wide)
    shift = v + 0.5 * long * (row % 2)
    joint = (inward % wide < 0.014) | (shift % long < 0.014) | (np.abs(inward - 0.16) < 0.02)
    joint = np.where(stone, (v % 0.9 < 0.02) | (np.abs(inward - 0.16) < 0.02), joint)
    shade = 0.85 + 0.3 * scatter(row, np.floor(shift / long), 3)
    shade = np.where(stone, 1.25 + 0.2 * scatter(np.floor(v / 0.9), 1, 4), shade)
    shade *= 0.55 + 0.45 * photograph("gravel").sample(u, v, 0.9, fine)
    shade *= 0.55 + 0.45 * fractal(3, 4).sample(u, v, 5.0, fine)
    shade *= 1 - 0.45 * joint * np.clip(0.02 / fine, 0, 1)
    return (shade[:, None] * tone).astype(np.float32)


def _grass(spots: _Spots, rng: np.random.Generator) -> Array:
    """Return the reflectance (N, 3) of a lawn with bare spots."""
    blades = photograph("grass").sample(spots.lateral, spots.along, 1.6, spots.footprint)
    patches = fractal(23, 4).sample(spots.lateral, spots.along, 6.0, spots.footprint)
    green = single([0.1, 0.16, 0.045]) * rng.uniform(0.7, 1.2)
    dry = single([0.2, 0.17, 0.09])
    dryness = np.clip(patches * 1.6 - rng.uniform(1.0, 1.9), 0, 1)[:, None]
    shade = (0.25 + 0.75 * blades * patches)[:, None]
    return np.asarray(shade * (green + dryness * (dry - green)), np.float32)


def _darken(albedo: Array, x: Array, z: Array, contacts: list[Contact], canvas: Canvas) -> None:
    """Darken the ground under and around objects, where little light from the sky reaches it."""
    camera = canvas.camera
    first = camera.height - len(z)
    for spot in contacts:
        near, far = max(spot.z - 1.6 * spot.along, 0.5), spot.z + 1.6 * spot.along
        if far < 0.6:
            continue
        top, bottom = (
            int(np.clip(camera.horizon + camera.focal * camera.eye / d - first, 0, len(z)))
            for d in (far, near)
        )
        reach = 1.6 * spot.across
        edges = [
            camera.centre + camera.focal * (spot.x + s * reach) / d for s in (-1, 1) for d in (near, far)
        ]
        left, right = (int(np.clip(e, 0, camera.width)) for e in (min(edges), max(edges)))
        window = (slice(top, bottom), slice(left, right))
        distance = np.sqrt(
            ((x[window] - spot.x) / spot.across) ** 2 + ((z[window] - spot.z) / spot.along) ** 2
        )
        albedo[window] *= (1 - spot.depth * np.clip(1.5 - distance, 0, 0.7) / 0.7)[..., None].astype(
            np.float32
        )
