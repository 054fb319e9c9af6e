"""What the lens and the sensor of a real camera do (Kamann & Rother, IJCV 2021).

The paper describes these three corruptions but publishes none of their constants; these are ours. We chose
them so that PSNR and SSIM fall evenly over the severities, within the range of the group that each belongs
with; see docs/corruptions.md.
"""

from corruptions.kernels.distortion import geometric_displacement, geometric_distortion
from corruptions.kernels.psf import psf_blur
from corruptions.kernels.sensor import intensity_dependent_noise
from corruptions.registry import Corruption, CorruptionSet, by_severity

__all__ = ["SET"]

SET = CorruptionSet(
    name="kamann-rother-camera",
    version="2",
    citation="Kamann & Rother, IJCV 2021, section 3.2; our constants, because the paper publishes none",
    bare_names=True,
    corruptions=(
        Corruption(
            name="psf_blur",
            group="camera",
            parameters=by_severity(
                defocus=(0.2, 0.3, 0.45, 0.675, 1.0),
                curvature=(0.4, 0.6, 0.9, 1.35, 2.0),
                astigmatism=(0.4, 0.6, 0.9, 1.35, 2.0),
                coma=(0.8, 1.2, 1.8, 2.7, 4.0),
            ),
            subsets=("kamann",),
            apply=psf_blur,
            substitute=True,
        ),
        Corruption(
            name="intensity_dependent_noise",
            group="camera",
            parameters=by_severity(weight=(0.051, 0.074, 0.11, 0.165, 0.262)),
            subsets=("kamann",),
            apply=intensity_dependent_noise,
            substitute=True,
        ),
        Corruption(
            name="geometric_distortion",
            group="camera",
            parameters=by_severity(coefficient=(0.011, 0.02, 0.037, 0.072, 0.173)),
            subsets=("kamann",),
            apply=geometric_distortion,
            displacement=geometric_displacement,
            substitute=True,
        ),
    ),
)
