"""Gaussian blur, in float32.

Images are passed as rows, (H, W * C), with the C samples of a pixel side by side, so that one loop serves
images and planes. A result is a sum of at most a few hundred products below 256, so its rounding error stays
below 1e-3. EPSILON, which is that large, is added before truncation to integers: a sum that should be an
integer stays that integer.
"""

import numpy as np
from numpy.typing import NDArray

from corruptions.kernels.compiling import kernel
from corruptions.kernels.rows import Rows, add_four_pairs, add_pair, inside, set_product, truncate

__all__ = ["blur_plane", "blur_to_bytes", "gaussian_blur", "gaussian_weights"]


def gaussian_blur(image: NDArray[np.uint8], *, sigma: float) -> NDArray[np.uint8]:
    """Blur an image with a Gaussian of `sigma` pixels."""
    weights = gaussian_weights(sigma)
    return blur_to_bytes(image.reshape(image.shape[0], -1), weights).reshape(image.shape)


def gaussian_weights(sigma: float, truncate: float = 4.0) -> NDArray[np.float32]:
    """Return scipy's weights of a Gaussian at the distances 0, 1, ... up to `truncate` sigma.

    Examples
    --------
    >>> [round(float(weight), 3) for weight in gaussian_weights(0.5)]
    [0.787, 0.106, 0.0]
    """
    radius = int(truncate * float(sigma) + 0.5)
    weights = np.exp(-0.5 / (sigma * sigma) * np.arange(radius + 1) ** 2)
    half: NDArray[np.float32] = (weights / (2 * weights.sum() - weights[0])).astype(np.float32)
    return half


@kernel
def blur_plane(
    plane: Rows, down: NDArray[np.float32], across: NDArray[np.float32], mirrored: bool
) -> NDArray[np.float32]:
    """Blur an (H, W) plane along both axes with the symmetric weights of `gaussian_weights`.

    The border is extended by its nearest pixel or, if `mirrored`, by the mirror image with the edge repeated.
    """
    blurred = np.empty(plane.shape, np.float32)
    between = np.empty(plane.shape[1] + 2 * (across.size - 1), np.float32)
    for y in range(plane.shape[0]):
        _blur_row(plane, y, down, across, 1, mirrored, between, blurred[y])
    return blurred


@kernel
def blur_to_bytes(rows: Rows, weights: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Blur the (H, W * 3) rows of an image along both axes, and truncate to uint8.

    The border is extended by its nearest pixel.
    """
    blurred = np.empty(rows.shape, np.uint8)
    row = np.empty(rows.shape[1], np.float32)
    between = np.empty(rows.shape[1] + 2 * (weights.size - 1) * 3, np.float32)
    for y in range(rows.shape[0]):
        _blur_row(rows, y, weights, weights, 3, False, between, row)
        truncate(row, blurred[y])
    return blurred


@kernel
def _blur_row(
    rows: Rows,
    y: int,
    down: NDArray[np.float32],
    across: NDArray[np.float32],
    channels: int,
    mirrored: bool,
    between: NDArray[np.float32],
    blurred: NDArray[np.float32],
) -> None:
    """Blur row `y`: first down the columns into the middle of `between`, then along `between`."""
    height, size = rows.shape
    margin = (across.size - 1) * channels
    middle = between[margin : margin + size]
    set_product(middle, rows[y], down[0])
    j = down.size - 1
    while j >= 4:
        add_four_pairs(
            middle,
            rows[inside(y - j, height, mirrored)],
            rows[inside(y + j, height, mirrored)],
            rows[inside(y - j + 1, height, mirrored)],
            rows[inside(y + j - 1, height, mirrored)],
            rows[inside(y - j + 2, height, mirrored)],
            rows[inside(y + j - 2, height, mirrored)],
            rows[inside(y - j + 3, height, mirrored)],
            rows[inside(y + j - 3, height, mirrored)],
            down[j - 3 : j + 1],
        )
        j -= 4
    while j >= 1:
        before, behind = inside(y - j, height, mirrored), inside(y + j, height, mirrored)
        add_pair(middle, rows[before], rows[behind], down[j])
        j -= 1
    _extend(between, across.size - 1, channels, mirrored)
    set_product(blurred, middle, across[0])
    j = across.size - 1
    while j >= 4:
        left, right = between[margin - j * channels :], between[margin + (j - 3) * channels :]
        add_four_pairs(
            blurred,
            left,
            right[3 * channels :],
            left[channels:],
            right[2 * channels :],
            left[2 * channels :],
            right[channels:],
            left[3 * channels :],
            right,
            across[j - 3 : j + 1],
        )
        j -= 4
    while j >= 1:
        add_pair(blurred, between[margin - j * channels :], between[margin + j * channels :], across[j])
        j -= 1


@kernel
def _extend(line: NDArray[np.float32], margin: int, channels: int, mirrored: bool) -> None:
    """Fill the `margin` pixels at both ends of a line from the pixels between them."""
    width = line.size // channels - 2 * margin
    for i in range(margin):
        left, right = margin - 1 - i, margin + width + i
        for c in range(channels):
            line[left * channels + c] = line[(margin + inside(-1 - i, width, mirrored)) * channels + c]
            line[right * channels + c] = line[(margin + inside(width + i, width, mirrored)) * channels + c]
