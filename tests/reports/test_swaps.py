import dataclasses
import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from reports.compare.swaps import MOST, p_value, swaps
from reports.run.record import RunRecord
from reports.scoring.scores import miou
from tests.reports.synthetic import SyntheticRun

Ints = NDArray[np.int64]


def record_of(pristine: SyntheticRun, images: int) -> RunRecord:
    names = tuple(f"image{number}" for number in range(images))
    return dataclasses.replace(pristine.record, images=names, clusters=())


def counts_of(rng: np.random.Generator, images: int) -> Ints:
    return rng.integers(0, 1000, (2, images, 9))


def differences(sums: Ints) -> NDArray[np.float64]:
    scores = miou(*np.moveaxis(sums.reshape(2, -1, 3, 3), 2, 0))
    difference: NDArray[np.float64] = scores[1] - scores[0]
    return difference


def test_few_units_are_swapped_in_every_way_and_p_is_the_share_that_is_as_large(
    pristine: SyntheticRun,
) -> None:
    counts = counts_of(np.random.default_rng(0), 7)
    found = swaps(record_of(pristine, 7), 1, 0.05)
    assert found.number == 64
    expected = []
    for chosen in itertools.product([False, True], repeat=7):
        swapped = counts.copy()
        swapped[:, np.array(chosen)] = counts[::-1, np.array(chosen)]
        expected.append(differences(swapped.sum(axis=1)[:, None])[0])
    observed = expected[0]
    mine = differences(found.sums(counts))
    assert mine[0] == observed
    np.testing.assert_allclose(sorted([*mine, *-mine]), sorted(expected), atol=1e-15)
    share = np.mean(np.abs(expected) >= abs(observed) - 1e-12)
    assert p_value(mine) == pytest.approx(share)


def test_swaps_keep_the_counts_of_both_models_together(pristine: SyntheticRun) -> None:
    counts = counts_of(np.random.default_rng(1), 60) + 2**40
    found = swaps(record_of(pristine, 60), 150, 0.05)
    sums = found.sums(counts)
    np.testing.assert_array_equal(sums[:, 0], counts.sum(axis=1))
    np.testing.assert_array_equal(sums.sum(axis=0), np.tile(counts.sum(axis=(0, 1)), (found.number, 1)))
    assert found.number > 150 / 0.05, "the corrected p of one of 150 rows can be significant"


def test_several_pairs_are_swapped_alike(pristine: SyntheticRun) -> None:
    rng = np.random.default_rng(2)
    first, second = counts_of(rng, 20), counts_of(rng, 20)
    found = swaps(record_of(pristine, 20), 1, 0.05)
    together = found.sums(np.concatenate([first, second]))
    np.testing.assert_array_equal(together[:2], found.sums(first))
    np.testing.assert_array_equal(together[2:], found.sums(second))


def test_p_is_the_same_in_both_directions_whatever_is_undefined(pristine: SyntheticRun) -> None:
    counts = counts_of(np.random.default_rng(3), 12)
    found = swaps(record_of(pristine, 12), 1, 0.05)
    forth, back = (differences(found.sums(pair)) for pair in (counts, counts[::-1]))
    for values in (forth, back):
        values[5:400] = np.nan
    assert p_value(forth) == p_value(back)
    assert p_value(forth) >= 395 / found.number


def test_the_same_images_have_the_same_swaps_and_others_have_others(pristine: SyntheticRun) -> None:
    counts = counts_of(np.random.default_rng(4), 30)
    record = record_of(pristine, 30)
    sums = swaps(record, 1, 0.05).sums(counts)
    np.testing.assert_array_equal(sums, swaps(record, 1, 0.05).sums(counts))
    other = dataclasses.replace(record, images=(*record.images[:-1], "other"))
    assert (sums != swaps(other, 1, 0.05).sums(counts)).any()


@pytest.mark.parametrize(("units", "least"), [(1, 1), (5, 1 / 16), (11, 1 / 1024), (40, 1 / 2001)])
def test_a_sure_difference_has_the_least_p_and_none_has_1(
    pristine: SyntheticRun, units: int, least: float
) -> None:
    found = swaps(record_of(pristine, units), 1, 0.05)
    good, bad = [9, 9, 9, 0, 0, 0, 0, 0, 0], [5, 5, 5, 4, 4, 4, 4, 4, 4]
    values = differences(found.sums(np.array([[good] * units, [bad] * units])))
    assert p_value(values) == pytest.approx(least)
    assert p_value(np.zeros(found.number)) == 1


def test_the_number_of_swaps_has_an_end_at_any_level(pristine: SyntheticRun) -> None:
    assert swaps(record_of(pristine, 40), 111, 1e-7).number == 1 + MOST
