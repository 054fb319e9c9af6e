"""Merged runs, Markdown, LaTeX, plots, and the command that writes them."""

import dataclasses
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result
from PIL import Image

import reports
from reports.formats.documents import to_markdown
from reports.formats.figures import FIGURES, curves, heat_map, save_figures
from reports.formats.latex import latex_table, latex_text
from reports.formats.overview import comparable_rows, overview
from reports.run.errors import InvalidRun
from reports.run.folder import LIST
from reports.run.record import Condition
from reports.scoring.protocols import PROTOCOLS, conditions
from reports.scoring.published import published
from reports.tables.merge import load_runs
from reports.tables.results import TABLES
from robseg.cli import cli
from tests.reports.synthetic import SyntheticRun

EVIL = "\\input{x}$a_b$ & 50% #1 ~^ <script>|`\n" + "x" * 10_000


def rename(run: SyntheticRun, *names: str) -> None:
    """Give the run's models new names, in its counts too; fewer names leave models out."""
    models = list(zip(run.record.models, names, strict=False))
    new = {model.name: name for model, name in models}
    run.change_rows(lambda row: row.update(model=new.get(row["model"], row["model"])))
    run.rewrite(models=tuple(dataclasses.replace(model, name=name) for model, name in models))


def test_merged_runs_have_the_rows_that_each_has_alone(run: SyntheticRun, pristine: SyntheticRun) -> None:
    rename(run, "c", "d")
    rewritten = reports.load(run.folder).record
    shuffled = dataclasses.replace(
        rewritten, images=rewritten.images[::-1], conditions=rewritten.conditions[::-1], device="cuda"
    )
    (run.folder / "run.json").write_text(shuffled.to_json(), encoding="utf-8")
    merged = load_runs([pristine.folder, run.folder])
    alone = reports.load(pristine.folder)
    assert merged.left_out == ()
    assert [model.name for model in merged.results.record.models][2:] == ["c", "d"]
    assert merged.results.record.device == "cpu, cuda"
    for name in TABLES:
        table, first = getattr(merged.results, name), getattr(alone, name)
        pd.testing.assert_frame_equal(table[: len(first)], first)
        numbers = first.select_dtypes("number")
        pd.testing.assert_frame_equal(
            table[len(first) :][numbers.columns].reset_index(drop=True), numbers.reset_index(drop=True)
        )


def test_a_reference_may_be_a_model_of_any_of_the_runs(run: SyntheticRun, pristine: SyntheticRun) -> None:
    rename(run, "c", "d")
    summary = load_runs([pristine.folder, run.folder], reference="c").results.summary
    assert summary["mcd"][0] == summary["mcd"][2] == 1
    assert set(summary["reference"]) == {"c"}


def test_what_cannot_be_merged_is_left_out_and_said(run: SyntheticRun, pristine: SyntheticRun) -> None:
    merged = load_runs([pristine.folder, run.folder])
    assert len(merged.left_out) == 2
    assert "is in an earlier run" in merged.left_out[0]
    run.rewrite(seed=9)
    merged = load_runs([pristine.folder, run.folder])
    assert len(merged.results.summary) == 2
    assert re.search(r"seed \(0 and 9\)", merged.left_out[0])
    assert "seed (0 and 9)" in to_markdown(overview(merged.results, merged.left_out))


def test_latex_has_a_row_a_model_and_a_column_a_corruption(run: SyntheticRun, pristine: SyntheticRun) -> None:
    results = reports.load(pristine.folder, reference=pristine.record.models[0].name)
    text = latex_table(results)
    rows = text.split(r"\midrule")[1].split(r"\bottomrule")[0].strip().splitlines()
    assert [row.count(" & ") for row in rows] == [1 + 4 + 3] * 2
    clean = f"{100 * results.summary['clean_miou'][0]:.1f}"
    assert f"\\textbf{{{clean}}}" in rows[0]
    assert "textbf" in rows[0].split(" & ")[-2]  # of mCD, the lower is better
    assert "textbf" not in rows[1].split(" & ")[-2]
    assert text.count("{") == text.count("}")


def test_latex_text_has_no_command_but_its_own() -> None:
    text = latex_text(EVIL)
    assert "\n" not in text
    assert len(text) < 500
    bare = re.sub(
        r"\\(textbackslash|textasciitilde|textasciicircum|textless|textgreater|textbar|ldots)\{\}", "", text
    )
    assert not re.search(r"(?<!\\)[&%$#_{}]|[~^<>|]|\\(?![&%$#_{}])", bare)


def test_hostile_names_do_not_break_any_format(run: SyntheticRun, tmp_path: Path) -> None:
    rename(run, EVIL)
    results = reports.load(run.folder)
    assert "<script" not in to_markdown(overview(results))
    assert r"\input{x}" not in latex_table(results)
    for path in save_figures(results, tmp_path, "svg"):
        root = ElementTree.parse(path).getroot()  # noqa: S314
        assert not [element for element in root.iter() if element.tag.endswith("script")]


@pytest.mark.parametrize("form", ["png", "svg"])
def test_figures_are_written_and_the_same_scores_make_the_same_bytes(
    pristine: SyntheticRun, tmp_path: Path, form: str
) -> None:
    results = reports.load(pristine.folder)
    paths = save_figures(results, tmp_path, form)
    assert [path.name for path in paths] == [f"{name}.{form}" for name in FIGURES]
    before = [path.read_bytes() for path in paths]
    assert before == [path.read_bytes() for path in save_figures(results, tmp_path, form)]
    if form == "png":
        for path in paths:
            with Image.open(path) as image:
                assert np.asarray(image.convert("L")).std() > 5


def test_of_very_many_models_figures_show_the_most_robust_and_say_so(pristine: SyntheticRun) -> None:
    results = reports.load(pristine.folder)
    first = results.record.models[0].name
    many = {}
    for name in TABLES:
        table = getattr(results, name)
        one = table[table["model"] == first]
        many[name] = pd.concat([one.assign(model=f"m{n}") for n in range(60)], ignore_index=True)
    many["summary"]["mpc"] = np.arange(60) / 100
    results = dataclasses.replace(results, **many)
    figure = curves(results)
    assert figure.get_suptitle() == "The 12 of 60 models with the highest mPC"
    assert [line.get_label() for line in figure.axes[0].lines] == [f"m{n}" for n in range(48, 60)]
    assert len(heat_map(results).axes[0].get_xticks()) == 24


def test_curves_of_unlike_severities_share_the_ticks_of_all(pristine: SyntheticRun) -> None:
    results = reports.load(pristine.folder)
    names = list(dict.fromkeys(results.scores["corruption"]))
    is_last = results.scores["corruption"] == names[-1]
    mild = results.scores[~is_last | (results.scores["severity"] < 2)]
    ticks = curves(dataclasses.replace(results, scores=mild)).axes[0].get_xticks()
    assert list(ticks) == list(range(int(mild["severity"].max()) + 1))


@pytest.mark.parametrize(
    "changes",
    [
        {"images": ("0001",)},
        {"conditions": (Condition("clean", 0, "clean"),)},
        {"conditions": (Condition("fog", 2, "weather"),)},
    ],
    ids=["one image", "clean only", "without clean"],
)
def test_the_smallest_runs_have_every_format(
    run: SyntheticRun, tmp_path: Path, changes: dict[str, object]
) -> None:
    run.rewrite(examples=(), **changes)
    result = invoke(run.folder, "--out", tmp_path / "out", "--format", "html,csv,markdown,latex,png,svg")
    assert result.exit_code == 0, result.output
    written = {path.name for path in (tmp_path / "out").iterdir()} - {LIST}
    assert len(written) == 1 + 7 + 1 + 1 + 2 * len(FIGURES)


def test_published_rows_stand_beside_runs_on_their_data_and_conditions_alone(run: SyntheticRun) -> None:
    assert comparable_rows(reports.load(run.folder)) == []
    asked = (
        run.record.conditions[0],
        *(Condition(*pair, "g") for pair in conditions(PROTOCOLS["segformer"])),
    )
    dataset = {**run.record.dataset, "name": "cityscapes"}
    record = dataclasses.replace(run.record, conditions=asked, dataset=dataset)
    results = dataclasses.replace(reports.load(run.folder), record=record)
    assert comparable_rows(results) == list(published().values())
    assert "PSPNet" in to_markdown(overview(results))
    other = dataclasses.replace(record, dataset={**dataset, "split": "train"})
    assert comparable_rows(dataclasses.replace(results, record=other)) == []


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["report", *map(str, arguments)])


def test_the_command_merges_runs_and_says_what_it_leaves_out(
    run: SyntheticRun, pristine: SyntheticRun, tmp_path: Path
) -> None:
    rename(run, "c", '<script>alert("1")</script>\n\'&amp;')
    result = invoke(pristine.folder, run.folder, "--out", tmp_path / "both", "--format", "csv,html")
    assert result.exit_code == 0, result.output
    assert "Left out" in result.stderr
    assert len(pd.read_csv(tmp_path / "both" / "summary.csv")) == 3
    assert (tmp_path / "both" / "report.html").is_file()


def test_the_command_scores_under_the_protocol_and_reference_that_are_asked_for(run: SyntheticRun) -> None:
    first = run.record.models[0].name
    result = invoke(run.folder, "--reference", first)
    assert result.exit_code == 0, result.output
    assert pd.read_csv(run.folder / "summary.csv")["mcd"][0] == 1
    assert first in (run.folder / "report.html").read_text()
    for arguments in (["--protocol", "mpc"], ["--reference", "nobody"], ["--format", "pdf"]):
        assert invoke(run.folder, *arguments).exit_code == 2


def test_a_broken_run_among_several_is_refused(run: SyntheticRun, pristine: SyntheticRun) -> None:
    (run.folder / "run.json").write_text("{")
    with pytest.raises(InvalidRun, match="damaged"):
        load_runs([pristine.folder, run.folder])


def test_latex_prints_bold_what_the_best_interval_overlaps_with(pristine: SyntheticRun) -> None:
    results = reports.load(pristine.folder)

    def bold(ends: list[tuple[float, float]]) -> list[bool]:
        summary = results.summary.assign(
            mpc=[0.5, 0.4], mpc_low=[low for low, _ in ends], mpc_high=[high for _, high in ends]
        )
        text = latex_table(dataclasses.replace(results, summary=summary))
        rows = text.split(r"\midrule")[1].split(r"\bottomrule")[0].strip().splitlines()
        return ["textbf" in row.split(" & ")[-1] for row in rows]

    assert bold([(0.45, 0.55), (0.35, 0.46)]) == [True, True]
    assert bold([(0.45, 0.55), (0.35, 0.44)]) == [True, False]
    assert bold([(float("nan"),) * 2] * 2) == [True, False]
