"""A worker does shards: read and corrupt the images, predict with every model, count, and store."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from reports.run.record import CLEAN, Condition
from reports.run.tally import Prediction, Row
from robseg.ahead import ahead, grouped
from robseg.datasets.base import Sample
from robseg.errors import InputError
from robseg.evaluation.job import Job
from robseg.evaluation.progress import Place
from robseg.evaluation.reading import Reader
from robseg.evaluation.shards import RowKey, Shard
from robseg.evaluation.store import write_shard
from robseg.evaluation.timed import PREDICT, Device, Span, add_up, timed
from robseg.models.predict.batch import Batch
from robseg.models.predict.threads import own_stream

__all__ = ["Counted", "News", "ShardDone", "Worker", "predictions", "stored"]

# On a GPU a second thread hands it the next batch while the first one waits for its labels and counts.
BATCHES_AT_ONCE = 2


class Counted(NamedTuple):
    """A shard's counts, and the seconds of each stage ("read", "corrupt", "predict:MODEL", ...) so far.

    These are the worker's since the last shard that it did.
    """

    shard: Shard
    rows: dict[RowKey, Row]
    seconds: dict[str, float]


class ShardDone(NamedTuple):
    """A shard that is on disk, and the seconds of each stage since the last one."""

    shard: Shard
    seconds: dict[str, float]


# What an executor tells: a number of predictions that were made since the last news (negative where some
# were lost), a shard that is on disk, or where a cluster is at work. Each worker begins with the number 0.
News = int | ShardDone | Place


def predictions(
    job: Job, samples: Sequence[Sample], models: Sequence[str], spans: list[Span], *, confidence: bool = False
) -> Iterator[tuple[str, list[Prediction]]]:
    """Yield each model's name and its predictions, in the data set's classes, for images of one size.

    Parts that several models share are computed once. The times of each part are added to `spans`.
    """
    batch = Batch(
        np.stack([sample.image for sample in samples]),
        [sample.id for sample in samples],
        confidence=confidence,
        timed=lambda part: timed(spans, f"{PREDICT}{part}"),
    )
    for name in models:
        labels, sure = batch.result(job.models[name])
        mapped = job.label_maps[name][labels]
        yield name, [Prediction(mapped[n], None if sure is None else sure[n]) for n in range(len(samples))]


def stored(job: Job, out: Path, every: Iterable[int | Counted | Place]) -> Iterator[News]:
    """Write the counts of each shard into the folder of a run, and pass the news on."""
    for news in every:
        if not isinstance(news, Counted):
            yield news
            continue
        spans: list[Span] = []
        with timed(spans, "write"):
            for tally in job.tallies:
                if tally.name in news.shard.tallies:
                    write_shard(out, tally, news.shard, job.context, news.rows)
        yield ShardDone(news.shard, news.seconds | add_up(spans))


class Worker:
    """Does one shard after another.

    With `job.prefetch_threads`, so many threads read and corrupt images ahead of the models, and a batch may
    hold images of several shards. Without, the calling thread does one thing after another.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self._reader = Reader(job)

    def run(self, shards: Iterable[Shard]) -> Iterator[int | Counted]:
        """Yield the number of predictions after each batch, and each shard when it is counted.

        A shard is taken from `shards` when its first image is needed. The first number is 0.
        """
        yield 0
        spans: list[Span] = []
        device = Device(time.perf_counter())
        at_once = 0 if self.job.context.device == "cpu" else BATCHES_AT_ONCE
        for batch in ahead(self._counted, self._batches(shards), at_once, at_once + 1):
            spans += [*batch.spans, *device.spans(batch.spans)]
            yield sum(len(image.open.shard.models) for image in batch.images)
            for image, rows in zip(batch.images, batch.rows, strict=True):
                image.open.rows |= rows
                image.open.left -= 1
                if image.open.left == 0:
                    self.job.dataset.refuse_changes(image.open.shard.indices)
                    yield Counted(image.open.shard, image.open.rows, add_up(spans))
                    spans = []

    def _batches(self, shards: Iterable[Shard]) -> Iterator[list[_Image]]:
        """Yield images that the models can predict together."""
        threads, size = self.job.prefetch_threads, self.job.batch_size
        for stream in [shards] if threads else ([shard] for shard in shards):
            opened = (_Open(shard, len(shard.indices)) for shard in stream)
            places = ((shard, index) for shard in opened for index in shard.shard.indices)
            images = ahead(self._image, places, threads, threads + size)
            yield from grouped(images, _Image.kind, size, held=2 * size)

    def _image(self, place: tuple[_Open, int]) -> _Image:
        shard, index = place
        spans: list[Span] = []
        return _Image(shard, self._reader.read(index, shard.shard.condition, spans), spans)

    def _counted(self, images: Sequence[_Image]) -> _Batch:
        """Return the rows of images that are predicted together."""
        shards = [image.open.shard for image in images]
        tallies = [tally for tally in self.job.tallies if tally.name in shards[0].tallies]
        spans = [span for image in images for span in image.spans]
        targets = {}
        for tally in tallies:
            with timed(spans, f"count:{tally.name}"):
                targets[tally.name] = [tally.prepare(image.sample.target) for image in images]
        rows: list[dict[RowKey, Row]] = [{} for _ in images]
        samples = [image.sample for image in images]
        confidence = any(tally.needs_confidence for tally in tallies)
        with _under([shard.condition for shard in shards]), own_stream(self.job.context.device):
            for model, found in predictions(
                self.job, samples, shards[0].models, spans, confidence=confidence
            ):
                for tally in tallies:
                    with timed(spans, f"count:{tally.name}"):
                        for n, prediction in enumerate(found):
                            key = shards[n].row(tally.name, model, samples[n].id)
                            target = targets[tally.name][n]
                            rows[n][key] = tally.count(prediction, target, self.job.dataset.num_classes)
        return _Batch(images, rows, spans)


@dataclasses.dataclass
class _Open:
    """A shard that is at work: how many of its images are left, and the rows of the others."""

    shard: Shard
    left: int
    rows: dict[RowKey, Row] = dataclasses.field(default_factory=dict)


class _Image(NamedTuple):
    """A corrupted image of a shard."""

    open: _Open
    sample: Sample
    spans: list[Span]

    def kind(self) -> Hashable:
        """Return what images have in common that are predicted together."""
        return self.sample.image.shape, self.open.shard.models, self.open.shard.tallies


class _Batch(NamedTuple):
    """Images that were predicted together, and the rows of each."""

    images: Sequence[_Image]
    rows: list[dict[RowKey, Row]]
    spans: list[Span]


@contextmanager
def _under(conditions: Iterable[Condition]) -> Iterator[None]:
    """Say under which conditions a model failed."""
    try:
        yield
    except InputError as error:
        where = " or ".join(dict.fromkeys(map(_named, conditions)))
        raise InputError(f"{where[0].upper()}{where[1:]}: {error}") from error


def _named(condition: Condition) -> str:
    if condition.corruption == CLEAN:
        return "on clean images"
    return f"under {condition.corruption} at severity {condition.severity}"
