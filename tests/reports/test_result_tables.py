import csv
import dataclasses
import io
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

import reports
from reports.frames import by_corruption
from reports.schema import CLEAN, InvalidRun

SCORES = "model,dataset,corruption,group,severity,images,miou,miou_low,miou_high,pixel_accuracy,mean_accuracy"
CLASSES = "model,dataset,corruption,severity,class,iou"
SUMMARY = (
    "model,dataset,protocol,reference,clean_miou,clean_miou_low,clean_miou_high,mpc,mpc_low,mpc_high,"
    "rpc,rpc_low,rpc_high,mcd,mcd_low,mcd_high,mrcd,mrcd_low,mrcd_high,parameters,gmacs,ms_per_image"
)


def rows_of(path):
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))


def rewrite(run, **changes):
    record = dataclasses.replace(run.record, **changes)
    (run.folder / "run.json").write_text(record.to_json(), encoding="utf-8")


def miou_by_definition(run, model, condition):
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


def test_the_files_have_exactly_the_promised_columns(run):
    reports.write_tables(run.folder)
    for name, header in (("scores", SCORES), ("classes", CLASSES), ("summary", SUMMARY)):
        assert (run.folder / f"{name}.csv").read_text(encoding="utf-8").split("\n")[0] == header


def test_miou_equals_the_definition(run):
    scores = reports.load(run.folder).scores.set_index(["model", "corruption", "severity"])["miou"]
    for model in run.record.models:
        for condition in run.record.conditions:
            expected = miou_by_definition(run, model.name, condition)
            assert scores[model.name, condition.corruption, condition.severity] == pytest.approx(expected)


def test_rows_keep_the_order_of_the_run_with_clean_first(run):
    record = run.record
    rewrite(run, conditions=record.conditions[::-1])
    scores = reports.load(run.folder).scores
    assert list(scores["model"].unique()) == [model.name for model in record.models]
    first = scores[scores["model"] == record.models[0].name]
    assert list(first["corruption"][:2]) == [CLEAN, record.conditions[-1].corruption]


def test_the_summary_is_the_mean_over_corrupted_conditions(run):
    results = reports.load(run.folder)
    for model, row in results.summary.set_index("model").iterrows():
        scores = results.scores[results.scores["model"] == model]
        corrupted = scores[scores["corruption"] != CLEAN]["miou"]
        assert row["clean_miou"] == scores["miou"].iloc[0]
        assert row["mpc"] == pytest.approx(np.mean(corrupted))
        assert row["rpc"] == pytest.approx(np.mean(corrupted) / scores["miou"].iloc[0])


def test_a_mean_over_conditions_without_a_score_is_undefined(run):
    snow = next(k for k, c in enumerate(run.record.conditions) if (c.corruption, c.severity) == ("snow", 3))
    (run.folder / "counts" / f"{snow:03d}.parquet").unlink()
    results = reports.load(run.folder, partial=True)
    means = by_corruption(results.scores)
    assert set(means[means["miou"].isna()]["corruption"]) == {"snow"}
    assert results.summary["mpc"].isna().all()
    assert results.summary["clean_miou"].notna().all()
    reports.write_report(run.folder, partial=True)


def test_degradation_is_given_only_against_a_named_reference(run):
    name = run.record.models[0].name
    assert reports.load(run.folder).summary["mcd"].isna().all()
    summary = reports.load(run.folder, reference=name).summary
    assert summary["mcd"][0] == summary["mrcd"][0] == 1
    assert summary["mcd"][1] > 1
    assert list(summary["reference"]) == [name, name]
    with pytest.raises(InvalidRun, match="but got 'nobody'"):
        reports.load(run.folder, reference="nobody")


def test_a_run_without_corruptions_has_a_clean_score_only(run):
    rewrite(run, conditions=run.record.conditions[:1], examples=())
    summary = reports.write_tables(run.folder).summary
    assert summary["clean_miou"].notna().all()
    assert summary[["mpc", "rpc"]].isna().all(axis=None)
    reports.write_report(run.folder)


def test_the_same_counts_make_the_same_bytes_in_any_division_into_files(run):
    reports.write_tables(run.folder)
    names = ("scores.csv", "classes.csv", "summary.csv")
    before = [(run.folder / name).read_bytes() for name in names]
    counts = run.folder / "counts"
    for number, path in enumerate(sorted(counts.iterdir(), reverse=True)):
        shutil.move(path, counts / f"z{number:03d}.parquet")
    reports.write_tables(run.folder)
    assert before == [(run.folder / name).read_bytes() for name in names]
    assert not list(run.folder.glob(".*"))


def test_files_give_back_the_numbers_exactly(run):
    results = reports.write_tables(run.folder)
    written = [float(row["miou"]) for row in rows_of(run.folder / "scores.csv")]
    assert written == list(results.scores["miou"])


def test_undefined_values_are_empty_in_the_files(run):
    reports.write_tables(run.folder)
    assert {row["mcd"] for row in rows_of(run.folder / "summary.csv")} == {""}


def test_texts_that_would_act_as_formulas_are_made_harmless(run):
    reports.write_tables(run.folder)
    rows = rows_of(run.folder / "classes.csv")
    assert {row["class"] for row in rows} == {"sky", "road & <b>kerb</b>", "'=SUM(A1)"}
    assert {row["model"] for row in rows} == {model.name for model in run.record.models}


def test_the_console_summary_shows_percentages(run):
    results = reports.load(run.folder, reference=run.record.models[0].name)
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(reports.console_summary(results))
    text = console.export_text()
    assert f"{100 * results.summary['mpc'][0]:.1f}" in text
    for label in ("clean", "mPC", "rPC", "mCD", "mrCD", "noise", "weather", "digital", "worst"):
        assert label in text


def test_the_console_summary_of_many_models_has_a_row_for_each(run):
    results = reports.load(run.folder)
    many = [f"model{number}" for number in range(5)]
    results = dataclasses.replace(
        results,
        scores=pd.concat(
            [
                results.scores[results.scores["model"] == run.record.models[0].name].assign(model=name)
                for name in many
            ]
        ),
        summary=pd.concat([results.summary[:1].assign(model=name) for name in many], ignore_index=True),
    )
    assert reports.console_summary(results).row_count == 5


def test_importing_the_schema_does_not_load_plotting():
    heavy = ("matplotlib", "jinja2", "pandas")
    code = f"import sys, reports.schema; sys.exit(any(name in sys.modules for name in {heavy}))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
