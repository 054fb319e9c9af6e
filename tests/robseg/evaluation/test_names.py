"""Models of one run have different names, whatever their files are called."""

import shutil
from pathlib import Path

import pytest
import torch

from robseg.datasets.base import Dataset
from robseg.errors import InputError
from robseg.evaluation.job import prepare
from robseg.evaluation.request import Request
from robseg.models.architectures.enet import ENet


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Two checkpoints of one name."""
    found = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        found.append(tmp_path / f"exp{seed}" / "best.pth")
        found[-1].parent.mkdir()
        torch.save(ENet(3).state_dict(), found[-1])
    return found


def test_files_of_one_name_are_told_apart_by_their_folders(dataset: Dataset, files: list[Path]) -> None:
    job = prepare(Request(["enet", "enet"], dataset, "none", weights=files))
    assert [*job.models] == ["enet:exp1/best", "enet:exp2/best"]
    assert len(set(job.context.models.values())) == 2
    (alone,) = prepare(Request("enet", dataset, "none", weights=files[0])).models
    assert alone == "enet:best"


def test_files_that_differ_in_their_ending_only_keep_it(dataset: Dataset, files: list[Path]) -> None:
    other = shutil.copy(files[1], files[0].with_suffix(".ckpt"))
    job = prepare(Request(["enet", "enet"], dataset, "none", weights=[files[0], other]))
    assert [*job.models] == ["enet:best.pth", "enet:best.ckpt"]


def test_models_can_be_named(dataset: Dataset, files: list[Path]) -> None:
    job = prepare(Request(["enet", "enet"], dataset, "none", weights=files, name=["old", "new"]))
    assert [*job.models] == ["old", "new"]
    (one,) = prepare(Request(lambda images: images, dataset, "none", name="mine")).models
    assert one == "mine"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (["one"], "Expected one --name for each model, but got 1 for 2"),
        (["same", "same"], "'same' twice: leave one out, or name them with --name"),
        (["one", " "], "--name to be a text, but got an empty one"),
    ],
)
def test_names_that_do_not_fit_are_refused(
    dataset: Dataset, files: list[Path], name: list[str], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        prepare(Request(["enet", "enet"], dataset, "none", weights=files, name=name))


def test_the_same_file_twice_is_refused(dataset: Dataset, files: list[Path]) -> None:
    with pytest.raises(InputError, match="'enet:best' twice"):
        prepare(Request(["enet", "enet"], dataset, "none", weights=[files[0], files[0]]))
