"""Point-spread functions: a pure function for each, and families that sample labelled kernels."""

from blurlab.blur.base import Blur, BlurFamily, check_params
from blurlab.blur.box import Box, box_psf
from blurlab.blur.defocus import Defocus, disk_psf
from blurlab.blur.field import Field
from blurlab.blur.fspecial import (
    FspecialDisk,
    FspecialMotion,
    fspecial_disk,
    fspecial_motion,
    fspecial_motion_psf,
)
from blurlab.blur.gaussian import AnisotropicGaussian, Gaussian, anisotropic_gaussian_psf, gaussian_psf
from blurlab.blur.gaussian_correlated import CorrelatedGaussian, correlated_gaussian_psf
from blurlab.blur.gp_trajectory import GPTrajectory, gp_path, gp_trajectory_psf
from blurlab.blur.laws import check_family
from blurlab.blur.mixture import Mixture
from blurlab.blur.motion import Motion, motion_psf
from blurlab.blur.none import NoBlur, identity_psf
from blurlab.blur.odd_shake import OddShake, odd_shake_psf
from blurlab.blur.operator_hull import OperatorHull, operator_hull
from blurlab.blur.parameter import Parameter, length, line_angle, parameter
from blurlab.blur.pupil import Optics
from blurlab.blur.recorded import Recorded, matlab_kernels, recorded_kernels
from blurlab.blur.shape import centre_crop, centroid, deviation_px, of_side, pad_to_odd, pixel_grid, trimmed
from blurlab.blur.spread_out import farthest_points, onto_simplex, spread_shares
from blurlab.blur.strength import OneParameterStrength, StrengthFamily, strength_of
from blurlab.blur.taps import Taps, taps_psf
from blurlab.blur.trajectory import Trajectory, camera_path, trajectory_psf
from blurlab.blur.values import as_psf, check_values, work_tensor
from blurlab.blur.zernike import Zernike, zernike_psf, zernike_stack
from blurlab.blur.zernike_field import ZernikeField, field_places
from blurlab.blur.zernike_polynomial import zernike_polynomial

__all__ = [
    "AnisotropicGaussian",
    "Blur",
    "BlurFamily",
    "Box",
    "CorrelatedGaussian",
    "Defocus",
    "Field",
    "FspecialDisk",
    "FspecialMotion",
    "GPTrajectory",
    "Gaussian",
    "Mixture",
    "Motion",
    "NoBlur",
    "OddShake",
    "OneParameterStrength",
    "OperatorHull",
    "Optics",
    "Parameter",
    "Recorded",
    "StrengthFamily",
    "Taps",
    "Trajectory",
    "Zernike",
    "ZernikeField",
    "anisotropic_gaussian_psf",
    "as_psf",
    "box_psf",
    "camera_path",
    "centre_crop",
    "centroid",
    "check_family",
    "check_params",
    "check_values",
    "correlated_gaussian_psf",
    "deviation_px",
    "disk_psf",
    "farthest_points",
    "field_places",
    "fspecial_disk",
    "fspecial_motion",
    "fspecial_motion_psf",
    "gaussian_psf",
    "gp_path",
    "gp_trajectory_psf",
    "identity_psf",
    "length",
    "line_angle",
    "matlab_kernels",
    "motion_psf",
    "odd_shake_psf",
    "of_side",
    "onto_simplex",
    "operator_hull",
    "pad_to_odd",
    "parameter",
    "pixel_grid",
    "recorded_kernels",
    "spread_shares",
    "strength_of",
    "taps_psf",
    "trajectory_psf",
    "trimmed",
    "work_tensor",
    "zernike_polynomial",
    "zernike_psf",
    "zernike_stack",
]
