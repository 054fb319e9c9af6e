"""What a shell completes, and that it does not wait for torch."""

import os
import subprocess
import sys

import pytest
from click.shell_completion import ShellComplete

from robseg.cli import cli, entries


def completed(line: str) -> list[str]:
    """Return what a shell offers at the end of a line; it ends in a space where a new word begins."""
    *words, last = line.split(" ")
    found = ShellComplete(cli, {}, "robseg", "_ROBSEG_COMPLETE").get_completions(words, last)
    return [item.value if item.type == "plain" else f"<{item.type}>" for item in found]


def test_commands_are_completed() -> None:
    assert completed("") == [entry.name for entry in entries()]
    assert completed("comp") == ["compare"]
    assert completed("weights i") == ["inspect"]
    assert completed("evalute --mod") == []


@pytest.mark.parametrize(
    ("line", "among"),
    [
        ("evaluate -m enet@", ["enet@camvid", "enet@streets"]),
        ("evaluate --model torch", ["torchvision:"]),
        ("evaluate -c fo", ["fog"]),
        ("evaluate --corruptions noise,fo", ["noise,fog"]),
        ("evaluate -c cam", ["camera"]),
        ("evaluate -c kam", ["kamann"]),
        ("evaluate --protocol kam", ["kamann-rother"]),
        ("evaluate -d stre", ["streets"]),
        ("evaluate --arch pspn", ["pspnet"]),
        ("evaluate --tally trimap", ["trimap-2"]),
        ("evaluate --precision b", ["bf16"]),
        ("evaluate --data-root ", ["<file>"]),
        ("evaluate ", ["<file>"]),
        ("evaluate --prin", ["--print-config"]),
        ("evaluate --kee", ["--keep-targets"]),
        ("train enet-", ["enet-camvid", "enet-streets"]),
        ("train --start enet@str", ["enet@streets"]),
        ("predict a.png -c fo", ["fog"]),
        ("predict --model enet@str", ["enet@streets"]),
        ("report runs/a --protocol seg", ["segformer"]),
        ("compare ", ["<file>"]),
        ("list mod", ["models"]),
        ("evaluate nowhere.toml -d stre", ["streets"]),
        ("train nothing -d stre", ["streets"]),
        ("weights fetch enet@str", ["enet@streets"]),
        ("weights inspect a.pth --arch seg", ["segfix"]),
    ],
)
def test_names_are_completed(line: str, among: list[str]) -> None:
    found = completed(line)
    assert set(among) <= set(found)
    start = line.split(" ")[-1]
    assert all(value.startswith(start) or value == "<file>" for value in found)


@pytest.mark.parametrize("words", ["", "evaluate -m en", "evaluate -c fo", "evaluate -d str"])
def test_completion_as_the_shell_calls_it_does_without_torch(words: str) -> None:
    environment = {
        **os.environ,
        "_ROBSEG_COMPLETE": "bash_complete",
        "COMP_WORDS": f"robseg {words}",
        "COMP_CWORD": str(len(words.split()) or 1),
    }
    code = (
        "import sys\n"
        "from robseg.__main__ import main\n"
        "try:\n    main()\n"
        "finally:\n    assert 'torch' not in sys.modules, 'torch was imported'"
    )
    ended = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("plain,")
    assert ended.stderr == ""
