from pathlib import Path

import pytest
from click.testing import CliRunner

from robseg.cli.commands.train import command as train


@pytest.mark.slow
def test_two_minutes_of_enet_on_streets_learn(tmp_path: Path) -> None:
    """Ten epochs of 120 scenes: the loss falls by a fifth, and the mIoU leaves chance far behind."""
    small = "--train-limit 120 --val-limit 20 --epochs 10 --val-every 10 --crop 192 192 --precision bf16"
    result = CliRunner().invoke(
        train, ["--model", "enet", "--dataset", "streets", "--out", str(tmp_path), *small.split()]
    )
    assert result.exception is None, result.output
    rows = [line.split(",") for line in (tmp_path / "log.csv").read_text().splitlines()[1:]]
    first_loss, last_loss, miou = float(rows[0][4]), float(rows[-1][4]), float(rows[-1][5])
    assert last_loss < 0.8 * first_loss
    # One class everywhere scores at most 1/11.
    assert miou > 0.15
