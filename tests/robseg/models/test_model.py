"""A loaded model knows what it is, and checks what it is given."""

import dataclasses
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from robseg.errors import InputError
from robseg.models import catalogue, load_model
from robseg.models.architectures.enet import CAMVID, ENet
from robseg.models.card import Card
from robseg.models.catalogue import card_to_json
from robseg.models.checkpoints import fetch
from robseg.models.checkpoints.digest import sha256_of
from robseg.models.checkpoints.weights import save_weights
from tests.robseg.models.images import rgb

CARD = Card("m", "enet", "toy", ("a", "b", "c"))


@pytest.mark.parametrize(
    "images",
    [
        rgb(8, 8)[0],
        rgb(8, 8)[..., :2],
        rgb(8, 8).astype(np.float32),
        rgb(8, 8)[:0],
        [[1]],
    ],
)
def test_predict_says_what_it_expects(images: Any) -> None:
    with pytest.raises(ValueError, match=r"Expected `images` .*, but got"):
        load_model("enet", ENet(3).state_dict()).predict(images)


def test_predict_takes_views_and_read_only_arrays_and_leaves_them() -> None:
    loaded = load_model("enet", ENet(3).state_dict())
    image = rgb(16, 16)
    image.flags.writeable = False
    before = image.copy()
    flipped = loaded.predict(image[:, :, ::-1])
    np.testing.assert_array_equal(flipped, loaded.predict(image[:, :, ::-1].copy()))
    np.testing.assert_array_equal(image, before)


def test_a_state_dict_of_any_known_layout_loads() -> None:
    tensors = {f"module.{key}": tensor for key, tensor in ENet(12).state_dict().items()}
    loaded = load_model("enet", {"state_dict": tensors})
    assert loaded.card.class_names == (*CAMVID, "void")
    assert not loaded.network.training
    assert loaded.parameters == sum(p.numel() for p in ENet(12).parameters())


def test_a_file_without_card_is_named_after_itself(tmp_path: Path) -> None:
    path = tmp_path / "mine.pth"
    torch.save(ENet(3, 2018).state_dict(), path)
    loaded = load_model("enet", path)
    assert (loaded.name, loaded.sha256) == ("enet:mine", sha256_of(path))
    assert loaded.card.class_names == ("class 0", "class 1", "class 2")
    assert loaded.card.options == {"generation": 2018}
    assert loaded.card.size_divisor == 8


@pytest.mark.parametrize(
    ("num_classes", "given", "expected"),
    [
        (3, ("x", "y", "z"), ("x", "y", "z")),
        (2, ("x", "y", "z"), ("class 0", "class 1")),
        (12, ("x",) * 12, (*CAMVID, "void")),
    ],
)
def test_given_class_names_fill_what_the_file_leaves_open(
    num_classes: int, given: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    assert load_model("enet", ENet(num_classes).state_dict(), class_names=given).card.class_names == expected


def test_a_card_that_is_not_the_files_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    card = save_weights(path, ENet(3).state_dict(), dataclasses.replace(CARD, id="enet@toy"))
    save_weights(path, ENet(3).state_dict(), CARD)
    (tmp_path / "w.json").write_text(card_to_json(card))
    with pytest.raises(InputError, match="SHA-256"):
        load_model("enet", path)


def test_class_names_beside_the_tensors_are_the_models(tmp_path: Path) -> None:
    content = {"meta": {"CLASSES": ("a", "b", "c")}, "state_dict": ENet(3).state_dict()}
    torch.save(content, tmp_path / "w.pth")
    assert load_model("enet", tmp_path / "w.pth").card.class_names == ("a", "b", "c")


def test_a_card_with_another_number_of_classes_is_noticed(tmp_path: Path) -> None:
    save_weights(tmp_path / "w.safetensors", ENet(4).state_dict(), CARD)
    with pytest.raises(InputError, match="3 classes of its card, but it has 4 outputs"):
        load_model("enet", tmp_path / "w.safetensors")


def test_shipped_weights_load_by_id_and_are_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "enet@toy.safetensors"
    card = save_weights(path, ENet(3).state_dict(), dataclasses.replace(CARD, id="enet@toy", size_divisor=8))
    monkeypatch.setattr(catalogue, "CARDS", {card.id: card})
    monkeypatch.setattr(fetch, "ZOO", tmp_path)
    assert load_model("enet").card == dataclasses.replace(card, options={"generation": 2021})
    path.write_bytes(path.read_bytes()[:-1] + b"\1")
    with pytest.raises(InputError, match="SHA-256"):
        load_model("enet@toy")
    path.unlink()
    with pytest.raises(InputError, match="is missing"):
        load_model("enet@toy")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"spec": "ennet"}, "did you mean 'enet'"),
        ({"device": "cuda:77"}, "Expected `device`"),
        ({"device": "toaster"}, "Expected `device`"),
        ({"precision": "fp16"}, "Expected a GPU for precision fp16"),
        ({"precision": "fp8"}, "Expected `precision` to be one of fp32, bf16, fp16"),
        ({"weights": "none.pth"}, "no such file"),
    ],
)
def test_a_users_mistakes_are_reported(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_model(**{"spec": "enet", "weights": ENet(2).state_dict(), **options})


def test_a_model_can_be_sent_to_a_process() -> None:
    loaded = load_model("enet", ENet(3).state_dict())
    image = rgb(24, 24)
    sent = pickle.loads(pickle.dumps(loaded))  # noqa: S301
    np.testing.assert_array_equal(sent.predict(image), loaded.predict(image))


def test_denormal_numbers_are_flushed() -> None:
    loaded = load_model("enet", ENet(2).state_dict())
    torch.set_flush_denormal(False)  # as in a new process
    loaded.predict(rgb(8, 8))
    assert (torch.tensor([1e-30]) * 1e-10).item() == 0.0


def test_gmacs_are_those_of_the_convolutions() -> None:
    def macs(height: int, width: int) -> float:
        return load_model("enet", ENet(12).state_dict()).gmacs(height, width)

    last = 16 * 12 * 9 * 32 * 48 / 1e9  # the last layer alone: in, out, kernel, its input's pixels
    assert macs(64, 96) - load_model("enet", ENet(1).state_dict()).gmacs(64, 96) == pytest.approx(
        last * 11 / 12
    )
    assert macs(57, 89) == macs(64, 96)
    assert macs(128, 192) == pytest.approx(4 * macs(64, 96))
