"""The scores of further tallies follow from their counts as mIoU does from those of whole images."""

import io
import itertools
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from rich.console import Console

import reports
from reports.compare.compare import compare_runs
from reports.formats.documents import Table
from reports.formats.overview import overview
from reports.formats.text import score_with_interval
from reports.run.errors import InputError, InvalidRun, MissingCounts
from reports.scoring.jackknife import interval, left_out
from reports.tables.merge import load_runs
from reports.tables.results import Results, csv_text
from reports.tables.tallies import csv_tables
from robseg.cli import cli
from tests.reports.synthetic import Row, SyntheticRun, row_of, write_shard

TALLIES = ("trimap-2", "boundary-2", "trimap-5", "boundary-5")
SCORES = ["trimap_miou", "boundary_iou"]


def add_boundaries(run: SyntheticRun, empty: int | None = None) -> list[Row]:
    """Write random counts of four tallies in two files each, none of class `empty`, and return the rows."""
    rng = np.random.default_rng(0)
    rows = []
    for name in TALLIES:
        mine = []
        for model, condition, image in itertools.product(
            run.record.models, run.record.conditions, run.record.images
        ):
            counts = rng.integers(0, 50, (3, 3))
            if empty is not None:
                counts[:, empty] = 0
            columns = dict(zip(("tp", "fp", "fn"), counts.tolist(), strict=True))
            mine.append(row_of(model.name, condition, image, columns))
        for part in range(2):
            write_shard(run.folder, f"{part}.parquet", mine[part::2], name)
        rows += [{**row, "tally": name} for row in mine]
    run.rewrite(tallies=("confusion", *TALLIES))
    return rows


def boundaries(results: Results) -> pd.DataFrame:
    return csv_tables(results.tallies)["boundaries"]


def means_of(results: Results) -> pd.DataFrame:
    return csv_tables(results.tallies)["boundaries_means"]


@pytest.mark.parametrize("empty", [None, 1])
def test_scores_are_means_over_the_classes_that_occur_of_summed_counts(
    run: SyntheticRun, empty: int | None
) -> None:
    rows = add_boundaries(run, empty)
    table = boundaries(reports.load(run.folder))
    assert len(table) == 2 * 21 * 2
    assert table["corruption"].tolist()[:3] == ["clean", "clean", "gaussian_noise"]
    frame = pd.DataFrame(rows)
    for row in table.sample(20, random_state=0).itertuples():
        for kind, score in (("trimap", row.trimap_miou), ("boundary", row.boundary_iou)):
            mine = frame[
                (frame.model == row.model)
                & (frame.corruption == row.corruption)
                & (frame.severity == row.severity)
                & (frame.tally == f"{kind}-{row.width}")
            ]
            assert len(mine) == 8
            tp, fp, fn = (np.sum(mine[name].tolist(), axis=0) for name in ("tp", "fp", "fn"))
            kept = [c for c in range(3) if c != empty]
            assert score == pytest.approx(np.mean((tp / np.maximum(tp + fp + fn, 1))[kept]))
    for score in SCORES:
        assert (table[f"{score}_low"] < table[score]).all()
        assert (table[score] < table[f"{score}_high"]).all()


@pytest.mark.parametrize("score", SCORES)
def test_means_are_those_of_conditions(run: SyntheticRun, score: str) -> None:
    add_boundaries(run)
    results = reports.load(run.folder)
    group_of = {condition.corruption: condition.group for condition in run.record.conditions}
    rows = boundaries(results).assign(group=boundaries(results)["corruption"].map(group_of))
    corrupted = rows[rows["corruption"] != "clean"]
    found = means_of(results).set_index(["kind", "model", "name", "width"])[score]
    for kind in ("group", "corruption"):
        expected = corrupted.groupby(["model", kind, "width"])[score].mean()
        np.testing.assert_allclose(found[kind][expected.index], expected)
        assert len(found[kind]) == len(expected)
    clean = rows[rows["corruption"] == "clean"].set_index(["model", "width"])[score]
    mpc = corrupted.groupby(["model", "width"])[score].mean()
    for name, expected in {"clean": clean, "mpc": mpc, "rpc": mpc / clean}.items():
        overall = found["overall"].xs(name, level="name")
        np.testing.assert_allclose(overall, expected[overall.index])


def test_the_interval_of_a_mean_is_that_of_its_replicates(run: SyntheticRun) -> None:
    rows = pd.DataFrame(add_boundaries(run))
    means = means_of(reports.load(run.folder))
    mean = means[(means["name"] == "fog") & (means["width"] == 5)].iloc[0]
    mine = rows[
        (rows["model"] == mean["model"]) & (rows["corruption"] == "fog") & (rows["tally"] == "boundary-5")
    ]
    scores = []
    for _, part in mine.groupby("severity"):
        by_image = part.set_index("image").loc[list(run.record.images)]
        tp, fp, fn = (left_out(np.array(by_image[name].tolist())) for name in ("tp", "fp", "fn"))
        scores.append((tp / (tp + fp + fn)).mean(axis=1))
    assert len(scores) == 5
    low, high = interval(np.mean(scores, axis=0), share=True)
    assert (mean["boundary_iou_low"], mean["boundary_iou_high"]) == pytest.approx((float(low), float(high)))


def test_merged_runs_keep_each_score_with_its_model(run: SyntheticRun, tmp_path: Path) -> None:
    other = run.copy_to(tmp_path / "other")
    for one, models, tally in (
        (run, run.record.models[:1], "boundary-2"),
        (other, run.record.models[1:], "trimap-2"),
    ):
        add_boundaries(one)
        one.rewrite(models=models, tallies=("confusion", tally), examples=())
    merged = load_runs((run.folder, other.folder)).results
    for tables in (boundaries, means_of):
        for one in (run, other):
            alone = tables(reports.load(one.folder))
            mine = tables(merged)
            mine = mine[mine["model"] == alone["model"].iloc[0]].dropna(axis="columns", how="all")
            pd.testing.assert_frame_equal(mine.reset_index(drop=True), alone)
    shown = io.StringIO()
    Console(file=shown, width=120).print(reports.console_summary(merged))
    lines = [line for line in shown.getvalue().splitlines() if ", mean" in line]
    assert [bool(re.search(r"[–] *.\s+\d", line)) for line in lines] == [False, True]


def test_markdown_has_a_table_for_each_score_and_width(run: SyntheticRun) -> None:
    assert not near_tables(reports.load(run.folder))
    add_boundaries(run)
    results = reports.load(run.folder)
    tables = near_tables(results)
    assert list(tables) == [
        f"Near boundaries: {score} at {width} pixels in %"
        for width in (2, 5)
        for score in ("trimap mIoU", "boundary IoU")
    ]
    names = [model.name for model in run.record.models]
    means = means_of(results).set_index(["model", "kind", "name", "width"]).to_dict("index")
    for width in (2, 5):
        table = tables[f"Near boundaries: boundary IoU at {width} pixels in %"]
        assert table.header == ("", *names)
        shown = {row[0]: row[1:] for row in table.rows}
        assert list(shown) == [
            *("clean", "mPC", "rPC", "noise (group)", "weather (group)", "digital (group)"),
            *("gaussian_noise", "fog", "snow", "jpeg_compression"),
        ]
        for label, place in {"mPC": ("overall", "mpc"), "noise (group)": ("group", "noise")}.items():
            rows = [means[(name, *place, width)] for name in names]
            assert shown[label] == tuple(score_with_interval(row, "boundary_iou") for row in rows)


def near_tables(results: Results) -> dict[str, Table]:
    tables = overview(results).tables
    return {table.title: table for table in tables if table.title.startswith("Near boundaries")}


def test_where_no_class_occurs_the_score_is_undefined(run: SyntheticRun) -> None:
    add_boundaries(run)
    for name in TALLIES:
        run.change_rows(lambda row: row.update(tp=[0, 0, 0], fp=[0, 0, 0], fn=[0, 0, 0]), name)
    assert boundaries(reports.load(run.folder)).iloc[:, 5:].isna().all(axis=None)


def test_further_tables_are_written_where_counted_and_whole_images_score_as_before(run: SyntheticRun) -> None:
    before = reports.write_tables(run.folder)
    assert before.tallies == ()
    assert not list(run.folder.glob("bound*.csv"))
    add_boundaries(run)
    after = reports.write_tables(run.folder)
    pd.testing.assert_frame_equal(after.scores, before.scores)
    tables = csv_tables(after.tallies)
    assert list(tables) == ["boundaries", "boundaries_means", "boundaries_classes"]
    for name, table in tables.items():
        assert (run.folder / f"{name}.csv").read_text(encoding="utf-8") == csv_text(table)


def test_missing_counts_of_a_tally_are_named(run: SyntheticRun) -> None:
    add_boundaries(run)
    (run.folder / "counts" / "boundary-5" / "1.parquet").unlink()
    with pytest.raises(MissingCounts, match="boundary-5, but"):
        reports.load(run.folder)
    reports.load(run.folder, partial=True)


def test_the_page_shows_them_clean_and_corrupted(run: SyntheticRun) -> None:
    assert "Near boundaries" not in reports.write_report(run.folder).read_text()
    add_boundaries(run)
    page = reports.write_report(run.folder).read_text()
    section = page[page.index("<h3>Near boundaries</h3>") :].split("</section>")[0]
    rows = re.findall(r"<tr.*?</tr>", section, re.DOTALL)[1:]
    table = boundaries(reports.load(run.folder))
    assert len(rows) == 2 * len(TALLIES)
    for row in rows:
        place, label, width = re.search(r'data-m="(\d+)".*?"text">(.*?) at (\d) pixels, %</td>', row).groups()
        score = {"trimap mIoU": "trimap_miou", "boundary IoU": "boundary_iou"}[label]
        name = run.record.models[int(place)].name
        own = table[(table["model"] == name) & (table["width"] == int(width))]
        clean = own["corruption"] == "clean"
        before, after = own[clean][score].iloc[0], own[~clean][score].mean()
        assert re.search(rf"<td>{100 * before:.1f} \[.*?\]</td><td>{100 * after:.1f} \[.*?\]</td>", row)


def specs(run: SyntheticRun) -> list[str]:
    return [f"{run.folder}:{model.name}" for model in run.record.models]


@pytest.mark.parametrize(("tally", "score"), [("trimap-5", SCORES[0]), ("boundary-5", SCORES[1])])
def test_a_comparison_by_a_tally_has_the_differences_of_its_scores(
    run: SyntheticRun, tally: str, score: str
) -> None:
    add_boundaries(run)
    names = [model.name for model in run.record.models]
    results = reports.load(run.folder)
    (comparison,) = compare_runs(*specs(run), tally=tally)
    found = comparison.table.set_index(["kind", "name"])
    rows = means_of(results)
    means = rows[rows["width"] == 5].set_index(["model", "kind", "name"])[score]
    assert len(means) == 2 * (3 + 3 + 4)
    for place, first in means[names[0]].items():
        second = means[(names[1], *place)]
        assert found.loc[place, ["first", "second"]].tolist() == [first, second]
        assert found.loc[place, "difference"] == pytest.approx(second - first)
    rows = boundaries(results)
    here = (rows["width"] == 5) & (rows["corruption"] == "fog") & (rows["severity"] == 3)
    assert [found[side]["condition", "fog/3"] for side in ("first", "second")] == rows[here][score].tolist()


def test_outlines_that_got_worse_moved_where_they_did_and_nothing_else_has(
    run: SyntheticRun, tmp_path: Path
) -> None:
    add_boundaries(run)
    worse = run.copy_to(tmp_path / "worse")
    worse.lose("fog", 0.5, "boundary-2")
    model = run.record.models[0].name
    moved = []
    for tally in ("confusion", *TALLIES):
        pair = (f"{folder}:{model}" for folder in (run.folder, worse.folder))
        (comparison,) = compare_runs(*pair, tally=tally)
        corruptions = comparison.table[comparison.table["kind"] == "corruption"].set_index("name")
        moved += [(tally, name) for name in corruptions.index[corruptions["moved"]]]
        # Paired: what did not change differs nowhere.
        assert (corruptions.drop(index="fog")[["low", "high"]] == 0).all(axis=None)
    assert moved == [("boundary-2", "fog")]


def test_a_tally_that_a_run_lacks_is_refused_with_what_it_has_and_what_to_do(
    run: SyntheticRun, tmp_path: Path
) -> None:
    bare = run.copy_to(tmp_path / "bare").folder
    add_boundaries(run)
    with pytest.raises(InvalidRun, match=r"boundary-3 in .*trimap-2, boundary-2, .*--tally boundary-3\."):
        compare_runs(run.folder, run.folder, tally="boundary-3")
    with pytest.raises(InvalidRun, match=r"trimap-2 in .*bare, but it has confusion: .*--tally trimap-2\."):
        compare_runs(run.folder, bare, tally="trimap-2")
    for name, message in {
        "edge-2": "Unknown tally 'edge-2'.*known ones are",
        "boundry-2": "did you mean 'boundary'",
        "boundary": "write, for example, boundary-2",
        "boundary-0": "from 1 to 99999 pixels",
        "trimap-2.5": "from 1 to 99999 pixels",
        "confusion-2": "leave out '-2'",
    }.items():
        with pytest.raises(InputError, match=message):
            compare_runs(run.folder, run.folder, tally=name)


@pytest.mark.parametrize("form", ["table", "markdown", "html", "csv", "json"])
def test_every_output_of_a_comparison_names_the_tally_and_its_score(run: SyntheticRun, form: str) -> None:
    add_boundaries(run)
    asked = ["compare", *specs(run), "--format", form]
    whole = CliRunner().invoke(cli, asked)
    near = CliRunner().invoke(cli, [*asked, "--tally", "boundary-2"])
    assert (whole.exit_code, near.exit_code) == (0, 0), near.output
    assert "boundary-2" in near.stdout
    assert "boundary" not in whole.stdout
    if form in ("table", "markdown", "html"):
        score = "boundary IoU at 2 pixels"
        for place in (f"clean {score}", f"Groups: {score} over", f"Classes: {score} on"):
            assert place in near.stdout
        assert "counted as boundary-2" in near.stdout
        assert "mIoU" not in near.stdout
        assert "clean mIoU" in whole.stdout
