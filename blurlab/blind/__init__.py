"""Kernels of any shape from one blurred image, without a network."""

from blurlab.blind.blind_kernel import Run, blind_kernel
from blurlab.blind.camera_motion import CameraMotion
from blurlab.blind.coarse_to_fine import CoarseToFine, coarse_to_fine
from blurlab.blind.explanation import Explanation
from blurlab.blind.family_fit import family_fit
from blurlab.blind.free_form import FreeForm, FreeKernelFound
from blurlab.blind.judge import best_kernel, normalised_sparsity
from blurlab.blind.refinement import refined
from blurlab.blind.varying import VaryingShake

__all__ = [
    "CameraMotion",
    "CoarseToFine",
    "Explanation",
    "FreeForm",
    "FreeKernelFound",
    "Run",
    "VaryingShake",
    "best_kernel",
    "blind_kernel",
    "coarse_to_fine",
    "family_fit",
    "normalised_sparsity",
    "refined",
]
