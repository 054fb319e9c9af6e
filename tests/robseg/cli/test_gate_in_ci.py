"""The GitHub action and the GitLab job of docs/gate.md, step by step in a repository that is not robseg."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

import robseg
from reports.run.folder import LIST
from robseg.datasets.base import Dataset
from robseg.models.model import Model
from tests.invoke import invoke

ROOT = Path(__file__).parents[3]
ACTION = Path(".github/actions/robseg-gate")
PAGE = (ROOT / "docs" / "gate.md").read_text(encoding="utf-8")
GITHUB, GITLAB = (
    yaml.safe_load(re.search(rf"## {name}\n.*?```yaml\n(.*?)```", PAGE, re.DOTALL).group(1))
    for name in ("GitHub", "GitLab")
)
JOB = GITLAB["robustness"]
BASH = ["bash", "--noprofile", "--norc", "-eo", "pipefail"]  # GitHub's `shell: bash`


class Done(NamedTuple):
    """How an action or a job ended: the exit code of the last step, all that steps printed, the outputs."""

    code: int
    text: str
    outputs: dict[str, str]
    summary: str = ""


def action(workspace: Path, inputs: dict[str, str], repository: Path = ROOT) -> Done:
    """Run the steps of the action as GitHub does, in the folder `workspace`, and stop at the first failure.

    `repository` is the folder in which GitHub has put robseg's repository.
    """
    spec = yaml.safe_load((repository / ACTION / "action.yml").read_text(encoding="utf-8"))
    assert inputs.keys() <= spec["inputs"].keys()
    given = {name: value.get("default", "") for name, value in spec["inputs"].items()} | inputs
    known = {f"inputs.{name}": value for name, value in given.items()}
    known |= {"runner.os": "Linux", "runner.arch": "X64"}
    known |= {f"env.{name}": value for name, value in os.environ.items()}
    temporary = workspace.with_name("temporary")
    temporary.mkdir(exist_ok=True)
    (temporary / "summary").touch()
    text, code, cached = "", 0, None
    for step in spec["runs"]["steps"]:
        if code or not evaluated(step.get("if", "'always'"), known):
            continue
        variables = {name: filled(value, known) for name, value in step.get("env", {}).items()}
        if "uses" in step:
            options = {name: filled(value, known) for name, value in step["with"].items()}
            cached = cached_folder(step["uses"], options)
            continue
        caches = [Path(value) for name, value in variables.items() if name.endswith("_CACHE_DIR")]
        assert cached is None or all(cache.is_relative_to(cached) for cache in caches)
        assert step["shell"] == "bash"
        assert "${{" not in step["run"]  # what is put into a script runs as code
        (temporary / "output").write_text("")
        github = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(repository / ACTION),
            "GITHUB_OUTPUT": str(temporary / "output"),
            "GITHUB_STEP_SUMMARY": str(temporary / "summary"),
            "RUNNER_TEMP": str(temporary),
        }
        done = script(step["run"], workspace, github | variables)
        text, code = text + done.stdout, done.returncode
        for line in (temporary / "output").read_text().splitlines():
            name, _, value = line.partition("=")
            known[f"steps.{step['id']}.outputs.{name}"] = value
    outputs = {name: filled(value["value"], known) for name, value in spec["outputs"].items()}
    return Done(code, text, outputs, (temporary / "summary").read_text())


def cached_folder(uses: str, options: dict[str, str]) -> Path:
    """Return the folder that actions/cache restores; here it stays where it is anyway."""
    assert uses == "actions/cache@v4"
    assert re.fullmatch(r"robseg-Linux-X64-python3\.\d+-[0-9a-f]{16}", options["key"])
    assert options["key"].startswith(options["restore-keys"])
    return Path(options["path"])


def filled(text: str, known: dict[str, str]) -> str:
    """Return a text with the values of its expressions."""
    return re.sub(r"\$\{\{(.*?)\}\}", lambda found: str(evaluated(found[1], known)), text)


def evaluated(expression: str, known: dict[str, str]) -> object:
    """Return the value of an expression of GitHub's: a name, 'a text', or two of these with == != ||."""

    def value(term: str) -> str:
        return term.strip("'") if term.startswith("'") else known.get(term, "")

    first, operator, second = (*re.split(r" (==|!=|\|\|) ", expression.strip()), "||", "''")[:3]
    if operator == "||":
        return value(first) or value(second)
    return (value(first) == value(second)) == (operator == "==")


def script(text: str, folder: Path, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a script in a folder, with this environment's python3 and robseg first on the path."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        [*BASH, "-c", text],
        cwd=folder,
        env={**os.environ, "PATH": path, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def words(text: str) -> list[str]:
    spec = importlib.util.spec_from_file_location("steps", ROOT / ACTION / "steps.py")
    steps: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(steps)
    return steps.words("gate-args", text)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A repository that is not robseg. Its own package `reports` is not robseg's."""
    (tmp_path / "work" / "reports").mkdir(parents=True)
    (tmp_path / "work" / "reports" / "__init__.py").write_text("raise SystemExit('the wrong package')")
    return tmp_path / "work"


@pytest.fixture(scope="module")
def run(model: Model, dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "run"
    robseg.evaluate(model, dataset, "fog", (1,), out=out, examples=False)
    return out


@pytest.mark.parametrize(
    "text",
    [
        "",
        "--max-drop 1.0 --strict",
        "--max-drop 1.0\n--floor mpc=40\n\n  --strict\n",
        "--floor 'class:traffic light=30' --floor \"class:a b\"=2",
        "--floor class:\\'a\\ b=2 --floor ''",
        "--max-drop 1.0 \\\n  --strict \\\n",
        "--max-drop 1.0  # points\n# a line that is no rule\n--floor mpc=40 #",
        "--floor class:a#b=2 '# no comment' \"# neither\" \\# '\\'",
        "--floor '$HOME `date` $(date) *' \"it's\"",
    ],
)
def test_arguments_are_those_that_a_shell_would_make(text: str) -> None:
    printed = subprocess.run(
        [*BASH, "-c", f'args=({text}\n); printf "%s\\0" "${{args[@]}}"'], capture_output=True
    )
    assert words(text) == printed.stdout.decode().split("\0")[:-1] or (text == "" and words(text) == [])


def test_nothing_is_expanded() -> None:
    assert words("$HOME `date` $(id)\n* ; a") == ["$HOME", "`date`", "$(id)", "*", ";", "a"]


def test_the_model_is_evaluated_and_passes(workspace: Path, run: Path, tree: Path, weights: Path) -> None:
    shutil.copytree(tree, workspace / "my data")
    inputs = {
        "python": sys.executable,
        "model": "enet",
        "evaluate-args": f"""
            --dataset folder --data-root "my data"   # a path with a space
            --weights '{weights}' \\
            -c fog -s 1 -j 0
        """,
        "baseline": str(run),
        "gate-args": "--max-drop 1.0\n--no-intervals\n",
    }
    done = action(workspace, inputs)
    assert (done.code, done.outputs) == (0, {"verdict": "pass"}), done.text
    assert {path.name for path in (workspace / "gate").iterdir()} == {
        "gate.json",
        "gate.md",
        "junit.xml",
        LIST,
    }
    assert (workspace / "runs" / "gate" / "report.html").is_file()
    assert done.summary == (workspace / "gate" / "gate.md").read_text()


def test_a_rule_on_the_last_line_holds(workspace: Path, run: Path) -> None:
    done = gated(workspace, run, '--no-intervals\n--floor mpc=0\n--floor "class:car=99.9"\n')
    assert (done.code, done.outputs) == (1, {"verdict": "fail"}), done.text
    assert "::error" in done.text


def gated(workspace: Path, run: Path, rules: str) -> Done:
    """Gate a run against itself by the action."""
    inputs = {"python": sys.executable, "run": str(run), "baseline": str(run), "gate-args": rules}
    return action(workspace, inputs)


@pytest.mark.parametrize(
    "rules",
    [
        "--no-intervals\n--floor 'mpc=0",
        "--no-intervals\n--floor mpc=0\n\\",
        "--no-intervals\nmpc=0",
        "--no-intervals\n--floor",
        "--no-intervals --floor mpc=0\n--lenien",
        "--help",
        "--print-config",
        "--no-intervals\n--out elsewhere",
    ],
)
def test_what_is_left_over_fails(workspace: Path, run: Path, rules: str) -> None:
    (workspace / "gate").mkdir()
    (workspace / "gate" / "gate.json").write_text('{"verdict": "pass"}')  # of an earlier step
    done = gated(workspace, run, rules)
    assert (done.code, done.outputs) == (2, {"verdict": ""}), done.text
    assert re.search("^(::error::Expected|Error: )", done.text, re.MULTILINE)


@pytest.mark.parametrize("name", ["model", "evaluate-args", "run", "baseline", "gate-args", "out", "python"])
def test_no_input_runs_as_code(workspace: Path, run: Path, name: str) -> None:
    inputs = {"python": sys.executable, "run": str(run), "baseline": str(run), "gate-args": "--no-intervals"}
    if name == "evaluate-args":
        inputs["model"] = "enet"
    inputs[name] = "x\"'; touch owned; $(touch owned) `touch owned`"
    action(workspace, inputs)
    assert not list(workspace.rglob("owned"))


def test_a_run_named_like_an_option_is_a_folder(workspace: Path, run: Path) -> None:
    done = action(workspace, {"python": sys.executable, "run": "--help", "baseline": str(run)})
    assert done.code == 2, done.text
    assert "'./--help'" in done.text


def test_an_unfinished_run_is_3(workspace: Path, run: Path) -> None:
    out = shutil.copytree(run, workspace / "runs" / "gate")
    next((out / "counts").glob("*.parquet")).unlink()
    done = action(workspace, {"python": sys.executable, "baseline": str(run)})
    assert (done.code, done.outputs) == (3, {"verdict": ""}), done.text


def test_packages_that_are_no_arguments_fail_before_anything_is_installed(workspace: Path) -> None:
    done = action(workspace, {"packages": "'-r requirements.txt", "baseline": "baseline.zip"})
    assert done.code == 2
    assert "::error::Expected `packages` to be arguments" in done.text
    assert {path.name for path in workspace.with_name("temporary").iterdir()} == {"output", "summary"}


def test_the_page_names_inputs_of_the_action_and_options_of_the_commands() -> None:
    [step] = [step for step in GITHUB["jobs"]["robustness"]["steps"] if ACTION.name in step["uses"]]
    assert f"/{ACTION}@" in step["uses"]
    inputs = yaml.safe_load((ROOT / ACTION / "action.yml").read_text(encoding="utf-8"))["inputs"]
    assert step["with"].keys() <= inputs.keys()
    for command, key in ((("evaluate", "-m", "enet"), "evaluate-args"), (("gate", "run"), "gate-args")):
        arguments = words(step["with"][key])
        assert len(arguments) >= 4
        shown = invoke(*command, *arguments, "--print-config")
        assert shown.exit_code == 0, shown.output


def gitlab(workspace: Path, lines: list[str], **variables: str) -> Done:
    """Run lines of the job's script as GitLab does."""
    project = {"CI_PROJECT_DIR": str(workspace)}
    for name, value in {**JOB["variables"], **variables}.items():
        project[name] = value.replace("$CI_PROJECT_DIR", str(workspace))
    done = script("\n".join(lines), workspace, project)
    return Done(done.returncode, done.stdout, {})


def shortened(lines: list[str]) -> list[str]:
    """Replace what takes minutes."""
    asked = "--protocol segformer --limit 60"
    assert sum(asked in line for line in lines) == 1
    return [line.replace(asked, "-c brightness -s 1 --limit 2 -j 0") for line in lines]


def test_the_gitlab_job_gates(workspace: Path) -> None:
    lines = [line for line in shortened(JOB["script"]) if "pip install " not in line]
    assert len(lines) == len(JOB["script"]) - 2
    *evaluation, gate = lines
    evaluated = gitlab(workspace, evaluation)
    assert evaluated.code == 0, evaluated.text
    assert (
        invoke("baseline", "save", workspace / "runs/gate", "-o", workspace / "baseline.zip").exit_code == 0
    )
    passed = gitlab(workspace, [gate])
    assert passed.code == 0, passed.text
    for path in (*JOB["artifacts"]["paths"], JOB["artifacts"]["reports"]["junit"], *JOB["cache"]["paths"]):
        assert (workspace / path).exists(), path
    assert gitlab(workspace, [gate.replace("class:road=50", "class:road=99.9")]).code == 1


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """robseg's repository, where GitHub puts it."""
    copy = tmp_path / "_actions" / "OWNER" / "robseg" / "v0.1.0"
    for name in ("robseg", "corruptions", "reports", ACTION):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    return copy


@pytest.mark.slow
def test_the_action_installs_robseg_and_gates(
    workspace: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    out = workspace / "main"
    robseg.evaluate("enet", corruptions="fog", severities=(1,), limit=2, out=out, examples=False)
    inputs = {
        "model": "enet",
        "evaluate-args": "-c fog -s 1 --limit 2",
        "baseline": "main",
        "gate-args": "--no-intervals\n--floor class:road=50",
        "packages": "'pyyaml>=6'  # as a model may need it",
        "torch-index": "",  # the CPUs' own cannot be reached from everywhere
    }
    done = action(workspace, inputs, repository)
    assert (done.code, done.outputs) == (0, {"verdict": "pass"}), done.text
    assert "Successfully installed" in done.text
    here = workspace.with_name("temporary") / "robseg-gate"
    code = "import robseg, yaml; print(robseg.__file__)"
    found = subprocess.run(
        [here / "environment/bin/python", "-c", code], capture_output=True, text=True, cwd=here
    )
    assert found.stdout.startswith(str(here)), found.stderr
    assert list((here / "cache" / "kernels").rglob("*.nbi"))


@pytest.mark.slow
def test_the_gitlab_job_installs_robseg_and_gates(
    workspace: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    python = workspace.with_name("image")
    subprocess.run([sys.executable, "-m", "venv", python], check=True)
    image = {"PATH": f"{python / 'bin'}:{os.environ['PATH']}", "ROBSEG": str(repository), "TORCH_INDEX": ""}
    *evaluation, gate = shortened(JOB["script"])
    evaluated = gitlab(workspace, evaluation, **image)
    assert evaluated.code == 0, evaluated.text
    saved = gitlab(workspace, ["robseg baseline save runs/gate -o baseline.zip"], **image)
    assert saved.code == 0, saved.text
    passed = gitlab(workspace, [gate], **image)
    assert passed.code == 0, passed.text
    assert list((workspace / ".cache" / "kernels").rglob("*.nbi"))
