"""Arrays, lists and data sets of PyTorch are evaluated as the same images in files are."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import robseg
from robseg.datasets.samples import as_dataset
from robseg.models.model import Model, load_model

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (4, 20, 30, 3), np.uint8)
TARGETS = RNG.integers(0, 3, (4, 20, 30))
CLASSES = ("red", "green", "blue")


class Changing(torch.utils.data.Dataset[Any]):
    """Give another image each time."""

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> Any:
        return RNG.integers(0, 256, (4, 6, 3), np.uint8), np.zeros((4, 6), int)


@pytest.fixture
def model() -> Model:
    return load_model(lambda images: images, class_names=CLASSES)


@pytest.mark.parametrize(
    "data",
    [
        (list(IMAGES), list(TARGETS)),
        (torch.from_numpy(IMAGES), torch.from_numpy(TARGETS)),
        torch.utils.data.TensorDataset(torch.from_numpy(IMAGES).movedim(-1, 1), torch.from_numpy(TARGETS)),
        [
            (Image.fromarray(i), Image.fromarray(t.astype(np.uint8)))
            for i, t in zip(IMAGES, TARGETS, strict=True)
        ],
    ],
)
def test_all_kinds_of_samples_have_the_same_counts(data: Any, model: Model, tmp_path: Path) -> None:
    options: Any = {"corruptions": [("gaussian_noise", 3)], "out": tmp_path, "examples": False}
    scores = robseg.evaluate(model, (IMAGES, TARGETS), **options).scores
    counts = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.parquet")}
    assert robseg.evaluate(model, data, **options).scores.equals(scores)
    assert counts == {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.parquet")}  # continued
    brightest = IMAGES.argmax(-1)
    both = [(brightest == c, np.equal(TARGETS, c)) for c in range(3)]
    iou = [(found & true).sum() / (found | true).sum() for found, true in both]
    assert scores["miou"].iloc[0] == pytest.approx(np.mean(iou))


def test_images_may_differ_in_size(model: Model, tmp_path: Path) -> None:
    data = [(IMAGES[0], TARGETS[0]), (IMAGES[1, :9], TARGETS[1, :9])]
    assert robseg.evaluate(model, data, "none", out=tmp_path).scores["images"].iloc[0] == 2


def test_values_that_are_not_scored_are_named() -> None:
    targets = TARGETS.copy()
    targets[0, 0, :3] = -100
    with pytest.raises(robseg.InputError, match="but got -100 at row 0, column 0"):
        as_dataset((IMAGES, targets), CLASSES)
    assert (as_dataset((IMAGES, targets), CLASSES, ignore=[-100]).read(0).target[0, :3] == 255).all()


def test_ids_and_clusters_may_be_given() -> None:
    dataset = as_dataset((IMAGES, TARGETS), CLASSES, ids=list("abcd"), clusters=[1, 1, 2, 2], name="yard")  # type: ignore[list-item]
    assert (dataset.name, dataset.ids, dataset.clusters) == ("yard", tuple("abcd"), tuple("1122"))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ((IMAGES, TARGETS[:3]), "of one length, but got 4 and 3"),
        (((IMAGES[0], TARGETS[0]), (IMAGES[1], TARGETS[1])), "two tuples of two, which could be either"),
        ((IMAGES, 3), "of one length, but got 4 and no sequence"),
        ((IMAGES / 255 - 0.5, TARGETS), "give it without normalisation"),
        ([{"image": IMAGES[0], "mask": TARGETS[0]}], r"to give \(image, target\), but got 'dict' for 0"),
        (iter([]), "but got list_iterator: put what it gives into a list"),
    ],
)
def test_other_samples_are_refused(data: Any, message: str) -> None:
    with pytest.raises(robseg.InputError, match=message):
        as_dataset(data, CLASSES)


@pytest.mark.parametrize(
    ("classes", "options", "message"),
    [
        ("abc", {}, "Expected `class_names` to be a list, but got 'abc'"),
        (3, {}, "Expected `class_names` to be a list, but got 3"),
        (CLASSES, {"ignore": -100}, "Expected `ignore` to be a list, but got -100"),
    ],
)
def test_what_is_no_list_is_refused(classes: Any, options: Any, message: str) -> None:
    with pytest.raises(robseg.InputError, match=message):
        as_dataset((IMAGES, TARGETS), classes, **options)


def test_a_data_set_that_gives_other_images_each_time_is_refused(model: Model, tmp_path: Path) -> None:
    with pytest.raises(robseg.InputError, match="those of 0 differ from before: leave out random transforms"):
        robseg.evaluate(model, Changing(), "none", out=tmp_path)


def test_changed_images_do_not_continue_a_run(model: Model, tmp_path: Path) -> None:
    robseg.evaluate(model, (IMAGES, TARGETS), "none", out=tmp_path)
    with pytest.raises(robseg.InputError, match="its dataset is data/all/"):
        robseg.evaluate(model, (IMAGES[:, ::-1], TARGETS), "none", out=tmp_path)


@pytest.mark.parametrize(
    ("data", "classes", "message"),
    [
        ((IMAGES[:0], TARGETS[:0]), CLASSES, "to have images, but its ids are empty"),
        ([], CLASSES, "to have images, but its ids are empty"),
        ((IMAGES, TARGETS), [f"class {i}" for i in range(300)], "1 to 254 classes in .*, but got 300"),
    ],
)
def test_samples_get_the_checks_of_a_dataset(
    data: Any, classes: list[str], message: str, tmp_path: Path
) -> None:
    model = load_model(lambda images: images.repeat(1, len(classes) // 3, 1, 1), class_names=classes)
    with pytest.raises(robseg.InputError, match=message):
        robseg.evaluate(model, data, "none", out=tmp_path)
