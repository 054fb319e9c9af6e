"""DeepLabV3+: its logits, the options in its checkpoints, and the parts that can be removed."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from robseg.errors import InputError
from robseg.models.architectures.deeplabv3plus import CELL, DeepLabV3Plus, fit
from robseg.models.backbones import build_backbone
from robseg.models.layers import ConvModule, SeparableConvModule
from robseg.models.layouts.published import MMSEG_INPUT

# Small networks, because the tests build many of them.
SMALL: dict[str, Any] = {
    "backbone": "mobilenet_v2",
    "channels": 16,
    "low_level_channels": 8,
    "aux_channels": 8,
}


def small(**options: Any) -> DeepLabV3Plus:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return DeepLabV3Plus(5, **{**SMALL, **options}).eval()


def loaded(state_dict: dict[str, Tensor], **wrong: Any) -> DeepLabV3Plus:
    """Return the network of a checkpoint, with some options that its tensors do not determine."""
    fitting = fit(state_dict)
    network = DeepLabV3Plus(fitting.num_classes, **{**fitting.options, **wrong})
    network.load_state_dict(fitting.state_dict, strict=True)
    return network.eval()


@dataclasses.dataclass(frozen=True)
class Published:
    """A fixture and its weights."""

    upstream: Any
    state_dict: dict[str, Tensor]

    def difference(self, network: nn.Module) -> float:
        with torch.inference_mode():
            return float(self.upstream.difference(network(self.upstream.image)))


def read(upstream: Callable[[str], Any], name: str) -> Published:
    fixture = upstream(name)
    return Published(fixture, fixture.state_dict())


@pytest.fixture(scope="module")
def r18(upstream: Callable[[str], Any]) -> Published:
    return read(upstream, "mmseg_deeplabv3plus_r18-d8_cityscapes")


@pytest.fixture(scope="module")
def vainf(upstream: Callable[[str], Any]) -> Published:
    return read(upstream, "up_vainf_deeplabv3plus_mobilenet_os16")


@pytest.mark.parametrize("wrong", [{"output_stride": 16}, {"multi_grid": (4, 2)}, {"align_corners": True}])
def test_a_wrong_option_is_noticed(r18: Published, wrong: dict[str, Any]) -> None:
    assert r18.difference(loaded(r18.state_dict, **wrong)) > 1e-4


def test_a_wrong_output_stride_of_vainf_is_noticed(vainf: Published) -> None:
    assert vainf.difference(loaded(vainf.state_dict, output_stride=8)) > 1e-2


def test_padding_each_convolution_instead_of_the_block_is_noticed(vainf: Published) -> None:
    network = loaded(vainf.state_dict)
    plain = build_backbone("mobilenet_v2", output_stride=16)
    plain.load_state_dict(network.backbone.state_dict())
    network.backbone = plain.eval()
    assert vainf.difference(network) > 1e-2


def test_another_epsilon_is_noticed(r18: Published) -> None:
    network = loaded(r18.state_dict)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = 1e-3
    assert r18.difference(network) > 1e-4


def test_layouts_tell_how_to_feed_the_network(r18: Published, vainf: Published) -> None:
    mmseg, other = fit(r18.state_dict), fit(vainf.state_dict)
    assert (mmseg.layout, mmseg.preprocess) == ("mmseg", MMSEG_INPUT)
    assert other.layout == "vainf"
    assert "antialias" not in other.preprocess


def test_only_proven_options_are_reported(r18: Published, vainf: Published) -> None:
    for published in (r18, vainf):
        options = fit(published.state_dict).options
        assert not {"output_stride", "multi_grid", "align_corners"} & options.keys()


@pytest.mark.parametrize(
    "taken_out",
    [
        {},
        {"context": "none", "image_pooling": False},
        {"context": "dpc", "image_pooling": False},
        {"image_pooling": False},
        {"low_level": False},
        {"context": "none", "image_pooling": False, "low_level": False},
        {"aux_channels": None},
        {"variant": "vainf"},
        {"variant": "vainf", "image_pooling": False},
        {"backbone": "efficientnet_lite0"},
        {"backbone": "resnet18"},
        {"backbone": "resnet18v1d"},
    ],
    ids=str,
)
def test_a_checkpoint_tells_what_was_taken_out(taken_out: dict[str, Any]) -> None:
    network = small(**taken_out)
    fitting = fit(network.state_dict())
    expected = {**SMALL, "context": "aspp", "image_pooling": True, "low_level": True, "variant": "mmseg"}
    expected |= taken_out
    if not expected["low_level"]:
        del expected["low_level_channels"]
    assert fitting.options == expected
    assert fitting.num_classes == 5
    images = torch.randn(1, 3, 65, 97, generator=torch.Generator().manual_seed(0))
    same = DeepLabV3Plus(5, **fitting.options).eval()
    same.load_state_dict(fitting.state_dict, strict=True)
    with torch.inference_mode():
        torch.testing.assert_close(same(images), network(images))
        assert network(images).shape[:2] == (1, 5)


def test_without_the_long_range_link_the_first_map_is_not_seen() -> None:
    with torch.inference_mode():
        for low_level, is_seen in ((True, True), (False, False)):
            head = small(low_level=low_level).decode_head
            low, high = torch.randn(2, 1, 24, 16, 16), torch.randn(1, 320, 8, 8)
            assert torch.equal(head(low[0], high), head(low[1], high)) != is_seen


def test_without_image_pooling_far_pixels_do_not_matter() -> None:
    far = torch.zeros(1, 320, 200, 1)
    far[:, :, -1] = 1
    with torch.inference_mode():
        for image_pooling in (True, False):
            head = small(image_pooling=image_pooling, output_stride=8).decode_head
            context = head.context(far) - head.context(torch.zeros_like(far))
            assert bool(context[:, :, 0].abs().max() > 1e-6) == image_pooling


def test_without_context_a_pixel_sees_itself_alone() -> None:
    point = torch.zeros(1, 320, 9, 9)
    point[:, :, 4, 4] = 1
    with torch.inference_mode():
        head = small(context="none").decode_head
        seen = (head.context(point) - head.context(torch.zeros_like(point))).abs().amax(dim=(0, 1)) > 0
    assert seen.nonzero().tolist() == [[4, 4]]


@pytest.mark.parametrize(("output_stride", "dilations"), [(8, [12, 24, 36]), (16, [6, 12, 18])])
def test_aspp_dilates_by_the_output_stride(output_stride: Any, dilations: list[int]) -> None:
    branches = small(output_stride=output_stride).decode_head.aspp_modules
    assert branches is not None
    found = [
        branch.depthwise_conv.conv.dilation[0]
        for branch in branches
        if isinstance(branch, SeparableConvModule)
    ]
    assert found == dilations


@pytest.mark.parametrize("output_stride", [8, 16])
def test_the_dense_prediction_cell_is_the_published_one(output_stride: Any) -> None:
    cell: Any = small(context="dpc", output_stride=output_stride).decode_head.aspp_modules
    assert cell is not None
    found = [tuple(side * output_stride // 16 for side in c.depthwise_conv.conv.dilation) for c in cell]
    assert found == [(1, 6), (18, 15), (6, 3), (1, 1), (6, 21)]
    assert [source for _, source in CELL] == [None, 0, 1, 0, 0]
    assert [c.depthwise_conv.conv.in_channels for c in cell] == [320, 16, 16, 16, 16]


def test_uneven_dilation_keeps_the_size() -> None:
    assert ConvModule(2, 2, 3, dilation=(6, 21))(torch.zeros(2, 2, 11, 13)).shape == (2, 2, 11, 13)


def test_another_network_is_reported() -> None:
    with pytest.raises(InputError, match=r"Expected tensors of a backbone named 'backbone\.\*'"):
        fit({"fc.weight": torch.zeros(3, 3)})


def test_a_missing_and_a_surplus_tensor_are_named() -> None:
    tensors = small().state_dict()
    del tensors["decode_head.image_pool.1.bn.bias"]
    tensors["decode_head.extra"] = torch.zeros(1)
    with pytest.raises(InputError, match=r"missing \(decode_head\.image_pool\.1\.bn\.bias\).*extra"):
        fit(tensors)


@pytest.mark.parametrize("wrong", [{"context": "app"}, {"variant": "tf"}, {"output_stride": 32}], ids=str)
def test_an_option_out_of_range_is_reported(wrong: dict[str, Any]) -> None:
    ((name, value),) = wrong.items()
    with pytest.raises(InputError, match=f"Expected `{name}` of DeepLabV3.*but got {value!r}"):
        small(**wrong)
