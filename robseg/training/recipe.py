"""The recipe of a training: everything that decides which weights come out."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

from robseg.errors import InputError

__all__ = ["Recipe"]

# Fields that say where and how often, but change no weight: a checkpoint may be continued with others.
_CIRCUMSTANCES = ("data_root", "checkpoint_minutes")


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What to train, on what, and how.

    Attributes
    ----------
    model
        The name of an architecture.
    train_limit, val_limit
        Use the first so many images of a split only (None: all of them).
    learning_rate, power
        Adam's rate at step s of S is learning_rate * (1 - s / S) ** power.
    weight_decay
        The factor of the L2 penalty in Adam's gradient, as in ENet's paper (not decoupled).
    crop
        (H, W) in pixels of what the network sees; smaller images are padded.
    scale
        The smallest and largest factor of the random resizing before the crop, drawn log-uniformly.
    jitter
        Strength of the photometric jitter, 0 (none) to 1: brightness, contrast and saturation are each
        multiplied by a factor from 1 - jitter to 1 + jitter.
    class_weights
        `enet`: 1 / ln(1.02 + share of pixels); `median`: median frequency balancing; `none`.
    precision
        `bf16` runs the network under autocast; weights, loss and optimizer stay fp32.
    seed
        Decides the first weights, the order, the augmentation and the dropout.
    val_every
        Validate after every so many epochs, and after the last.
    """

    model: str
    dataset: str
    data_root: str | None = None
    train_split: str = "train"
    val_split: str = "val"
    train_limit: int | None = None
    val_limit: int | None = 100
    epochs: int = 100
    batch_size: int = 8
    learning_rate: float = 2e-3
    power: float = 0.9
    weight_decay: float = 2e-4
    crop: tuple[int, int] = (320, 320)
    scale: tuple[float, float] = (0.6, 1.6)
    flip: bool = True
    jitter: float = 0.3
    class_weights: Literal["enet", "median", "none"] = "enet"
    precision: Literal["fp32", "bf16"] = "fp32"
    seed: int = 0
    val_every: int = 5
    checkpoint_minutes: float = 5.0

    def __post_init__(self) -> None:
        positive = (
            *("epochs", "batch_size", "learning_rate", "val_every", "checkpoint_minutes"),
            *("train_limit", "val_limit"),
        )
        for field in positive:
            value = getattr(self, field)
            _expect(value is None or value > 0, field, "positive", value)
        for field in ("power", "weight_decay", "seed"):
            _expect(getattr(self, field) >= 0, field, "zero or more", getattr(self, field))
        _expect(min(self.crop) > 0, "crop", "two positive sizes (H, W)", self.crop)
        _expect(0 < self.scale[0] <= self.scale[1], "scale", "two factors 0 < min <= max", self.scale)
        _expect(0 <= self.jitter <= 1, "jitter", "from 0 to 1", self.jitter)
        _expect(
            self.class_weights in ("enet", "median", "none"),
            "class_weights",
            "enet, median or none",
            self.class_weights,
        )
        _expect(self.precision in ("fp32", "bf16"), "precision", "fp32 or bf16", self.precision)

    def deciding(self) -> dict[str, Any]:
        """Return the fields that decide the result: those in which a checkpoint must agree to be continued.

        Examples
        --------
        >>> Recipe("enet", "streets", checkpoint_minutes=1).deciding() == Recipe("enet", "streets").deciding()
        True
        """
        return {k: v for k, v in dataclasses.asdict(self).items() if k not in _CIRCUMSTANCES}


def _expect(holds: bool, field: str, expected: str, value: object) -> None:
    if not holds:
        raise InputError(f"Expected `{field}` to be {expected}, but got {value!r}.")
