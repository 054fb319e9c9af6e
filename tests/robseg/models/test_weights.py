"""Checkpoints are read strictly and safely, and written whole."""

import io
import os
import pickle
import shutil
from argparse import Namespace
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from robseg.errors import InputError
from robseg.models.card import Card
from robseg.models.catalogue import read_card
from robseg.models.checkpoints.digest import sha256_of
from robseg.models.checkpoints.unpickle import Stub, restricted_pickle
from robseg.models.checkpoints.weights import (
    read_checkpoint,
    read_weights,
    save_weights,
    sha256_of_tensors,
)

CARD = Card("enet@toy", "enet", "toy", ("road", "sky"))


class Trap:
    """Unpickles by making a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.folder),)


formats = pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
protocols = pytest.mark.parametrize("protocol", [2, 4, 5])


def save(path: Path, content: object, zipped: bool = True, protocol: int = 2) -> None:
    torch.save(content, path, pickle_protocol=protocol, _use_new_zipfile_serialization=zipped)


@formats
@protocols
def test_what_would_run_code_beside_tensors_is_left_out(tmp_path: Path, zipped: bool, protocol: int) -> None:
    path, sprung = tmp_path / "trap.pth", tmp_path / "sprung"
    tensors = {"a": torch.arange(4.0), "b": torch.nn.Parameter(torch.ones(2, 3).half())}
    save(path, {"args": Trap(sprung), "state_dict": OrderedDict(tensors)}, zipped, protocol)
    found = read_checkpoint(path)
    assert not sprung.exists()
    assert found.stubs == (f"{os.mkdir.__module__}.mkdir",)
    assert found.format == ("torch zip" if zipped else "torch legacy")
    assert found.tensors.keys() == tensors.keys()
    for key, tensor in tensors.items():
        assert torch.equal(found.tensors[key], tensor)


@formats
def test_a_training_programs_leftovers_are_left_out(tmp_path: Path, zipped: bool) -> None:
    history = Namespace(values=np.arange(3.0), last=np.float64(0.5), hub=[Filled(), FilledDict(a=1)])
    content = {"meta": {"epoch": 3}, "message_hub": history, "state_dict": {"a": torch.ones(2)}}
    save(tmp_path / "x.pth", content, zipped)
    found = read_checkpoint(tmp_path / "x.pth")
    assert torch.equal(found.tensors["a"], torch.ones(2))
    assert "argparse.Namespace" in found.stubs
    assert any(name.endswith("multiarray.scalar") for name in found.stubs)
    assert all("rebuild_tensor" not in name for name in found.stubs)


class Filled(list[int]):
    """Pickled as a class of a training program with items and a state."""

    def __init__(self) -> None:
        super().__init__([1, 2])
        self.note = "x"


class FilledDict(dict[str, int]):
    """Likewise, with keys."""


def test_a_pickle_cannot_change_what_it_may_call() -> None:
    rebuild = b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n"
    state = b"N}X\x0c\x00\x00\x00__defaults__K\x05\x85s\x86b."
    before = torch._utils._rebuild_tensor_v2.__defaults__
    assert restricted_pickle({}).load(io.BytesIO(rebuild + state))
    assert torch._utils._rebuild_tensor_v2.__defaults__ == before


@pytest.mark.parametrize(
    "name", ["builtins eval", "os system", "torch load", "torch.storage _load_from_bytes"]
)
def test_names_that_run_things_are_stubs(name: str) -> None:
    module, attribute = name.split()
    made = restricted_pickle({}).load(io.BytesIO(f"c{module}\n{attribute}\n(S'1/0'\ntR.".encode()))
    assert isinstance(made, Stub)
    assert made.origin == f"{module}.{attribute}"


@formats
def test_a_whole_pickled_model_is_refused(tmp_path: Path, zipped: bool) -> None:
    save(tmp_path / "x.pth", torch.nn.Linear(2, 2), zipped)
    with pytest.raises(InputError, match=r"building them would run torch.nn.modules.linear.Linear"):
        read_weights(tmp_path / "x.pth")
    save(tmp_path / "y.pth", {"state_dict": {"a": Namespace(b=torch.ones(2))}}, zipped)
    with pytest.raises(InputError, match=r"building them would run argparse.Namespace"):
        read_weights(tmp_path / "y.pth")


def test_a_plain_pickle_is_not_a_checkpoint_and_is_not_run(tmp_path: Path) -> None:
    path = tmp_path / "trap.pkl"
    path.write_bytes(pickle.dumps(Trap(tmp_path / "sprung"), protocol=4))
    with pytest.raises(InputError, match="cannot be read as one"):
        read_weights(path)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    "meta",
    [{"CLASSES": ("road", "sky"), "PALETTE": [[1, 2, 3]]}, {"dataset_meta": {"classes": ["road", "sky"]}}],
)
def test_the_class_names_of_mmsegmentation_are_found(tmp_path: Path, meta: dict[str, object]) -> None:
    save(tmp_path / "x.pth", {"meta": meta, "state_dict": {"a": torch.ones(2)}})
    assert read_checkpoint(tmp_path / "x.pth").class_names == ("road", "sky")


@pytest.mark.parametrize("meta", [3, {}, {"CLASSES": None}, {"CLASSES": [1, 2]}, {"dataset_meta": 5}])
def test_odd_meta_data_names_no_classes(tmp_path: Path, meta: object) -> None:
    save(tmp_path / "x.pth", {"meta": meta, "state_dict": {"a": torch.ones(2)}})
    assert read_checkpoint(tmp_path / "x.pth").class_names is None


@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
@pytest.mark.parametrize("kept", [0, 7, 100])
def test_a_file_cut_short_is_named(tmp_path: Path, name: str, kept: int) -> None:
    path = tmp_path / name
    if name.endswith("pth"):
        torch.save({"a": torch.zeros(100)}, path)
    else:
        save_weights(path, {"a": torch.zeros(100)}, CARD)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(InputError, match=rf"Expected a checkpoint in .*{name}, but it cannot be read"):
        read_weights(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no such file"):
        read_weights(tmp_path / "none.pth")


@pytest.mark.parametrize("content", [[1, 2], {}, {"epoch": 3}, {"state_dict": {"a": 1.5}}])
def test_what_holds_no_tensors_is_said_so(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "x.pth")
    with pytest.raises(InputError, match="to hold named tensors"):
        read_weights(tmp_path / "x.pth")


@pytest.mark.parametrize("container", ["state_dict", "model_state_dict", "model_state", "model", None])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_tensors_are_found_in_the_usual_containers(
    tmp_path: Path, container: str | None, prefix: str
) -> None:
    tensors = {f"{prefix}a": torch.ones(2).half(), f"{prefix}b": torch.tensor(3)}
    content: object = {container: tensors, "epoch": 3} if container else tensors
    torch.save(content, tmp_path / "x.pth")
    found = read_weights(tmp_path / "x.pth")
    assert {key: tensor.dtype for key, tensor in found.items()} == {"a": torch.float32, "b": torch.int64}


def test_values_beyond_half_precision_are_kept(tmp_path: Path) -> None:
    tensors = {"bn.running_var": torch.tensor([1e6, 1.0]), "a": torch.tensor([0.5])}
    save_weights(tmp_path / "w.safetensors", tensors, CARD)
    found = read_weights(tmp_path / "w.safetensors")
    assert torch.equal(found["bn.running_var"], tensors["bn.running_var"])


def test_half_precision_halves_the_file(tmp_path: Path) -> None:
    tensors = {"a": torch.zeros(100_000)}
    save_weights(tmp_path / "full.safetensors", tensors, CARD, half=False)
    save_weights(tmp_path / "half.safetensors", tensors, CARD)
    sizes = [(tmp_path / f"{name}.safetensors").stat().st_size for name in ("full", "half")]
    assert sizes[1] < 0.51 * sizes[0]


def test_the_card_beside_weights_tells_their_hash(tmp_path: Path) -> None:
    path = tmp_path / "enet@toy.safetensors"
    save_weights(path, {"a": torch.zeros(3)}, CARD)
    card = read_card(tmp_path / "enet@toy.json")
    assert (card.sha256, card.weights_file) == (sha256_of(path), path.name)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["enet@toy.json", "enet@toy.safetensors"]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "w.safetensors"
    save_weights(path, {"a": torch.zeros(3)}, CARD)
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="No space"):
        save_weights(path, {"a": torch.ones(3)}, CARD)
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 2


def test_the_hash_of_tensors_sees_names_shapes_and_values_but_not_order() -> None:
    def digest(**tensors: Tensor) -> str:
        return sha256_of_tensors(tensors)

    a, b = torch.zeros(4), torch.ones(4)
    assert digest(a=a, b=b) == digest(b=b, a=a)
    others = [digest(a=b, b=a), digest(a=a, c=b), digest(a=a.reshape(2, 2), b=b), digest(a=a.double(), b=b)]
    assert len({digest(a=a, b=b), *others}) == 5


def test_copies_of_a_file_have_one_hash(tmp_path: Path) -> None:
    save_weights(tmp_path / "w.safetensors", {"a": torch.zeros(3)}, CARD)
    shutil.copy(tmp_path / "w.safetensors", tmp_path / "v.safetensors")
    assert sha256_of(tmp_path / "w.safetensors") == sha256_of(tmp_path / "v.safetensors")
