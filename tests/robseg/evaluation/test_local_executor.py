"""Worker processes on this machine, and Ctrl-C while they start."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from robseg.evaluation.executors.local import _holding_interrupts

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

    with pytest.raises(KeyboardInterrupt), _holding_interrupts():
        start()
    assert said == ["alive\n"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.usefixtures("interruptible")
def test_without_ctrl_c_nothing_changes() -> None:
    with _holding_interrupts():
        pass
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
