"""What the numbers of a model's answer mean: as the card says, else as their shape and values show."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from robseg.errors import InputError
from robseg.models.card import Answers

__all__ = ["AmbiguousError", "as_logits", "kind_of", "note_on"]

LAST = "channels in the last place (N, h, w, C)"


class AmbiguousError(InputError):
    """An answer has as many entries in the first place as in the last, and both may be its channels."""


def kind_of(answer: Tensor, sides: tuple[int, int], num_classes: int, name: str) -> Answers:
    """Return what a model answered for an image of noise with these sides (H, W).

    `num_classes` is the number of class names, 0 if there are none.

    Raises
    ------
    InputError
        If the answer could mean two things.
    """
    if answer.ndim == 4 and num_classes > 1 and num_classes in (answer.shape[1], answer.shape[3]):
        if answer.shape[1] != answer.shape[3]:
            return "logits" if answer.shape[1] == num_classes else "logits_last"
        return _order(answer, sides, name)
    if _is_single(answer):
        return _kind_of_single(answer, num_classes, name)
    if answer.ndim == 4 and tuple(answer.shape[1:3]) == sides != tuple(answer.shape[2:]):
        return "logits_last"
    return "logits"


def _order(answer: Tensor, sides: tuple[int, int], name: str) -> Answers:
    """Return the kind of logits whose first and last place are as long as there are classes."""
    middle, last = answer.shape[2:]
    if middle == last or sides[0] == sides[1]:
        raise AmbiguousError(
            f"Expected {name} to show which side of its answer is the channels, but got "
            f"{tuple(answer.shape)}: "
            'put "answers": "logits" (N, C, h, w) or "logits_last" (N, h, w, C) into its card.'
        )
    return "logits" if (last > middle) == (sides[1] > sides[0]) else "logits_last"


def _kind_of_single(answer: Tensor, num_classes: int, name: str) -> Answers:
    """Return what a single number for each pixel means."""
    if not answer.is_floating_point() or bool((answer.ge(0) & answer.eq(answer.round())).all()):
        return "labels"
    if answer.ndim == 3 or num_classes != 2:
        return "logits"
    if bool((answer.ge(0) & answer.le(1)).all()):
        raise InputError(
            f"Expected one logit for the two classes of {name}, but got numbers from 0 to 1, which may be "
            'probabilities: put "answers": "probability" (of the second class) or "logit" into its card.'
        )
    return "logit"


def note_on(kind: Answers, answer: Tensor, class_names: Sequence[str]) -> str:
    """Return what to tell a user of an answer that is not as usual, "" if it is."""
    if kind == "logits_last":
        return f"answers {LAST}"
    if kind == "logit":
        return f"answers one logit: a pixel is {class_names[1]} where it is above 0, else {class_names[0]}"
    if kind == "labels" and answer.is_floating_point():
        return "answers whole numbers, which are taken as labels"
    return ""


def as_logits(answer: Tensor, kind: Answers, num_classes: int | None, images: Tensor, name: str) -> Tensor:
    """Return an answer for these images as scores of each class, (N, C, h, w).

    One logit z becomes the logits 0 and z, whose softmax is the sigmoid of z, and one probability p becomes
    the shares 1 - p and p. Labels become one channel for each class, 1 where the label is that class, and a
    last channel for labels that are none.
    """
    if kind != "logits" and kind != "logits_last":
        answer = _single(answer, kind, images, name)
    elif kind == "logits_last" and answer.ndim == 4:
        answer = answer.permute(0, 3, 1, 2)
    if answer.ndim != 4 or len(answer) != len(images):
        raise _unusual(answer, images, name)
    if kind == "labels":
        return _one_hot(answer, num_classes, name)
    if kind == "logit":
        return torch.cat([torch.zeros_like(answer), answer], dim=1)
    if kind == "probability":
        return _shares(answer, name)
    if num_classes not in {None, answer.shape[1]}:
        raise InputError(
            f"Expected {name} to answer logits of its {num_classes} classes, but got "
            f"{answer.shape[1]} channels: give class_names that fit."
        )
    return answer


def _is_single(answer: Tensor) -> bool:
    """Return whether an answer has one number for each pixel: (N, H, W), (N, 1, H, W) or (N, H, W, 1)."""
    return answer.ndim == 3 or (answer.ndim == 4 and 1 in (answer.shape[1], answer.shape[3]))


def _single(answer: Tensor, kind: Answers, images: Tensor, name: str) -> Tensor:
    """Return an answer of one number for each pixel as (N, 1, H, W)."""
    if not _is_single(answer):
        raise InputError(
            f"Expected {name} to answer one number for each pixel, the {kind} that its card states, but got "
            f"{tuple(answer.shape)} for the batch {tuple(images.shape)}: correct `answers` in the card."
        )
    if answer.ndim == 3:
        return answer[:, None]
    return answer if answer.shape[1] == 1 else answer.permute(0, 3, 1, 2)


def _one_hot(labels: Tensor, num_classes: int | None, name: str) -> Tensor:
    if num_classes is None:
        raise InputError(
            f"Expected class names for {name}, which answers labels, but got none: give class_names."
        )
    if labels.is_floating_point() and bool(labels.ne(labels.round()).any()):
        raise InputError(
            f"Expected {name} to answer labels, whole numbers, but got others: correct `answers` in its "
            "card, or wrap the model."
        )
    labels = labels[:, 0].long()
    known = (labels >= 0) & (labels < num_classes)
    labels = torch.where(known, labels, num_classes)
    return F.one_hot(labels, num_classes + 1).permute(0, 3, 1, 2).float()


def _shares(probability: Tensor, name: str) -> Tensor:
    if bool((probability.lt(0) | probability.gt(1)).any()):
        raise InputError(
            f"Expected {name} to answer probabilities from 0 to 1, as its card states, but got "
            f"{float(probability.min()):g} to {float(probability.max()):g}: correct `answers` in the card."
        )
    return torch.cat([1 - probability, probability], dim=1)


def _unusual(answer: Tensor, images: Tensor, name: str) -> InputError:
    return InputError(
        f"Expected {name} to answer logits (N, C, h, w) or labels (N, H, W) of the batch "
        f"{tuple(images.shape)}, but got {tuple(answer.shape)} of {answer.dtype}: "
        "state what it is by `answers` in the card, or wrap the model."
    )
