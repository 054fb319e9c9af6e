import hashlib
import pickle
from collections.abc import Callable

import numpy as np
import pytest

from robseg.datasets import streets
from robseg.datasets.base import DATASETS, IGNORE_INDEX, Sample
from robseg.datasets.streets.textures import photograph
from robseg.errors import InputError

SMALL = (64, 96)
REFERENCE_TARGETS = {"1": "0d80ea2c4ab59aad"}
"""For each renderer version the digest of the targets of `reference`."""
REFERENCE_COLOURS: dict[str, list[list[float]]] = {
    "1": [
        [149.82, 138.72, 126.93],
        [150.09, 141.69, 135.72],
        [128.93, 126.6, 125.49],
        [151.78, 150.15, 152.64],
    ]
}
"""For each renderer version the mean colours of the images of `reference`."""


@pytest.fixture(scope="module")
def reference() -> list[Sample]:
    return [streets.render(0, "val", index, *SMALL) for index in range(4)]


@pytest.fixture(scope="module")
def scenes() -> list[Sample]:
    """Scenes at a quarter of the default size, enough for shares of the classes."""
    return [streets.render(0, "val", index, 64, 128) for index in range(16)]


def test_a_scene_is_an_image_with_a_class_for_every_pixel(reference: list[Sample]) -> None:
    for sample in reference:
        assert sample.image.shape == (*SMALL, 3)
        assert sample.target.shape == SMALL
        assert sample.image.dtype == sample.target.dtype == np.uint8
        assert sample.target.max() < len(streets.CLASS_NAMES) < IGNORE_INDEX


def test_a_scene_is_always_the_same(reference: list[Sample]) -> None:
    again = streets.dataset("val", size=SMALL).read(2)
    assert again.id == reference[2].id == "val-00002"
    assert np.array_equal(again.image, reference[2].image)
    assert np.array_equal(again.target, reference[2].target)


def test_no_two_scenes_are_alike() -> None:
    keys = [(0, "val", 0), (0, "val", 1), (0, "train", 0), (0, "test", 0), (1, "val", 0)]
    targets = {streets.render(seed, split, index, *SMALL).target.tobytes() for seed, split, index in keys}
    assert len(targets) == len(keys)


def test_a_changed_pixel_needs_a_new_renderer_version(reference: list[Sample]) -> None:
    digest = hashlib.blake2b(b"".join(sample.target.tobytes() for sample in reference), digest_size=8)
    assert digest.hexdigest() == REFERENCE_TARGETS[streets.RENDERER_VERSION]
    colours = np.array([sample.image.mean((0, 1)) for sample in reference])
    np.testing.assert_allclose(colours, REFERENCE_COLOURS[streets.RENDERER_VERSION], atol=0.1)


@pytest.mark.parametrize("size", [(16, 16), (97, 33), (40, 200)])
def test_any_size_can_be_rendered(size: tuple[int, int]) -> None:
    assert streets.render(5, "train", 7, *size).target.shape == size


def test_a_larger_image_shows_the_same_scene(reference: list[Sample]) -> None:
    large = streets.render(0, "val", 0, 2 * SMALL[0], 2 * SMALL[1])
    assert (large.target[::2, ::2] == reference[0].target).mean() > 0.85
    assert (large.target[::2, ::2] == reference[1].target).mean() < 0.85


def test_every_class_occurs_often_enough_to_be_scored(scenes: list[Sample]) -> None:
    counts = np.array([np.bincount(sample.target.ravel(), minlength=11) for sample in scenes])
    present = dict(zip(streets.CLASS_NAMES, (counts > 0).mean(0), strict=True))
    share = dict(zip(streets.CLASS_NAMES, counts.sum(0) / counts.sum(), strict=True))
    assert all(often > 1 / 3 for often in present.values()), present
    assert all(share[name] >= 0.002 for name in ("pole", "sign", "pedestrian", "bicyclist")), share
    assert all(share[name] > 0.1 for name in ("sky", "building", "road")), share


def test_sky_is_above_and_road_below(scenes: list[Sample]) -> None:
    targets = np.concatenate([sample.target for sample in scenes], axis=1)
    row = {
        name: np.nonzero(targets == streets.CLASS_NAMES.index(name))[0].mean()
        for name in ("sky", "building", "car", "road")
    }
    assert row["sky"] < row["building"] < row["car"] < row["road"]


def test_classes_can_be_distinguished_by_colour(scenes: list[Sample]) -> None:
    def mean(name: str) -> np.ndarray:
        chosen = [s.image[s.target == streets.CLASS_NAMES.index(name)] for s in scenes]
        return np.concatenate(chosen).mean(0)

    assert mean("sky").mean() > mean("building").mean() > mean("tree").mean()
    red, green, blue = mean("tree")
    assert green > red > blue


def test_the_data_set_can_be_sent_to_a_worker_and_reads_the_same(reference: list[Sample]) -> None:
    scenes = pickle.loads(pickle.dumps(streets.dataset("val", number=4, size=SMALL)))  # noqa: S301
    assert np.array_equal(scenes.read(3).image, reference[3].image)


def test_the_registered_data_set_needs_no_root() -> None:
    card = DATASETS["streets"]
    assert (card.needs_root, card.default_split, card.splits) == (False, "val", ("train", "val", "test"))
    scenes = card.open(None, "test")
    assert (scenes.name, scenes.split, len(scenes)) == ("streets", "test", streets.SPLITS["test"])
    assert scenes.class_names == card.class_names
    assert scenes.ids[7] == "test-00007"


def test_the_fingerprint_follows_what_is_drawn_and_not_how_many() -> None:
    base = streets.dataset("val", size=SMALL).fingerprint
    assert streets.dataset("val", number=3, size=SMALL).fingerprint == base
    others = [
        streets.dataset("test", size=SMALL),
        streets.dataset("val", size=(64, 97)),
        streets.dataset("val", size=SMALL, seed=1),
    ]
    assert len({base, *(scenes.fingerprint for scenes in others)}) == 4


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: streets.dataset("night"), "Expected `split` to be one of train, val, test, but got 'night'"),
        (lambda: streets.dataset("val", number=0), "Expected `number` to be 1 or more, but got 0"),
        (lambda: streets.dataset("val", size=(8, 512)), "at least 16x16 pixels, but got 8x512"),
        (lambda: streets.render(0, "val", -1), "Expected `index` to be 0 or more, but got -1"),
    ],
)
def test_what_cannot_be_rendered_is_said(call: Callable[[], object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()


def test_a_missing_photograph_is_an_error_and_not_another_scene() -> None:
    with pytest.raises(InputError, match=r"Expected the photograph slate.png .*: reinstall scikit-image"):
        photograph("slate")
