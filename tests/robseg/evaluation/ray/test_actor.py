"""An actor says what it has counted, or why it cannot count as the run that it works for."""

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import save_file

from robseg.errors import InputError
from robseg.evaluation.job import prepare
from robseg.evaluation.ray.actor import Actor, ActorNews
from robseg.evaluation.request import Request
from robseg.evaluation.shards import Shard, missing_shards
from robseg.evaluation.worker import Counted, Worker
from robseg.models.architectures.enet import ENet


def request_of(tree: Path, weights: Path, **more: Any) -> Request:
    return Request("enet", "folder", "pixelate", (1,), weights=weights, data_root=tree, name="mine", **more)


def shards_of(request: Request) -> list[Shard]:
    job = prepare(request)
    return missing_shards(job.conditions, job.dataset.ids, [*job.models], ["confusion"], ())


def heard(actor: Actor) -> list[ActorNews]:
    """Return all that an actor says until it wants a shard, or has failed."""
    news: list[ActorNews] = []
    while not news or not (news[-1] is None or isinstance(news[-1], Exception)):
        news += actor.work([])
    return news


def test_an_actor_counts_what_a_worker_counts(tree: Path, weights: Path) -> None:
    request = request_of(tree, weights)
    job, shards = prepare(request), shards_of(request)
    actor = Actor(request, job.context, str(Path.cwd()))
    assert heard(actor) == [0, None]
    found = []
    for shard in shards:
        actor.work([shard])
        found += [news for news in heard(actor) if isinstance(news, Counted)]
    expected = [news for news in Worker(job).run(shards) if isinstance(news, Counted)]
    assert [one.shard for one in found] == [one.shard for one in expected]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_equal(one.rows, other.rows)


def test_other_weights_are_refused(tree: Path, weights: Path, tmp_path: Path) -> None:
    other = tmp_path / weights.name
    save_file({key: tensor.contiguous() for key, tensor in ENet(3).state_dict().items()}, other)
    context = prepare(request_of(tree, weights)).context
    (error,) = heard(Actor(request_of(tree, other), context, str(Path.cwd())))
    assert isinstance(error, InputError)
    assert "Expected the same mine as where the command runs" in str(error)


def test_other_data_are_refused(tree: Path, weights: Path, tmp_path: Path) -> None:
    shutil.copytree(tree, tmp_path / "other")
    Image.new("RGB", (64, 48)).save(tmp_path / "other" / "images" / "4.png")
    context = prepare(request_of(tree, weights)).context
    (error,) = heard(Actor(request_of(tmp_path / "other", weights), context, str(Path.cwd())))
    assert isinstance(error, InputError)
    assert "Expected the same data" in str(error)


def test_missing_data_are_an_error(tree: Path, weights: Path, tmp_path: Path) -> None:
    context = prepare(request_of(tree, weights)).context
    (error,) = heard(Actor(request_of(tmp_path / "nowhere", weights), context, str(Path.cwd())))
    assert isinstance(error, InputError)
    assert "nowhere" in str(error)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"versions": {"robseg": "0.0.1"}}, "version of robseg"),
        ({"set_versions": {"pixelate": "0"}}, "set_version"),
    ],
)
def test_other_versions_are_refused(tree: Path, weights: Path, change: dict[str, Any], what: str) -> None:
    request = request_of(tree, weights)
    there = dataclasses.replace(prepare(request).context, **change)
    (error,) = heard(Actor(request, there, str(Path.cwd())))
    assert isinstance(error, InputError)
    assert f"Expected the same {what} as where the command runs" in str(error)
