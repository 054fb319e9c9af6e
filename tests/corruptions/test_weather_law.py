"""Weather and elastic transform from our draws have the distribution of the reference's."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

import corruptions
from corruptions import reference

IMAGES = 150
NAMES = ("snow", "fog", "spatter", "frost", "elastic_transform")
CONDITIONS = [(name, severity) for name in NAMES for severity in (2, 5)]
STATISTICS = 6
LEAST = 0.001 / (len(CONDITIONS) * STATISTICS)  # Bonferroni's correction


def scene() -> NDArray[np.uint8]:
    rows, columns = np.mgrid[:48, :70]
    waves = 100 + 50 * np.sin(rows / 4) + 40 * np.cos(columns / 6 + rows / 9)
    image: NDArray[np.uint8] = np.stack([waves, waves[::-1], 0.7 * waves], axis=2).astype(np.uint8)
    return image


def statistics_of(image: NDArray[np.uint8]) -> tuple[float, ...]:
    grey = image.mean(axis=2)
    return (
        grey.mean(),
        grey.std(),
        float(np.percentile(grey, 90)),
        np.abs(np.diff(grey, axis=0)).mean(),
        np.abs(np.diff(grey, axis=1)).mean(),
        grey[:24].mean() - grey[24:].mean(),
    )


@pytest.mark.parametrize(("name", "severity"), CONDITIONS)
def test_images_have_the_distribution_of_the_references(name: str, severity: int) -> None:
    pytest.importorskip("cv2")
    image, rng = scene(), np.random.RandomState(7)
    theirs = [statistics_of(reference.corrupt(image, name, severity, rng)) for _ in range(IMAGES)]
    keys = map(str, range(IMAGES))
    ours = [statistics_of(corruptions.corrupt(image, name, severity, key=key)) for key in keys]
    pairs = zip(np.transpose(ours), np.transpose(theirs), strict=True)
    assert min(stats.ks_2samp(*pair, method="asymp").pvalue for pair in pairs) > LEAST
