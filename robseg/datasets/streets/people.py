"""Pedestrians and cyclists: jointed figures with rounded limbs."""

from collections.abc import Callable

import numpy as np

from robseg.datasets.streets.camera import Array, single
from robseg.datasets.streets.canvas import Face, Hits, Material, Surface, plain
from robseg.datasets.streets.ground import Contact
from robseg.datasets.streets.street import CYCLIST, PERSON
from robseg.datasets.streets.textures import fractal

__all__ = ["cyclist", "pedestrian"]

SKINS = ((0.55, 0.33, 0.22), (0.45, 0.26, 0.17), (0.25, 0.13, 0.08), (0.09, 0.05, 0.035))
HAIRS = ((0.02, 0.015, 0.012), (0.07, 0.04, 0.02), (0.25, 0.17, 0.07), (0.3, 0.3, 0.3))
TROUSERS = ((0.03, 0.04, 0.08), (0.02, 0.02, 0.022), (0.18, 0.14, 0.09), (0.06, 0.09, 0.18), (0.1, 0.1, 0.1))

Point = tuple[float, float]


class _Figure:
    """The faces of a figure in an upright plane through (x, z), turned away from the camera by `yaw`."""

    def __init__(self, x: float, z: float, yaw: float, label: int) -> None:
        self.faces: list[Face] = []
        self._x, self._z, self._label = x, z, label
        self._cos, self._sin = float(np.cos(yaw)), float(np.sin(yaw))

    def add(self, outline: list[Point], material: Material) -> None:
        """Add a polygon of (sideways, up) points in front of the earlier ones."""
        corners = [(self._x + u * self._cos, max(v, 0.0), self._z + u * self._sin) for u, v in outline]
        self.faces.append(Face(np.array(corners), self._label, material))

    def limb(self, start: Point, stop: Point, width: float, end_width: float, colour: Array) -> None:
        """Add a rounded limb from one joint to another."""
        (a, b), (c, d) = start, stop
        length = max(float(np.hypot(c - a, d - b)), 1e-6)
        nx, ny = (d - b) / length, (a - c) / length
        tx, ty = (c - a) / length, (d - b) / length
        r, q = width / 2, end_width / 2
        outline = [
            (a - tx * r * 0.7, b - ty * r * 0.7), (a + nx * r, b + ny * r), (c + nx * q, d + ny * q),
            (c + tx * q * 0.7, d + ty * q * 0.7), (c - nx * q, d - ny * q), (a - nx * r, b - ny * r),
        ]  # fmt: skip
        self.add(outline, self._round((a + c) / 2, max(r, q), colour))

    def ball(self, middle: Point, wide: float, tall: float, colour: Array) -> None:
        """Add an ellipse."""
        turn = np.linspace(0, 2 * np.pi, 14, endpoint=False)
        outline = [(middle[0] + wide * np.cos(t), middle[1] + tall * np.sin(t)) for t in turn]
        self.add(outline, self._round(middle[0], wide, colour))

    def ring(self, middle: Point, radius: float, inner: float, material: Material) -> None:
        """Add a hoop, such as a tyre."""
        turn = np.linspace(0, 2 * np.pi, 21)
        outline = [(middle[0] + radius * np.cos(t), middle[1] + radius * np.sin(t)) for t in turn]
        outline += [(middle[0] + inner * np.cos(t), middle[1] + inner * np.sin(t)) for t in turn[::-1]]
        self.add(outline, material)

    def _round(self, middle: float, radius: float, colour: Array) -> Material:
        """Return the material of cloth around an upright axis, `middle` metres sideways."""
        axis, cos, sin = (self._x + middle * self._cos, self._z + middle * self._sin), self._cos, self._sin

        def shade(hits: Hits) -> Surface:
            across = ((hits.x - axis[0]) * cos + (hits.z - axis[1]) * sin) / (radius * 1.15)
            side = np.clip(across, -0.95, 0.95)
            depth = np.sqrt(1 - side * side)
            normals = np.stack(
                [side * cos + depth * sin, np.full_like(side, 0.15), side * sin - depth * cos], 1
            )
            folds = fractal(73, 8).sample(hits.x * 1.5, hits.y, 1.3, hits.footprint)
            shade_ = (0.35 + 0.65 * folds) * (0.7 + 0.3 * depth)
            return Surface((colour * shade_[:, None]).astype(np.float32), None, None, normals)

        return shade


def _choose(rng: np.random.Generator, colours: tuple[tuple[float, float, float], ...]) -> Array:
    return single(colours[rng.integers(len(colours))]) * single(rng.uniform(0.8, 1.2))


def _cloth(rng: np.random.Generator) -> Array:
    """Return the colour of clothes: mostly muted, sometimes bright."""
    grey = rng.uniform(0.02, 0.4)
    spread = rng.uniform(0.1, 0.9) if rng.random() < 0.6 else 0.1
    return np.asarray(grey * (1 - spread + 2 * spread * rng.random(3)), np.float32)


def pedestrian(rng: np.random.Generator, x: float, z: float) -> tuple[list[Face], list[Contact]]:
    """Return the faces of a walking or standing person, and the dark ground at the feet."""
    size = rng.uniform(1.5, 1.92) / 1.75 if rng.random() < 0.88 else rng.uniform(1.05, 1.35) / 1.75
    figure = _Figure(x, z, rng.uniform(-0.5, 0.5), PERSON)
    coat, trousers, skin = _cloth(rng), _choose(rng, TROUSERS), _choose(rng, SKINS)
    sideways = rng.random() < 0.5
    stride = rng.uniform(0.1, 0.36) if sideways else rng.uniform(0.03, 0.08)
    hip, bulk = (0.05, 0.3) if sideways else (0.09, 0.4)
    shoulder = 0.06 if sideways else 0.2
    swing = rng.uniform(-0.25, 0.25) if sideways else rng.uniform(-0.03, 0.06)
    bulk *= rng.uniform(0.9, 1.2)

    def at(u: float, v: float) -> Point:
        return u * size, v * size

    shoe = single([0.03, 0.025, 0.02])
    skirt = rng.random() < 0.2
    legs = skin if skirt else trousers
    for sign in (-1, 1):
        foot, lift = sign * (hip + stride), 0.08 * max(0.0, -sign * swing) * 4
        knee = at(sign * (hip + 0.5 * stride) + (0.06 if sideways else 0), 0.48)
        shade = legs * single(1.0 if sign > 0 else 0.7)
        figure.limb(at(sign * hip * 0.9, 0.92), knee, 0.17 * size, 0.12 * size, shade)
        figure.limb(knee, at(foot, 0.1 + lift), 0.12 * size, 0.085 * size, shade)
        figure.limb(
            at(foot, 0.045 + lift),
            at(foot + (0.13 if sideways else 0), 0.04 + lift),
            0.09 * size,
            0.07 * size,
            shoe,
        )
    _arm(figure, at, -1, (shoulder, swing), (coat * single(0.75), skin), size)
    if skirt:
        figure.limb(at(0, 0.95), at(0, 0.62), 0.34 * size, 0.46 * size, trousers)
    figure.limb(at(0, 0.9), at(0, 1.4), bulk * 0.86 * size, bulk * size, coat)
    if rng.random() < 0.35:
        figure.limb(at(0, 0.72), at(0, 1.0), bulk * size, bulk * 0.9 * size, coat * 0.92)
    _arm(figure, at, 1, (shoulder, -swing), (coat, skin), size)
    if rng.random() < 0.4:
        side = rng.choice([-1.0, 1.0])
        figure.limb(
            at(side * (shoulder + 0.1), 0.85), at(side * (shoulder + 0.1), 0.62), 0.14, 0.24, _cloth(rng)
        )
    figure.limb(at(0, 1.44), at(0, 1.54), 0.11 * size, 0.11 * size, skin * 0.8)
    figure.ball(at(0.02 if sideways else 0, 1.635), 0.088 * size, 0.118 * size, skin)
    hair = _choose(rng, HAIRS) if rng.random() < 0.8 else _cloth(rng)
    figure.ball(at(-0.02 if sideways else 0, 1.69), 0.098 * size, 0.08 * size, hair)
    return figure.faces, [Contact(x, z, 0.32, 0.28, 0.55)]


def _arm(
    figure: _Figure,
    at: Callable[[float, float], Point],
    sign: int,
    pose: tuple[float, float],
    colours: tuple[Array, Array],
    size: float,
) -> None:
    """Add the left (-1) or right (1) arm; `pose` is the shoulder's distance from the axis and the swing."""
    (shoulder, swing), (sleeve, skin) = pose, colours
    elbow = at(sign * (shoulder + 0.05) + 0.5 * swing, 1.12)
    hand = at(sign * (shoulder + 0.04) + 1.1 * swing, 0.86)
    figure.limb(at(sign * shoulder, 1.4), elbow, 0.13 * size, 0.1 * size, sleeve * single(0.9))
    figure.limb(elbow, hand, 0.1 * size, 0.07 * size, sleeve * single(0.8))
    figure.ball(hand, 0.045 * size, 0.055 * size, skin)


def cyclist(rng: np.random.Generator, x: float, z: float, crossing: bool) -> tuple[list[Face], list[Contact]]:
    """Return a person on a bicycle, seen from the side (`crossing`), or else from the front or behind."""
    coat, trousers, skin = np.clip(_cloth(rng) * 1.4, 0, 0.55), _choose(rng, TROUSERS), _choose(rng, SKINS)
    helmet = np.clip(_cloth(rng) * 1.5, 0, 0.6) if rng.random() < 0.6 else _choose(rng, HAIRS)
    if not crossing:
        return _rider_behind(rng, x, z, (coat, trousers, skin, helmet)), [Contact(x, z, 0.3, 0.7, 0.6)]
    figure = _Figure(x, z, rng.uniform(-0.7, 0.7) + (np.pi if rng.random() < 0.5 else 0.0), CYCLIST)
    tyre, frame = plain((0.015, 0.015, 0.016)), rng.uniform(0.02, 0.5, 3).astype(np.float32)
    hub, crank, saddle, head = (-0.52, 0.34), (-0.06, 0.3), (-0.2, 0.86), (0.38, 0.84)
    front, grip = (0.54, 0.34), (0.44, 1.0)
    push = rng.uniform(-0.12, 0.12)
    for sign, tone in ((-1, 0.65), (1, 1.0)):
        pedal = (crank[0] + sign * 0.12, crank[1] + sign * push)
        knee = (0.18 + sign * 0.04, 0.68 + 0.5 * sign * push)
        figure.limb((-0.2, 0.95), knee, 0.18, 0.13, trousers * single(tone))
        figure.limb(knee, pedal, 0.13, 0.09, trousers * single(tone))
        figure.limb(pedal, (pedal[0] + 0.14, pedal[1] - 0.02), 0.08, 0.06, single([0.03, 0.03, 0.03]))
        if sign < 0:
            for wheel in (hub, front):
                figure.ring(wheel, 0.345, 0.285, tyre)
            for a, b in (
                (hub, crank),
                (crank, saddle),
                (hub, saddle),
                (crank, head),
                (saddle, head),
                (head, front),
                (head, grip),
            ):
                figure.limb(a, b, 0.045, 0.045, frame)
            figure.limb((-0.3, 0.9), (-0.08, 0.9), 0.07, 0.05, single([0.02, 0.02, 0.02]))
    figure.limb((-0.2, 0.95), (0.08, 1.42), 0.3, 0.32, coat)
    figure.limb((0.1, 1.4), (0.26, 1.16), 0.12, 0.1, coat * single(0.85))
    figure.limb((0.26, 1.16), (0.44, 1.03), 0.1, 0.07, coat * single(0.8))
    figure.limb((0.12, 1.48), (0.17, 1.56), 0.1, 0.1, skin)
    figure.ball((0.2, 1.62), 0.09, 0.115, skin)
    figure.ball((0.18, 1.69), 0.12, 0.075, helmet)
    return figure.faces, [Contact(x, z, 0.7, 0.25, 0.6)]


def _rider_behind(
    rng: np.random.Generator, x: float, z: float, colours: tuple[Array, Array, Array, Array]
) -> list[Face]:
    coat, trousers, skin, helmet = colours
    figure = _Figure(x, z, rng.uniform(-0.2, 0.2), CYCLIST)
    dark = single([0.02, 0.02, 0.02])
    push = rng.uniform(-0.12, 0.12)
    figure.limb((0, 0.03), (0, 0.66), 0.07, 0.06, dark)
    figure.limb((-0.29, 1.0), (0.29, 1.0), 0.05, 0.05, dark)
    for sign in (-1, 1):
        foot = (sign * 0.13, 0.28 + sign * push)
        figure.limb((sign * 0.1, 0.95), (sign * 0.15, 0.62 + 0.5 * sign * push), 0.19, 0.14, trousers)
        figure.limb((sign * 0.15, 0.62 + 0.5 * sign * push), foot, 0.14, 0.09, trousers * single(0.85))
        figure.limb(foot, (foot[0], foot[1] - 0.05), 0.1, 0.09, dark)
        figure.limb((sign * 0.2, 1.38), (sign * 0.32, 1.18), 0.13, 0.1, coat * single(0.9))
        figure.limb((sign * 0.32, 1.18), (sign * 0.27, 1.02), 0.1, 0.07, coat * single(0.8))
    figure.limb((0, 0.92), (0, 1.4), 0.34, 0.44, coat)
    figure.limb((0, 1.45), (0, 1.54), 0.11, 0.11, skin)
    figure.ball((0, 1.62), 0.09, 0.12, skin)
    figure.ball((0, 1.68), 0.115, 0.09, helmet)
    return figure.faces
