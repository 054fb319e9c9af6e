"""Worker processes on this machine, and Ctrl-C while they start."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from robseg.evaluation.executors import local

INTERRUPTED = "import os, signal; os.kill(os.getpid(), signal.SIGINT); print('alive')"


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let Ctrl-C raise KeyboardInterrupt, also where the tests run in the background of a shell."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="signals cannot be blocked here")
def test_ctrl_c_waits_until_a_process_has_started_and_never_reaches_it() -> None:
    said = []

    def start() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        child = [sys.executable, "-c", INTERRUPTED]
        said.append(subprocess.run(child, capture_output=True, text=True, check=True).stdout)

    with pytest.raises(KeyboardInterrupt), local._holding_interrupts():
        start()
    assert said == ["alive\n"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)


class Submitted(Exception):
    """What the pool of a test raises in place of starting a process."""


@pytest.mark.usefixtures("interruptible")
def test_every_worker_process_starts_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen = []

    class Pool:
        def __init__(self, *_: object, **__: object) -> None: ...

        def submit(self, *_: object) -> None:
            seen.append(signal.getsignal(signal.SIGINT))
            raise Submitted

        def shutdown(self, **_: object) -> None: ...

    monkeypatch.setattr(local, "ProcessPoolExecutor", Pool)
    shards: Any = [None, None]
    with pytest.raises(Submitted):
        next(local.local(None, tmp_path, shards, 2))
    assert seen
    assert signal.default_int_handler not in seen


@pytest.mark.usefixtures("interruptible")
def test_without_ctrl_c_nothing_changes() -> None:
    with local._holding_interrupts():
        pass
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
