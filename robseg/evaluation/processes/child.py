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

START_LIMIT = 600.0  # seconds until a worker must have loaded the job
SILENCE = 300.0  # seconds without news after which the user is told
GRACE = 1.0  # seconds that workers get to end by themselves
EXIT_LIMIT = 5.0  # seconds until a worker that has hung up must have an exit code

logger = logging.getLogger(__name__)


@dataclasses.dataclass
class Child:
    """A worker process, as this process sees it.

    It is at work on `shards`, to which others come until it has got its `last`. It has `started` when it has
    everything that it needs for them. It was last `heard` when it sent news, and the user is told when it has
    been silent for `patience` seconds.
    """

    process: SpawnProcess
    connection: Connection
    shards: list[Shard] = dataclasses.field(default_factory=list)
    last: bool = False
    started: bool = False
    heard: float = dataclasses.field(default_factory=time.monotonic)
    patience: float = dataclasses.field(default_factory=lambda: SILENCE)

    def give(self, task: tuple[int, Shard] | None) -> None:
        """Give the worker a shard with its number, or have it end with those that it has."""
        number = None
        if task is not None:
            number, shard = task
            self.shards.append(shard)
        with contextlib.suppress(OSError):  # it is dead, which `news` will find
            self.connection.send(number)
        self.last = task is None
        self._close_if_done()

    def news(self) -> News | None:
        """Return how many predictions were made, a shard that is done, or None if the worker wants another.

        The connection is closed when the last shard is done.
        """
        try:
            message: News | Exception | None = self.connection.recv()
        except (EOFError, OSError):
            raise self._death() from None
        if isinstance(message, Exception):
            raise message
        self.heard, self.started = time.monotonic(), True
        if isinstance(message, ShardDone):
            self.shards.remove(message.shard)
            self._close_if_done()
        return message

    def _close_if_done(self) -> None:
        if self.last and not self.shards:
            self.connection.close()

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
        if not self.shards:
            return "before its next shard"
        condition, models = self.shards[0].condition, self.shards[0].models
        return f"at {condition.corruption} {condition.severity} with {', '.join(models)}"


def started(name: str, job_file: Path) -> Child:
    """Start a worker process.

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
    return Child(process, ours)


def end(children: Sequence[Child]) -> None:
    """End all worker processes; each may still end by itself before its next batch."""
    for child in children:
        child.connection.close()
    deadline = time.monotonic() + GRACE
    for child in children:
        child.process.join(max(0.0, deadline - time.monotonic()))
        child.process.kill()
        child.process.join()
