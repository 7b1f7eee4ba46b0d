"""Point-spread functions: a pure function for each, and families that sample labelled kernels."""

from blurlab.blur.base import Blur, BlurFamily
from blurlab.blur.box import Box, box_psf
from blurlab.blur.defocus import Defocus, disk_psf
from blurlab.blur.fspecial import (
    FspecialDisk,
    FspecialMotion,
    fspecial_disk,
    fspecial_motion,
    fspecial_motion_psf,
)
from blurlab.blur.gaussian import AnisotropicGaussian, Gaussian, anisotropic_gaussian_psf, gaussian_psf
from blurlab.blur.laws import check_family
from blurlab.blur.mixture import Mixture
from blurlab.blur.motion import Motion, motion_psf
from blurlab.blur.none import NoBlur, identity_psf
from blurlab.blur.recorded import Recorded, recorded_kernels
from blurlab.blur.shape import centre_crop, centroid, pad_to_odd
from blurlab.blur.taps import Taps, taps_psf
from blurlab.blur.trajectory import Trajectory, camera_path, trajectory_psf

__all__ = [
    "AnisotropicGaussian",
    "Blur",
    "BlurFamily",
    "Box",
    "Defocus",
    "FspecialDisk",
    "FspecialMotion",
    "Gaussian",
    "Mixture",
    "Motion",
    "NoBlur",
    "Recorded",
    "Taps",
    "Trajectory",
    "anisotropic_gaussian_psf",
    "box_psf",
    "camera_path",
    "centre_crop",
    "centroid",
    "check_family",
    "disk_psf",
    "fspecial_disk",
    "fspecial_motion",
    "fspecial_motion_psf",
    "gaussian_psf",
    "identity_psf",
    "motion_psf",
    "pad_to_odd",
    "recorded_kernels",
    "taps_psf",
    "trajectory_psf",
]
