"""The sizes (H, W) between an image and its network, as a card says; integers only, without torch."""

from __future__ import annotations

from typing import NamedTuple

from robseg.errors import InputError
from robseg.models.card import Card

__all__ = [
    "Size",
    "Window",
    "divisible",
    "framed",
    "network_sizes",
    "padded_size",
    "resized_once",
    "resized_size",
    "windows",
]

Size = tuple[int, int]


class Window(NamedTuple):
    """A part of an image, as index of its last two axes."""

    rows: slice
    columns: slice


def resized_size(size: Size, card: Card) -> Size:
    """Return the size to which images of `size` are resized before they are padded.

    Examples
    --------
    >>> card = Card("m", "enet", "toy", ("road",), test_size=(512, 2048), resize="fit")
    >>> resized_size((375, 500), card), resized_size((500, 375), card)
    ((512, 683), (683, 512))
    """
    if card.test_size is None:
        return size
    if card.resize == "exact":
        return card.test_size
    # Upstreams round differently, and one pixel more or less moves all logits.
    large, small = max(card.test_size), min(card.test_size)
    if card.resize == "fit":  # mmsegmentation
        scale = min(large / max(size), small / min(size))
        return max(int(size[0] * scale + 0.5), 1), max(int(size[1] * scale + 0.5), 1)
    longer, shorter = max(size), min(size)
    if card.resize == "short":  # torchvision
        sides = (small, int(small * longer / shorter))
    elif card.resize == "bounded":  # transformers
        side = small if longer / shorter * small <= large else large * shorter / longer
        sides = (shorter, longer)
        if shorter != round(side):
            sides = (max(round(side), 1), int(side * longer / shorter))
        sides = divisible(sides, card)
    else:  # semseg
        sides = (max(round(large / longer * shorter), 1), large)
    return sides if size[0] <= size[1] else (sides[1], sides[0])


def divisible(size: Size, card: Card) -> Size:
    """Return the smallest size that the network takes and that `size` fits into.

    Examples
    --------
    >>> divisible((64, 66), Card("m", "enet", "toy", ("road",), size_divisor=8, size_remainder=1))
    (65, 73)
    """
    divisor, rest = card.size_divisor, card.size_remainder
    height, width = (-(-(side - rest) // divisor) * divisor + rest for side in size)
    return height, width


def padded_size(size: Size, card: Card) -> Size:
    """Return the size of images of `size` after they are resized and padded as a whole.

    Examples
    --------
    >>> padded_size((65, 129), Card("m", "enet", "toy", ("road",), size_divisor=8))
    (72, 136)
    """
    return divisible(resized_size(size, card), card)


def framed(size: Size, card: Card) -> Size:
    """Return the size of a resized image on which windows slide.

    A network that takes only certain sizes gets windows of exactly the crop's size, and smaller images are
    padded to it, as in semseg. Any other network takes smaller windows, as in mmsegmentation.
    """
    crop, _ = _crop_and_stride(card)
    if card.size_divisor == 1:
        return size
    return max(size[0], crop[0]), max(size[1], crop[1])


def windows(size: Size, card: Card) -> list[Window]:
    """Return windows of one size that cover an image of `size`, row by row.

    They are `crop_size` at every `stride`, or the image's sides if those are smaller. The last of a row or
    column is moved back, so that it ends with the image.

    Examples
    --------
    >>> card = Card("m", "enet", "toy", ("road",), test_mode="slide", crop_size=(4, 6), stride=(3, 4))
    >>> [window.columns for window in windows((4, 11), card)]
    [slice(0, 6, None), slice(4, 10, None), slice(5, 11, None)]
    """
    crop, stride = _crop_and_stride(card)
    rows, columns = (_spans(*sides) for sides in zip(size, crop, stride, strict=True))
    return [Window(row, column) for row in rows for column in columns]


def network_sizes(size: Size, card: Card) -> list[Size]:
    """Return the sizes of all inputs of the network for one image of `size`, including mirrored ones.

    The cost of an image is the sum over them.

    Examples
    --------
    >>> card = Card("m", "enet", "toy", ("road",), test_mode="slide", crop_size=(64, 64), stride=(32, 32))
    >>> network_sizes((64, 128), card)
    [(64, 64), (64, 64), (64, 64)]
    """
    resized = resized_size(size, card)
    if card.test_mode == "whole":
        sizes = [divisible(resized, card)]
    else:
        found = windows(framed(resized, card), card)
        sizes = [divisible((_length(window.rows), _length(window.columns)), card) for window in found]
    return sizes * 2 if card.flip else sizes


def resized_once(size: Size, card: Card) -> bool:
    """Return whether logits for a resized image of that size are resized straight to the image's own."""
    return card.resize_logits == "once" and card.test_mode == "whole" and divisible(size, card) == size


def _spans(length: int, crop: int, stride: int) -> list[slice]:
    crop = min(crop, length)
    count = -(-(length - crop) // stride) + 1
    starts = (min(index * stride, length - crop) for index in range(count))
    return [slice(start, start + crop) for start in starts]


def _length(span: slice) -> int:
    return int(span.stop - span.start)


def _crop_and_stride(card: Card) -> tuple[Size, Size]:
    crop, stride = card.crop_size, card.stride
    if crop is None or stride is None:
        raise InputError(
            f"Expected the card of '{card.id}', which slides windows, to have `crop_size` and `stride`, "
            f"but got {crop} and {stride}: add them."
        )
    if not (1 <= stride[0] <= crop[0] and 1 <= stride[1] <= crop[1]):
        raise InputError(
            f"Expected the card of '{card.id}' to have a `stride` from 1 to its `crop_size` {crop}, "
            f"but got {stride}: larger ones leave gaps between windows."
        )
    return crop, stride
