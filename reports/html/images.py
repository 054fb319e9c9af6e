"""The gallery: a run's example images, small and inside the page."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from reports.results import Results
from reports.schema import CLEAN, Example, InvalidRun

__all__ = ["Gallery", "Scene", "Shot", "gallery"]

LONG_SIDE = 480


class Shot(NamedTuple):
    """One condition of a scene: its data set's mIoU, and three pictures as data URIs."""

    corruption: str
    severity: int
    miou: float
    image: str
    prediction: str
    target: str


class Scene(NamedTuple):
    """One image of the data set as one model saw it, clean first."""

    model: str
    image_id: str
    shots: list[Shot]


class Gallery(NamedTuple):
    """All scenes, and the number of examples whose files are no longer there."""

    scenes: list[Scene]
    missing: int


def gallery(run: Path, results: Results) -> Gallery:
    """Read the examples of a run.

    Raises
    ------
    InvalidRun
        If an example lies outside of the run's folder or is no image.
    """
    scores = results.scores
    mious = dict(
        zip(
            zip(scores["model"], scores["corruption"], scores["severity"], strict=True),
            scores["miou"],
            strict=True,
        )
    )
    palette = results.record.dataset["palette"]
    scenes: dict[tuple[str, str], list[Shot]] = {}
    missing = 0
    for example in sorted(results.record.examples, key=lambda e: e.corruption != CLEAN):
        paths = [_inside(run, name) for name in (example.image, example.prediction, example.target)]
        if not all(path.is_file() for path in paths):
            missing += 1
            continue
        miou = mious.get((example.model, example.corruption, example.severity), float("nan"))
        shots = scenes.setdefault((example.model, example.image_id), [])
        shots.append(_shot(example, paths, miou, palette))
    return Gallery([Scene(model, image_id, shots) for (model, image_id), shots in scenes.items()], missing)


def _shot(example: Example, paths: list[Path], miou: float, palette: list[list[int]]) -> Shot:
    image, prediction, target = paths
    return Shot(
        example.corruption,
        example.severity,
        miou,
        _photograph(image),
        _class_map(prediction, palette),
        _class_map(target, palette),
    )


def _inside(run: Path, name: str) -> Path:
    """Return the path of a file of the run; a report must not show what lies elsewhere."""
    path = (run / name).resolve()
    if not path.is_relative_to(run.resolve()):
        raise InvalidRun(
            f"Expected the examples in {run / 'run.json'} to lie in the run's folder, but got {name}."
        )
    return path


def _photograph(path: Path) -> str:
    image = _read(path).convert("RGB")
    image.thumbnail((LONG_SIDE, LONG_SIDE), Image.Resampling.LANCZOS)
    return _data_uri(image, "JPEG", quality=80)


def _class_map(path: Path, palette: list[list[int]]) -> str:
    """Colour a file of class ids with the palette, ignored pixels black; keep a coloured file as it is."""
    image = _read(path)
    if image.mode == "L":
        colours = np.zeros((256, 3), np.uint8)
        colours[: len(palette)] = palette
        image.putpalette(colours.tobytes())
    elif image.mode != "P":
        image = image.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    scale = min(1.0, LONG_SIDE / max(image.size))
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return _data_uri(image.resize(size, Image.Resampling.NEAREST), "PNG", quality=0)


def _read(path: Path) -> Image.Image:
    try:
        with Image.open(path) as image:
            image.load()
            return image.copy()
    except (OSError, SyntaxError, ValueError) as error:
        raise InvalidRun(
            f"Expected {path} to be an image, but it is damaged: delete it to go without."
        ) from error


def _data_uri(image: Image.Image, kind: str, quality: int) -> str:
    data = io.BytesIO()
    image.save(data, kind, quality=quality, optimize=True)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(data.getvalue()).decode()}"
