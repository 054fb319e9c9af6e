"""`robseg weights fetch` and `inspect`, and `robseg list models`."""

import dataclasses
import http.server
import json
import threading
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

import robseg
from robseg.errors import InputError
from robseg.evaluation.request import Request
from robseg.evaluation.resolve import ModelSource, models
from robseg.models import catalogue
from robseg.models.architectures.enet import ENet
from robseg.models.catalogue import CARDS
from robseg.models.inspection import NearlyConstant, inspect_file
from robseg.models.model import load_model
from tests.invoke import invoke as run

PSPNET = "pspnet_r18-d8_4xb2-80k_cityscapes-512x1024"


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("ROBSEG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return tmp_path / "home"


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve the weights of a card that replaces a published one; yields its id."""
    torch.save({"state_dict": ENet(12, 2018).state_dict()}, tmp_path / "net.pth")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(tmp_path))  # type: ignore[arg-type]

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/net.pth"
        id_ = "enet-2018@camvid"
        # The file served here is in our own layout and has random weights.
        card = dataclasses.replace(CARDS[id_], weights_urls=(url,), layout="pytorch-enet-2021", sha256="")
        monkeypatch.setitem(CARDS, id_, card)
        yield id_
        server.shutdown()
        thread.join()


def test_fetched_weights_are_in_the_cache_and_load_by_id(served: str, home: Path) -> None:
    result = run("weights", "fetch", served)
    assert result.exit_code == 0, result.output
    path = home / "weights" / "enet-2018_camvid.pth"
    assert f"{served}: {path}" in result.stdout
    found = inspect_file(path)
    assert (found.same, found.fits[0].options) == (served, {"generation": 2018})
    renamed = path.rename(path.with_name("renamed.pth"))
    assert inspect_file(renamed).same == served


def test_a_model_is_downloaded_when_it_is_loaded(served: str, home: Path) -> None:
    model = load_model(served)
    assert model.card.class_names == CARDS[served].class_names
    assert (home / "weights" / "enet-2018_camvid.pth").is_file()


def test_weights_without_an_address_say_what_to_put_where(home: Path) -> None:
    result = run("weights", "fetch", "pspnet_r50-semseg@ade20k")
    assert result.exit_code == 2
    assert "by hand" in result.output
    assert str(home / "weights" / "pspnet50_ade20k_semseg.pth") in result.output


def test_of_several_weights_the_missing_do_not_stop_the_others(served: str) -> None:
    result = run("weights", "fetch", "pspnet_r50-semseg@*", served)
    assert result.exit_code == 2
    assert f"{served}: " in result.stdout
    assert "Expected to fetch 4 files, but 3 are missing" in result.output


@pytest.mark.parametrize("spec", ["pspnet_r18", "nothing*"])
def test_unknown_models_are_not_fetched(spec: str) -> None:
    result = run("weights", "fetch", spec)
    assert result.exit_code == 2
    assert "robseg list models" in result.output
    assert len(result.output) < 300


def test_inspect_tells_format_contents_and_fit(tmp_path: Path) -> None:
    path = tmp_path / "mine.pth"
    content = {
        "meta": {"CLASSES": ["a", "b", "c"]},
        "args": Namespace(lr=1),
        "state_dict": ENet(3, 2018).state_dict(),
    }
    torch.save(content, path)
    result = run("weights", "inspect", path)
    assert result.exit_code == 0, result.output
    for text in ("torch zip", "3: a, b, c", "argparse.Namespace", "enet (", "generation 2018", "float32"):
        assert text in result.stdout
    found = json.loads(run("weights", "inspect", path, "--json").stdout)
    assert found["parameters"] == sum(p.numel() for p in ENet(3, 2018).parameters())
    assert found["tensors"] == len(ENet(3, 2018).state_dict())
    assert [fit["model"] for fit in found["fits"]] == ["enet"]


def test_inspect_names_channels_that_were_nearly_constant_in_training(tmp_path: Path) -> None:
    tensors = ENet(3).state_dict()
    assert "Batch norm" not in run("weights", "inspect", _saved(tensors, tmp_path)).stdout
    first, second = [key.removesuffix(".running_var") for key in tensors if key.endswith("running_var")][:2]
    tensors[f"{first}.running_var"][:2] = torch.tensor([9e-7, 0.0])
    tensors[f"{first}.weight"][:2] = torch.tensor([-0.4, 0.02])
    tensors[f"{second}.running_var"][:3] = 0
    tensors[f"{second}.weight"][:3] = 0.01
    most, other = inspect_file(_saved(tensors, tmp_path)).nearly_constant
    assert most == NearlyConstant(second, 3, len(tensors[f"{second}.weight"]), most.gain)
    assert other == NearlyConstant(first, 2, len(tensors[f"{first}.weight"]), other.gain)
    assert (most.gain, other.gain) == pytest.approx((0.01 / 1e-5**0.5, 0.4 / 1.09e-5**0.5))
    shown = run("weights", "inspect", _saved(tensors, tmp_path)).stdout
    assert "5 channels were nearly constant in training" in shown
    assert "up to 121" in shown
    assert f"most in {second} (3 of " in shown
    assert "fp32 and bf16" in shown


def _saved(tensors: dict[str, torch.Tensor], folder: Path) -> Path:
    torch.save(tensors, folder / "x.pth")
    return folder / "x.pth"


def test_inspect_tells_what_differs_where_nothing_fits(tmp_path: Path) -> None:
    tensors = ENet(3).state_dict()
    del tensors["initial_block.main_branch.weight"]
    torch.save({**tensors, "extra": torch.ones(1)}, tmp_path / "x.pth")
    result = run("weights", "inspect", tmp_path / "x.pth", "--arch", "enet")
    assert result.exit_code == 0, result.output
    assert "1 missing (initial_block.main_branch.weight); 1 unexpected (extra)" in result.stdout
    found = inspect_file(tmp_path / "x.pth")
    assert found.fits == ()
    assert found.misfits.keys() == set(catalogue.ARCHITECTURES)


def test_inspect_knows_the_models_of_torchvision(tmp_path: Path) -> None:
    from torchvision.models.segmentation import lraspp_mobilenet_v3_large

    network = lraspp_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=21)
    torch.save(network.state_dict(), tmp_path / "x.pth")
    found = inspect_file(tmp_path / "x.pth")
    assert [fit.model for fit in found.fits] == ["torchvision:lraspp_mobilenet_v3_large"]
    assert found.alike == ("torchvision:lraspp_mobilenet_v3_large",)


def test_inspect_names_the_published_file_of_that_name(tmp_path: Path) -> None:
    path = tmp_path / CARDS[PSPNET].weights_file
    torch.save({"a": torch.ones(1)}, path)
    assert inspect_file(path).named == PSPNET
    assert f"bears the name of the file of {PSPNET}" in run("weights", "inspect", path).stdout


def test_the_shipped_weights_are_known_by_their_hash() -> None:
    path = catalogue.ZOO / CARDS["enet@streets"].weights_file
    assert inspect_file(path).same == "enet@streets"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["none.pth"], "no such file"), (["none.pth", "--arch", "ennet"], "did you mean 'enet'")],
)
def test_what_cannot_be_inspected_is_refused(arguments: list[str], message: str) -> None:
    result = run("weights", "inspect", *arguments)
    assert result.exit_code == 2
    assert message in result.output


def test_models_are_listed_with_published_figures_in_100_columns() -> None:
    result = run("list", "models", "pspnet_r18*")
    assert result.exit_code == 0
    assert any(
        line.split() == [PSPNET, "resnet18v1c", "74.9", "remote"] for line in result.stdout.splitlines()
    )
    assert "pspnet, cityscapes, 19 classes" in result.stdout
    assert max(map(len, run("list", "models").stdout.splitlines())) <= 100


def test_the_json_of_models_has_fractions_and_addresses() -> None:
    rows = json.loads(run("list", "models", "--json").stdout)
    assert [row["name"] for row in rows] == [card.id for card in robseg.list_models()]
    row = next(row for row in rows if row["name"] == PSPNET)
    assert (row["published_miou"], row["classes"], row["weights"]) == (0.7487, 19, "remote")
    assert len(row["weights_urls"]) == 3


def test_all_means_the_models_that_need_no_download() -> None:
    without_download = [card.id for card in robseg.list_models() if catalogue.shipped(card)]
    assert models(Request("all")) == tuple(
        ModelSource(name) for name in without_download if not name.startswith("segfix")
    )
    assert models(Request("pspnet_r18-d8*")) == tuple(
        ModelSource(card.id) for card in robseg.list_models("pspnet_r18-d8*")
    )
    with pytest.raises(InputError, match="to match models, but none does"):
        models(Request("nothing*"))
