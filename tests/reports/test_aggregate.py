"""The golden numbers are means of Kamann & Rother's published table; `None` if none was computed."""

import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray

import reports
from reports.formats.documents import to_markdown
from reports.formats.overview import overview
from reports.formats.ratios import stable_only, unstable_sentence
from reports.run.record import Condition
from reports.scoring.aggregate import (
    ModelCurves,
    by_corruption,
    by_group,
    by_severity,
    degradations,
    mean_degradations,
    mean_performance,
    model_curves,
    published_curves,
    retention,
)
from reports.scoring.jackknife import interval
from reports.scoring.protocols import PROTOCOLS
from reports.scoring.published import published
from tests.reports.synthetic import Row, SyntheticRun

SEGFORMER = PROTOCOLS["segformer"]
BY_CORRUPTION = dataclasses.replace(SEGFORMER, mean_over="corruptions")
RATIO_OF_SUMS = dataclasses.replace(SEGFORMER, ratio="ratio of sums")
MOBILENET = "DeepLabv3+/MobileNet-V2"


def row(name: str) -> ModelCurves:
    return published_curves(published()[name])


def percent(values: NDArray[np.float64]) -> float:
    return 100 * float(values[0])


@pytest.mark.parametrize(
    ("model", "reference", "mcd", "mrcd"),
    [
        ("DeepLabv3+/Xception-71", "ICNet", 77.4, 90.5),
        ("PSPNet", "ICNet", None, 118.1),
        ("GSCNN", "ICNet", 82.0, None),
        ("DeepLabv3+/Xception-71", MOBILENET, 81.7, 84.0),
        ("PSPNet", MOBILENET, None, 112.6),
        ("SegFormer/MiT-B5", MOBILENET, 50.6, 41.2),
        ("FCN8s", MOBILENET, 108.6, 103.0),
    ],
)
def test_mean_degradations_equal_the_published_tables_own(
    model: str, reference: str, mcd: float | None, mrcd: float | None
) -> None:
    found = mean_degradations(row(model), row(reference), SEGFORMER)
    for value, expected in zip(found, (mcd, mrcd), strict=True):
        assert expected is None or percent(value) == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize(
    ("model", "mean", "kept"),
    [("DeepLabv3+/Xception-71", 43.2, 55.0), ("ICNet", 28.0, 42.5), ("SegFormer/MiT-B5", 65.8, 79.9)],
)
def test_the_mean_over_corruptions_equals_the_published_tables_own(
    model: str, mean: float, kept: float
) -> None:
    curves = row(model)
    performance = mean_performance(curves, BY_CORRUPTION)
    assert percent(performance) == pytest.approx(mean, abs=0.1)
    assert percent(retention(performance, curves.clean)) == pytest.approx(kept, abs=0.1)


def test_a_mean_over_conditions_weighs_noise_less_where_it_has_fewer_severities() -> None:
    curves = row("ICNet")
    assert percent(mean_performance(curves, SEGFORMER)) > percent(mean_performance(curves, BY_CORRUPTION)) + 1


def test_every_model_degrades_as_much_as_itself() -> None:
    for name in published():
        pairs = degradations(row(name), row(name))
        assert {float(value[0]) for pair in pairs.values() for value in pair} == {1.0}


def test_against_a_model_that_is_always_wrong_cd_is_one_minus_miou() -> None:
    curves = row("PSPNet")
    wrong = ModelCurves(np.zeros(1), {c: 0 * m for c, m in curves.corrupted.items()}, curves.severities)
    for name, (cd, _) in degradations(curves, wrong).items():
        assert float(cd[0]) == pytest.approx(1 - published()["PSPNet"].corrupted[name])


def test_a_ratio_of_sums_differs_from_a_mean_of_ratios_by_what_the_paper_notes_say() -> None:
    dilated, icnet = row("DilatedNet"), row("ICNet")
    assert percent(mean_degradations(dilated, icnet, SEGFORMER)[1]) == pytest.approx(108.3, abs=0.1)
    assert percent(mean_degradations(dilated, icnet, RATIO_OF_SUMS)[1]) == pytest.approx(101.4, abs=0.1)


@pytest.mark.parametrize(
    ("corrupted", "clean", "kept"), [(56.2, 80.4, 69.9), (12.2, 36.4, 33.5)]
)  # Michaelis et al. 2019: Pascal-C, Cityscapes-C
def test_retention_equals_the_published_rpc(corrupted: float, clean: float, kept: float) -> None:
    assert percent(retention(np.array([corrupted]), np.array([clean]))) == pytest.approx(kept, abs=0.2)


def test_the_published_table_is_complete_and_for_the_protocol_it_names() -> None:
    assert len(published()) == 13
    for entry in published().values():
        assert set(entry.corrupted) == set(PROTOCOLS[entry.protocol].corruptions)
        assert all(0 < miou < entry.clean < 1 for miou in entry.corrupted.values())


GRID = (
    Condition("fog", 2, "weather"),
    Condition("clean", 0, "clean"),
    Condition("snow", 2, "weather"),
    Condition("fog", 4, "weather"),
    Condition("saturate", 4, "digital"),
)


def test_means_by_corruption_group_and_severity_are_those_of_their_conditions() -> None:
    curves = model_curves(np.array([[0.6], [0.9], [0.3], [0.2], [0.8]]), GRID)
    assert by_corruption(curves)["fog"] == pytest.approx([0.4])
    groups = by_group(curves, {c.corruption: c.group for c in GRID})
    assert groups["weather"] == pytest.approx([(0.6 + 0.3 + 0.2) / 3])
    assert groups["digital"] == pytest.approx([0.8])
    severities = by_severity(curves)
    assert list(severities) == [2, 4]
    assert severities[2] == pytest.approx([0.45])
    assert severities[4] == pytest.approx([0.5])


def test_a_condition_without_a_score_leaves_the_means_it_is_in_undefined() -> None:
    curves = model_curves(np.array([[0.6], [0.9], [np.nan], [0.2], [0.8]]), GRID)
    assert np.isnan(mean_performance(curves, SEGFORMER)).all()
    assert np.isnan(by_corruption(curves)["snow"]).all()
    assert by_corruption(curves)["fog"] == pytest.approx([0.4])


def test_a_ratio_to_a_loss_that_may_be_zero_has_no_replicates() -> None:
    clean = np.r_[0.7, np.full(10, 0.7) + np.linspace(-0.01, 0.01, 10)]
    sure = {"fog": np.stack([clean - 0.2, clean - 0.3])}
    noise = np.r_[0.0, np.linspace(-0.01, 0.01, 10)]
    near = {"fog": np.stack([clean - 0.001 + noise, clean + noise])}
    severities = {"fog": (1, 2)}
    mine = ModelCurves(clean, sure, severities)
    for reference, stable in ((sure, True), (near, False)):
        cd, rcd = degradations(mine, ModelCurves(clean, reference, severities))["fog"]
        assert np.isfinite(cd).all(), "D of the reference is far from zero"
        assert np.isfinite(rcd[0])
        assert np.isfinite(rcd[1:]).all() == stable
        assert np.isfinite(interval(rcd).low) == stable
    published = ModelCurves(np.array([0.7]), {"fog": np.array([[0.7], [0.7]])}, severities)
    assert np.isnan(degradations(mine, published)["fog"][1][1:]).all()


def test_an_unstable_ratio_is_undefined_in_reports_and_named(run: SyntheticRun) -> None:
    first, second = (model.name for model in run.record.models)
    clean: dict[tuple[str, str], Row] = {}
    counts = ("tp", "fp", "fn")
    run.change_rows(
        lambda row: (
            clean.update({(row["model"], row["image"]): {name: row[name] for name in counts}})
            if row["corruption"] == "clean"
            else None
        )
    )
    run.change_rows(
        lambda row: (
            row.update(clean[row["model"], row["image"]])
            if row["corruption"] == "fog" and row["model"] == first and row["image"] != run.record.images[0]
            else None
        )
    )
    results = reports.load(run.folder, reference=first)
    shown = stable_only(results).corruptions.set_index(["model", "corruption"])["rcd"]
    kept = results.corruptions.set_index(["model", "corruption"])["rcd"]
    assert np.isnan(shown[second, "fog"])
    assert np.isfinite(kept[second, "fog"])
    assert np.isfinite(shown[second, "snow"])
    assert "rCD under fog" in unstable_sentence(results)
    assert "cannot be told from zero" in to_markdown(overview(results))
    assert unstable_sentence(reports.load(run.folder)) == ""
