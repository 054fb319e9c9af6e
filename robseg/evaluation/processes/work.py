"""What a worker process does, from its start to its end.

It imports torch only once it ignores Ctrl-C and watches its parent.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import traceback
from collections.abc import Iterable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TYPE_CHECKING

from robseg.evaluation.processes.exits import exit_error

if TYPE_CHECKING:
    from robseg.evaluation.job import Job
    from robseg.evaluation.shards import Shard
    from robseg.evaluation.worker import News

__all__ = ["UNGUARDED", "portable", "prepare_process", "refuse_unguarded", "work"]

UNGUARDED = 77  # exit code of a worker process whose script starts an evaluation when it is imported


def refuse_unguarded() -> None:
    """End this process if it is a worker that still imports the user's script, which has called robseg.

    Its parent knows the exit code and says what to do. An exception would print a traceback for each worker.
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):  # as multiprocessing itself asks
        sys.exit(UNGUARDED)


def work(path: Path, parent: Connection) -> None:
    """Do the shards whose numbers come from the parent.

    `path` is the file of the job, its folder and all shards. The parent receives all news; None, on which it
    sends the number of another shard, or None if there is none; or the error that ends this process.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which stops the workers
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        job, out, shards = _loaded(path)
        for news in _news(job, out, _given(shards, parent)):
            parent.send(news)
    except BaseException as error:  # noqa: BLE001 - the parent raises it
        with contextlib.suppress(OSError):  # the parent has closed the connection
            parent.send(portable(error))


def prepare_process() -> None:
    """Give this process one thread of torch, and let it keep the memory that it frees."""
    import torch  # here, because a worker process watches its parent before it imports anything

    from robseg.memory import keep_freed_memory

    torch.set_num_threads(1)
    keep_freed_memory()


def _loaded(path: Path) -> tuple[Job, Path, Sequence[Shard]]:
    prepare_process()
    with path.open("rb") as file:
        job, out, shards = pickle.load(file)  # noqa: S301 - from our own parent
    return job, out, shards


def _news(job: Job, out: Path, shards: Iterable[Shard]) -> Iterator[News]:
    from robseg.evaluation.worker import Worker, stored  # here, because it imports torch

    return stored(job, out, Worker(job).run(shards))


def _given(shards: Sequence[Shard], parent: Connection) -> Iterator[Shard]:
    """Ask the parent for shards until it has none."""
    while True:
        parent.send(None)
        number = parent.recv()
        if number is None:
            return
        yield shards[number]


def portable(error: BaseException) -> Exception:
    """Return an error that another process can receive and raise, with its traceback here as a note."""
    if not isinstance(error, Exception):
        return exit_error(error)
    text = "".join(traceback.format_exception(error))
    error.add_note(f"In a worker process:\n{text}")
    with contextlib.suppress(Exception):
        pickle.loads(pickle.dumps(error))  # noqa: S301 - our own; many exceptions cannot be made again
        if type(error).__module__ != "__mp_main__":  # the script's name here, unknown to the parent
            return error
    return RuntimeError(text)


def _end_with_parent() -> None:
    """End this process when its parent has ended, so that a killed run leaves no workers behind."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
