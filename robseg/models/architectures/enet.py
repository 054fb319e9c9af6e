"""ENet: A Deep Neural Network Architecture for Real-Time Semantic Segmentation.

Paszke, Chaurasia, Kim, Culurciello, 2016, https://arxiv.org/abs/1606.02147. Parameters have the names that
github.com/davidtvs/PyTorch-ENet (MIT) uses, so that its files load without renaming. That repository has
published weights of two generations, which are different networks:

==================================  =======================  ==========================
what                                2018                     2021
==================================  =======================  ==========================
activation after a sum              PReLU, one per channel   PReLU, one slope
activations of the decoder          PReLU                    ReLU
pooling where a stage shrinks       3x3, stride 2            2x2, stride 2
deconvolution where a stage grows   3x3, stride 2            2x2, stride 2
end of a growing extension branch   activation               none
==================================  =======================  ==========================

Files from the months in between have the same names as those of 2021 and are read as 2021.
"""

from __future__ import annotations

from typing import Literal, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from robseg.models.base import Architecture, Fit, Network
from robseg.models.layouts.published import Published, fit_published

__all__ = ["ARCHITECTURE", "ENet", "fit", "unpooled"]

Generation = Literal[2018, 2021]

CAMVID = (
    "sky", "building", "pole", "road", "pavement", "tree", "sign", "fence", "car", "pedestrian", "bicyclist",
)  # fmt: skip
CITYSCAPES = (
    "road", "sidewalk", "building", "wall", "fence", "pole", "traffic light", "traffic sign", "vegetation",
    "terrain", "sky", "person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle",
)  # fmt: skip
# The number of outputs identifies a published file; the position of the unlabelled class differs.
PUBLISHED_CLASSES = {12: (*CAMVID, "void"), 20: ("void", *CITYSCAPES)}
# Card fields: pixels are scaled to 0..1 and not normalised.
UNIT_INPUT = {"mean": (0.0, 0.0, 0.0), "std": (255.0, 255.0, 255.0), "channel_order": "RGB"}


def conv_bn(
    in_channels: int, out_channels: int, kernel: int | tuple[int, int], stride: int = 1, dilation: int = 1
) -> list[nn.Module]:
    """Return a convolution that keeps the size (except for `stride`) and its batch norm. 2x2 is unpadded."""
    rows, columns = (kernel, kernel) if isinstance(kernel, int) else kernel
    padding = ((rows - 1) // 2 * dilation, (columns - 1) // 2 * dilation)
    convolution = nn.Conv2d(
        in_channels, out_channels, (rows, columns), stride, padding, dilation=dilation, bias=False
    )
    return [convolution, nn.BatchNorm2d(out_channels)]


class Activations:
    """Build the activations of one part of the network: `inside` a branch, and `after_sum` of two."""

    def __init__(self, generation: Generation, decoder: bool) -> None:
        self.generation = generation
        self.relu = decoder and generation == 2021

    def inside(self) -> nn.Module:
        """Return an activation within a branch."""
        return nn.ReLU() if self.relu else nn.PReLU()

    def after_sum(self, channels: int) -> nn.Module:
        """Return the activation that ends a block of `channels`."""
        if self.relu:
            return nn.ReLU()
        return nn.PReLU(channels if self.generation == 2018 else 1)


def unpooled(x: Tensor, indices: Tensor, output_size: torch.Size) -> Tensor:
    """Put each value (N, C, h, w) at the position of its maximum in the encoder.

    If several values have the same position, the last one in row order stays. Max unpooling with one thread
    does the same, and the published weights were trained with it.

    Examples
    --------
    >>> x, indices = torch.tensor([[[[5.0, 7.0, 3.0]]]]), torch.tensor([[[[1, 1, 3]]]])
    >>> unpooled(x, indices, torch.Size([2, 2]))
    tensor([[[[0., 7.],
              [0., 3.]]]])
    """
    height, width = output_size
    places = indices.flatten(2)
    order = torch.arange(places.shape[2], device=x.device).expand_as(places)
    nobody = order.new_full((*places.shape[:2], height * width), -1)
    last = nobody.scatter_reduce(2, places, order, "amax")
    values = x.flatten(2).gather(2, last.clamp(min=0))
    return torch.where(last < 0, 0, values).view(*x.shape[:2], height, width)


class InitialBlock(nn.Module):
    """Halve the size: concatenate a strided convolution and the pooled image (figure 2a)."""

    def __init__(self, out_channels: int, activations: Activations) -> None:
        super().__init__()
        self.main_branch = nn.Conv2d(3, out_channels - 3, 3, stride=2, padding=1, bias=False)
        self.ext_branch = nn.MaxPool2d(3, stride=2, padding=1)
        self.batch_norm = nn.BatchNorm2d(out_channels)
        self.out_activation = activations.after_sum(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, out_channels, H/2, W/2)."""
        x = torch.cat((self.main_branch(x), self.ext_branch(x)), dim=1)
        return cast(Tensor, self.out_activation(self.batch_norm(x)))


class Bottleneck(nn.Module):
    """Keep the size: add an extension branch of 1x1, `kernel`, 1x1 convolutions to the input (figure 2b).

    With `asymmetric`, the middle convolution is split into a `kernel` x 1 and a 1 x `kernel` one.
    """

    def __init__(
        self,
        channels: int,
        activations: Activations,
        dropout: float = 0.1,
        kernel: int = 3,
        dilation: int = 1,
        asymmetric: bool = False,
    ) -> None:
        super().__init__()
        inside = channels // 4
        middle = [(kernel, 1), (1, kernel)] if asymmetric else [(kernel, kernel)]
        self.ext_conv1 = nn.Sequential(*conv_bn(channels, inside, 1), activations.inside())
        layers: list[nn.Module] = []
        for shape in middle:
            layers += [*conv_bn(inside, inside, shape, dilation=dilation), activations.inside()]
        self.ext_conv2 = nn.Sequential(*layers)
        self.ext_conv3 = nn.Sequential(*conv_bn(inside, channels, 1), activations.inside())
        self.ext_regul = nn.Dropout2d(dropout)
        self.out_activation = activations.after_sum(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return a map of the input's shape."""
        extension = self.ext_regul(self.ext_conv3(self.ext_conv2(self.ext_conv1(x))))
        return cast(Tensor, self.out_activation(x + extension))


class DownsamplingBottleneck(nn.Module):
    """Halve the size: the main branch is max-pooled and padded with zero channels."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        activations: Activations,
        dropout: float,
        generation: Generation,
    ) -> None:
        super().__init__()
        inside = in_channels // 4
        pool = {2018: (3, 2, 1), 2021: (2, 2, 0)}[generation]
        self.main_max1 = nn.MaxPool2d(*pool, return_indices=True)
        self.ext_conv1 = nn.Sequential(*conv_bn(in_channels, inside, 2, stride=2), activations.inside())
        self.ext_conv2 = nn.Sequential(*conv_bn(inside, inside, 3), activations.inside())
        self.ext_conv3 = nn.Sequential(*conv_bn(inside, out_channels, 1), activations.inside())
        self.ext_regul = nn.Dropout2d(dropout)
        self.out_activation = activations.after_sum(out_channels)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the map (N, out_channels, H/2, W/2) and indices of maxima (N, in_channels, H/2, W/2)."""
        main, indices = self.main_max1(x)
        extension = self.ext_regul(self.ext_conv3(self.ext_conv2(self.ext_conv1(x))))
        missing = extension.shape[1] - main.shape[1]
        main = F.pad(main, (0, 0, 0, 0, 0, missing))
        return self.out_activation(main + extension), indices


class UpsamplingBottleneck(nn.Module):
    """Double the size: the main branch puts each value at the position of its maximum in the encoder."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        activations: Activations,
        generation: Generation,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        inside = in_channels // 4
        kernel, padding = {2018: (3, 1), 2021: (2, 0)}[generation]
        end = [activations.inside()] if generation == 2018 else []
        self.main_conv1 = nn.Sequential(*conv_bn(in_channels, out_channels, 1))
        # Overlapping pooling windows can share a maximum, and torch's threads race to write it back.
        self.main_unpool1 = unpooled if generation == 2018 else nn.MaxUnpool2d(2)
        self.ext_conv1 = nn.Sequential(*conv_bn(in_channels, inside, 1), activations.inside())
        self.ext_tconv1 = nn.ConvTranspose2d(inside, inside, kernel, stride=2, padding=padding, bias=False)
        self.ext_tconv1_bnorm = nn.BatchNorm2d(inside)
        self.ext_tconv1_activation = activations.inside()
        self.ext_conv2 = nn.Sequential(*conv_bn(inside, out_channels, 1), *end)
        self.ext_regul = nn.Dropout2d(dropout)
        self.out_activation = activations.after_sum(out_channels)

    def forward(self, x: Tensor, indices: Tensor, size: torch.Size) -> Tensor:
        """Return (N, out_channels, *size), where `size` is (H, W) before the encoder halved it."""
        main = self.main_unpool1(self.main_conv1(x), indices, output_size=size)
        extension = self.ext_tconv1(self.ext_conv1(x), output_size=size)
        extension = self.ext_tconv1_activation(self.ext_tconv1_bnorm(extension))
        extension = self.ext_regul(self.ext_conv2(extension))
        return cast(Tensor, self.out_activation(main + extension))


class ENet(Network):
    """The network of table 1: float (N, 3, H, W) to logits (N, num_classes, H, W).

    For 2018, H and W must be multiples of 8; 2021 accepts any size.

    Examples
    --------
    >>> import torch
    >>> ENet(num_classes=11).eval()(torch.zeros(1, 3, 64, 96)).shape
    torch.Size([1, 11, 64, 96])
    """

    def __init__(self, num_classes: int, generation: Generation = 2021) -> None:
        super().__init__()
        encoder = Activations(generation, decoder=False)
        decoder = Activations(generation, decoder=True)

        self.initial_block = InitialBlock(16, encoder)

        self.downsample1_0 = DownsamplingBottleneck(16, 64, encoder, 0.01, generation)
        self.regular1_1 = Bottleneck(64, encoder, dropout=0.01)
        self.regular1_2 = Bottleneck(64, encoder, dropout=0.01)
        self.regular1_3 = Bottleneck(64, encoder, dropout=0.01)
        self.regular1_4 = Bottleneck(64, encoder, dropout=0.01)

        self.downsample2_0 = DownsamplingBottleneck(64, 128, encoder, 0.1, generation)
        self.regular2_1 = Bottleneck(128, encoder)
        self.dilated2_2 = Bottleneck(128, encoder, dilation=2)
        self.asymmetric2_3 = Bottleneck(128, encoder, kernel=5, asymmetric=True)
        self.dilated2_4 = Bottleneck(128, encoder, dilation=4)
        self.regular2_5 = Bottleneck(128, encoder)
        self.dilated2_6 = Bottleneck(128, encoder, dilation=8)
        self.asymmetric2_7 = Bottleneck(128, encoder, kernel=5, asymmetric=True)
        self.dilated2_8 = Bottleneck(128, encoder, dilation=16)

        self.regular3_0 = Bottleneck(128, encoder)
        self.dilated3_1 = Bottleneck(128, encoder, dilation=2)
        self.asymmetric3_2 = Bottleneck(128, encoder, kernel=5, asymmetric=True)
        self.dilated3_3 = Bottleneck(128, encoder, dilation=4)
        self.regular3_4 = Bottleneck(128, encoder)
        self.dilated3_5 = Bottleneck(128, encoder, dilation=8)
        self.asymmetric3_6 = Bottleneck(128, encoder, kernel=5, asymmetric=True)
        self.dilated3_7 = Bottleneck(128, encoder, dilation=16)

        self.upsample4_0 = UpsamplingBottleneck(128, 64, decoder, generation)
        self.regular4_1 = Bottleneck(64, decoder)
        self.regular4_2 = Bottleneck(64, decoder)

        self.upsample5_0 = UpsamplingBottleneck(64, 16, decoder, generation)
        self.regular5_1 = Bottleneck(16, decoder)

        self.transposed_conv = nn.ConvTranspose2d(16, num_classes, 3, stride=2, padding=1, bias=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits at the images' own size."""
        half = self.initial_block(images)

        quarter, indices1 = self.downsample1_0(half)
        for block in (self.regular1_1, self.regular1_2, self.regular1_3, self.regular1_4):
            quarter = block(quarter)

        x, indices2 = self.downsample2_0(quarter)
        for block in (self.regular2_1, self.dilated2_2, self.asymmetric2_3, self.dilated2_4):
            x = block(x)
        for block in (self.regular2_5, self.dilated2_6, self.asymmetric2_7, self.dilated2_8):
            x = block(x)

        for block in (self.regular3_0, self.dilated3_1, self.asymmetric3_2, self.dilated3_3):
            x = block(x)
        for block in (self.regular3_4, self.dilated3_5, self.asymmetric3_6, self.dilated3_7):
            x = block(x)

        x = self.upsample4_0(x, indices2, quarter.shape[-2:])
        x = self.regular4_2(self.regular4_1(x))

        x = self.upsample5_0(x, indices1, half.shape[-2:])
        x = self.regular5_1(x)

        return cast(Tensor, self.transposed_conv(x, output_size=images.shape[-2:]))


def name_of_2018(key: str) -> str:
    """Return our name of a tensor in a file of 2018, in which an upsampling block was one list of layers.

    Examples
    --------
    >>> name_of_2018("upsample4_0.ext_conv2.1.weight")
    'upsample4_0.ext_tconv1_bnorm.weight'
    >>> name_of_2018("upsample4_0.ext_conv3.0.weight")
    'upsample4_0.ext_conv2.0.weight'
    """
    key = key.replace("out_prelu.", "out_activation.")
    if not key.startswith("upsample"):
        return key
    parts = ("ext_tconv1", "ext_tconv1_bnorm", "ext_tconv1_activation")
    for index, part in enumerate(parts):
        if f".ext_conv2.{index}." in key:
            return key.replace(f".ext_conv2.{index}.", f".{part}.")
    return key.replace(".ext_conv3.", ".ext_conv2.")


def fit(state_dict: dict[str, Tensor]) -> Fit:
    """Return how a checkpoint fits ENet: a published file of either generation, or one of ours."""
    layout = "pytorch-enet-2021"
    if any(key.endswith("out_prelu.weight") for key in state_dict):
        layout = "pytorch-enet-2018"
        state_dict = {name_of_2018(key): tensor for key, tensor in state_dict.items()}
    # With either set of names, the PReLU after a sum has a slope per channel (2018) or a single one (2021).
    slopes = state_dict.get("initial_block.out_activation.weight")
    generation: Generation = 2021 if slopes is None or slopes.numel() == 1 else 2018
    # A deconvolution's weight is (in, out, rows, columns).
    head = state_dict.get("transposed_conv.weight")
    num_classes = head.shape[1] if head is not None and head.ndim == 4 else 1
    published = Published(layout, state_dict, UNIT_INPUT)
    class_names = PUBLISHED_CLASSES.get(num_classes)
    return fit_published(published, "ENet", ENet, num_classes, {"generation": generation}, class_names)


ARCHITECTURE = Architecture(
    name="enet",
    build=ENet,
    fit=fit,
    size_divisor=8,
)
