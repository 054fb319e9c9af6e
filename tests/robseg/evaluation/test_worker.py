"""A worker reads an image once while it has room for it, and never holds more than that."""

import dataclasses
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from reports.run.context import Context
from reports.tallies import wanted
from robseg.datasets.base import Dataset, Sample
from robseg.evaluation import worker as worker_module
from robseg.evaluation.conditions import CLEAN_CONDITION
from robseg.evaluation.job import Job
from robseg.evaluation.shards import Shard
from robseg.evaluation.worker import ShardDone, Worker
from robseg.models.model import Model


@pytest.mark.parametrize(("room", "reads"), [(10**9, 1), (1, 3)])
def test_images_are_kept_while_there_is_room(
    model: Model, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int, reads: int
) -> None:
    monkeypatch.setattr(worker_module, "SAMPLES_KEPT", room)
    read: Counter[int] = Counter()

    def counted(index: int) -> Sample:
        read[index] += 1
        return dataset.read(index)

    names = ("first", "second")
    job = Job(
        conditions=(CLEAN_CONDITION,),
        models=dict.fromkeys(names, model),
        label_maps=dict.fromkeys(names, np.arange(256, dtype=np.uint8)),
        dataset=dataclasses.replace(dataset, read=counted),
        context=Context("d", {}, 0, True, "cpu", "fp32", dict.fromkeys(names, "sha")),
        tallies=wanted(()),
        batch_size=2,
    )
    worker = Worker(job, tmp_path)
    shard = Shard(CLEAN_CONDITION, (0, 1, 2), dataset.ids[:3], names, ("confusion",))
    for _ in range(3):
        *numbers, done = worker.run(shard)
        assert numbers == [0, 4, 2]  # the sign that it works, and then the predictions of each batch
        assert isinstance(done, ShardDone)
    assert read == {0: reads, 1: reads, 2: reads}
    held = sum(sample.image.nbytes + sample.target.nbytes for sample in worker._samples.values())
    assert held <= room or len(worker._samples) == 1
