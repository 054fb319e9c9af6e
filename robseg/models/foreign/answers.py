"""Make a foreign model answer like ours, whatever it wraps its logits in, and make it picklable."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from robseg.errors import InputError
from robseg.models.card import Answers
from robseg.models.foreign.kinds import as_logits, kind_of, note_on
from robseg.models.foreign.outputs import Main, main_output
from robseg.models.foreign.reading import last_line
from robseg.models.predict.failures import is_out_of_memory, out_of_memory

__all__ = ["ForeignNetwork"]

logger = logging.getLogger("robseg")

Model = Callable[[Tensor], Any]

HALVES = (torch.float16, torch.bfloat16)


class ForeignNetwork(nn.Module):
    """Somebody else's model as a network: float (N, 3, H, W) to logits (N, C, h, w).

    `kind` says what the model answers. `learn` finds it out, unless the card states it.

    `remade` makes the model again in another process, on its device, if it cannot be pickled. `batch_size` is
    the only batch size that the model takes, if it takes only one. `hidden_parameters` counts the parameters
    that are no tensors of torch. `takes` is the type of the images, None for that of the model's weights.
    `output` is the name or number of the main one of several outputs, None if the model shows it.
    """

    def __init__(
        self,
        model: Model,
        name: str,
        *,
        remade: Callable[[], Model] | None = None,
        batch_size: int | None = None,
        hidden_parameters: int = 0,
        takes: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.model = model
        self.name = name
        self.remade = remade
        self.batch_size = batch_size
        self.hidden_parameters = hidden_parameters
        self.takes = takes
        self.num_classes: int | None = None
        self.output: int | str | None = None
        self.kind: Answers = "logits"

    @property
    def dtype(self) -> torch.dtype:
        """The type of the model's weights, in which it computes."""
        if not isinstance(self.model, nn.Module):
            return torch.float32
        weights = (one.dtype for one in self.model.parameters() if one.is_floating_point())
        return next(weights, torch.float32)

    @property
    def labels_only(self) -> bool:
        """Whether the model answers labels, which come without confidences."""
        return self.kind == "labels"

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits of the model's main answer.

        Raises
        ------
        InputError
            If the model raises, or its answer is neither logits nor labels for this batch.
        """
        batches = torch.split(images, self.batch_size or len(images))
        return torch.cat([self._logits(batch, self._main(batch).output) for batch in batches]).float()

    def learn(self, images: Tensor, class_names: Sequence[str], kind: Answers | None) -> int | None:
        """Find out what the model answers for an image of noise, unless `kind` says it.

        Returns how many classes it answers, None if it answers labels. `class_names` are empty if they are
        unknown.
        """
        main = self._main(images)
        if main.guessed:
            logger.warning(
                "Of the outputs of %s, %s is evaluated; `output` in the model's card chooses another.",
                self.name,
                main.chosen,
            )
        elif main.chosen:
            logger.info("Of the outputs of %s, %s is evaluated.", self.name, main.chosen)
        answer = main.output
        height, width = images.shape[-2:]
        self.kind = kind or kind_of(answer, (height, width), len(class_names), self.name)
        note = "" if kind else note_on(self.kind, answer, class_names)
        if note:
            logger.warning("%s %s; `answers` in the model's card says otherwise.", self.name, note)
        self.num_classes = len(class_names) if self.labels_only else None
        if self.labels_only and not class_names:
            return None
        if self.labels_only and bool((other := answer[answer >= len(class_names)]).numel()):
            logger.warning(
                "%s answers the label %g, which is none of its %d classes and counts as wrong.",
                self.name,
                float(other.max()),
                len(class_names),
            )
        channels = self._logits(images, answer).shape[1]
        return None if self.labels_only else channels

    def _main(self, images: Tensor) -> Main:
        """Return the model's main output for at most as many images as it takes."""
        missing = (self.batch_size or len(images)) - len(images)
        # Channels-last memory, our own choice, breaks models that call view().
        padded = images.contiguous()
        if missing:
            padded = F.pad(padded, (0, 0, 0, 0, 0, 0, 0, missing))
        try:
            main = main_output(self._called(padded), self.output)
            answer = as_tensor(main.output, images.device)
        except (InputError, KeyboardInterrupt):
            raise
        except BaseException as error:  # also SystemExit, which would end the program as if all were done
            if is_out_of_memory(error):
                raise out_of_memory(self.name, len(padded)) from error
            raise InputError(
                f"Expected {self.name} to take a float batch {tuple(padded.shape)}, but it raised "
                f"{last_line(error)}: if it needs other sizes, set test_size or size_divisor in its card."
            ) from error
        if answer.numel() == 0:
            raise InputError(
                f"Expected {self.name} to answer at least one pixel of one class for the batch "
                f"{tuple(padded.shape)}, but got {tuple(answer.shape)}: check what it does with this size."
            )
        return main._replace(output=answer[: len(images)] if missing else answer)

    def _called(self, images: Tensor) -> Any:
        """Return what the model answers for float32 images, which it gets in the type that it takes."""
        dtype = self.takes or self.dtype
        try:
            return self.model(images.to(dtype))
        except RuntimeError as error:
            lacking = dtype in HALVES and "not implemented for" in str(error)
            if not lacking or not isinstance(self.model, nn.Module):
                raise
            logger.warning(
                "%s has weights in %s, for which torch lacks an operation here: it is computed in float32.",
                self.name,
                str(dtype).removeprefix("torch."),
            )
            self.model.float()
            return self.model(images)

    def _logits(self, images: Tensor, answer: Tensor) -> Tensor:
        """Return an answer for these images as scores of each class, after checking its shape."""
        return as_logits(answer, self.kind, self.num_classes, images, self.name)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        state = (self.name, self.batch_size, self.hidden_parameters, self.takes)
        seen = (self.num_classes, self.output, self.kind)
        if self.remade is not None:
            return _again, (self.remade, None, state, seen)
        try:
            return _again, (None, pickle.dumps(self.model), state, seen)
        except (pickle.PicklingError, AttributeError, TypeError, RuntimeError) as error:
            raise InputError(
                f"Expected a model that can be sent to worker processes, but {self.name} cannot be pickled "
                f"({last_line(error)}): use num_workers=0, or define it at the top of a module."
            ) from error


def _again(
    remade: Callable[[], Model] | None,
    pickled: bytes | None,
    state: tuple[str, int | None, int, torch.dtype | None],
    seen: tuple[int | None, int | str | None, Answers],
) -> ForeignNetwork:
    """Return the network that was pickled in another process."""
    model = remade() if remade is not None else pickle.loads(cast(bytes, pickled))  # noqa: S301 - our own
    name, batch_size, hidden_parameters, takes = state
    network = ForeignNetwork(
        model, name, remade=remade, batch_size=batch_size, hidden_parameters=hidden_parameters, takes=takes
    )
    network.num_classes, network.output, network.kind = seen
    return network.eval()


def as_tensor(answer: Any, device: torch.device) -> Tensor:
    """Return an answer as a tensor on the device."""
    if isinstance(answer, np.ndarray):
        return torch.as_tensor(answer, device=device)
    if not isinstance(answer, Tensor):
        raise InputError(
            f"Expected a model to answer a tensor, but got {type(answer).__name__}: return the logits."
        )
    return answer
