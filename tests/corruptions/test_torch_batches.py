"""Batches of tensors get the pixels of the NumPy engine."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import corruptions
import corruptions.torch as on_device
from corruptions import engine
from corruptions.kernels import random
from corruptions.torch_draws import normals, words

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 41, 67, 3), dtype=np.uint8)
IMAGES[1] = IMAGES[1] // 3 + 60
IMAGES[1, :8] = IMAGES[1, :8, :, :1]  # grey pixels have no hue
BATCH = torch.from_numpy(IMAGES).permute(0, 3, 1, 2)
KEYS = ["a", "b"]
EXACT = {"shot_noise", "impulse_noise", "brightness", "contrast", "saturate"}


def corrupted(name: str, severity: int) -> NDArray[np.uint8]:
    result = on_device.corrupt(BATCH, name, severity, seed=3, keys=KEYS)
    assert result.dtype == torch.uint8
    assert result.is_contiguous()
    array: NDArray[np.uint8] = result.permute(0, 2, 3, 1).numpy()
    return array


def by_engine(name: str, severity: int) -> NDArray[np.uint8]:
    pairs = zip(IMAGES, KEYS, strict=True)
    return np.stack([corruptions.corrupt(image, name, severity, seed=3, key=key) for image, key in pairs])


@pytest.mark.parametrize("name", corruptions.names())
def test_batches_get_the_pixels_of_the_engine(name: str) -> None:
    for severity in corruptions.get(name).severities[::2]:
        difference = corrupted(name, severity).astype(int) - by_engine(name, severity)
        if name in EXACT or name not in on_device.native():
            assert not difference.any()
        assert np.abs(difference).max() <= 1
        assert (difference != 0).mean() < 0.01
        assert abs(difference.mean()) < 0.01


def test_what_is_elementwise_or_a_convolution_stays_on_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("taken over the CPU")

    monkeypatch.setattr(engine, "corrupt", refuse)
    for name in on_device.native():
        on_device.corrupt(BATCH, name, 2, keys=KEYS)
    noise = set(corruptions.names("noise")) & set(corruptions.names("imagenet-c"))
    assert noise <= set(on_device.native())
    with pytest.raises(AssertionError, match="over the CPU"):
        on_device.corrupt(BATCH, "fog", 2, keys=KEYS)


def test_draws_are_those_of_the_engine() -> None:
    stream = random.stream("1", 1, "fog", 2, "k")
    device = torch.device("cpu")
    for shape in [(5,), (3, 700), (4096,), (2049,)]:
        assert (words(stream, shape, device, 2).numpy() == random.words(stream, shape, 2)).all()
        expected = random.normals(stream, shape, 2)
        np.testing.assert_allclose(normals(stream, shape, device, 2).numpy(), expected, rtol=1e-5, atol=1e-6)


def test_the_batch_is_not_changed_and_neither_is_torchs_generator() -> None:
    before = BATCH.clone()
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    for name in ("gaussian_noise", "fog", "contrast"):
        assert not np.shares_memory(corrupted(name, 1), IMAGES)
    assert torch.rand(1) == expected
    assert (before == BATCH).all()


@pytest.mark.parametrize("size", [(1, 1), (20, 50)])
def test_small_images_and_empty_batches_are_taken(size: tuple[int, int]) -> None:
    small = BATCH[:, :, : size[0], : size[1]]
    for name in ("gaussian_blur", "shot_noise", "geometric_distortion"):
        result = on_device.corrupt(small, name, 2, keys=KEYS)
        image = np.ascontiguousarray(IMAGES[1, : size[0], : size[1]])
        assert (result[1].permute(1, 2, 0).numpy() == corruptions.corrupt(image, name, 2, key="b")).all()
        assert on_device.corrupt(small[:0], name, 2).shape == (0, 3, *size)


@pytest.mark.parametrize("images", [BATCH.float(), BATCH[0], BATCH[:, :1], IMAGES, BATCH[:, :, :0], None])
def test_what_is_not_a_batch_is_refused(images: object) -> None:
    with pytest.raises(ValueError, match="Expected `images` to be a uint8 tensor"):
        on_device.corrupt(images, "fog")  # type: ignore[arg-type]


@pytest.mark.parametrize("keys", [["a"], "ab", ["a", "b", "c"], []])
def test_every_image_needs_its_key(keys: list[str]) -> None:
    with pytest.raises(ValueError, match="Expected `keys` to hold 2 strings"):
        on_device.corrupt(BATCH, "fog", keys=keys)


@pytest.mark.parametrize("name", ["gaussian_noise", "fog"])
def test_bad_arguments_are_refused_as_by_the_engine(name: str) -> None:
    with pytest.raises(ValueError, match="Expected `severity` to be an int from 1 to 5"):
        on_device.corrupt(BATCH, name, 6)
    with pytest.raises(ValueError, match="Expected `severity` to be an int from 1 to 5"):
        on_device.corrupt(BATCH, name, True)
    with pytest.raises(ValueError, match="Expected `seed`"):
        on_device.corrupt(BATCH, name, seed=-1)
    with pytest.raises(ValueError, match="Expected `key` to be a str"):
        on_device.corrupt(BATCH, name, keys=[1, 2])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="did you mean 'fog'"):
        on_device.corrupt(BATCH, "fogg")
