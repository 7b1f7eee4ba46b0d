"""From (y, psf, sigma) to an image: Wiener, total variation, implicitly constrained total variation."""

from __future__ import annotations

from blurlab.deconvolver.base import Deconvolver, Restored
from blurlab.deconvolver.implicit_tv import ImplicitTV
from blurlab.deconvolver.laws import check_deconvolver
from blurlab.deconvolver.tv import TV, tv_objective
from blurlab.deconvolver.weight import Discrepancy, Fixed, FromGradient, Sure, WeightRule
from blurlab.deconvolver.wiener import Wiener

__all__ = [
    "TV",
    "Deconvolver",
    "Discrepancy",
    "Fixed",
    "FromGradient",
    "ImplicitTV",
    "Restored",
    "Sure",
    "WeightRule",
    "Wiener",
    "check_deconvolver",
    "tv_objective",
]
