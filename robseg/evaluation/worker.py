"""What one worker does: read, corrupt once, predict with every model, count, store."""

from __future__ import annotations

import dataclasses
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

import corruptions
from reports.run.record import CLEAN, WHOLE, Condition, folder_of, regions_at
from robseg.datasets.base import Dataset, Sample
from robseg.errors import IncompleteRun
from robseg.evaluation.boundaries import Edges, count_boundaries, edges_of
from robseg.evaluation.counts import Counts, count
from robseg.evaluation.plan import Cell, Shard
from robseg.evaluation.store import Context, write_shard
from robseg.models.predict.batch import Batch

if TYPE_CHECKING:
    from robseg.models.predict.prediction import Predictor

__all__ = ["Job", "ShardDone", "Worker", "corrupt_sample", "predictions"]

SAMPLES_KEPT = 256 * 2**20  # bytes; a data set of a few hundred small images is read once


@dataclasses.dataclass(frozen=True)
class Job:
    """Everything a worker needs for any shard of a run; it is sent to each process once.

    `label_maps` translate each model's labels to the data set's classes (a table of 256 entries). Boundaries
    are counted at the widths of `boundaries`, in pixels.
    """

    models: Mapping[str, Predictor]
    label_maps: Mapping[str, NDArray[np.uint8]]
    dataset: Dataset
    context: Context
    batch_size: int
    boundaries: tuple[int, ...] = ()

    @property
    def regions(self) -> tuple[str, ...]:
        """The parts of an image that are counted."""
        return (WHOLE, *regions_at(self.boundaries))


class ShardDone(NamedTuple):
    """A shard that is on disk, and where its seconds went ("read", "corrupt", "predict:MODEL", ...)."""

    shard: Shard
    seconds: dict[str, float]


def corrupt_sample(sample: Sample, condition: Condition, *, seed: int, move_targets: bool) -> Sample:
    """Return the sample under a condition; the draws depend on the seed and the image's id alone."""
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
    job: Job, samples: Sequence[Sample], names: Sequence[str], seconds: Counter[str]
) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Yield each model's name and labels (N, H, W), in the data set's classes, for images of one size.

    What several models build on is computed once. `seconds` gains the time spent by each part.
    """
    batch = Batch(
        np.stack([sample.image for sample in samples]),
        [sample.id for sample in samples],
        timed=lambda part: _timed(seconds, f"predict:{part}"),
    )
    for name in names:
        yield name, job.label_maps[name][batch.result(job.models[name]).labels]


class Worker:
    """Does shards, one after the other, keeping the latest images at hand, up to SAMPLES_KEPT bytes of them.

    `stopped` is asked before each batch; where it says yes, the shard is given up with IncompleteRun.
    """

    def __init__(self, job: Job, counts_dir: Path, stopped: Callable[[], bool] = lambda: False) -> None:
        self.job = job
        self._counts_dir = counts_dir
        self._stopped = stopped
        self._samples: OrderedDict[int, Sample] = OrderedDict()
        self._kept = 0

    def run(self, shard: Shard) -> ShardDone:
        """Compute a shard and write its counts."""
        seconds: Counter[str] = Counter()
        rows: dict[Cell, Counts] = {}
        for start in range(0, len(shard.indices), self.job.batch_size):
            if self._stopped():
                raise IncompleteRun("The run was stopped.")
            batch = self._corrupted(shard, shard.indices[start : start + self.job.batch_size], seconds)
            for same_size in _by_size(batch):
                rows |= self._counted(shard, same_size, seconds)
        with _timed(seconds, "write"):
            self._write(shard, rows)
        return ShardDone(shard, dict(seconds))

    def _corrupted(self, shard: Shard, indices: tuple[int, ...], seconds: Counter[str]) -> list[Sample]:
        context = self.job.context
        with _timed(seconds, "read"):
            samples = [self._read(index) for index in indices]
        with _timed(seconds, "corrupt"):
            return [
                corrupt_sample(sample, shard.condition, seed=context.seed, move_targets=context.move_targets)
                for sample in samples
            ]

    def _counted(self, shard: Shard, batch: list[Sample], seconds: Counter[str]) -> dict[Cell, Counts]:
        rows = {}
        edges = self._edges(shard, batch, seconds)
        for model, labels in predictions(self.job, batch, shard.models, seconds):
            for place, (sample, prediction) in enumerate(zip(batch, labels, strict=True)):
                cell = Cell(model, shard.condition.corruption, shard.condition.severity, sample.id)
                with _timed(seconds, "count"):
                    rows[cell] = count(prediction, sample.target, self.job.dataset.num_classes)
                if edges:
                    with _timed(seconds, "boundaries"):
                        near = count_boundaries(prediction, edges[place], self.job.dataset.num_classes)
                    rows |= {cell._replace(region=region): counts for region, counts in near.items()}
        return rows

    def _edges(self, shard: Shard, batch: list[Sample], seconds: Counter[str]) -> list[Edges]:
        """Return the edges of the targets, nothing where the shard has no use for them."""
        widths = [width for width in self.job.boundaries if {*regions_at([width])} & {*shard.regions}]
        if not widths:
            return []
        with _timed(seconds, "boundaries"):
            return [edges_of(sample.target, widths) for sample in batch]

    def _write(self, shard: Shard, rows: Mapping[Cell, Counts]) -> None:
        for folder in dict.fromkeys(map(folder_of, shard.regions)):
            part = shard.part(folder)
            path = self._counts_dir if folder == folder_of(WHOLE) else self._counts_dir.with_name(folder)
            write_shard(path, part, self.job.context, _in_order(rows, part))

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


def _in_order(rows: Mapping[Cell, Counts], shard: Shard) -> dict[Cell, Counts]:
    """Return the shard's rows model by model and image by image, however they were batched."""
    condition = (shard.condition.corruption, shard.condition.severity)
    cells = product(shard.models, shard.images, shard.regions)
    in_order = [Cell(model, *condition, image, region) for model, image, region in cells]
    return {cell: rows[cell] for cell in in_order}


def _by_size(batch: list[Sample]) -> list[list[Sample]]:
    """Return the samples grouped by image size: only images of one size go through a network together."""
    groups: dict[tuple[int, ...], list[Sample]] = {}
    for sample in batch:
        groups.setdefault(sample.image.shape, []).append(sample)
    return list(groups.values())


@contextmanager
def _timed(seconds: Counter[str], stage: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[stage] += time.perf_counter() - start  # type: ignore[assignment]
