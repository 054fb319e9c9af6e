"""Blur: light from one point of the scene spreads over several pixels."""

from corruptions.registry import IMAGENET_C, Corruption, by_severity, register

__all__: list[str] = []

register(
    Corruption(
        name="defocus_blur",
        group="blur",
        parameters=by_severity(radius=(3, 4, 6, 8, 10), alias_blur=(0.1, 0.5, 0.5, 0.5, 0.5)),
        random=False,
        source=IMAGENET_C,
        subsets=("common", "imagenet-c", "kamann"),
    )
)
register(
    Corruption(
        name="glass_blur",
        group="blur",
        parameters=by_severity(
            sigma=(0.7, 0.9, 1, 1.1, 1.5), max_delta=(1, 2, 2, 3, 4), iterations=(2, 1, 3, 2, 2)
        ),
        random=True,
        source=IMAGENET_C,
        subsets=("common", "imagenet-c", "kamann"),
    )
)
register(
    Corruption(
        name="motion_blur",
        group="blur",
        parameters=by_severity(radius=(10, 15, 15, 15, 20), sigma=(3, 5, 8, 12, 15)),
        random=True,
        source=IMAGENET_C,
        subsets=("common", "imagenet-c", "kamann"),
    )
)
register(
    Corruption(
        name="zoom_blur",
        group="blur",
        parameters=by_severity(stop=(1.11, 1.16, 1.21, 1.26, 1.31), step=(0.01, 0.01, 0.02, 0.02, 0.03)),
        random=False,
        source=IMAGENET_C,
        subsets=("common", "imagenet-c"),
    )
)
register(
    Corruption(
        name="gaussian_blur",
        group="blur",
        parameters=by_severity(sigma=(1, 2, 3, 4, 6)),
        random=False,
        source=IMAGENET_C,
        subsets=("validation", "imagenet-c", "kamann"),
    )
)
