"""Street furniture: lamp posts, signs, traffic lights, bollards and fences."""

import itertools

import numpy as np

from robseg.datasets.streets.camera import Array, single
from robseg.datasets.streets.canvas import Face, Hits, Material, Surface, plain
from robseg.datasets.streets.light import Light
from robseg.datasets.streets.street import FENCE, POLE, SIGN, Street
from robseg.datasets.streets.textures import fractal, scatter

__all__ = ["bollard", "fence", "lamp_post", "sign_post", "traffic_light"]

RED, WHITE, BLUE, GREEN, YELLOW = (
    (0.5, 0.02, 0.03),
    (0.72, 0.72, 0.7),
    (0.02, 0.1, 0.4),
    (0.02, 0.22, 0.1),
    (0.7, 0.45, 0.02),
)


def _flat(x: float, z: float, outline: list[tuple[float, float]]) -> Array:
    """Return the corners of a face towards the camera from (offset from x, up) points."""
    return np.array([(x + u, max(v, 0.0), z) for u, v in outline])


def _metal(x: float, width: float, colour: Array) -> Material:
    """Return the material of a round upright tube."""

    def shade(hits: Hits) -> Surface:
        side = np.clip((hits.x - x) / (0.55 * width), -0.95, 0.95)
        depth = np.sqrt(1 - side * side)
        normals = np.stack([side, np.full_like(side, 0.1), -depth], axis=1)
        rust = 0.6 + 0.4 * fractal(31, 4).sample(hits.x * 3, hits.y, 3.0, hits.footprint)
        return Surface(colour * rust[:, None], None, None, normals)

    return shade


def _grey(rng: np.random.Generator) -> Array:
    tone = rng.choice([0.03, 0.09, 0.2, 0.35]) * rng.uniform(0.7, 1.3)
    tint = np.array([0.8, 1.05, 0.9]) if rng.random() < 0.2 else np.ones(3)
    return np.asarray(tone * tint, np.float32)


def _tube(
    x: float, z: float, width: float, low: float, high: float, colour: Array, label: int = POLE
) -> Face:
    """Return an upright tube; distant tubes are drawn slightly wider, so that they stay visible."""
    half = max(width, 0.0018 * z) / 2
    outline = [(-half, low), (half, low), (half * 0.8, high), (-half * 0.8, high)]
    return Face(_flat(x, z, outline), label, _metal(x, 2 * half, colour))


def lamp_post(rng: np.random.Generator, light: Light, x: float, z: float, inward: float) -> list[Face]:
    """Return a street lamp or a plain mast; an arm points `inward` (-1 or 1), over the road."""
    colour, high = _grey(rng), rng.uniform(4.5, 8.0)
    faces = [_tube(x, z, rng.uniform(0.1, 0.19), 0, high, colour), _tube(x, z, 0.22, 0, 0.9, colour)]
    kind = rng.random()
    if kind < 0.6:
        reach, rise = inward * rng.uniform(0.6, 1.9), rng.uniform(0.0, 0.35)
        half = max(0.04, 0.001 * z)
        arm = [(0, high - half), (reach, high + rise - half), (reach, high + rise + half), (0, high + half)]
        faces.append(Face(_flat(x, z, arm), POLE, plain(colour)))
        head = [(reach - 0.3, high + rise - 0.07), (reach + 0.3, high + rise - 0.05),
                (reach + 0.2, high + rise + 0.1), (reach - 0.25, high + rise + 0.1)]  # fmt: skip
        faces.append(Face(_flat(x, z - 0.02, head), POLE, plain((0.5, 0.48, 0.4), 2.5 * light.dusk)))
    elif kind < 0.8:
        globe = [(0.2 * np.cos(t), high + 0.15 + 0.22 * np.sin(t)) for t in np.linspace(0, 6.28, 12)]
        faces.append(Face(_flat(x, z - 0.02, globe), POLE, plain((0.55, 0.52, 0.45), 2.0 * light.dusk)))
    return faces


def bollard(rng: np.random.Generator, x: float, z: float) -> list[Face]:
    """Return a short post at the kerb."""
    high = rng.uniform(0.8, 1.1)
    faces = [_tube(x, z, rng.uniform(0.12, 0.2), 0, high, _grey(rng))]
    band = [(-0.08, high - 0.3), (0.08, high - 0.3), (0.08, high - 0.2), (-0.08, high - 0.2)]
    if rng.random() < 0.5:
        faces.append(Face(_flat(x, z - 0.01, band), POLE, plain(WHITE)))
    return faces


def _circle(u: float, v: float, radius: float) -> list[tuple[float, float]]:
    turn = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    return [(u + radius * float(np.cos(t)), v + radius * float(np.sin(t))) for t in turn]


def _triangle(v: float, radius: float) -> list[tuple[float, float]]:
    return [(0, v + radius), (radius, v - 0.75 * radius), (-radius, v - 0.75 * radius)]


def _board(u: float, v: float, wide: float, tall: float) -> list[tuple[float, float]]:
    return [(u - wide, v - tall), (u + wide, v - tall), (u + wide, v + tall), (u - wide, v + tall)]


def sign_post(rng: np.random.Generator, x: float, z: float) -> list[Face]:
    """Return one or two traffic signs on a thin post."""
    high = rng.uniform(2.3, 3.1)
    faces = [_tube(x, z, 0.07, 0, high + 0.2, _grey(rng) + single(0.1))]
    away = rng.random() < 0.15
    level = high
    for _ in range(1 if rng.random() < 0.7 else 2):
        faces += _plate(rng, x, z - 0.05, level, away)
        level -= 0.85
    return faces


def _plate(rng: np.random.Generator, x: float, z: float, v: float, away: bool) -> list[Face]:
    """Return one sign `v` metres above the ground, of one of six kinds."""
    kind, size = rng.integers(6), rng.uniform(0.33, 0.5)
    mark = rng.uniform(0.15, 0.5)
    black = (0.02, 0.02, 0.02)
    if kind == 0:
        layers = [
            (_circle(0, v, size), RED),
            (_circle(0, v, size * 0.74), WHITE),
            (_board(0, v, size * mark, size * 0.12), black),
        ]
    elif kind == 1:
        layers = [
            (_triangle(v, size * 1.1), RED),
            (_triangle(v - 0.02, size * 0.72), WHITE),
            (_board(0, v - 0.08, size * 0.07, size * mark), black),
        ]
    elif kind == 2:
        layers = [
            (_circle(0, v, size), BLUE),
            (_board(0, v, size * 0.12, size * 0.6), WHITE),
            (_circle(0, v + 0.15, size * mark * 0.6), WHITE),
        ]
    elif kind == 3:
        colour = (BLUE, GREEN, WHITE, YELLOW)[rng.integers(4)]
        ink = black if colour in (WHITE, YELLOW) else WHITE
        wide, tall = size * rng.uniform(1.2, 2.4), size * rng.uniform(0.6, 1.2)
        layers = [(_board(0, v, wide, tall), ink), (_board(0, v, wide - 0.03, tall - 0.03), colour)]
        layers += [
            (_board(wide * s * 0.1, v + d * tall, wide * 0.6, tall * 0.12), ink)
            for d, s in ((0.45, -1), (0.0, 1), (-0.45, -2))
        ]
    elif kind == 4:
        layers = [(_circle(0, v, size), RED), (_board(0, v, size * 0.72, size * 0.16), WHITE)]
    else:
        layers = [
            (_board(0, v, size * 0.85, size * 0.85), BLUE),
            (_board(-0.06, v, size * 0.12, size * 0.6), WHITE),
        ]
        layers += [
            (_circle(0.03, v + size * 0.3, size * 0.28), WHITE),
            (_circle(0.03, v + size * 0.3, size * 0.14), BLUE),
        ]
    if away:
        layers = [(layers[0][0], (0.28, 0.28, 0.29))]
    faces = []
    for index, (outline, colour) in enumerate(layers):
        faces.append(Face(_flat(x, z, outline), SIGN, _weathered(colour), casts=index == 0))
    return faces


def _weathered(colour: tuple[float, float, float]) -> Material:
    albedo = single(colour)

    def shade(hits: Hits) -> Surface:
        noise = fractal(79, 8).sample(hits.x, hits.y, 1.5, hits.footprint)
        return Surface(albedo * (0.7 + 0.3 * noise)[:, None] + 0.01)

    return shade


def traffic_light(rng: np.random.Generator, x: float, z: float) -> list[Face]:
    """Return a traffic light on its post."""
    high = rng.uniform(2.7, 3.4)
    faces = [_tube(x, z, 0.12, 0, high, _grey(rng))]
    faces.append(Face(_flat(x, z - 0.04, _board(0, high, 0.24, 0.58)), SIGN, plain((0.02, 0.02, 0.022))))
    if rng.random() < 0.4:
        rim = plain((0.6, 0.6, 0.6))
        faces.insert(1, Face(_flat(x, z - 0.03, _board(0, high, 0.28, 0.62)), SIGN, rim))
    burning = rng.integers(3)
    for index, colour in enumerate(((1.0, 0.06, 0.03), (1.0, 0.45, 0.02), (0.05, 0.9, 0.45))):
        lens = _circle(0, high + 0.36 - 0.36 * index, 0.13)
        material = plain(colour, 1.6) if index == burning else plain(single(colour) * 0.06)
        faces.append(Face(_flat(x, z - 0.05, lens), SIGN, material, casts=False))
    return faces


def fence(
    rng: np.random.Generator, street: Street, lateral: float, start: float, stop: float, guard: bool
) -> list[Face]:
    """Return a fence along the street, made of panels: boards, a mesh or iron railings.

    A fence that guards the kerb (`guard`) always has railings.
    """
    kind = 0 if guard else int(rng.choice(3, p=[0.4, 0.45, 0.15]))
    high = rng.uniform(0.9, 1.3) if kind == 0 else rng.uniform(1.0, 1.9)
    colours = ((0.025, 0.027, 0.03), (0.26, 0.17, 0.09), (0.2, 0.22, 0.2))
    colour = single(colours[kind]) * single(rng.uniform(0.6, 1.6))
    if kind == 0 and rng.random() < 0.3:
        colour = single([0.5, 0.5, 0.48]) * single(rng.uniform(0.6, 1.2))
    pitch = rng.uniform(0.11, 0.16)
    faces = []
    edges = np.linspace(start, stop, max(2, round((stop - start) / 4) + 1))
    for a, b in itertools.pairwise(edges):
        (x0, z0), (x1, z1) = street.place(lateral, a), street.place(lateral, b)
        corners = np.array([(x0, 0, z0), (x1, 0, z1), (x1, high, z1), (x0, high, z0)])
        faces.append(Face(corners, FENCE, _panel(kind, colour, high, float(pitch)), whole=True))
    return faces


def _panel(kind: int, colour: Array, high: float, pitch: float) -> Material:
    def railings(hits: Hits) -> Surface:
        bar = (
            (hits.z % pitch < 0.32 * pitch)
            | (np.abs(hits.y - high + 0.09) < 0.035)
            | (np.abs(hits.y - 0.15) < 0.03)
        )
        bar |= hits.z % 2.0 < 0.08
        return Surface(np.broadcast_to(colour, (len(bar), 3)), None, bar)

    def boards(hits: Hits) -> Surface:
        number = np.floor(hits.z / pitch)
        grain = fractal(83, 8).sample(hits.z * 4, hits.y * 0.6, 3.0, hits.footprint)
        gap = (hits.z % pitch < 0.016) & (hits.footprint < 0.03)
        shade = (0.75 + 0.5 * scatter(number, 1, 7)) * (0.5 + 0.5 * grain) * np.where(gap, 0.25, 1.0)
        return Surface(colour * shade[:, None])

    def mesh(hits: Hits) -> Surface:
        post = (hits.z % 2.4 < 0.09) | (high - hits.y < 0.06)
        wire = ((hits.z + hits.y) % 0.12 < 0.03) | ((hits.z - hits.y) % 0.12 < 0.03)
        wire &= hits.footprint < 0.06
        return Surface(np.broadcast_to(colour, (len(post), 3)), None, post | wire)

    return (railings, boards, mesh)[kind]
