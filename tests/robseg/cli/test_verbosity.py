"""`-q` and `-v`, on any command."""

import logging
from pathlib import Path

import pytest

from tests.invoke import invoke as run


@pytest.fixture
def asked(tree: Path, weights: Path, tmp_path: Path) -> list[object]:
    options = ["-m", "enet", "-w", weights, "-d", "folder", "--data-root", tree, "-c", "none", "-j0"]
    return ["evaluate", *options, "-o", tmp_path / "out", "--no-examples"]


def test_progress_goes_to_stderr_unless_it_is_quiet(asked: list[object]) -> None:
    usual = run(*asked)
    assert usual.exit_code == 0, usual.output
    assert "5/5 predictions" in usual.stderr
    quiet = run(*asked, "--seed", "0", "-q", "-o", f"{asked[-2]}2")
    assert quiet.exit_code == 0, quiet.output
    assert quiet.stderr == ""
    assert "report.html" in quiet.stdout


def test_notes_go_to_stderr_unless_it_is_quiet() -> None:
    assert run("list", "models", "nothing*").stderr == "No models match 'nothing*'.\n"
    assert run("list", "models", "nothing*", "-q").stderr == ""


def test_an_error_is_reported_however_quiet_it_is() -> None:
    result = run("list", "model", "-q")
    assert result.exit_code == 2
    assert "did you mean 'models'" in result.stderr


def test_verbose_says_where_an_option_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "list.toml").write_text("pattern = 'enet*'\n")
    monkeypatch.setenv("ROBSEG_LIST_JSON", "1")
    result = run("list", tmp_path / "list.toml", "models", "-v")
    assert result.stderr.splitlines() == [
        "kind = 'models' (command line)",
        "pattern = 'enet*' (run file)",
        "json = True (environment)",
    ]


def test_verbose_shows_where_an_error_comes_from() -> None:
    result = run("list", "model", "-v")
    assert result.exit_code == 2
    assert "Traceback" in result.stderr
    assert "Traceback" not in run("list", "model").stderr


def test_a_command_leaves_the_loggers_as_they_were() -> None:
    logger = logging.getLogger("robseg")
    before = (logger.level, list(logger.handlers))
    run("list", "models", "-q")
    assert (logger.level, list(logger.handlers)) == before
