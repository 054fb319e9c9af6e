"""Frost: the reference's own draws give its pixels, and our draws its law."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

import corruptions
from corruptions import reference
from corruptions.kernels import frost
from corruptions.kernels.frost import FrostDraws, _enlarged_size, _photograph, draw_frost
from corruptions.kernels.random import stream


def drawn_by_the_reference(height: int, width: int, rng: np.random.RandomState) -> FrostDraws:
    photograph = rng.randint(5)
    rows, columns = _enlarged_size(_photograph(photograph).shape[:2], height, width)
    return FrostDraws(photograph, rng.randint(0, rows - height), rng.randint(0, columns - width))


@pytest.mark.parametrize("size", [(33, 500), (64, 64), (97, 131), (200, 320), (700, 40), (360, 480)])
def test_the_references_draws_give_its_frost(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("cv2")
    image: NDArray[np.uint8] = np.random.default_rng(1).integers(0, 256, (*size, 3), dtype=np.uint8)
    seen = set()
    for severity in (1, 2, 3, 4, 5):
        draws = drawn_by_the_reference(*size, np.random.RandomState(severity + 10))
        seen.add(draws.photograph)
        monkeypatch.setattr(frost, "draw_frost", lambda *_, draws=draws: draws)
        ours = corruptions.corrupt(image, "frost", severity).astype(int)
        theirs = reference.corrupt(image, "frost", severity, np.random.RandomState(severity + 10))
        assert np.abs(ours - theirs).max() <= 1
        assert (ours != theirs).mean() < 0.001
    assert len(seen) > 2


def test_photographs_and_places_are_equally_likely() -> None:
    height, width = 315, 527  # so that few rows and columns are left to choose from in the small ones
    draws = [draw_frost(height, width, stream("1", 0, "frost", 1, str(key))) for key in range(3000)]
    counts = np.bincount([draw.photograph for draw in draws], minlength=5)
    assert stats.chisquare(counts).pvalue > 0.001
    tops = np.array([draw.top for draw in draws if draw.photograph == 1])
    rows = _enlarged_size(_photograph(1).shape[:2], height, width)[0] - height
    assert stats.chisquare(np.bincount(tops, minlength=rows)).pvalue > 0.001
    assert tops.max() == rows - 1


def test_frost_is_blue_rather_than_red() -> None:
    black = np.zeros((300, 300, 3), np.uint8)
    means = np.mean(
        [corruptions.corrupt(black, "frost", 5, key=str(key)) for key in range(8)], axis=(0, 1, 2)
    )
    assert means[2] > means[0] + 1
