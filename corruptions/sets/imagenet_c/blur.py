"""Blur: light from one point of the scene spreads over several pixels."""

from corruptions.kernels.defocus import defocus_blur
from corruptions.kernels.gaussian import gaussian_blur
from corruptions.kernels.glass import glass_blur
from corruptions.kernels.motion import motion_blur
from corruptions.kernels.zoom import zoom_blur, zoom_blurs
from corruptions.registry import Corruption, by_severity

__all__ = ["CORRUPTIONS"]

CORRUPTIONS = (
    Corruption(
        name="defocus_blur",
        group="blur",
        parameters=by_severity(radius=(3, 4, 6, 8, 10), alias_blur=(0.1, 0.5, 0.5, 0.5, 0.5)),
        subsets=("common", "kamann"),
        apply=defocus_blur,
    ),
    Corruption(
        name="glass_blur",
        group="blur",
        parameters=by_severity(
            sigma=(0.7, 0.9, 1, 1.1, 1.5), max_delta=(1, 2, 2, 3, 4), iterations=(2, 1, 3, 2, 2)
        ),
        subsets=("common", "kamann"),
        apply=glass_blur,
    ),
    Corruption(
        name="motion_blur",
        group="blur",
        parameters=by_severity(radius=(10, 15, 15, 15, 20), sigma=(3, 5, 8, 12, 15)),
        subsets=("common", "kamann"),
        apply=motion_blur,
    ),
    Corruption(
        name="zoom_blur",
        group="blur",
        parameters=by_severity(stop=(1.11, 1.16, 1.21, 1.26, 1.31), step=(0.01, 0.01, 0.02, 0.02, 0.03)),
        subsets=("common",),
        apply=zoom_blur,
        apply_all=zoom_blurs,
    ),
    Corruption(
        name="gaussian_blur",
        group="blur",
        parameters=by_severity(sigma=(1, 2, 3, 4, 6)),
        subsets=("validation", "kamann"),
        apply=gaussian_blur,
    ),
)
