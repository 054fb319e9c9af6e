"""The pixels depend on nothing but what the caller passes."""

import hashlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import corruptions

ROOT = Path(__file__).parents[2]
NAMES = corruptions.names("all")
IMAGE = np.random.default_rng(0).integers(0, 256, (36, 44, 3), dtype=np.uint8)

PRINT_DIGESTS = """
import hashlib, sys, numpy as np, corruptions
image = np.random.default_rng(0).integers(0, 256, (36, 44, 3), dtype=np.uint8)
for name in sys.argv[1:]:
    severity = corruptions.get(name).severities[-1]
    print(hashlib.sha256(corruptions.corrupt(image, name, severity, seed=1, key="k")).hexdigest())
"""


def digest(name: str) -> str:
    return hashlib.sha256(
        corruptions.corrupt(IMAGE, name, corruptions.get(name).severities[-1], seed=1, key="k").tobytes()
    ).hexdigest()


def test_another_process_makes_the_same_pixels_in_another_order() -> None:
    backwards = NAMES[::-1]
    expected = [digest(name) for name in backwards]  # first, so that every kernel has been compiled
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "7"}
    command = [sys.executable, "-W", "error", "-c", PRINT_DIGESTS, *backwards]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == expected
    assert done.stderr == ""


def test_two_threads_make_the_same_pixels_as_one() -> None:
    names = [name for name in NAMES if corruptions.get(name).random and name != "frost"] * 4
    alone = [digest(name) for name in names]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(digest, names)) == alone


@pytest.mark.parametrize("name", NAMES)
def test_numpys_global_generator_is_neither_set_nor_read(name: str) -> None:
    np.random.seed(1)  # noqa: NPY002 (this is the generator that must stay out of it)
    first = digest(name)
    untouched = np.random.random()  # noqa: NPY002
    np.random.seed(1)  # noqa: NPY002
    assert untouched == np.random.random()  # noqa: NPY002
    assert digest(name) == first
