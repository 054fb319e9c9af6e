"""Scores near boundaries follow from counts of their regions as mIoU does from those of whole images."""

import dataclasses
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import reports
from reports.compare.compare import compare_runs
from reports.formats.console import percent_interval
from reports.formats.overview import overview
from reports.run.record import BOUNDARY_COUNTS, InvalidRun, MissingCounts, RunRecord
from reports.scoring.resampling import Bootstrap, units_of
from reports.tables.results import csv_text
from robseg.cli import cli

SMALL = Bootstrap(resamples=50)
REGIONS = ("trimap-2", "boundary-2", "trimap-5", "boundary-5")
SCORES = ["trimap_miou", "boundary_iou"]


def add_boundaries(folder: Path, record: RunRecord, empty: int | None = None) -> list[dict[str, object]]:
    """Write random counts of four regions, over two files; class `empty` occurs nowhere. Return the rows."""
    rng = np.random.default_rng(0)
    rows = []
    for model in record.models:
        for condition in record.conditions:
            for image in record.images:
                for region in REGIONS:
                    counts = rng.integers(0, 50, (3, 3))
                    if empty is not None:
                        counts[:, empty] = 0
                    rows.append(
                        {
                            "model": model.name,
                            "corruption": condition.corruption,
                            "severity": condition.severity,
                            "image": image,
                            "region": region,
                            **dict(zip(("tp", "fp", "fn"), counts.tolist(), strict=True)),
                        }
                    )
    (folder / "boundaries").mkdir()
    for part in range(2):
        table = pa.Table.from_pylist(rows[part::2], schema=BOUNDARY_COUNTS)
        pq.write_table(table, folder / "boundaries" / f"{part}.parquet")
    record = dataclasses.replace(record, boundaries=(2, 5))
    (folder / "run.json").write_text(record.to_json(), encoding="utf-8")
    return rows


@pytest.mark.parametrize("empty", [None, 1])
def test_scores_are_means_over_the_classes_that_occur_of_summed_counts(run, empty):
    rows = add_boundaries(run.folder, run.record, empty)
    table = reports.load(run.folder, bootstrap=SMALL).boundaries
    assert len(table) == 2 * 21 * 2
    assert table["corruption"].tolist()[:3] == ["clean", "clean", "gaussian_noise"]
    frame = pd.DataFrame(rows)
    for row in table.sample(20, random_state=0).itertuples():
        for kind, score in (("trimap", row.trimap_miou), ("boundary", row.boundary_iou)):
            mine = frame[
                (frame.model == row.model)
                & (frame.corruption == row.corruption)
                & (frame.severity == row.severity)
                & (frame.region == f"{kind}-{row.width}")
            ]
            assert len(mine) == 6
            tp, fp, fn = (np.sum(mine[name].tolist(), axis=0) for name in ("tp", "fp", "fn"))
            kept = [c for c in range(3) if c != empty]
            assert score == pytest.approx(np.mean((tp / np.maximum(tp + fp + fn, 1))[kept]))
    for score in SCORES:
        assert (table[f"{score}_low"] < table[score]).all()
        assert (table[score] < table[f"{score}_high"]).all()


@pytest.mark.parametrize("score", SCORES)
def test_means_are_those_of_conditions(run, score):
    add_boundaries(run.folder, run.record)
    results = reports.load(run.folder, bootstrap=SMALL)
    group_of = {condition.corruption: condition.group for condition in run.record.conditions}
    rows = results.boundaries.assign(group=results.boundaries["corruption"].map(group_of))
    corrupted = rows[rows["corruption"] != "clean"]
    found = results.boundary_means.set_index(["kind", "model", "name", "width"])[score]
    for kind in ("group", "corruption"):
        expected = corrupted.groupby(["model", kind, "width"])[score].mean()
        np.testing.assert_allclose(found[kind][expected.index], expected)
        assert len(found[kind]) == len(expected)
    clean = rows[rows["corruption"] == "clean"].set_index(["model", "width"])[score]
    mpc = corrupted.groupby(["model", "width"])[score].mean()
    for name, expected in {"clean": clean, "mpc": mpc, "rpc": mpc / clean}.items():
        overall = found["overall"].xs(name, level="name")
        np.testing.assert_allclose(overall, expected[overall.index])


def test_the_interval_of_a_mean_is_that_of_its_replicates(run):
    rows = pd.DataFrame(add_boundaries(run.folder, run.record))
    means = reports.load(run.folder, bootstrap=SMALL).boundary_means
    mean = means[(means["name"] == "fog") & (means["width"] == 5)].iloc[0]
    weights = units_of(run.record.images, (), SMALL.resamples).weights
    mine = rows[
        (rows["model"] == mean["model"]) & (rows["corruption"] == "fog") & (rows["region"] == "boundary-5")
    ]
    scores = []
    for _, part in mine.groupby("severity"):
        tp, fp, fn = (weights @ np.array(part[name].tolist()) for name in ("tp", "fp", "fn"))
        scores.append((tp / (tp + fp + fn)).mean(axis=1))
    assert len(scores) == 5
    low, high = np.quantile(np.mean(scores, axis=0), [0.025, 0.975])
    assert (mean["boundary_iou_low"], mean["boundary_iou_high"]) == pytest.approx((low, high))


def test_markdown_has_a_table_for_each_score_and_width(run):
    assert not near_tables(reports.load(run.folder, bootstrap=SMALL))
    add_boundaries(run.folder, run.record)
    results = reports.load(run.folder, bootstrap=SMALL)
    tables = near_tables(results)
    assert list(tables) == [
        f"Near boundaries: {score} at {width} pixels in %"
        for width in (2, 5)
        for score in ("trimap mIoU", "boundary IoU")
    ]
    names = [model.name for model in run.record.models]
    means = results.boundary_means.set_index(["model", "kind", "name", "width"])
    for width in (2, 5):
        table = tables[f"Near boundaries: boundary IoU at {width} pixels in %"]
        assert table.header == ("", *names)
        shown = {row[0]: row[1:] for row in table.rows}
        assert list(shown) == [
            *("clean", "mPC", "rPC", "noise (group)", "weather (group)", "digital (group)"),
            *("gaussian_noise", "fog", "snow", "jpeg_compression"),
        ]
        for label, place in {"mPC": ("overall", "mpc"), "noise (group)": ("group", "noise")}.items():
            rows = [means.loc[(name, *place, width)] for name in names]
            assert shown[label] == tuple(percent_interval(row, "boundary_iou") for row in rows)


def near_tables(results):
    tables = overview(results).tables
    return {table.title: table for table in tables if table.title.startswith("Near boundaries")}


def test_where_no_class_occurs_the_score_is_undefined(run):
    add_boundaries(run.folder, run.record)
    for path in (run.folder / "boundaries").iterdir():
        rows = pq.read_table(path).to_pylist()
        zero = {name: [0, 0, 0] for name in ("tp", "fp", "fn")}
        pq.write_table(pa.Table.from_pylist([row | zero for row in rows], schema=BOUNDARY_COUNTS), path)
    assert reports.load(run.folder, bootstrap=SMALL).boundaries.iloc[:, 5:].isna().all(axis=None)


def test_boundaries_are_written_where_counted_and_whole_images_score_as_before(run):
    before = reports.write_tables(run.folder, bootstrap=SMALL)
    assert before.boundaries.empty
    assert before.boundary_means.empty
    assert not list(run.folder.glob("bound*.csv"))
    add_boundaries(run.folder, run.record)
    after = reports.write_tables(run.folder, bootstrap=SMALL)
    pd.testing.assert_frame_equal(after.scores, before.scores)
    for name in ("boundaries", "boundary_means"):
        assert (run.folder / f"{name}.csv").read_text(encoding="utf-8") == csv_text(getattr(after, name))
    (run.folder / "run.json").write_text(run.record.to_json(), encoding="utf-8")
    reports.write_tables(run.folder, bootstrap=SMALL)
    assert not list(run.folder.glob("bound*.csv"))


def test_missing_counts_near_boundaries_are_told(run):
    add_boundaries(run.folder, run.record)
    (run.folder / "boundaries" / "1.parquet").unlink()
    with pytest.raises(MissingCounts, match="boundaries, but"):
        reports.load(run.folder, bootstrap=SMALL)
    table = reports.load(run.folder, bootstrap=SMALL, partial=True).boundaries
    assert table["trimap_miou"].notna().all()
    assert table["boundary_iou"].isna().all()  # every second row was of this kind


def test_a_record_from_before_boundaries_is_read(run):
    raw = json.loads((run.folder / "run.json").read_text(encoding="utf-8"))
    del raw["boundaries"]
    (run.folder / "run.json").write_text(json.dumps(raw), encoding="utf-8")
    assert RunRecord.load(run.folder).boundaries == ()


def test_the_page_shows_them_clean_and_corrupted(run):
    assert 'id="near"' not in reports.write_report(run.folder).read_text()
    add_boundaries(run.folder, run.record)
    page = reports.write_report(run.folder).read_text()
    rows = re.findall(r"<tr.*?</tr>", page[page.index('id="near"') :].split("</section>")[0], re.DOTALL)[1:]
    table = reports.load(run.folder).boundaries
    assert len(rows) == 2 * 2
    for row in rows:
        place, width = re.search(r'data-m="(\d+)".*?</th><td>(\d)</td>', row).groups()
        name = run.record.models[int(place)].name
        own = table[(table["model"] == name) & (table["width"] == int(width))]
        clean = own["corruption"] == "clean"
        for kind in SCORES:
            before, after = own[clean][kind].iloc[0], own[~clean][kind].mean()
            assert re.search(
                rf"<td>{100 * before:.1f} \[.*?\]</td><td>{100 * after:.1f} \[.*?\]</td>", row
            ), kind


def specs(run):
    return [f"{run.folder}:{model.name}" for model in run.record.models]


@pytest.mark.parametrize(("region", "score"), [("trimap-5", SCORES[0]), ("boundary-5", SCORES[1])])
def test_a_comparison_of_a_region_has_the_differences_of_its_scores(run, region, score):
    add_boundaries(run.folder, run.record)
    names = [model.name for model in run.record.models]
    results = reports.load(run.folder, bootstrap=SMALL)
    (comparison,) = compare_runs(*specs(run), bootstrap=SMALL, region=region)
    found = comparison.table.set_index(["kind", "name"])
    rows = results.boundary_means
    means = rows[rows["width"] == 5].set_index(["model", "kind", "name"])[score]
    assert len(means) == 2 * (3 + 3 + 4)
    for place, first in means[names[0]].items():
        second = means[(names[1], *place)]
        assert found.loc[place, ["first", "second"]].tolist() == [first, second]
        assert found.loc[place, "difference"] == pytest.approx(second - first)
    rows = results.boundaries
    here = (rows["width"] == 5) & (rows["corruption"] == "fog") & (rows["severity"] == 3)
    assert found.loc[("condition", "fog/3"), ["first", "second"]].tolist() == rows[here][score].tolist()


def test_outlines_that_got_worse_moved_where_they_did_and_nothing_else_has(run, tmp_path):
    add_boundaries(run.folder, run.record)
    worse = shutil.copytree(run.folder, tmp_path / "worse")
    for path in (worse / "boundaries").iterdir():
        rows = pq.read_table(path).to_pylist()
        for row in rows:
            if (row["corruption"], row["region"]) == ("fog", "boundary-2"):
                row["tp"] = [hits // 2 for hits in row["tp"]]
        pq.write_table(pa.Table.from_pylist(rows, schema=BOUNDARY_COUNTS), path)
    model = run.record.models[0].name
    moved = []
    for region in ("", *REGIONS):
        pair = (f"{folder}:{model}" for folder in (run.folder, worse))
        (comparison,) = compare_runs(*pair, bootstrap=Bootstrap(400), region=region)
        corruptions = comparison.table[comparison.table["kind"] == "corruption"].set_index("name")
        moved += [(region, name) for name in corruptions.index[corruptions["moved"]]]
        # Paired: what did not change differs on no resample.
        assert (corruptions.drop(index="fog")[["low", "high"]] == 0).all(axis=None)
    assert moved == [("boundary-2", "fog")]


def test_a_region_that_a_run_lacks_is_refused_with_what_it_has_and_what_to_do(run, tmp_path):
    bare = shutil.copytree(run.folder, tmp_path / "bare")
    add_boundaries(run.folder, run.record)
    with pytest.raises(InvalidRun, match=r"boundary-3 in .*trimap-2, boundary-2, .*--boundaries 2,3,5\."):
        compare_runs(run.folder, run.folder, bootstrap=SMALL, region="boundary-3")
    with pytest.raises(InvalidRun, match=r"trimap-2 in .*bare, .*whole images only: .*--boundaries 2\."):
        compare_runs(run.folder, bare, bootstrap=SMALL, region="trimap-2")
    for region in ("boundary", "edge-2", "boundary-0", "trimap-2.5"):
        with pytest.raises(InvalidRun, match="Expected a region as trimap-W or boundary-W"):
            compare_runs(run.folder, run.folder, bootstrap=SMALL, region=region)


@pytest.mark.parametrize("form", ["table", "markdown", "html", "csv", "json"])
def test_every_output_of_a_comparison_names_the_region_and_its_score(run, form):
    add_boundaries(run.folder, run.record)
    asked = ["compare", *specs(run), "--resamples", "100", "--format", form]
    whole = CliRunner().invoke(cli, asked)
    near = CliRunner().invoke(cli, [*asked, "--tally", "boundary-2"])
    assert (whole.exit_code, near.exit_code) == (0, 0), near.output
    assert "boundary-2" in near.stdout
    assert "boundary" not in whole.stdout
    if form in ("table", "markdown", "html"):
        score = "boundary IoU at 2 pixels"
        for place in (f"clean {score}", f"Groups: {score} over", f"Classes: {score} on", "in place of mIoU"):
            assert place in near.stdout
        assert near.stdout.count("mIoU") == 1  # which is: in place of mIoU
        assert "clean mIoU" in whole.stdout
