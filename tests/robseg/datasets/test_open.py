"""What holds for every data set, and how its root is found."""

import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from robseg.datasets import DATASETS, open_dataset
from robseg.datasets.base import IGNORE_INDEX, Dataset
from robseg.errors import InputError

Tree = Callable[[str], Path]
IN_FILES = tuple(name for name in DATASETS if DATASETS[name].needs_root)


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("ROBSEG_DATA_ROOT", "CITYSCAPES_DATASET"):
        monkeypatch.delenv(variable, raising=False)


def contents(dataset: Dataset) -> list[tuple[str, bytes, bytes]]:
    samples = [dataset.read(index) for index in range(len(dataset))]
    return [(each.id, each.image.tobytes(), each.target.tobytes()) for each in samples]


def test_every_data_set_of_the_design_is_there() -> None:
    assert {"camvid", "cityscapes", "voc2012", "ade20k", "bdd100k", "folder"} <= {*IN_FILES}


@pytest.mark.parametrize("name", tuple(DATASETS))
def test_a_module_is_named_after_its_data_set(name: str) -> None:
    assert DATASETS[name].name == name


@pytest.mark.parametrize("name", tuple(DATASETS))
def test_a_card_agrees_with_itself(name: str) -> None:
    card = DATASETS[name]
    assert card.name == name
    assert card.title
    assert card.default_split in card.splits
    assert len(set(card.class_names)) == len(card.class_names)
    assert all(each == each.strip() and each for each in card.class_names)


@pytest.mark.parametrize("name", IN_FILES)
def test_every_split_reads_as_its_card_says(tree: Tree, name: str) -> None:
    root = tree(name)
    for split in DATASETS[name].splits:
        dataset = open_dataset(name, root, split)
        assert dataset.split == split
        assert DATASETS[name].class_names in (dataset.class_names, ())
        assert len(dataset.palette) == len(dataset.class_names) > 1
        assert len(set(dataset.ids)) == len(dataset) > 0
        assert list(dataset.ids) == sorted(dataset.ids)
        for index in range(len(dataset)):
            sample = dataset.read(index)
            assert sample.id == dataset.ids[index]
            assert sample.image.dtype == sample.target.dtype == np.uint8
            assert sample.image.shape == (*sample.target.shape, 3) == (4, 6, 3)
            assert sample.image.flags.writeable
            assert sample.target.flags.writeable
            assert set(np.unique(sample.target)) <= {*range(dataset.num_classes), IGNORE_INDEX}
            assert {0, dataset.num_classes - 1, IGNORE_INDEX} == set(np.unique(sample.target))


@pytest.mark.parametrize("name", IN_FILES)
def test_reading_goes_on_in_another_process(tree: Tree, name: str) -> None:
    dataset = open_dataset(name, tree(name))
    assert contents(pickle.loads(pickle.dumps(dataset))) == contents(dataset)  # noqa: S301


@pytest.mark.parametrize("name", IN_FILES)
def test_the_fingerprint_changes_with_the_files_and_with_nothing_else(
    tree: Tree, name: str, tmp_path: Path
) -> None:
    root = tree(name)
    before = open_dataset(name, root)
    assert open_dataset(name, shutil.copytree(root, tmp_path / "copy")).fingerprint == before.fingerprint
    assert before.spread(1).fingerprint == before.fingerprint
    with before.read.pairs[0].target.open("ab") as file:  # type: ignore[attr-defined]
        file.write(b"!")
    assert open_dataset(name, root).fingerprint != before.fingerprint


@pytest.mark.parametrize("name", IN_FILES)
def test_an_unreadable_file_is_named(tree: Tree, name: str) -> None:
    dataset = open_dataset(name, tree(name))
    pair = dataset.read.pairs[0]  # type: ignore[attr-defined]
    for path in (pair.target, pair.image):
        data = path.read_bytes()
        for broken in (data[: len(data) // 2], b"", b"not an image"):
            path.write_bytes(broken)
            with pytest.raises(InputError, match=rf"readable image file '.*{path.name}'"):
                dataset.read(0)
        path.unlink()
        with pytest.raises(InputError, match=rf"{path.name}', but got: No such file"):
            dataset.read(0)


@pytest.mark.parametrize("name", IN_FILES)
def test_an_empty_root_is_refused_with_what_is_missing(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=rf"Expected .*'{tmp_path}/.*"):
        open_dataset(name, tmp_path)


@pytest.mark.parametrize("name", IN_FILES)
def test_without_a_root_the_ways_to_give_one_are_reported(name: str) -> None:
    with pytest.raises(InputError) as error:
        open_dataset(name)
    for word in ("--data-root", "ROBSEG_DATA_ROOT", f"'{name}'", DATASETS[name].variable, " holding "):
        assert word in str(error.value)
    assert len(str(error.value).splitlines()) <= 2


def test_roots_are_looked_up_in_their_order(
    tree: Tree, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    here = tree("cityscapes")
    monkeypatch.setenv("CITYSCAPES_DATASET", str(here))
    assert len(open_dataset("cityscapes")) == 2
    monkeypatch.setenv("ROBSEG_DATA_ROOT", str(tmp_path / "none"))
    assert len(open_dataset("cityscapes")) == 2
    shared = tmp_path / "shared" / "cityscapes"
    shutil.copytree(here, shared)
    shutil.rmtree(shared / "leftImg8bit/val/ulm")
    shutil.rmtree(shared / "gtFine/val/ulm")
    monkeypatch.setenv("ROBSEG_DATA_ROOT", str(tmp_path / "shared"))
    assert len(open_dataset("cityscapes")) == 1
    assert len(open_dataset("cityscapes", here)) == 2


def test_variables_that_point_to_nothing_are_reported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ROBSEG_DATA_ROOT", str(tmp_path))
    with pytest.raises(InputError, match=f"'{tmp_path}/camvid' does not exist"):
        open_dataset("camvid")


def test_a_root_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"/gone' does not exist: correct the path"):
        open_dataset("camvid", tmp_path / "gone")


def test_a_misspelt_data_set_or_split_is_suggested(tree: Tree) -> None:
    with pytest.raises(InputError, match="Unknown data set 'camvit': did you mean 'camvid'"):
        open_dataset("camvit")
    with pytest.raises(InputError, match="Unknown split of camvid 'tests': did you mean 'test'"):
        open_dataset("camvid", tree("camvid"), "tests")


def test_the_default_data_set_comes_first_and_needs_no_root(tmp_path: Path) -> None:
    assert next(iter(DATASETS)) == "streets"
    assert open_dataset("streets").name == "streets"
    with pytest.raises(InputError, match="Expected no root for streets"):
        open_dataset("streets", tmp_path)


def test_opening_data_needs_no_torch() -> None:
    code = "import sys, robseg.datasets; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
