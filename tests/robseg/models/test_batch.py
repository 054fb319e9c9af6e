"""A batch computes each part once, parts before what is built on them, and says how confident models are."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from robseg.errors import InputError
from robseg.models import load_model
from robseg.models.card import Card
from robseg.models.predict import inference
from robseg.models.predict.batch import Batch
from robseg.models.predict.inference import labels, predicted, preprocess
from tests.robseg.models.images import rgb

CARD = Card("m", "enet", "toy", ("a", "b", "c", "d", "e"))
WINDOWS = {"test_mode": "slide", "crop_size": (16, 24), "stride": (8, 12)}


@dataclasses.dataclass
class Toy:
    """A part that notes when it computes."""

    name: str
    log: list[str]
    parts: tuple[Any, ...] = ()

    def compute(self, batch: Batch) -> str:
        self.log.append(self.name)
        return self.name + "".join(batch.result(part) for part in self.parts)


def network() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Conv2d(3, 5, 3, stride=2, padding=1).eval()


def test_each_part_is_computed_once_and_timed_without_what_it_builds_on() -> None:
    log: list[str] = []

    @contextmanager
    def timed(name: str) -> Iterator[None]:
        log.append(f"<{name}")
        yield
        log.append(f"{name}>")

    base = Toy("base", log)
    one, other = Toy("one", log, (base,)), Toy("other", log, (base,))
    batch = Batch(rgb(2, 2), timed=timed)
    assert [batch.result(one), batch.result(other), batch.result(one)] == ["onebase", "otherbase", "onebase"]
    assert log == ["<base", "base", "base>", "<one", "one", "one>", "<other", "other", "other>"]


def test_equal_parts_are_not_the_same_part() -> None:
    log: list[str] = []
    batch = Batch(rgb(2, 2))
    batch.result(Toy("a", log))
    batch.result(Toy("a", log))
    assert log == ["a", "a"]


@pytest.mark.parametrize("at_once", [1, 2**26])
@pytest.mark.parametrize("fields", [{}, {"test_size": (24, 32)}, {"flip": True}, WINDOWS])
def test_confidence_is_the_softmax_of_the_averaged_logits(
    fields: dict[str, Any], at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inference, "VALUES_AT_ONCE", at_once)
    card, images = dataclasses.replace(CARD, **fields), rgb(40, 60)
    found = predicted(network(), images, card, confidence=True)
    monkeypatch.setattr(inference, "_strongest", lambda scores, *_: (scores, None))
    logits = torch.from_numpy(predicted(network(), images, card, confidence=True).labels)
    best = nn.functional.interpolate(logits, (40, 60), mode="bilinear").softmax(1).max(1)
    np.testing.assert_array_equal(found.labels, best.indices.numpy())
    assert found.confidence is not None
    assert found.confidence.dtype == np.float32
    np.testing.assert_allclose(found.confidence, best.values.numpy(), atol=1e-5)


def test_confidence_is_the_mean_probability_where_the_card_averages_these() -> None:
    card, images = dataclasses.replace(CARD, average="probabilities", flip=True), rgb(40, 60)
    found = predicted(network(), images, card, confidence=True)
    x = preprocess(images, card)
    with torch.inference_mode():
        both = [
            nn.functional.interpolate(network()(each), (40, 60), mode="bilinear").softmax(1)
            for each in (x, x.flip(-1))
        ]
    assert found.confidence is not None
    mean = (both[0] + both[1].flip(-1)) / 2
    np.testing.assert_allclose(found.confidence, mean.max(1).values.numpy(), atol=1e-5)


@pytest.mark.parametrize("fields", [{}, {"test_size": (24, 32)}, {"average": "probabilities"}])
def test_labels_are_the_same_whether_confidence_is_asked_for(fields: dict[str, Any]) -> None:
    card, images = dataclasses.replace(CARD, **fields), rgb(40, 60)
    found = predicted(network(), images, card, confidence=True)
    np.testing.assert_array_equal(found.labels, labels(network(), images, card))
    assert predicted(network(), images, card).confidence is None


def test_a_model_of_labels_alone_says_that_it_has_no_confidence() -> None:
    model = load_model(lambda images: images.argmax(1), class_names=["red", "green", "blue"])
    assert Batch(rgb(4, 4)).result(model).confidence is None
    with pytest.raises(InputError, match="Expected lambda to say how confident it is, but it answers labels"):
        Batch(rgb(4, 4), confidence=True).result(model)
