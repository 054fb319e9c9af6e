"""Worker processes on this machine: they die, hang, are slow, or are interrupted."""

import contextlib
import dataclasses
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
import time
import types
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

import robseg
from robseg.errors import IncompleteRun, InputError
from robseg.evaluation.conditions import CLEAN_CONDITION
from robseg.evaluation.executors import local as local_module
from robseg.evaluation.executors.local import local
from robseg.evaluation.processes import child as child_module
from robseg.evaluation.processes import work as work_module
from robseg.evaluation.processes.interrupts import holding_interrupts
from robseg.evaluation.processes.work import UNGUARDED
from robseg.evaluation.request import Request
from robseg.evaluation.run import run
from robseg.evaluation.shards import Shard
from robseg.evaluation.worker import News, ShardDone
from tests.robseg.evaluation import hostile

INTERRUPTED = "import os, signal; os.kill(os.getpid(), signal.SIGINT); print('alive')"
SHARD = Shard(CLEAN_CONDITION, (0,), ("a",), ("enet",), ("confusion",))
ONE_WORKER = Request("enet", num_workers=1)
JOB: Any = b"0" * 2**20  # more than fits into a pipe

Start = Callable[..., Generator[News, None, None]]


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let Ctrl-C raise KeyboardInterrupt, also where the tests run in the background of a shell."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def start(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Start two workers that do something other than their work; check that nothing is left of them."""
    monkeypatch.setattr(local_module, "CHECKED_EVERY", 0.05)
    monkeypatch.setattr(child_module, "GRACE", 0.2)

    def start(work: Callable[..., None]) -> Generator[News, None, None]:
        monkeypatch.setattr(child_module, "work", work)
        return local(JOB, temporary, [SHARD, SHARD], Request("enet", num_workers=2))

    yield start
    assert not multiprocessing.active_children()
    assert not list(temporary.iterdir())


@pytest.mark.parametrize(
    ("work", "end"),
    [
        (hostile.die, r"signal 15 \(Terminated\) while it was starting"),
        (hostile.leave, "exit code 0 while it was starting"),
        (hostile.leave_a_child_behind, "exit code 4 while it was starting"),
    ],
)
def test_a_worker_that_ends_ends_the_run(start: Start, work: Callable[..., None], end: str) -> None:
    begun = time.monotonic()
    with pytest.raises(IncompleteRun, match=f"Expected worker . to stay alive, but it ended with {end}: run"):
        list(start(work))
    assert time.monotonic() - begun < 15


def test_a_script_that_evaluates_when_it_is_imported_is_told_how_not_to(start: Start) -> None:
    with pytest.raises(IncompleteRun, match='put the call under `if __name__ == "__main__":`'):
        list(start(hostile.import_an_unguarded_script))


def test_in_a_worker_that_imports_such_a_script_evaluate_ends_the_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(multiprocessing.current_process(), "_inheriting", True, raising=False)
    with pytest.raises(SystemExit) as ended:
        robseg.evaluate("no model at all")
    assert ended.value.code == UNGUARDED


def test_a_script_on_standard_input_cannot_have_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = types.ModuleType("__main__")
    script.__file__ = "<stdin>"
    monkeypatch.setitem(sys.modules, "__main__", script)
    with pytest.raises(IncompleteRun, match="but got <stdin>: save the script as a file"):
        list(local(JOB, tmp_path, [SHARD], ONE_WORKER))


def test_a_worker_that_does_not_start_ends_the_run(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_module, "START_LIMIT", 0.3)
    with pytest.raises(IncompleteRun, match="Expected worker 1 to start within 0 minutes, but it did not"):
        list(start(hostile.hang))


def test_a_worker_that_is_slow_is_named_and_goes_on(
    start: Start, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(child_module, "SILENCE", 0.3)
    monkeypatch.setattr(child_module, "START_LIMIT", 30.0)
    assert [news for news in start(hostile.be_slow) if news] == [ShardDone(SHARD, {"read": 1.0})] * 2
    told = [message for message in caplog.messages if message.startswith("No news from worker ")]
    assert any("0 minutes, at clean 0 with enet. If a batch cannot take so long" in line for line in told)
    assert len(told) <= 8  # of each worker, each after twice the silence of the one before


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("work", [hostile.hang, hostile.begin_and_hang])
def test_ctrl_c_ends_workers_that_hang(start: Start, work: Callable[..., None]) -> None:
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    begun = time.monotonic()
    with contextlib.closing(start(work)) as done, pytest.raises(KeyboardInterrupt):
        list(done)
    assert time.monotonic() - begun < 5
    timer.join()


def test_only_this_user_can_read_the_job(start: Start) -> None:
    assert [news.seconds for news in start(hostile.look_at_the_file) if isinstance(news, ShardDone)] == [
        {"file": 0o600, "folder": 0o700}
    ] * 2


def test_the_job_is_deleted_as_soon_as_all_workers_have_it(start: Start, temporary: Path) -> None:
    with contextlib.closing(start(hostile.be_slow)) as done:
        begun = 0
        while begun < 2:  # each of the two says first that it begins
            begun += next(done) == 0
        next(done)
        assert not list(temporary.iterdir())


def test_a_full_disk_is_a_line(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pickle, "dump", full)
    with pytest.raises(InputError, match=r"No space left on device\. Set TMPDIR"):
        list(local(JOB, temporary, [SHARD], ONE_WORKER))
    assert not list(temporary.iterdir())


def test_a_data_set_that_cannot_be_pickled_is_a_line(temporary: Path) -> None:
    job: Any = lambda index: index  # noqa: E731 - as a reader of a data set may be
    with pytest.raises(InputError, match="Expected a data set that can be sent to worker processes"):
        list(local(job, temporary, [SHARD], ONE_WORKER))
    assert not list(temporary.iterdir())


def test_workers_end_when_the_progress_callback_raises(tmp_path: Path) -> None:
    closed = []

    def execute(*_: object) -> Generator[News, None, None]:
        try:
            yield 1
        finally:
            closed.append(True)

    def progress(done: Any) -> None:
        if done.done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as error:
        run(JOB, tmp_path, [SHARD], execute, Request("enet", progress=progress))
    assert error.tb  # which would keep the generator
    assert closed


class Odd(Exception):
    """An error that cannot be made again from its arguments."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(one + other)


class Hidden(Exception):
    """An error of a user's script."""

    __module__ = "__mp_main__"


class Exit(BaseException):
    """As SystemExit."""


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (InputError("Expected this, but got that."), InputError, "Expected this, but got that."),
        (OSError(28, "full"), OSError, "full"),
        (Odd("o", "dd"), RuntimeError, "Odd: odd"),
        (Hidden("away"), RuntimeError, "Hidden: away"),
        (SystemExit(0), IncompleteRun, r"one of them raised SystemExit \(0\): remove"),
        (Exit(), IncompleteRun, "one of them raised Exit: remove"),
        (KeyboardInterrupt(), IncompleteRun, "one of them raised KeyboardInterrupt: remove"),
    ],
)
def test_an_error_of_a_worker_reaches_its_parent(
    error: BaseException, kind: type[Exception], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "__mp_main__", sys.modules[__name__])
    with pytest.raises(kind, match=message) as received:
        raise pickle.loads(pickle.dumps(work_module.portable(error)))  # noqa: S301 - as a connection does
    assert type(received.value) is kind


@pytest.mark.parametrize("num_workers", [0, 1])
def test_a_data_set_that_exits_does_not_end_the_run_as_if_it_were_done(
    num_workers: int, model: Any, dataset: Any, tmp_path: Path
) -> None:
    exiting = dataclasses.replace(dataset, read=sys.exit)
    with pytest.raises(IncompleteRun, match=r"one of them raised SystemExit"):
        robseg.evaluate(model, exiting, "none", out=tmp_path / "run", num_workers=num_workers)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="signals cannot be blocked here")
def test_ctrl_c_waits_until_a_process_has_started_and_never_reaches_it() -> None:
    said = []

    def start() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        child = [sys.executable, "-c", INTERRUPTED]
        said.append(subprocess.run(child, capture_output=True, text=True, check=True).stdout)

    with pytest.raises(KeyboardInterrupt), holding_interrupts():
        start()
    assert said == ["alive\n"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)


FIRST = """
import multiprocessing, signal
from robseg.evaluation.processes.interrupts import holding_interrupts

with holding_interrupts():
    multiprocessing.get_context("spawn").Process(target=int).start()
    assert signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ())
"""


@pytest.mark.usefixtures("interruptible")
@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="signals cannot be blocked here")
def test_nor_does_it_reach_the_first_process_of_multiprocessing() -> None:
    subprocess.run([sys.executable, "-c", FIRST], check=True)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("name", ["started", "end"])
def test_every_worker_process_starts_and_ends_so(
    start: Start, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    seen = []
    real = getattr(local_module, name)

    def watched(*arguments: Any) -> Any:
        seen.append(signal.getsignal(signal.SIGINT))
        return real(*arguments)

    monkeypatch.setattr(local_module, name, watched)
    with pytest.raises(IncompleteRun):
        list(start(hostile.leave))
    assert seen
    assert signal.default_int_handler not in seen


@pytest.mark.usefixtures("interruptible")
def test_without_ctrl_c_nothing_changes() -> None:
    with holding_interrupts():
        pass
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
