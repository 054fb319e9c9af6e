"""A Dataset that is made in Python is read with the care that files get."""

import dataclasses
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import robseg
from robseg.datasets.base import Dataset, Sample
from robseg.errors import InputError
from robseg.evaluation.job import prepare
from robseg.evaluation.request import Request

RNG = np.random.default_rng(0)
IMAGE = RNG.integers(0, 256, (6, 8, 3), dtype=np.uint8)
TARGET = RNG.integers(0, 2, (6, 8), dtype=np.uint8)


def red_or_green(images: torch.Tensor) -> torch.Tensor:
    return images[:, :2]


@dataclasses.dataclass(frozen=True)
class Always:
    """Read the same sample at each index."""

    sample: Any

    def __call__(self, _index: int) -> Any:
        return self.sample


def data(sample: Any, **facts: Any) -> Dataset:
    made = Dataset("own", "all", ("a", "b"), ((0, 0, 0),) * 2, ("one",), Always(sample), "f" * 32)
    return dataclasses.replace(made, **facts)


def read(dataset: Dataset) -> Sample:
    return prepare(Request(red_or_green, dataset, "none")).dataset.read(0)


def test_the_dataset_of_a_job_can_be_pickled() -> None:
    job = prepare(Request(red_or_green, data(("one", IMAGE, TARGET)), "none"))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(job.dataset)).read(0).image, IMAGE)  # noqa: S301


@pytest.mark.parametrize(
    "convert",
    [
        lambda image: image,
        Image.fromarray,
        torch.from_numpy,
        lambda image: torch.from_numpy(image).movedim(-1, 0),
        lambda image: torch.from_numpy(image).movedim(-1, 0) / 255,
        lambda image: image.transpose(2, 0, 1),
        lambda image: image / np.float32(255),
    ],
)
def test_an_image_in_any_usual_form_is_the_same_image(convert: Callable[[Any], Any]) -> None:
    image = read(data(("one", convert(IMAGE), TARGET))).image
    np.testing.assert_array_equal(image, IMAGE)
    assert image.dtype == np.uint8


def test_grey_images_become_rgb() -> None:
    grey = IMAGE[..., 0]
    for one in (grey, grey[None], grey[..., None], Image.fromarray(grey), torch.from_numpy(grey)[None]):
        image = read(data(("one", one, TARGET))).image
        np.testing.assert_array_equal(image, np.repeat(grey[..., None], 3, axis=2))


def test_channels_of_a_tensor_come_first_where_both_orders_fit() -> None:
    image, target = IMAGE[:3, :3], TARGET[:3, :3]
    tensor = torch.from_numpy(image.transpose(2, 0, 1).copy())
    for one in (image, tensor):
        np.testing.assert_array_equal(read(data(("one", one, target))).image, image)


@pytest.mark.parametrize(
    "convert",
    [
        lambda target: target.astype(np.int64),
        lambda target: target.astype(bool),
        lambda target: target[None],
        Image.fromarray,
        lambda target: torch.from_numpy(target).long(),
        lambda target: torch.from_numpy(target).long()[None],
        lambda target: target.tolist(),
    ],
)
def test_a_target_in_any_usual_form_is_the_same_target(convert: Callable[[Any], Any]) -> None:
    target = read(data(("one", IMAGE, convert(TARGET)))).target
    np.testing.assert_array_equal(target, TARGET)
    assert target.dtype == np.uint8


def at(value: int) -> Any:
    target = TARGET.astype(np.int64)
    target[2, 3] = value
    return target


def test_ignored_pixels_stay() -> None:
    assert read(data(("one", IMAGE, torch.from_numpy(at(255))))).target[2, 3] == 255


@pytest.mark.parametrize(
    ("sample", "message"),
    [
        (("one", IMAGE, at(2)), "labels 0-1 or 255 in the target of one, but got 2 at row 2, column 3"),
        (("one", IMAGE, at(256)), "but got 256 at row 2"),
        (("one", IMAGE, at(-100)), "but got -100 .* write 255"),
        (("one", IMAGE, torch.from_numpy(at(65535))), "but got 65535"),
        (("one", IMAGE, TARGET / 255), "whole numbers .* but got float64"),
        (("one", IMAGE, IMAGE), r"whole numbers \(H, W\), but got uint8 \(6, 8, 3\)"),
        (("one", IMAGE, "mask.png"), "the target of one to be whole numbers"),
        (("one", IMAGE[:5], TARGET), r"size \(6, 8\), but got \(5, 8, 3\)"),
        (("one", IMAGE.transpose(1, 0, 2), TARGET), r"but got \(8, 6, 3\)"),
        (("one", IMAGE / 128 - 1, TARGET), "floats from 0 to 1, but got float64 from -1 to 0.*normalisation"),
        (("one", IMAGE.astype(np.float32), TARGET), "but got float32 from"),
        (("one", IMAGE.astype(np.uint16) * 257, TARGET), "bytes .* but got uint16"),
        (("one", IMAGE.tolist(), TARGET), "bytes .* but got int64"),
        (("one", Image.fromarray(TARGET.astype(np.int32)), TARGET), "has mode 'I'"),
        (("two", IMAGE, TARGET), "at 0 to be 'one', but `read` returned 'two'"),
        ((IMAGE, TARGET), "a Sample"),
    ],
)
def test_a_sample_that_cannot_be_right_is_refused(sample: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(data(sample))


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"ids": ()}, "its ids are empty"),
        ({"ids": ("one", "one")}, "distinct ids in the Dataset 'own', but got 'one' twice"),
        ({"ids": (1,)}, "ids in the Dataset 'own' to be texts, but got 1"),
        ({"class_names": ("a", "a")}, "distinct class_names"),
        ({"class_names": ()}, "1 to 254 classes"),
        ({"clusters": ("x", "y")}, "a cluster for each of the 1 images"),
    ],
)
def test_facts_that_cannot_be_right_are_refused(facts: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(data(("one", IMAGE, TARGET), **facts))


def test_a_label_that_is_no_class_ends_a_run_before_it_is_scored(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="but got 7 at row 2"):
        robseg.evaluate(red_or_green, data(("one", IMAGE, at(7))), "none", out=tmp_path)
