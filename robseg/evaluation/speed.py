"""How long models take for an image, measured after the run, when no worker slows the machine down."""

from __future__ import annotations

import statistics
import time
from typing import NamedTuple

from robseg.evaluation.job import Job
from robseg.models.predict.batch import Batch

__all__ = ["THREADS", "Speed", "measure"]

THREADS = 1  # of the CPU, as in the workers
WARM_UP, TIMED = 1, 5  # predictions


class Speed(NamedTuple):
    """The median time for one image in milliseconds, and the shortest and the longest one."""

    median: float
    least: float
    most: float


def measure(job: Job, name: str) -> Speed:
    """Time a model on the first image of the data set, with everything that it builds on, in this process."""
    import torch  # here, because a job whose models need no torch does without it until now

    before = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    try:
        first = job.dataset.read(0)
        times = []
        for _ in range(WARM_UP + TIMED):
            batch = Batch(first.image[None], [first.id])
            start = time.perf_counter()
            batch.result(job.models[name])  # labels in the memory of the CPU, so any device has finished
            times.append(1000 * (time.perf_counter() - start))
    finally:
        torch.set_num_threads(before)
    times = times[WARM_UP:]
    return Speed(statistics.median(times), min(times), max(times))
