"""Models are timed alone, after the run, and once."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

import robseg
from reports.run.record import RunRecord
from robseg.datasets.base import Dataset
from robseg.evaluation import speed
from robseg.evaluation.job import Job, prepare
from robseg.evaluation.request import Request
from robseg.models.model import Model


class Clock:
    """A clock on which each prediction takes as long as the list says, in seconds."""

    def __init__(self, seconds: list[float]) -> None:
        self.seconds, self.calls, self.now = seconds, 0, 0.0

    def perf_counter(self) -> float:
        if self.calls % 2:
            self.now += self.seconds[self.calls // 2]
        self.calls += 1
        return self.now


@pytest.fixture
def job(model: Model, dataset: Dataset) -> Job:
    return prepare(Request(model, dataset=dataset, corruptions="none"))


def test_a_speed_is_the_median_of_what_follows_the_warm_up(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "time", Clock([9.0, 0.002, 0.001, 0.005, 0.003, 0.004]))
    found = speed.measure(job, next(iter(job.models)))
    assert found == pytest.approx((3.0, 1.0, 5.0))


def test_models_are_timed_with_one_thread_and_the_threads_are_restored(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, seen = torch.get_num_threads(), []
    name = next(iter(job.models))
    compute = Model.compute

    def watched(self: Model, batch: Any) -> Any:
        seen.append(torch.get_num_threads())
        return compute(self, batch)

    monkeypatch.setattr(Model, "compute", watched)
    torch.set_num_threads(2)
    try:
        speed.measure(job, name)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert seen == [speed.THREADS] * (speed.WARM_UP + speed.TIMED)


def test_a_continued_run_keeps_its_times_and_an_old_one_shows_none(
    model: Model, dataset: Dataset, tmp_path: Path
) -> None:
    def evaluated(corruptions: str) -> RunRecord:
        robseg.evaluate(model, dataset, corruptions, severities=[3], out=tmp_path, examples=False)
        return RunRecord.load(tmp_path)

    (first,), (second,) = (evaluated(names).models for names in ("none", "fog"))
    assert first.ms_per_image == second.ms_per_image
    assert first.ms_range is not None
    assert 0 < first.ms_range[0] <= (first.ms_per_image or 0) <= first.ms_range[1]
    assert robseg.load(tmp_path).summary["ms_per_image"][0] == first.ms_per_image
    text = (tmp_path / "run.json").read_text()
    start = text.index('"ms_range": [')
    (tmp_path / "run.json").write_text(text[:start] + '"ms_range": null' + text[text.index("]", start) + 1 :])
    assert pd.isna(robseg.load(tmp_path).summary["ms_per_image"][0])
