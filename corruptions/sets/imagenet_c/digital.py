"""Digital: the processing in the camera or the computer changes the picture."""

from corruptions.kernels.colour import brightness, contrast, saturate
from corruptions.kernels.elastic import elastic_displacement, elastic_transform
from corruptions.kernels.jpeg import jpeg_compression
from corruptions.kernels.pixelate import pixelate
from corruptions.registry import Corruption, by_severity

__all__ = ["CORRUPTIONS"]

CORRUPTIONS = (
    Corruption(
        name="brightness",
        group="digital",
        parameters=by_severity(value_shift=(0.1, 0.2, 0.3, 0.4, 0.5)),
        subsets=("common", "kamann"),
        apply=brightness,
    ),
    Corruption(
        name="contrast",
        group="digital",
        parameters=by_severity(factor=(0.4, 0.3, 0.2, 0.1, 0.05)),
        subsets=("common", "kamann"),
        apply=contrast,
    ),
    Corruption(
        name="saturate",
        group="digital",
        parameters=by_severity(factor=(0.3, 0.1, 2, 5, 20), offset=(0, 0, 0, 0.1, 0.2)),
        subsets=("validation", "kamann"),
        apply=saturate,
    ),
    Corruption(
        name="elastic_transform",
        group="digital",
        parameters=by_severity(
            gain=(250 * 0.05, 250 * 0.065, 250 * 0.085, 250 * 0.1, 250 * 0.12),
            sigma=(0.01,) * 5,  # of the height, and of the width
            amplitude=(0.005,) * 5,  # of the height, along both axes
        ),
        subsets=("common",),
        apply=elastic_transform,
        displacement=elastic_displacement,
    ),
    Corruption(
        name="pixelate",
        group="digital",
        parameters=by_severity(size=(0.6, 0.5, 0.4, 0.3, 0.25)),
        subsets=("common",),
        apply=pixelate,
    ),
    Corruption(
        name="jpeg_compression",
        group="digital",
        parameters=by_severity(quality=(25, 18, 15, 10, 7)),
        subsets=("common", "kamann"),
        apply=jpeg_compression,
    ),
)
