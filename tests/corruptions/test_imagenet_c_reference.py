"""The real imagecorruptions, behind its compatibility layer."""

import ast
import hashlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import corruptions
from corruptions import reference

ROOT = Path(__file__).parents[2]
NAMES = corruptions.names("imagenet-c")
IMAGE = np.random.default_rng(5).integers(0, 256, (40, 52, 3), dtype=np.uint8)

UNMODIFIED = """
import hashlib, sys, types
import numpy as np, skimage.filters
from pathlib import Path
import importlib.util
folder = Path(importlib.util.find_spec("imagecorruptions").submodule_search_locations[0])
sys.modules["pkg_resources"] = types.SimpleNamespace(resource_filename=lambda _, name: str(folder / name))
interpolation = types.ModuleType("scipy.ndimage.interpolation")
from scipy.ndimage import map_coordinates
interpolation.map_coordinates = map_coordinates
sys.modules["scipy.ndimage.interpolation"] = interpolation
np.float_ = np.float64
gaussian = skimage.filters.gaussian
def old_gaussian(image, sigma, multichannel=None, **options):
    return gaussian(image, sigma, channel_axis=-1 if multichannel else None, **options)
skimage.filters.gaussian = old_gaussian
import imagecorruptions
image = np.random.default_rng(5).integers(0, 256, (40, 52, 3), dtype=np.uint8)
for name in sys.argv[1:]:
    for severity in (1, 3, 5):
        np.random.seed(11)
        corrupted = imagecorruptions.corrupt(image, severity, name)
        print(hashlib.sha256(np.ascontiguousarray(corrupted)).hexdigest())
"""


def run(code: str, *arguments: str, path: Path = ROOT) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": f"{path}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def package_source() -> ast.Module:
    spec = importlib.util.find_spec("imagecorruptions")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return ast.parse((Path(spec.submodule_search_locations[0]) / "corruptions.py").read_text())


def test_it_gives_the_pixels_of_the_seeded_package() -> None:
    pytest.importorskip("cv2")
    names = [name for name in NAMES if name != "impulse_noise"]  # never obeyed the seed
    done = run(UNMODIFIED, *names)
    assert done.returncode == 0, done.stderr
    ours = [
        reference.corrupt(IMAGE, name, severity, np.random.RandomState(11))
        for name in names
        for severity in (1, 3, 5)
    ]
    assert done.stdout.split() == [hashlib.sha256(image.tobytes()).hexdigest() for image in ours]
    assert all(image.flags.c_contiguous and image.flags.writeable for image in ours)


def published_constants(name: str, tree: ast.Module) -> list[tuple[float, ...]]:
    function = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name)
    for node in ast.walk(function):
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.List):
            table = eval(ast.unparse(node.value), {"np": np})  # noqa: S307
            if len(table) == 5:
                return [tuple(np.atleast_1d(row).tolist()) for row in table]
    raise AssertionError(name)


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"zoom_blur", "elastic_transform"}))
def test_parameters_are_the_published_constants(name: str) -> None:
    parameters = corruptions.get(name).parameters
    assert [tuple(map(float, row.values())) for row in parameters] == [
        tuple(map(float, row)) for row in published_constants(name, package_source())
    ]


def test_zoom_and_elastic_parameters_are_the_published_constants() -> None:
    tree = package_source()
    layers = [
        tuple(np.arange(1, row["stop"], row["step"])) for row in corruptions.get("zoom_blur").parameters
    ]
    assert layers == published_constants("zoom_blur", tree)
    gains = [(row["gain"],) for row in corruptions.get("elastic_transform").parameters]
    assert gains == published_constants("elastic_transform", tree)


def test_impulse_noise_draws_from_the_given_random_state() -> None:
    first, again = (reference.corrupt(IMAGE, "impulse_noise", 5, np.random.RandomState(1)) for _ in range(2))
    changed = first != IMAGE
    assert (first == again).all()
    assert set(np.unique(first[changed])) == {0, 255}
    assert 0.22 < changed.mean() < 0.32


def test_spatter_without_a_drop_leaves_a_small_image_as_it_is() -> None:
    pytest.importorskip("cv2")
    image = np.full((32, 32, 3), 200, np.uint8)
    spattered = [reference.corrupt(image, "spatter", 1, np.random.RandomState(seed)) for seed in range(120)]
    assert min(int(image.mean()) for image in spattered) > 150
    assert any((result == image).all() for result in spattered)


def test_nothing_is_left_in_the_modules_of_the_process() -> None:
    code = """
import sys, numpy, corruptions, numpy as np
image = np.zeros((32, 32, 3), np.uint8)
for name in ("fog", "elastic_transform", "glass_blur", "contrast"):
    corruptions.corrupt(image, name)
for module in ("imagecorruptions", "pkg_resources", "cv2"):
    assert module not in sys.modules, module
assert not hasattr(np, "float_")
"""
    done = run(code)
    assert done.returncode == 0, done.stderr


WITHOUT_OPENCV = """
import sys, numpy as np, corruptions
from corruptions import reference
image = np.random.default_rng(0).integers(0, 256, (34, 40, 3), dtype=np.uint8)
for name in corruptions.names("imagenet-c"):
    corruptions.corrupt(image, name)
assert "cv2" not in sys.modules
for name in corruptions.names("imagenet-c"):
    try:
        reference.corrupt(image, name, 3, np.random.RandomState(0))
    except corruptions.MissingDependency as error:
        print(name, error)
"""


def test_without_opencv_every_corruption_runs_and_the_reference_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "cv2.py").write_text(
        'raise ImportError("libGL.so.1: cannot open shared object file: No such file or directory")\n'
    )
    done = run(WITHOUT_OPENCV, path=tmp_path)
    assert done.returncode == 0, done.stderr
    failed = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    assert set(failed) == {name for name in NAMES if reference.needs_opencv(name)}
    assert set(failed) == {"defocus_blur", "snow", "frost", "spatter"}
    assert "needs OpenCV, whose import failed (libGL.so.1: cannot open" in failed["snow"]
    assert "apt-get install libgl1 libglib2.0-0" in failed["snow"]
