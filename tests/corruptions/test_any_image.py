"""No image of any size, shape or memory layout breaks a corruption."""

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import corruptions


@st.composite
def images(draw: st.DrawFn) -> NDArray[np.uint8]:
    """Draw a flat, noisy or extreme image, grey or RGB, contiguous, turned over, transposed or read-only."""
    height, width = draw(st.integers(1, 70)), draw(st.integers(1, 70))
    shape = draw(st.sampled_from([(height, width), (height, width, 1), (height, width, 3)]))
    level = draw(st.integers(0, 255))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    image = draw(
        st.sampled_from(
            [
                np.full(shape, level, np.uint8),
                rng.integers(0, 256, shape, np.uint8),
                rng.choice(np.array([0, 255], np.uint8), shape),
            ]
        )
    )
    layout = draw(st.sampled_from(["plain", "turned", "transposed", "read-only"]))
    if layout == "turned":
        return image[::-1, ::-1]
    if layout == "transposed":
        return np.ascontiguousarray(image.swapaxes(0, 1)).swapaxes(0, 1)
    image.flags.writeable = layout != "read-only"
    return image


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    images(),
    st.sampled_from(corruptions.names("all")),
    st.data(),
    st.integers(0, 2**64 - 1),
    st.text(),
)
def test_any_image_comes_back_in_its_shape(
    image: NDArray[np.uint8], name: str, data: st.DataObject, seed: int, key: str
) -> None:
    severity = data.draw(st.sampled_from(corruptions.get(name).severities))
    before = image.copy()
    corrupted = corruptions.corrupt(image, name, severity, seed=seed, key=key)
    assert corrupted.shape == image.shape
    assert corrupted.dtype == np.uint8
    assert corrupted.flags.c_contiguous
    assert corrupted.flags.writeable
    assert not np.shares_memory(corrupted, image)
    np.testing.assert_array_equal(image, before)
    again = corruptions.corrupt(np.ascontiguousarray(image), name, severity, seed=seed, key=key)
    np.testing.assert_array_equal(corrupted, again)
    if before.min() > 100 and name != "geometric_distortion" and before.size >= 9:
        assert corrupted.any(), "a bright image must not come back black"
