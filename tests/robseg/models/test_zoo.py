"""What every model that comes with the package promises."""

import hashlib
import re

import numpy as np
import pytest
from numpy.typing import NDArray

import corruptions
from robseg.datasets import DATASETS, open_dataset
from robseg.models.catalogue import ZOO, list_cards, shipped
from robseg.models.model import load_model

CARDS = {card.id: card for card in list_cards() if shipped(card)}
MEGABYTES = 60  # that all weights together may take


def test_the_weights_stay_small() -> None:
    assert sum((ZOO / card.weights_file).stat().st_size for card in CARDS.values()) < MEGABYTES * 1e6


def test_each_file_of_the_zoo_has_a_card() -> None:
    assert {path.name for path in ZOO.glob("*.safetensors")} == {card.weights_file for card in CARDS.values()}


@pytest.mark.parametrize("name", CARDS)
def test_a_card_tells_where_its_weights_come_from(name: str) -> None:
    card = CARDS[name]
    assert hashlib.sha256((ZOO / card.weights_file).read_bytes()).hexdigest() == card.sha256
    assert card.dataset in DATASETS
    assert f"{card.dataset} train" in card.trained_on
    assert "; data: " in card.licence
    assert re.search(r"[\d.]+ hours.*epochs \d+.*seed \d+", card.source)
    low, high = card.published_interval
    assert low < card.published_miou < high
    assert card.published_protocol
    assert card.published_precision == "fp32"
    assert card.citation == DATASETS[card.dataset].citation


@pytest.mark.parametrize("name", CARDS)
def test_a_model_labels_images_of_any_size(name: str) -> None:
    model = load_model(name)
    if model.card.architecture != "segfix":
        labels = model.predict(np.zeros((1, 50, 70, 3), np.uint8))
        assert labels.shape == (1, 50, 70)
        assert labels.max() < len(model.card.class_names)


@pytest.fixture(scope="module")
def blurred() -> NDArray[np.uint8]:
    """A rendered scene under defocus blur, whose even areas showed the rounding of the first layers."""
    scene = open_dataset("streets").read(0)
    return corruptions.corrupt(scene.image, "defocus_blur", severity=5, key=scene.id)[None]


@pytest.mark.parametrize("name", [name for name, card in CARDS.items() if card.architecture != "segfix"])
def test_bf16_gives_nearly_the_labels_of_fp32(name: str, blurred: NDArray[np.uint8]) -> None:
    whole, rounded = (
        load_model(name, precision=precision).predict(blurred) for precision in ("fp32", "bf16")
    )
    assert (whole != rounded).mean() < 0.025


@pytest.mark.parametrize("name", CARDS)
def test_the_documentation_has_the_score_of_the_card(name: str) -> None:
    card = CARDS[name]
    score, low, high = (f"{100 * value:.1f}" for value in (card.published_miou, *card.published_interval))
    lines = (ZOO.parents[2] / "docs" / "models.md").read_text(encoding="utf-8").splitlines()
    row = next(line for line in lines if line.startswith(f"| `{name}` |"))
    assert f"| {score} ({low}–{high}) |" in row
    hours = sum(map(float, re.findall(r"([\d.]+) hours", card.source)))
    assert row.endswith(f"| {hours:.2f} |")
