"""Digital: the camera's or the computer's processing changes the picture."""

from corruptions.kernels.colour import brightness, contrast, saturate
from corruptions.kernels.elastic import elastic_displacement, elastic_transform
from corruptions.kernels.jpeg import jpeg_compression
from corruptions.kernels.pixelate import pixelate
from corruptions.registry import IMAGENET_C, Corruption, by_severity, register

__all__: list[str] = []

register(
    Corruption(
        name="brightness",
        group="digital",
        parameters=by_severity(value_shift=(0.1, 0.2, 0.3, 0.4, 0.5)),
        random=False,
        source=IMAGENET_C,
        subsets=("common", "imagenet-c", "kamann"),
        apply=brightness,
    )
)
register(
    Corruption(
        name="contrast",
        group="digital",
        parameters=by_severity(factor=(0.4, 0.3, 0.2, 0.1, 0.05)),
        random=False,
        source=IMAGENET_C,
        subsets=("common", "imagenet-c", "kamann"),
        apply=contrast,
    )
)
register(
    Corruption(
        name="saturate",
        group="digital",
        parameters=by_severity(factor=(0.3, 0.1, 2, 5, 20), offset=(0, 0, 0, 0.1, 0.2)),
        random=False,
        source=IMAGENET_C,
        subsets=("validation", "imagenet-c", "kamann"),
        apply=saturate,
    )
)
register(
    Corruption(
        name="elastic_transform",
        group="digital",
        parameters=by_severity(
            gain=(250 * 0.05, 250 * 0.065, 250 * 0.085, 250 * 0.1, 250 * 0.12),
            sigma=(0.01,) * 5,  # of the height, and of the width
            amplitude=(0.005,) * 5,  # of the height, along both axes
        ),
        random=True,
        source=IMAGENET_C,
        subsets=("common", "imagenet-c"),
        apply=elastic_transform,
        displacement=elastic_displacement,
    )
)
register(
    Corruption(
        name="pixelate",
        group="digital",
        parameters=by_severity(size=(0.6, 0.5, 0.4, 0.3, 0.25)),
        random=False,
        source=IMAGENET_C,
        subsets=("common", "imagenet-c"),
        apply=pixelate,
    )
)
register(
    Corruption(
        name="jpeg_compression",
        group="digital",
        parameters=by_severity(quality=(25, 18, 15, 10, 7)),
        random=False,
        source=IMAGENET_C,
        subsets=("common", "imagenet-c", "kamann"),
        apply=jpeg_compression,
    )
)
