"""Networks that say what the blur is: images in, logits out; nets only, no training."""

from blurlab.head.blur_answer import BlurAnswer, Estimate
from blurlab.head.compact import Compact
from blurlab.head.dbn import DBN
from blurlab.head.feature import Feature, LogSpectrum, RawPixels
from blurlab.head.grnn import GRNN
from blurlab.head.labels import Answer, KindLabels, Labels, StrengthLabels
from blurlab.head.lenet import LeNet
from blurlab.head.rbm import RBM, Pretrainable
from blurlab.head.resnet import ResNet
from blurlab.head.shape import Cepstrum, Profiles, SpectrumEdges
from blurlab.head.spectrum import welch_log_spectrum

__all__ = [
    "DBN",
    "GRNN",
    "RBM",
    "Answer",
    "BlurAnswer",
    "Cepstrum",
    "Compact",
    "Estimate",
    "Feature",
    "KindLabels",
    "Labels",
    "LeNet",
    "LogSpectrum",
    "Pretrainable",
    "Profiles",
    "RawPixels",
    "ResNet",
    "SpectrumEdges",
    "StrengthLabels",
    "welch_log_spectrum",
]
