"""What is added after the blur, and the standard deviation it amounts to."""

from blurlab.noise.base import NoiseModel
from blurlab.noise.captured import Captured
from blurlab.noise.chain import Chain
from blurlab.noise.gaussian import Gaussian, add_gaussian, bsnr_from_sigma, sigma_from_bsnr
from blurlab.noise.jpeg import Jpeg, jpeg
from blurlab.noise.level import effective_sigma, estimate_sigma
from blurlab.noise.none import NoNoise
from blurlab.noise.poisson import Poisson, PoissonGaussian, add_poisson
from blurlab.noise.quantise import Quantise, quantise, quantise_sigma
from blurlab.noise.sensor import Sensor

__all__ = [
    "Captured",
    "Chain",
    "Gaussian",
    "Jpeg",
    "NoNoise",
    "NoiseModel",
    "Poisson",
    "PoissonGaussian",
    "Quantise",
    "Sensor",
    "add_gaussian",
    "add_poisson",
    "bsnr_from_sigma",
    "effective_sigma",
    "estimate_sigma",
    "jpeg",
    "quantise",
    "quantise_sigma",
    "sigma_from_bsnr",
]
