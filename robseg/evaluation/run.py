"""Do the shards of a job, report progress, and measure the time."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from robseg.evaluation.executors import Executor
from robseg.evaluation.job import Job
from robseg.evaluation.progress import Progress
from robseg.evaluation.shards import Shard

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
    num_workers: int,
    progress: Callable[[Progress], None] | None = None,
) -> Timing:
    """Do the shards, call `progress` after each batch, and return how the time was spent."""
    start = time.perf_counter()
    stages: Counter[str] = Counter()
    predicted: set[str] = set()
    done, total = 0, sum(map(len, shards))
    if progress is not None:
        progress(Progress(done, total))
    # Closed here, whatever `progress` raises, so that no worker process is left.
    with contextlib.closing(execute(job, out, shards, num_workers)) as every:
        for news in every:
            if not isinstance(news, int):
                stages.update(news.seconds)
                predicted.update(news.shard.models)
            elif news:
                done += news
                if progress is not None:
                    progress(Progress(done, total))
    return Timing(dict(stages), frozenset(predicted), time.perf_counter() - start)
