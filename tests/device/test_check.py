"""The script for machines with a GPU, run on the CPU."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

CHECK = Path(__file__).with_name("check.sh")


@pytest.mark.slow
def test_a_cpu_agrees_with_itself(tmp_path: Path) -> None:
    found = tmp_path / "found.json"
    asked: list[str | Path] = [
        CHECK,
        "--device",
        "cpu",
        "--size",
        "64",
        "96",
        "--images",
        "2",
        "--json",
        found,
    ]
    subprocess.run(asked, check=True, env={"PYTHON": sys.executable, "OMP_NUM_THREADS": "1"})
    findings = json.loads(found.read_text())["findings"]
    judged = [finding for finding in findings if finding["good"] is not None]
    assert len(judged) >= 20
    assert all(finding["good"] for finding in judged)
