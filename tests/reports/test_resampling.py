from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from reports.scoring.resampling import (
    Bootstrap,
    Units,
    interval,
    p_value,
    replicate,
    standard_error,
    units_of,
)
from reports.scoring.scores import miou

Method = Literal["percentile", "bca"]
IMAGES = tuple(f"image{number}" for number in range(40))
B = 400
BOTH = pytest.mark.parametrize("method", ["percentile", "bca"])


def counts_of(rng: np.random.Generator, images: int, classes: int = 3) -> NDArray[np.int64]:
    """Counts (N, 3, C) of tp, fp, fn with images of different difficulty; the last class is rare."""
    size = rng.integers(50, 500, (images, classes)) * (rng.random((images, classes)) < [1, 0.9, 0.3])
    tp = rng.binomial(size, rng.beta(6, 3, (images, 1)))
    return np.stack([tp, rng.binomial(60, 0.3, (images, classes)), size - tp], axis=1).astype(np.int64)


def mious(counts: NDArray[np.int64], units: Units, method: Method = "percentile") -> NDArray[np.float64]:
    return miou(*np.moveaxis(replicate(counts, units, method), 1, 0))


def test_a_replicate_is_the_sum_over_the_images_drawn() -> None:
    counts = counts_of(np.random.default_rng(0), 40)
    units = units_of(IMAGES, (), B)
    sums = replicate(counts, units, "bca")
    assert sums.shape == (1 + B + 40, 3, 3)
    np.testing.assert_array_equal(sums[0], counts.sum(axis=0))
    drawn = np.repeat(np.arange(40), units.weights[7].astype(int))
    assert len(drawn) == 40
    np.testing.assert_array_equal(sums[8], counts[drawn].sum(axis=0))
    np.testing.assert_array_equal(sums[1 + B + 5], np.delete(counts, 5, axis=0).sum(axis=0))


def test_images_of_a_cluster_are_drawn_together() -> None:
    clusters = tuple(f"drive{number // 8}" for number in range(40))
    units = units_of(IMAGES, clusters, B)
    assert (units.kind, units.count) == ("cluster", 5)
    counts = np.zeros((40, 2), np.int64)
    counts[8:16, 0] = counts[3, 1] = 1
    sums = replicate(counts, units, "bca")
    assert set(sums[1 : 1 + B, 0] % 8) == {0}
    assert list(sums[1 + B :, 0]) == [8, 0, 8, 8, 8]


def test_the_same_images_have_the_same_resamples_and_others_have_others() -> None:
    first = units_of(IMAGES, (), B).weights
    np.testing.assert_array_equal(first, units_of(list(IMAGES), (), B).weights)
    assert (first != units_of((*IMAGES[:-1], "other"), (), B).weights).any()


def test_sums_are_exact_where_a_float_of_32_bits_is_not() -> None:
    counts = np.full((3, 1), 2**40 + 1, np.int64)
    assert set(replicate(counts, units_of(IMAGES[:3], (), B)).ravel()) == {3 * 2**40 + 3}


@BOTH
def test_an_interval_holds_its_score_and_narrows_with_more_images(method: Method) -> None:
    rng = np.random.default_rng(1)
    widths = []
    for number in (20, 320):
        names = [f"image{n}" for n in range(number)]
        values = mious(counts_of(rng, number), units_of(names, (), B), method)
        low, high = interval(values, number, Bootstrap(B, 0.95, method))
        assert low < values[0] < high
        widths.append(high - low)
    assert widths[1] == pytest.approx(widths[0] / 4, rel=0.4)


@BOTH
def test_of_a_mean_the_interval_is_that_of_the_normal_law(method: Method) -> None:
    values = np.random.default_rng(2).integers(0, 1000, (400, 1))
    units = units_of([f"image{n}" for n in range(400)], (), 4000)
    means = replicate(values, units, method)[:, 0] / 400
    low, high = interval(means, 400, Bootstrap(4000, 0.9, method))
    half = 1.645 * values.std() / 20
    assert (low - means[0], high - means[0]) == pytest.approx((-half, half), rel=0.08)
    assert standard_error(means, Bootstrap(4000)) == pytest.approx(values.std() / 20, rel=0.05)


def test_bca_equals_scipys() -> None:
    from scipy.stats import bootstrap as scipys

    sample = np.random.default_rng(3).gamma(0.7, 1000, 60).astype(np.int64)
    units = units_of([f"image{n}" for n in range(60)], (), 20_000)
    means = replicate(sample[:, None], units, "bca")[:, 0] / np.r_[np.full(20_001, 60), np.full(60, 59)]
    found = interval(means, 60, Bootstrap(20_000, 0.95, "bca"))
    theirs = scipys((sample,), np.mean, n_resamples=20_000, method="BCa", rng=0).confidence_interval
    assert found == pytest.approx((theirs.low, theirs.high), rel=0.02)
    plain = interval(means, 60, Bootstrap(20_000, 0.95, "percentile"))
    assert found.high > plain.high * 1.01  # a skewed law: the correction matters


@BOTH
def test_one_image_tells_nothing_of_others(method: Method) -> None:
    values = mious(counts_of(np.random.default_rng(4), 1), units_of(IMAGES[:1], (), B), method)
    low, high = interval(values, 1, Bootstrap(B, 0.95, method))
    assert np.isnan([low, high]).all()
    assert np.isnan(p_value(values - values, 1, Bootstrap(B, 0.95, method)))


@BOTH
def test_where_all_images_are_alike_the_interval_is_a_point(method: Method) -> None:
    counts = np.tile([[[10, 4]], [[3, 0]], [[2, 1]]], (1, 12, 1)).transpose(1, 0, 2).astype(np.int64)
    values = mious(counts, units_of(IMAGES[:12], (), B), method)
    low, high = interval(values, 12, Bootstrap(B, 0.95, method))
    assert low == values[0] == high


@BOTH
def test_an_undefined_score_has_no_interval_and_undefined_replicates_are_passed_over(method: Method) -> None:
    values = np.full((2, 1 + B + 9), 0.5)
    values[0, 0] = np.nan
    values[1, 2:40] = np.nan
    low, high = interval(values, 9, Bootstrap(B, 0.95, method))
    assert np.isnan(low[0])
    assert np.isnan(high[0])
    assert low[1] == high[1] == 0.5


@BOTH
def test_a_p_value_and_an_interval_agree(method: Method) -> None:
    rng = np.random.default_rng(5)
    units = units_of(IMAGES, (), B)
    agreed = []
    for shift in np.linspace(-6, 6, 25):
        values = replicate(np.round(100 * rng.normal(shift, 10, (40, 1))).astype(np.int64), units, method)[
            :, 0
        ]
        bootstrap = Bootstrap(B, 0.95, method)
        low, high = interval(values / 40.0, 40, bootstrap)
        p = p_value(values / 40.0, 40, bootstrap)
        if abs(p - 0.05) > 0.02:
            agreed.append((p < 0.05) == (low > 0 or high < 0))
    assert len(agreed) > 15
    assert all(agreed)


@BOTH
def test_a_p_value_is_the_level_whose_interval_touches_zero(method: Method) -> None:
    sample = np.random.default_rng(7).gamma(0.8, 100, 30).astype(np.int64) - 45
    units = units_of(IMAGES[:30], (), 5000)
    values = replicate(sample[:, None], units, method)[:, 0] / 30.0
    p = float(p_value(values, 30, Bootstrap(5000, 0.95, method)))
    assert 2 / 5001 < p < 0.9
    ends = interval(values, 30, Bootstrap(5000, 1 - p, method))
    assert min(abs(ends.low), abs(ends.high)) < 0.002 * (ends.high - ends.low)


def test_no_difference_at_all_has_p_1_and_a_sure_one_the_least_that_resamples_can_show() -> None:
    bootstrap = Bootstrap(B)
    assert p_value(np.zeros(1 + B), 40, bootstrap) == 1
    assert p_value(np.full(1 + B, 0.1), 40, bootstrap) == 2 / (B + 1)


@pytest.mark.slow
@BOTH
def test_intervals_cover_the_truth_as_often_as_they_say(method: Method) -> None:
    rng = np.random.default_rng(6)
    truth = miou(*counts_of(rng, 200_000).sum(axis=0))
    hits = 0
    for trial in range(600):
        names = [f"{trial}/{n}" for n in range(120)]
        values = mious(counts_of(rng, 120), units_of(names, (), 1000), method)
        low, high = interval(values, 120, Bootstrap(1000, 0.95, method))
        hits += bool(low <= truth <= high)
    assert 0.92 <= hits / 600 <= 0.98
