"""Kernels of any shape from one blurred image, without a network."""

from blurlab.blind.coarse_to_fine import CoarseToFine, coarse_to_fine
from blurlab.blind.refinement import refined

__all__ = ["CoarseToFine", "coarse_to_fine", "refined"]
