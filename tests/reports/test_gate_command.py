"""The command `robseg gate`: its exit codes, files and annotations."""

import json
from pathlib import Path

import pytest

from reports.run.folder import LIST
from tests.invoke import invoke
from tests.reports.synthetic import SyntheticRun


def test_the_command_exits_with_the_codes_of_the_design(
    run: SyntheticRun, pristine: SyntheticRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    baseline = tmp_path / "b.zip"
    assert invoke("baseline", "save", pristine.folder, "-o", baseline).exit_code == 0
    result = invoke("gate", run.folder, "-b", baseline, "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"gate.json", "junit.xml", "gate.md", LIST}
    run.lose("fog", 0.9)
    assert invoke("gate", run.folder, "-b", baseline).exit_code == 1
    assert json.loads((run.folder / "gate.json").read_text())["verdict"] == "fail"
    assert invoke("gate", run.folder, "-b", tmp_path / "nothing").exit_code == 2
    assert invoke("gate", run.folder, "-b", baseline, "--max-drop", "x").exit_code == 2
    assert invoke("power", run.folder).exit_code == 0
    next((run.folder / "counts").iterdir()).unlink()
    assert invoke("gate", run.folder, "-b", baseline).exit_code == 3


def test_on_github_the_command_annotates_and_appends_to_the_summary(
    run: SyntheticRun, pristine: SyntheticRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    (tmp_path / "summary.md").write_text("before\n")
    run.lose("fog", 0.9)
    result = invoke("gate", run.folder, "-b", pristine.folder, "--max-drop", "fog=1")
    assert "::error title=robseg gate corruption%3Afog::corruption:fog of enet@streets: drop" in result.output
    text = (tmp_path / "summary.md").read_text()
    assert text.startswith("before\n")
    assert "robseg gate: fail" in text
