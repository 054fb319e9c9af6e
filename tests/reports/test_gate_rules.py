"""The rules of a gate, and its verdict in the forms that other programs read."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from reports.gate.checks import Check
from reports.gate.document import (
    gate_document,
    gate_json,
    github_annotations,
    junit_xml,
    sentence,
    step_summary,
)
from reports.gate.gate import Gate
from reports.gate.power import images_needed
from reports.gate.rules import Rules, limits, read_rules
from reports.run.errors import InvalidRun
from reports.run.tally import Measure
from reports.scoring.model_scores import ScoreKey
from reports.tallies import find

EVIL = '"><script>|::error::\n]]>&%0A\x00\ufffe@all ' + "x" * 10_000


def test_nothing_compared_is_never_green() -> None:
    gate = Gate("run", "", "fail", False, False, (), ())
    case = ElementTree.fromstring(junit_xml(gate).encode())[0][0]  # noqa: S314
    assert case[0].tag == "failure"
    assert github_annotations(gate)[0].startswith("::error")


def test_a_more_specific_target_wins() -> None:
    miou = find("confusion").headline
    known = {
        ScoreKey("overall", "mpc"): miou,
        ScoreKey("group", "noise"): miou,
        ScoreKey("corruption", "fog"): miou,
        ScoreKey("corruption", "fog", "trimap-2/"): miou,
    }
    found = limits({"fog": 3.0, "default": 1.0, "corruptions": 2.0}, known, "max_drop")
    assert list(found.values()) == [(1.0, False), (1.0, False), (3.0, True)]
    near = limits({"trimap-2/fog": 4.0, "fog": 3.0}, known, "max_drop")
    assert sorted((str(key), limit.value) for key, limit in near.items()) == [
        ("corruption:fog", 3.0),
        ("trimap-2/corruption:fog", 4.0),
    ]
    with pytest.raises(InvalidRun, match="did you mean 'noise'"):
        limits({"noize": 1.0}, known, "max_drop")
    with pytest.raises(InvalidRun, match="target"):
        limits({"default": 40.0}, known, "floor")


def test_a_measure_without_a_better_direction_is_not_gated() -> None:
    neither = Measure("share", "share", lambda columns: columns["tp"] / 1, better="neither")
    with pytest.raises(InvalidRun, match="neither more nor less"):
        limits({"mpc": 1.0}, {ScoreKey("overall", "mpc"): neither}, "max_drop")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("max_dorp = 1", "max_dorp"),
        ("strict = 1", "true or false"),
        ("max_drop = 'a'", "such numbers by target"),
        ("[floor]\nmpc = -1", "number of at least 0"),
        ("max_drop =", "TOML"),
        ("[max_drop]\nfog = nan", "number of at least 0"),
    ],
)
def test_what_is_not_a_rule_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "gate.toml").write_text(text)
    with pytest.raises(InvalidRun, match=message):
        read_rules(tmp_path / "gate.toml")


def test_rules_are_read_from_toml(tmp_path: Path) -> None:
    (tmp_path / "gate.toml").write_text('strict = true\nmax_drop = 2\n[floor]\n"class:a b" = 3.5\n')
    assert read_rules(tmp_path / "gate.toml") == Rules(
        max_drop={"default": 2.0}, floor={"class:a b": 3.5}, strict=True
    )


def test_images_needed_grow_with_the_square_of_precision() -> None:
    assert images_needed(0.01, 100, 0.01, 0.95, 0.8) == 785
    assert images_needed(0.01, 100, 0.005, 0.95, 0.8) == pytest.approx(4 * 785, abs=3)


def many_checks(number: int) -> list[Check]:
    return [
        Check(
            model=EVIL,
            rule="max_drop",
            target=f"class:{place}{EVIL}",
            limit=0.01,
            baseline=0.5,
            score=0.4,
            value=0.1,
            low=0.05,
            verdict="fail",
            reason="why\n",
        )
        for place in range(number)
    ]


def test_a_sentence_shows_by_how_much_a_limit_is_exceeded() -> None:
    check = Check(
        model="m",
        rule="max_drop",
        target="mpc",
        limit=0.01,
        value=0.0104,
        low=0.0102,
        high=0.0107,
        verdict="fail",
    )
    assert sentence(check) == "mpc of m: drop 1.04 (1.02 to 1.07), allowed at most 1.00"


def test_outputs_stay_small_whole_and_escaped_with_hostile_names() -> None:
    gate = Gate(EVIL, EVIL, "fail", False, True, (EVIL,), tuple(many_checks(3000)))
    summary = step_summary(gate)
    assert len(summary.encode()) < 2**20
    assert "<script" not in summary
    assert "@all" not in summary
    suite = ElementTree.fromstring(junit_xml(gate).encode())[0]  # noqa: S314
    assert (suite.get("tests"), suite.get("failures"), len(suite)) == ("3000", "3000", 3000)
    lines = github_annotations(gate)
    assert len(lines) == 10
    assert all(
        "\n" not in line and line.count("::error") >= 1 and line.startswith("::error ") for line in lines
    )
    assert json.loads(gate_json(gate))["checks"][0]["high"] is None
    assert gate_document(gate).tables


def test_the_rules_that_the_page_shows_are_rules(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "gate.md").read_text(encoding="utf-8")
    (tmp_path / "gate.toml").write_text(page.split("```toml\n")[1].split("```")[0])
    rules = read_rules(tmp_path / "gate.toml")
    assert (rules.max_drop["default"], rules.floor["class:person"]) == (1.0, 25.0)
