"""Identify the blur, choose a kernel by expected risk, deconvolve."""

from blurlab.pipeline.aberrations import Aberrations
from blurlab.pipeline.blind import Blind
from blurlab.pipeline.choice import RiskTable, conformal_halfwidth, credible_classes, most_probable
from blurlab.pipeline.direct import Direct
from blurlab.pipeline.estimate import BlurEstimate, KindEstimate
from blurlab.pipeline.fitted_part import FittedPart
from blurlab.pipeline.free_kernel import FreeKernel
from blurlab.pipeline.general_regression import GeneralRegression
from blurlab.pipeline.hierarchical import Hierarchical
from blurlab.pipeline.identifier import Identifier
from blurlab.pipeline.known_kernel import KnownKernel
from blurlab.pipeline.likelihood import Likelihood
from blurlab.pipeline.noise_curve import NoiseCurve
from blurlab.pipeline.photograph import Photograph
from blurlab.pipeline.pipeline import Deblurred, Pipeline
from blurlab.pipeline.regression import Regression
from blurlab.pipeline.scorer import Scorer
from blurlab.pipeline.task import Task
from blurlab.pipeline.translated import Translated

__all__ = [
    "Aberrations",
    "Blind",
    "BlurEstimate",
    "Deblurred",
    "Direct",
    "FittedPart",
    "FreeKernel",
    "GeneralRegression",
    "Hierarchical",
    "Identifier",
    "KindEstimate",
    "KnownKernel",
    "Likelihood",
    "NoiseCurve",
    "Photograph",
    "Pipeline",
    "Regression",
    "RiskTable",
    "Scorer",
    "Task",
    "Translated",
    "conformal_halfwidth",
    "credible_classes",
    "most_probable",
]
