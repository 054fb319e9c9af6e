"""A worker does one shard: read and corrupt the images, predict with every model, count, and store."""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

import corruptions
from reports.run.record import CLEAN, Condition
from reports.run.tally import Prediction, Row, Tally
from robseg.datasets.base import Sample
from robseg.errors import InputError
from robseg.evaluation.job import Job
from robseg.evaluation.shards import RowKey, Shard
from robseg.evaluation.store import write_shard
from robseg.models.predict.batch import Batch

__all__ = ["News", "ShardDone", "Worker", "corrupt_sample", "predictions"]

SAMPLES_KEPT = 256 * 2**20  # bytes, so that a data set of a few hundred small images is read only once

Seconds = Counter[str]


class ShardDone(NamedTuple):
    """A shard that is on disk, and the seconds of each stage ("read", "corrupt", "predict:MODEL", ...)."""

    shard: Shard
    seconds: dict[str, float]


# What an executor hears of: a number of predictions that were made since the last news, or a shard that is on
# disk. The first news of each shard is the number 0.
News = int | ShardDone


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


def predictions(
    job: Job, samples: Sequence[Sample], models: Sequence[str], seconds: Seconds, *, confidence: bool = False
) -> Iterator[tuple[str, list[Prediction]]]:
    """Yield each model's name and its predictions, in the data set's classes, for images of one size.

    Parts that several models share are computed once. The time of each part is added to `seconds`.
    """
    batch = Batch(
        np.stack([sample.image for sample in samples]),
        [sample.id for sample in samples],
        confidence=confidence,
        timed=lambda part: _timed(seconds, f"predict:{part}"),
    )
    for name in models:
        labels, sure = batch.result(job.models[name])
        mapped = job.label_maps[name][labels]
        yield name, [Prediction(mapped[n], None if sure is None else sure[n]) for n in range(len(samples))]


class Worker:
    """Does one shard after another and keeps the latest images in memory, up to SAMPLES_KEPT bytes."""

    def __init__(self, job: Job, out: Path) -> None:
        self.job = job
        self._out = out
        self._samples: OrderedDict[int, Sample] = OrderedDict()
        self._kept = 0

    def run(self, shard: Shard) -> Iterator[News]:
        """Compute a shard and write its counts. Nothing is written if the caller does not read on."""
        seconds: Seconds = Counter()
        counted = [tally for tally in self.job.tallies if tally.name in shard.tallies]
        rows: dict[RowKey, Row] = {}
        yield 0
        for start in range(0, len(shard.indices), self.job.batch_size):
            batch = self._corrupted(shard, shard.indices[start : start + self.job.batch_size], seconds)
            with _under(shard.condition):
                for same_size in _by_size(batch):
                    rows |= self._counted(shard, counted, same_size, seconds)
            yield len(batch) * len(shard.models)
        self.job.dataset.refuse_changes(shard.indices)
        with _timed(seconds, "write"):
            for tally in counted:
                write_shard(self._out, tally, shard, self.job.context, rows)
        yield ShardDone(shard, dict(seconds))

    def _corrupted(self, shard: Shard, indices: tuple[int, ...], seconds: Seconds) -> list[Sample]:
        context = self.job.context
        with _timed(seconds, "read"):
            samples = [self._read(index) for index in indices]
        with _timed(seconds, "corrupt"):
            return [
                corrupt_sample(sample, shard.condition, seed=context.seed, move_targets=context.move_targets)
                for sample in samples
            ]

    def _counted(
        self, shard: Shard, counted: Sequence[Tally], samples: Sequence[Sample], seconds: Seconds
    ) -> dict[RowKey, Row]:
        """Return the rows of some samples of one size."""
        targets = {}
        for tally in counted:
            with _timed(seconds, f"count:{tally.name}"):
                targets[tally.name] = [tally.prepare(sample.target) for sample in samples]
        rows: dict[RowKey, Row] = {}
        confidence = any(tally.needs_confidence for tally in counted)
        condition = (shard.condition.corruption, shard.condition.severity)
        for model, found in predictions(self.job, samples, shard.models, seconds, confidence=confidence):
            for tally in counted:
                with _timed(seconds, f"count:{tally.name}"):
                    for sample, prediction, target in zip(samples, found, targets[tally.name], strict=True):
                        row = tally.count(prediction, target, self.job.dataset.num_classes)
                        rows[RowKey(tally.name, model, *condition, sample.id)] = row
        return rows

    def _read(self, index: int) -> Sample:
        if index in self._samples:
            self._samples.move_to_end(index)
            return self._samples[index]
        sample = self._samples[index] = self.job.dataset.read(index)
        self._kept += _bytes(sample)
        while self._kept > SAMPLES_KEPT and len(self._samples) > 1:
            self._kept -= _bytes(self._samples.popitem(last=False)[1])
        return sample


def _bytes(sample: Sample) -> int:
    return sample.image.nbytes + sample.target.nbytes


def _by_size(batch: list[Sample]) -> list[list[Sample]]:
    """Group samples by image size, because a network takes only images of one size together."""
    groups: dict[tuple[int, ...], list[Sample]] = {}
    for sample in batch:
        groups.setdefault(sample.image.shape, []).append(sample)
    return list(groups.values())


@contextmanager
def _under(condition: Condition) -> Iterator[None]:
    """Say under which condition a model failed."""
    try:
        yield
    except InputError as error:
        clean = condition.corruption == CLEAN
        where = (
            "On clean images" if clean else f"Under {condition.corruption} at severity {condition.severity}"
        )
        raise InputError(f"{where}: {error}") from error


@contextmanager
def _timed(seconds: Seconds, stage: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[stage] += time.perf_counter() - start  # type: ignore[assignment]
