"""Read images and corrupt them: what a worker does before a model is asked."""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from contextlib import AbstractContextManager

import corruptions
from reports.run.record import CLEAN, Condition
from robseg.datasets.base import Dataset, Sample
from robseg.evaluation.job import Job
from robseg.evaluation.timed import Span, timed

__all__ = ["Reader", "corrupt_sample"]

SAMPLES_KEPT = 256 * 2**20  # bytes, so that a data set of a few hundred small images is read only once


def corrupt_sample(sample: Sample, condition: Condition, *, seed: int, move_targets: bool) -> Sample:
    """Return the sample under a condition; of the sample, random draws depend only on the image's id."""
    if condition.corruption == CLEAN:
        return sample
    name, severity = condition.corruption, condition.severity
    if move_targets and corruptions.get(name).moves_pixels:
        image, target = corruptions.corrupt_pair(
            sample.image, sample.target, name, severity, seed=seed, key=sample.id
        )
        return Sample(sample.id, image, target)
    image = corruptions.corrupt(sample.image, name, severity, seed=seed, key=sample.id)
    return sample._replace(image=image)


class Reader:
    """Reads and corrupts images, and keeps the latest ones in memory, up to SAMPLES_KEPT bytes.

    Threads may share it.
    """

    def __init__(self, job: Job) -> None:
        self._context = job.context
        self._kept = _Kept(job.dataset)

    def read(self, index: int, condition: Condition, spans: list[Span]) -> Sample:
        """Return an image of the data set under a condition; `spans` get the times of both steps."""
        with timed(spans, "read"):
            sample = self._kept.read(index)
        seed, move_targets = self._context.seed, self._context.move_targets
        with timed(spans, "corrupt"):
            return corrupt_sample(sample, condition, seed=seed, move_targets=move_targets)


class _Kept:
    """The samples of a data set, of which the latest are kept."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._samples: OrderedDict[int, Sample] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()
        # A user's data set may hold an open file, whose position two threads would both move.
        self._reading: AbstractContextManager[object] = (
            contextlib.nullcontext() if dataset.threadsafe else threading.Lock()
        )

    def read(self, index: int) -> Sample:
        with self._lock:
            if index in self._samples:
                self._samples.move_to_end(index)
                return self._samples[index]
        with self._reading:
            sample = self._dataset.read(index)
        with self._lock:
            if index not in self._samples:
                self._samples[index] = sample
                self._bytes += _bytes(sample)
                while self._bytes > SAMPLES_KEPT and len(self._samples) > 1:
                    self._bytes -= _bytes(self._samples.popitem(last=False)[1])
        return sample


def _bytes(sample: Sample) -> int:
    return sample.image.nbytes + sample.target.nbytes
