"""A worker reads an image once while it has room for it, and threads ahead of the models change no count."""

import contextlib
import dataclasses
import threading
import time
from collections import Counter
from typing import Any

import numpy as np
import pytest

from reports.run.context import Context
from reports.run.record import Condition
from reports.tallies import wanted
from robseg.datasets.base import Dataset, Sample
from robseg.errors import InputError
from robseg.evaluation import reading
from robseg.evaluation import worker as worker_module
from robseg.evaluation.conditions import CLEAN_CONDITION
from robseg.evaluation.job import Job
from robseg.evaluation.shards import RowKey, Shard, missing_shards
from robseg.evaluation.timed import PREDICT, WAITING, WORKING
from robseg.evaluation.worker import Counted, Worker
from robseg.models.model import Model

NAMES = ("first", "second")
CONDITIONS = (CLEAN_CONDITION, Condition("fog", 1, "weather"), Condition("shot_noise", 5, "noise"))


def job_of(model: Model, dataset: Dataset, **changes: Any) -> Job:
    job = Job(
        conditions=CONDITIONS,
        models=dict.fromkeys(NAMES, model),
        label_maps=dict.fromkeys(NAMES, np.arange(256, dtype=np.uint8)),
        dataset=dataset,
        context=Context("d", {}, 0, True, "cpu", "fp32", dict.fromkeys(NAMES, "sha")),
        tallies=wanted(()),
        batch_size=2,
    )
    return dataclasses.replace(job, **changes)


def rows_of(job: Job) -> dict[RowKey, dict[str, list[int]]]:
    shards = missing_shards(job.conditions, job.dataset.ids, NAMES, ["confusion"], ())
    done = [news for news in Worker(job).run(shards) if isinstance(news, Counted)]
    assert sorted(shards, key=str) == sorted((each.shard for each in done), key=str)
    return {
        key: {name: values.tolist() for name, values in row.items()}
        for each in done
        for key, row in each.rows.items()
    }


@pytest.mark.parametrize(("room", "reads"), [(10**9, 1), (1, 3)])
def test_images_are_kept_while_there_is_room(
    model: Model, dataset: Dataset, monkeypatch: pytest.MonkeyPatch, room: int, reads: int
) -> None:
    monkeypatch.setattr(reading, "SAMPLES_KEPT", room)
    read: Counter[int] = Counter()

    def counted(index: int) -> Sample:
        read[index] += 1
        return dataset.read(index)

    worker = Worker(job_of(model, dataclasses.replace(dataset, read=counted)))
    shard = Shard(CLEAN_CONDITION, (0, 1, 2), dataset.ids[:3], NAMES, ("confusion",))
    for _ in range(3):
        *numbers, done = worker.run([shard])
        assert numbers == [0, 4, 2]  # the sign that it works, and then the predictions of each batch
        assert isinstance(done, Counted)
    assert read == {0: reads, 1: reads, 2: reads}
    kept = worker._reader._kept
    held = sum(sample.image.nbytes + sample.target.nbytes for sample in kept._samples.values())
    assert held == kept._bytes
    assert held <= room or len(kept._samples) == 1


@pytest.mark.parametrize("batch_size", [1, 4])
def test_threads_ahead_change_no_count(model: Model, dataset: Dataset, batch_size: int) -> None:
    plain = rows_of(job_of(model, dataset))
    assert rows_of(job_of(model, dataset, prefetch_threads=3, batch_size=batch_size)) == plain


def test_nor_do_batches_that_wait_for_each_other_on_a_gpu(
    model: Model, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = rows_of(job_of(model, dataset))
    threads = set()
    real = worker_module.predictions

    def watched(*arguments: Any, **named: Any) -> Any:
        threads.add(threading.current_thread())
        return real(*arguments, **named)

    monkeypatch.setattr(worker_module, "predictions", watched)
    monkeypatch.setattr(worker_module, "own_stream", contextlib.nullcontext)
    context = dataclasses.replace(job_of(model, dataset).context, device="cuda")  # where the model is not
    assert rows_of(job_of(model, dataset, prefetch_threads=2, context=context)) == plain
    assert threading.main_thread() not in threads


@pytest.mark.parametrize(("threads", "sizes"), [(0, [2, 1] * 3), (2, [2, 2, 2, 2, 1])])
def test_with_threads_ahead_batches_are_filled_from_several_shards(
    model: Model, dataset: Dataset, threads: int, sizes: list[int]
) -> None:
    shards = [
        Shard(condition, (0, 1, 2), dataset.ids[:3], ("first",), ("confusion",)) for condition in CONDITIONS
    ]
    worker = Worker(job_of(model, dataset, prefetch_threads=threads))
    numbers = [news for news in worker.run(shards) if isinstance(news, int)]
    assert numbers == [0, *sizes]


@pytest.mark.parametrize(("threadsafe", "most"), [(False, 1), (True, 3)])
def test_a_data_set_of_a_user_is_read_by_one_thread_at_a_time(
    model: Model, dataset: Dataset, threadsafe: bool, most: int
) -> None:
    reading = []
    at_once = 0

    def read(index: int) -> Sample:
        nonlocal at_once
        reading.append(index)
        time.sleep(0.1)
        at_once = max(at_once, len(reading))
        reading.remove(index)
        return dataset.read(index)

    slow = dataclasses.replace(dataset, read=read, threadsafe=threadsafe)
    shard = Shard(CLEAN_CONDITION, (0, 1, 2, 3), dataset.ids[:4], ("first",), ("confusion",))
    assert list(Worker(job_of(model, slow, prefetch_threads=3)).run([shard]))
    assert at_once == most


def test_images_of_many_sizes_do_not_pile_up(model: Model, dataset: Dataset) -> None:
    """With batches of 8 that never fill, at most 16 images wait for others of their size."""
    open_ = 0
    most = 0

    def read(index: int) -> Sample:
        nonlocal open_, most
        open_ += 1
        most = max(most, open_)
        sample = dataset.read(index % len(dataset))
        side = 8 * (index + 2)
        return Sample(f"{index}", np.resize(sample.image, (8, side, 3)), np.resize(sample.target, (8, side)))

    ids = tuple(map(str, range(60)))
    many = dataclasses.replace(dataset, ids=ids, read=read, is_unchanged=lambda _: True)
    shard = Shard(CLEAN_CONDITION, tuple(range(60)), many.ids, ("first",), ("confusion",))
    for news in Worker(job_of(model, many, prefetch_threads=1, batch_size=8)).run([shard]):
        open_ -= news if isinstance(news, int) else 0
    assert most <= 16 + 9 + 1


def test_an_error_names_all_conditions_of_the_batch(
    model: Model, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise InputError("Expected this, but got that.")

    monkeypatch.setattr(worker_module, "predictions", broken)
    shards = [Shard(condition, (0,), dataset.ids[:1], ("first",), ("confusion",)) for condition in CONDITIONS]
    job = job_of(model, dataset, prefetch_threads=1)
    with pytest.raises(InputError, match="On clean images or under fog at severity 1: "):
        list(Worker(job).run(shards))


def test_the_seconds_say_how_long_the_device_waited(model: Model, dataset: Dataset) -> None:
    shard = Shard(CLEAN_CONDITION, (0, 1, 2), dataset.ids[:3], ("first",), ("confusion",))
    done = list(Worker(job_of(model, dataset)).run([shard]))[-1]
    assert isinstance(done, Counted)
    predicting = sum(seconds for stage, seconds in done.seconds.items() if stage.startswith(PREDICT))
    assert done.seconds[WORKING] == pytest.approx(predicting)
    assert done.seconds[WAITING] >= done.seconds["read"]
