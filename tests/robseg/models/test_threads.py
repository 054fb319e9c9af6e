"""What is done on a GPU, with stand-ins where there is none."""

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from robseg.models.model import load_model
from robseg.models.predict import threads
from robseg.models.predict.threads import moved, own_stream


def test_each_thread_has_a_stream_of_its_own_and_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[Any] = []

    @contextlib.contextmanager
    def stream(one: object) -> Iterator[None]:
        used.append(one)
        yield

    monkeypatch.setattr(torch.cuda, "Stream", lambda device: (device, object()))
    monkeypatch.setattr(torch.cuda, "stream", stream)
    monkeypatch.setattr(threads, "_of_thread", threading.local())

    def twice() -> None:
        for _ in range(2):
            with own_stream("cuda:1"):
                pass

    twice()
    thread = threading.Thread(target=twice)
    thread.start()
    thread.join()
    assert [device for device, _ in used] == ["cuda:1"] * 4
    assert used[0] is used[1] is not used[2] is used[3]


def test_float32_means_float32_on_a_gpu_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    load_model(lambda images: images, class_names=["red", "green", "blue"])
    assert not torch.backends.cudnn.allow_tf32


def test_on_a_cpu_there_are_no_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.cuda, "stream")
    with own_stream("cpu"):
        pass


def test_what_is_moved_is_a_copy_in_any_order_of_memory() -> None:
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)[..., ::-1]
    there = moved(pixels, "cpu")
    assert there.tolist() == pixels.tolist()
    there += 1
    assert pixels.max() == 23


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_has_the_same_values() -> None:
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    with own_stream("cuda"):
        assert moved(pixels, "cuda").cpu().tolist() == pixels.tolist()
