"""The gallery: a run's example images, small and inside the page."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from reports.results import Results
from reports.schema import CLEAN, InvalidRun

__all__ = ["Gallery", "Prediction", "Shot", "gallery"]

LONG_SIDE = 480


class Prediction(NamedTuple):
    """What one model made of a scene: its mIoU over all images of this condition, and a data URI."""

    model: str
    miou: float
    picture: str


class Shot(NamedTuple):
    """One image under one condition, which all models saw alike; the pictures are data URIs."""

    corruption: str
    severity: int
    image: str
    target: str
    predictions: list[Prediction]


class Gallery(NamedTuple):
    """The shots of each image by its id, clean first, and how many examples lack their files."""

    scenes: dict[str, list[Shot]]
    missing: int


def gallery(run: Path, results: Results) -> Gallery:
    """Read the examples of a run.

    Raises
    ------
    InvalidRun
        If an example lies outside of the run's folder or is no image.
    """
    keys = ["model", "corruption", "severity"]
    mious = results.scores.set_index(keys)["miou"].to_dict()
    palette = results.record.dataset["palette"]
    shots: dict[tuple[str, str, int], Shot] = {}
    missing = 0
    for example in sorted(results.record.examples, key=lambda e: e.corruption != CLEAN):
        paths = [_inside(run, name) for name in (example.image, example.prediction, example.target)]
        if not all(path.is_file() for path in paths):
            missing += 1
            continue
        image, prediction, target = paths
        condition = (example.corruption, example.severity)
        key = (example.image_id, *condition)
        if key not in shots:
            shots[key] = Shot(*condition, _photograph(image), _class_map(target, palette), [])
        miou = mious.get((example.model, *condition), float("nan"))
        shots[key].predictions.append(Prediction(example.model, miou, _class_map(prediction, palette)))
    scenes: dict[str, list[Shot]] = {}
    for (image_id, _, _), shot in shots.items():
        scenes.setdefault(image_id, []).append(shot)
    return Gallery(scenes, missing)


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
        image = image.convert("RGB")
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
