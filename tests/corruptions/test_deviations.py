"""The documented deviations from imagecorruptions are the measured ones."""

from pathlib import Path

import pytest

import corruptions
from corruptions import reference
from tests.corruptions import deviations

PAGE = (Path(__file__).parents[2] / "docs" / "corruptions.md").read_text(encoding="utf-8")
STALE = "run `make generated`"


def documented() -> tuple[list[str], dict[str, list[list[float]]]]:
    """The kinds of images, and for each corruption its percentages by kind and its largest differences."""
    text = PAGE.partition("<!-- deviations: made by `make generated` -->")[2].partition("<!-- end")[0]
    header, _, *rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.split("\n") if line
    ]
    numbers = {
        name: [[float(number.replace("<", "")) for number in cell.split()] for cell in cells]
        for name, *cells in rows
    }
    return header[1:-1], numbers


def test_the_table_has_every_kind_of_image_and_corruptions_that_can_be_compared() -> None:
    kinds, numbers = documented()
    assert kinds == list(deviations.KINDS), STALE
    assert set(numbers) <= set(deviations.compared()), STALE


@pytest.mark.parametrize(
    "name",
    [  # the reference's glass blur is a loop in Python
        pytest.param(name, marks=pytest.mark.slow if name == "glass_blur" else ())
        for name in deviations.compared()
    ],
)
def test_no_corruption_deviates_more_than_documented(name: str) -> None:
    if reference.needs_opencv(name):
        pytest.importorskip("cv2")
    kinds, numbers = documented()
    severities = corruptions.get(name).severities
    *percentages, largest = numbers.get(name, [[0.0] * len(severities)] * (len(kinds) + 1))
    for kind, stated in zip(kinds, percentages, strict=True):
        for severity in severities:
            measured = deviations.deviation(name, severity, kind)
            # the reference's rounding errors depend on the machine
            limit = 1.25 * stated[severity - 1] + 0.2 if name in numbers else 0
            assert 100 * measured.share <= limit, f"{name} {severity}, {kind}: {STALE}"
            assert measured.largest <= largest[severity - 1], f"{name} {severity}, {kind}: {STALE}"
