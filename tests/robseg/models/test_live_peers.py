"""Networks of the catalogue agree with mmsegmentation itself, where it is installed.

Its maintained wheels do: onedl-mmcv, onedl-mmengine and onedl-mmsegmentation, each by `pip install --no-deps`
with MMCV_WITH_OPS=0, then addict pyyaml rich termcolor yapf platformdirs prettytable ftfy regex.
"""

import importlib
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from robseg.models import CARDS, load_model
from robseg.models.base import Network

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

SIZES = ((65, 129), (97, 131))

# One network of each family: those that have no fixture, and the others again at odd sizes.
IDS = (
    "pspnet_r18-d8_4xb2-80k_cityscapes-512x1024",
    "pspnet_r18b-d8_4xb2-80k_cityscapes-512x1024",
    "pspnet_r50-d8_4xb2-80k_cityscapes-512x1024",
    "pspnet_r50b-d8_4xb2-80k_cityscapes-512x1024",
    "pspnet_r50-d8_4xb2-80k_cityscapes-769x769",
    "pspnet_r50-d32_4xb2-80k_cityscapes-512x1024",
    "pspnet_r50b-d32_4xb2-80k_cityscapes-512x1024",
    "pspnet_r101-d8_4xb2-80k_cityscapes-512x1024",
    "mobilenet-v2-d8_pspnet_4xb2-80k_cityscapes-512x1024",
    "deeplabv3plus_r18-d8_4xb2-80k_cityscapes-512x1024",
    "deeplabv3plus_r18b-d8_4xb2-80k_cityscapes-769x769",
    "deeplabv3plus_r50-d8_4xb2-80k_cityscapes-769x769",
    "deeplabv3plus_r50b-d8_4xb2-80k_cityscapes-512x1024",
    "deeplabv3plus_r101-d8_4xb2-80k_cityscapes-512x1024",
    "deeplabv3plus_r101-d16-mg124_4xb2-80k_cityscapes-512x1024",
    "deeplabv3plus_r50-d8_4xb4-80k_ade20k-512x512",
    "mobilenet-v2-d8_deeplabv3plus_4xb2-80k_cityscapes-512x1024",
    *(f"ocrnet_{backbone}_4xb2-80k_cityscapes-512x1024" for backbone in ("hr18s", "hr18", "hr48")),
    "ocrnet_r101-d8_8xb2-40k_cityscapes-512x1024",
    "icnet_r18-d8_4xb2-80k_cityscapes-832x832",
    "icnet_r50-d8_4xb2-80k_cityscapes-832x832",
    "icnet_r101-d8_4xb2-80k_cityscapes-832x832",
)


def peer_or_skip(name: str) -> ModuleType:
    # An optional peer may be there and still lack a part of its own.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip(name, exc_type=ImportError)


def with_plain_norms(settings: Any) -> Any:
    """Return settings without synchronised batch norms, which need a GPU, and without pretrained weights."""
    if isinstance(settings, dict):
        kept = {key: with_plain_norms(value) for key, value in settings.items() if key != "init_cfg"}
        if kept.get("type") == "SyncBN":
            kept["type"] = "BN"
        return kept
    return [with_plain_norms(item) for item in settings] if isinstance(settings, (list, tuple)) else settings


def mmseg_network(config: str, changes: dict[str, Any] | None = None) -> nn.Module:
    """Return mmsegmentation's network of a configuration, with random weights."""
    mmseg = peer_or_skip("mmseg")
    peer_or_skip("mmseg.models")
    folder = Path(str(mmseg.__file__)).parent / ".mim"
    settings = importlib.import_module("mmengine").Config.fromfile(folder / config).model.to_dict()
    settings = with_plain_norms(settings)
    settings["pretrained"] = None
    settings["data_preprocessor"] = None
    settings["backbone"].update(changes or {})
    scope = importlib.import_module("mmengine.registry").DefaultScope
    with scope.overwrite_default_scope("mmseg"):
        network = importlib.import_module("mmseg.registry").MODELS.build(settings)
    return randomised(network)


def randomised(network: nn.Module) -> nn.Module:
    """Return a network in eval mode with seeded weights, none of them at a special value."""
    torch.manual_seed(3)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, a=1)
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.4, 1.0)
            nn.init.normal_(module.bias, std=0.1)
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    return network.eval()


def mmseg_heads(network: Any, images: Tensor) -> list[Tensor]:
    """Return the logits of mmsegmentation's heads, the main one first."""
    maps = network.extract_feat(images)
    if isinstance(network.decode_head, nn.ModuleList):
        coarse, main = network.decode_head
        logits = coarse(maps)
        return [main(maps, logits), logits]
    heads = list(network.auxiliary_head) if isinstance(network.auxiliary_head, nn.ModuleList) else []
    if isinstance(network.auxiliary_head, nn.Module) and not heads:
        heads = [network.auxiliary_head]
    return [network.decode_head(maps), *(head(maps) for head in heads)]


def largest_difference(theirs: nn.Module, ours: Network) -> float:
    """Return the greatest max |ours - theirs| / max |theirs| over heads and sizes."""
    differences = []
    for height, width in SIZES:
        images = torch.randn(2, 3, height, width, generator=torch.Generator().manual_seed(height))
        with torch.inference_mode():
            pairs = zip(ours.heads(images), mmseg_heads(theirs, images), strict=True)
            differences += [((a - b).abs().max() / b.abs().max()).item() for a, b in pairs]
    return max(differences)


def loaded(spec: str, theirs: nn.Module) -> Network:
    """Return our network of theirs' weights."""
    network = load_model(spec, theirs.state_dict()).network
    assert isinstance(network, Network)
    return network


@pytest.mark.parametrize("spec", IDS)
def test_logits_equal_mmsegmentation(spec: str) -> None:
    theirs = mmseg_network(CARDS[spec].config)
    assert largest_difference(theirs, loaded(spec, theirs)) < 1e-5


@pytest.mark.parametrize(
    "spec",
    ["pspnet_r18-d8_4xb2-80k_cityscapes-512x1024", "deeplabv3plus_r50-d8_4xb2-80k_cityscapes-512x1024"],
)
def test_averaging_shortcuts_equal_mmsegmentation(spec: str) -> None:
    # ResNetV1d is in none of the published configurations.
    theirs = mmseg_network(CARDS[spec].config, {"type": "ResNetV1d"})
    assert largest_difference(theirs, loaded(CARDS[spec].architecture, theirs)) < 1e-5
