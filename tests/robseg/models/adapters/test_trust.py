"""A file that is named as weights runs no code, whatever it contains and whatever lies beside it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from robseg.errors import InputError
from robseg.evaluation import resolve
from robseg.evaluation.job import loaded
from robseg.evaluation.request import Request
from robseg.models import load_model
from robseg.models.adapters import adapter_of
from robseg.models.base import architecture
from robseg.models.catalogue import WEIGHTS_SUFFIXES
from robseg.models.inspection import inspect_file
from robseg.models.refine.options import refined_models
from robseg.training.start import open_start


def evaluated(path: Path, arch: str | None = "enet") -> None:
    request = Request(str(path), arch=arch)
    for source in resolve.models(request):
        loaded(source, request)


USES: dict[str, Callable[[Path], Any]] = {
    "evaluate --arch": evaluated,
    "load_model": lambda path: load_model("enet", path),
    "torchvision --weights": lambda path: load_model("torchvision:lraspp_mobilenet_v3_large", path),
    "weights inspect": inspect_file,
    "train --start": lambda path: open_start(architecture("enet"), str(path)),
    "evaluate --refine-weights": lambda path: refined_models(
        [], Request("enet", refine="segfix", refine_weights=path), "streets", [], "cpu", "fp32"
    ),
}


@pytest.fixture
def no_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every test fail that opens a TorchScript program."""
    monkeypatch.setattr(torch.jit, "load", lambda *_, **__: pytest.fail("the program was opened"))


@pytest.mark.usefixtures("no_program")
@pytest.mark.parametrize("ending", set(WEIGHTS_SUFFIXES) - {".safetensors"})
@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_torchscript_given_as_weights_is_refused(
    use: Callable[[Path], Any], ending: str, saved: Any, tmp_path: Path
) -> None:
    path = tmp_path / f"program{ending}"
    shutil.copy(saved["traced.pt"], path)
    with pytest.raises(InputError, match=f"is a TorchScript program.* write ts:{path}") as refused:
        use(path)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("ending", WEIGHTS_SUFFIXES)
def test_the_ending_of_weights_names_no_program(ending: str, saved: Any, tmp_path: Path) -> None:
    path = tmp_path / f"program{ending}"
    shutil.copy(saved["traced.pt"], path)
    assert adapter_of(str(path)) is None
    assert adapter_of(f"ts:{path}") == ("ts", str(path))
    with pytest.raises(InputError, match=rf"the weights file .*program\{ending}: name its architecture"):
        load_model(str(path))


@pytest.mark.parametrize("architecture", ["py:booby:trap", "ts:program.pt", "enet@camvid", "ennet"])
def test_a_card_beside_weights_names_an_architecture_alone(
    architecture: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    card = {"id": "m", "architecture": architecture, "dataset": "toy", "class_names": ["road", "sky"]}
    Path("m.json").write_text(json.dumps(card))
    Path("m.safetensors").touch()
    Path("booby.py").write_text("raise SystemExit('the trap was sprung')")
    with pytest.raises(InputError, match=f"Unknown architecture '{architecture}'"):
        evaluated(Path("m.safetensors"), arch=None)


@pytest.mark.parametrize("spec", ["py:booby:trap", "ts:program", "onnx:program.onnx", "program.pt2"])
def test_a_training_starts_from_no_program(
    spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("booby.py").write_text("raise SystemExit('the trap was sprung')")
    with pytest.raises(InputError, match=f"Unknown model '{spec}'"):
        open_start(architecture("enet"), spec)
