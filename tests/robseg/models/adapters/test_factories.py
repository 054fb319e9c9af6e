"""`py:module:factory`: everything that a factory may make, and everything that may go wrong."""

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from robseg.errors import InputError
from robseg.models import load_model
from robseg.models.checkpoints.digest import sha256_of

MODULE = """
import torch
from robseg.models import Card, load_model

CARD = Card("mine", "mine", "toy", ("sky", "road", "car"), mean=(9.0, 9.0, 9.0))


def plain():
    return torch.nn.Conv2d(3, 3, 1)


class Own(torch.nn.Module):
    card = CARD

    def forward(self, images):
        return images


def local_class():
    class Hidden(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Conv2d(3, 3, 1)

        def forward(self, images):
            return self.layer(images)

    return Hidden()


def with_card():
    return torch.nn.Conv2d(3, 3, 1), CARD


def function():
    return lambda images: images.flip(1)


def loaded():
    return load_model(torch.nn.Conv2d(3, 3, 1), card=CARD)


def number():
    return 7


def failing():
    raise RuntimeError("no weights\\nin /nowhere.")


def demanding(path):
    return path


ready = torch.nn.Conv2d(3, 3, 1)
constant = 3
"""
NAMES = ("sky", "road", "car")


@pytest.fixture(autouse=True, scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("here")
    (folder / "user_models.py").write_text(MODULE)
    (folder / "broken_models.py").write_text("1 / 0\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        load_model("py:user_models:plain", class_names=NAMES)  # finds a module of this folder


@pytest.mark.parametrize("name", ["plain", "local_class", "function", "ready"])
def test_a_model_without_card_answers_the_given_classes(name: str, images: NDArray[np.uint8]) -> None:
    model = load_model(f"py:user_models:{name}", class_names=NAMES)
    assert model.name == f"py:user_models:{name}"
    assert model.card.class_names == NAMES
    sent = pickle.loads(pickle.dumps(model))  # noqa: S301
    np.testing.assert_array_equal(sent.predict(images), model.predict(images))


@pytest.mark.parametrize("name", ["with_card", "Own", "loaded"])
def test_a_models_own_card_is_followed(name: str) -> None:
    card = load_model(f"py:user_models:{name}", class_names=("others",) * 3).card
    assert (card.id, card.class_names, card.mean) == ("mine", NAMES, (9.0, 9.0, 9.0))


def test_weights_are_loaded_into_what_the_factory_makes(tmp_path: Path) -> None:
    tensors = torch.nn.Conv2d(3, 3, 1).state_dict()
    torch.save(tensors, tmp_path / "w.pth")
    model = load_model("py:user_models:plain", tmp_path / "w.pth", class_names=NAMES)
    assert model.sha256 == sha256_of(tmp_path / "w.pth")
    assert torch.equal(model.network.state_dict()["model.weight"], tensors["weight"])
    with pytest.raises(InputError, match="do not fit"):
        load_model("py:user_models:plain", {"weight": tensors["weight"]}, class_names=NAMES)
    with pytest.raises(InputError, match="leave --weights out"):
        load_model("py:user_models:function", tmp_path / "w.pth", class_names=NAMES)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("user_models", "name both, with a colon"),
        ("no_such_models:make", "Expected to import the module 'no_such_models'"),
        ("broken_models:make", r"'broken_models' .* ZeroDivisionError \(division by zero\)"),
        (
            "user_models:maek",
            "Expected 'maek' in the module 'user_models', but there is none: it has .*plain",
        ),
        ("user_models:constant", "to be a function that makes a model, but got int"),
        ("user_models:number", "to make a model, or a model and its Card, but got int"),
        ("user_models:failing", r"to make a model, but got RuntimeError \(in /nowhere\)"),
        ("user_models:demanding", "to make a model, but got TypeError .* missing 1 required"),
    ],
)
def test_a_factorys_fault_is_reported_in_a_line(name: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as told:
        load_model(f"py:{name}", class_names=NAMES)
    assert "\n" not in str(told.value)


def test_changed_code_is_another_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    text = "import torch\nclass Net(torch.nn.Module):\n    def forward(self, x):\n        return {}\n"
    digests = []
    for name, answer in (("first_net", "x"), ("second_net", "x.flip(1)")):
        (tmp_path / f"{name}.py").write_text(text.format(answer))
        digests.append(load_model(f"py:{name}:Net", class_names=NAMES).card.options["code"])
    assert digests[0] != digests[1]


def test_what_cannot_be_sent_to_a_process_is_reported() -> None:
    answer: Callable[..., object] = lambda images: images  # noqa: E731
    with pytest.raises(InputError, match=r"lambda cannot be pickled .* use num_workers=0"):
        pickle.dumps(load_model(answer, class_names=NAMES))
