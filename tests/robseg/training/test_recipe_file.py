import dataclasses
from pathlib import Path

import pytest

from robseg.errors import InputError
from robseg.models.base import architecture
from robseg.options import fields, read_toml
from robseg.training.recipe import Recipe
from robseg.training.recipe_file import recipe_names, recipe_path, to_toml
from robseg.training.setup import open_splits, output_names, resolve


@pytest.mark.parametrize("name", recipe_names())
def test_each_recipe_of_ours_is_one_and_its_network_can_be_built(name: str) -> None:
    recipe = Recipe(**read_toml(recipe_path(name)))
    assert name == f"{recipe.model}-{recipe.dataset}"
    if recipe.dataset == "streets":
        resolve(recipe)
    network = architecture(recipe.model).build(len(output_names(recipe, ("",) * 11)), **recipe.options)
    # The package stores these weights in half precision and must stay below 60 MB.
    assert sum(parameter.numel() for parameter in network.parameters()) < 4.5e6


def test_a_recipe_written_as_toml_is_read_as_the_same(tmp_path: Path) -> None:
    recipe = Recipe("enet", "streets", options={"a": 'x"y', "b": (1, 2)}, corruptions=("fog",), flip=False)
    path = tmp_path / "again.toml"
    path.write_text(to_toml(recipe))
    assert Recipe(**read_toml(path)) == recipe


def test_every_field_has_a_line_of_help() -> None:
    assert fields(Recipe).keys() == {field.name for field in dataclasses.fields(Recipe)}
    assert all(field.text.endswith(".") for field in fields(Recipe).values())


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("enet-street", None, "did you mean 'enet-streets'"),
        ("no/such.toml", None, "there is none"),
        ("bad.toml", "model = ", "TOML"),
    ],
)
def test_a_recipe_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str | None, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=message):
        read_toml(recipe_path(name))


def test_an_unknown_option_of_the_builder_is_named() -> None:
    with pytest.raises(InputError, match="Unknown option of enet 'generatoin': did you mean 'generation'"):
        resolve(Recipe("enet", "streets", options={"generatoin": 2018}))


def test_an_unknown_corruption_is_named() -> None:
    with pytest.raises(InputError, match=r"In `corruptions`: .*did you mean 'noise'"):
        resolve(Recipe("enet", "streets", corruptions=("nois",)))


def test_splits_join_in_order(camvid: Path) -> None:
    joined = open_splits("camvid", camvid, "val+train")
    val, train = (open_splits("camvid", camvid, split) for split in ("val", "train"))
    assert joined.ids == val.ids + train.ids
    assert joined.split == "val+train"
    assert joined.clusters == val.clusters + train.clusters != ()
    assert (joined.read(3).image == train.read(0).image).all()
    assert len({joined.fingerprint, val.fingerprint, train.fingerprint}) == 3
