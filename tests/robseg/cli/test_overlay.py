"""Colours of classes, and the legend below an overlay."""

import numpy as np
import pytest

from robseg.cli.overlay import Share, class_colours, indexed, overlay, percent
from robseg.datasets import DATASETS
from robseg.datasets.streets import CLASS_NAMES, PALETTE


def test_classes_have_their_data_sets_colours_in_any_order() -> None:
    assert class_colours(CLASS_NAMES, "streets") == PALETTE
    assert class_colours(["void", *reversed(CLASS_NAMES)], "streets") == ((0, 0, 0), *reversed(PALETTE))


@pytest.mark.parametrize("name", list(DATASETS))
def test_every_data_set_has_colours_for_its_classes(name: str) -> None:
    names = DATASETS[name].class_names or ("a", "b")
    assert len(set(class_colours(names, name))) >= 0.9 * len(names)


def test_made_colours_differ() -> None:
    made = np.array(class_colours([str(index) for index in range(255)], "unheard of"))
    assert made.min() >= 0
    assert made.max() <= 255
    distances = np.abs(made[:, None] - made[None]).max(-1) + 1000 * np.eye(255, dtype=int)
    assert distances.min() >= 3
    assert distances[:24, :24].min() >= 20


def test_the_pixels_of_a_label_image_are_class_ids() -> None:
    labels = np.arange(255, dtype=np.uint8).reshape(15, 17)
    image = indexed(labels, class_colours([str(index) for index in range(255)], ""))
    np.testing.assert_array_equal(np.asarray(image), labels)


@pytest.mark.parametrize(
    ("height", "width", "number"), [(8, 8, 1), (64, 96, 4), (300, 600, 40), (900, 90, 3)]
)
def test_a_legend_shows_every_class_below_the_image(height: int, width: int, number: int) -> None:
    image = np.full((height, width, 3), 255, np.uint8)
    palette = class_colours([f"class {index}" for index in range(number)], "")
    labels = indexed(np.zeros((height, width), np.uint8), palette)
    shares = [Share(f"class {index}", colour, 1 / number) for index, colour in enumerate(palette)]
    sheet = np.asarray(overlay(image, labels, 0, shares))
    assert (sheet[:height] == 255).all()
    legend = sheet[height:]
    for colour in palette:
        swatch = (legend == colour).all(-1)
        assert swatch.sum() > 50
        columns = np.nonzero(swatch)[1]
        assert columns.max() < sheet.shape[1] - 30  # the name stands to its right
    assert sheet.shape[1] >= width


def test_legends_grow_with_the_image() -> None:
    def rows(side: int) -> int:
        image = np.zeros((side, side, 3), np.uint8)
        labels = indexed(image[..., 0], [(9, 9, 9)])
        return overlay(image, labels, 0.5, [Share("road", (9, 9, 9), 1.0)]).height - side

    assert rows(2000) > 2 * rows(200)


def test_a_share_is_never_shown_as_none() -> None:
    assert [percent(share) for share in (1.0, 0.1234, 0.0006, 1e-9)] == [
        "100.0 %",
        "12.3 %",
        "0.1 %",
        "<0.1 %",
    ]
