"""The semantic segmentation models of Ultralytics, as their ONNX export describes itself in its metadata.

A graph sees RGB pixels on the scale 0..1, letterboxed: scaled to fit into the exported size, and centred on
grey. It answers a class map (N, H, W), or logits (N, C, H, W) if an early version exported it. This is known
from public pages, not from their code:
https://docs.ultralytics.com/tasks/semantic
https://github.com/ultralytics/ultralytics/pull/24598 (the class map)
https://www.ultralytics.com/glossary/letterboxing
"""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from robseg.errors import InputError
from robseg.models.foreign.outputs import Ordered
from robseg.models.predict.resizing import resize
from robseg.models.predict.sizes import Size

__all__ = ["Export", "Letterboxed", "export_of"]

TASKS = ("semantic", "semseg")  # the second is the name in early versions
GREY = 114 / 255

# What reading metadata raises that are no such text.
UNREADABLE = (ValueError, SyntaxError, TypeError, LookupError, MemoryError, RecursionError)


class Export(NamedTuple):
    """The names of a model's classes, and its frame: its sides, or those that it fits into.

    `stride` is None if the graph takes one size only, else the sides are multiples of it.
    """

    class_names: tuple[str, ...]
    sides: Size
    stride: int | None


class Place(NamedTuple):
    """Where a letterboxed image of size `inner` lies in its frame."""

    inner: Size
    top: int
    left: int
    frame: Size


def export_of(metadata: Mapping[str, str], fixed: Size | None, name: str) -> Export | None:
    """Return what the metadata of a graph say if it is an export of Ultralytics, else None.

    `fixed` is the only size that the graph takes, if it takes only one.

    Raises
    ------
    InputError
        If it is an export for another task, or its metadata cannot be read.
    """
    task = metadata.get("task")
    if "names" not in metadata or (metadata.get("author") != "Ultralytics" and task not in TASKS):
        return None
    if task not in TASKS:
        raise InputError(
            f"Expected {name} to be exported for the task {TASKS[0]}, but it is for {task}: "
            "export a model for semantic segmentation, such as yolo26n-sem.pt."
        )
    try:
        names = _names(metadata["names"])
        if fixed is not None:
            return Export(names, fixed, None)
        given = ast.literal_eval(metadata["imgsz"])
        rows, columns = (given, given) if isinstance(given, int) else given
        return Export(names, (int(rows), int(columns)), int(metadata["stride"]))
    except UNREADABLE as error:
        raise InputError(
            f"Expected {name} to have names, imgsz and stride in its metadata as Ultralytics exports them, "
            f"but they cannot be read ({type(error).__name__}): export it again."
        ) from error


def _names(text: str) -> tuple[str, ...]:
    """Return the class names in the text of a dictionary or list in Python; nothing in it is run.

    Examples
    --------
    >>> _names("{0: 'road', 1: 'sky'}"), _names("{0: 'crack'}")
    (('road', 'sky'), ('background', 'crack'))
    """
    given = ast.literal_eval(text)
    if isinstance(given, Mapping):
        given = [given[key] for key in sorted(given, key=int)]
    names = tuple(map(str, given))
    # A model of one class answers 1 where that is, and 0 elsewhere.
    return ("background", *names) if len(names) == 1 else names


@dataclasses.dataclass(frozen=True)
class Letterboxed:
    """A graph that takes letterboxed images, as a callable that takes images of any size.

    Images fill a frame of these `sides`, or only as much of it as multiples of `stride` need if the graph
    takes any size. The frame is cut off from the answer again.
    """

    graph: Callable[[Tensor], Ordered]
    sides: Size
    stride: int | None

    def __call__(self, images: Tensor) -> Ordered:
        """Return the graph's outputs at the size that the images have in the frame."""
        place = placed((images.shape[-2], images.shape[-1]), self.sides, self.stride)
        outputs = self.graph(framed(images, place))
        return Ordered(
            {name: cut(torch.as_tensor(one, device=images.device), place) for name, one in outputs.items()}
        )


def placed(size: Size, sides: Size, stride: int | None = None) -> Place:
    """Return where an image of `size` lies in a frame.

    Examples
    --------
    >>> placed((720, 1280), (640, 640))
    Place(inner=(360, 640), top=140, left=0, frame=(640, 640))
    >>> placed((720, 1280), (640, 640), 32).frame
    (384, 640)
    """
    scale = min(sides[0] / size[0], sides[1] / size[1])
    height, width = (max(round(side * scale), 1) for side in size)
    frame = sides
    if stride is not None:
        frame = (-(-height // stride) * stride, -(-width // stride) * stride)
    return Place((height, width), (frame[0] - height) // 2, (frame[1] - width) // 2, frame)


def framed(images: Tensor, place: Place) -> Tensor:
    """Return images (N, 3, H, W) on the scale 0..1 in their frame."""
    if images.shape[-2:] != place.inner:
        images = F.interpolate(images, place.inner, mode="bilinear", align_corners=False)
    bottom = place.frame[0] - place.inner[0] - place.top
    right = place.frame[1] - place.inner[1] - place.left
    return F.pad(images, (place.left, right, place.top, bottom), value=GREY)


def cut(answer: Tensor, place: Place) -> Tensor:
    """Return the part of an answer (N, [C,] h, w) that shows the image, without its frame."""
    if answer.shape[-2:] != place.frame:
        channels = answer if answer.ndim == 4 else answer[:, None]
        nearest = not answer.is_floating_point()
        channels = resize(channels.float(), place.frame, nearest=nearest).to(answer.dtype)
        answer = channels if answer.ndim == 4 else channels[:, 0]
    rows = slice(place.top, place.top + place.inner[0])
    columns = slice(place.left, place.left + place.inner[1])
    return answer[..., rows, columns]
