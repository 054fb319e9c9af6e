"""DeepLabV3+: Encoder-Decoder with Atrous Separable Convolution for Semantic Image Segmentation.

Chen, Zhu, Papandreou, Schroff, Adam, 2018, https://arxiv.org/abs/1802.02611. Parameters have the names that
mmsegmentation 1.x (Apache-2.0) uses. Published weights belong to two variants, which are different networks:

=====================  =======================  ===========================================
what                   mmseg                    vainf (github.com/VainF/DeepLabV3Plus-Pytorch)
=====================  =======================  ===========================================
dilated branches       separable                plain
projection of ASPP     3x3                      1x1
decoder                two separable 3x3        one plain 3x3
MobileNetV2            pads each convolution    pads each block before it expands
=====================  =======================  ===========================================

Kamann and Rother (2021, https://doi.org/10.1007/s11263-020-01383-2) remove parts of the network to learn
which of them make it robust. The same parts can be removed here: ASPP (or replaced by the dense prediction
cell), its image pooling, and the decoder's long-range link.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, cast, get_args

import torch
from torch import Tensor, nn

from robseg.errors import InputError
from robseg.models.backbones import Backbone, build_backbone
from robseg.models.base import Architecture, Fit, Network
from robseg.models.layers import ConvModule, FCNHead, SeparableConvModule, initialise, resize
from robseg.models.layouts import mmseg, native
from robseg.models.layouts.published import fit_published

__all__ = ["ARCHITECTURE", "DeepLabV3Plus", "fit"]

Context = Literal["aspp", "dpc", "none"]
Variant = Literal["mmseg", "vainf"]
OutputStride = Literal[8, 16]

# The dilations of ASPP's branches, by output stride.
DILATIONS = {8: (1, 12, 24, 36), 16: (1, 6, 12, 18)}


class CellConvolution(NamedTuple):
    """A convolution of the dense prediction cell: its dilation (rows, columns), and its input's source."""

    dilation: tuple[int, int]
    source: int | None


# The best cell of https://arxiv.org/abs/1809.04184, for output stride 16; the source None is the encoder.
CELL = (
    CellConvolution((1, 6), None),
    CellConvolution((18, 15), 0),
    CellConvolution((6, 3), 1),
    CellConvolution((1, 1), 0),
    CellConvolution((6, 21), 0),
)


class ImagePooling(nn.Sequential):
    """The mean of the whole map, projected, and copied to every pixel."""

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__(nn.AdaptiveAvgPool2d(1), ConvModule(in_channels, channels))

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, channels, H, W)."""
        mean, projection = self
        return cast(Tensor, projection(mean(x))).expand(-1, -1, *x.shape[-2:])


class AtrousPyramid(nn.ModuleList):
    """The parallel convolutions of ASPP: one of 1x1, and dilated ones of 3x3."""

    def __init__(self, in_channels: int, channels: int, output_stride: OutputStride, separable: bool) -> None:
        super().__init__()
        for dilation in DILATIONS[output_stride]:
            if dilation == 1:
                self.append(ConvModule(in_channels, channels))
            elif separable:
                self.append(SeparableConvModule(in_channels, channels, dilation))
            else:
                self.append(ConvModule(in_channels, channels, 3, dilation=dilation))

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the convolutions' maps (N, channels, H, W)."""
        return [convolution(x) for convolution in self]


class DensePredictionCell(nn.ModuleList):
    """The convolutions of the cell found by search, most of which take the output of another one."""

    def __init__(self, in_channels: int, channels: int, output_stride: OutputStride) -> None:
        super().__init__()
        scale = 16 // output_stride
        for (rows, columns), source in CELL:
            before = in_channels if source is None else channels
            self.append(SeparableConvModule(before, channels, (rows * scale, columns * scale)))

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the convolutions' maps (N, channels, H, W)."""
        maps: list[Tensor] = []
        for convolution, (_, source) in zip(self, CELL, strict=True):
            maps.append(convolution(x if source is None else maps[source]))
        return maps


class ContextModule(nn.Module):
    """The multi-scale context of each pixel, from the encoder's last map.

    Image pooling is a part of ASPP. Without context, a 1x1 convolution replaces it.
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        output_stride: OutputStride,
        context: Context,
        image_pooling: bool,
        separable: bool,
    ) -> None:
        super().__init__()
        self.image_pool: ImagePooling | None = None
        self.aspp_modules: AtrousPyramid | DensePredictionCell | None = None
        if context == "aspp":
            self.aspp_modules = AtrousPyramid(in_channels, channels, output_stride, separable)
            if image_pooling:
                self.image_pool = ImagePooling(in_channels, channels)
            width = channels * (len(self.aspp_modules) + image_pooling)
            self.bottleneck = ConvModule(width, channels, 3 if separable else 1)
        elif context == "dpc":
            self.aspp_modules = DensePredictionCell(in_channels, channels, output_stride)
            self.bottleneck = ConvModule(channels * len(CELL), channels)
        else:
            self.bottleneck = ConvModule(in_channels, channels)

    def context(self, x: Tensor) -> Tensor:
        """Return (N, channels, H, W)."""
        maps = [] if self.image_pool is None else [self.image_pool(x)]
        maps += [x] if self.aspp_modules is None else self.aspp_modules(x)
        return cast(Tensor, self.bottleneck(torch.cat(maps, dim=1)))


class DeepLabHead(ContextModule):
    """Context, and a decoder that refines it with the encoder's first map (1/4 of the image's size).

    Without `low_level_channels` the decoder does not use the content of that map (the long-range link).
    """

    def __init__(
        self,
        in_channels: int,
        low_channels: int,
        num_classes: int,
        channels: int,
        low_level_channels: int | None,
        output_stride: OutputStride,
        context: Context,
        image_pooling: bool,
        separable: bool,
        align_corners: bool,
    ) -> None:
        super().__init__(in_channels, channels, output_stride, context, image_pooling, separable)
        self.align_corners = align_corners
        self.c1_bottleneck: ConvModule | None = None
        width = channels
        if low_level_channels is not None:
            self.c1_bottleneck = ConvModule(low_channels, low_level_channels)
            width += low_level_channels
        if separable:
            convolutions = [SeparableConvModule(width, channels), SeparableConvModule(channels, channels)]
            self.sep_bottleneck = nn.Sequential(*convolutions)
        else:
            self.sep_bottleneck = nn.Sequential(ConvModule(width, channels, 3))
        self.dropout = nn.Dropout2d(0.1)
        self.conv_seg = nn.Conv2d(channels, num_classes, 1)

    def forward(self, low: Tensor, high: Tensor) -> Tensor:
        """Return logits at the size of `low`."""
        x = resize(self.context(high), low.shape[-2:], self.align_corners)
        if self.c1_bottleneck is not None:
            x = torch.cat((x, self.c1_bottleneck(low)), dim=1)
        return cast(Tensor, self.conv_seg(self.dropout(self.sep_bottleneck(x))))


class DeepLabV3Plus(Network):
    """Encoder, context, decoder: float (N, 3, H, W) to logits (N, num_classes, H/4, W/4).

    Parameters
    ----------
    output_stride
        Output stride of the encoder; None for the variant's usual one, 8 (mmseg) or 16 (vainf).
    multi_grid
        The dilations of a ResNet's last blocks, or None.
    low_level
        Whether the decoder uses the encoder's first map, by a long-range link with `low_level_channels`.
    aux_channels
        Channels of the auxiliary head on the encoder's third map; None for a network without it.
    context
        ASPP, the dense prediction cell, or none.
    image_pooling
        Whether ASPP pools the whole image.
    align_corners
        How the context's map is resized; True in mmsegmentation's configurations for crops of 769 pixels.

    Examples
    --------
    >>> network = DeepLabV3Plus(19, "resnet18v1c", channels=128, low_level_channels=12, aux_channels=64)
    >>> network.eval()(torch.zeros(1, 3, 65, 97)).shape
    torch.Size([1, 19, 17, 25])
    """

    def __init__(
        self,
        num_classes: int,
        backbone: str = "resnet50v1c",
        output_stride: OutputStride | None = None,
        multi_grid: tuple[int, ...] | None = None,
        channels: int = 512,
        low_level: bool = True,
        low_level_channels: int = 48,
        aux_channels: int | None = 256,
        context: Context = "aspp",
        image_pooling: bool = True,
        align_corners: bool = False,
        variant: Variant = "mmseg",
    ) -> None:
        super().__init__()
        check("context", context, get_args(Context))
        check("variant", variant, get_args(Variant))
        stride: OutputStride = output_stride or (8 if variant == "mmseg" else 16)
        check("output_stride", stride, get_args(OutputStride))
        self.backbone = encoder(backbone, stride, multi_grid, variant)
        low_channels, _, aux_in_channels, in_channels = self.backbone.channels
        self.decode_head = DeepLabHead(
            in_channels,
            low_channels,
            num_classes,
            channels=channels,
            low_level_channels=low_level_channels if low_level else None,
            output_stride=stride,
            context=context,
            image_pooling=image_pooling,
            separable=variant == "mmseg",
            align_corners=align_corners,
        )
        self.auxiliary_head: FCNHead | None = None
        if aux_channels is not None:
            self.auxiliary_head = FCNHead(aux_in_channels, aux_channels, num_classes)
        initialise(self, self.backbone)

    def forward(self, images: Tensor) -> Tensor:
        """Return the main head's logits."""
        low, _, _, high = self.backbone(images)
        return cast(Tensor, self.decode_head(low, high))

    def heads(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the logits of the main head and, if there is one, of the auxiliary head."""
        low, _, middle, high = self.backbone(images)
        main = self.decode_head(low, high)
        return (main,) if self.auxiliary_head is None else (main, self.auxiliary_head(middle))


def check(name: str, value: object, allowed: tuple[object, ...]) -> None:
    """Raise InputError for a value that is not allowed: cards and recipes are written by hand."""
    if value not in allowed:
        known = ", ".join(map(repr, allowed))
        raise InputError(
            f"Expected `{name}` of DeepLabV3+ to be one of {known}, but got {value!r}: change it."
        )


def encoder(
    name: str, output_stride: OutputStride, multi_grid: tuple[int, ...] | None, variant: Variant
) -> Backbone:
    """Return the variant's backbone of that name."""
    flags: dict[str, Any] = {} if multi_grid is None else {"multi_grid": tuple(multi_grid)}
    if name == "mobilenet_v2":
        flags["variant"] = variant
    return build_backbone(name, output_stride=output_stride, **flags)


def fit(state_dict: dict[str, Tensor]) -> Fit:
    """Return how a checkpoint of mmsegmentation, of VainF's repository or of ours fits DeepLabV3+.

    The names show which parts of the network were removed; they do not show strides and dilations.
    """
    published = native("deeplabv3plus", state_dict)
    tensors = published.tensors
    num_classes = mmseg.width(tensors, "decode_head.conv_seg.weight") or 1
    return fit_published(published, "DeepLabV3+", DeepLabV3Plus, num_classes, shown_options(tensors))


def shown_options(tensors: dict[str, Tensor]) -> dict[str, Any]:
    """Return the options that tensors with our names determine."""
    widths = {
        "channels": mmseg.width(tensors, "decode_head.conv_seg.weight", axis=1),
        "low_level_channels": mmseg.width(tensors, "decode_head.c1_bottleneck.conv.weight"),
    }
    return {
        "backbone": mmseg.backbone_name(tensors),
        **{name: width for name, width in widths.items() if width is not None},
        "low_level": widths["low_level_channels"] is not None,
        "aux_channels": mmseg.width(tensors, "auxiliary_head.conv_seg.weight", axis=1),
        "context": shown_context(tensors),
        "image_pooling": "decode_head.image_pool.1.conv.weight" in tensors,
        "variant": "vainf" if "decode_head.sep_bottleneck.0.conv.weight" in tensors else "mmseg",
    }


def shown_context(tensors: dict[str, Tensor]) -> Context:
    """Return the context that the tensors determine: the searched cell has more convolutions than ASPP."""
    if not any(key.startswith("decode_head.aspp_modules.") for key in tensors):
        return "none"
    is_cell = any(key.startswith(f"decode_head.aspp_modules.{len(CELL) - 1}.") for key in tensors)
    return "dpc" if is_cell else "aspp"


ARCHITECTURE = Architecture(
    name="deeplabv3plus",
    build=DeepLabV3Plus,
    fit=fit,
)
