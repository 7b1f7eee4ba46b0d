"""From (y, psf, sigma) to an image: linear filters, variational, statistical and learned deconvolvers, one contract."""

from __future__ import annotations

from blurlab.deconvolver.base import SIGMA_FLOOR, Deconvolver, Restored
from blurlab.deconvolver.bilateral import Bilateral
from blurlab.deconvolver.douglas_rachford import Denoised, DouglasRachford, TotalVariationProx
from blurlab.deconvolver.epll import EPLL
from blurlab.deconvolver.hyper_laplacian import HyperLaplacian
from blurlab.deconvolver.implicit_tv import ImplicitTV
from blurlab.deconvolver.in_light import InLight, by_tiles
from blurlab.deconvolver.laws import check_deconvolver
from blurlab.deconvolver.learned import Learned, load_weights
from blurlab.deconvolver.light_tv import LightTV
from blurlab.deconvolver.richardson_lucy import RichardsonLucy
from blurlab.deconvolver.saturated import Saturated
from blurlab.deconvolver.tikhonov import Tikhonov
from blurlab.deconvolver.tiled import Tiled
from blurlab.deconvolver.tv import TV
from blurlab.deconvolver.unet import UNet
from blurlab.deconvolver.unrolled_dr import UnrolledDR
from blurlab.deconvolver.variation import tv_objective
from blurlab.deconvolver.weight import Discrepancy, Fixed, FromGradient, Sure, WeightRule
from blurlab.deconvolver.wiener import Wiener
from blurlab.deconvolver.wiener_stack import WienerStack

__all__ = [
    "EPLL",
    "SIGMA_FLOOR",
    "TV",
    "Bilateral",
    "Deconvolver",
    "Denoised",
    "Discrepancy",
    "DouglasRachford",
    "Fixed",
    "FromGradient",
    "HyperLaplacian",
    "ImplicitTV",
    "InLight",
    "Learned",
    "LightTV",
    "Restored",
    "RichardsonLucy",
    "Saturated",
    "Sure",
    "Tikhonov",
    "Tiled",
    "TotalVariationProx",
    "UNet",
    "UnrolledDR",
    "WeightRule",
    "Wiener",
    "WienerStack",
    "by_tiles",
    "check_deconvolver",
    "load_weights",
    "tv_objective",
]
