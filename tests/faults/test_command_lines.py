"""Bad command lines end with 2 or 3 and one or two lines; good ones end well wherever their output goes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from tests.faults.processes import HOME, run
from tests.faults.results import Files, Problem, contents, refusal, summary

MODEL = "-m enet -w first.safetensors --model-card card.json"
EVALUATE = f"evaluate {MODEL} -d folder --data-root data -c brightness -s 3 -j 0 -o new --quiet"
TRAIN = "train -m enet -d folder --data-root data --epochs 1 --train-split all --val-split all -o new -q"
PREDICT = f"predict data/images {MODEL} -o new"

# What is wrong for each kind of option.
NAMES = ("nope", "", "\x1b[31mred", "two\nlines", "::error::x", "../..", "lone \udcff", "x" * 5000)
COUNTS = ("-1", "1.5", "x", "", "nan", "1e3")
SEEDS = ("-1", "18446744073709551616", "x")
NUMBERS = ("nan", "inf", "-1", "x", "")
SEVERITIES = ("0", "x", "1-99999999999", "3-1", "")
DEVICES = ("meta", "hpu", "cuda:77", "gpu", "", "cuda:-1")
FILES = ("missing", "data", "empty", "noise", "/dev/null", "lone \udcff", "")
FOLDERS = ("missing", "notes.md", "other", "")  # `other` is a run, not data
OUTPUTS = ("notes.md", "notes.md/below", "x" * 300, "data", "")
OUTPUT_FILES = ("data", "notes.md/below", "x" * 300, "")
RUNS = ("missing", "notes.md", "data", "broken", "unfinished", "empty", "run:nope", "")

# A good command line, and bad values for some of its options, one at a time.
OPTIONS: dict[str, dict[str, tuple[str, ...]]] = {
    EVALUATE: {
        "--model": NAMES,
        "--dataset": NAMES,
        "--corruptions": NAMES[:1] + NAMES[2:],  # none is a valid choice
        "--protocol": NAMES,
        "--tally": NAMES[:1] + NAMES[2:],
        "--executor": NAMES,
        "--severities": SEVERITIES,
        "--limit": ("0", *COUNTS),
        "--batch-size": ("0", *COUNTS),
        "--num-workers": COUNTS,
        "--boundaries": ("0", *COUNTS[:-1]),
        "--seed": SEEDS,
        "--device": DEVICES,
        "--weights": FILES,
        "--model-card": FILES,
        "--data-root": FOLDERS,
        "--out": OUTPUTS,
    },
    TRAIN: {
        "--model": NAMES,
        "--train-split": NAMES,
        "--option": NAMES,
        "--start": NAMES,
        "--minutes": ("nan", "-1", "x", "", "0"),
        "--learning-rate": NUMBERS,
        "--epochs": ("0", *COUNTS),
        "--threads": ("0", *COUNTS),
        "--seed": SEEDS,
        "--device": DEVICES,
        "--out": OUTPUTS,
        "--cache": ("notes.md", "notes.md/below", "x" * 300),
    },
    PREDICT: {
        "--model": NAMES,
        "--weights": FILES,
        "--model-card": FILES,
        "--severity": SEVERITIES,
        "--opacity": (*NUMBERS, "2"),
        "--out": OUTPUTS[:3],
    },
    "corrupt data/images -o new": {
        "--corruptions": NAMES,
        "--severities": SEVERITIES,
        "--seed": SEEDS,
        "--out": OUTPUTS[:3],
    },
    "report run -o new": {
        "--protocol": NAMES,
        "--reference": NAMES,
        "--format": NAMES,
        "--confidence": NUMBERS,
        "--out": OUTPUTS[:3],
    },
    "gate run -b other -o new": {
        "--baseline": RUNS,
        "--rules": ("missing", "data", "noise", "lone \udcff", ""),
        "--max-drop": (*NAMES, "nan", "fog=inf", "=1"),
        "--floor": (*NAMES, "mpc=nan", "mpc=101"),
        "--confidence": NUMBERS,
        "--out": OUTPUTS[:3],
    },
    "compare run other": {"--tally": NAMES, "--protocol": NAMES, "--format": NAMES, "--out": OUTPUT_FILES},
    "ranks run other": {"--resamples": ("0", "10000000000000", *COUNTS), "--out": OUTPUT_FILES},
    "power run": {"--drop": NUMBERS, "--confidence": NUMBERS},
    "corruptions verify": {"--image": FILES, "--copies": COUNTS, "--severities": SEVERITIES},
    "baseline save run": {"--out": OUTPUT_FILES},
}

# Commands with an argument to try bad values for.
ARGUMENTS: dict[str, tuple[str, ...]] = {
    "report {}": RUNS,
    "gate {} -b other": RUNS,
    "compare {} other": RUNS,
    "ranks run {}": RUNS,
    "power {}": RUNS,
    "baseline save {}": RUNS,
    "weights inspect {}": FILES,
    "weights fetch {}": NAMES,
    "list {}": NAMES,
    "corrupt {} -o new": ("missing", "empty", "noise", "/dev/null", "lone \udcff", ""),
    "evaluate {}": ("bad.toml", "nested.toml", "missing.toml", "latin.toml", "odd.toml"),
    "train {}": (*NAMES, "bad.toml", "nested.toml", "odd.toml"),
    "gate run --rules {}": ("bad.toml", "nested.toml", "odd.toml", "latin.toml"),
    "evaluate -m {}": (
        "first.safetensors",
        "noise.pth",
        "py:sys:exit",
        "py:nope:nope",
        "onnx:noise",
        "ts:noise",
        "hf:",
    ),
    "{}": (*NAMES, "evaluate", "report", "gate", "--nope", "-m"),
}


def bad_lines() -> list[list[str]]:
    """Return every bad command line as words."""
    lines = [
        [*good.split(), option, value]
        for good, options in OPTIONS.items()
        for option, values in options.items()
        for value in values
    ]
    lines += [
        [value if word == "{}" else word for word in line.split()]
        for line, values in ARGUMENTS.items()
        for value in values
    ]
    return lines


@pytest.fixture
def place(world: Path, tmp_path: Path) -> Path:
    """The world, with some files that are no good."""
    place = shutil.copytree(world, tmp_path / "world")
    (place / "empty").touch()
    for name in ("noise", "noise.pth"):
        (place / name).write_bytes(bytes(range(256)) * 4)
    (place / "bad.toml").write_text("model = = 1")
    (place / "odd.toml").write_text('model = 1\ndataset = []\nseed = "x"\nfloor = 3\nnope = nan\n')
    (place / "nested.toml").write_text(f"model = {'[' * 10000}{']' * 10000}")
    (place / "latin.toml").write_bytes('model = "b\xe4r"'.encode("latin-1"))
    shutil.copytree(place / "run", place / "broken")
    (place / "broken" / "run.json").write_text('{"schema_version": 2, "models": 3}')
    shutil.copytree(place / "run", place / "unfinished")
    next((place / "unfinished" / "counts").glob("*.parquet")).unlink()
    return place


@pytest.mark.parametrize("every", [25, pytest.param(1, marks=pytest.mark.slow)])
def test_a_bad_command_line_is_refused_in_one_or_two_lines(every: int, place: Path) -> None:
    lines = bad_lines()[::every]
    before = contents(place)
    problems: dict[str, list[Problem]] = {}
    for words in lines:
        ended = run(words, place)
        if found := [*refusal(ended), *_changes(place, before)]:
            problems[" ".join(words)[:200].encode("ascii", "backslashreplace").decode()] = found
    said = summary("Bad command lines", len(lines), problems)
    click.echo(said)
    assert not problems, said


def _changes(place: Path, before: Files) -> Iterator[Problem]:
    """Yield files that a refused command changed, and put them right."""
    now = contents(place)
    for name in now.keys() | before.keys():
        if name in before and now.get(name) != before[name]:
            yield Problem("a file changed or lost", name)
            (place / name).write_bytes(before[name])
        elif name not in before:
            (place / name).unlink()


ROBSEG = f"{Path(sys.executable).name} -m robseg"  # short, as it is in the names of the tests
GATE = f"{ROBSEG} gate run -b other --max-drop 100 --max-rise off"
OUTPUTS_TRIED = {
    f"{GATE} | head -0": {0},
    f"{GATE} >&-": {0},
    f"{GATE} >/dev/full": {0, 2, 3},
    f"{GATE} 2>&-": {0},
    f"{GATE} >&- 2>&-": {0},
    f"{GATE} >/dev/full 2>&1": {0, 2, 3},
    f"{ROBSEG} gate run --floor mpc=100 >&-": {1},
    f"{ROBSEG} compare run other | head -0": {0},
    f"{ROBSEG} compare run other >/dev/full": {0, 2, 3},
    f"{ROBSEG} list models | head -1": {0},
    f"{ROBSEG} nope 2>/dev/full": {2},
    f"{ROBSEG} --help >/dev/full": {0, 2, 3},
}
ENCODED = {
    f"{line}, {encoding}": (line, encoding, code)
    for line, code in ((GATE, 0), (f"{ROBSEG} compare run other", 0), (f"{ROBSEG} nöpe", 2))
    for encoding in ("ascii", "cp1252", "latin-1")
}


def quick_first(cases: Iterable[str], number: int) -> list[Any]:
    """Return the cases; all but the first few are slow, because Python has to start for each."""
    return [pytest.param(case, marks=pytest.mark.slow if n >= number else ()) for n, case in enumerate(cases)]


def shell(line: str, place: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a line of the shell, whose exit code is that of robseg."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        ["/bin/bash", "-c", f"set -o pipefail; {line}"],
        cwd=place,
        env={
            **os.environ,
            **environment,
            "ROBSEG_HOME": str(place / HOME),
            "PATH": path,
            "TMPDIR": str(place.parent),
        },
        capture_output=True,
        text=True,
        errors="replace",
        timeout=120,
    )


@pytest.mark.parametrize("line", quick_first(OUTPUTS_TRIED, 3))
def test_output_that_nobody_takes_changes_no_exit_code(line: str, place: Path) -> None:
    done = shell(line, place)
    assert done.returncode in OUTPUTS_TRIED[line], done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) <= 2


@pytest.mark.parametrize("case", quick_first(ENCODED, 2))
def test_an_encoding_changes_no_exit_code(case: str, place: Path) -> None:
    line, encoding, code = ENCODED[case]
    done = shell(line, place, PYTHONIOENCODING=encoding)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
