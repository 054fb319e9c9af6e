"""PSPNet reads its two published layouts, and every flag of theirs is seen in its logits."""

import functools
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from robseg.errors import InputError
from robseg.models import load_model
from robseg.models.architectures.pspnet import PSPNet, fit
from robseg.models.base import Fit

R18 = "mmseg_pspnet_r18-d8_cityscapes"
SEMSEG = "up_semseg_pspnet50"

# semseg's names by our names, for a checkpoint that the tests build.
SEMSEG_NAMES = {
    "backbone.stem": "layer0",
    "backbone.": "",
    "decode_head.psp_modules": "ppm.features",
    ".1.conv.": ".1.",
    ".1.bn.": ".2.",
    "decode_head.bottleneck.conv": "cls.0",
    "decode_head.bottleneck.bn": "cls.1",
    "decode_head.conv_seg": "cls.4",
    "auxiliary_head.convs.0.conv": "aux.0",
    "auxiliary_head.convs.0.bn": "aux.1",
    "auxiliary_head.conv_seg": "aux.4",
}


def small(num_classes: int = 5, **options: Any) -> PSPNet:
    """Return a network of few values."""
    return PSPNet(num_classes, **{"backbone": "resnet18v1c", "channels": 16, "aux_channels": 8, **options})


def semseg_file(num_classes: int) -> dict[str, Tensor]:
    """Return the tensors of a network with semseg's stem under semseg's names."""
    with torch.device("meta"):
        tensors = small(num_classes, stem_channels=128).state_dict()

    def theirs(key: str) -> str:
        return functools.reduce(lambda name, pair: name.replace(*pair), SEMSEG_NAMES.items(), key)

    return {theirs(key): tensor for key, tensor in tensors.items()}


@pytest.fixture(scope="module")
def published(upstream: Callable[[str], Any]) -> tuple[Any, Fit]:
    """Return the R18 fixture and how it fits."""
    fixture = upstream(R18)
    return fixture, fit(fixture.state_dict())


def difference(
    published: tuple[Any, Fit], options: dict[str, Any], change: Callable[[nn.Module], None]
) -> float:
    """Return the relative difference of the R18 fixture under other options, or changed after loading."""
    fixture, fitting = published
    network = PSPNet(fitting.num_classes, **{**fitting.options, **options}).eval()
    network.load_state_dict(fitting.state_dict)
    change(network)
    with torch.inference_mode():
        return float(fixture.difference(network(fixture.image)))


def nothing(network: nn.Module) -> None:
    """Leave a network as it is."""


def tensorflow_epsilon(network: nn.Module) -> None:
    """Give batch norms another epsilon."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = 1e-3


def round_pooling_up(network: nn.Module) -> None:
    """Let pooling round sizes up."""
    network.get_submodule("backbone.maxpool").ceil_mode = True  # type: ignore[assignment]


def test_the_right_flags_agree(published: tuple[Any, Fit]) -> None:
    assert difference(published, {}, nothing) < 1e-5


@pytest.mark.parametrize(
    ("options", "least"),
    [
        ({"contract_dilation": False}, 1e-2),
        ({"dilations": (1, 1, 2, 2)}, 1e-2),
        ({"dilations": (1, 1, 1, 1)}, 1e-2),
        ({"output_stride": 16}, 1e-2),
        ({"align_corners": True}, 1e-3),
    ],
)
def test_a_wrong_flag_is_noticed(published: tuple[Any, Fit], options: dict[str, Any], least: float) -> None:
    assert difference(published, options, nothing) > least


@pytest.mark.parametrize("change", [tensorflow_epsilon, round_pooling_up])
def test_a_wrong_layer_is_noticed(published: tuple[Any, Fit], change: Callable[[nn.Module], None]) -> None:
    assert difference(published, {}, change) > 1e-4


def test_forward_does_not_run_the_auxiliary_head() -> None:
    network, images, runs = small().eval(), torch.zeros(1, 3, 32, 32), []
    assert network.auxiliary_head is not None
    network.auxiliary_head.register_forward_hook(lambda *_: runs.append(1))
    network(images)
    assert len(runs) == 0
    network.heads(images)
    assert len(runs) == 1


@pytest.mark.parametrize(
    "options",
    [
        {"backbone": "resnet18"},
        {"backbone": "resnet18v1c"},
        {"backbone": "resnet18v1d"},
        {"backbone": "resnet50"},
        {"backbone": "resnet101v1c"},
        {"backbone": "mobilenet_v2"},
        {"backbone": "efficientnet_lite0"},
        {"aux_channels": None},
        {"channels": 24},
        {"stem_channels": 32},
    ],
)
def test_the_tensors_tell_the_options(options: dict[str, Any]) -> None:
    with torch.device("meta"):
        fitting = fit(small(7, **options).state_dict())
    assert fitting.options.items() >= {"channels": 16, "aux_channels": 8, **options}.items()
    assert (fitting.layout, fitting.num_classes, fitting.class_names) == ("mmseg", 7, None)


@pytest.mark.parametrize(("num_classes", "crop", "stride"), [(19, 713, 476), (21, 473, 316), (150, 473, 316)])
def test_files_of_semseg_tell_their_protocol(num_classes: int, crop: int, stride: int) -> None:
    fitting = fit(semseg_file(num_classes))
    assert (fitting.layout, fitting.num_classes) == ("semseg", num_classes)
    assert fitting.options.items() >= {
        "stem_channels": 128, "contract_dilation": False, "align_corners": True,
    }.items()  # fmt: skip
    assert fitting.preprocess.items() >= {
        "crop_size": (crop, crop), "stride": (stride, stride), "test_mode": "slide", "resize": "long",
        "average": "probabilities", "flip": True, "align_corners": True, "size_remainder": 1,
    }.items()  # fmt: skip


def test_files_of_semseg_for_other_data_are_tested_whole() -> None:
    assert "test_mode" not in fit(semseg_file(7)).preprocess


def test_the_prefix_of_parallel_training_is_dropped() -> None:
    network = small(3)
    tensors = {f"module.{key}": tensor for key, tensor in network.state_dict().items()}
    loaded = load_model("pspnet", tensors).network
    images = torch.rand(1, 3, 33, 49, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        torch.testing.assert_close(loaded(images), network.eval()(images))


@pytest.mark.parametrize("layout", ["mmseg", "semseg"])
def test_a_checkpoint_without_its_classifier_is_reported(layout: str) -> None:
    with torch.device("meta"):
        tensors = small().state_dict() if layout == "mmseg" else semseg_file(5)
    del tensors["decode_head.conv_seg.weight" if layout == "mmseg" else "cls.4.weight"]
    with pytest.raises(InputError, match=r"missing \(decode_head.conv_seg.weight"):
        fit(tensors)


def test_a_checkpoint_of_another_kind_is_reported() -> None:
    with pytest.raises(InputError, match="architecture"):
        fit({"initial_block.main_branch.weight": torch.zeros(13, 3, 3, 3)})


def test_training_reaches_every_parameter() -> None:
    network = small(backbone="mobilenet_v2").train()
    main, aux = network.heads(torch.rand(2, 3, 32, 40))
    (main.mean() + aux.mean()).backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
