"""All files of reports in a folder show the same scores; what shows others is deleted, and a note says so."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

import reports
import robseg
from robseg.cli import cli
from robseg.cli.commands.report import FORMATS
from robseg.datasets.base import Dataset
from robseg.models.model import Model

TABLES = {f"{name}.csv" for name in ("scores", "classes", "summary", "corruptions", "groups", "severities")}
FIGURES = ("curves", "heat_map", "clean_against_corrupted")
FILES = {
    "html": {"report.html"},
    "csv": TABLES,
    "markdown": {"report.md"},
    "latex": {"report.tex"},
    "png": {f"{name}.png" for name in FIGURES},
    "svg": {f"{name}.svg" for name in FIGURES},
}
RUN = {"run.json", "counts", "scoring.json"}


@pytest.fixture(scope="module")
def evaluated(model: Model, dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with the files of every format."""
    out = tmp_path_factory.mktemp("runs") / "all"
    robseg.evaluate(model, dataset, "fog", (1,), out=out, examples=False)
    assert names(out) == RUN | FILES["html"] | FILES["csv"]
    report(out, "--format", ",".join(FORMATS))
    return out


@pytest.fixture
def run(evaluated: Path, tmp_path: Path) -> Path:
    return shutil.copytree(evaluated, tmp_path / "run")


def report(*words: object) -> Result:
    done = CliRunner().invoke(cli, ["report", *map(str, words)])
    assert done.exit_code == 0, done.output
    return done


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")}


def test_every_format_is_here() -> None:
    assert FILES.keys() == FORMATS.keys()


def test_the_same_scores_leave_all_files(run: Path) -> None:
    before = {path: path.read_bytes() for path in run.iterdir() if path.is_file()}
    done = report(run, "--format", "csv")
    assert before == {path: path.read_bytes() for path in run.iterdir() if path.is_file()}
    assert "Deleted" not in done.stderr
    assert set(json.loads((run / "scoring.json").read_text())["files"]) == names(run) - RUN


@pytest.mark.parametrize("form", FORMATS)
def test_other_scores_leave_only_their_own_files(run: Path, form: str) -> None:
    done = report(run, "--format", form, "--confidence", 0.9)
    assert names(run) == RUN | FILES[form]
    gone = sorted(set().union(*FILES.values()) - FILES[form])
    assert f"Deleted in {run}: {', '.join(gone)}. They showed other scores" in done.stderr
    assert set(json.loads((run / "scoring.json").read_text())["files"]) == FILES[form]


def test_a_run_that_goes_on_deletes_what_it_does_not_write_again(
    run: Path, model: Model, dataset: Dataset, caplog: pytest.LogCaptureFixture
) -> None:
    page = (run / "report.html").read_bytes()
    with caplog.at_level("INFO", "reports"):
        robseg.evaluate(model, dataset, "fog", (1, 2), out=run, examples=False)
    assert names(run) == RUN | FILES["html"] | FILES["csv"]
    assert (run / "report.html").read_bytes() != page
    [note] = [record.getMessage() for record in caplog.records if record.name == "reports"]
    assert "report.md" in note
    assert "report.html" not in note


def test_what_no_report_wrote_stays(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    report(run, "--format", "html", "--confidence", 0.9, "--out", out)
    (out / "report.md").write_text("my own")
    report(run, "--format", "html", "--confidence", 0.8, "--out", out)
    result = CliRunner().invoke(cli, ["report", str(run), "--format", "html,markdown", "--out", str(out)])
    assert (result.exit_code, "move it away" in result.stderr) == (2, True), result.output
    assert (out / "report.md").read_text() == "my own"
    assert names(out) == {"report.html", "report.md", "scoring.json"}


@pytest.mark.parametrize("command", ["evaluate", "train", "report", "corrupt", "predict", "gate"])
def test_a_folder_of_the_users_stays_as_it_is(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    project = tmp_path / "project"
    for name in ("examples/thesis.py", "src/.config.tmp", "boundaries.csv", "report.html", "photo.png"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_bytes(b"mine")
    Image.new("RGB", (8, 8)).save(project / "photo.png")
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    monkeypatch.chdir(project)
    words = {
        "evaluate": ["-m", "enet", "-c", "none", "--limit", "1", "-j", "0"],
        "train": ["enet-streets"],
        "report": [str(run)],
        "corrupt": ["photo.png", "-c", "fog"],
        "predict": ["photo.png", "-m", "enet"],
        "gate": [str(run), "--floor", "clean=0"],
    }[command]
    result = CliRunner().invoke(cli, [command, *words, "--out", "."])
    assert (result.exit_code, "choose another --out" in result.stderr) == (2, True), result.output
    assert before == {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}


def test_the_functions_keep_the_rule_too(run: Path) -> None:
    reference = json.loads((run / "run.json").read_text())["models"][0]["name"]
    reports.write_report(run, reference=reference)
    assert names(run) == RUN | FILES["html"]
    reports.write_tables(run)
    assert names(run) == RUN | FILES["csv"]
