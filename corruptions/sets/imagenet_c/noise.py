"""Noise: the sensor and the transmission change every sample at random."""

from corruptions.kernels.noise import gaussian_noise, impulse_noise, shot_noise, speckle_noise
from corruptions.registry import Corruption, by_severity

__all__ = ["CORRUPTIONS"]

CORRUPTIONS = (
    Corruption(
        name="gaussian_noise",
        group="noise",
        parameters=by_severity(scale=(0.08, 0.12, 0.18, 0.26, 0.38)),
        subsets=("common", "kamann"),
        apply=gaussian_noise,
    ),
    Corruption(
        name="shot_noise",
        group="noise",
        parameters=by_severity(photons=(60, 25, 12, 5, 3)),
        subsets=("common", "kamann"),
        apply=shot_noise,
    ),
    Corruption(
        name="impulse_noise",
        group="noise",
        parameters=by_severity(amount=(0.03, 0.06, 0.09, 0.17, 0.27)),
        subsets=("common", "kamann"),
        apply=impulse_noise,
    ),
    Corruption(
        name="speckle_noise",
        group="noise",
        parameters=by_severity(scale=(0.15, 0.2, 0.35, 0.45, 0.6)),
        subsets=("validation", "kamann"),
        apply=speckle_noise,
    ),
)
