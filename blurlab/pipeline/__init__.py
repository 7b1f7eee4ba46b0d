"""Identify the blur, choose a kernel by expected risk, deconvolve."""

from blurlab.pipeline.choice import RiskTable, conformal_halfwidth, credible_classes, most_probable
from blurlab.pipeline.direct import Direct
from blurlab.pipeline.general_regression import GeneralRegression
from blurlab.pipeline.hierarchical import Hierarchical
from blurlab.pipeline.identification import Identification, Identifier, is_identity, untold
from blurlab.pipeline.known import Known
from blurlab.pipeline.lesson import Example, Lesson
from blurlab.pipeline.likelihood import Likelihood
from blurlab.pipeline.pipeline import Deblurred, Pipeline
from blurlab.pipeline.question import Question
from blurlab.pipeline.regression import Regression

__all__ = [
    "Deblurred",
    "Direct",
    "Example",
    "GeneralRegression",
    "Hierarchical",
    "Identification",
    "Identifier",
    "Known",
    "Lesson",
    "Likelihood",
    "Pipeline",
    "Question",
    "Regression",
    "RiskTable",
    "conformal_halfwidth",
    "credible_classes",
    "is_identity",
    "most_probable",
    "untold",
]
