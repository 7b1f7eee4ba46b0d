"""Spectral likelihood of a blur: the estimate that no network is needed for, and the bound that none can beat."""

from blurlab.likelihood.content import has_one_direction, second_direction
from blurlab.likelihood.field_posterior import FieldPosterior, FieldRefiner
from blurlab.likelihood.hint import Hint
from blurlab.likelihood.oriented import OrientedRefiner, Posterior
from blurlab.likelihood.prior import (
    Microscopes,
    SpectrumPrior,
    caution,
    detailed,
    flat,
    interval_halfwidth,
    natural,
    prior_from,
)
from blurlab.likelihood.refine import Fit, Refiner, kind_probability
from blurlab.likelihood.sharpness import sharper_than

__all__ = [
    "FieldPosterior",
    "FieldRefiner",
    "Fit",
    "Hint",
    "Microscopes",
    "OrientedRefiner",
    "Posterior",
    "Refiner",
    "SpectrumPrior",
    "caution",
    "detailed",
    "flat",
    "has_one_direction",
    "interval_halfwidth",
    "kind_probability",
    "natural",
    "prior_from",
    "second_direction",
    "sharper_than",
]
