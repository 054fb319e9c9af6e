"""HRNet keeps its branches' resolutions, whatever the image's size, and exchanges between them."""

import pytest
import torch
from torch.nn import functional

from robseg.models.backbones.hrnet import Module, hrnet


def parameters(name: str) -> int:
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in hrnet(name).parameters())


@pytest.mark.parametrize(
    ("name", "millions"),
    # The parameters of the encoder alone, that is, of the published networks without their heads.
    [("hrnet_w18_small", 3.86), ("hrnet_w18", 9.56), ("hrnet_w48", 65.33), ("hrnet2x_w20", 47.09)],
)
def test_parameters_are_those_of_the_published_networks(name: str, millions: float) -> None:
    assert round(parameters(name) / 1e6, 2) == millions


@pytest.mark.parametrize("size", [(65, 129), (97, 131), (64, 96)])
def test_branches_halve_from_a_quarter_of_the_image(size: tuple[int, int]) -> None:
    backbone = hrnet("hrnet_w18_small").eval()
    with torch.inference_mode():
        maps = backbone(torch.randn(1, 3, *size))
    height, width = size
    for branch, channels in enumerate(backbone.channels):
        divisor = 4 * 2**branch
        assert maps[branch].shape == (1, channels, -(-height // divisor), -(-width // divisor))
    assert backbone.channels == (18, 36, 72, 144)


def test_hrnet2x_has_five_branches_from_half_of_the_image() -> None:
    backbone = hrnet("hrnet2x_w20").eval()
    with torch.inference_mode():
        maps = backbone(torch.randn(1, 3, 32, 64))
    assert [tuple(x.shape[1:]) for x in maps] == [
        (20, 16, 32),
        (40, 8, 16),
        (80, 4, 8),
        (160, 2, 4),
        (320, 1, 2),
    ]


def test_aligned_corners_change_the_maps() -> None:
    torch.manual_seed(0)
    published = hrnet("hrnet_w18_small", align_corners=True).eval()
    native = hrnet("hrnet_w18_small").eval()
    native.load_state_dict(published.state_dict())
    images = torch.randn(1, 3, 64, 96)
    with torch.inference_mode():
        difference = (published(images)[0] - native(images)[0]).abs().max()
    assert difference > 1e-3


def test_the_coarsest_branch_hears_of_the_finest() -> None:
    torch.manual_seed(0)
    backbone = hrnet("hrnet_w18_small").eval()
    with torch.inference_mode():
        whole = backbone(torch.ones(1, 3, 64, 64))
        for parameter in backbone.get_submodule("stage4.1.branches.0").parameters():
            parameter.zero_()
        without = backbone(torch.ones(1, 3, 64, 64))
    assert not torch.equal(whole[3], without[3])


@pytest.mark.parametrize("align_corners", [False, True])
def test_a_coarse_map_is_doubled_before_it_fits_an_odd_size_unless_corners_are_aligned(
    align_corners: bool,
) -> None:
    module = Module((4, 8), blocks=1, align_corners=align_corners)
    coarse = torch.rand(1, 4, 5, 9, generator=torch.Generator().manual_seed(0))
    size = torch.Size([9, 17])
    doubled = functional.interpolate(coarse, (10, 18), mode="bilinear")
    expected = functional.interpolate(
        coarse if align_corners else doubled, size, mode="bilinear", align_corners=align_corners
    )
    torch.testing.assert_close(module._grown(coarse, 1, size), expected)
