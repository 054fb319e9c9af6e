"""In a notebook, and only there, an evaluation shows a bar that moves."""

import sys
import types
from pathlib import Path

import numpy as np
import pytest

import robseg
from robseg.notebook import notebook_bar


class Notebook:
    """Stands in for IPython in a kernel, and keeps what is displayed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, shell: object) -> None:
        self.shown: list[str] = []
        display = types.ModuleType("IPython.display")
        vars(display).update(HTML=str, display=self.display)
        ipython = types.ModuleType("IPython")
        vars(ipython).update(get_ipython=lambda: shell)
        monkeypatch.setitem(sys.modules, "IPython", ipython)
        monkeypatch.setitem(sys.modules, "IPython.display", display)

    def display(self, text: str, *, display_id: bool) -> "Notebook":
        assert display_id
        self.update(text)
        return self

    def update(self, text: str) -> None:
        self.shown.append(text)


def test_an_evaluation_in_a_notebook_shows_a_bar(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    notebook = Notebook(monkeypatch, types.SimpleNamespace(kernel=None))
    data = np.zeros((3, 8, 8, 3), np.uint8), np.zeros((3, 8, 8), int)
    model = robseg.load_model(lambda images: images, class_names=["a", "b", "c"])
    robseg.evaluate(model, data, "none", out=tmp_path)
    assert notebook.shown[1] == '<progress value="0" max="3"></progress> 0/3 predictions'
    assert notebook.shown[-1].startswith('<progress value="3" max="3"></progress> 3/3 predictions, ')


def test_a_callback_of_the_users_takes_its_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    notebook = Notebook(monkeypatch, types.SimpleNamespace(kernel=None))
    data = np.zeros((3, 8, 8, 3), np.uint8), np.zeros((3, 8, 8), int)
    model = robseg.load_model(lambda images: images, class_names=["a", "b", "c"])
    robseg.evaluate(model, data, "none", out=tmp_path, progress=lambda _: None)
    assert not notebook.shown


def test_a_terminal_has_no_bar_of_notebooks(monkeypatch: pytest.MonkeyPatch) -> None:
    assert notebook_bar() is None
    Notebook(monkeypatch, types.SimpleNamespace())
    assert notebook_bar() is None
