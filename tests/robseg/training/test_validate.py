import dataclasses
import functools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import reports
from robseg.api import evaluate
from robseg.datasets import open_dataset, streets
from robseg.models.model import load_model
from robseg.training.recipe import Recipe
from robseg.training.setup import resolve
from robseg.training.trainer import train
from robseg.training.validate import counted, score


def test_a_card_tells_what_an_evaluation_of_its_file_measures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same mIoU and the same interval, to the card's four digits."""
    monkeypatch.setattr(streets, "dataset", functools.partial(streets.dataset, size=(64, 128)))
    small: dict[str, Any] = {"train_limit": 4, "val_limit": 6, "epochs": 1, "batch_size": 2, "crop": (64, 64)}
    recipe = Recipe("enet", "streets", start="enet@streets", **small)
    weights = train(recipe, resolve(recipe), tmp_path / "training").weights["last"]
    card = json.loads(weights.with_suffix(".json").read_text())
    model = load_model("enet", weights)
    results = evaluate(model, "streets", "none", limit=6, out=tmp_path / "run", num_workers=0, examples=False)
    row = results.summary.iloc[0]
    assert card["published_miou"] == round(row.clean_miou, 4)
    assert card["published_interval"] == [round(row.clean_miou_low, 4), round(row.clean_miou_high, 4)]
    assert reports.load(tmp_path / "run").record.dataset["split"] == recipe.val_split


def test_images_of_one_block_of_frames_are_drawn_together() -> None:
    """Six blocks of the same two images each: as uncertain as six images, and not as twelve."""
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 3, (6, 8, 8), np.uint8)
    predictions = np.where(
        rng.random((6, 8, 8)) < np.linspace(0.2, 0.8, 6)[:, None, None], 0, targets
    ).astype(np.uint8)
    pairs = [pair for pair in zip(predictions, targets, strict=True) for _ in range(2)]
    data = open_dataset("streets", None, "val").spread(12)
    data = dataclasses.replace(data, class_names=("a", "b", "c"))
    alone = score(counted(pairs, 3), data)
    together = score(counted(pairs, 3), dataclasses.replace(data, clusters=tuple("aabbccddeeff")))
    assert alone.miou == together.miou
    assert together.high - together.low > 1.2 * (alone.high - alone.low)
