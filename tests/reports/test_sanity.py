"""Every rule finds its fault where it is planted, and nothing in sound results."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from reports.run.record import CLEAN, RunRecord
from reports.run.tally import PRIMARY
from reports.sanity.rules import RunWarning, check
from reports.sanity.table import ScoreTable, table_of_run, table_of_scores
from reports.tallies import find
from tests.reports.synthetic import CLASSES, IMAGES, NAMES, Row, SyntheticRun, change_shard

PUBLISHED = Path(__file__).parents[1] / "data" / "semsegbench.csv"
FOG = [("fog", severity) for severity in range(1, 6)]
SNOW = [("snow", severity) for severity in range(1, 6)]

Condition = tuple[str, int]


def warnings(run: SyntheticRun) -> tuple[RunWarning, ...]:
    return check(table_of_run(run.folder, RunRecord.load(run.folder), find(PRIMARY)))


def cells(warning: RunWarning) -> set[tuple[str, str, int]]:
    return set(warning.cells)


def copy_counts(
    run: SyntheticRun, source: Callable[[Row], tuple[str, Condition] | None], images: tuple[str, ...] = IMAGES
) -> None:
    """Give rows the counts that another model or condition has on the same image, or leave them if None."""
    rows: dict[tuple[str, Condition, str], Row] = {}

    def key(row: Row) -> tuple[str, Condition, str]:
        return row["model"], (row["corruption"], row["severity"]), row["image"]

    run.change_rows(lambda row: rows.update({key(row): dict(row)}))

    def change(row: Row) -> None:
        found = source(row)
        if found is not None and row["image"] in images:
            row.update({name: rows[*found, row["image"]][name] for name in ("tp", "fp", "fn")})

    run.change_rows(change)


def as_clean(row: Row) -> tuple[str, Condition] | None:
    return (row["model"], (CLEAN, 0)) if row["corruption"] == "fog" else None


def predict(row: Row, place: int) -> None:
    """Let a row predict one class everywhere."""
    target = [hits + misses for hits, misses in zip(row["tp"], row["fn"], strict=True)]
    others = sum(target) - target[place]
    row["tp"] = [target[c] if c == place else 0 for c in range(len(target))]
    row["fp"] = [others if c == place else 0 for c in range(len(target))]
    row["fn"] = [0 if c == place else target[c] for c in range(len(target))]


def test_sound_results_have_no_warning(pristine: SyntheticRun) -> None:
    assert warnings(pristine) == ()


def test_images_that_a_corruption_leaves_unchanged_are_found(run: SyntheticRun) -> None:
    copy_counts(run, as_clean)
    (found,) = warnings(run)
    assert found.rule == "unchanged"
    assert cells(found) == {(model, *condition) for model in NAMES for condition in FOG}
    assert "fog (1, 2, 3, 4, 5)" in str(found)


@pytest.mark.parametrize(("number", "rules"), [(4, ["unchanged"]), (3, [])])
def test_half_of_the_images_must_be_unchanged(run: SyntheticRun, number: int, rules: list[str]) -> None:
    copy_counts(run, as_clean, IMAGES[:number])
    assert [found.rule for found in warnings(run)] == rules


def test_images_of_one_class_do_not_count_as_unchanged(run: SyntheticRun) -> None:
    copy_counts(run, lambda row: (row["model"], (CLEAN, 0)), IMAGES[:4])
    run.change_rows(lambda row: predict(row, 0) if row["image"] in IMAGES[:4] else None)
    assert warnings(run) == ()
    copy_counts(run, as_clean)
    assert [found.rule for found in warnings(run)] == ["unchanged"]


def test_a_constant_model_does_not_hide_that_images_are_unchanged(run: SyntheticRun) -> None:
    run.change_rows(lambda row: predict(row, 0) if row["model"] == NAMES[0] else None)
    copy_counts(run, as_clean)
    assert [found.rule for found in warnings(run)] == ["unchanged", "constant"]


def test_only_images_that_are_counted_are_compared(run: SyntheticRun) -> None:
    copy_counts(run, as_clean)

    def drop(rows: list[Row]) -> None:
        rows[:] = [row for row in rows if row["corruption"] != "fog" or row["image"] in IMAGES[:2]]

    for path in run.shards():
        change_shard(path, drop)
    assert [found.rule for found in warnings(run)] == ["unchanged"]


def test_the_order_of_the_conditions_does_not_matter(run: SyntheticRun) -> None:
    copy_counts(run, as_clean)
    run.rewrite(conditions=run.record.conditions[::-1])
    assert [found.rule for found in warnings(run)] == ["unchanged"]


def test_a_severity_that_is_ignored_is_found(run: SyntheticRun) -> None:
    copy_counts(run, lambda row: (row["model"], ("fog", 1)) if row["corruption"] == "fog" else None)
    (found,) = warnings(run)
    assert found.rule == "equal_conditions"
    assert cells(found) == {(model, *condition) for model in NAMES for condition in FOG}


def test_a_model_that_saw_clean_images_is_found_where_another_did_not(run: SyntheticRun) -> None:
    copy_counts(run, lambda row: as_clean(row) if row["model"] == NAMES[0] else None)
    (found,) = warnings(run)
    assert found.rule == "equal_conditions"
    assert cells(found) == {(NAMES[0], CLEAN, 0), *((NAMES[0], *condition) for condition in FOG)}


def test_a_model_that_stands_for_two_is_found(run: SyntheticRun) -> None:
    copy_counts(run, lambda row: (NAMES[0], (row["corruption"], row["severity"])))
    (found,) = warnings(run)
    assert found.rule == "equal_models"
    assert len(found.cells) == 2 * len(run.record.conditions)


def test_models_that_agree_in_few_conditions_are_sound(run: SyntheticRun) -> None:
    copy_counts(run, lambda row: (NAMES[0], ("fog", row["severity"])) if row["corruption"] == "fog" else None)
    assert warnings(run) == ()


@pytest.mark.parametrize(("share", "models"), [(0.6, set(NAMES)), (0.3, set())])
def test_a_mild_corruption_that_costs_more_than_half_is_found(
    run: SyntheticRun, share: float, models: set[str]
) -> None:
    run.lose("jpeg_compression", share)
    found = warnings(run)
    assert {warning.rule for warning in found} <= {"mild"}
    assert {cell for warning in found for cell in cells(warning)} == {
        (model, "jpeg_compression", 1) for model in models
    }


def test_a_constant_prediction_is_named_and_not_taken_for_equal_results(run: SyntheticRun) -> None:
    copy_counts(run, lambda row: (NAMES[0], (CLEAN, 0)) if row["corruption"] == "snow" else None)
    run.change_rows(lambda row: predict(row, 1) if row["corruption"] == "snow" else None)
    first, second = warnings(run)
    assert first.rule == second.rule == "constant"
    assert cells(first) == {(NAMES[0], *condition) for condition in SNOW}
    assert CLASSES[1] in str(first)


def test_a_constant_prediction_on_clean_images_is_named_once(run: SyntheticRun) -> None:
    run.change_rows(lambda row: predict(row, 1) if row["corruption"] == CLEAN else None)
    assert {found.rule for found in warnings(run)} == {"constant"}


def test_a_prediction_that_is_nearly_constant_is_named(run: SyntheticRun) -> None:
    def change(row: Row) -> None:
        predict(row, 1)
        if row["image"] == IMAGES[0]:
            row["tp"][0] += 1
            row["fn"][0] -= 1
            row["fp"][1] -= 1

    run.change_rows(lambda row: change(row) if row["corruption"] == "snow" else None)
    assert {found.rule for found in warnings(run)} == {"constant"}


def never(row: Row) -> None:
    """Let a row never predict the third class."""
    row["fp"] = [row["fp"][0] + row["tp"][2] + row["fp"][2], row["fp"][1], 0]
    row["fn"][2] += row["tp"][2]
    row["tp"][2] = 0


def test_a_class_that_is_never_predicted_is_found(run: SyntheticRun) -> None:
    run.change_rows(lambda row: never(row) if row["model"] == NAMES[1] else None)
    (found,) = warnings(run)
    assert found.rule == "never_predicted"
    assert cells(found) == {(NAMES[1], CLEAN, 0)}
    assert CLASSES[2] in str(found)


def test_a_class_that_is_always_predicted_in_wrong_places_is_no_fault(run: SyntheticRun) -> None:
    def change(row: Row) -> None:
        row["fn"][2] += row["tp"][2]
        row["tp"][2] = 0

    run.change_rows(change)
    assert warnings(run) == ()


@pytest.mark.parametrize(("predicted", "rules"), [(NAMES, ["absent_classes"] * 2), ((), [])])
def test_classes_that_are_predicted_and_in_no_target_are_found(
    run: SyntheticRun, predicted: tuple[str, ...], rules: list[str]
) -> None:
    def change(row: Row) -> None:
        row["tp"][2] = row["fn"][2] = 0
        row["fp"][2] = int(row["model"] in predicted and row["image"] == IMAGES[0])

    run.change_rows(change)
    found = warnings(run)
    assert [each.rule for each in found] == rules
    assert all("1 of 3 classes" in str(each) for each in found)


def test_a_class_that_only_a_corruption_hides_is_no_fault(run: SyntheticRun) -> None:
    run.change_rows(lambda row: never(row) if row["corruption"] == "snow" else None)
    assert warnings(run) == ()


def test_a_class_that_hardly_occurs_may_go_unpredicted(run: SyntheticRun) -> None:
    def change(row: Row) -> None:
        never(row)
        if row["image"] == IMAGES[0]:
            row["tp"][0] *= 10_000
        row["fn"][2] = 1

    run.change_rows(change)
    assert warnings(run) == ()


def test_an_unfinished_run_has_no_equal_cells(run: SyntheticRun) -> None:
    for path in run.shards()[3:]:
        path.unlink()
    assert warnings(run) == ()


def bright(scores: list[float], severity: int = 3) -> ScoreTable:
    """Return a table of models with a clean score of 1, and scores under brightness."""
    models = [f"model {m}" for m in range(len(scores))]
    return table_of_scores(
        models, [(CLEAN, 0), ("brightness", severity)], np.array([[1.0, score] for score in scores])
    )


ALIKE = [0.99, 0.98, 0.995, 0.97, 0.985, 0.99, 0.975]


def test_a_model_far_below_the_others_is_found() -> None:
    (found,) = check(bright([*ALIKE, 0.8]))
    assert found.rule == "below_others"
    assert cells(found) == {("model 7", "brightness", 3)}


@pytest.mark.parametrize(
    "table",
    [
        bright([*ALIKE, 0.9]),  # near
        bright([*ALIKE[1:], 0.8]),  # few models
        bright([*ALIKE, 0.8], severity=5),  # strong
        bright([0.99, 0.96, 0.93, 0.9, 0.87, 0.84, 0.81, 0.78]),  # models that differ much
    ],
)
def test_a_model_within_the_spread_of_the_others_is_sound(table: ScoreTable) -> None:
    assert check(table) == ()


def test_two_rounded_scores_that_agree_are_chance_and_more_are_not() -> None:
    conditions = [(CLEAN, 0), *((name, 3) for name in ("fog", "snow", "frost", "contrast", "pixelate"))]
    scores = [0.7, 0.5, 0.5, 0.5, 0.3, 0.2]
    assert check(table_of_scores(["one"], conditions, np.array([scores]))) == ()
    (found,) = check(table_of_scores(["one"], conditions, np.array([[*scores[:4], 0.5, 0.2]])))
    assert (found.rule, len(found.cells)) == ("equal_conditions", 4)
    pair = np.array([scores, [0.6, 0.45, 0.5, 0.5, 0.31, 0.21]])
    assert check(table_of_scores(["one", "two"], conditions, pair)) == ()
    pair[1, 4] = scores[4]
    (found,) = check(table_of_scores(["one", "two"], conditions, pair))
    assert (found.rule, len(found.cells)) == ("equal_models", 6)
    several = check(table_of_scores(["one", "two", "three"], conditions, pair[[0, 1, 1]]))
    assert [{cell.model for cell in each.cells} for each in several] == [{"one", "two"}, {"one", "three"}]


def test_the_rules_find_the_known_faults_of_a_published_table_and_nothing_else() -> None:
    """Three rows of 76 repeat numbers, and six keep too little of their clean score in bright images."""
    with PUBLISHED.open(encoding="utf-8", newline="") as file:
        rows = {name: values for name, *values in csv.reader(file)}
    corruptions = [name for name in rows if name.startswith("mIoU_2d_")]
    conditions = [(CLEAN, 0), *((name.removeprefix("mIoU_2d_"), 3) for name in corruptions)]
    scores = np.array([rows[name] for name in ("mIoU_clean", *corruptions)], np.float64).T / 100
    models = [
        " ".join(names)
        for names in zip(*(rows[name] for name in ("architecture", "backbone", "crop_size")), strict=True)
    ]
    found: dict[tuple[str, str], set[str]] = {}
    for dataset in dict.fromkeys(rows["dataset"]):
        here = np.flatnonzero(np.array(rows["dataset"]) == dataset)
        for warning in check(table_of_scores([models[m] for m in here], conditions, scores[here])):
            for cell in warning.cells:
                found.setdefault((dataset, cell.model), set()).add(warning.rule)
    broken = {
        ("cityscapes", "deeplabv3plus resnet18 512x1024"): {"equal_conditions", "below_others"},
        ("ade20k", "deeplabv3 resnet50 512x512"): {"equal_models", "below_others"},
        ("ade20k", "deeplabv3 resnet101 512x512"): {"equal_models", "below_others"},
    }
    suspicious = {
        **{("cityscapes", f"segformer mit-b{size} 512x1024"): {"below_others"} for size in range(1, 6)},
        ("voc", "upernet internimage-t 512x512"): {"below_others"},
    }
    assert len(models) == 76
    assert found == broken | suspicious
