"""The recipe of a training: everything that decides which weights come out."""

from __future__ import annotations

import dataclasses
import re
from typing import Annotated, Any, Literal

from robseg.errors import InputError

__all__ = ["CIRCUMSTANCES", "Recipe"]

# Fields that say where and how often, but change no weight: a checkpoint may be continued with others.
CIRCUMSTANCES = ("data_root", "val_root", "checkpoint_minutes")


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What to train, on what, and how; each field's line stands beside it.

    The rate of step s of S is `learning_rate` times the decay, (1 - s / S) ** power or
    (1 + cos(pi s / S)) / 2, times (s + 1) / warmup_steps while that is below 1. With `adam`,
    `weight_decay` is the factor of an L2 penalty in the gradient, as in ENet's paper; with `adamw` it is
    decoupled.

    Examples
    --------
    >>> Recipe("enet", "streets", epochs=3).learning_rate
    0.002
    """

    model: Annotated[str, "Architecture, such as enet."]
    dataset: Annotated[str, "Data set, such as streets or camvid."]
    name: Annotated[str | None, "Of the model and its files, if not MODEL@DATASET."] = None
    task: Annotated[Literal["segmentation", "offsets"], "What to learn; offsets are SegFix's."] = (
        "segmentation"
    )
    options: Annotated[dict[str, Any], "Of the architecture's builder, such as backbone."] = (
        dataclasses.field(default_factory=dict)
    )
    pretrained: Annotated[bool, "Start the encoder from ImageNet weights."] = False
    start: Annotated[str | None, "Start from this model or file of weights, of the same architecture."] = None
    data_root: Annotated[str | None, "Folder of the data set."] = None
    val_root: Annotated[str | None, "Folder of the data to validate on, if another."] = None
    train_split: Annotated[str, "Split to train on; several with + between them."] = "train"
    val_split: Annotated[str, "Split to validate on."] = "val"
    train_limit: Annotated[int | None, "Train on the first so many images only."] = None
    val_limit: Annotated[int | None, "Validate on the first so many images only."] = None
    epochs: Annotated[int, "Passes over the training images; they set the decay."] = 100
    batch_size: Annotated[int, "Images that are seen together."] = 8
    accumulate: Annotated[int, "Batches whose gradients make one step."] = 1
    optimizer: Annotated[Literal["adam", "adamw", "sgd"], "What steps."] = "adam"
    learning_rate: Annotated[float, "Before decay and warm-up."] = 2e-3
    encoder_factor: Annotated[float, "The backbone's learning rate over the others'."] = 1.0
    schedule: Annotated[Literal["poly", "cosine"], "Decay of the learning rate to 0."] = "poly"
    power: Annotated[float, "Of the polynomial decay."] = 0.9
    warmup_steps: Annotated[int, "Steps in which the learning rate rises."] = 0
    momentum: Annotated[float, "Of SGD."] = 0.9
    weight_decay: Annotated[float, "Strength of the decay of weights."] = 2e-4
    decay_all: Annotated[bool, "Decay norms and biases as well."] = True
    ema: Annotated[float, "Decay of the moving average of weights, which is kept; 0: none."] = 0.0
    loss: Annotated[Literal["cross_entropy", "focal", "ohem"], "Per pixel."] = "cross_entropy"
    gamma: Annotated[float, "Of the focal loss: how little easy pixels count."] = 2.0
    ohem_threshold: Annotated[float, "OHEM drops pixels whose class has more probability."] = 0.7
    ohem_share: Annotated[float, "OHEM keeps at least this share of the pixels."] = 0.1
    aux_weights: Annotated[tuple[float, ...], "Of the auxiliary heads' losses; one serves all."] = (0.4,)
    class_weights: Annotated[Literal["enet", "median", "none"], "By the classes' shares in 100 targets."] = (
        "enet"
    )
    class_weights_power: Annotated[float, "Exponent of the class weights: below 1 evens them out."] = 1.0
    crop: Annotated[tuple[int, int], "(H, W) of what the network sees; smaller images are padded."] = (
        320,
        320,
    )
    scale: Annotated[tuple[float, float], "Random resizing before the crop, log-uniform."] = (0.6, 1.6)
    flip: Annotated[bool, "Mirror half of the images."] = True
    jitter: Annotated[float, "Brightness, contrast and saturation, times 1 - jitter to 1 + jitter."] = 0.3
    corruptions: Annotated[tuple[str, ...], "Corruptions or groups to train with."] = ()
    corruption_rate: Annotated[float, "Share of the images that get one of them."] = 0.5
    severities: Annotated[tuple[int, ...], "Of these corruptions."] = (1, 2, 3, 4, 5)
    test_size: Annotated[tuple[int, int] | None, "(H, W) into which predictions fit images."] = None
    size_divisor: Annotated[int, "Predictions pad images to multiples of this; the output stride is apt."] = 1
    precision: Annotated[Literal["fp32", "bf16"], "bf16: the network alone; weights and loss stay fp32."] = (
        "fp32"
    )
    seed: Annotated[int, "Of the first weights, the order, the augmentation and the dropout."] = 0
    val_every: Annotated[int, "Validate after every so many epochs, and after the last."] = 5
    keep_best: Annotated[bool, "Keep the best validated weights too; no choice to make on a test split."] = (
        True
    )
    checkpoint_minutes: Annotated[float, "Between two checkpoints."] = 5.0

    def __post_init__(self) -> None:
        for option, value in self.options.items():
            _expect(value is not None, "options", f"without None, but for {option}", value)
        positive = (
            *("epochs", "batch_size", "accumulate", "learning_rate", "val_every", "checkpoint_minutes"),
            *("train_limit", "val_limit", "size_divisor"),
        )
        for field in positive:
            value = getattr(self, field)
            _expect(value is None or value > 0, field, "positive", value)
        for field in (
            "power",
            "weight_decay",
            "seed",
            "encoder_factor",
            "warmup_steps",
            "class_weights_power",
        ):
            _expect(getattr(self, field) >= 0, field, "zero or more", getattr(self, field))
        for field in ("jitter", "corruption_rate", "ohem_threshold", "ohem_share"):
            _expect(0 <= getattr(self, field) <= 1, field, "from 0 to 1", getattr(self, field))
        for field in ("ema", "momentum"):
            _expect(0 <= getattr(self, field) < 1, field, "at least 0 and below 1", getattr(self, field))
        for field, choices in CHOICES.items():
            value = getattr(self, field)
            _expect(value in choices, field, f"{', '.join(choices[:-1])} or {choices[-1]}", value)
        _expect(self.gamma == 0 or self.gamma >= 1, "gamma", "0, or 1 and more", self.gamma)
        _expect(len(self.crop) == 2 and min(self.crop) > 0, "crop", "two positive sizes (H, W)", self.crop)
        _expect(0 < self.scale[0] <= self.scale[1], "scale", "two factors 0 < min <= max", self.scale)
        plain = self.name is None or re.fullmatch(r"[\w@.+-]+", self.name)
        _expect(bool(plain), "name", "letters, digits and any of _ @ . + -", self.name)
        size = self.test_size
        _expect(size is None or (len(size) == 2 and min(size) > 0), "test_size", "two positive sizes", size)
        _expect(size is None or self.task == "segmentation", "test_size", "none beside offsets", size)
        _expect(not (self.start and self.pretrained), "pretrained", "false beside `start`", self.pretrained)
        weights = self.aux_weights
        _expect(len(weights) > 0 and min(weights) >= 0, "aux_weights", "zero or more, at least one", weights)
        _expect(
            len(self.severities) > 0 and set(self.severities) <= {1, 2, 3, 4, 5},
            "severities",
            "some of 1 to 5",
            self.severities,
        )

    @classmethod
    def defaults(cls) -> dict[str, Any]:
        """Return the values that fields have in a checkpoint which does not know them."""
        return {
            field.name: field.default
            for field in dataclasses.fields(cls)
            if field.default is not dataclasses.MISSING and field.name not in CIRCUMSTANCES
        }

    def deciding(self) -> dict[str, Any]:
        """Return the fields that decide the result: those in which a checkpoint must agree to be continued.

        Examples
        --------
        >>> Recipe("enet", "streets", checkpoint_minutes=1).deciding() == Recipe("enet", "streets").deciding()
        True
        """
        return {k: v for k, v in dataclasses.asdict(self).items() if k not in CIRCUMSTANCES}


CHOICES = {
    "task": ("segmentation", "offsets"),
    "optimizer": ("adam", "adamw", "sgd"),
    "schedule": ("poly", "cosine"),
    "loss": ("cross_entropy", "focal", "ohem"),
    "class_weights": ("enet", "median", "none"),
    "precision": ("fp32", "bf16"),
}


def _expect(holds: bool, field: str, expected: str, value: object) -> None:
    if not holds:
        raise InputError(f"Expected `{field}` to be {expected}, but got {value!r}.")
