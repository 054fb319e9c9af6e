"""The names, groups and subsets of the corruptions, and their records."""

import numpy as np
import pytest

import corruptions
from corruptions.registry import Corruption, CorruptionSet, by_severity, register


def test_subsets_have_the_published_sizes() -> None:
    published = {"common": 15, "validation": 4, "imagenet-c": 19, "kamann": 19, "kamann-rother-camera": 3}
    assert {subset: len(corruptions.names(subset)) for subset in published} == published
    assert {*published, "all"} <= set(corruptions.SUBSETS)


def test_common_and_validation_share_imagenet_c_out() -> None:
    common, validation = set(corruptions.names("common")), set(corruptions.names("validation"))
    assert validation == {"speckle_noise", "gaussian_blur", "spatter", "saturate"}
    assert not common & validation
    assert common | validation == set(corruptions.names("imagenet-c"))


def test_kamann_and_rother_left_three_out() -> None:
    left_out = set(corruptions.names("imagenet-c")) - set(corruptions.names("kamann"))
    assert left_out == {"zoom_blur", "elastic_transform", "pixelate"}


def test_groups_follow_each_other_and_make_up_all() -> None:
    by_group = [name for group in corruptions.GROUPS for name in corruptions.names(group)]
    assert tuple(by_group) == corruptions.names() == corruptions.names("all")
    noise = ("gaussian_noise", "shot_noise", "impulse_noise", "speckle_noise")
    camera = ("psf_blur", "intensity_dependent_noise", "geometric_distortion")
    assert corruptions.names("noise")[:4] == noise
    assert corruptions.names("camera")[:3] == corruptions.names("kamann-rother-camera") == camera
    assert corruptions.get("brightness").group == "digital"


def test_one_name_or_none_is_a_selection() -> None:
    assert corruptions.names("fog") == ("fog",)
    assert corruptions.names("none") == ()


@pytest.mark.parametrize(("typed", "meant"), [("gausian_noise", "gaussian_noise"), ("wether", "weather")])
def test_a_misspelt_selection_suggests_the_nearest(typed: str, meant: str) -> None:
    with pytest.raises(ValueError, match=f"Unknown corruption, group, set or subset '{typed}'.*'{meant}'"):
        corruptions.names(typed)


def test_a_misspelt_corruption_suggests_the_nearest() -> None:
    with pytest.raises(ValueError, match="Unknown corruption 'motion_blurr': did you mean 'motion_blur'"):
        corruptions.get("motion_blurr")
    with pytest.raises(ValueError, match="Unknown corruption 'xyzzy': known are gaussian_noise, "):
        corruptions.get("xyzzy")
    with pytest.raises(ValueError, match="Expected `name` to be a str, but got int"):
        corruptions.get(3)  # type: ignore[arg-type]


def test_a_group_is_not_a_corruption() -> None:
    with pytest.raises(ValueError, match="Unknown corruption 'noise'"):
        corruptions.get("noise")


@pytest.mark.parametrize("name", ["imagenet-c", "common", "fog", "weather", "all", "none"])
def test_a_set_with_a_name_that_is_taken_is_refused(name: str) -> None:
    with pytest.raises(
        ValueError, match=f"Expected a new name for the set '{name}', but it is already taken"
    ):
        register(CorruptionSet(name, version="1", citation="", corruptions=()))


def test_a_second_corruption_of_the_same_name_is_refused() -> None:
    fog = Corruption("fog", "weather", (), apply=np.copy)
    with pytest.raises(ValueError, match="Expected a new name for the corruption 'fog'"):
        register(CorruptionSet("more", version="1", citation="", corruptions=(fog,), bare_names=True))
    with pytest.raises(ValueError, match="'more/fog' is in the set 'more' twice"):
        register(CorruptionSet("more", version="1", citation="", corruptions=(fog, fog)))


def test_a_corruption_with_the_name_of_its_set_is_refused() -> None:
    smog = Corruption("smog", "weather", (), apply=np.copy)
    with pytest.raises(ValueError, match="Expected the set 'smog' to have another name than its corruptions"):
        register(CorruptionSet("smog", version="1", citation="", corruptions=(smog,), bare_names=True))


def test_a_group_that_does_not_exist_is_refused() -> None:
    smog = Corruption("smog", "air", (), apply=np.copy)
    with pytest.raises(ValueError, match=r"Expected the group of 'more/smog' to be one of noise, .*'air'"):
        register(CorruptionSet("more", version="1", citation="", corruptions=(smog,)))


def test_parameters_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        corruptions.get("fog").parameters[0]["strength"] = 0  # type: ignore[index]
    with pytest.raises(AttributeError):
        corruptions.get("fog").name = "smog"  # type: ignore[misc]


def test_columns_of_unequal_length_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        by_severity(a=(1, 2), b=(1,))


def test_elastic_transform_and_geometric_distortion_move_pixels() -> None:
    known = (*corruptions.names("imagenet-c"), *corruptions.names("kamann-rother-camera"))
    assert [name for name in known if corruptions.get(name).moves_pixels] == [
        "elastic_transform",
        "geometric_distortion",
    ]
