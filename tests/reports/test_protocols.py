import pytest

from reports.scoring.protocols import PROTOCOLS, conditions

SIZES = {
    "kamann-rother": (19, 5 * 3 + 14 * 5),
    "segformer": (16, 4 * 3 + 12 * 5),
    "imagenet-c": (15, 75),
    "mpc": (15, 75),
    "level5": (16, 16),
}


def test_protocols_are_the_six_of_the_design() -> None:
    assert set(PROTOCOLS) == {*SIZES, "full"}


@pytest.mark.parametrize("name", SIZES)
def test_a_protocol_has_its_published_number_of_corruptions_and_conditions(name: str) -> None:
    protocol = PROTOCOLS[name]
    assert protocol.name == name
    assert (len(set(protocol.corruptions)), len(set(conditions(protocol)))) == SIZES[name]


def test_noise_counts_at_mild_severities_only_in_kamann_and_rothers_protocol() -> None:
    for protocol in (PROTOCOLS["kamann-rother"], PROTOCOLS["segformer"]):
        for corruption, severities in protocol.severities.items():
            noise = corruption in {
                "gaussian_noise", "shot_noise", "impulse_noise", "speckle_noise", "intensity_dependent_noise",
            }  # fmt: skip
            assert severities == ((1, 2, 3) if noise else (1, 2, 3, 4, 5))


def test_kamann_and_rother_leave_out_three_of_the_common_corruptions() -> None:
    left_out = {"zoom_blur", "elastic_transform", "pixelate"}
    assert left_out == set(PROTOCOLS["imagenet-c"].corruptions) - set(PROTOCOLS["segformer"].corruptions)


def test_a_protocol_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        PROTOCOLS["mpc"].severities["fog"] = (1,)  # type: ignore[index]
