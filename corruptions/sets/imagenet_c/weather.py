"""Weather: something in the air or on the lens covers the scene."""

from corruptions.kernels.fog import fog
from corruptions.kernels.frost import frost
from corruptions.kernels.snow import snow
from corruptions.kernels.spatter import spatter
from corruptions.registry import Corruption, by_severity

__all__ = ["CORRUPTIONS"]

CORRUPTIONS = (
    Corruption(
        name="snow",
        group="weather",
        parameters=by_severity(
            mean=(0.1, 0.2, 0.55, 0.55, 0.55),
            scale=(0.3, 0.3, 0.3, 0.3, 0.3),
            zoom=(3, 2, 4, 4.5, 2.5),
            threshold=(0.5, 0.5, 0.9, 0.85, 0.85),
            radius=(10, 12, 12, 12, 12),
            sigma=(4, 4, 8, 8, 12),
            image_weight=(0.8, 0.7, 0.7, 0.65, 0.55),
        ),
        subsets=("common", "kamann"),
        apply=snow,
    ),
    Corruption(
        name="frost",
        group="weather",
        parameters=by_severity(
            image_weight=(1, 0.8, 0.7, 0.65, 0.6), frost_weight=(0.4, 0.6, 0.7, 0.7, 0.75)
        ),
        subsets=("common", "kamann"),
        apply=frost,
    ),
    Corruption(
        name="fog",
        group="weather",
        parameters=by_severity(strength=(1.5, 2, 2.5, 2.5, 3), decay=(2, 2, 1.7, 1.5, 1.4)),
        subsets=("common", "kamann"),
        apply=fog,
    ),
    Corruption(
        name="spatter",
        group="weather",
        parameters=by_severity(
            mean=(0.65, 0.65, 0.65, 0.65, 0.67),
            scale=(0.3, 0.3, 0.3, 0.3, 0.4),
            sigma=(4, 3, 2, 1, 1),
            threshold=(0.69, 0.68, 0.68, 0.65, 0.65),
            strength=(0.6, 0.6, 0.5, 1.5, 1.5),  # of the water; for mud the sigma that rounds its drops
            mud=(0, 0, 0, 1, 1),
        ),
        subsets=("validation", "kamann"),
        apply=spatter,
    ),
)
