import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional as F

from reports.run.folder import OutFolder
from robseg.datasets.base import Dataset, Sample
from robseg.errors import IncompleteRun, InputError
from robseg.models.backbones import Backbone
from robseg.models.base import Architecture, Fit, Network
from robseg.training.recipe import Recipe
from robseg.training.setup import Setup
from robseg.training.trainer import Progress, Trained, train

CLASSES = ("dark", "middle", "bright")
RECIPE = Recipe(
    "tiny", "grey", epochs=4, batch_size=2, learning_rate=0.02, crop=(16, 16), jitter=0.1, val_every=2
)


class Encoder(Backbone):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        return [F.relu(self.norm(self.conv(images)))]


class Tiny(Network):
    """A network with an encoder, a main head and an auxiliary one, each with dropout before it."""

    def __init__(self, num_classes: int, backbone: str = "toy", width: int = 8) -> None:
        super().__init__()
        self.backbone_name = backbone
        self.backbone = Encoder()
        self.dropout = nn.Dropout2d(0.2)
        self.head = nn.Conv2d(width, num_classes, 3, stride=2, padding=1)
        self.aux = nn.Conv2d(width, num_classes, 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.heads(images)[0]

    def heads(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        features = self.dropout(self.backbone(images)[0])
        return self.head(features), self.aux(features)


def read_grey(index: int) -> Sample:
    """A scene of three grey levels, one per class, in random blocks."""
    target = np.kron(
        np.random.default_rng(index).integers(0, 3, (3, 4), dtype=np.uint8), np.ones((8, 8), np.uint8)
    )
    return Sample(str(index), np.repeat((target * 100 + 20)[..., None], 3, 2), target)


def setup(
    read: Callable[[int], Sample] = read_grey,
    fingerprint: str = "a" * 64,
    build: Callable[..., Network] = Tiny,
) -> Setup:
    data = Dataset("grey", "train", CLASSES, ((0, 0, 0),) * 3, tuple(map(str, range(7))), read, fingerprint)
    architecture = Architecture("tiny", build, lambda sd: Fit("own", 3, {}, sd), size_divisor=2)
    return Setup(architecture, data, dataclasses.replace(data, split="val").spread(6))


class StoppedError(Exception):
    pass


def stop_at(step: int) -> Callable[[Progress], None]:
    """A report that kills the training there, as a signal would."""

    def report(progress: Progress) -> None:
        if progress.step == step:
            raise StoppedError

    return report


def final(out: Path) -> dict[str, Any]:
    return torch.load(out / "checkpoint.pt", weights_only=True)


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Trained]:
    out = tmp_path_factory.mktemp("whole")
    return out, train(RECIPE, setup(), out)


def test_training_learns(tmp_path: Path) -> None:
    trained = train(dataclasses.replace(RECIPE, epochs=30, val_every=30), setup(), tmp_path)
    assert trained.rows[-1].loss < 0.7 * trained.rows[0].loss
    assert trained.rows[-1].val_miou > 0.6


def test_the_log_has_one_line_an_epoch_and_validates_when_asked(whole: tuple[Path, Trained]) -> None:
    out, trained = whole
    lines = (out / "log.csv").read_text().splitlines()
    assert lines[0] == "epoch,step,seconds,lr,loss,val_miou"
    assert [line.split(",")[0] for line in lines[1:]] == ["1", "2", "3", "4"]
    assert [row.val_miou is None for row in trained.rows] == [True, False, True, False]


def test_the_learning_rate_decays_to_zero(whole: tuple[Path, Trained]) -> None:
    rates = [row.lr for row in whole[1].rows]
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] == pytest.approx(0.02 * (1 / 12) ** 0.9)


def test_weights_and_card_are_left_behind(whole: tuple[Path, Trained]) -> None:
    out, trained = whole
    tensors = load_file(out / "tiny@grey.safetensors")
    assert tensors.keys() == {key for key in Tiny(3).state_dict() if not key.endswith("num_batches_tracked")}
    card = json.loads((out / "tiny@grey.json").read_text())
    assert card["class_names"] == list(CLASSES)
    assert card["trained_on"] == "grey train, 7 images"
    assert card["published_miou"] == pytest.approx(trained.rows[-1].val_miou, abs=0.02)
    low, high = card["published_interval"]
    assert low < card["published_miou"] < high
    assert card["published_precision"] == "fp32"
    assert "seed 0" in card["source"]
    assert card["backbone"] == "toy"


@pytest.mark.parametrize("step", [2, 3, 7])
def test_a_killed_and_continued_training_equals_an_uninterrupted_one(
    whole: tuple[Path, Trained], tmp_path: Path, step: int
) -> None:
    recipe = dataclasses.replace(RECIPE, checkpoint_minutes=1e-9)
    with pytest.raises(StoppedError):
        train(recipe, setup(), tmp_path, report=stop_at(step))
    trained = train(recipe, setup(), tmp_path)
    ours, theirs = final(tmp_path), final(whole[0])
    assert same(ours["network"], theirs["network"])
    assert same(ours["best"], theirs["best"])
    rows = [(r.epoch, r.step, r.lr, r.loss, r.val_miou) for r in trained.rows]
    assert rows == [(r.epoch, r.step, r.lr, r.loss, r.val_miou) for r in whole[1].rows]


def test_minutes_stop_with_a_checkpoint_that_continues(whole: tuple[Path, Trained], tmp_path: Path) -> None:
    with pytest.raises(IncompleteRun, match=r"1 of 12 steps.*same command continues"):
        train(RECIPE, setup(), tmp_path, minutes=1e-9)
    train(RECIPE, setup(), tmp_path)
    assert same(final(tmp_path)["network"], final(whole[0])["network"])


def test_training_leaves_the_global_generator_alone(tmp_path: Path) -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    train(dataclasses.replace(RECIPE, epochs=1), setup(), tmp_path)
    assert torch.equal(before, torch.get_rng_state())


def test_another_seed_gives_other_weights(whole: tuple[Path, Trained], tmp_path: Path) -> None:
    train(dataclasses.replace(RECIPE, seed=1), setup(), tmp_path)
    assert not same(final(tmp_path)["network"], final(whole[0])["network"])


def test_a_checkpoint_of_another_recipe_is_refused_with_the_differences(whole: tuple[Path, Trained]) -> None:
    other = dataclasses.replace(RECIPE, learning_rate=0.5, crop=(8, 8))
    with pytest.raises(InputError, match=r"learning_rate 0\.02 \(now 0\.5\), crop|crop .*learning_rate"):
        train(other, setup(), whole[0])


def test_a_checkpoint_that_lacks_a_newer_field_has_its_default(
    whole: tuple[Path, Trained], tmp_path: Path
) -> None:
    content = final(whole[0])
    del content["identity"]["gamma"]
    OutFolder(tmp_path).reserve(["checkpoint.pt"])
    torch.save(content, tmp_path / "checkpoint.pt")
    train(RECIPE, setup(), tmp_path)
    with pytest.raises(InputError, match=r"gamma 2\.0 \(now 3\.0\)"):
        train(dataclasses.replace(RECIPE, gamma=3.0), setup(), tmp_path)


def test_without_keep_best_only_the_last_weights_are_left(tmp_path: Path) -> None:
    recipe = dataclasses.replace(RECIPE, epochs=12, val_every=1, keep_best=False)
    trained = train(recipe, setup(), tmp_path)
    assert trained.weights["best"] == trained.weights["last"] == tmp_path / "tiny@grey.safetensors"
    assert not (tmp_path / "tiny@grey-best.safetensors").exists()


def test_a_checkpoint_of_other_data_is_refused(whole: tuple[Path, Trained]) -> None:
    with pytest.raises(InputError, match="data 'aaa"):
        train(RECIPE, setup(fingerprint="b" * 64), whole[0])


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    (tmp_path / "checkpoint.pt").write_bytes(b"PK\x03\x04 not a checkpoint")
    with pytest.raises(InputError, match=r"checkpoint\.pt"):
        train(RECIPE, setup(), tmp_path)


class Exploding(Network):
    """Gives NaN from its fourth call in train mode on."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.head = nn.Conv2d(3, num_classes, 1)
        self.calls = 0

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.calls += self.training
        return self.head(images) * (float("nan") if self.calls >= 4 else 1)


def test_a_loss_that_is_not_a_number_stops_and_keeps_the_last_good_checkpoint(tmp_path: Path) -> None:
    recipe = dataclasses.replace(RECIPE, checkpoint_minutes=1e-9)
    with pytest.raises(IncompleteRun, match="step 4 of 12: the loss became nan"):
        train(recipe, setup(build=Exploding), tmp_path)
    kept = final(tmp_path)
    assert kept["step"] == 3
    assert all(tensor.isfinite().all() for tensor in kept["network"].values())


class Blind(Exploding):
    """Learns, and gives NaN when it predicts, as a batch norm with ruined statistics does."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.head(images) * (1 if self.training else float("nan"))


def test_a_network_that_answers_no_numbers_stops_where_it_is_scored(tmp_path: Path) -> None:
    with pytest.raises(
        IncompleteRun, match=r"step 6 of 12: the network answers NaN\.\nNo checkpoint was saved"
    ):
        train(RECIPE, setup(build=Blind), tmp_path)


def test_a_second_training_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    def second(progress: Progress) -> None:
        with pytest.raises(InputError, match="Another `robseg train`"):
            train(RECIPE, setup(), tmp_path)
        raise StoppedError

    with pytest.raises(StoppedError):
        train(RECIPE, setup(), tmp_path, report=second)


def test_bf16_trains(tmp_path: Path) -> None:
    trained = train(dataclasses.replace(RECIPE, precision="bf16", epochs=2), setup(), tmp_path)
    assert np.isfinite(trained.rows[-1].loss)


VARIANTS: dict[str, dict[str, Any]] = {
    "adamw with everything": {
        "optimizer": "adamw",
        "schedule": "cosine",
        "warmup_steps": 3,
        "encoder_factor": 0.5,
        "decay_all": False,
        "ema": 0.9,
        "accumulate": 2,
        "batch_size": 1,
        "loss": "focal",
        "aux_weights": (0.4,),
        "corruptions": ("brightness", "jpeg_compression"),
    },
    "sgd": {"optimizer": "sgd", "loss": "ohem", "class_weights": "median", "ema": 0.5},
}


@pytest.mark.parametrize("name", VARIANTS)
def test_each_kind_of_training_continues_exactly(tmp_path: Path, name: str) -> None:
    recipe = dataclasses.replace(RECIPE, epochs=2, checkpoint_minutes=1e-9, **VARIANTS[name])
    train(recipe, setup(), tmp_path / "whole")
    with pytest.raises(StoppedError):
        train(recipe, setup(), tmp_path / "cut", report=stop_at(4))
    train(recipe, setup(), tmp_path / "cut")
    ours, theirs = final(tmp_path / "cut"), final(tmp_path / "whole")
    assert ours["step"] == theirs["step"] == 6
    for key in ("network", "averaged", "best"):
        assert same(ours[key], theirs[key])
    assert not same(ours["network"], ours["averaged"])


def test_the_moving_average_is_exported(tmp_path: Path) -> None:
    recipe = dataclasses.replace(RECIPE, epochs=1, ema=0.9)
    train(recipe, setup(), tmp_path)
    exported, averaged = load_file(tmp_path / "tiny@grey.safetensors"), final(tmp_path)["averaged"]
    assert all(torch.equal(exported[key], averaged[key].half()) for key in exported)


@pytest.mark.parametrize(("images", "together"), [(7, 4), (3, 3)])
def test_two_batches_make_the_step_of_one_with_all_their_images(
    tmp_path: Path, images: int, together: int
) -> None:
    """The network's norm and dropout do not mix images, and the second batch has only one of the three."""

    class Plain(Network):
        def __init__(self, num_classes: int) -> None:
            super().__init__()
            self.head = nn.Conv2d(3, num_classes, 3, padding=1)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return self.head(images)

    # Without class weights and padding each image has as many labelled pixels: means of means are the mean.
    even: dict[str, Any] = {"scale": (1, 1), "class_weights": "none"}
    plain = dataclasses.replace(RECIPE, epochs=2, optimizer="sgd", learning_rate=0.1, **even)
    few = setup(build=Plain)._replace(train_set=setup().train_set.spread(images))
    train(dataclasses.replace(plain, batch_size=together), few, tmp_path / "one")
    train(dataclasses.replace(plain, batch_size=2, accumulate=2), few, tmp_path / "two")
    one, two = final(tmp_path / "one")["network"], final(tmp_path / "two")["network"]
    for key in one:
        torch.testing.assert_close(one[key], two[key], rtol=1e-5, atol=1e-6)


def test_the_auxiliary_head_learns_only_where_its_loss_weighs(tmp_path: Path) -> None:
    for weight in (0.0, 0.4):
        recipe = dataclasses.replace(RECIPE, epochs=1, weight_decay=0, aux_weights=(weight,))
        train(recipe, setup(), tmp_path / str(weight))
    torch.manual_seed(RECIPE.seed)
    first = Tiny(3).aux.weight
    kept, moved = (final(tmp_path / str(weight))["network"]["aux.weight"] for weight in (0.0, 0.4))
    assert torch.equal(kept, first)
    assert not torch.equal(moved, first)


def test_options_reach_the_network_and_the_card(tmp_path: Path) -> None:
    recipe = dataclasses.replace(RECIPE, epochs=1, options={"aux_channels": 5})
    train(recipe, setup(build=Wide), tmp_path)
    card = json.loads((tmp_path / "tiny@grey.json").read_text())
    assert card["options"] == {"aux_channels": 5}
    assert load_file(tmp_path / "tiny@grey.safetensors")["extra.weight"].shape == (5, 3, 1, 1)


class Wide(Tiny):
    def __init__(self, num_classes: int, backbone: str = "efficientnet_lite0", aux_channels: int = 4) -> None:
        super().__init__(num_classes, backbone)
        self.extra = nn.Conv2d(3, aux_channels, 1)


def test_the_card_feeds_a_backbone_as_imagenet_did(tmp_path: Path) -> None:
    train(dataclasses.replace(RECIPE, epochs=1), setup(build=Wide), tmp_path)
    card = json.loads((tmp_path / "tiny@grey.json").read_text())
    assert card["mean"] == card["std"] == [127.5, 127.5, 127.5]


def test_the_card_says_which_corruptions_were_seen(tmp_path: Path) -> None:
    recipe = dataclasses.replace(
        RECIPE, epochs=1, corruptions=("fog",), corruption_rate=0.25, severities=(2,)
    )
    train(recipe, setup(), tmp_path)
    trained_on = json.loads((tmp_path / "tiny@grey.json").read_text())["trained_on"]
    assert "25% of them corrupted (fog; severities 2)" in trained_on


def test_the_network_predicts_at_the_recipes_sizes_and_the_card_tells_them(tmp_path: Path) -> None:
    seen = set()

    class Watched(Tiny):
        def heads(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
            seen.add((self.training, *images.shape[-2:]))
            return super().heads(images)

    recipe = dataclasses.replace(RECIPE, epochs=1, test_size=(30, 45), size_divisor=7)
    trained = train(recipe, setup(build=Watched), tmp_path)
    card = json.loads(next(iter(trained.weights.values())).with_suffix(".json").read_text())
    assert seen == {(True, 16, 16), (False, 42, 42)}  # 24x32 becomes 30x40, and is padded
    assert (card["test_size"], card["size_divisor"]) == ([30, 45], 14)
    assert card["published_protocol"] == "val, whole images at a size that fits into 30x45"
