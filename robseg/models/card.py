"""The card of a model: how to feed its network, what it answers, where its weights come from.

Neither this module nor the list of cards imports torch, so `robseg list models` is quick.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from typing import Annotated, Any, Literal, NamedTuple, get_type_hints

from reports.run.typed import Range

__all__ = [
    "IMAGENET_MEAN",
    "IMAGENET_STD",
    "UNTOLD",
    "Answers",
    "Card",
    "ChangesNoLabel",
    "as_tuples",
    "label_fields",
]

# The mean and standard deviation of ImageNet's RGB pixels on the scale 0..255, which nearly all published
# networks use.
IMAGENET_MEAN = (123.675, 116.28, 103.53)
IMAGENET_STD = (58.395, 57.12, 57.375)

# The option of a model in Python that names the type of a value by which it cannot be told from another.
UNTOLD = "untold"


class ChangesNoLabel(NamedTuple):
    """Marks a field of a card on which no label depends, and says why."""

    why: str


OF_WEIGHTS = ChangesNoLabel("It says where weights come from; the SHA-256 of those in use counts.")
PUBLISHED = ChangesNoLabel("It repeats what others measured.")
TOLD = ChangesNoLabel("It tells people about the model.")

SPREADS = Range(above=0, most=2**16)  # far beyond 255, and numbers that float32 can hold
LEVELS = Range(least=-(2**16), most=2**16)
SIDES = Range(least=1, most=2**16)  # pixels; no JPEG file is larger

Answers = Literal["logits", "logits_last", "labels", "logit", "probability"]


@dataclasses.dataclass(frozen=True)
class Card:
    """Facts about one model.

    A field counts towards a model's identity, by which counts of two runs are kept apart, unless it is marked
    with ChangesNoLabel.

    Attributes
    ----------
    id
        What a user types: `architecture@dataset` for our own models, the name of its configuration for a
        published one.
    class_names
        The name of each output channel. Evaluation maps channels to a data set's classes by these names; a
        channel whose name the data set lacks (such as "void") is wrong wherever the target has a label.
    mean, std
        Per channel in `channel_order`, on the scale 0..255: the network sees (pixel - mean) / std.
    test_size
        (H, W) that `resize` refers to, or None for the images' own size.
    resize
        How an image is resized to `test_size`: `exact` gives it that very size. The others keep its aspect
        ratio: `fit` makes it as large as fits into that size (upright or lying, as in mmsegmentation),
        `short` brings its shorter side to the smaller of the two, `long` its longer side to the larger,
        `bounded` does as `short` unless the longer side would exceed the larger of the two, which it then
        becomes. `bounded` stretches the image to multiples of `size_divisor`, instead of padding it.
    antialias
        Whether shrinking averages over pixels (Pillow does, OpenCV does not).
    test_mode
        `whole` feeds the whole image; `slide` feeds windows of `crop_size` at every `stride` and averages
        their answers.
    average
        What is averaged over windows and the mirrored image: `logits`, `probabilities`, or `scores`. Scores
        are what a network answers that is no logits: at least 0, and a class's share of their sum is its
        probability.
    flip
        Whether the answer for the mirrored image is averaged in.
    size_divisor
        The sides of the network's input must be multiples of this. Images are padded at the bottom and on
        the right (with zeros after normalisation), and the logits are cropped.
    size_remainder
        1 if the sides must be such multiples plus one, as in networks with aligned corners.
    align_corners
        Whether corners are aligned when the logits are resized to the target's size.
    resize_logits
        `twice` resizes logits to the input's size and then to the image's, `once` straight to the image's,
        except where windows or padding need them at the input's size.
    output
        Which output of a model with several is evaluated: its name or its number from 0. None stands for the
        one called `out` or `logits`, else the first.
    answers
        What the network answers: `logits` (N, C, h, w), `logits_last` (N, h, w, C), `labels`, one `logit` for
        two classes (a pixel is the second where it is above 0), or one `probability` of the second of two
        classes. None stands for what shape and values show. Probabilities are averaged as they are.
    weights_urls
        The addresses of the weights, in the order in which they are tried.
    weights_file
        The name of the weights' file.
    sha256
        The SHA-256 of that file; "" if its publisher states none.
    layout
        The upstream after which the file's tensors are named.
    config
        The name of the upstream's configuration.
    published_miou
        The mIoU that `source` states, as a fraction, or None.
    published_protocol
        How that mIoU was measured.
    published_precision
        The precision in which it was measured; "" if `source` does not say.
    published_interval
        The 95 % interval of `published_miou`, if known, by a bootstrap over images or blocks of frames.
    options
        Keyword arguments for the architecture's builder, such as the generation of an ENet.
    trained_on
        The data set and split of the training, and the corruptions used as augmentation, if any.
    citation
        The citation of the training data.
    seen_corruptions
        The names of the corruptions used in training, as far as is known.
    """

    id: Annotated[str, ChangesNoLabel("It is a name.")]
    architecture: str
    dataset: Annotated[str, ChangesNoLabel("The classes, which count, have their names here.")]
    class_names: tuple[str, ...]
    backbone: Annotated[str, ChangesNoLabel("The network is built from `options`, which count.")] = ""
    mean: Annotated[tuple[float, float, float], LEVELS] = (0.0, 0.0, 0.0)
    std: Annotated[tuple[float, float, float], SPREADS] = (255.0, 255.0, 255.0)
    channel_order: Literal["RGB", "BGR"] = "RGB"
    test_size: Annotated[tuple[int, int] | None, SIDES] = None
    resize: Literal["exact", "fit", "short", "long", "bounded"] = "exact"
    antialias: bool = True
    test_mode: Literal["whole", "slide"] = "whole"
    crop_size: Annotated[tuple[int, int] | None, SIDES] = None
    stride: Annotated[tuple[int, int] | None, SIDES] = None
    average: Literal["logits", "probabilities", "scores"] = "logits"
    flip: bool = False
    size_divisor: Annotated[int, SIDES] = 1
    size_remainder: Literal[0, 1] = 0
    align_corners: bool = False
    resize_logits: Literal["twice", "once"] = "twice"
    output: int | str | None = None
    answers: Answers | None = None
    weights_urls: Annotated[tuple[str, ...], OF_WEIGHTS] = ()
    weights_file: Annotated[str, OF_WEIGHTS] = ""
    sha256: Annotated[str, OF_WEIGHTS] = ""
    layout: Annotated[str, OF_WEIGHTS] = ""
    config: Annotated[str, TOLD] = ""
    published_miou: Annotated[float | None, PUBLISHED] = None
    published_interval: Annotated[tuple[float, float] | None, PUBLISHED] = None
    published_protocol: Annotated[str, PUBLISHED] = ""
    published_precision: Annotated[Literal["", "fp32", "bf16", "fp16"], PUBLISHED] = ""
    licence: Annotated[str, TOLD] = ""
    source: Annotated[str, TOLD] = ""
    trained_on: Annotated[str, TOLD] = ""
    citation: Annotated[str, TOLD] = ""
    options: dict[str, Any] = dataclasses.field(default_factory=dict)
    seen_corruptions: Annotated[tuple[str, ...], TOLD] = ()

    @property
    def digest(self) -> str:
        """Hexadecimal digits that are the same for cards that give the same labels with the same weights."""
        counted = {name: getattr(self, name) for name in label_fields()}
        return hashlib.blake2b(json.dumps(counted, sort_keys=True).encode(), digest_size=8).hexdigest()


def as_tuples(value: Any) -> Any:
    """Return a value of JSON or TOML as a card holds it: these know lists alone, and a card holds none.

    Examples
    --------
    >>> as_tuples({"dilations": [1, [2, 4]]})
    {'dilations': (1, (2, 4))}
    """
    if isinstance(value, dict):
        return {key: as_tuples(item) for key, item in value.items()}
    return tuple(map(as_tuples, value)) if isinstance(value, list) else value


@functools.cache
def label_fields() -> tuple[str, ...]:
    """Return the names of the fields of a card on which labels depend: all that are not marked."""
    marks = {
        name: getattr(hint, "__metadata__", ())
        for name, hint in get_type_hints(Card, include_extras=True).items()
    }
    return tuple(
        name for name, mark in marks.items() if not any(isinstance(one, ChangesNoLabel) for one in mark)
    )
