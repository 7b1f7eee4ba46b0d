"""Identify the blur, choose a kernel by expected risk, deconvolve."""

from blurlab.pipeline.choice import RiskTable, conformal_halfwidth, credible_classes, most_probable
from blurlab.pipeline.direct import Direct
from blurlab.pipeline.hierarchical import Hierarchical
from blurlab.pipeline.identification import Identification, Identifier, is_identity
from blurlab.pipeline.likelihood import Likelihood, Refined
from blurlab.pipeline.pipeline import Deblurred, Pipeline
from blurlab.pipeline.question import Question

__all__ = [
    "Deblurred",
    "Direct",
    "Hierarchical",
    "Identification",
    "Identifier",
    "Likelihood",
    "Pipeline",
    "Question",
    "Refined",
    "RiskTable",
    "conformal_halfwidth",
    "credible_classes",
    "is_identity",
    "most_probable",
]
