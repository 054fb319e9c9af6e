import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import t

from reports.run.errors import InputError
from reports.scoring.jackknife import behind, check_confidence, interval, left_out, standard_error
from reports.scoring.scores import iou, miou
from reports.scoring.units import MOST, units_of

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def counts_of(rng: np.random.Generator, images: int, classes: int = 3) -> Ints:
    """Counts (N, 3, C) of tp, fp, fn with images of different difficulty; the last class is rare."""
    size = rng.integers(50, 500, (images, classes)) * (rng.random((images, classes)) < [1, 0.9, 0.3])
    tp = rng.binomial(size, rng.beta(6, 3, (images, 1)))
    return np.stack([tp, rng.binomial(60, 0.3, (images, classes)), size - tp], axis=1).astype(np.int64)


def parts(counts: Ints) -> Ints:
    """The sums (R, ...) over all images and without each of them."""
    return left_out(counts.reshape(len(counts), -1)).reshape(-1, *counts.shape[1:])


def mious(counts: Ints) -> Floats:
    return miou(*np.moveaxis(parts(counts), 1, 0))


def test_replicates_are_the_sums_over_all_units_but_one() -> None:
    counts = counts_of(np.random.default_rng(0), 40)
    sums = parts(counts)
    assert sums.shape == (41, 3, 3)
    np.testing.assert_array_equal(sums[0], counts.sum(axis=0))
    np.testing.assert_array_equal(sums[6], np.delete(counts, 5, axis=0).sum(axis=0))


def test_images_of_a_cluster_are_one_unit_wherever_they_are() -> None:
    units = units_of("abcde", ["x", "y", "x", "x", "y"])
    assert (units.kind, units.count) == ("cluster", 2)
    counts = np.arange(10).reshape(1, 5, 2)
    np.testing.assert_array_equal(units.sums(counts), [[[10, 13], [10, 12]]])


def test_more_units_than_are_needed_are_grouped_with_their_neighbours() -> None:
    units = units_of([str(n) for n in range(2 * MOST + 1)], ())
    assert (units.kind, units.count) == ("group", 667)
    assert np.bincount(units.place).tolist() == [3] * 667
    grouped = units.sums(np.ones((2, 2 * MOST + 1, 1), np.int64))
    assert set(grouped.ravel()) == {3}


def test_of_a_mean_the_interval_is_students() -> None:
    sample = np.random.default_rng(2).integers(0, 1000, 12)
    values = left_out(sample[:, None])[:, 0] / np.r_[12, np.full(12, 11)]
    deviations = (sample - sample.mean()) ** 2
    freedom = 1.5 * deviations.sum() ** 2 / (deviations**2).sum() - 1
    low, high = interval(values, 0.9)
    theirs = t.interval(0.9, freedom, sample.mean(), sample.std(ddof=1) / np.sqrt(12))
    assert (low, high) == pytest.approx(theirs)
    assert 4 < freedom < 11
    assert standard_error(values) == pytest.approx(sample.std(ddof=1) / np.sqrt(12))


def test_the_interval_of_a_share_is_corrected_for_bias_on_the_logit_scale() -> None:
    values = mious(counts_of(np.random.default_rng(3), 20))
    z = np.log(values / (1 - values))
    pseudo = 20 * z[0] - 19 * z[1:]
    squares = (pseudo - pseudo.mean()) ** 2
    freedom = 1.5 * squares.sum() ** 2 / (squares**2).sum() - 1
    ends = t.interval(0.95, freedom, pseudo.mean(), pseudo.std(ddof=1) / np.sqrt(20))
    assert interval(values, share=True) == pytest.approx(tuple(1 / (1 + np.exp(-np.array(ends)))))
    assert abs(interval(values).low - interval(values, share=True).low) > 1e-4


def test_an_interval_holds_its_score_and_narrows_with_more_images() -> None:
    rng = np.random.default_rng(1)
    widths = []
    for number in (80, 320):
        values = mious(counts_of(rng, number))
        low, high = interval(values, share=True)
        assert low < values[0] < high
        widths.append(high - low)
    assert widths[1] == pytest.approx(widths[0] / 2, rel=0.4)
    biased = np.r_[0.3, np.full(10, 0.29), 0.291]  # far from the score when corrected
    assert interval(biased).low == 0.3
    assert interval(biased).high > 0.4


def test_a_share_near_its_end_has_an_interval_within_0_and_1() -> None:
    values = np.array([[1.0, 0.9, 1, 1, 1, 1, 1, 1, 1], [0.001, 0.0, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1]])
    low, high = interval(values, share=True, units=8)
    assert (low >= 0).all()
    assert (high <= 1).all()


@pytest.mark.parametrize(("images", "defined"), [(1, False), (5, False), (6, True)])
def test_fewer_than_six_units_have_no_interval(images: int, defined: bool) -> None:
    values = mious(counts_of(np.random.default_rng(4), images))
    assert np.isfinite(interval(values, share=True)).all() == defined


def test_a_class_in_few_of_many_images_has_no_interval() -> None:
    counts = counts_of(np.random.default_rng(5), 60)
    counts[3:, :, 2] = 0
    values = np.moveaxis(iou(*np.moveaxis(parts(counts), 1, 0)), 0, -1)
    assert behind(values).tolist() == [60, 60, 3]
    assert np.isnan(interval(values, share=True).low).tolist() == [False, False, True]


def test_a_score_that_no_unit_changes_is_certain_and_an_undefined_one_has_no_interval() -> None:
    values = np.full((3, 10), 0.5)
    values[1] = np.nan
    values[2, 0] = np.nan
    low, high = interval(values, share=True)
    assert (low[0], high[0]) == (0.5, 0.5)
    assert np.isnan([low[1:], high[1:]]).all()


@pytest.mark.parametrize("confidence", [0, 1, 95, float("nan"), "much"])
def test_a_confidence_level_is_between_0_and_1(confidence: float) -> None:
    with pytest.raises(InputError, match=r"between 0 and 1.*95 % as 0\.95"):
        check_confidence(confidence)
