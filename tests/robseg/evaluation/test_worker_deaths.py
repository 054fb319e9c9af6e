"""A run whose workers die, hang or are interrupted at any moment ends soon, with its exit code and a line."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import pytest

from tests.robseg.evaluation.files import counts

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="worker processes are found in /proc"),
]

MOMENTS = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0, 1.5)  # seconds after a worker appears
PATIENCE = 60  # seconds after which a run counts as hanging

HANGING = """
import multiprocessing, time

def model(images):
    while multiprocessing.parent_process():
        time.sleep(1)
    return images

def make():
    return model
"""


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """Let what the tests start be interrupted, also where they run in the background of a shell."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def workers(parent: int) -> list[int]:
    """Return the worker processes of a run."""
    with contextlib.suppress(OSError):  # it has just ended
        children = [
            int(child)
            for task in Path(f"/proc/{parent}/task").iterdir()
            for child in (task / "children").read_text().split()
        ]
        return [child for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]
    return []


@contextlib.contextmanager
def running(words: Sequence[str | Path], stdin: IO[str] | None = None) -> Iterator[subprocess.Popen[str]]:
    """Start Python in a process group of its own, and leave nothing of it behind."""
    with subprocess.Popen(
        [sys.executable, *words],
        stdin=stdin,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def evaluating(
    tree: Path, out: Path, *words: str
) -> contextlib.AbstractContextManager[subprocess.Popen[str]]:
    """Start an evaluation by two workers."""
    command = f"evaluate -d folder --data-root {tree} -c fog,pixelate --no-examples -j 2 -o {out}".split()
    return running(["-m", "robseg", *command, *words])


def appeared(process: subprocess.Popen[str]) -> list[int]:
    """Return the workers of a run as soon as there is one."""
    while process.poll() is None:
        if found := workers(process.pid):
            return found
        time.sleep(0.005)
    raise AssertionError(process.communicate()[1])


def ended(process: subprocess.Popen[str], seconds: float) -> tuple[int, str] | None:
    """Return the exit code of a run and what it wrote, or None if it goes on for so long."""
    try:
        text = process.communicate(timeout=seconds)[1]
    except subprocess.TimeoutExpired:
        return None
    return process.returncode, text


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_worker_that_is_killed_ends_the_run(
    tree: Path, weights: Path, tmp_path: Path, moment: float
) -> None:
    with evaluating(tree, tmp_path, "-m", "enet", "-w", str(weights)) as process:
        victim = appeared(process)[0]
        time.sleep(moment)
        os.kill(victim, signal.SIGKILL)
        code, text = ended(process, PATIENCE) or pytest.fail("the run hangs")
    assert code == 3, text
    assert "Traceback" not in text
    assert "signal 9 (Killed)" in text
    assert not workers(process.pid)


SCRIPT = """
import sys
import robseg
from robseg.datasets import open_dataset
from robseg.models.model import load_model

tree, weights, out = sys.argv[1:]
dataset = open_dataset("folder", tree)
model = load_model("enet", weights, class_names=dataset.class_names)
robseg.evaluate(model, dataset, "fog", out=out, num_workers=2)
"""


@pytest.mark.parametrize("way", ["file", "stdin"])
def test_a_script_that_workers_cannot_import_ends_with_advice(
    tree: Path, weights: Path, tmp_path: Path, way: str
) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    with (
        script.open() as text,
        running(["-" if way == "stdin" else script, tree, weights, tmp_path / "run"], stdin=text) as process,
    ):
        _, said = ended(process, PATIENCE) or pytest.fail("the script hangs")
    assert said.count("Traceback (most recent call last)") == 1, said  # of the script, none of its workers
    advice = {"file": 'if __name__ == "__main__":', "stdin": "save the script as a file"}[way]
    assert advice in said.splitlines()[-1]


EXITING = """
import multiprocessing, sys

def model(images):
    if multiprocessing.parent_process():
        sys.exit(0)
    return images

def make():
    return model
"""


def test_a_model_that_exits_in_a_worker_is_an_error(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "exiting.py").write_text(EXITING)
    monkeypatch.chdir(tmp_path)
    with evaluating(tree, tmp_path / "run", "-m", "py:exiting:make") as process:
        code, text = ended(process, PATIENCE) or pytest.fail("the run hangs")
    assert code == 2, text
    assert "Traceback" not in text
    assert "py:exiting:make" in text.splitlines()[-1]
    assert "SystemExit (0)" in text.splitlines()[-1]


@pytest.mark.parametrize("group", [True, False])
@pytest.mark.parametrize("moment", [0.0, 0.3, 1.0, 20.0])
def test_ctrl_c_ends_the_run_while_workers_start_and_hang(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: float, group: bool
) -> None:
    (tmp_path / "hanging.py").write_text(HANGING)
    monkeypatch.chdir(tmp_path)
    with evaluating(tree, tmp_path / "run", "-m", "py:hanging:make") as process:
        appeared(process)
        time.sleep(moment)
        found = workers(process.pid)
        (os.killpg if group else os.kill)(process.pid, signal.SIGINT)
        code, text = ended(process, 10) or pytest.fail("the run goes on")
    assert code == 130, text
    assert "Traceback" not in text
    assert not [worker for worker in found if Path(f"/proc/{worker}").exists()]


def test_shards_that_are_done_stay_after_ctrl_c(tree: Path, weights: Path, tmp_path: Path) -> None:
    with evaluating(tree, tmp_path, "-m", "enet", "-w", str(weights)) as process:
        while not counts(tmp_path) and process.poll() is None:
            time.sleep(0.005)
        before = counts(tmp_path)
        os.killpg(process.pid, signal.SIGINT)
        code, text = ended(process, 10) or pytest.fail("the run goes on")
    assert code == 130, text
    assert before.items() <= counts(tmp_path).items()
