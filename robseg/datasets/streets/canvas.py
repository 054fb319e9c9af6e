"""The canvas, on which flat faces of objects are drawn with their depth, light, haze and class."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from robseg.datasets.streets.camera import Array, Camera
from robseg.datasets.streets.light import Light, Skyline

__all__ = ["Canvas", "Face", "Hits", "Material", "Surface", "cast_shadow", "draw", "plain", "polygon_mask"]

NEAR = 0.4


class Hits(NamedTuple):
    """The points where the rays of N samples hit a face, in metres; `footprint` is a sample's width there."""

    x: Array
    y: Array
    z: Array
    footprint: Array


class Surface(NamedTuple):
    """The look of a face at N hits: its reflectance (N, 3) or (3,), and the light that it emits.

    `there` (N,) is false at holes. `normals` (N, 3) replace the face's own, for flat faces that represent
    round objects.
    """

    albedo: Array
    glow: Array | None = None
    there: Array | None = None
    normals: Array | None = None


Material = Callable[[Hits], Surface]


@dataclasses.dataclass(frozen=True)
class Face:
    """A flat polygon with `corners` (N, 3) and the class `label`; `casts`: it casts a shadow on the ground.

    With `whole`, all of it gets the class, even where its material has holes.
    """

    corners: Array
    label: int
    material: Material
    whole: bool = False
    casts: bool = True


@dataclasses.dataclass(frozen=True)
class Canvas:
    """The linear radiance (H, W, 3), class (H, W) and 1 / depth (H, W) of each sample; drawing changes them.

    `shadow` (H, W) marks the samples of the ground on which an object casts its shadow.
    """

    camera: Camera
    light: Light
    skyline: Skyline
    radiance: Array
    label: Array
    nearness: Array
    shadow: Array


def plain(colour: Sequence[float] | Array, glow: float = 0.0) -> Material:
    """Return a material of one colour, which emits `glow` times that colour."""
    albedo = np.asarray(colour, np.float32)
    surface = Surface(albedo, glow * albedo if glow else None)

    def shade(_hits: Hits) -> Surface:
        return surface

    return shade


def _after(corners: Array) -> Array:
    """Return the next corner of each corner."""
    return np.concatenate([corners[1:], corners[:1]])


def polygon_mask(outline: Array, top: int, left: int, height: int, width: int) -> Array:
    """Return which samples of a window have their centre inside a polygon (N, 2) of columns and rows.

    A point is inside if a ray from it crosses an odd number of edges, so a polygon can have holes.
    """
    rows = np.arange(top, top + height) + 0.5
    columns = np.arange(left, left + width) + 0.5
    inside = np.zeros((height, width), bool)
    (x0, y0), (x1, y1) = outline.T, _after(outline).T
    firsts = np.searchsorted(rows, np.minimum(y0, y1))
    lasts = np.searchsorted(rows, np.maximum(y0, y1))
    for edge in np.nonzero(firsts < lasts)[0]:
        span = slice(firsts[edge], lasts[edge])
        slope = (x1[edge] - x0[edge]) / (y1[edge] - y0[edge])
        crossing = x0[edge] + (rows[span] - y0[edge]) * slope
        inside[span] ^= columns < crossing[:, None]
    return inside


def _clip_near(corners: Array) -> Array:
    """Return the part of a polygon (N, 3) that lies in front of the camera."""
    if corners[:, 2].min() >= NEAR:
        return corners
    kept: list[Array] = []
    for a, b in zip(corners, _after(corners), strict=True):
        if a[2] >= NEAR:
            kept.append(a)
        if (a[2] >= NEAR) != (b[2] >= NEAR):
            kept.append(a + (b - a) * ((NEAR - a[2]) / (b[2] - a[2])))
    return np.array(kept).reshape(-1, 3)


def _cover(camera: Camera, corners: Array, drawn: Array | None = None) -> tuple[Array, int, int] | None:
    """Return the mask of a face with its top row and left column, or None if the face is not visible.

    It is not visible either if everything `drawn` there (H, W; 1 / depth) is nearer than its nearest corner.
    """
    visible = _clip_near(corners)
    if len(visible) < 3:
        return None
    outline = camera.project(visible)
    low = np.maximum(np.floor(outline.min(0)), 0)
    high = np.minimum(np.ceil(outline.max(0)), (camera.width, camera.height))
    if (high <= low).any():
        return None
    (left, top), (right, bottom) = low.astype(int), high.astype(int)
    if drawn is not None and drawn[top:bottom, left:right].min() * 0.99 > 1.0 / visible[:, 2].min():
        return None
    return polygon_mask(outline, top, left, bottom - top, right - left), top, left


def _normal(corners: Array) -> Array:
    """Return the unit normal of a polygon by Newell's method, which also works for concave polygons."""
    (x, y, z), (u, v, w) = corners.T, _after(corners).T
    total = np.array([y @ w - z @ v, z @ u - x @ w, x @ v - y @ u])
    length = float(np.sqrt((total * total).sum()))
    return total / length if length > 1e-12 else np.array([0.0, 0.0, -1.0])


def draw(canvas: Canvas, face: Face) -> None:
    """Draw a face where nothing nearer has been drawn; of equally near faces the last one stays on top."""
    camera = canvas.camera
    covered = _cover(camera, face.corners, canvas.nearness)
    if covered is None:
        return
    mask, top, left = covered
    normal = _normal(face.corners)
    distance = float(normal @ (face.corners.mean(0) - (0.0, camera.eye, 0.0)))
    if abs(distance) < 1e-6:
        return
    height, width = mask.shape
    across, down = camera.columns(left, left + width), camera.rows(top, top + height)
    nearness = (normal[0] * across + (normal[1] * down + normal[2])[:, None]) / distance
    window = (slice(top, top + height), slice(left, left + width))
    # The tolerance allows a detail, such as a window of a car, to be drawn on the face that carries it.
    row, column = np.nonzero(mask & (nearness > canvas.nearness[window] * 0.998))
    if not len(row):
        return
    z = 1.0 / nearness[row, column]
    hits = Hits(across[column] * z, camera.eye + down[row] * z, z, z / camera.focal)
    surface = face.material(hits)
    if distance > 0:
        normal = -normal
    normals = normal[None] if surface.normals is None else surface.normals
    colour = _light_up(canvas, surface, hits, normals)
    row, column = row + top, column + left
    if surface.there is not None:
        if face.whole:
            canvas.label[row, column] = face.label
        row, column, colour, z = (a[surface.there] for a in (row, column, colour, z))
    canvas.radiance[row, column] = colour
    canvas.label[row, column] = face.label
    canvas.nearness[row, column] = 1.0 / z


def _light_up(canvas: Canvas, surface: Surface, hits: Hits, normals: Array) -> Array:
    """Return the radiance (N, 3) that reaches the camera from N hits with (N, 3) or (1, 3) normals."""
    light = canvas.light
    facing = np.clip(normals @ light.sun, 0, None)
    # Faces that point up receive more light from the sky, and the foot of an object receives little.
    open_sky = (0.72 + 0.28 * normals[:, 1]) * (0.62 + 0.38 * np.clip(hits.y / 0.7, 0, 1))
    received = open_sky[:, None].astype(np.float32) * light.ambient
    if facing.any():
        sunlit = canvas.skyline.sunlit(light, hits.x, hits.y, hits.z)
        received += (sunlit * facing)[:, None].astype(np.float32) * light.sun_colour
    colour = surface.albedo * received
    if surface.glow is not None:
        colour = colour + surface.glow
    clear = np.exp(-light.haze * hits.z)[:, None].astype(np.float32)
    return np.asarray(colour * clear + light.horizon * (0.8 * (1 - clear)), np.float32)


def cast_shadow(canvas: Canvas, corners: Array) -> None:
    """Mark the shadow that a polygon (N, 3) casts on the ground."""
    sun = canvas.light.sun
    covered = _cover(canvas.camera, corners - corners[:, 1:2] / sun[1] * sun)
    if covered is not None:
        mask, top, left = covered
        canvas.shadow[top : top + mask.shape[0], left : left + mask.shape[1]] |= mask
