"""Do the shards of a job, report progress, and measure the time."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from robseg.evaluation.executors import Executor
from robseg.evaluation.job import Job
from robseg.evaluation.progress import Place, Progress
from robseg.evaluation.request import Request
from robseg.evaluation.shards import Shard
from robseg.evaluation.worker import ShardDone

__all__ = ["Timing", "run"]


class Timing(NamedTuple):
    """The seconds of all workers by stage, the models that predicted, and the wall time of this call."""

    stages: dict[str, float]
    predicted: frozenset[str]
    wall: float


def run(
    job: Job,
    out: Path,
    shards: Sequence[Shard],
    execute: Executor,
    request: Request,
) -> Timing:
    """Do the shards, call the request's `progress` after each batch, and return how the time was spent."""
    start = time.perf_counter()
    stages: Counter[str] = Counter()
    predicted: set[str] = set()
    now = Progress(0, sum(map(len, shards)))
    progress = request.progress or _nothing
    progress(now)
    # Closed here, whatever `progress` raises, so that no worker process is left.
    with contextlib.closing(execute(job, out, shards, request)) as every:
        for news in every:
            if isinstance(news, ShardDone):
                stages.update(news.seconds)
                predicted.update(news.shard.models)
                continue
            if isinstance(news, Place):
                now = now._replace(place=news)
                progress(now)
            elif news:
                now = now._replace(done=now.done + news)
                progress(now)
    return Timing(dict(stages), frozenset(predicted), time.perf_counter() - start)


def _nothing(_now: Progress) -> None:
    pass
