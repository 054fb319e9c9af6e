"""What every corruption promises, whatever its kernel."""

import numpy as np
import pytest
from numpy.typing import NDArray

import corruptions

Image = NDArray[np.uint8]
every_name = pytest.mark.parametrize("name", corruptions.names("all"))


def middle(name: str) -> int:
    """A severity in the middle; not every corruption has five."""
    severities = corruptions.get(name).severities
    return severities[len(severities) // 2]


def photo(height: int, width: int, channels: int = 3) -> Image:
    """A smooth scene with some texture: every corruption changes it."""
    rng = np.random.default_rng(height * 1000 + width)
    rows, columns = np.mgrid[:height, :width]
    smooth = 120 + 60 * np.sin(rows / 7)[..., None] + 40 * np.cos(columns / 5)[..., None] * [1, 0.5, -0.5]
    textured: Image = np.clip(smooth + rng.normal(0, 8, (height, width, 3)), 0, 255).astype(np.uint8)
    return textured[..., :channels]


@every_name
@pytest.mark.parametrize("size", [(1, 1), (5, 3), (33, 47), (40, 64), (31, 90)])
def test_result_is_a_new_array_of_the_same_shape(name: str, size: tuple[int, int]) -> None:
    image = photo(*size)
    before = image.copy()
    corrupted = corruptions.corrupt(image, name, middle(name))
    assert corrupted.shape == image.shape
    assert corrupted.dtype == np.uint8
    assert corrupted.flags.c_contiguous
    assert corrupted.flags.writeable
    assert not np.shares_memory(corrupted, image)
    assert (image == before).all()


@pytest.mark.parametrize(
    ("name", "severity"),
    [(name, severity) for name in corruptions.names() for severity in corruptions.get(name).severities],
)
def test_every_severity_changes_the_image_but_keeps_it_an_image(name: str, severity: int) -> None:
    image = photo(40, 64)
    corrupted = corruptions.corrupt(image, name, severity)
    assert (corrupted != image).mean() > 0.01
    assert corrupted.std() > 1


@every_name
def test_same_seed_and_key_give_the_same_pixels(name: str) -> None:
    image = photo(40, 64)
    first = corruptions.corrupt(image, name, middle(name), seed=4, key="a")
    assert (corruptions.corrupt(image, name, middle(name), seed=4, key="a") == first).all()


@every_name
@pytest.mark.parametrize("other", [{"seed": 5, "key": "a"}, {"seed": 4, "key": "b"}])
def test_another_seed_or_key_changes_exactly_the_random_ones(name: str, other: dict[str, object]) -> None:
    image = photo(40, 64)
    first = corruptions.corrupt(image, name, middle(name), seed=4, key="a")
    second = corruptions.corrupt(image, name, middle(name), **other)  # type: ignore[arg-type]
    assert (first != second).any() == corruptions.get(name).random


@every_name
def test_memory_layout_does_not_matter(name: str) -> None:
    image = photo(40, 48)
    expected = corruptions.corrupt(image, name, middle(name))
    read_only = image.copy()
    read_only.flags.writeable = False
    layouts = [
        read_only,
        np.asfortranarray(image),
        image[::-1, ::-1, ::-1].copy()[::-1, ::-1, ::-1],
        np.repeat(image, 2, axis=1)[:, ::2],
    ]
    for layout in layouts:
        assert (corruptions.corrupt(layout, name, middle(name)) == expected).all()


@every_name
def test_grey_images_are_the_first_channel_of_a_grey_rgb_image(name: str) -> None:
    grey = photo(33, 40)[..., 0]
    expected = corruptions.corrupt(np.stack([grey] * 3, axis=2), name, middle(name))[..., 0]
    assert (corruptions.corrupt(grey, name, middle(name)) == expected).all()
    assert (corruptions.corrupt(grey[..., None], name, middle(name)) == expected[..., None]).all()
    assert corruptions.corrupt(grey[..., None], name, middle(name)).flags.c_contiguous


@every_name
def test_a_sweep_yields_what_corrupt_returns(name: str) -> None:
    image = photo(32, 36)
    severities = corruptions.get(name).severities
    swept = list(corruptions.sweep(image, name, seed=3, key="k"))
    for severity, corrupted in zip(severities, swept, strict=True):
        assert (corrupted == corruptions.corrupt(image, name, severity, seed=3, key="k")).all()


@every_name
@pytest.mark.parametrize("size", [(1, 1), (20, 50), (45, 37)])
def test_a_pair_has_the_image_of_corrupt_and_a_new_target(name: str, size: tuple[int, int]) -> None:
    image, target = photo(*size), photo(*size)[..., 0] // 64
    before = target.copy()
    corrupted, moved = corruptions.corrupt_pair(image, target, name, middle(name), seed=2, key="k")
    assert (corrupted == corruptions.corrupt(image, name, middle(name), seed=2, key="k")).all()
    assert moved.shape == target.shape
    assert moved.dtype == np.uint8
    assert moved.flags.c_contiguous
    assert moved.flags.writeable
    assert not np.shares_memory(moved, target)
    assert (target == before).all()
    if not corruptions.get(name).moves_pixels:
        assert (moved == target).all()


@every_name
def test_small_images_are_the_middle_of_their_mirrored_image(name: str) -> None:
    image = photo(20, 27)
    mirrored = np.pad(image, ((6, 6), (2, 3), (0, 0)), mode="symmetric")
    expected = corruptions.corrupt(mirrored, name, middle(name))[6:26, 2:29]
    assert (corruptions.corrupt(image, name, middle(name)) == expected).all()


GOOD = photo(8, 8)


@pytest.mark.parametrize(
    ("image", "got"),
    [
        (GOOD.astype(np.float32), "float32 of shape"),
        (GOOD.astype(np.int64), "int64"),
        (GOOD > 3, "bool"),
        (np.zeros((8, 8, 4), np.uint8), r"\(8, 8, 4\)"),
        (np.zeros((2, 8, 8, 3), np.uint8), r"\(2, 8, 8, 3\)"),
        (np.zeros((0, 8, 3), np.uint8), r"\(0, 8, 3\)"),
        (GOOD.tolist(), "a list"),
        (None, "a NoneType"),
    ],
)
def test_what_is_not_an_image_is_refused(image: object, got: str) -> None:
    with pytest.raises(ValueError, match=f"Expected `image` to be a uint8 array.*{got}.*: convert"):
        corruptions.corrupt(image, "fog")  # type: ignore[arg-type]


@pytest.mark.parametrize("severity", [0, 6, -1, True, 2.0, "3", None, np.bool_(True)])
def test_a_severity_that_is_not_one_to_five_is_refused(severity: object) -> None:
    with pytest.raises(ValueError, match="Expected `severity` to be an int from 1 to 5, but got"):
        corruptions.corrupt(GOOD, "contrast", severity)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="severity"):
        corruptions.sweep(GOOD, "contrast", [1, severity])  # type: ignore[list-item]


@pytest.mark.parametrize("seed", [-1, 2**64, pytest.param(10**5000, id="huge"), True, 1.0, None, "1"])
def test_a_seed_that_is_not_a_64_bit_integer_is_refused(seed: object) -> None:
    with pytest.raises(ValueError, match="Expected `seed` to be an int from 0 to"):
        corruptions.corrupt(GOOD, "contrast", seed=seed)  # type: ignore[arg-type]


@pytest.mark.parametrize("key", [b"a", 1, None])
def test_a_key_that_is_not_text_is_refused(key: object) -> None:
    with pytest.raises(ValueError, match="Expected `key` to be a str"):
        corruptions.corrupt(GOOD, "contrast", key=key)  # type: ignore[arg-type]


@pytest.mark.parametrize("target", [GOOD, GOOD[:4, :, 0], GOOD[..., 0].astype(np.int64), None])
def test_a_target_that_does_not_fit_the_image_is_refused(target: object) -> None:
    with pytest.raises(ValueError, match="Expected `target` to be a uint8 array"):
        corruptions.corrupt_pair(GOOD, target, "contrast")  # type: ignore[arg-type]


@pytest.mark.parametrize("ignore_index", [-1, 256, 1.5])
def test_an_ignore_index_outside_a_byte_is_refused(ignore_index: object) -> None:
    with pytest.raises(ValueError, match="Expected `ignore_index` to be an int from 0 to 255"):
        corruptions.corrupt_pair(GOOD, GOOD[..., 0], "contrast", ignore_index=ignore_index)  # type: ignore[arg-type]


def test_numpy_integers_count_as_integers() -> None:
    expected = corruptions.corrupt(GOOD, "gaussian_noise", 2, seed=7)
    corrupted = corruptions.corrupt(GOOD, "gaussian_noise", np.int64(2), seed=np.uint8(7))  # type: ignore[arg-type]
    assert (corrupted == expected).all()


def test_any_text_is_a_key() -> None:
    keys = ["", "ü/ø.png", "\ud800", "a" * 1000, '",', "\0"]
    images = [corruptions.corrupt(GOOD, "gaussian_noise", key=key).tobytes() for key in keys]
    assert len(set(images)) == len(keys)
