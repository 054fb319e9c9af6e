"""The refinement copies labels from inside; its targets say where inside is."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from robseg.errors import InputError
from robseg.models.refine.directions import DIRECTIONS, direction_of
from robseg.models.refine.files import read_offsets, write_offsets
from robseg.models.refine.gather import refined
from robseg.models.refine.targets import offset_targets


def scene(seed: int = 0, size: tuple[int, int] = (96, 128)) -> NDArray[np.uint8]:
    """Return labels of five classes in smooth regions, none of them thin."""
    rng = np.random.default_rng(seed)
    fields = ndimage.gaussian_filter(rng.standard_normal((5, *size)), (0, 12, 12))
    return fields.argmax(axis=0).astype(np.uint8)


def true_offsets(labels: NDArray[np.uint8]) -> NDArray[np.int8]:
    """Return what a perfect network would answer."""
    mask, directions = offset_targets(labels)
    return np.where((mask == 1)[..., None], DIRECTIONS[directions % 8], 0).astype(np.int8)


def ragged(labels: NDArray[np.uint8], seed: int = 1) -> NDArray[np.uint8]:
    """Return labels whose boundaries are a pixel or two off, to and fro."""
    rng = np.random.default_rng(seed)
    rows, columns = np.indices(labels.shape) + rng.integers(-2, 3, (2, *labels.shape))
    return labels[rows.clip(0, labels.shape[0] - 1), columns.clip(0, labels.shape[1] - 1)]


def sampled(labels: NDArray[np.uint8], offsets: NDArray[np.int8], scale: int) -> NDArray[np.uint8]:
    """Return what the authors compute: one-hot labels, sampled bilinearly with aligned corners."""
    height, width = labels.shape
    onehot = F.one_hot(torch.from_numpy(labels).long()).permute(2, 0, 1)[None].float()
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    shifts = torch.from_numpy(offsets).float() * scale
    x = 2 * (columns + shifts[..., 1]) / (width - 1) - 1
    y = 2 * (rows + shifts[..., 0]) / (height - 1) - 1
    grid = torch.stack((x, y), dim=-1)[None]
    values = F.grid_sample(onehot, grid, mode="bilinear", padding_mode="border", align_corners=True)
    return values.argmax(dim=1)[0].numpy().astype(np.uint8)


@pytest.mark.parametrize("scale", [1, 2, 5])
def test_the_gather_equals_bilinear_sampling_with_aligned_corners(scale: int) -> None:
    rng = np.random.default_rng(scale)
    labels = rng.integers(0, 19, (61, 83)).astype(np.uint8)
    offsets = DIRECTIONS[rng.integers(0, 8, labels.shape)]
    np.testing.assert_array_equal(refined(labels, offsets, scale), sampled(labels, offsets, scale))


def test_true_offsets_improve_ragged_boundaries_and_reversed_ones_do_not() -> None:
    labels = scene()
    guess, offsets = ragged(labels), true_offsets(scene())
    before = (guess == labels).mean()
    after = (refined(guess, offsets) == labels).mean()
    reverse = (refined(guess, -offsets) == labels).mean()
    assert after > before + 0.02
    assert reverse < before - 0.02


def test_true_offsets_leave_true_labels_alone() -> None:
    labels = scene()
    assert (refined(labels, true_offsets(labels)) == labels).mean() > 0.999


def test_no_offset_changes_nothing_and_nothing_is_written_to() -> None:
    labels = scene()
    labels.flags.writeable = False
    np.testing.assert_array_equal(refined(labels, np.zeros((*labels.shape, 2), np.int8)), labels)


def test_a_batch_is_refined_as_its_images_are() -> None:
    labels = np.stack([scene(0), scene(1)])
    offsets = np.stack([true_offsets(scene(2)), true_offsets(scene(3))])
    np.testing.assert_array_equal(
        refined(labels, offsets), np.stack([refined(labels[0], offsets[0]), refined(labels[1], offsets[1])])
    )


def test_offsets_beyond_the_image_take_its_border() -> None:
    labels = np.arange(6, dtype=np.uint8).reshape(2, 3)
    outward = np.full((2, 3, 2), 127, np.int8)
    np.testing.assert_array_equal(refined(labels, outward, scale=100), np.full((2, 3), 5))


def test_offsets_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match=r"Expected `offsets` of shape \(4, 5, 2\)"):
        refined(np.zeros((4, 5), np.uint8), np.zeros((5, 4, 2), np.int8))


@given(st.integers(-180_000, 180_000))
@settings(max_examples=200, deadline=None)
def test_a_direction_is_the_nearest_to_its_angle(thousandths: int) -> None:
    angle = thousandths / 1000
    dy, dx = DIRECTIONS[int(direction_of(np.array([angle]))[0])]
    turn = (np.degrees(np.arctan2(dy, dx)) - angle + 180) % 360 - 180
    assert abs(turn) <= 22.5 + 1e-9


@pytest.mark.parametrize(
    ("angle", "direction"), [(-157.5, 0), (-157.4, 1), (22.5, 4), (157.5, 7), (157.6, 0)]
)
def test_an_angle_between_two_directions_is_the_lower_one_s(angle: float, direction: int) -> None:
    assert direction_of(np.array([angle]))[0] == direction


def test_directions_point_away_from_the_edge() -> None:
    labels = np.zeros((40, 40), np.uint8)
    labels[10:30, 10:30] = 1
    mask, directions = offset_targets(labels)
    inward = DIRECTIONS[directions]
    assert inward[10, 20].tolist() == [1, 0]
    assert inward[29, 20].tolist() == [-1, 0]
    assert inward[20, 10].tolist() == [0, 1]
    assert inward[10, 10].tolist() == [1, 1]
    assert inward[9, 20].tolist() == [-1, 0]
    assert (mask[20, 10:16] == [1, 1, 1, 1, 1, 0]).all()


def test_unlabelled_pixels_are_ignored_and_small_classes_have_no_direction() -> None:
    labels = np.zeros((40, 40), np.uint8)
    labels[:5, :5] = 255
    labels[20:25, 20:25] = 3
    mask, directions = offset_targets(labels)
    assert (mask[:5, :5] == 255).all()
    assert (directions[:5, :5] == 255).all()
    assert (mask[20:25, 20:25] == 1).all()
    assert (directions[20:25, 20:25] == 255).all()
    assert mask[39, 0] == 0


def test_an_image_of_one_class_has_no_boundary() -> None:
    assert not offset_targets(np.full((30, 30), 7, np.uint8)).mask.any()


def test_offsets_survive_the_disk(tmp_path: Path) -> None:
    offsets = true_offsets(scene())
    write_offsets(tmp_path / "a.mat", offsets)
    read = read_offsets(tmp_path / "a.mat")
    np.testing.assert_array_equal(read, offsets)
    assert read.dtype == np.int8


@pytest.mark.parametrize("dtype", [np.int64, np.float32, np.int16])
def test_published_offsets_of_any_number_are_read(tmp_path: Path, dtype: type[np.generic]) -> None:
    from scipy.io import savemat

    offsets = true_offsets(scene()).astype(dtype)
    savemat(tmp_path / "a.mat", {"mat": offsets})
    np.testing.assert_array_equal(read_offsets(tmp_path / "a.mat"), offsets)


def test_what_is_not_a_file_of_offsets_is_reported(tmp_path: Path) -> None:
    from scipy.io import savemat

    with pytest.raises(InputError, match="no such file"):
        read_offsets(tmp_path / "none.mat")
    (tmp_path / "broken.mat").write_bytes(b"MATLAB 5.0 MAT-file" + b"\0" * 200)
    with pytest.raises(InputError, match="cannot be read"):
        read_offsets(tmp_path / "broken.mat")
    savemat(tmp_path / "other.mat", {"depth": np.zeros((4, 4))})
    with pytest.raises(InputError, match="variable 'mat'"):
        read_offsets(tmp_path / "other.mat")
    savemat(tmp_path / "far.mat", {"mat": np.full((4, 4, 2), 300)})
    with pytest.raises(InputError, match="Expected integers"):
        read_offsets(tmp_path / "far.mat")
    savemat(tmp_path / "half.mat", {"mat": np.full((4, 4, 2), 0.5)})
    with pytest.raises(InputError, match="Expected integers"):
        read_offsets(tmp_path / "half.mat")
