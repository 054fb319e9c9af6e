import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from reports.scoring.scores import (
    corruption_degradation,
    iou,
    mean_accuracy,
    miou,
    pixel_accuracy,
    relative_corruption_degradation,
)

# Kamann & Rother's Cityscapes table as reprinted in SegFormer's Table 5: clean, then the 16 corruptions in
# its order, mIoU in % averaged over severities.
ICNET = (65.9, 45.8, 44.6, 47.4, 44.7, 8.4, 8.4, 10.6, 27.9, 41.0, 33.1, 27.5, 34.0, 6.3, 30.5, 27.3, 11.0)
XCEPTION_71 = (
    78.6, 64.1, 60.9, 52.0, 60.4, 14.9, 10.8, 19.4, 41.2, 68.0, 58.7, 47.1, 40.2, 18.8, 50.4, 64.1, 20.2,
)  # fmt: skip

CLASSES = 4
Labels = NDArray[np.uint8]
pixels = arrays(np.uint8, (5, 7), elements=st.sampled_from([*range(CLASSES), 255]))
predictions = arrays(np.uint8, (5, 7), elements=st.integers(0, CLASSES - 1))


def counts(target: Labels, prediction: Labels, num_classes: int = CLASSES) -> NDArray[np.int64]:
    labelled = target != 255
    hits = [((target == c) & (prediction == c)).sum() for c in range(num_classes)]
    false = [((target != c) & (prediction == c) & labelled).sum() for c in range(num_classes)]
    missed = [((target == c) & (prediction != c)).sum() for c in range(num_classes)]
    return np.array([hits, false, missed], np.int64)


@given(pixels, predictions)
def test_iou_equals_the_ratio_of_two_sets_of_pixels(target: Labels, prediction: Labels) -> None:
    labelled = set(np.flatnonzero(target != 255))
    scores = iou(*counts(target, prediction))
    for c in range(CLASSES):
        truth = set(np.flatnonzero(target == c))
        found = set(np.flatnonzero(prediction == c)) & labelled
        if truth | found:
            assert scores[c] == len(truth & found) / len(truth | found)
        else:
            assert math.isnan(scores[c])


@given(pixels, predictions, pixels, predictions)
def test_added_counts_score_as_one_large_image(
    target_a: Labels, prediction_a: Labels, target_b: Labels, prediction_b: Labels
) -> None:
    added = counts(target_a, prediction_a) + counts(target_b, prediction_b)
    whole = counts(np.concatenate([target_a, target_b]), np.concatenate([prediction_a, prediction_b]))
    np.testing.assert_array_equal(miou(*added), miou(*whole))


@given(pixels, predictions, st.permutations(range(CLASSES)))
def test_permuted_classes_permute_the_ious_and_keep_the_mean(
    target: Labels, prediction: Labels, order: list[int]
) -> None:
    before = counts(target, prediction)
    names = np.append(np.array(order, np.uint8), np.full(256 - CLASSES, 255, np.uint8))
    after = counts(names[target], names[prediction])
    np.testing.assert_array_equal(iou(*after)[list(order)], iou(*before))
    np.testing.assert_allclose(miou(*after), miou(*before), rtol=1e-12)


def test_miou_is_not_the_mean_of_the_images_ious() -> None:
    large, small = np.array([[90, 0], [10, 0], [0, 10]]), np.array([[0, 1], [0, 9], [9, 0]])
    assert miou(*(large + small)) == pytest.approx((90 / 109 + 1 / 20) / 2)
    assert miou(*(large + small)) != pytest.approx((miou(*large) + miou(*small)) / 2)


def test_a_class_that_occurs_nowhere_is_nan_and_left_out_of_the_mean() -> None:
    tp, fp, fn = np.array([[6, 0, 0], [2, 0, 4], [2, 0, 4]])
    np.testing.assert_array_equal(iou(tp, fp, fn), [0.6, np.nan, 0.0])
    assert miou(tp, fp, fn) == pytest.approx(0.3)
    assert math.isnan(miou(*np.zeros((3, 3), np.int64)))


def test_accuracies_count_labelled_pixels_only() -> None:
    tp, fn = np.array([8, 1, 0]), np.array([0, 1, 0])
    assert pixel_accuracy(tp, fn) == pytest.approx(0.9)
    assert mean_accuracy(tp, fn) == pytest.approx(0.75)


def test_degradations_equal_values_worked_out_by_hand() -> None:
    assert corruption_degradation([0.7, 0.5], [0.6, 0.2]) == pytest.approx(0.8 / 1.2)
    assert relative_corruption_degradation([0.7, 0.5], 0.8, [0.6, 0.2], 0.7) == pytest.approx(0.4 / 0.6)


def test_degradation_is_one_for_the_reference_itself() -> None:
    for miou_ in ICNET[1:]:
        assert corruption_degradation([miou_ / 100], [miou_ / 100]) == 1
        assert relative_corruption_degradation([miou_ / 100], 0.659, [miou_ / 100], 0.659) == 1


def test_degradation_against_a_model_that_is_always_wrong_is_one_minus_miou() -> None:
    assert corruption_degradation([0.3, 0.5], [0.0, 0.0]) == pytest.approx(1 - 0.4)


def test_degradation_without_a_reference_loss_is_undefined() -> None:
    assert math.isnan(relative_corruption_degradation([0.5], 0.6, [0.7], 0.7))
    assert math.isnan(corruption_degradation([0.5], [1.0]))


def test_degradations_agree_with_the_published_cityscapes_table() -> None:
    model, reference = np.array(XCEPTION_71) / 100, np.array(ICNET) / 100
    columns = range(1, 17)
    cd = [corruption_degradation([model[c]], [reference[c]]) for c in columns]
    rcd = [
        relative_corruption_degradation([model[c]], model[0], [reference[c]], reference[0]) for c in columns
    ]
    assert 100 * model[1:].mean() == pytest.approx(43.2, abs=0.1)
    assert 100 * np.mean(cd) == pytest.approx(77.4, abs=0.1)
    assert 100 * np.mean(rcd) == pytest.approx(90.5, abs=0.1)
