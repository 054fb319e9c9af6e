import dataclasses
import io
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result
from rich.console import Console

import reports
from reports.compare.compare import Comparison, compare_runs, holm
from reports.compare.document import comparison_csv, comparison_document, comparison_json
from reports.formats.documents import one_line, to_console, to_html, to_markdown
from reports.run.errors import InvalidRun
from robseg.cli import cli
from tests.reports.page import Page
from tests.reports.synthetic import SyntheticRun


def by_name(comparison: Comparison) -> pd.DataFrame:
    return comparison.table.set_index(["kind", "name"])


@pytest.fixture
def names(pristine: SyntheticRun) -> list[str]:
    return [model.name for model in pristine.record.models]


def test_a_run_does_not_differ_from_itself(pristine: SyntheticRun, names: list[str]) -> None:
    comparisons = compare_runs(pristine.folder, pristine.folder)
    assert [c.first.endswith(name) for c, name in zip(comparisons, names, strict=True)] == [True, True]
    for comparison in comparisons:
        assert (comparison.table[["difference", "low", "high"]] == 0).all(axis=None)
        assert (comparison.table["p_holm"] == 1).all()
        assert not comparison.table["moved"].any()


def test_with_one_image_there_is_no_finding(run: SyntheticRun, names: list[str]) -> None:
    run.rewrite(images=run.record.images[:1])
    first, second = (f"{run.folder}:{name}" for name in names)
    lines = comparison_document(compare_runs(first, second)[0]).lines
    assert "There are too few images for an interval: it takes 6." in lines
    assert any(
        "With 1 image, p is at least 1: no difference can be significant at 0.05." in line for line in lines
    )
    assert not any("beyond chance" in line for line in lines)


def test_the_order_of_images_and_conditions_does_not_matter(
    run: SyntheticRun, pristine: SyntheticRun
) -> None:
    run.rewrite(images=run.record.images[::-1], conditions=run.record.conditions[::-1])
    for pair in ((pristine.folder, run.folder), (run.folder, pristine.folder)):
        for comparison in compare_runs(*pair):
            assert (comparison.table[["difference", "low", "high"]].abs() < 1e-12).all(axis=None)


def test_differences_are_those_of_the_scores(pristine: SyntheticRun, names: list[str]) -> None:
    first, second = (f"{pristine.folder}:{name}" for name in names)
    rows = by_name(compare_runs(first, second)[0])
    results = reports.load(pristine.folder)
    summary = results.summary.set_index("model")
    expected = summary["mpc"][names[1]] - summary["mpc"][names[0]]
    assert rows.loc[("overall", "mpc"), "difference"] == pytest.approx(expected)
    scores = results.scores.set_index(["model", "corruption", "severity"])["miou"]
    assert rows.loc[("condition", "fog/3"), "second"] == scores[names[1], "fog", 3]
    assert rows.loc[("overall", "mpc"), "moved"]  # by construction the second errs by a tenth more
    assert rows["high"]["overall", "mpc"] < 0


def test_the_one_corruption_that_was_made_worse_is_the_one_that_moved(
    run: SyntheticRun, pristine: SyntheticRun, names: list[str]
) -> None:
    run.lose("fog", 1 / 3)
    first, second = f"{pristine.folder}:{names[0]}", f"{run.folder}:{names[0]}"
    comparison = compare_runs(first, second)[0]
    rows = comparison.table
    moved = rows[rows["moved"]]
    assert set(moved[moved["kind"] == "corruption"]["name"]) == {"fog"}
    assert set(moved[moved["kind"] == "group"]["name"]) == {"weather"}
    assert (moved["difference"] < 0).all()
    text = to_markdown(comparison_document(comparison))
    assert re.search(r"Corruptions that moved: fog -\d+\.\d\d\.", text)


def test_paired_intervals_are_narrower_than_those_of_the_models_apart(
    run: SyntheticRun, pristine: SyntheticRun, names: list[str]
) -> None:
    run.lose("fog", 1 / 3)
    pair = compare_runs(f"{pristine.folder}:{names[0]}", f"{run.folder}:{names[0]}")[0]
    row = by_name(pair).to_dict("index")["corruption", "fog"]
    apart = reports.load(pristine.folder).corruptions.set_index(["model", "corruption"])
    width = apart["miou_high"] - apart["miou_low"]
    assert row["high"] - row["low"] < width[names[0], "fog"]


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"seed": 3}, "seed"),
        ({"set_versions": {"imagenet-c": "2"}}, "corruption set"),
        ({"protocol": "mpc"}, "protocol"),
        ({"precision": "bf16"}, "precision"),
        ({"move_targets": False}, "targets"),
        ({"images": ("0001", "0002", "0003", "0004", "0005")}, "images"),
    ],
)
def test_runs_that_differ_are_refused_unless_forced_and_then_every_output_says_so(
    run: SyntheticRun, pristine: SyntheticRun, changes: dict[str, object], what: str
) -> None:
    run.rewrite(**changes)
    with pytest.raises(InvalidRun, match=what):
        compare_runs(pristine.folder, run.folder)
    comparisons = compare_runs(pristine.folder, run.folder, force=True)
    document = comparison_document(comparisons[0])
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(to_console(document))
    for text in (
        to_markdown(document), to_html(document), console.export_text(), comparison_csv(comparisons),
        comparison_json(comparisons),
    ):  # fmt: skip
        assert what in text
    if what != "images":
        assert (comparisons[0].table["difference"] == 0).all()


def test_other_data_is_refused(run: SyntheticRun, pristine: SyntheticRun) -> None:
    run.rewrite(dataset={**run.record.dataset, "fingerprint": "beef"})
    with pytest.raises(InvalidRun, match="fingerprint"):
        compare_runs(pristine.folder, run.folder)
    run.rewrite(images=("elsewhere",))
    with pytest.raises(InvalidRun, match="share no image"):
        compare_runs(pristine.folder, run.folder, force=True)
    run.rewrite(dataset={**run.record.dataset, "class_names": ["a", "b", "c"]})
    with pytest.raises(InvalidRun, match="same classes"):
        compare_runs(pristine.folder, run.folder, force=True)


def test_models_are_matched_by_name_or_are_the_only_ones(
    run: SyntheticRun, pristine: SyntheticRun, names: list[str]
) -> None:
    run.rewrite(models=run.record.models[:1])
    comparisons = compare_runs(pristine.folder, run.folder)
    assert len(comparisons) == 1
    assert comparisons[0].left_out == (names[1],)
    assert "only one run has them: " in to_markdown(comparison_document(comparisons[0]))
    other = dataclasses.replace(run.record.models[0], name="another")
    run.rewrite(models=(other,))
    with pytest.raises(InvalidRun, match="RUN:MODEL"):
        compare_runs(pristine.folder, run.folder)
    with pytest.raises(InvalidRun, match="no run"):
        compare_runs(pristine.folder, run.folder / "nowhere")


def test_holm_equals_its_definition() -> None:
    p = [0.02, 0.01, float("nan"), 0.9, 0.04]
    np.testing.assert_allclose(holm(p), [0.06, 0.04, np.nan, 0.9, 0.08])
    assert np.isnan(holm([float("nan")])).all()


def test_hostile_names_stay_text(run: SyntheticRun, pristine: SyntheticRun) -> None:
    evil = '"><script>alert(1)</script>|`x`\n# title\n@everyone ' + "x" * 10_000
    models = (dataclasses.replace(run.record.models[0], name=evil),)
    run.change_rows(lambda row: row.update(model=evil if row["model"] == "enet@streets" else "left out"))
    run.rewrite(models=models, dataset={**run.record.dataset, "class_names": ["<b>", "|a\n|b|", "=1+1"]})
    comparison = compare_runs(run.folder, run.folder)[0]
    document = comparison_document(comparison)
    page = Page(to_html(document))
    assert not {"script", "b"} & set(page.tags)
    markdown = to_markdown(document)
    assert "<" not in markdown.replace("&lt;", "")
    assert "\n# title" not in markdown
    assert "@everyone" not in markdown
    tables = [line for line in markdown.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in tables} == {8}
    assert len(markdown) < 20_000
    assert json.loads(comparison_json([comparison]))[0]["table"][0]["kind"] == "overall"
    assert len(pd.read_csv(io.StringIO(comparison_csv([comparison])))) == len(comparison.table)


def test_a_text_becomes_one_line_of_bounded_length() -> None:
    assert one_line("a\r\nb\x00\u2028c") == "a  b  c"
    assert len(one_line("x" * 500)) == 120


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["compare", *map(str, arguments)])


def test_the_command_prints_and_writes_what_is_asked_for(
    run: SyntheticRun, pristine: SyntheticRun, tmp_path: Path
) -> None:
    assert "mPC" in invoke(pristine.folder, run.folder).output
    for form, start in {"markdown": "## ", "html": "<!doctype", "csv": "kind,", "json": "["}.items():
        out = tmp_path / "new" / f"it.{form}"
        result = invoke(pristine.folder, run.folder, "--format", form, "--out", out)
        assert result.exit_code == 0, result.output
        assert out.read_text().startswith(start)
    assert json.loads(invoke(pristine.folder, run.folder, "--format", "json").stdout)


def test_corruptions_that_a_model_was_trained_with_are_reported(
    run: SyntheticRun, pristine: SyntheticRun
) -> None:
    seen = {"seen_corruptions": ["fog", "zoom_blur"]}
    run.rewrite(models=tuple(dataclasses.replace(model, card=seen) for model in run.record.models))
    comparison = compare_runs(pristine.folder, run.folder)[0]
    assert comparison.seen == ((), ("fog",))
    assert "B was trained with fog, so its scores" in to_markdown(comparison_document(comparison))
    assert json.loads(comparison_json([comparison]))[0]["seen"] == [[], ["fog"]]


def test_the_command_refuses_what_differs_and_an_incomplete_run(
    run: SyntheticRun, pristine: SyntheticRun
) -> None:
    shutil.rmtree(run.folder / "counts")
    result = invoke(pristine.folder, run.folder)
    assert (result.exit_code, "missing" in result.output) == (3, True)
    run.rewrite(seed=5)
    result = invoke(pristine.folder, run.folder)
    assert (result.exit_code, "--force" in result.output) == (2, True)
