"""ICNet for Real-Time Semantic Segmentation on High-Resolution Images.

Zhao, Qi, Shen, Shi, Jia, 2017, https://arxiv.org/abs/1704.08545, with the arithmetic and the names of
mmsegmentation 1.x (Apache-2.0). It differs from the paper in three ways: the two coarse branches share one
backbone, whose map is halved between its second and third stage; the units of cascade feature fusion apply
ReLU before they add; and the auxiliary heads follow the dilated convolutions of these units.

The authors' Caffe network and that of github.com/liminn/ICNet-pytorch are different networks with the same
name. Their weights cannot be converted.
"""

from __future__ import annotations

from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from robseg.errors import InputError, unknown_name
from robseg.models.backbones import Backbone, build_backbone
from robseg.models.backbones.resnet import ResNet
from robseg.models.base import Architecture, Fit, Network
from robseg.models.layers import ConvModule, FCNHead, PyramidPooling, initialise, resize
from robseg.models.layouts import mmseg, native
from robseg.models.layouts.published import fit_published

__all__ = ["ARCHITECTURE", "ICNet", "fit"]

# The number of a backbone's layers before its map, which then has 1/8 of the size, is halved.
LAYERS_BEFORE_HALVING = {"resnet": 2, "mobilenet_v2": 3, "efficientnet_lite0": 3}

# Prefixes of tensor names in other networks that are also called ICNet.
OTHER_NETWORKS = {
    "pretrained.": "liminn/ICNet-pytorch",
    "conv1_1_3x3_s2": "hszhao/ICNet (Caffe)",
    "convbnrelu1_1.": "hszhao/ICNet (Caffe, by way of pytorch-semseg)",
}


def family(backbone: str) -> str:
    """Return the family of a backbone whose map can be halved between its layers.

    Examples
    --------
    >>> family("resnet50v1c")
    'resnet'
    """
    name = "resnet" if backbone.startswith("resnet") else backbone
    if name not in LAYERS_BEFORE_HALVING:
        raise unknown_name("backbone of ICNet", backbone, LAYERS_BEFORE_HALVING)
    return name


def dilated(backbone: str) -> Backbone:
    """Return a backbone with output stride 8; the pooling of a ResNet rounds odd sizes up."""
    if family(backbone) == "resnet":
        return build_backbone(backbone, output_stride=8, maxpool_ceil_mode=True)
    return build_backbone(backbone, output_stride=8)


class ImageCascade(nn.Module):
    """Three branches: a light one on the image, and the two parts of a backbone on halved maps (figure 2)."""

    def __init__(
        self,
        backbone: str,
        light_channels: tuple[int, int],
        pyramid_channels: int,
        branch_channels: int,
        align_corners: bool,
    ) -> None:
        super().__init__()
        self.align_corners = align_corners
        self.backbone = dilated(backbone)
        self.layers_before_halving = LAYERS_BEFORE_HALVING[family(backbone)]
        _, middle_channels, _, deep_channels = self.backbone.channels

        inside, light = light_channels
        self.conv_sub1 = nn.Sequential(
            ConvModule(3, inside, 3, stride=2),
            ConvModule(inside, inside, 3, stride=2),
            ConvModule(inside, light, 3, stride=2),
        )
        self.conv_sub2 = ConvModule(middle_channels, branch_channels)
        self.psp_modules = PyramidPooling(deep_channels, pyramid_channels, align_corners=align_corners)
        width = deep_channels + pyramid_channels * len(self.psp_modules)
        self.psp_bottleneck = ConvModule(width, pyramid_channels, 3)
        self.conv_sub4 = ConvModule(pyramid_channels, branch_channels)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return maps of about 1/8, 1/16 and 1/32 of the images' size."""
        light = self.conv_sub1(images)

        x = self.entry(self.halved(images))
        for layer in self.layers[: self.layers_before_halving]:
            x = layer(x)
        middle = self.conv_sub2(x)

        x = self.halved(x)
        for layer in self.layers[self.layers_before_halving :]:
            x = layer(x)
        deep = self.psp_bottleneck(torch.cat((*self.psp_modules(x), x), dim=1))
        return light, middle, self.conv_sub4(deep)

    @property
    def layers(self) -> list[nn.Module]:
        """The backbone's layers after its entry."""
        return [module for name, module in self.backbone.named_children() if name.startswith("layer")]

    def entry(self, images: Tensor) -> Tensor:
        """Return the input of the backbone's first layer."""
        if isinstance(self.backbone, ResNet):
            return self.backbone.entry(images)
        return cast(Tensor, self.backbone.get_submodule("conv1")(images))

    def halved(self, x: Tensor) -> Tensor:
        """Return a map at half its size, rounded down."""
        return F.interpolate(x, scale_factor=0.5, mode="bilinear", align_corners=self.align_corners)


class CascadeFeatureFusion(nn.Module):
    """Add a coarse map to a map of twice its size (figure 3); an auxiliary head guides the coarse map."""

    def __init__(self, low_channels: int, high_channels: int, channels: int, align_corners: bool) -> None:
        super().__init__()
        self.align_corners = align_corners
        self.conv_low = ConvModule(low_channels, channels, 3, dilation=2)
        self.conv_high = ConvModule(high_channels, channels)

    def forward(self, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
        """Return the sum and the coarse map alone, both (N, channels, H, W) at the finer map's size."""
        low = self.conv_low(resize(low, high.shape[-2:], self.align_corners))
        return F.relu(low + self.conv_high(high)), low


class Fusion(nn.Module):
    """The two units of cascade feature fusion, from coarse to fine."""

    def __init__(self, light_channels: int, branch_channels: int, channels: int, align_corners: bool) -> None:
        super().__init__()
        self.cff_24 = CascadeFeatureFusion(branch_channels, branch_channels, channels, align_corners)
        self.cff_12 = CascadeFeatureFusion(channels, light_channels, channels, align_corners)

    def forward(self, light: Tensor, middle: Tensor, deep: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the fused map (1/8) and the coarse maps of both units (1/8 and 1/16), for the heads."""
        fused, guided_24 = self.cff_24(deep, middle)
        fused, guided_12 = self.cff_12(fused, light)
        return fused, guided_12, guided_24


class ICNet(Network):
    """Cascade of images, fusion, heads: float (N, 3, H, W) to logits (N, num_classes, H/8, W/8).

    Parameters
    ----------
    backbone
        A ResNet, `mobilenet_v2` or `efficientnet_lite0`.
    light_channels
        Channels inside the light branch, and of its output.
    pyramid_channels
        Channels of each level of the pyramid pooling, and of their projection.
    branch_channels
        Output channels of the two coarse branches.
    channels
        Channels of the fusion and of the heads.
    auxiliary_heads
        Whether the coarse maps have heads for training (cascade label guidance).
    align_corners
        How maps are resized; false in all published configurations.

    Examples
    --------
    >>> network = ICNet(19, "mobilenet_v2", pyramid_channels=128, branch_channels=128, channels=64)
    >>> network.eval()(torch.zeros(1, 3, 65, 97)).shape
    torch.Size([1, 19, 9, 13])
    """

    def __init__(
        self,
        num_classes: int,
        backbone: str = "resnet50v1c",
        light_channels: tuple[int, int] = (32, 64),
        pyramid_channels: int = 512,
        branch_channels: int = 256,
        channels: int = 128,
        auxiliary_heads: bool = True,
        align_corners: bool = False,
    ) -> None:
        super().__init__()
        inside, light = light_channels
        self.backbone = ImageCascade(
            backbone, (inside, light), pyramid_channels, branch_channels, align_corners
        )
        self.neck = Fusion(light, branch_channels, channels, align_corners)
        self.decode_head = FCNHead(channels, channels, num_classes, dropout=0.0)
        self.auxiliary_head = nn.ModuleList(
            FCNHead(channels, channels, num_classes) for _ in range(2 if auxiliary_heads else 0)
        )
        initialise(self, self.backbone.backbone)

    def forward(self, images: Tensor) -> Tensor:
        """Return the main head's logits."""
        fused, _, _ = self.neck(*self.backbone(images))
        return cast(Tensor, self.decode_head(fused))

    def heads(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the logits of the main head (1/8), and of the auxiliary heads (1/16 and 1/8)."""
        fused, guided_12, guided_24 = self.neck(*self.backbone(images))
        guided = zip(self.auxiliary_head, (guided_24, guided_12), strict=False)
        return (self.decode_head(fused), *(head(x) for head, x in guided))


def fit(state_dict: dict[str, Tensor]) -> Fit:
    """Return how a checkpoint of mmsegmentation or of ours fits ICNet.

    Raises
    ------
    InputError
        If its tensors do not fit, or belong to another network of the same name.
    """
    refuse_other_networks(state_dict)
    published = native("icnet", state_dict)
    num_classes = mmseg.width(published.tensors, "decode_head.conv_seg.weight") or 1
    return fit_published(published, "ICNet", ICNet, num_classes, shown_options(published.tensors))


def refuse_other_networks(state_dict: dict[str, Tensor]) -> None:
    """Raise InputError for the tensors of an ICNet that computes something else."""
    for beginning, upstream in OTHER_NETWORKS.items():
        if any(key.startswith(beginning) for key in state_dict):
            raise InputError(
                f"Expected a checkpoint of mmsegmentation's ICNet, but got one of {upstream}, "
                "which is a different network and cannot be converted: use mmsegmentation's weights."
            )


def shown_options(state_dict: dict[str, Tensor]) -> dict[str, Any]:
    """Return the options that the tensors determine."""
    widths = {
        "pyramid_channels": mmseg.width(state_dict, "backbone.psp_bottleneck.conv.weight"),
        "branch_channels": mmseg.width(state_dict, "backbone.conv_sub2.conv.weight"),
        "channels": mmseg.width(state_dict, "decode_head.conv_seg.weight", axis=1),
    }
    inside, light = (mmseg.width(state_dict, f"backbone.conv_sub1.{index}.conv.weight") for index in (0, 2))
    return {
        "backbone": mmseg.backbone_name(state_dict, "backbone.backbone."),
        **{name: width for name, width in widths.items() if width is not None},
        **({"light_channels": (inside, light)} if inside and light else {}),
        "auxiliary_heads": "auxiliary_head.0.conv_seg.weight" in state_dict,
    }


ARCHITECTURE = Architecture(
    name="icnet",
    build=ICNet,
    fit=fit,
)
