"""The worst images of a run, and the gallery of its example images, which are scaled down and embedded."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from reports.formats.text import percent
from reports.html.page import Page, Section
from reports.html.text import label, words
from reports.html.worst import WorstImages, worst_images
from reports.run.errors import InvalidRun
from reports.run.record import CLEAN
from reports.run.tally import IGNORE_INDEX
from reports.tables.results import Results

__all__ = ["SECTION", "Gallery", "Images", "Prediction", "Shot", "gallery"]

LONG_SIDE = 480
SIDE_BY_SIDE = 3  # models whose scores of an image fit beside each other
RIGHT_WRONG_IGNORED = ((222, 226, 230), (213, 94, 0), (120, 126, 132))  # RGB, distinct in grey as well


class Prediction(NamedTuple):
    """A model's prediction for one image: its mIoU in % over all images of the condition, and data URIs.

    `errors` shows the wrong pixels, and is "" if they cannot be determined.
    """

    model: str
    miou: str
    picture: str
    errors: str


class Shot(NamedTuple):
    """One image under one condition, the same for all models; the pictures are data URIs."""

    corruption: str
    severity: int
    image: str
    target: str
    predictions: list[Prediction]


class Gallery(NamedTuple):
    """The shots of each image by its id, clean first, and how many examples lack their files."""

    scenes: dict[str, list[Shot]]
    missing: int


class Images(NamedTuple):
    """The images on which models score lowest, with the models side by side if there is room; the gallery."""

    worst: WorstImages
    side_by_side: bool
    gallery: Gallery


def describe(page: Page) -> Images | None:
    """Return the images of a page, or None if its run has none to show."""
    worst = worst_images(page.run, page.results, page.models)
    examples = gallery(page.run, page.results)
    if not (worst.images or examples.scenes or examples.missing):
        return None
    return Images(worst, len(worst.models) <= SIDE_BY_SIDE, examples)


SECTION = Section(80, "Images", describe)


def gallery(run: Path, results: Results) -> Gallery:
    """Read the examples of a run.

    Raises
    ------
    InvalidRun
        If an example lies outside the run's folder or is not an image.
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
            shown = (words(example.corruption), example.severity)
            shots[key] = Shot(*shown, _photograph(image), _class_map(target, palette), [])
        miou = percent(mious.get((example.model, *condition), float("nan")))
        errors = _error_map(prediction, target, palette)
        shots[key].predictions.append(
            Prediction(label(example.model), miou, _class_map(prediction, palette), errors)
        )
    scenes: dict[str, list[Shot]] = {}
    for (image_id, _, _), shot in shots.items():
        scenes.setdefault(label(image_id), []).append(shot)
    return Gallery(scenes, missing)


def _inside(run: Path, name: str) -> Path:
    """Return the path of a file of the run; a report must not show files from elsewhere."""
    path = (run / name).resolve()
    if not path.is_relative_to(run.resolve()):
        raise InvalidRun(
            f"Expected the examples in {run / 'run.json'} to lie in the run's folder, but got {name}: "
            "evaluate again."
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
    return _data_uri(_small(image), "PNG", quality=0)


def _error_map(prediction: Path, target: Path, palette: list[list[int]]) -> str:
    """Return a picture of right, wrong and ignored pixels in three colours.

    It is "" if the two files differ in size or mode.
    """
    guess, truth = _read(prediction), _read(target)
    if guess.size != truth.size or guess.mode != truth.mode:
        return ""
    if truth.mode == "L":
        wrong = np.asarray(guess) != np.asarray(truth)
        ignored = np.asarray(truth) == IGNORE_INDEX
    else:
        colours = np.asarray(truth.convert("RGB"))
        wrong = (np.asarray(guess.convert("RGB")) != colours).any(axis=-1)
        # Ignored pixels are black in coloured files, and cannot be distinguished from a class that is black.
        ignored = (colours == 0).all(axis=-1) & ([0, 0, 0] not in palette)
    image = Image.fromarray(np.where(ignored, 2, wrong).astype(np.uint8))
    image.putpalette(np.array(RIGHT_WRONG_IGNORED, np.uint8).tobytes())
    return _data_uri(_small(image), "PNG", quality=0)


def _small(image: Image.Image) -> Image.Image:
    """Return a map of classes with sides of at most LONG_SIDE pixels, without mixing colours."""
    scale = min(1.0, LONG_SIDE / max(image.size))
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.NEAREST)


def _read(path: Path) -> Image.Image:
    try:
        with Image.open(path, formats=("PNG",)) as image:
            image.load()
            return image.copy()
    except (OSError, SyntaxError, ValueError) as error:
        raise InvalidRun(
            f"Expected {path} to be an image, but it is damaged: delete it for a report without it."
        ) from error


def _data_uri(image: Image.Image, kind: str, quality: int) -> str:
    data = io.BytesIO()
    image.save(data, kind, quality=quality, optimize=True)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(data.getvalue()).decode()}"
