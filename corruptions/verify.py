"""Agreement of the engine with the installed `imagecorruptions`, in reproducible numbers.

Deterministic corruptions are compared sample by sample. Random ones draw different numbers, so both sides
make many corrupted copies of an image. For several statistics of a copy, Kolmogorov and Smirnov's two-sample
test then compares the distributions of the two sides.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from corruptions import engine, reference
from corruptions.registry import get

__all__ = ["FLOAT_FUZZ", "SIGNIFICANCE", "Agreement", "photograph", "verify"]

FLOAT_FUZZ = frozenset({("defocus_blur", 1)})
"""Conditions whose result is often an integer, which the reference's rounding errors truncate to one less."""

LARGEST_DIFFERENCE = 1  # grey levels
LARGEST_BIAS = 0.01  # grey levels
SIGNIFICANCE = 0.001  # for all tests of a report together

Image = NDArray[np.uint8]


class Agreement(NamedTuple):
    """The result for one corruption and severity; differences are engine minus reference, in grey levels.

    For random corruptions, `largest` and `mean` compare the mean images of the two sides, and `p_value` is
    the smallest of several tests, times their number; `changed` is NaN. For deterministic ones, `changed` is
    the share of samples that differ; `p_value` is NaN.
    """

    name: str
    severity: int
    images: int
    largest: float
    mean: float
    bias: float
    changed: float
    p_value: float
    agrees: bool


def verify(
    image: Image, names: Sequence[str], severities: Sequence[int], *, copies: int = 60, seed: int = 0
) -> Iterator[Agreement]:
    """Yield the agreement on an RGB image of at least 32 x 32 pixels, one corruption and severity at a time.

    Examples
    --------
    >>> [row] = verify(photograph(40, 60), ["contrast"], [3])
    >>> row.agrees, row.largest <= 1
    (True, True)
    """
    random_rows = len(severities) * sum(get(name).random for name in names)
    for name in names:
        for severity in severities:
            if get(name).random:
                yield _random(image, name, severity, copies, seed, SIGNIFICANCE / random_rows)
            else:
                yield _deterministic(image, name, severity)


def photograph(height: int = 96, width: int = 128) -> Image:
    """Return a photograph of scikit-image's, scaled, with the noise of a sensor (sigma 2).

    Examples
    --------
    >>> photograph(40, 60).shape
    (40, 60, 3)
    """
    from skimage import data, transform  # here: they take long to import

    astronaut = data.astronaut()  # type: ignore[no-untyped-call]
    scaled = 255 * transform.resize(astronaut, (height, width), anti_aliasing=True)  # type: ignore[no-untyped-call]
    noise = np.random.default_rng(0).normal(0, 2, scaled.shape)
    image: Image = np.clip(scaled + noise, 0, 255).astype(np.uint8)
    return image


def _deterministic(image: Image, name: str, severity: int) -> Agreement:
    expected = reference.corrupt(image, name, severity, np.random.RandomState(0))
    difference = engine.corrupt(image, name, severity).astype(float) - expected
    largest, bias = float(np.abs(difference).max()), float(difference.mean())
    near = abs(bias) <= LARGEST_BIAS or (name, severity) in FLOAT_FUZZ
    return Agreement(
        name=name,
        severity=severity,
        images=1,
        largest=largest,
        mean=float(np.abs(difference).mean()),
        bias=bias,
        changed=float((difference != 0).mean()),
        p_value=float("nan"),
        agrees=largest <= LARGEST_DIFFERENCE and near,
    )


def _random(image: Image, name: str, severity: int, copies: int, seed: int, significance: float) -> Agreement:
    ours = [engine.corrupt(image, name, severity, seed=seed, key=str(copy)) for copy in range(copies)]
    theirs = [
        reference.corrupt(image, name, severity, np.random.RandomState([seed, severity, copy]))
        for copy in range(copies)
    ]
    difference = np.mean(ours, axis=0) - np.mean(theirs, axis=0)
    p_values = [
        stats.ks_2samp(
            [statistic(image, copy) for copy in ours], [statistic(image, copy) for copy in theirs]
        ).pvalue
        for statistic in STATISTICS
    ]
    p_value = min(1.0, min(p_values) * len(p_values))
    return Agreement(
        name=name,
        severity=severity,
        images=copies,
        largest=float(np.abs(difference).max()),
        mean=float(np.abs(difference).mean()),
        bias=float(difference.mean()),
        changed=float("nan"),
        p_value=p_value,
        agrees=p_value > significance,
    )


def _mean(_: Image, copy: Image) -> float:
    return float(copy.mean())


def _deviation(_: Image, copy: Image) -> float:
    return float(copy.std())


def _distance(image: Image, copy: Image) -> float:
    return float(np.abs(image.astype(float) - copy).mean())


def _steps_down(_: Image, copy: Image) -> float:
    return float(np.abs(np.diff(copy.astype(float), axis=0)).mean())


def _steps_across(_: Image, copy: Image) -> float:
    return float(np.abs(np.diff(copy.astype(float), axis=1)).mean())


def _differences_of_channels(_: Image, copy: Image) -> float:
    return float(np.abs(np.diff(copy.astype(float), axis=2)).mean())


def _dark(_: Image, copy: Image) -> float:
    return float((copy < 32).mean())


def _bright(_: Image, copy: Image) -> float:
    return float((copy > 223).mean())


def _coarse_steps(_: Image, copy: Image) -> float:
    """Return how uneven the image is at a scale of 16 pixels, that of fog and snow."""
    rows, columns = (side // 16 * 16 for side in copy.shape[:2])
    blocks = copy[:rows, :columns].reshape(rows // 16, 16, columns // 16, 16, 3).mean(axis=(1, 3, 4))
    return float(blocks.std())


STATISTICS: tuple[Callable[[Image, Image], float], ...] = (
    _mean,
    _deviation,
    _distance,
    _steps_down,
    _steps_across,
    _differences_of_channels,
    _dark,
    _bright,
    _coarse_steps,
)
