"""Compose a scene: plan the street, furnish it, draw everything in order, and develop the image."""

from __future__ import annotations

import numpy as np

from robseg.datasets.streets.camera import Array, place_camera
from robseg.datasets.streets.canvas import Canvas, cast_shadow, draw
from robseg.datasets.streets.film import develop, vote
from robseg.datasets.streets.ground import paint_ground
from robseg.datasets.streets.layout import Props, furnish
from robseg.datasets.streets.light import choose_light
from robseg.datasets.streets.sky import paint_sky
from robseg.datasets.streets.street import BUILDING, Street, plan_street

__all__ = ["compose"]

SAMPLES = 2
"""The number of samples per pixel in each direction."""


def compose(streams: dict[str, np.random.Generator], height: int, width: int) -> tuple[Array, Array]:
    """Return image and target; `streams` are the generators "scene", "ground", "sky", "look" and "grain"."""
    rng = streams["scene"]
    light, street = choose_light(rng), plan_street(rng)
    camera = place_camera(rng, height, width, SAMPLES)
    props, skyline = furnish(rng, light, street)
    shape = (camera.height, camera.width)
    canvas = Canvas(
        camera,
        light,
        skyline,
        radiance=np.zeros((*shape, 3), np.float32),
        label=np.zeros(shape, np.uint8),
        nearness=np.zeros(shape, np.float32),
        shadow=np.zeros(shape, bool),
    )
    paint_sky(canvas, streams["sky"])
    _draw_all(canvas, street, props, streams["ground"])
    image = develop(canvas.radiance, SAMPLES, streams["look"], streams["grain"])
    return image, vote(canvas.label, SAMPLES)


def _draw_all(canvas: Canvas, street: Street, props: Props, rng: np.random.Generator) -> None:
    for face in props.faces:
        if not face.whole:
            draw(canvas, face)
    # The skyline already accounts for the shadows of houses. Under clouds, shadows have no visible edges.
    if canvas.light.sun_colour.max() > 0.15:
        for face in props.faces:
            if face.casts and face.label != BUILDING:
                cast_shadow(canvas, face.corners)
        for outline in props.shadows:
            cast_shadow(canvas, outline)
    paint_ground(canvas, street, props.contacts, rng)
    # These faces have holes, so everything behind them must be drawn first.
    for face in sorted((f for f in props.faces if f.whole), key=lambda f: -float(f.corners[:, 2].min())):
        draw(canvas, face)
