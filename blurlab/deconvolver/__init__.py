"""From (y, psf, sigma) to an image: Wiener, total variation, implicitly constrained TV, patch likelihood."""

from __future__ import annotations

from blurlab.deconvolver.base import Deconvolver, Restored
from blurlab.deconvolver.epll import EPLL
from blurlab.deconvolver.implicit_tv import ImplicitTV
from blurlab.deconvolver.laws import check_deconvolver
from blurlab.deconvolver.tv import TV, tv_objective
from blurlab.deconvolver.wiener import Wiener

__all__ = [
    "EPLL",
    "TV",
    "Deconvolver",
    "ImplicitTV",
    "Restored",
    "Wiener",
    "check_deconvolver",
    "tv_objective",
]
