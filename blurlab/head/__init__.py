"""Networks that say what the blur is: images in, logits out; nets only, no training."""

from blurlab.head.compact import Compact
from blurlab.head.dbn import DBN
from blurlab.head.feature import Feature, LogSpectrum, RawPixels
from blurlab.head.grnn import GRNN
from blurlab.head.labels import KindLabels, Labels, StrengthLabels
from blurlab.head.lenet import LeNet
from blurlab.head.rbm import RBM, Pretrainable
from blurlab.head.shape import Cepstrum, Profiles, SpectrumEdges
from blurlab.head.spectrum import welch_log_spectrum

__all__ = [
    "DBN",
    "GRNN",
    "RBM",
    "Cepstrum",
    "Compact",
    "Feature",
    "KindLabels",
    "Labels",
    "LeNet",
    "LogSpectrum",
    "Pretrainable",
    "Profiles",
    "RawPixels",
    "SpectrumEdges",
    "StrengthLabels",
    "welch_log_spectrum",
]
