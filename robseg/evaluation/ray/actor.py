"""What an actor does on a node: load the models, then do the shards that the driver hands it."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import threading
from collections.abc import Iterator, Sequence

from corruptions.compilation import compile_ahead
from reports.run.context import Context
from reports.run.record import CLEAN
from robseg.errors import InputError
from robseg.evaluation.job import Job, prepare
from robseg.evaluation.processes.work import portable, prepare_process
from robseg.evaluation.request import Request
from robseg.evaluation.shards import Shard
from robseg.evaluation.worker import Counted, Worker
from robseg.models.card import UNTOLD

__all__ = ["Actor", "ActorNews"]

# A number of predictions, a shard that is counted, None where another shard is wanted, or what went wrong.
ActorNews = int | Counted | None | Exception


class Actor:
    """Does shards in a thread of its own, so that the driver can ask for news and hand out more meanwhile.

    Parameters
    ----------
    request
        What to evaluate; models, weights and data are opened on this node.
    context
        What the counts depend on, which must be the same here as where the run is written.
    folder
        The folder that relative paths of the request start from, where this node has it.
    """

    def __init__(self, request: Request, context: Context, folder: str) -> None:
        self._given: queue.SimpleQueue[Shard | None] = queue.SimpleQueue()
        self._news: queue.SimpleQueue[ActorNews] = queue.SimpleQueue()
        threading.Thread(target=self._run, args=(request, context, folder), daemon=True).start()

    def work(self, shards: Sequence[Shard | None]) -> list[ActorNews]:
        """Take more shards, and return the news since the last call, of which there is at least one.

        None among the shards says that there are no more for now, so that a batch need not wait for others.
        """
        for shard in shards:
            self._given.put(shard)
        news = [self._news.get()]
        while not self._news.empty():
            news.append(self._news.get())
        return news

    def _run(self, request: Request, context: Context, folder: str) -> None:
        try:
            with contextlib.suppress(OSError):
                os.chdir(folder)
            prepare_process()
            job = prepare(request)
            _refuse_differences(job, context)
            compile_ahead(dict.fromkeys(one.corruption for one in job.conditions if one.corruption != CLEAN))
            worker = Worker(job)
            while True:
                for news in worker.run(self._shards()):
                    self._news.put(news)
        except BaseException as error:  # noqa: BLE001 - the driver raises it
            self._news.put(portable(error))

    def _shards(self) -> Iterator[Shard]:
        """Ask for one shard after another until there are none for now."""
        while True:
            self._news.put(None)
            shard = self._given.get()
            if shard is None:
                return
            yield shard


def _refuse_differences(job: Job, context: Context) -> None:
    """Raise InputError if counts made here would not be those of the run."""
    # Nobody can tell whether two models with untold options are the same; these came in the request itself.
    told = [name for name, model in job.models.items() if UNTOLD not in model.card.options]
    for corruption in {condition.corruption for condition in job.conditions}:
        here = json.loads(job.context.to_json(corruption, told))
        for what, theirs, ours in context.mismatches(here, corruption):
            raise InputError(
                f"Expected the same {what} as where the command runs ({ours}), but got {theirs}: install the "
                "same versions on every node, and give it the same weights and data."
            )
