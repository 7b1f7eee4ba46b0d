"""Identify the blur, choose a kernel by expected risk, deconvolve."""

from blurlab.pipeline.choice import RiskTable, conformal_halfwidth, credible_classes, most_probable
from blurlab.pipeline.direct import Direct
from blurlab.pipeline.fitted_part import Example, FittedPart
from blurlab.pipeline.general_regression import GeneralRegression
from blurlab.pipeline.hierarchical import Hierarchical
from blurlab.pipeline.identification import Identification, Identifier, is_identity, uninformative
from blurlab.pipeline.known_kernel import KnownKernel
from blurlab.pipeline.likelihood import Likelihood
from blurlab.pipeline.pipeline import Deblurred, Pipeline
from blurlab.pipeline.regression import Regression
from blurlab.pipeline.task import Task

__all__ = [
    "Deblurred",
    "Direct",
    "Example",
    "FittedPart",
    "GeneralRegression",
    "Hierarchical",
    "Identification",
    "Identifier",
    "KnownKernel",
    "Likelihood",
    "Pipeline",
    "Regression",
    "RiskTable",
    "Task",
    "conformal_halfwidth",
    "credible_classes",
    "is_identity",
    "most_probable",
    "uninformative",
]
