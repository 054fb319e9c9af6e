"""How far corruptions are from imagecorruptions, by kind of image; docs/corruptions.md shows the table.

Random corruptions are compared with the reference's own draws in place of ours, where a kernel takes them.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage import data

import corruptions
from corruptions import reference
from corruptions.kernels import elastic, glass, motion

Image = NDArray[np.uint8]

HEIGHT, WIDTH = 96, 128  # pixels
SEED = 3  # of the reference's draws


class Deviation(NamedTuple):
    """The share of samples that differ from the reference's, and the largest difference in grey levels."""

    share: float
    largest: int


def photographs() -> list[Image]:
    """The middles of photographs that scikit-image ships."""
    pictures = [data.astronaut(), data.coffee(), data.chelsea(), data.rocket()]
    middles = [(len(picture) // 2 - HEIGHT // 2, picture.shape[1] // 2 - WIDTH // 2) for picture in pictures]
    return [
        picture[top : top + HEIGHT, left : left + WIDTH]
        for picture, (top, left) in zip(pictures, middles, strict=True)
    ]


def smooth(darkest: int) -> list[Image]:
    """A soft pattern of 17 grey levels, like a sky or a wall."""
    noise = np.random.default_rng(0).normal(size=(HEIGHT, WIDTH, 3))
    pattern = ndimage.gaussian_filter(noise, (24, 24, 0), mode="reflect")
    pattern = (pattern - pattern.min()) / np.ptp(pattern)
    return [np.rint(darkest + 16 * pattern).astype(np.uint8)]


def flat() -> list[Image]:
    """Images of one grey level each."""
    return [np.full((40, 40, 3), level, np.uint8) for level in range(0, 256, 17)]


def noise() -> list[Image]:
    """Samples that have nothing to do with each other."""
    return [np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)]


def edges() -> list[Image]:
    """Black and white rectangles of 1 to 30 pixels, like text and signs."""
    rng = np.random.default_rng(2)
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for number in range(80):
        top, left = rng.integers(0, HEIGHT), rng.integers(0, WIDTH)
        height, width = rng.integers(1, 31, 2)
        image[top : top + height, left : left + width] = 255 * (number % 2)
    return [image]


KINDS: Mapping[str, Callable[[], list[Image]]] = {
    "photographs": photographs,
    "smooth, dark": lambda: smooth(0),
    "smooth, middle": lambda: smooth(120),
    "smooth, bright": lambda: smooth(239),
    "flat": flat,
    "noise": noise,
    "edges": edges,
}


# each puts the reference's draws in place of ours


def angle(severity: int, height: int, width: int, rng: np.random.RandomState) -> Any:
    """The reference's direction of motion blur."""
    drawn = rng.uniform(-45, 45)
    return mock.patch.object(motion, "draw_angle", return_value=drawn)


def shifts(severity: int, height: int, width: int, rng: np.random.RandomState) -> Any:
    """The reference's shifts of glass blur: it draws columns before rows, for the last pixel first."""
    parameters = corruptions.get("glass_blur").parameters[severity - 1]
    d, passes = int(parameters["max_delta"]), int(parameters["iterations"])
    moves = np.zeros((passes, height, width, 2), np.int8)
    drawn = rng.randint(-d, d, size=(passes, height - 2 * d, width - 2 * d, 2))
    moves[:, d + 1 : height - d + 1, d + 1 : width - d + 1] = drawn[:, ::-1, ::-1, ::-1]
    return mock.patch.object(glass, "draw_shifts", return_value=moves)


def field(severity: int, height: int, width: int, rng: np.random.RandomState) -> Any:
    """The reference's displacements of the elastic transform, before they are scaled."""
    drawn = rng.uniform(size=(2, height, width)).astype(np.float32)
    return mock.patch.object(elastic, "uniforms", lambda _stream, _shape, lane: drawn[lane])


DRAWS = {"motion_blur": angle, "glass_blur": shifts, "elastic_transform": field}


def compared() -> tuple[str, ...]:
    """The corruptions that can be compared sample by sample."""
    names = corruptions.names("imagenet-c")
    return tuple(name for name in names if name in DRAWS or not corruptions.get(name).random)


def pair(image: Image, name: str, severity: int, seed: int = SEED) -> tuple[Image, Image]:
    """Our corrupted image and the reference's, from the same draws."""
    theirs = reference.corrupt(image, name, severity, np.random.RandomState(seed))
    if name not in DRAWS:
        return corruptions.corrupt(image, name, severity), theirs
    height, width = image.shape[:2]
    with DRAWS[name](severity, height, width, np.random.RandomState(seed)):
        return corruptions.corrupt(image, name, severity), theirs


def deviation(name: str, severity: int, kind: str) -> Deviation:
    """The deviation over all images of a kind."""
    pairs = [pair(image, name, severity) for image in KINDS[kind]()]
    difference = np.concatenate([np.abs(ours.astype(int) - theirs).ravel() for ours, theirs in pairs])
    return Deviation(float((difference > 0).mean()), int(difference.max()))


def table() -> str:
    """The deviations as a Markdown table, without the corruptions that have none."""
    lines = [
        f"| corruption | {' | '.join(KINDS)} | largest |",
        f"|---|{'---|' * len(KINDS)}---|",
    ]
    for name in compared():
        severities = corruptions.get(name).severities
        measured = {kind: [deviation(name, severity, kind) for severity in severities] for kind in KINDS}
        largest = [
            max(column)
            for column in zip(*([d.largest for d in row] for row in measured.values()), strict=True)
        ]
        if any(largest):
            cells = [" ".join(percentage(d.share) for d in row) for row in measured.values()]
            lines.append(f"| {name} | {' | '.join(cells)} | {' '.join(map(str, largest))} |")
    return "\n".join(lines)


def percentage(share: float) -> str:
    """A share in percent; 0 only if there is nothing."""
    if 0 < share < 0.0005:
        return "<0.1"
    return f"{100 * share:.1f}" if 0 < share < 0.1 else f"{100 * share:.0f}"
