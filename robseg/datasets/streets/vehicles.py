"""Cars and vans: a side profile, extruded to a body, with a cabin, glass, wheels and lamps."""

import dataclasses
import itertools

import numpy as np

from robseg.datasets.streets.camera import Array, single
from robseg.datasets.streets.canvas import Face, Hits, Material, Surface, plain
from robseg.datasets.streets.ground import Contact
from robseg.datasets.streets.light import Light
from robseg.datasets.streets.street import CAR
from robseg.datasets.streets.textures import fractal

__all__ = ["vehicle"]

PAINTS = (
    (0.6, 0.6, 0.6), (0.75, 0.75, 0.73), (0.02, 0.02, 0.025), (0.1, 0.105, 0.11), (0.3, 0.31, 0.33),
    (0.35, 0.02, 0.025), (0.03, 0.06, 0.22), (0.02, 0.03, 0.07), (0.05, 0.1, 0.07), (0.32, 0.26, 0.16),
    (0.12, 0.2, 0.3),
)  # fmt: skip
RUBBER = (0.012, 0.012, 0.013)
TRIM = (0.02, 0.02, 0.022)


@dataclasses.dataclass(frozen=True)
class _Shape:
    """A side profile. Lengths are in metres; positions run from the car's tail (0) to its nose (`length`).

    The windscreen meets the body at `cowl`, and the rear window meets it at `deck`. `roof` is the (rear,
    front) of the roof.
    """

    length: float
    width: float
    height: float
    belt: float
    cowl: float
    deck: float
    roof: tuple[float, float]
    nose: float
    wheel: float


def _shape(rng: np.random.Generator) -> _Shape:
    kind = rng.choice(4, p=[0.42, 0.25, 0.2, 0.13])
    length, height, belt, cowl, deck, rear, front, nose = (
        (4.05, 1.48, 0.95, 0.72, 0.02, 0.14, 0.52, 0.72),
        (4.6, 1.45, 0.94, 0.7, 0.14, 0.3, 0.52, 0.7),
        (4.5, 1.7, 1.05, 0.73, 0.01, 0.07, 0.55, 0.85),
        (5.1, 2.15, 1.15, 0.84, 0.0, 0.01, 0.7, 0.95),
    )[kind]
    scale = rng.uniform(0.93, 1.07)
    length = length * scale
    return _Shape(
        length=length,
        width=rng.uniform(1.7, 1.86) * (1.06 if kind == 3 else 1.0),
        height=height * rng.uniform(0.97, 1.05),
        belt=belt,
        cowl=cowl * length,
        deck=deck * length,
        roof=(rear * length, front * length),
        nose=nose,
        wheel=rng.uniform(0.3, 0.34),
    )


@dataclasses.dataclass(frozen=True)
class _Frame:
    """The position of a car, and the direction of its nose in radians, clockwise from straight ahead."""

    x: float
    z: float
    heading: float
    length: float

    def __call__(self, points: list[tuple[float, float, float]]) -> Array:
        """Return the world coordinates of (distance from the tail, right, up) points."""
        sin, cos = np.sin(self.heading), np.cos(self.heading)
        corners = []
        for along, right, up in points:
            ahead = along - self.length / 2
            corners.append((self.x + ahead * sin + right * cos, up, self.z + ahead * cos - right * sin))
        return np.array(corners)


def _paint(colour: Array, light: Light, upward: float) -> Material:
    """Return car paint, which reflects the sky above the waist line and the ground below it."""

    def shade(hits: Hits) -> Surface:
        wave = fractal(67, 4).sample(hits.x + hits.z, hits.y, 5.0, hits.footprint)
        height = np.clip((hits.y - 0.25) / 0.75, 0, 1)
        mirrored = (0.02 + 0.1 * height * height + 0.16 * upward) * (0.4 + 0.6 * wave)
        glow = mirrored[:, None] * (0.5 * light.horizon + 0.5 * light.zenith)
        dirt = (0.7 + 0.3 * np.clip(hits.y / 0.6, 0, 1)) * (0.9 + 0.1 * wave)
        return Surface(colour * dirt[:, None], glow.astype(np.float32))

    return shade


def _glass(light: Light, low: float, high: float, upward: float) -> Material:
    """Return a window pane between two heights: dark, with a reflection of the sky in its upper part."""

    def shade(hits: Hits) -> Surface:
        wave = fractal(71, 4).sample(hits.x + hits.z * 0.7, hits.y, 3.0, hits.footprint)
        up = np.clip((hits.y - low) / (high - low), 0, 1)
        mirrored = 0.025 + (0.08 + 0.22 * upward) * np.clip(up * 0.9 + 0.45 * (wave - 1), 0, 1) ** 1.5
        glow = mirrored[:, None] * (0.6 * light.horizon + 0.4 * light.zenith)
        return Surface(single([0.02, 0.024, 0.026]), glow.astype(np.float32))

    return shade


def vehicle(
    rng: np.random.Generator, light: Light, x: float, z: float, heading: float, driving: bool
) -> tuple[list[Face], list[Contact]]:
    """Return the faces of a car or van centred on (x, z), and the dark ground under it."""
    shape = _shape(rng)
    frame = _Frame(x, z, heading, shape.length)
    colour = single(PAINTS[rng.integers(len(PAINTS))]) * single(rng.uniform(0.85, 1.15))
    faces = _body(shape, frame, colour, light) + _cabin(shape, frame, colour, light)
    faces += _wheels(rng, shape, frame) + _ends(rng, shape, frame, light, driving)
    sin, cos = abs(np.sin(heading)), abs(np.cos(heading))
    across = 0.5 * (shape.width * cos + shape.length * sin) * 1.02
    along = 0.5 * (shape.length * cos + shape.width * sin) * 1.02
    return faces, [Contact(x, z, across, along, 0.85)]


def _outline(shape: _Shape) -> list[tuple[float, float]]:
    """Return the (along, up) outline of the body, from the foot of the nose over the belt to the tail."""
    end = shape.length
    return [
        (end - 0.04, 0.24), (end, 0.42), (end - 0.02, 0.58), (end - 0.14, shape.nose),
        (shape.cowl, shape.belt), (shape.deck, shape.belt), (0.03, shape.belt - 0.12),
        (0.0, 0.55), (0.05, 0.26),
    ]  # fmt: skip


def _body(shape: _Shape, frame: _Frame, colour: Array, light: Light) -> list[Face]:
    half = shape.width / 2
    outline = _outline(shape)
    faces = []
    for (a, low), (b, high) in itertools.pairwise(outline):
        corners = frame([(a, -half, low), (a, half, low), (b, half, high), (b, -half, high)])
        flat = abs(b - a) / (abs(b - a) + abs(high - low) + 1e-9)
        faces.append(Face(corners, CAR, _paint(colour, light, float(flat)), casts=False))
    for side in (-half, half):
        faces.append(Face(frame([(a, side, up) for a, up in outline]), CAR, _paint(colour, light, 0.0)))
        sill = [
            (0.1, side, 0.2),
            (shape.length - 0.1, side, 0.2),
            (shape.length - 0.1, side, 0.33),
            (0.1, side, 0.33),
        ]
        faces.append(Face(frame(sill), CAR, plain(TRIM), casts=False))
        doors = [0.5 * (shape.cowl + shape.deck), shape.cowl - 0.1]
        for seam in doors:
            line = [
                (seam, side, 0.34),
                (seam + 0.018, side, 0.34),
                (seam + 0.018, side, shape.belt),
                (seam, side, shape.belt),
            ]
            faces.append(Face(frame(line), CAR, plain(TRIM), casts=False))
    return faces


def _cabin(shape: _Shape, frame: _Frame, colour: Array, light: Light) -> list[Face]:
    """Return the faces above the belt, where the car narrows towards the roof."""
    half, top = shape.width / 2 - 0.03, shape.width / 2 - 0.2
    rear, front = shape.roof
    belt, roof = shape.belt, shape.height
    ring = [(shape.cowl, belt, half), (front, roof, top), (rear, roof, top), (shape.deck, belt, half)]
    faces = []
    for index, ((a, low, wide), (b, high, narrow)) in enumerate(itertools.pairwise(ring)):
        corners = [(a, -wide, low), (a, wide, low), (b, narrow, high), (b, -narrow, high)]
        material = _paint(colour, light, 1.0 if index == 1 else 0.3)
        faces.append(Face(frame(corners), CAR, material, casts=index == 1))
        if index != 1:
            faces.append(Face(_inset(frame(corners), 0.09), CAR, _glass(light, belt, roof, 0.5), casts=False))
    for sign in (-1, 1):
        corners = [(a, sign * wide, up) for a, up, wide in ring]
        faces.append(Face(frame(corners), CAR, _paint(colour, light, 0.2)))
        for start, stop in ((0.06, 0.48), (0.53, 0.95)):
            faces.append(
                Face(
                    frame(_side_pane(ring, sign, start, stop)),
                    CAR,
                    _glass(light, belt, roof, 0.2),
                    casts=False,
                )
            )
        mirror_at = shape.cowl - 0.15
        mirror = [
            (mirror_at, sign * (half + d), belt + u)
            for d, u in ((0.0, 0.0), (0.2, 0.02), (0.2, 0.17), (0.0, 0.14))
        ]
        faces.append(Face(frame(mirror), CAR, plain(colour * 0.7), casts=False))
    return faces


def _inset(corners: Array, share: float) -> Array:
    """Return the corners of a face, moved towards its centre."""
    middle = corners.mean(0)
    return np.asarray(corners + share * (middle - corners))


def _side_pane(
    ring: list[tuple[float, float, float]], sign: int, start: float, stop: float
) -> list[tuple[float, float, float]]:
    """Return the side window between two shares of the cabin's length, counted from its rear."""
    (cowl, belt, half), (front, roof, top), (rear, _, _), (deck, _, _) = ring
    low, high = belt + 0.05 * (roof - belt), belt + 0.86 * (roof - belt)

    def at(share: float, up: float) -> tuple[float, float, float]:
        rise = (up - belt) / (roof - belt)
        tail, nose = deck + (rear - deck) * rise, cowl + (front - cowl) * rise
        return tail + share * (nose - tail), sign * (half + (top - half) * rise), up

    return [at(start, low), at(stop, low), at(stop, high), at(start, high)]


def _disk(frame: _Frame, along: float, side: float, up: float, radius: float) -> Array:
    turn = np.linspace(0, 2 * np.pi, 18, endpoint=False)
    return frame([(along + radius * np.cos(t), side, max(up + radius * np.sin(t), 0.0)) for t in turn])


def _wheels(rng: np.random.Generator, shape: _Shape, frame: _Frame) -> list[Face]:
    faces, radius = [], shape.wheel
    metal = single([0.33, 0.33, 0.35]) * rng.uniform(0.3, 1.3)
    for along in (0.19 * shape.length, 0.8 * shape.length):
        for sign in (-1, 1):
            side = sign * shape.width / 2
            for shift, size, material in (
                (0.0, 1.2, plain(TRIM)),
                (0.005, 1.0, plain(RUBBER)),
                (0.01, 0.64, plain(metal)),
                (0.015, 0.2, plain(metal * 0.5)),
            ):
                disk = _disk(frame, along, side + sign * shift, radius, radius * size)
                faces.append(Face(disk, CAR, material, casts=False))
            for d in (-1, 1):
                wall = [
                    (along + d * radius * 0.95, side * w, up)
                    for w, up in ((1, 0.02), (0.76, 0.02), (0.76, 0.5), (1, 0.5))
                ]
                faces.append(Face(frame(wall), CAR, plain(RUBBER), casts=False))
    return faces


def _ends(rng: np.random.Generator, shape: _Shape, frame: _Frame, light: Light, driving: bool) -> list[Face]:
    """Return bumpers, lamps, grille and number plates at the nose and the tail."""
    half, end = shape.width / 2, shape.length
    lit = driving and (light.dusk > 0 or rng.random() < 0.3)

    def panel(along: float, middle: float, width: float, low: float, high: float, lean: float = 0.0) -> Array:
        a, b = middle - width / 2, middle + width / 2
        return frame([(along, a, low), (along, b, low), (along + lean, b, high), (along + lean, a, high)])

    front, rear = end + 0.012, -0.012
    faces = [
        Face(panel(front, 0, shape.width * 0.62, 0.27, 0.4), CAR, plain(TRIM), casts=False),
        Face(panel(front, 0, shape.width * 0.5, 0.5, 0.64), CAR, plain((0.04, 0.04, 0.045)), casts=False),
        Face(panel(front, 0, 0.5, 0.4, 0.51), CAR, plain((0.62, 0.62, 0.58)), casts=False),
        Face(panel(rear, 0, shape.width * 0.9, 0.26, 0.4), CAR, plain(TRIM), casts=False),
        Face(panel(rear, 0, 0.5, 0.55, 0.66), CAR, plain((0.6, 0.48, 0.1)), casts=False),
    ]
    braking = rng.random() < 0.35
    for sign in (-1, 1):
        lamp = panel(front, sign * (half - 0.22), 0.36, 0.53, 0.68)
        faces.append(
            Face(lamp, CAR, plain((0.6, 0.6, 0.58), 1.5 + 3.0 * light.dusk if lit else 0.25), casts=False)
        )
        glow = (1.2 if lit else 0.0) + (2.0 if driving and braking else 0.1)
        tail = panel(rear, sign * (half - 0.16), 0.27, 0.6, min(0.6 + 0.3 * shape.height / 1.5, shape.belt))
        faces.append(Face(tail, CAR, plain((0.35, 0.015, 0.015), glow), casts=False))
    return faces
