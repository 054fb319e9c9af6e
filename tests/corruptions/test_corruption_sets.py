"""A further set is one declaration, with its own names, its own version and any number of severities."""

import numpy as np
import pytest
from numpy.typing import NDArray

import corruptions
from corruptions import registry
from corruptions.kernels.colour import brightness
from corruptions.kernels.noise import gaussian_noise
from corruptions.registry import Corruption, CorruptionSet, by_severity, register

IMAGE = np.random.default_rng(0).integers(0, 256, (36, 44, 3), dtype=np.uint8)


def haze(version: str = "1", name: str = "_haze") -> CorruptionSet:
    """Two corruptions of three severities, one named as in ImageNet-C; no real set has these underscores."""
    return CorruptionSet(
        name=name,
        version=version,
        citation="Nobody, 2026",
        corruptions=(
            Corruption("fog", "weather", by_severity(value_shift=(0.1, 0.2, 0.3)), apply=brightness),
            Corruption(
                "_grain", "noise", by_severity(scale=(0.1, 0.2, 0.3)), apply=gaussian_noise, subsets=("airy",)
            ),
        ),
    )


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    for known in ("_records", "_sets"):
        monkeypatch.setattr(registry, known, dict(getattr(registry, known)))
    register(haze())


@pytest.mark.usefixtures("registered")
def test_a_further_set_has_qualified_names_and_renames_no_other() -> None:
    assert corruptions.names("_haze") == ("_haze/_grain", "_haze/fog")
    assert corruptions.names("airy") == ("_haze/_grain",)
    assert corruptions.names("imagenet-c/fog") == ("fog",)
    before = (*corruptions.names("imagenet-c"), *corruptions.names("kamann-rother-camera"))
    assert tuple(name for name in corruptions.names() if "/" not in name) == before
    assert corruptions.names("weather")[:4] == ("snow", "frost", "fog", "spatter")
    assert corruptions.names("weather")[-1] == "_haze/fog"
    assert len(corruptions.names("imagenet-c")) == 19


@pytest.mark.usefixtures("registered")
def test_a_record_knows_its_set() -> None:
    record = corruptions.get("_haze/_grain")
    assert (record.set_name, record.set_version, record.source) == ("_haze", "1", "Nobody, 2026")
    assert (record.full_name, record.short_name) == ("_haze/_grain", "_grain")
    assert corruptions.get("fog").full_name == "imagenet-c/fog"
    assert corruptions.get("psf_blur").set_name == "kamann-rother-camera"


@pytest.mark.usefixtures("registered")
def test_a_name_may_leave_out_its_set_while_that_is_unambiguous() -> None:
    assert corruptions.get("_grain") is corruptions.get("_haze/_grain")
    assert corruptions.names("_grain") == ("_haze/_grain",)
    short, full = (corruptions.corrupt(IMAGE, name, key="k") for name in ("_grain", "_haze/_grain"))
    assert (short == full).all()
    short, full = (corruptions.corrupt(IMAGE, name, key="k") for name in ("frost", "imagenet-c/frost"))
    assert (short == full).all()


@pytest.mark.usefixtures("registered")
def test_a_short_name_of_two_sets_is_refused() -> None:
    register(haze(name="_mist"))
    message = "Expected one corruption, but '_grain' is short for _haze/_grain and _mist/_grain: use one of"
    for find in (corruptions.get, corruptions.names):
        with pytest.raises(ValueError, match=message):
            find("_grain")


@pytest.mark.usefixtures("registered")
def test_the_name_in_results_always_finds_its_corruption() -> None:
    assert "fog" in corruptions.names()
    assert "_haze/fog" in corruptions.names()
    for name in corruptions.names():
        assert corruptions.get(name).name == name
        assert corruptions.names(name) == (name,)
        assert corruptions.get(corruptions.get(name).full_name).name == name


@pytest.mark.usefixtures("registered")
def test_a_set_may_have_other_than_five_severities() -> None:
    assert corruptions.get("_grain").severities == (1, 2, 3)
    assert len(list(corruptions.sweep(IMAGE, "_grain"))) == 3
    with pytest.raises(ValueError, match="from 1 to 3, but got 4: choose a severity of _haze/_grain"):
        corruptions.corrupt(IMAGE, "_grain", 4)


def corrupted(version: str, name: str) -> NDArray[np.uint8]:
    registry._sets.pop("_haze", None)
    for known in ("_haze/fog", "_haze/_grain"):
        registry._records.pop(known, None)
    register(haze(version))
    return corruptions.corrupt(IMAGE, name, seed=1, key="k")


@pytest.mark.usefixtures("registered")
def test_a_new_version_of_a_set_draws_again_and_leaves_other_sets_alone() -> None:
    assert (corrupted("1", "_haze/_grain") != corrupted("2", "_haze/_grain")).any()
    assert (corrupted("1", "gaussian_noise") == corrupted("2", "gaussian_noise")).all()


@pytest.mark.usefixtures("registered")
def test_the_version_of_all_sets_changes_with_that_of_one_but_not_with_a_new_set() -> None:
    assert registry.set_version() == corruptions.SET_VERSION
    corrupted("2", "_haze/fog")
    assert registry.set_version() == f"_haze 2, {corruptions.SET_VERSION}"


def test_sets_are_found_in_their_folder() -> None:
    assert {"imagenet-c", "kamann-rother-camera"} <= set(corruptions.SETS)
    assert sum(len(known.corruptions) for known in corruptions.SETS.values()) == len(corruptions.names())
