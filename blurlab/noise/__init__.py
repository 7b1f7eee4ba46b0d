"""What is added after the blur, and the standard deviation it amounts to."""

from blurlab.noise.base import NoiseModel
from blurlab.noise.bayer import Bayer
from blurlab.noise.camera import Camera
from blurlab.noise.captured import Captured
from blurlab.noise.chain import Chain
from blurlab.noise.demosaic import Bilinear, Demosaic, Malvar, bilinear, malvar, mosaic
from blurlab.noise.exposure import Exposure
from blurlab.noise.frame import Frame
from blurlab.noise.gaussian import Gaussian, add_gaussian, bsnr_from_sigma, sigma_from_bsnr
from blurlab.noise.jpeg import Jpeg, jpeg
from blurlab.noise.level import effective_sigma, estimate_sigma
from blurlab.noise.none import NoNoise
from blurlab.noise.poisson import Poisson, PoissonGaussian, add_poisson
from blurlab.noise.quantise import Quantise, quantise, quantise_sigma
from blurlab.noise.rendering import Rendering
from blurlab.noise.response import Encode, Power, Response, Srgb, light_to_srgb, srgb_to_light
from blurlab.noise.sensor import Sensor
from blurlab.noise.sharpen import Sharpen, unsharp_mask
from blurlab.noise.speckle import Speckle
from blurlab.noise.stamp import Stamp, stamp
from blurlab.noise.tone import SCurve, s_curve

__all__ = [
    "Bayer",
    "Bilinear",
    "Camera",
    "Captured",
    "Chain",
    "Demosaic",
    "Encode",
    "Exposure",
    "Frame",
    "Gaussian",
    "Jpeg",
    "Malvar",
    "NoNoise",
    "NoiseModel",
    "Poisson",
    "PoissonGaussian",
    "Power",
    "Quantise",
    "Rendering",
    "Response",
    "SCurve",
    "Sensor",
    "Sharpen",
    "Speckle",
    "Srgb",
    "Stamp",
    "add_gaussian",
    "add_poisson",
    "bilinear",
    "bsnr_from_sigma",
    "effective_sigma",
    "estimate_sigma",
    "jpeg",
    "light_to_srgb",
    "malvar",
    "mosaic",
    "quantise",
    "quantise_sigma",
    "s_curve",
    "sigma_from_bsnr",
    "srgb_to_light",
    "stamp",
    "unsharp_mask",
]
