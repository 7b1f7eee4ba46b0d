"""Networks that say what the blur is: images in, logits out; nets only, no training."""

from blurlab.head.aberration_target import AberrationTarget
from blurlab.head.blur_target import BlurTarget, Readout
from blurlab.head.compact import Compact
from blurlab.head.dbn import DBN
from blurlab.head.feature import Feature, LogSpectrum, RawPixels
from blurlab.head.grnn import GRNN
from blurlab.head.kernel_quotient import KernelQuotient
from blurlab.head.kernel_target import KernelSquares, KernelTarget
from blurlab.head.labels import KindLabels, Labels, StrengthLabels, Target
from blurlab.head.learning_to_deblur import LearningToDeblur
from blurlab.head.lenet import LeNet
from blurlab.head.pyramid import Pyramid
from blurlab.head.rbm import RBM, Pretrainable
from blurlab.head.repeated_stage import RepeatedStage
from blurlab.head.resnet import ResNet
from blurlab.head.shape import Cepstrum, Profiles, SpectrumEdges
from blurlab.head.spectrum import welch_log_spectrum
from blurlab.head.spectrum_and_edges import SpectrumAndEdges

__all__ = [
    "DBN",
    "GRNN",
    "RBM",
    "AberrationTarget",
    "BlurTarget",
    "Cepstrum",
    "Compact",
    "Feature",
    "KernelQuotient",
    "KernelSquares",
    "KernelTarget",
    "KindLabels",
    "Labels",
    "LeNet",
    "LearningToDeblur",
    "LogSpectrum",
    "Pretrainable",
    "Profiles",
    "Pyramid",
    "RawPixels",
    "Readout",
    "RepeatedStage",
    "ResNet",
    "SpectrumAndEdges",
    "SpectrumEdges",
    "StrengthLabels",
    "Target",
    "welch_log_spectrum",
]
