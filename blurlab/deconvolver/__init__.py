"""From (y, psf, sigma) to an image: linear filters, Richardson-Lucy, total variation; a bilateral filter over any."""

from __future__ import annotations

from blurlab.deconvolver.base import Deconvolver, Restored
from blurlab.deconvolver.bilateral import Bilateral
from blurlab.deconvolver.implicit_tv import ImplicitTV
from blurlab.deconvolver.laws import check_deconvolver
from blurlab.deconvolver.richardson_lucy import RichardsonLucy
from blurlab.deconvolver.tikhonov import Tikhonov
from blurlab.deconvolver.tv import TV, tv_objective
from blurlab.deconvolver.wiener import Wiener

__all__ = [
    "TV",
    "Bilateral",
    "Deconvolver",
    "ImplicitTV",
    "Restored",
    "RichardsonLucy",
    "Tikhonov",
    "Wiener",
    "check_deconvolver",
    "tv_objective",
]
