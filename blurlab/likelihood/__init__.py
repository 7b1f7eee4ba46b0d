"""Spectral likelihood of a blur: the estimate that no network is needed for, and the bound that none can beat."""

from blurlab.likelihood.prior import SpectrumPrior, caution, flat, interval_halfwidth, natural, prior_from
from blurlab.likelihood.refine import Fit, Refiner, kind_probability

__all__ = [
    "Fit",
    "Refiner",
    "SpectrumPrior",
    "caution",
    "flat",
    "interval_halfwidth",
    "kind_probability",
    "natural",
    "prior_from",
]
