"""Snow: the reference's own draws give its pixels, and no row or column stays without snow."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

import corruptions
from corruptions import reference
from corruptions.kernels import snow
from corruptions.kernels.random import stream

PARAMETERS = corruptions.get("snow").parameters


def scene(height: int, width: int) -> NDArray[np.uint8]:
    rng = np.random.default_rng(6)
    return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


def drawn_by_the_reference(
    height: int, width: int, zoom: float, rng: np.random.RandomState
) -> snow.SnowDraws:
    """It draws for the whole image, and magnifies the middle."""
    noise = rng.normal(size=(height, width)).astype(np.float32)
    rows, columns = (math.ceil(side / zoom) for side in (height, width))
    top, left = (height - rows) // 2, (width - columns) // 2
    middle = noise[top : top + rows, left : left + columns].copy()
    return snow.SnowDraws(middle, rng.uniform(-135, -45))


@pytest.mark.parametrize("size", [(33, 500), (500, 33), (64, 64), (97, 131), (200, 322), (360, 480)])
@pytest.mark.parametrize("severity", [1, 2, 3, 4, 5])
def test_the_references_draws_give_its_snow(
    severity: int, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("cv2")
    image, parameters = scene(*size), PARAMETERS[severity - 1]
    draws = drawn_by_the_reference(*size, parameters["zoom"], np.random.RandomState(severity))
    monkeypatch.setattr(snow, "draw_snow", lambda *_, **__: draws)
    ours = corruptions.corrupt(image, "snow", severity).astype(int)
    theirs = reference.corrupt(image, "snow", severity, np.random.RandomState(severity))
    assert np.abs(ours - theirs).max() <= 1
    assert (ours != theirs).mean() < 0.005


@pytest.mark.parametrize(("side", "severity"), [(320, 5), (720, 1), (768, 1)])
def test_the_last_row_and_column_have_snow_where_the_reference_loses_it(
    side: int, severity: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    black = np.zeros((side, 40, 3), np.uint8)
    parameters = PARAMETERS[severity - 1]
    _, angle = snow.draw_snow(side, 40, stream("1", 0, "snow", severity, ""), zoom=parameters["zoom"])
    blizzard = np.full([math.ceil(length / parameters["zoom"]) for length in (side, 40)], 9, np.float32)
    monkeypatch.setattr(snow, "draw_snow", lambda *_, **__: snow.SnowDraws(blizzard, angle))
    covered = corruptions.corrupt(black, "snow", severity)
    assert (covered == 255).all()


def test_snow_falls_downwards_within_45_degrees_and_no_flake_is_the_same() -> None:
    draws = [snow.draw_snow(64, 80, stream("1", 0, "snow", 1, str(key)), zoom=3) for key in range(200)]
    angles = np.array([draw.angle for draw in draws])
    assert -135 <= angles.min() < -130
    assert -50 < angles.max() < -45
    assert len({draw.noise.tobytes() for draw in draws}) == 200
