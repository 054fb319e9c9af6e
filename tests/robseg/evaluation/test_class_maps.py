"""A class map says what outputs of models and targets of data sets count as."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import robseg
from robseg.datasets import DATASETS
from robseg.evaluation.class_maps import read_class_map, shipped
from robseg.models.model import Model, load_model
from tests.invoke import invoke

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (3, 20, 30, 3), np.uint8)
TARGETS = RNG.integers(0, 4, (3, 20, 30))
CITYSCAPES, CAMVID = (DATASETS[name].class_names for name in ("cityscapes", "camvid"))


def iou(prediction: Any, target: Any, classes: int) -> list[float]:
    labelled = target != 255
    return [
        ((prediction == c) & (target == c)).sum() / (((prediction == c) | (target == c)) & labelled).sum()
        for c in range(classes)
    ]


@pytest.fixture
def model() -> Model:
    """A model whose classes are the three colours, by the brightest channel."""
    return load_model(lambda images: images, class_names=["red", "green", "blue"])


@pytest.fixture
def data() -> Any:
    return robseg.as_dataset((IMAGES, TARGETS), ["warm", "blue", "sky", "void"])


def evaluated(model: Model, data: Any, tmp_path: Path, toml: str, name: str = "run") -> list[float]:
    file = tmp_path / "map.toml"
    file.write_text(toml)
    results = robseg.evaluate(model, data, "none", class_map=file, out=tmp_path / name, examples=False)
    return results.classes["iou"].tolist()


def test_counts_are_those_of_mapped_labels(model: Model, data: Any, tmp_path: Path) -> None:
    toml = """
        ignore = ["void"]
        [outputs]
        red = "warm"
        green = "warm"
        [targets]
        sky = "blue"
    """
    labels = np.array([0, 0, 1])[IMAGES.argmax(-1)]
    targets = np.array([0, 1, 1, 255])[TARGETS]
    assert evaluated(model, data, tmp_path, toml) == pytest.approx(iou(labels, targets, 2))
    record = robseg.load(tmp_path / "run").record
    assert record.dataset["class_names"] == ("warm", "blue")
    assert record.dataset["class_map"] == {
        "outputs": {"red": "warm", "green": "warm"},
        "targets": {"sky": "blue"},
        "ignore": ("void",),
    }
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "outputs: red as warm, green as warm; targets: sky as blue; ignored: void" in page


def test_an_output_that_counts_as_no_class_is_wrong(model: Model, data: Any, tmp_path: Path) -> None:
    toml = 'ignore = ["void", "sky"]\n[outputs]\nred = "warm"\n'
    labels, targets = np.array([0, 9, 1])[IMAGES.argmax(-1)], np.array([0, 1, 255, 255])[TARGETS]
    assert evaluated(model, data, tmp_path, toml) == pytest.approx(iou(labels, targets, 2))


def test_names_in_a_map_may_be_spelled_in_other_ways(data: Any, tmp_path: Path) -> None:
    toml = """
        ignore = ["Void", " sky"]
        [outputs]
        "deep red" = "warm"
        [targets]
        BLUE = "cold"
        [classes]
        "light blue" = "cold"
    """
    model = load_model(lambda images: images, class_names=["Deep_Red", "green", "light-blue"])
    labels, targets = np.array([0, 9, 1])[IMAGES.argmax(-1)], np.array([0, 1, 255, 255])[TARGETS]
    assert evaluated(model, data, tmp_path, toml) == pytest.approx(iou(labels, targets, 2))


def test_another_map_does_not_continue_a_run(model: Model, data: Any, tmp_path: Path) -> None:
    toml = 'ignore = ["void", "sky"]\n[outputs]\n{} = "warm"\n'
    first = evaluated(model, data, tmp_path, toml.format("red"))
    assert evaluated(model, data, tmp_path, "source = 'why'\n" + toml.format("red")) == first
    with pytest.raises(robseg.InputError, match="but its dataset is data/all/"):
        evaluated(model, data, tmp_path, toml.format("green"))
    other = robseg.as_dataset((IMAGES[:, ::-1], TARGETS), data.class_names)
    with pytest.raises(robseg.InputError, match="but its dataset is data/all/"):
        evaluated(model, other, tmp_path, toml.format("red"))


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ('[outputs]\nreed = "warm"', "Unknown output of a model in the class map 'reed': did you mean 'red'"),
        ('[targets]\nwarn = "warm"', "Unknown class of data in the class map 'warn': did you mean 'warm'"),
        ('[classes]\nskies = "sky"', "Unknown class in the class map 'skies'"),
        ('ignore = ["voids"]', "Unknown class of data in the class map 'voids': did you mean 'void'"),
        ('[outputs]\nred = "warn"', "Unknown class that an output counts as in the class map 'warn'"),
        ('ignore = ["warm", "blue", "sky", "void"]', "to leave a class, but it ignores all"),
        ("[outputs]\nred = 3", "Expected `outputs.red` to be text, but got 3"),
        ("[output]", "Unknown field 'output': did you mean 'outputs'"),
        ("ignore = [", "cannot be read"),
        ("source = 'why'", "to map or ignore a class, but it is empty"),
        ('ignore = ["sky"]\n[targets]\nsky = "blue"', "to score or ignore 'sky', but it does both"),
    ],
)
def test_a_wrong_map_is_named(model: Model, data: Any, tmp_path: Path, toml: str, message: str) -> None:
    with pytest.raises(robseg.InputError, match=message):
        evaluated(model, data, tmp_path, toml)
    assert not (tmp_path / "run").exists()


def test_an_unknown_map_is_answered_with_the_nearest() -> None:
    with pytest.raises(robseg.InputError, match="did you mean 'cityscapes-to-camvid'"):
        read_class_map("cityscapes-camvid")


@pytest.mark.parametrize(
    ("name", "channels", "classes", "scored"),
    [
        ("cityscapes-to-camvid", CITYSCAPES, CAMVID, CAMVID),
        ("camvid-to-cityscapes", CAMVID, CITYSCAPES, CAMVID),
        (
            "cityscapes-categories",
            CITYSCAPES,
            DATASETS["bdd100k"].class_names,
            ("flat", "construction", "object", "nature", "sky", "human", "vehicle"),
        ),
    ],
)
def test_shipped_maps_fit_their_data_sets(name: str, channels: Any, classes: Any, scored: Any) -> None:
    data = robseg.as_dataset((IMAGES[:1], np.zeros((1, 20, 30), int)), classes)
    found = read_class_map(name)
    mapped = found.applied(data, channels)
    assert set(mapped.class_names) == set(scored)
    assert set(found.channels(channels)) == set(scored)
    assert found.source


def test_maps_and_classes_of_data_sets_are_listed() -> None:
    rows = json.loads(invoke("list", "class-maps", "--json").stdout)
    assert [row["name"] for row in rows] == list(shipped())
    assert all(row["outputs"] or row["targets"] for row in rows)
    (camvid,) = json.loads(invoke("list", "datasets", "camvid", "--json").stdout)
    assert camvid["class_names"] == list(CAMVID)
    assert camvid["palette"][0] == [128, 128, 128]
