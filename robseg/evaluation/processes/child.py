"""A worker process as its parent sees it: started, given shards, listened to, watched and ended."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import multiprocessing
import signal
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path

from robseg.errors import IncompleteRun
from robseg.evaluation.processes.work import UNGUARDED, work
from robseg.evaluation.shards import Shard
from robseg.evaluation.worker import News, ShardDone

__all__ = ["Child", "end", "started"]

START_LIMIT = 600.0  # seconds until a worker must have begun its first shard
SILENCE = 300.0  # seconds without news after which the user is told
GRACE = 1.0  # seconds that workers get to end by themselves
EXIT_LIMIT = 5.0  # seconds until a worker that has hung up must have an exit code

logger = logging.getLogger(__name__)


@dataclasses.dataclass
class Child:
    """A worker process, as this process sees it.

    It has `started` when it has begun its first shard. It was last `heard` when it sent news, and the user is
    told when it has been silent for `patience` seconds.
    """

    process: SpawnProcess
    connection: Connection
    shard: Shard
    started: bool = False
    heard: float = dataclasses.field(default_factory=time.monotonic)
    patience: float = dataclasses.field(default_factory=lambda: SILENCE)

    def give(self, task: tuple[int, Shard] | None) -> None:
        """Give the worker a shard with its number, or have it end."""
        if task is None:
            self.connection.close()
            return
        number, self.shard = task
        with contextlib.suppress(OSError):  # it is dead, which `news` will find
            self.connection.send(number)

    def news(self) -> News:
        """Return how many predictions were made, or the shard if it is done."""
        try:
            message = self.connection.recv()
        except (EOFError, OSError):
            raise self._death() from None
        if isinstance(message, Exception):
            raise message
        self.heard, self.started = time.monotonic(), True
        return message if isinstance(message, int) else ShardDone(self.shard, message)

    def check(self) -> None:
        """Raise IncompleteRun if the worker is dead or does not start; warn if it may hang."""
        # A process that a model has started may outlive the worker and keep the connection open.
        if not self.process.is_alive() and not self.connection.poll():
            raise self._death()
        silence = time.monotonic() - self.heard
        if not self.started and silence > START_LIMIT:
            raise IncompleteRun(
                f"Expected {self.process.name} to start within {START_LIMIT / 60:.0f} minutes, but it did "
                "not: check whether loading the model waits for something, or use --num-workers 0."
            )
        if self.started and silence > self.patience:
            self.patience *= 2  # a network that is merely slow is named a few times only
            logger.warning(
                "No news from %s (process %d) for %.0f minutes, %s. If a batch cannot take so long, "
                "it hangs: press Ctrl-C and run the same command again, which keeps all finished work.",
                self.process.name,
                self.process.pid,
                silence / 60,
                self._place(),
            )

    def _death(self) -> IncompleteRun:
        """Return the error for a process that has ended by itself."""
        self.process.join(EXIT_LIMIT)
        code = self.process.exitcode
        if code == UNGUARDED:
            return IncompleteRun(
                "Expected a script that worker processes can import, but importing this one starts an "
                'evaluation: put the call under `if __name__ == "__main__":`, or use num_workers=0.'
            )
        how = f"exit code {code}"
        if code is not None and code < 0:
            how = f"signal {-code} ({signal.strsignal(-code)})"
        return IncompleteRun(
            f"Expected {self.process.name} to stay alive, but it ended with {how} {self._place()}: "
            "run the same command again to continue, with fewer --num-workers if memory ran out."
        )

    def _place(self) -> str:
        if not self.started:
            return "while it was starting"
        condition = self.shard.condition
        return f"at {condition.corruption} {condition.severity} with {', '.join(self.shard.models)}"


def started(name: str, job_file: Path, task: tuple[int, Shard]) -> Child:
    """Start a worker process with its first shard.

    Raises
    ------
    IncompleteRun
        If the system has no room for another process.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=work, args=(job_file, theirs), name=name)
    try:
        process.start()
    except OSError as error:
        raise IncompleteRun(
            f"Expected to start {name}, but got: {error}. "
            "Run the same command again with fewer --num-workers."
        ) from error
    theirs.close()
    child = Child(process, ours, task[1])
    child.give(task)
    return child


def end(children: Sequence[Child]) -> None:
    """End all worker processes; each may still end by itself before its next batch."""
    for child in children:
        child.connection.close()
    deadline = time.monotonic() + GRACE
    for child in children:
        child.process.join(max(0.0, deadline - time.monotonic()))
        child.process.kill()
        child.process.join()
