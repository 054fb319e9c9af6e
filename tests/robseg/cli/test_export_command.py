"""`robseg export`, and what becomes of the file it writes."""

from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from tests.invoke import invoke

run = partial(invoke, "export")


def test_an_exported_model_scores_like_its_model_and_is_compared_with_it(
    tree: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    card = tmp_path / "card.json"
    card.write_text('{"class_names": ["sky", "road", "car"], "test_size": [48, 64]}')
    grid = ["-d", "folder", "--data-root", str(tree), "-c", "pixelate", "-s", "2", "-j0", "--no-examples"]
    assert (
        invoke("evaluate", "-m", "enet", "-w", weights, "--model-card", card, *grid, "-o", "ours").exit_code
        == 0
    )
    done = run("enet", "-w", weights, "--model-card", card, "--to", "pt2", "-o", "net.pt2")
    assert done.exit_code == 0, done.output
    assert done.stdout == "net.pt2: evaluate it with --model pt2:net.pt2\n"
    theirs = invoke("evaluate", "-m", "pt2:net.pt2", *grid, "-o", "theirs")
    assert theirs.exit_code == 0, theirs.output
    ours, exported = (pd.read_csv(f"{name}/scores.csv") for name in ("ours", "theirs"))
    pd.testing.assert_series_equal(ours.miou, exported.miou, atol=1e-4)
    assert set(exported.model) == {"pt2:net"}
    compared = invoke("compare", "ours", "theirs")
    assert compared.exit_code == 0, compared.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--to onnxx", "did you mean 'onnx'?"),
        ("--to pt2 --precision bf16", "Expected --precision fp32 for --to pt2"),
        ("--to openvino --precision int8", "Expected --calibrate DATA with --precision int8"),
        ("--to pt2 --calibrate streets", "but got it with fp32"),
        ("--to pt2 -o net.onnx", "Expected a file whose name ends with .pt2, but got net.onnx"),
        ("--to pt2", "Expected --size HEIGHT WIDTH"),
        ("--to openvino --precision int8 --calibrate camvid --data-root nowhere --size 48 64", "nowhere"),
    ],
)
def test_wrong_words_are_refused(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    refused = run("enet", "-w", weights, *words.split())
    assert refused.exit_code == 2, refused.output
    assert said in refused.stderr
    assert not list(tmp_path.iterdir())


def test_several_models_are_refused() -> None:
    refused = run("icnet*", "--to", "pt2")
    assert refused.exit_code == 2
    assert "Expected one model" in refused.stderr
