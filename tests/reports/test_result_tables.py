import csv
import dataclasses
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from rich.console import Console

import reports
from reports.run.errors import InvalidRun
from reports.run.files import LEFTOVERS
from reports.run.record import CLEAN, Condition
from reports.scoring.protocols import PROTOCOLS, conditions
from reports.scoring.published import published
from tests.reports.synthetic import SyntheticRun, write_shard

SCORES = "model,dataset,corruption,group,severity,images,miou,miou_low,miou_high,pixel_accuracy,mean_accuracy"
CLASSES = "model,dataset,corruption,severity,class,iou"
SUMMARY = (
    "model,dataset,protocol,reference,clean_miou,clean_miou_low,clean_miou_high,mpc,mpc_low,mpc_high,"
    "rpc,rpc_low,rpc_high,mcd,mcd_low,mcd_high,mrcd,mrcd_low,mrcd_high,parameters,gmacs,ms_per_image"
)


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))


def miou_by_definition(run: SyntheticRun, model: str, condition: Condition) -> float:
    target, prediction = (
        np.stack(each)
        for each in zip(*(run.pixels[model, condition, image] for image in run.record.images), strict=True)
    )
    prediction = np.where(target == 255, 255, prediction)
    ious = []
    for c in range(len(run.record.dataset["class_names"])):
        union = ((target == c) | (prediction == c)).sum()
        if union:
            ious.append(((target == c) & (prediction == c)).sum() / union)
    return np.mean(ious)


def test_the_files_have_exactly_the_promised_columns(run: SyntheticRun) -> None:
    reports.write_tables(run.folder)
    for name, header in (("scores", SCORES), ("classes", CLASSES), ("summary", SUMMARY)):
        assert (run.folder / f"{name}.csv").read_text(encoding="utf-8").split("\n")[0] == header


def test_miou_equals_the_definition(run: SyntheticRun) -> None:
    scores = reports.load(run.folder).scores.set_index(["model", "corruption", "severity"])["miou"]
    for model in run.record.models:
        for condition in run.record.conditions:
            expected = miou_by_definition(run, model.name, condition)
            assert scores[model.name, condition.corruption, condition.severity] == pytest.approx(expected)


def test_rows_keep_the_order_of_the_run_with_clean_first(run: SyntheticRun) -> None:
    record = run.record
    run.rewrite(conditions=record.conditions[::-1])
    scores = reports.load(run.folder).scores
    assert list(scores["model"].unique()) == [model.name for model in record.models]
    first = scores[scores["model"] == record.models[0].name]
    assert list(first["corruption"][:2]) == [CLEAN, record.conditions[-1].corruption]


def test_the_summary_is_the_mean_over_corrupted_conditions(run: SyntheticRun) -> None:
    results = reports.load(run.folder)
    for model, row in results.summary.set_index("model").iterrows():
        scores = results.scores[results.scores["model"] == model]
        corrupted = scores[scores["corruption"] != CLEAN]["miou"]
        assert row["clean_miou"] == scores["miou"].iloc[0]
        assert row["mpc"] == pytest.approx(np.mean(corrupted))
        assert row["rpc"] == pytest.approx(np.mean(corrupted) / scores["miou"].iloc[0])


def test_a_mean_over_conditions_without_a_score_is_undefined(run: SyntheticRun) -> None:
    snow = next(k for k, c in enumerate(run.record.conditions) if (c.corruption, c.severity) == ("snow", 3))
    (run.folder / "counts" / f"{snow:03d}.parquet").unlink()
    results = reports.load(run.folder, partial=True)
    means = results.corruptions
    assert set(means[means["miou"].isna()]["corruption"]) == {"snow"}
    assert results.summary["mpc"].isna().all()
    assert results.summary["clean_miou"].notna().all()
    reports.write_report(run.folder, partial=True)


def test_degradation_is_given_only_against_a_named_reference(run: SyntheticRun) -> None:
    name = run.record.models[0].name
    assert reports.load(run.folder).summary["mcd"].isna().all()
    summary = reports.load(run.folder, reference=name).summary
    assert summary["mcd"][0] == summary["mrcd"][0] == 1
    assert summary["mcd"][1] > 1
    assert list(summary["reference"]) == [name, name]
    with pytest.raises(InvalidRun, match="but got 'nobody'"):
        reports.load(run.folder, reference="nobody")


def test_a_run_without_corruptions_has_a_clean_score_only(run: SyntheticRun) -> None:
    run.rewrite(conditions=run.record.conditions[:1], examples=())
    summary = reports.write_tables(run.folder).summary
    assert summary["clean_miou"].notna().all()
    assert summary[["mpc", "rpc"]].isna().all(axis=None)
    reports.write_report(run.folder)


def test_the_same_counts_make_the_same_bytes_in_any_division_into_files(run: SyntheticRun) -> None:
    reports.write_tables(run.folder)
    names = ("scores.csv", "classes.csv", "summary.csv")
    before = [(run.folder / name).read_bytes() for name in names]
    counts = run.folder / "counts"
    for number, path in enumerate(sorted(counts.iterdir(), reverse=True)):
        shutil.move(path, counts / f"z{number:03d}.parquet")
    reports.write_tables(run.folder)
    assert before == [(run.folder / name).read_bytes() for name in names]
    assert not list(run.folder.glob(LEFTOVERS))


def test_files_give_back_the_numbers_exactly(run: SyntheticRun) -> None:
    results = reports.write_tables(run.folder)
    written = [float(row["miou"]) for row in rows_of(run.folder / "scores.csv")]
    assert written == list(results.scores["miou"])


def test_undefined_values_are_empty_in_the_files(run: SyntheticRun) -> None:
    reports.write_tables(run.folder)
    assert {row["mcd"] for row in rows_of(run.folder / "summary.csv")} == {""}


def test_texts_that_would_act_as_formulas_are_made_harmless(run: SyntheticRun) -> None:
    reports.write_tables(run.folder)
    rows = rows_of(run.folder / "classes.csv")
    assert {row["class"] for row in rows} == {"sky", "road & <b>kerb</b>", "'=SUM(A1)"}
    assert {row["model"] for row in rows} == {model.name for model in run.record.models}


def test_the_console_summary_shows_percentages(run: SyntheticRun) -> None:
    results = reports.load(run.folder, reference=run.record.models[0].name)
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(reports.console_summary(results))
    text = console.export_text()
    assert f"{100 * results.summary['mpc'][0]:.1f}" in text
    for label in ("clean", "mPC", "rPC", "mCD", "mrCD", "noise", "weather", "digital", "worst"):
        assert label in text


def test_the_console_summary_of_many_models_has_a_row_for_each(run: SyntheticRun) -> None:
    results = reports.load(run.folder)
    many = [f"model{number}" for number in range(5)]
    first = run.record.models[0].name

    def repeated(table: pd.DataFrame) -> pd.DataFrame:
        return pd.concat(
            [table[table["model"] == first].assign(model=name) for name in many], ignore_index=True
        )

    tables: dict[str, Any] = {
        name: repeated(getattr(results, name)) for name in ("scores", "summary", "groups", "corruptions")
    }
    summary: Any = reports.console_summary(dataclasses.replace(results, **tables))
    assert summary.renderables[-1].row_count == 5


def test_importing_the_schema_does_not_load_plotting() -> None:
    heavy = ("matplotlib", "jinja2", "pandas")
    code = f"import sys, reports.run.record; sys.exit(any(name in sys.modules for name in {heavy}))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_every_interval_holds_its_score(run: SyntheticRun) -> None:
    results = reports.load(run.folder, reference=run.record.models[0].name)
    for name in ("scores", "summary", "corruptions", "groups", "severities"):
        table = getattr(results, name)
        for low in [column for column in table.columns if column.endswith("_low")]:
            score = low.removesuffix("_low")
            assert (table[low] <= table[score]).all(), (name, score)
            assert (table[score] <= table[f"{score}_high"]).all(), (name, score)
    widths = results.scores["miou_high"] - results.scores["miou_low"]
    assert (widths > 0).all()


def test_intervals_of_one_image_are_undefined(run: SyntheticRun) -> None:
    run.rewrite(images=run.record.images[:1])
    results = reports.write_tables(run.folder)
    assert results.scores["miou"].notna().all()
    assert results.scores[["miou_low", "miou_high"]].isna().all(axis=None)
    assert results.summary[["mpc_low", "mpc_high"]].isna().all(axis=None)


def test_intervals_follow_the_confidence_that_is_asked_for(run: SyntheticRun) -> None:
    plain = reports.load(run.folder)
    narrow = reports.load(run.folder, confidence=0.5)
    assert narrow.scoring.confidence == 0.5
    assert (narrow.scores["miou_high"] < plain.scores["miou_high"]).mean() > 0.9
    assert list(narrow.scores["miou"]) == list(plain.scores["miou"])


def test_clusters_are_what_is_resampled(run: SyntheticRun) -> None:
    run.rewrite(clusters=("a", "a", "a", "a", "b", "b", "b", "b"))
    scoring = reports.write_tables(run.folder).scoring
    assert (scoring.unit, scoring.units) == ("cluster", 2)
    assert json.loads((run.folder / "scoring.json").read_text())["unit"] == "cluster"


def test_corruptions_groups_and_severities_average_the_scores(run: SyntheticRun) -> None:
    results = reports.load(run.folder, reference=run.record.models[0].name)
    scores = results.scores[results.scores["corruption"] != CLEAN]
    for name in ("corruption", "group", "severity"):
        table = {"corruption": results.corruptions, "group": results.groups, "severity": results.severities}[
            name
        ]
        means = scores.groupby(["model", name])["miou"].mean()
        for _, row in table.iterrows():
            assert row["miou"] == pytest.approx(means[row["model"], row[name]])
    first = results.corruptions[results.corruptions["model"] == run.record.models[0].name]
    assert set(first["cd"]) == {1.0}
    assert list(results.corruptions["degradation"]) == list(1 - results.corruptions["miou"])


def conditions_under(protocol: str, run: SyntheticRun) -> tuple[Condition, ...]:
    """Give the synthetic run the conditions of a protocol, by renaming its own counts."""
    pairs = conditions(PROTOCOLS[protocol])
    return (run.record.conditions[0], *(Condition(name, severity, "group") for name, severity in pairs))


def renamed(run: SyntheticRun, protocol: str, **changes: Any) -> None:
    """Write a run under a protocol whose conditions all have the counts of the synthetic run's fourth one."""
    asked = conditions_under(protocol, run)
    paths = run.shards()
    rows = pq.read_table(paths[4]).to_pylist()
    for path in paths[1:]:
        path.unlink()
    for condition in asked[1:]:
        new = [{**row, "corruption": condition.corruption, "severity": condition.severity} for row in rows]
        write_shard(run.folder, f"{condition.corruption}{condition.severity}.parquet", new)
    run.rewrite(conditions=asked, protocol=protocol, **changes)


def test_a_run_is_scored_under_any_protocol_whose_conditions_it_has(run: SyntheticRun) -> None:
    renamed(run, "full", move_targets=False)
    results = reports.load(run.folder, protocol="mpc")
    assert len(results.scores) == 2 * 76
    assert set(results.summary["protocol"]) == {"mpc"}
    with pytest.raises(InvalidRun, match="--move-targets"):
        reports.load(run.folder, protocol="kamann-rother")
    renamed(run, "level5")
    with pytest.raises(InvalidRun, match="--protocol segformer"):
        reports.load(run.folder, protocol="segformer")
    with pytest.raises(InvalidRun, match="but got 'nothing'"):
        reports.load(run.folder, protocol="nothing")


def test_a_published_row_is_a_reference_for_its_data_and_conditions_alone(run: SyntheticRun) -> None:
    cityscapes = {**run.record.dataset, "name": "cityscapes"}
    renamed(run, "kamann-rother", dataset=cityscapes)
    with pytest.raises(InvalidRun, match="--protocol segformer"):
        reports.load(run.folder, reference="ICNet")
    results = reports.load(run.folder, reference="ICNet", protocol="segformer")
    lost, icnet = 1 - results.corruptions["miou"][0], published()["ICNet"]
    assert results.summary["mcd"][0] == pytest.approx(
        np.mean([lost / (1 - x) for x in icnet.corrupted.values()])
    )
    assert "Kamann & Rother" in results.scoring.source
    run.rewrite(conditions=conditions_under("segformer", run))
    with pytest.raises(InvalidRun, match="other data"):
        reports.load(run.folder, reference="ICNet")


def test_another_runs_model_is_a_reference_where_data_and_conditions_are_the_same(
    run: SyntheticRun, pristine: SyntheticRun
) -> None:
    second = run.record.models[1].name
    other = f"{pristine.folder}:{second}"
    across = reports.load(run.folder, reference=other).summary
    within = reports.load(run.folder, reference=second).summary
    assert list(across["reference"]) == [other, other]
    pd.testing.assert_frame_equal(across.drop(columns="reference"), within.drop(columns="reference"))
    with pytest.raises(InvalidRun, match="2 models"):
        reports.load(run.folder, reference=str(pristine.folder))
    with pytest.raises(InvalidRun, match="but got 'nobody'"):
        reports.load(run.folder, reference=f"{pristine.folder}:nobody")
    run.rewrite(seed=7)
    with pytest.raises(InvalidRun, match=r"seed \(7 and 0\)"):
        reports.load(run.folder, reference=other)
