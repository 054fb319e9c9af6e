"""OCRNet does what its paper's equations say, and reads the checkpoints of its three upstreams."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from robseg.errors import InputError
from robseg.models.architectures.ocrnet import ARCHITECTURE, ObjectContextBlock, OCRNet, fit, object_regions

SIZES = [(65, 129), (97, 131)]

# Our names and openseg's, of an OCRNet on an HRNet; there a norm with in-place activation is one layer.
OPENSEG = (
    (r"decode_head\.0\.convs\.0\.conv", "aux_head.0"),
    (r"decode_head\.0\.convs\.0\.bn", "aux_head.1"),
    (r"decode_head\.0\.conv_seg", "aux_head.2"),
    (r"decode_head\.1\.bottleneck\.conv", "conv3x3.0"),
    (r"decode_head\.1\.bottleneck\.bn", "conv3x3.1"),
    (r"decode_head\.1\.object_context_block\.bottleneck\.conv", "ocr_distri_head.conv_bn_dropout.0"),
    (r"decode_head\.1\.object_context_block\.bottleneck\.bn", "ocr_distri_head.conv_bn_dropout.1"),
    (r"decode_head\.1\.object_context_block\.query_project\.0", "@f_pixel.0"),
    (r"decode_head\.1\.object_context_block\.query_project\.1", "@f_pixel.2"),
    (r"decode_head\.1\.object_context_block\.key_project\.0", "@f_object.0"),
    (r"decode_head\.1\.object_context_block\.key_project\.1", "@f_object.2"),
    (r"decode_head\.1\.object_context_block\.value_project", "@f_down.0"),
    (r"decode_head\.1\.object_context_block\.out_project", "@f_up.0"),
    (r"decode_head\.1\.conv_seg", "cls_head"),
)


def openseg_name(key: str) -> str:
    for ours, theirs in OPENSEG:
        if re.match(ours + r"\.", key):
            key = re.sub("^" + ours, theirs, key)
            break
    if key.startswith("@"):
        part, index, kind, parameter = key[1:].split(".")
        number = int(index) + (kind == "bn")
        key = f"ocr_distri_head.object_context_block.{part}.{number}.{parameter}"
    return key


def randomised(network: nn.Module) -> nn.Module:
    """Return the network with weights that all affect the logits."""
    torch.manual_seed(0)
    for key, tensor in network.state_dict().items():
        if tensor.is_floating_point():
            low, high = (0.5, 1.5) if tensor.ndim == 1 else (-0.1, 0.1)
            if key.endswith(("bias", "running_mean")):
                low, high = -0.2, 0.2
            tensor.uniform_(low, high)
    return network.eval()


def in_place_activated(ours: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors as openseg would have trained them: biases before norms, gammas of either sign."""
    theirs: dict[str, Tensor] = {}
    for key, tensor in ours.items():
        layer, _, parameter = key.rpartition(".")
        is_norm = f"{layer}.running_var" in ours
        if parameter == "num_batches_tracked":
            continue
        if is_norm and parameter == "weight":
            theirs[openseg_name(key)] = -(tensor - 1e-5)
            continue
        if parameter == "running_mean" and layer.startswith("decode_head"):
            bias = torch.linspace(-0.3, 0.3, len(tensor))
            theirs[openseg_name(layer.removesuffix("bn") + "conv.bias")] = bias
            theirs[openseg_name(key)] = tensor + bias
            continue
        theirs[openseg_name(key)] = tensor
    return theirs


def test_a_region_is_the_weighted_mean_of_its_pixels() -> None:
    features, coarse = torch.randn(2, 5, 3, 4), torch.randn(2, 7, 3, 4)
    regions = object_regions(features, coarse)
    weights = coarse[1, 2].exp() / coarse[1, 2].exp().sum()
    assert regions.shape == (2, 5, 7, 1)
    torch.testing.assert_close(regions[1, :, 2, 0], (features[1] * weights).sum(dim=(1, 2)))


def test_a_pixel_attends_to_regions() -> None:
    torch.manual_seed(0)
    block = ObjectContextBlock(6, 4, nn.ReLU).eval()
    features, regions = torch.randn(1, 6, 2, 3), torch.randn(1, 6, 5, 1)
    with torch.no_grad():
        query = block.query_project(features)[0, :, 1, 2]
        key, value = block.key_project(regions)[0, :, :, 0], block.value_project(regions)[0, :, :, 0]
        relation = ((query @ key) / 4**0.5).softmax(dim=0)
        context = block.out_project((value @ relation).view(1, 4, 1, 1))
        pixel = block.bottleneck(torch.cat((context, features[:, :, 1:2, 2:3]), dim=1))
        torch.testing.assert_close(block(features, regions)[:, :, 1:2, 2:3], pixel)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("backbone", ["hrnet_w18_small", "mobilenet_v2", "efficientnet_lite0", "resnet18v1c"])
def test_any_backbone_and_size_gives_logits_of_both_heads(backbone: str, size: tuple[int, int]) -> None:
    network = OCRNet(5, backbone, channels=16, key_channels=8).eval()
    divisor = 4 if backbone.startswith("hrnet") else 8
    with torch.inference_mode():
        main, coarse = network.heads(torch.randn(2, 3, *size))
    assert main.shape == coarse.shape == (2, 5, -(-size[0] // divisor), -(-size[1] // divisor))


@pytest.mark.parametrize("backbone", ["hrnet_w18_small", "mobilenet_v2", "resnet18v1d"])
def test_our_own_checkpoints_tell_their_shape(backbone: str) -> None:
    network = OCRNet(5, backbone, channels=16, key_channels=8, coarse_channels=12)
    fitting = fit(network.state_dict())
    assert (fitting.layout, fitting.num_classes) == ("mmseg", 5)
    assert (
        fitting.options.items()
        >= {
            "backbone": backbone,
            "channels": 16,
            "key_channels": 8,
            "coarse_channels": 12,
        }.items()
    )
    ARCHITECTURE.build(fitting.num_classes, **fitting.options).load_state_dict(fitting.state_dict)


def test_in_place_activated_norms_and_biases_fold_into_plain_norms() -> None:
    network = randomised(
        OCRNet(5, "hrnet_w18_small", 16, 8, coarse_kernel=3, align_corners=True, activation="leaky_relu")
    )
    ours = network.state_dict()
    fitting = fit(in_place_activated(ours))
    assert fitting.layout == "openseg"
    assert fitting.preprocess["channel_order"] == "BGR"
    assert fitting.options["activation"] == "leaky_relu"
    rebuilt = ARCHITECTURE.build(fitting.num_classes, **fitting.options).eval()
    rebuilt.load_state_dict(fitting.state_dict)
    images = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        torch.testing.assert_close(rebuilt(images), network(images))


def test_leaky_activations_matter() -> None:
    network = randomised(OCRNet(5, "hrnet_w18_small", 16, 8, activation="leaky_relu"))
    plain = OCRNet(5, "hrnet_w18_small", 16, 8).eval()
    plain.load_state_dict(network.state_dict())
    images = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        assert (plain(images) - network(images)).abs().max() > 1e-3


@pytest.mark.parametrize(("flag", "value"), [("align_corners", False), ("activation", "leaky_relu")])
def test_a_wrong_flag_of_a_published_network_shows(
    upstream: Callable[[str], Any], flag: str, value: object
) -> None:
    fixture = upstream("up_hrnet_ocr_w18")
    fitting = fit(fixture.state_dict())
    network = ARCHITECTURE.build(fitting.num_classes, **{**fitting.options, flag: value}).eval()
    network.load_state_dict(fitting.state_dict)
    with torch.inference_mode():
        assert fixture.difference(network(fixture.image)) > 1e-3


def test_openseg_on_a_resnet_pools_with_rounded_up_sizes() -> None:
    ours = OCRNet(5, "resnet50v1c", 16, 8, stem_channels=128).state_dict()
    stem = {"stem.0": "conv1", "stem.1": "bn1", "stem.3": "conv2", "stem.4": "bn2", "stem.6": "conv3"}
    stem["stem.7"] = "bn3"
    heads = {"aux_head.2": "dsn_head.3", "aux_head": "dsn_head", "conv3x3": "conv_3x3"}
    heads |= {"ocr_distri_head": "spatial_ocr_head", "cls_head": "head"}
    theirs = {}
    parts = {f"backbone.{part}.": f"backbone.resinit.{name}." for part, name in stem.items()} | heads
    for key, tensor in in_place_activated(ours).items():
        part = next((part for part in parts if key.startswith(part)), "")
        theirs[key.replace(part, parts[part]) if part else key] = tensor
    fitting = fit(theirs)
    assert fitting.options == {
        "backbone": "resnet50v1c",
        "channels": 16,
        "key_channels": 8,
        "coarse_channels": 256,
        "coarse_kernel": 3,
        "stem_channels": 128,
        "maxpool_ceil_mode": True,
        "activation": "leaky_relu",
    }
    assert fitting.preprocess["std"] == (1.0, 1.0, 1.0)


def test_the_loss_beside_a_published_network_is_left_out() -> None:
    names = {
        f"model.{key}": tensor for key, tensor in {"conv3x3_ocr.0.weight": torch.zeros(4, 4, 3, 3)}.items()
    }
    with pytest.raises(InputError) as caught:
        fit(
            {
                **names,
                "model.stage4.0.branches.0.0.conv1.weight": torch.zeros(48, 48, 3, 3),
                "loss.w": torch.ones(1),
            }
        )
    assert "loss" not in str(caught.value).split("unexpected")[-1]


def test_another_architecture_is_refused() -> None:
    with pytest.raises(InputError):
        fit({"conv.weight": torch.zeros(3, 3, 1, 1)})
