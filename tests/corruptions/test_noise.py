"""Noise follows the reference's law: exact probabilities of every grey level, sample by sample."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

import corruptions
from corruptions import reference
from corruptions.kernels import noise

NAMES = ("gaussian_noise", "shot_noise", "impulse_noise", "speckle_noise")
LEVELS = (0, 1, 30, 128, 222, 255)
PROMISED = 0.001  # smallest p-value, after correction for the number of tests


def law(name: str, severity: int, level: int) -> NDArray[np.float64]:
    """Return the probabilities of the 256 results of one grey level, from the definition."""
    constant = next(iter(corruptions.get(name).parameters[severity - 1].values()))
    if name == "impulse_noise":
        probabilities = np.zeros(256)
        probabilities[level] = 1 - constant
        probabilities[[0, 255]] += constant / 2
        return probabilities
    if name == "shot_noise":
        expected = level / 255 * constant
        counts = np.arange(constant)
        probabilities = np.zeros(256)
        np.add.at(probabilities, (counts / constant * 255).astype(int), stats.poisson.pmf(counts, expected))
        probabilities[255] += stats.poisson.sf(constant - 1, expected)
        return probabilities
    deviation = constant * (255 if name == "gaussian_noise" else level)
    if deviation == 0:
        return np.eye(256)[level]
    below = stats.norm.cdf((np.arange(1, 256) - level) / deviation)
    return np.diff(below, prepend=0, append=1)


def p_value(noisy: NDArray[np.uint8], probabilities: NDArray[np.float64]) -> float:
    """Return the smaller p-value of two chi-square tests: of all grey levels, and of groups of 16."""
    expected = probabilities * noisy.size
    observed = np.bincount(noisy.ravel(), minlength=256)
    groups = expected.reshape(16, 16).sum(axis=1), observed.reshape(16, 16).sum(axis=1)
    return min(chi_square(expected, observed), chi_square(*groups))


def chi_square(expected: NDArray[np.float64], observed: NDArray[np.int64]) -> float:
    rare = expected < 10
    if expected[rare].sum() == 0:
        assert observed[rare].sum() == 0
    expected = np.append(expected[~rare], expected[rare].sum())
    observed = np.append(observed[~rare], observed[rare].sum())
    expected, observed = expected[expected > 1e-9], observed[expected > 1e-9]
    return float(stats.chisquare(observed, expected, sum_check=False).pvalue) if expected.size > 1 else 1.0


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("severity", [1, 2, 3, 4, 5])
def test_every_grey_level_has_its_exact_probability(name: str, severity: int) -> None:
    smallest = min(
        p_value(
            corruptions.corrupt(np.full((700, 800, 3), level, np.uint8), name, severity, key=str(level)),
            law(name, severity, level),
        )
        for level in LEVELS
    )
    assert smallest * len(LEVELS) * 5 * len(NAMES) * 2 > PROMISED


@pytest.mark.parametrize("name", NAMES)
def test_the_reference_has_these_probabilities_too(name: str) -> None:
    rng = np.random.RandomState(5)
    for severity, level in ((1, 30), (3, 222), (5, 128)):
        flat = np.full((200, 300, 3), level, np.uint8)
        probabilities = law(name, severity, level)
        assert p_value(reference.corrupt(flat, name, severity, rng), probabilities) * 24 > PROMISED


@pytest.mark.parametrize("name", NAMES)
def test_samples_channels_and_severities_are_independent(name: str) -> None:
    flat = np.full((300, 400, 3), 100, np.uint8)
    weak, strong = (corruptions.corrupt(flat, name, severity).astype(float) for severity in (3, 4))
    pairs = [
        (weak[..., 0], weak[..., 1]),
        (weak[:, 1:], weak[:, :-1]),
        (weak[1:], weak[:-1]),
        (weak, strong),
    ]
    for first, second in pairs:
        assert stats.pearsonr(first.ravel(), second.ravel()).pvalue * len(pairs) * 4 > PROMISED


@pytest.mark.parametrize("photons", [60, 25, 12, 5, 3])
def test_alias_tables_hold_the_poisson_law(photons: int) -> None:
    table, levels = noise.photon_table(photons)
    entries = table.reshape(256, levels.size).astype(np.int64)
    keep = (entries >> 8) / 2**24
    for level in LEVELS:
        shares = keep[level].copy()
        np.add.at(shares, entries[level] & 255, 1 - keep[level])
        expected = stats.poisson.pmf(np.arange(photons), level / 255 * photons)
        np.testing.assert_allclose(shares[:photons] / levels.size, expected, atol=1e-8)
        assert shares[photons + 1 :].sum() / levels.size < 1e-8


def test_gaussian_noise_reaches_five_deviations() -> None:
    noisy = corruptions.corrupt(np.full((1500, 1500, 3), 128, np.uint8), "gaussian_noise", 1)
    deviation = 255 * 0.08
    for bound in (3, 4, 4.75):
        beyond = (noisy < np.floor(128 - bound * deviation)).sum()
        share = stats.norm.cdf((np.floor(128 - bound * deviation) - 128) / deviation)
        assert abs(beyond - share * noisy.size) < 4 * np.sqrt(share * noisy.size) + 1
