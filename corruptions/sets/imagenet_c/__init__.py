"""ImageNet-C: 15 common corruptions and 4 for validation, with the constants of imagecorruptions 1.1.2."""

from corruptions.registry import CorruptionSet
from corruptions.sets.imagenet_c import blur, digital, noise, weather

__all__ = ["SET"]

SET = CorruptionSet(
    name="imagenet-c",
    version="1",
    citation="Hendrycks & Dietterich, ICLR 2019 (ImageNet-C); constants of imagecorruptions 1.1.2",
    corruptions=(*noise.CORRUPTIONS, *blur.CORRUPTIONS, *weather.CORRUPTIONS, *digital.CORRUPTIONS),
    bare_names=True,
)
