"""From images to labels, step by step.

read -> channel order -> resize -> normalise -> [window] -> pad -> network -> logits at the input's size ->
crop -> [average] -> logits at the image's own size -> argmax. The card says how; docs/protocol.md compares
the steps with published code.
"""

from __future__ import annotations

import functools
from typing import Literal, cast

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from robseg.errors import InputError
from robseg.models.card import Card
from robseg.models.predict.finite import finite
from robseg.models.predict.kernels import normalised
from robseg.models.predict.one_pass import labels_of
from robseg.models.predict.prediction import Prediction
from robseg.models.predict.resizing import resize
from robseg.models.predict.sizes import Size, divisible, resized_once, resized_size
from robseg.models.predict.sliding import by_window, slide
from robseg.models.predict.threads import ONE_AT_A_TIME, moved

__all__ = [
    "PRECISIONS",
    "Precision",
    "autocast",
    "check_precision",
    "labels",
    "open_device",
    "predicted",
    "preprocess",
]

Precision = Literal["fp32", "bf16", "fp16"]
PRECISIONS: dict[str, torch.dtype] = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}

MAX_CLASSES = 255  # labels are bytes, and 255 means unlabelled
VALUES_AT_ONCE = 2**26  # logits that are resized together: 256 MiB of them


def preprocess(images: NDArray[np.uint8], card: Card, device: torch.device | str = "cpu") -> Tensor:
    """Return uint8 RGB images (N, H, W, 3) as the input of a card's network, float32 (N, 3, h, w).

    The channel order, resizing, normalisation and padding happen on the device.
    """
    return _padded(_normalised(images, card, device), card)


def labels(
    network: nn.Module,
    images: NDArray[np.uint8],
    card: Card,
    device: torch.device | str = "cpu",
    precision: Precision = "fp32",
) -> NDArray[np.uint8]:
    """Return the class of each pixel, uint8 (N, H, W), of uint8 RGB images (N, H, W, 3)."""
    return predicted(network, images, card, device, precision).labels


@torch.inference_mode()
def predicted(
    network: nn.Module,
    images: NDArray[np.uint8],
    card: Card,
    device: torch.device | str = "cpu",
    precision: Precision = "fp32",
    confidence: bool = False,
) -> Prediction:
    """Return the class of each pixel of uint8 RGB images (N, H, W, 3), and the confidence if asked for.

    Raises
    ------
    NotFiniteError
        If the network answers NaN or infinity, which no class can be made of.
    """
    x = _normalised(images, card, device)
    size = (images.shape[1], images.shape[2])
    # Softmax and the nearest neighbour are not linear, and the confidence needs the scores of all classes.
    linear = card.average != "probabilities" and not _answers_labels(network)
    if linear and not confidence and x.device.type == "cpu":
        answer = functools.partial(_with_mirrored, network, card=card, precision=precision)
        windows, answers = zip(*by_window(answer, x, card), strict=True)
        return Prediction(labels_of(windows, answers, size, card))
    score = functools.partial(_scores, network, card=card, precision=precision)
    scores = slide(score, x, card) if card.test_mode == "slide" else score(x)
    classes, sure = _strongest(scores, size, card, confidence, _answers_labels(network))
    return Prediction(classes.cpu().numpy(), None if sure is None else sure.cpu().numpy())


def open_device(device: str | torch.device) -> torch.device:
    """Return the device; a mistyped or missing one raises InputError."""
    try:
        place = torch.device(device)
        torch.zeros(1, device=place).tolist()  # "meta" has no values
    except (RuntimeError, AssertionError, ImportError, TypeError, AttributeError) as error:
        raise InputError(
            f"Expected `device` to be one of this machine's, but '{device}' is not available here: use cpu."
        ) from error
    return place


def check_precision(precision: str, device: torch.device) -> None:
    """Raise InputError if networks cannot run in that precision on that device."""
    if precision not in PRECISIONS:
        raise InputError(
            f"Expected `precision` to be one of {', '.join(PRECISIONS)}, but got '{precision}': choose one."
        )
    if precision == "fp16" and device.type == "cpu":
        raise InputError("Expected a GPU for precision fp16, but got the CPU: use fp32 or bf16 there.")


def autocast(device: torch.device, precision: Precision) -> torch.autocast:
    """Return the context in which networks run in that precision on that device."""
    return torch.autocast(device.type, dtype=PRECISIONS[precision], enabled=precision != "fp32")


def _normalised(images: NDArray[np.uint8], card: Card, device: torch.device | str) -> Tensor:
    """Return images as float32 (N, 3, h, w) at the card's size, channels-last in memory."""
    if card.channel_order == "BGR":
        images = images[..., ::-1]
    height, width = images.shape[1:3]
    size = resized_size((height, width), card)
    if size == (height, width) and torch.device(device).type == "cpu":
        return torch.from_numpy(normalised(images, card.mean, card.std)).permute(0, 3, 1, 2)
    # Bytes are a quarter of the floats' size to move. The permuted view is channels-last memory.
    x = moved(images, device).permute(0, 3, 1, 2).float()
    if size != (height, width):
        # As OpenCV does, or with antialiasing as Pillow does, but without rounding to bytes.
        x = F.interpolate(x, size, mode="bilinear", align_corners=False, antialias=card.antialias)
    mean = torch.tensor(card.mean, device=device).view(1, 3, 1, 1)
    std = torch.tensor(card.std, device=device).view(1, 3, 1, 1)
    return x.sub_(mean).div_(std)


def _padded(x: Tensor, card: Card) -> Tensor:
    """Return x padded with zeros (the mean colour) at the bottom and right to a size the network takes."""
    height, width = x.shape[-2:]
    rows, columns = divisible((height, width), card)
    if (rows, columns) != (height, width):
        x = F.pad(x, (0, columns - width, 0, rows - height))
    return x.contiguous(memory_format=torch.channels_last)


def _scores(network: nn.Module, x: Tensor, card: Card, precision: Precision) -> Tensor:
    """Return logits, or probabilities, float32 (N, C, h, w) for the input x (N, 3, H, W).

    They have the input's size, unless the card says that logits are resized once.
    """
    scores = _answers(network, x, card, precision)
    if card.flip:
        # Mirrored before it is padded, so that the labels of a mirrored image are the mirrored labels.
        scores = (scores + _answers(network, x.flip(-1), card, precision).flip(-1)) / 2
    return scores


def _with_mirrored(network: nn.Module, x: Tensor, card: Card, precision: Precision) -> Tensor:
    """Return what the network answers for x and, if the card says so, beside it what for x mirrored."""
    answer = _logits(network, x, card, precision)
    return torch.cat([answer, _logits(network, x.flip(-1), card, precision)], -1) if card.flip else answer


def _answers(network: nn.Module, x: Tensor, card: Card, precision: Precision) -> Tensor:
    """Return scores at the size of x, unless the card says that logits are resized once."""
    height, width = x.shape[-2:]
    logits = _logits(network, x, card, precision)
    if not resized_once((height, width), card):
        # Resized to the padded input's size first, so that cropping removes exactly the padding.
        padded = divisible((height, width), card)
        logits = resize(logits, padded, card.align_corners, _answers_labels(network))
        logits = logits[..., :height, :width]
    return logits.softmax(dim=1) if card.average == "probabilities" else logits


def _logits(network: nn.Module, x: Tensor, card: Card, precision: Precision) -> Tensor:
    """Return what the network answers for x after padding, float32 (N, C, h, w)."""
    x = _padded(x, card)
    with ONE_AT_A_TIME, autocast(x.device, precision):
        logits = cast(Tensor, network(x)).float()
    logits = finite(logits)
    if logits.shape[1] > MAX_CLASSES:
        raise InputError(
            f"Expected a network of at most {MAX_CLASSES} classes, because labels are bytes, but got "
            f"{logits.shape[1]} outputs: merge classes or leave some out."
        )
    return logits


def _answers_labels(network: nn.Module) -> bool:
    """Return whether a network answers labels; bilinear resizing would smooth their outlines."""
    return getattr(network, "labels_only", False)


def _strongest(
    scores: Tensor, size: Size, card: Card, confidence: bool, nearest: bool
) -> tuple[Tensor, Tensor | None]:
    """Resize scores and return the class with the highest score at each pixel, uint8 (N, *size).

    The second result is the probability of that class, float32 (N, *size), or None if not asked for.
    """
    if scores.shape[-2:] == size and not confidence:
        return scores.argmax(dim=1).to(torch.uint8), None
    probabilities = card.average == "probabilities"
    # Semseg, which averages probabilities, resizes them as OpenCV does; others resize logits as above.
    align_corners = card.align_corners and not probabilities
    scores = scores.contiguous()  # a few channels of channels-last memory are resized half as fast
    # Some classes at a time: 150 of them at the size of a photograph would take gigabytes.
    step = max(VALUES_AT_ONCE // (len(scores) * size[0] * size[1]), 1)
    for first in range(0, scores.shape[1], step):
        part = resize(scores[:, first : first + step], size, align_corners, nearest)
        values, classes = part.max(dim=1)
        classes = (classes + first).to(torch.uint8)
        logsum = _logsum(part, card) if confidence and not probabilities else torch.zeros(())
        if first == 0:
            best, found, total = values, classes, logsum
        else:
            higher = values > best
            best, found = torch.where(higher, values, best), torch.where(higher, classes, found)
            total = torch.logaddexp(total, logsum)
    if not confidence:
        return found, None
    if card.average == "scores":
        best = best.log()
    return found, (best if probabilities else (best - total).exp()).clamp(0, 1)


def _logsum(part: Tensor, card: Card) -> Tensor:
    """Return the logarithm of what the probabilities of these classes (N, C, H, W) are shares of."""
    if card.average == "scores":
        return part.sum(dim=1).clamp(min=torch.finfo(part.dtype).tiny).log()
    return part.logsumexp(dim=1)
