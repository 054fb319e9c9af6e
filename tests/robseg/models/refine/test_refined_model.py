"""A refined model is a model: it has a name, a card, an identity and a price of its own, and it predicts."""

import dataclasses
import pickle
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from robseg.errors import InputError
from robseg.models.architectures.segfix import SegFix
from robseg.models.model import Model, load_model
from robseg.models.predict.batch import Batch
from robseg.models.predict.prediction import Predictor
from robseg.models.refine.files import write_offsets
from robseg.models.refine.model import RefinedModel
from robseg.models.refine.offsets import Offsets, predicted_offsets, stored_offsets
from robseg.models.refine.predict import predict_offsets

IMAGES: NDArray[np.uint8] = np.random.default_rng(0).integers(0, 256, (2, 40, 56, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def segfix() -> Model:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return load_model("segfix", SegFix(backbone="mobilenet_v2", channels=8).state_dict())


@pytest.fixture
def stored(tmp_path: Path) -> Offsets:
    """Offsets two pixels to the right at a scale of 2."""
    for name in ("a", "b"):
        write_offsets(tmp_path / f"{name}.mat", np.broadcast_to(np.array([0, 1], np.int8), (40, 56, 2)))
    return stored_offsets(tmp_path, ["a", "b"])


def test_labels_and_their_confidence_move_together(model: Model, stored: Offsets) -> None:
    batch = Batch(IMAGES, ["a", "b"], confidence=True)
    plain, moved = batch.result(model), batch.result(RefinedModel(model, stored))
    assert plain.confidence is not None
    assert moved.confidence is not None
    np.testing.assert_array_equal(moved.labels[..., :-2], plain.labels[..., 2:])
    np.testing.assert_array_equal(moved.confidence[..., :-2], plain.confidence[..., 2:])


def test_base_and_offsets_are_computed_once_for_all(model: Model, segfix: Model) -> None:
    computed: list[str] = []

    def timed(name: str) -> nullcontext[None]:
        computed.append(name)
        return nullcontext()

    offsets = predicted_offsets(segfix)
    twin = dataclasses.replace(model, card=dataclasses.replace(model.card, id="twin"))
    batch = Batch(IMAGES, timed=timed)
    for each in (model, twin):
        batch.result(RefinedModel(each, offsets))
        batch.result(each)
    assert computed == [model.name, segfix.name, f"{model.name}+segfix", "twin", "twin+segfix"]


def test_it_predicts_from_images_alone_where_a_network_gives_the_offsets(model: Model, segfix: Model) -> None:
    refined = RefinedModel(model, predicted_offsets(segfix), scale=3)
    labels, offsets = model.predict(IMAGES), predict_offsets(segfix, IMAGES)
    assert offsets.any()
    rows, columns = np.mgrid[:40, :56]
    for image in range(2):
        row = np.clip(rows + 3 * offsets[image, ..., 0].astype(int), 0, 39)
        column = np.clip(columns + 3 * offsets[image, ..., 1].astype(int), 0, 55)
        np.testing.assert_array_equal(refined.predict(IMAGES)[image], labels[image][row, column])


def test_offsets_of_files_need_the_images_ids(model: Model, stored: Offsets) -> None:
    with pytest.raises(InputError, match="but got images alone: evaluate a data set"):
        RefinedModel(model, stored).predict(IMAGES)


def test_name_card_and_price_are_its_own(model: Model, segfix: Model) -> None:
    published = dataclasses.replace(model, card=dataclasses.replace(model.card, published_miou=0.7))
    refined = RefinedModel(published, predicted_offsets(segfix))
    assert refined.name == refined.card.id == f"{model.name}+segfix"
    assert refined.card.published_miou is None
    assert refined.card.class_names == model.card.class_names
    assert model.parameters is not None
    assert segfix.parameters is not None
    assert refined.parameters == model.parameters + segfix.parameters
    assert refined.gmacs(64, 96) == model.gmacs(64, 96) + segfix.gmacs(64, 96)


def test_files_cost_nothing(model: Model, stored: Offsets) -> None:
    refined = RefinedModel(model, stored)
    assert (refined.parameters, refined.gmacs(64, 96)) == (model.parameters, model.gmacs(64, 96))


def test_the_cost_is_unknown_where_the_bases_is(stored: Offsets) -> None:
    refined = RefinedModel(load_model(lambda x: x, class_names=["a", "b", "c"]), stored)
    assert (refined.parameters, refined.gmacs(64, 96)) == (None, None)


def test_base_offsets_and_scale_make_the_identity(model: Model, segfix: Model, stored: Offsets) -> None:
    flipped = dataclasses.replace(model, card=dataclasses.replace(model.card, flip=True))
    models: list[Predictor] = [
        model,
        RefinedModel(model, stored),
        RefinedModel(model, stored, scale=3),
        RefinedModel(model, dataclasses.replace(stored, identity="0" * 64)),
        RefinedModel(model, predicted_offsets(segfix)),
        RefinedModel(flipped, stored),
    ]
    assert len({each.identity for each in models}) == len(models)
    assert RefinedModel(model, stored).identity == models[1].identity


def test_the_facts_say_how_it_was_refined(
    model: Model, segfix: Model, stored: Offsets, tmp_path: Path
) -> None:
    assert model.facts == {}
    facts = RefinedModel(model, predicted_offsets(segfix), scale=3).facts
    assert facts["Refines the labels of"] == model.name
    assert facts["Refined by"] == f"segfix with {segfix.name}, 3 pixels per unit of offset"
    assert "as the models saw it" in facts["Offsets"]
    assert facts["Offsets, SHA-256"] == segfix.sha256
    facts = RefinedModel(model, stored).facts
    assert str(tmp_path) in facts["Refined by"]
    assert "leak what the corruptions hide" in facts["Offsets"]
    assert facts["Offsets, SHA-256"] == stored.sha256


def test_it_can_be_sent_to_a_process(model: Model, segfix: Model) -> None:
    refined = RefinedModel(model, predicted_offsets(segfix))
    sent = pickle.loads(pickle.dumps(refined))  # noqa: S301
    np.testing.assert_array_equal(sent.predict(IMAGES), refined.predict(IMAGES))
