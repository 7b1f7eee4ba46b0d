"""Networks that say what the blur is: images in, logits out; nets only, no training."""

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
from blurlab.head.resnet import ResNet
from blurlab.head.shape import Cepstrum, Profiles, SpectrumEdges
from blurlab.head.spectrum import welch_log_spectrum

__all__ = [
    "DBN",
    "GRNN",
    "RBM",
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
    "ResNet",
    "SpectrumEdges",
    "StrengthLabels",
    "Target",
    "welch_log_spectrum",
]
