"""PSPNet: Pyramid Scene Parsing Network.

Zhao, Shi, Qi, Wang, Jia, 2016, https://arxiv.org/abs/1612.01105. Parameters have the names that
mmsegmentation 1.x (Apache-2.0) uses. The authors' own repository, github.com/hszhao/semseg (MIT), has the
same network except for these flags:

===================  =============  ==============
what                 mmsegmentation semseg
===================  =============  ==============
stem_channels        64             128
contract_dilation    True           False
align_corners        False, but     True
                     for 769x769
===================  =============  ==============
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from robseg.models.backbones import OutputStride, build_backbone
from robseg.models.base import Architecture, Fit, Network
from robseg.models.layers import ConvModule, FCNHead, PyramidPooling, initialise
from robseg.models.layouts import mmseg, native
from robseg.models.layouts.published import fit_published

__all__ = ["ARCHITECTURE", "PSPNet", "fit"]


# The number of cells along a side of each pyramid level, the coarsest level first.
SCALES = (1, 2, 3, 6)


class PSPHead(nn.Module):
    """Pyramid pooling, concatenated with its input and fused, and a classifier (figure 3 c and d)."""

    def __init__(self, in_channels: int, channels: int, num_classes: int, align_corners: bool) -> None:
        super().__init__()
        self.psp_modules = PyramidPooling(in_channels, channels, SCALES, align_corners)
        self.bottleneck = ConvModule(in_channels + len(SCALES) * channels, channels, 3)
        self.dropout = nn.Dropout2d(0.1)
        self.conv_seg = nn.Conv2d(channels, num_classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits at the size of `x`."""
        pyramid = torch.cat([x, *self.psp_modules(x)], dim=1)
        return cast(Tensor, self.conv_seg(self.dropout(self.bottleneck(pyramid))))


class PSPNet(Network):
    """Encoder, pyramid pooling, classifier: float (N, 3, H, W) to logits (N, num_classes, H/8, W/8).

    Parameters
    ----------
    output_stride
        Output stride of the encoder, and so of the logits.
    channels
        Channels of each level of the pyramid, and of their fusion.
    aux_channels
        Channels of the auxiliary head on the encoder's third map; None for a network without it.
    align_corners
        How the levels of the pyramid are resized.
    dilations, contract_dilation, stem_channels
        Options of a ResNet, if they differ from its defaults.

    Examples
    --------
    >>> network = PSPNet(19, "resnet18v1c", channels=128, aux_channels=64)
    >>> network.eval()(torch.zeros(1, 3, 65, 97)).shape
    torch.Size([1, 19, 9, 13])
    """

    def __init__(
        self,
        num_classes: int,
        backbone: str = "resnet50v1c",
        output_stride: OutputStride = 8,
        channels: int = 512,
        aux_channels: int | None = 256,
        align_corners: bool = False,
        dilations: Sequence[int] | None = None,
        contract_dilation: bool | None = None,
        stem_channels: int | None = None,
    ) -> None:
        super().__init__()
        resnet_flags: dict[str, Any] = {
            "dilations": dilations,
            "contract_dilation": contract_dilation,
            "stem_channels": stem_channels,
        }
        flags = {name: value for name, value in resnet_flags.items() if value is not None}
        self.backbone = build_backbone(backbone, output_stride=output_stride, **flags)
        _, _, middle_channels, last_channels = self.backbone.channels
        self.decode_head = PSPHead(last_channels, channels, num_classes, align_corners)
        self.auxiliary_head: FCNHead | None = None
        if aux_channels is not None:
            self.auxiliary_head = FCNHead(middle_channels, aux_channels, num_classes)
        initialise(self, self.backbone)

    def forward(self, images: Tensor) -> Tensor:
        """Return the main head's logits."""
        return cast(Tensor, self.decode_head(self.backbone(images)[-1]))

    def heads(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the logits of the main head and, if there is one, of the auxiliary head."""
        *_, middle, last = self.backbone(images)
        main = self.decode_head(last)
        return (main,) if self.auxiliary_head is None else (main, self.auxiliary_head(middle))


def fit(state_dict: dict[str, Tensor]) -> Fit:
    """Return how a checkpoint of mmsegmentation, of semseg or of ours fits PSPNet."""
    published = native("pspnet", state_dict)
    tensors = published.tensors
    num_classes = mmseg.width(tensors, "decode_head.conv_seg.weight") or 1
    return fit_published(published, "PSPNet", PSPNet, num_classes, shown_options(tensors))


def shown_options(tensors: dict[str, Tensor]) -> dict[str, Any]:
    """Return the options that tensors with our names determine."""
    shown: dict[str, Any] = {
        "backbone": mmseg.backbone_name(tensors),
        "aux_channels": mmseg.width(tensors, "auxiliary_head.convs.0.conv.weight"),
    }
    channels = mmseg.width(tensors, "decode_head.bottleneck.conv.weight")
    if channels is not None:
        shown["channels"] = channels
    # The last convolution of the stem, in a deep and in a plain ResNet.
    for name in ("backbone.stem.6.weight", "backbone.conv1.weight"):
        stem_channels = mmseg.width(tensors, name)
        if stem_channels is not None:
            shown["stem_channels"] = stem_channels
    return shown


ARCHITECTURE = Architecture(
    name="pspnet",
    build=PSPNet,
    fit=fit,
)
