"""The recipe of a training: everything that decides which weights come out."""

from __future__ import annotations

import dataclasses
import re
from typing import Annotated, Any, Literal

from robseg.errors import InputError
from robseg.options import NON_NEGATIVE, POSITIVE, SHARE, Flag, Range, settle

__all__ = ["CIRCUMSTANCES", "Recipe"]

# Fields that say where and how often, but change no weight: a checkpoint may be continued with others.
CIRCUMSTANCES = ("data_root", "val_root", "checkpoint_minutes")

BELOW_ONE = Range(least=0, below=1)
N = Flag(metavar="N")


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What to train, on which data, and how. Each field makes an option of `robseg train`.

    The learning rate of step s of S is `learning_rate` times the decay, (1 - s / S) ** power or
    (1 + cos(pi s / S)) / 2, times (s + 1) / warmup_steps while that is below 1. With `adam`,
    `weight_decay` is the factor of an L2 penalty in the gradient, as in ENet's paper; with `adamw` it is
    decoupled.

    Examples
    --------
    >>> Recipe("enet", "streets", epochs=3).learning_rate
    0.002
    """

    model: Annotated[str, "Architecture, such as enet.", Flag(short="m", names="architectures")]
    dataset: Annotated[str, "Data set, such as streets or camvid.", Flag(short="d", names="datasets")]
    name: Annotated[
        str | None, "Name of the model and of its files.", Flag(unset="MODEL@DATASET", metavar="NAME")
    ] = None
    task: Annotated[Literal["segmentation", "offsets"], "What the network learns. SegFix learns offsets."] = (
        "segmentation"
    )
    options: Annotated[
        dict[str, Any],
        "An option of the architecture, such as backbone=resnet18.",
        Flag(name="option", metavar="NAME=VALUE", many=True),
    ] = dataclasses.field(default_factory=dict)
    pretrained: Annotated[bool, "Start the encoder from ImageNet weights."] = False
    start: Annotated[
        str | None, "Start from this model or weights file of the same architecture.", Flag(names="models")
    ] = None
    data_root: Annotated[str | None, "Folder of the data set.", Flag(metavar="PATH")] = None
    val_root: Annotated[
        str | None, "Folder of the validation data.", Flag(metavar="PATH", unset="--data-root")
    ] = None
    train_split: Annotated[str, "Split to train on. A + joins several."] = "train"
    val_split: Annotated[str, "Split to validate on."] = "val"
    train_limit: Annotated[int | None, "Train only on N images, spread evenly over the set.", POSITIVE, N] = (
        None
    )
    val_limit: Annotated[
        int | None, "Validate only on N images, spread evenly over the set.", POSITIVE, N
    ] = None
    epochs: Annotated[
        int, "Passes over the training images. The learning rate reaches 0 after the last.", POSITIVE
    ] = 100
    batch_size: Annotated[int, "Images per batch.", POSITIVE] = 8
    accumulate: Annotated[int, "Batches per step; their gradients are added up.", POSITIVE] = 1
    optimizer: Annotated[Literal["adam", "adamw", "sgd"], "Optimizer: adam, adamw or sgd."] = "adam"
    learning_rate: Annotated[float, "Learning rate after the warm-up, before it decays.", POSITIVE] = 2e-3
    encoder_factor: Annotated[float, "Factor on the learning rate of the backbone.", NON_NEGATIVE] = 1.0
    schedule: Annotated[Literal["poly", "cosine"], "Curve along which the learning rate decays to 0."] = (
        "poly"
    )
    power: Annotated[float, "Exponent of the poly schedule.", NON_NEGATIVE] = 0.9
    warmup_steps: Annotated[int, "Steps over which the learning rate rises.", NON_NEGATIVE] = 0
    momentum: Annotated[float, "SGD momentum.", BELOW_ONE] = 0.9
    weight_decay: Annotated[float, "Strength of the weight decay.", NON_NEGATIVE] = 2e-4
    decay_all: Annotated[bool, "Apply the weight decay to norms and biases too."] = True
    ema: Annotated[
        float,
        "Decay of the moving average of the weights, which is what is kept. 0 switches it off.",
        BELOW_ONE,
    ] = 0.0
    loss: Annotated[Literal["cross_entropy", "focal", "ohem"], "Loss of a pixel."] = "cross_entropy"
    gamma: Annotated[float, "Exponent of the focal loss. The higher, the less easy pixels count."] = 2.0
    ohem_threshold: Annotated[
        float, "OHEM drops pixels whose true class has a higher probability than this.", SHARE
    ] = 0.7
    ohem_share: Annotated[float, "OHEM keeps at least this share of the pixels.", SHARE] = 0.1
    aux_weights: Annotated[
        tuple[float, ...],
        "Weights of the auxiliary heads' losses. One number serves all heads.",
        NON_NEGATIVE,
        Flag(commas=True),
    ] = (0.4,)
    class_weights: Annotated[
        Literal["enet", "median", "none"], "How classes are weighted by their share of 100 targets' pixels."
    ] = "enet"
    class_weights_power: Annotated[
        float, "Exponent of the class weights. Below 1, they differ less.", NON_NEGATIVE
    ] = 1.0
    crop: Annotated[
        tuple[int, int], "Height and width of the crops that the network sees.", POSITIVE, Flag(metavar="H W")
    ] = (320, 320)
    scale: Annotated[
        tuple[float, float],
        "Smallest and largest factor of the random resizing before the crop.",
        POSITIVE,
        Flag(metavar="MIN MAX"),
    ] = (0.6, 1.6)
    flip: Annotated[bool, "Mirror half of the images."] = True
    jitter: Annotated[float, "Change brightness, contrast and saturation by up to this share.", SHARE] = 0.3
    corruptions: Annotated[
        tuple[str, ...],
        "Corruptions or groups of corruptions to train with.",
        Flag(short="c", names="corruptions", commas=True, metavar="NAME,...", unset="none"),
    ] = ()
    corruption_rate: Annotated[float, "Share of the images that are corrupted.", SHARE] = 0.5
    severities: Annotated[
        tuple[int, ...],
        "Severities of the corruptions, such as 3, 1,3,5 or 1-3.",
        Range(least=1, most=5),
        Flag(short="s", commas=True),
    ] = (1, 2, 3, 4, 5)
    test_size: Annotated[
        tuple[int, int] | None,
        "Height and width that images are resized to for prediction.",
        POSITIVE,
        Flag(metavar="H W", unset="the images' own"),
    ] = None
    size_divisor: Annotated[
        int, "Pad images to multiples of this for prediction. Use the network's output stride.", POSITIVE
    ] = 1
    precision: Annotated[
        Literal["fp32", "bf16"], "Precision of the network. Weights and loss are fp32 in any case."
    ] = "fp32"
    seed: Annotated[
        int,
        "Seed of the initial weights, the order of images, the augmentation and the dropout.",
        NON_NEGATIVE,
    ] = 0
    val_every: Annotated[int, "Validate every N epochs, and after the last one.", POSITIVE, N] = 5
    keep_best: Annotated[
        bool, "Also keep the weights with the best validation score. Do not use it with a test split."
    ] = True
    checkpoint_minutes: Annotated[float, "Minutes between two checkpoints.", POSITIVE] = 5.0

    def __post_init__(self) -> None:
        settle(self)
        for option, value in self.options.items():
            _expect(value is not None, "options", f"without None, which `{option}` has", self.options)
        _expect(self.gamma == 0 or self.gamma >= 1, "gamma", "0, or at least 1", self.gamma)
        _expect(self.scale[0] <= self.scale[1], "scale", "the smaller factor, then the larger", self.scale)
        plain = self.name is None or re.fullmatch(r"[\w@.+-]+", self.name)
        _expect(bool(plain), "name", "letters, digits and any of _ @ . + -", self.name)
        size = self.test_size
        _expect(size is None or self.task == "segmentation", "test_size", "unset for the task offsets", size)
        _expect(
            not (self.start and self.pretrained), "pretrained", "false together with `start`", self.pretrained
        )
        for field in ("aux_weights", "severities"):
            _expect(bool(getattr(self, field)), field, "at least one number", getattr(self, field))

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


def _expect(holds: bool, field: str, expected: str, value: object) -> None:
    if not holds:
        raise InputError(f"Expected `{field}` to be {expected}, but got {value!r}.")
