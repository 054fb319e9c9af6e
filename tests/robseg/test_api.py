"""What `import robseg` offers, and that it says what the command line says."""

import copy
import dataclasses
import inspect
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import reports
import robseg
from robseg.datasets.base import Dataset
from robseg.evaluation.request import Request
from robseg.evaluation.resolve import conditions
from robseg.models.model import Model
from robseg.options import fields


@pytest.fixture(scope="module")
def runs(model: Model, dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two runs of a model on the same images, the second with other weights."""
    old, new = tmp_path_factory.mktemp("old"), tmp_path_factory.mktemp("new")
    network = copy.deepcopy(model.network)
    torch.manual_seed(0)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    for one, out in ((model, old), (dataclasses.replace(model, network=network, sha256="0" * 64), new)):
        robseg.evaluate(one, dataset, "fog", (1, 3), boundaries=(2,), out=out, examples=False)
    return old, new


@pytest.mark.parametrize("package", [robseg, reports])
def test_every_name_of_a_package_can_be_had(package: object) -> None:
    names = package.__all__  # type: ignore[attr-defined]
    assert len(names) >= 5
    for name in names:
        assert getattr(package, name) is not None
    with pytest.raises(AttributeError):
        package.nothing  # type: ignore[attr-defined]  # noqa: B018


def test_evaluate_takes_what_a_request_is_made_of() -> None:
    asked, made = inspect.signature(robseg.evaluate).parameters, inspect.signature(Request).parameters
    assert {name: (p.kind, p.default) for name, p in asked.items()} == {
        name: (p.kind, p.default) for name, p in made.items()
    }
    text = inspect.getdoc(robseg.evaluate) or ""
    for name, field in fields(Request).items():
        assert f"\n{name}\n    {field.text[:20]}" in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"limit": 0}, "Expected `limit` to be a whole number above 0, but got 0"),
        ({"every": "2"}, "Expected `every` to be a whole number above 0, but got '2'"),
        ({"precision": "fp8"}, "Expected `precision` to be fp32, bf16 or fp16, but got 'fp8'"),
        ({"corruptions": [("fog", 6)]}, "a severity of fog from 1 to 5, but got 6"),
        ({"severities": [6]}, "a severity of .* from 1 to 5, but got 6"),
        ({"tallies": ["trimap"]}, "'trimap'"),
        ({"weights": ["a.pth", "b.pth"]}, "Expected one --weights for each model, but got 2 for 1"),
    ],
)
def test_a_wrong_argument_is_reported(options: dict[str, object], message: str, tmp_path: Path) -> None:
    with pytest.raises(robseg.InputError, match=message):
        robseg.evaluate("enet", out=tmp_path, **options)  # type: ignore[arg-type]


def test_an_unknown_argument_is_reported_with_the_nearest_one() -> None:
    with pytest.raises(TypeError, match="'tally': did you mean 'tallies'"):
        robseg.evaluate("enet", tally="trimap-2")  # type: ignore[call-arg]


def test_results_comparisons_and_gates_are_short_to_look_at(runs: tuple[Path, Path]) -> None:
    first, second = runs
    shown = [repr(robseg.load(first)), repr(robseg.gate(first, second)), *map(repr, robseg.compare(*runs))]
    assert all(0 < len(text) < 2000 for text in shown), shown
    assert shown[0].startswith("Results of ")
    assert shown[1].startswith("Gate of ")
    assert shown[2].startswith("Comparison of ")


def test_results_are_ten_lines_and_a_table_in_notebooks(runs: tuple[Path, Path]) -> None:
    results = robseg.load(runs[0])
    percent = f"{100 * results.summary['clean_miou'].iloc[0]:.1f}"
    many = dataclasses.replace(results, summary=pd.concat([results.summary] * 20))
    for shown in (results, many):
        assert percent in repr(shown)
        assert len(repr(shown).splitlines()) <= 10
        assert f"<td>{percent}</td>" in shown._repr_html_()
        assert shown._repr_html_().count("<tr") == len(shown.summary) + 1
    assert "and 14 more models" in repr(many)
    assert "&lt;b&gt;" in dataclasses.replace(results, run=Path("<b>"))._repr_html_()


@pytest.mark.parametrize("kind", ["curves", "heat_map", "clean_against_corrupted"])
def test_results_are_drawn(runs: tuple[Path, Path], kind: str) -> None:
    results = robseg.load(runs[0])
    file = io.BytesIO()
    results.plot(kind).savefig(file)
    assert file.getvalue().startswith(b"\x89PNG")
    with pytest.raises(robseg.InputError, match="Unknown kind of figure 'curve': did you mean 'curves'"):
        results.plot("curve")


def test_arrays_stand_for_lists_of_options() -> None:
    request = Request("enet", corruptions=np.array(["fog", "snow"]), severities=np.arange(1, 4))  # type: ignore[arg-type]
    assert (request.corruptions, request.severities) == (("fog", "snow"), (1, 2, 3))
    assert Request("enet", severities=torch.tensor(3)).severities == (3,)  # type: ignore[arg-type]


def test_corruptions_may_have_their_own_severity() -> None:
    request = Request("enet", corruptions=[("fog", 3), "snow", ["fog", 5]], severities=1)  # type: ignore[list-item, arg-type]
    assert request.corruptions == ("fog:3", "snow", "fog:5")
    assert [(each.corruption, each.severity) for each in conditions(request)[1:]] == [
        ("fog", 3),
        ("fog", 5),
        ("snow", 1),
    ]
    with pytest.raises(robseg.InputError, match="such as fog:3, but got 'fog:x'"):
        conditions(Request("enet", corruptions="fog:x"))


def test_widths_of_boundaries_stand_for_tallies() -> None:
    request = Request("enet", tallies=("trimap-5", "boundary-2"), boundaries=(2, 3))
    assert request.tally_names == ("trimap-5", "boundary-2", "trimap-2", "trimap-3", "boundary-3")


def test_two_runs_are_compared(runs: tuple[Path, Path]) -> None:
    (comparison,) = robseg.compare(*runs)
    table = comparison.table.set_index(["kind", "name"])
    miou = [robseg.load(run).summary["clean_miou"].iloc[0] for run in runs]
    assert table.loc[("overall", "clean"), "difference"] == pytest.approx(miou[1] - miou[0])
    assert miou[1] != miou[0]
    (back,) = robseg.compare(*reversed(runs))
    np.testing.assert_array_equal(back.table["difference"], -comparison.table["difference"])
    (near,) = robseg.compare(*runs, tally="boundary-2")
    assert near.table["first"].iloc[0] != comparison.table["first"].iloc[0]


def test_intervals_that_cannot_be_computed_are_refused(runs: tuple[Path, Path]) -> None:
    message = r"a confidence level between 0 and 1, but got 95\.0"
    for asked in (
        lambda: robseg.compare(*runs, confidence=95.0),
        lambda: robseg.gate(runs[0], floor={"mpc": 1}, confidence=95.0),
        lambda: robseg.load(runs[0], confidence=95.0),
    ):
        with pytest.raises(robseg.InputError, match=message):
            asked()


def test_a_run_is_compared_with_a_baseline_and_rules(runs: tuple[Path, Path], tmp_path: Path) -> None:
    old, new = runs
    assert robseg.gate(old, old).passed
    gate = robseg.gate(new, old, intervals=False, max_drop=0)
    miou = [robseg.load(run).summary["clean_miou"].iloc[0] for run in runs]
    assert gate.checks[0].value == pytest.approx(miou[0] - miou[1])
    assert not robseg.gate(new, floor={"mpc": 100}, intervals=False).passed
    rules = tmp_path / "gate.toml"
    rules.write_text("intervals = false\n[floor]\nmpc = 100\n")
    assert not robseg.gate(new, rules=rules).passed
    assert robseg.gate(new, rules=rules, floor={"mpc": 0}).passed


def test_what_is_asked_of_a_comparison_and_a_gate_reaches_them(
    model: Model, dataset: Dataset, runs: tuple[Path, Path], tmp_path: Path
) -> None:
    (comparison,) = robseg.compare(*runs, confidence=0.8)
    assert comparison.confidence == 0.8
    with pytest.raises(robseg.InputError, match="'no-such'"):
        robseg.compare(*runs, protocol="no-such")
    robseg.evaluate(model, dataset, "fog", (1, 3), seed=1, out=tmp_path, examples=False)
    with pytest.raises(robseg.InputError, match="seed"):
        robseg.compare(runs[0], tmp_path)
    assert robseg.compare(runs[0], tmp_path, force=True)[0].forced

    score = robseg.gate(runs[1], floor={"mpc": 0}).checks[0].score
    spanned = {"floor": {"mpc": 100 * score}}
    lenient, strict = (robseg.gate(runs[1], strict=strict, **spanned) for strict in (False, True))  # type: ignore[arg-type]
    assert lenient.verdict == strict.verdict == "inconclusive"
    assert (lenient.passed, strict.passed) == (True, False)


def test_an_incomplete_run_is_incomplete(
    model: Model, dataset: Dataset, tmp_path: Path, runs: tuple[Path, Path]
) -> None:
    robseg.evaluate(model, dataset, "fog", (1, 3), out=tmp_path, examples=False)
    next((tmp_path / "counts").iterdir()).unlink()
    with pytest.raises(robseg.IncompleteRun):
        robseg.gate(tmp_path, runs[0])
