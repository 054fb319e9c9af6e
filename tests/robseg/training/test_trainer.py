import dataclasses
import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from robseg.datasets.base import Dataset, Sample
from robseg.errors import IncompleteRun, InputError
from robseg.models.base import Architecture, Fit
from robseg.training.recipe import Recipe
from robseg.training.task import Task
from robseg.training.trainer import train

CLASSES = ("dark", "middle", "bright")
RECIPE = Recipe(
    "tiny", "grey", epochs=4, batch_size=2, learning_rate=0.02, crop=(16, 16), jitter=0.1, val_every=2
)


def tiny(num_classes):
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Dropout2d(0.2),
        nn.Conv2d(8, num_classes, 3, stride=2, padding=1),
    )


def read_grey(index):
    """A scene of three grey levels, one per class, in random blocks."""
    target = np.kron(
        np.random.default_rng(index).integers(0, 3, (3, 4), dtype=np.uint8), np.ones((8, 8), np.uint8)
    )
    return Sample(str(index), np.repeat((target * 100 + 20)[..., None], 3, 2), target)


def task(read=read_grey, fingerprint="a" * 64, build=tiny):
    data = Dataset("grey", "train", CLASSES, ((0, 0, 0),) * 3, tuple(map(str, range(7))), read, fingerprint)
    architecture = Architecture("tiny", "Tiny", "", build, lambda sd: Fit("own", 3, {}, sd), size_divisor=2)
    return Task(architecture, data, dataclasses.replace(data, split="val").head(3))


class StoppedError(Exception):
    pass


def stop_at(step):
    """A report that kills the training there, as a signal would."""

    def report(progress):
        if progress.step == step:
            raise StoppedError

    return report


def final(out):
    return torch.load(out / "checkpoint.pt", weights_only=True)


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    out = tmp_path_factory.mktemp("whole")
    return out, train(RECIPE, task(), out)


def test_training_learns(tmp_path):
    trained = train(dataclasses.replace(RECIPE, epochs=30, val_every=30), task(), tmp_path)
    assert trained.rows[-1].loss < 0.7 * trained.rows[0].loss
    assert trained.rows[-1].val_miou > 0.6


def test_the_log_has_one_line_an_epoch_and_validates_when_asked(whole):
    out, trained = whole
    lines = (out / "log.csv").read_text().splitlines()
    assert lines[0] == "epoch,step,seconds,lr,loss,val_miou"
    assert [line.split(",")[0] for line in lines[1:]] == ["1", "2", "3", "4"]
    assert [row.val_miou is None for row in trained.rows] == [True, False, True, False]


def test_the_learning_rate_decays_to_zero(whole):
    rates = [row.lr for row in whole[1].rows]
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] == pytest.approx(0.02 * (1 / 12) ** 0.9)


def test_weights_and_card_are_left_behind(whole):
    out, trained = whole
    tensors = load_file(out / "tiny@grey.safetensors")
    assert tensors.keys() == {key for key, _ in tiny(3).named_parameters()} | {
        "1.running_mean",
        "1.running_var",
    }
    card = json.loads((out / "tiny@grey.json").read_text())
    assert card["class_names"] == list(CLASSES)
    assert card["trained_on"] == "grey train, 7 images"
    assert card["published_miou"] == pytest.approx(trained.rows[-1].val_miou, abs=1e-4)
    assert "seed 0" in card["source"]


@pytest.mark.parametrize("step", [2, 3, 7])
def test_a_killed_and_continued_training_equals_an_uninterrupted_one(whole, tmp_path, step):
    recipe = dataclasses.replace(RECIPE, checkpoint_minutes=1e-9)
    with pytest.raises(StoppedError):
        train(recipe, task(), tmp_path, report=stop_at(step))
    trained = train(recipe, task(), tmp_path)
    ours, theirs = final(tmp_path), final(whole[0])
    assert same(ours["network"], theirs["network"])
    assert same(ours["best"], theirs["best"])
    rows = [(r.epoch, r.step, r.lr, r.loss, r.val_miou) for r in trained.rows]
    assert rows == [(r.epoch, r.step, r.lr, r.loss, r.val_miou) for r in whole[1].rows]


def test_minutes_stop_with_a_checkpoint_that_continues(whole, tmp_path):
    with pytest.raises(IncompleteRun, match=r"1 of 12 steps.*same command continues"):
        train(RECIPE, task(), tmp_path, minutes=1e-9)
    train(RECIPE, task(), tmp_path)
    assert same(final(tmp_path)["network"], final(whole[0])["network"])


def test_training_leaves_the_global_generator_alone(tmp_path):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    train(dataclasses.replace(RECIPE, epochs=1), task(), tmp_path)
    assert torch.equal(before, torch.get_rng_state())


def test_another_seed_gives_other_weights(whole, tmp_path):
    train(dataclasses.replace(RECIPE, seed=1), task(), tmp_path)
    assert not same(final(tmp_path)["network"], final(whole[0])["network"])


def test_a_checkpoint_of_another_recipe_is_refused_with_the_differences(whole):
    other = dataclasses.replace(RECIPE, learning_rate=0.5, crop=(8, 8))
    with pytest.raises(InputError, match=r"learning_rate 0\.02 \(now 0\.5\), crop|crop .*learning_rate"):
        train(other, task(), whole[0])


def test_a_checkpoint_of_other_data_is_refused(whole):
    with pytest.raises(InputError, match="data 'aaa"):
        train(RECIPE, task(fingerprint="b" * 64), whole[0])


def test_a_damaged_checkpoint_is_named(tmp_path):
    (tmp_path / "checkpoint.pt").write_bytes(b"PK\x03\x04 not a checkpoint")
    with pytest.raises(InputError, match=r"checkpoint\.pt"):
        train(RECIPE, task(), tmp_path)


class Exploding(nn.Module):
    """Gives NaN from its fourth call in train mode on."""

    def __init__(self, num_classes):
        super().__init__()
        self.head = nn.Conv2d(3, num_classes, 1)
        self.calls = 0

    def forward(self, images):
        self.calls += self.training
        return self.head(images) * (float("nan") if self.calls >= 4 else 1)


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_good_checkpoint(tmp_path):
    recipe = dataclasses.replace(RECIPE, checkpoint_minutes=1e-9)
    with pytest.raises(IncompleteRun, match="step 4 of 12: the loss became nan"):
        train(recipe, task(build=Exploding), tmp_path)
    kept = final(tmp_path)
    assert kept["step"] == 3
    assert all(tensor.isfinite().all() for tensor in kept["network"].values())


def test_a_second_training_in_the_same_folder_is_refused(tmp_path):
    def second(progress):
        with pytest.raises(InputError, match="Another `robseg train`"):
            train(RECIPE, task(), tmp_path)
        raise StoppedError

    with pytest.raises(StoppedError):
        train(RECIPE, task(), tmp_path, report=second)


def test_a_sample_is_read_once(tmp_path):
    reads = []

    def read(index):
        reads.append(index)
        return read_grey(index)

    train(dataclasses.replace(RECIPE, epochs=2), task(read), tmp_path)
    assert len(reads) == 7 + 3


def test_bf16_trains(tmp_path):
    trained = train(dataclasses.replace(RECIPE, precision="bf16", epochs=2), task(), tmp_path)
    assert np.isfinite(trained.rows[-1].loss)
