"""A sample of any kind goes through torchvision's transform unharmed, or is refused before it is changed."""

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import tv_tensors

import corruptions
from corruptions.transforms import Corrupt

MOVING = [name for name in corruptions.names() if corruptions.get(name).moves_pixels]
PIXELS = np.random.default_rng(0).integers(0, 256, (36, 44, 3), dtype=np.uint8)
PICTURE = Image.fromarray(PIXELS)
PLANES = torch.from_numpy(np.moveaxis(PIXELS, 2, 0).copy())


def places() -> list[Any]:
    boxes = torch.tensor([[1.0, 2.0, 30.0, 20.0]])
    return [
        tv_tensors.BoundingBoxes(boxes, format="XYXY", canvas_size=(36, 44)),
        tv_tensors.BoundingBoxes(torch.empty(0, 4), format="CXCYWH", canvas_size=(36, 44)),
        *(
            [tv_tensors.KeyPoints(boxes[:, :2], canvas_size=(36, 44))]
            if hasattr(tv_tensors, "KeyPoints")
            else []
        ),
    ]


@pytest.mark.parametrize("place", places(), ids=["boxes", "no boxes", "points"])
def test_boxes_and_points_stay_where_pixels_stay(place: Any) -> None:
    image, result, label = Corrupt("contrast", 5)(tv_tensors.Image(PLANES), place, torch.tensor(3))
    assert (image != PLANES).any()
    assert type(result) is type(place)
    assert torch.equal(result, place)
    assert result.canvas_size == place.canvas_size
    assert label == 3


@pytest.mark.parametrize("name", MOVING)
@pytest.mark.parametrize("place", places(), ids=["boxes", "no boxes", "points"])
def test_boxes_and_points_are_refused_where_pixels_move(name: str, place: Any) -> None:
    with pytest.raises(
        ValueError, match=f"Expected no {type(place).__name__} with {name}, which moves pixels"
    ):
        Corrupt(name)(tv_tensors.Image(PLANES), place)


@pytest.mark.parametrize("name", ["fog", *MOVING])
@pytest.mark.parametrize("shape", [(0, 36, 44), (0, 3, 36, 44)])
def test_no_masks_are_no_masks(name: str, shape: tuple[int, ...]) -> None:
    masks = tv_tensors.Mask(torch.zeros(shape, dtype=torch.uint8))
    result = Corrupt(name)({"image": tv_tensors.Image(PLANES), "masks": masks})
    assert isinstance(result["masks"], tv_tensors.Mask)
    assert result["masks"].shape == shape
    assert Corrupt(name)(torch.zeros((0, 3, 36, 44), dtype=torch.uint8)).shape == (0, 3, 36, 44)


def test_uncovered_pixels_are_in_no_instance() -> None:
    everywhere = tv_tensors.Mask(torch.ones((2, 36, 44), dtype=torch.bool))
    moved = Corrupt("geometric_distortion", 5)(everywhere)
    assert moved.dtype == torch.bool
    assert not moved.all()
    assert moved.any()


def test_a_video_stays_a_video() -> None:
    frames = tv_tensors.Video(torch.stack([PLANES, PLANES]))
    result = Corrupt("contrast", 2)(frames)
    assert isinstance(result, tv_tensors.Video)
    assert torch.equal(result[0], Corrupt("contrast", 2)(PLANES))


@pytest.mark.parametrize(
    ("mode", "as_mode"),
    [
        ("L", "L"), ("LA", "L"), ("RGB", "RGB"), ("RGBA", "RGB"), ("RGBX", "RGB"), ("CMYK", "RGB"),
        ("YCbCr", "RGB"),
    ],
)  # fmt: skip
def test_pictures_of_8_bits_are_corrupted_as_grey_or_rgb(mode: str, as_mode: str) -> None:
    picture = PICTURE.convert("LA" if mode == "LA" else mode)
    result = Corrupt("contrast", 3)(picture)
    assert (result.mode, result.size) == (as_mode, picture.size)
    expected = corruptions.corrupt(np.asarray(picture.convert(as_mode)), "contrast", 3)
    np.testing.assert_array_equal(np.asarray(result), expected)


@pytest.mark.parametrize("mode", ["1", "P", "PA", "I", "I;16", "F", "HSV", "LAB", "RGBa"])
def test_pictures_of_other_modes_are_refused(mode: str) -> None:
    with pytest.raises(ValueError, match=rf"PIL images of 8 bits .* but got mode '{mode}': wrap a mask as"):
        Corrupt("contrast", 3)(Image.new(mode, (44, 36)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": 3}, "Expected `name` to be a str"),
        ({"severity": 0}, "Expected `severity`"),
        ({"severity": 6}, "Expected `severity`"),
        ({"severity": "3"}, "Expected `severity`"),
        ({"severity": True}, "Expected `severity`"),
        ({"seed": -1}, "Expected `seed`"),
        ({"seed": 2**64}, "Expected `seed`"),
        ({"seed": 1.5}, "Expected `seed`"),
        ({"ignore_index": 256}, "Expected `ignore_index`"),
        ({"ignore_index": None}, "Expected `ignore_index`"),
    ],
)
def test_wrong_arguments_are_refused_when_the_transform_is_made(
    arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Corrupt(**{"name": "fog", **arguments})


@pytest.mark.parametrize(
    "tensor",
    [
        torch.zeros(3, 36, 44),
        torch.zeros(3, 36, 44, dtype=torch.bfloat16),
        torch.zeros(2, 36, 44, dtype=torch.uint8),
        torch.zeros(36, 44, dtype=torch.uint8),
        torch.tensor(3),
    ],
)
def test_other_tensors_are_refused(tensor: torch.Tensor) -> None:
    with pytest.raises(
        ValueError, match=r"Expected images as uint8 tensors \(..., C, H, W\) .* but got torch\."
    ):
        Corrupt("fog")(tensor)
