"""Noise: the sensor and the transmission add a random value to every sample."""

from corruptions.registry import IMAGENET_C, Corruption, by_severity, register

__all__: list[str] = []

register(
    Corruption(
        name="gaussian_noise",
        group="noise",
        parameters=by_severity(scale=(0.08, 0.12, 0.18, 0.26, 0.38)),
        random=True,
        source=IMAGENET_C,
        subsets=("common", "imagenet-c", "kamann"),
    )
)
register(
    Corruption(
        name="shot_noise",
        group="noise",
        parameters=by_severity(photons=(60, 25, 12, 5, 3)),
        random=True,
        source=IMAGENET_C,
        subsets=("common", "imagenet-c", "kamann"),
    )
)
register(
    Corruption(
        name="impulse_noise",
        group="noise",
        parameters=by_severity(amount=(0.03, 0.06, 0.09, 0.17, 0.27)),
        random=True,
        source=IMAGENET_C,
        subsets=("common", "imagenet-c", "kamann"),
    )
)
register(
    Corruption(
        name="speckle_noise",
        group="noise",
        parameters=by_severity(scale=(0.15, 0.2, 0.35, 0.45, 0.6)),
        random=True,
        source=IMAGENET_C,
        subsets=("validation", "imagenet-c", "kamann"),
    )
)
