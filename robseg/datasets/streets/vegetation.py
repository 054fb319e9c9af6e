"""Trees, bushes and hedges of round clumps: noise cuts out the leaves, and each clump is lit like a ball."""

import numpy as np

from robseg.datasets.streets.camera import Array, single
from robseg.datasets.streets.canvas import Face, Hits, Material, Surface, plain
from robseg.datasets.streets.street import TREE, Street
from robseg.datasets.streets.textures import fractal

__all__ = ["bush", "hedge", "tree"]

LEAVES = (
    (0.075, 0.125, 0.03),
    (0.1, 0.15, 0.04),
    (0.05, 0.095, 0.03),
    (0.12, 0.13, 0.035),
    (0.2, 0.12, 0.035),
)
BARK = (0.09, 0.07, 0.055)


def _leaf_colour(rng: np.random.Generator) -> Array:
    chosen = LEAVES[rng.choice(5, p=[0.28, 0.25, 0.25, 0.14, 0.08])]
    return np.asarray(single(chosen) * rng.uniform(0.75, 1.25), np.float32)


def _foliage(x: float, clumps: Array, colour: Array, offset: float, density: float) -> Material:
    """Return a material of leaves around `clumps`, rows of (offset from x, height, radius) in metres."""

    def shade(hits: Hits) -> Surface:
        across, up = hits.x - x, hits.y
        inside = np.full_like(across, -9.0)
        normal_x, normal_y = np.zeros_like(across), np.zeros_like(across)
        for middle, height, radius in clumps:
            dx, dy = (across - middle) / radius, (up - height) / radius
            depth = 1 - dx * dx - dy * dy
            nearer = depth > inside
            inside = np.where(nearer, depth, inside)
            normal_x = np.where(nearer, dx, normal_x)
            normal_y = np.where(nearer, dy, normal_y)
        leaves = fractal(53, 8, 0.8).sample(across + offset, up, 2.2, hits.footprint)
        light = fractal(59, 16, 0.85).sample(across + offset, up, 1.7, hits.footprint)
        there = inside + 2.4 * (leaves - 1) > density
        body = np.clip(inside, 0, 1)
        shadow = (0.45 + 0.55 * light) * (0.55 + 0.45 * (normal_y + 1) / 2) * (0.75 + 0.25 * body)
        # Leaves transmit light, so the side away from the sun is not black: normals are tilted upwards.
        normals = np.stack([normal_x, 0.55 + 0.6 * normal_y, -0.55 * np.sqrt(body) - 0.1], axis=1)
        tint = colour * np.stack([0.8 + 0.3 * leaves, np.ones_like(leaves), 0.7 + 0.2 * light], axis=1)
        return Surface((tint * shadow[:, None] * 1.3).astype(np.float32), None, there, normals)

    return shade


def _screen(x: float, z: float, clumps: Array, pad: float = 1.25) -> Array:
    """Return the corners of the upright rectangle around the clumps."""
    left = x + (clumps[:, 0] - pad * clumps[:, 2]).min()
    right = x + (clumps[:, 0] + pad * clumps[:, 2]).max()
    low, high = (clumps[:, 1] - pad * clumps[:, 2]).min(), (clumps[:, 1] + pad * clumps[:, 2]).max()
    return np.array([(left, max(low, 0.0), z), (right, max(low, 0.0), z), (right, high, z), (left, high, z)])


def _branch(x: float, z: float, foot: tuple[float, float], tip: tuple[float, float], width: float) -> Array:
    """Return a tapering branch between two (sideways, height) points; `width` is its width at the foot."""
    (a, b), (c, d) = foot, tip
    length = max(np.hypot(c - a, d - b), 1e-6)
    nx, ny = (d - b) / length * width / 2, (a - c) / length * width / 2
    outline = [(a - nx, b - ny), (a + nx, b + ny), (c + 0.6 * nx, d + 0.6 * ny), (c - 0.6 * nx, d - 0.6 * ny)]
    return np.array([(x + u, max(v, 0.0), z) for u, v in outline])


def _ring(x: float, z: float, clump: Array) -> Array:
    """Return a clump's outline, at right angles to the street, which casts its shadow."""
    turn = np.linspace(0, 2 * np.pi, 10, endpoint=False)
    rough = clump[2] * (0.85 + 0.15 * np.cos(3 * turn + clump[0] * 9))
    return np.stack(
        [x + clump[0] + rough * np.cos(turn), np.maximum(clump[1] + rough * np.sin(turn), 0), np.full(10, z)],
        axis=1,
    )


def tree(rng: np.random.Generator, x: float, z: float, height: float) -> tuple[list[Face], list[Array]]:
    """Return the faces of a tree, and the outlines that cast its shadow."""
    lean, trunk = rng.normal(0, 0.02) * height, rng.uniform(0.3, 0.45) * height
    spread = rng.uniform(0.2, 0.33) * height
    count = int(rng.integers(8, 15))
    turn = rng.uniform(0, 2 * np.pi, count)
    far = np.sqrt(rng.uniform(0.05, 1, count))
    middle = trunk + (height - trunk) * 0.52
    clumps = np.stack(
        [
            lean + spread * far * np.cos(turn),
            middle + (height - trunk) * 0.42 * far * np.sin(turn),
            rng.uniform(0.1, 0.19, count) * height,
        ],
        axis=1,
    )
    width = rng.uniform(0.025, 0.045) * height
    bark = _bark(single(BARK) * rng.uniform(0.7, 1.5))
    faces = [Face(_branch(x, z, (0.0, 0.0), (lean, middle), width), TREE, bark)]
    for clump in clumps[:5]:
        limb = _branch(x, z, (lean * 0.6, trunk * rng.uniform(0.7, 1.1)), (clump[0], clump[1]), width * 0.45)
        faces.append(Face(limb, TREE, bark, casts=False))
    leaves = _foliage(x, clumps, _leaf_colour(rng), rng.uniform(0, 50), rng.uniform(0.0, 0.3))
    faces.append(Face(_screen(x, z - 0.3, clumps), TREE, leaves, casts=False))
    return faces, [_ring(x, z, clump) for clump in clumps]


def _bark(colour: Array) -> Material:
    def shade(hits: Hits) -> Surface:
        noise = fractal(61, 16).sample(hits.x * 4, hits.y, 2.0, hits.footprint)
        return Surface(colour * noise[:, None])

    return shade


def bush(rng: np.random.Generator, x: float, z: float, height: float) -> tuple[list[Face], list[Array]]:
    """Return the faces of a bush or the edge of a wood, and the outlines that cast its shadow."""
    count = int(rng.integers(4, 8))
    width = height * rng.uniform(0.5, 1.0)
    clumps = np.stack(
        [
            rng.uniform(-width, width, count),
            height * rng.uniform(0.2, 0.65, count),
            height * rng.uniform(0.28, 0.42, count),
        ],
        axis=1,
    )
    leaves = _foliage(x, clumps, _leaf_colour(rng), rng.uniform(0, 50), rng.uniform(-0.1, 0.15))
    faces = [Face(_screen(x, z, clumps), TREE, leaves, casts=False)]
    return faces, [_ring(x, z, clump) for clump in clumps]


def hedge(
    rng: np.random.Generator, street: Street, lateral: float, start: float, stop: float, height: float
) -> list[Face]:
    """Return the faces of a clipped hedge along the street: its side, its end and its top."""
    colour, offset, depth = _leaf_colour(rng), rng.uniform(0, 50), 0.7 if lateral > 0 else -0.7

    def shade(hits: Hits) -> Surface:
        leaves = fractal(53, 8, 0.8).sample(hits.x + hits.z + offset, hits.y, 1.6, hits.footprint)
        there = (hits.y < height - 0.25 + 0.3 * leaves) | (leaves > 1.5)
        shadow = (0.2 + 0.8 * leaves) * (0.5 + 0.5 * np.clip(hits.y / height, 0, 1))
        return Surface(colour * shadow[:, None] * 1.4, None, there)

    (x0, z0), (x1, z1) = street.place(lateral, start), street.place(lateral, stop)
    (x2, _), (x3, _) = street.place(lateral + depth, start), street.place(lateral + depth, stop)
    side = np.array([(x0, 0, z0), (x1, 0, z1), (x1, height, z1), (x0, height, z0)])
    end = np.array([(x0, 0, z0), (x2, 0, z0), (x2, height, z0), (x0, height, z0)])
    top = np.array(
        [(x0, height - 0.1, z0), (x1, height - 0.1, z1), (x3, height - 0.1, z1), (x2, height - 0.1, z0)]
    )
    return [Face(side, TREE, shade), Face(end, TREE, shade), Face(top, TREE, plain(colour * 0.9))]
