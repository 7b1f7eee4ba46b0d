"""Networks that say what the blur is: images in, logits out; nets only, no training."""

from blurlab.head.blur_answer import BlurAnswer, Estimate
from blurlab.head.compact import Compact
from blurlab.head.grnn import GRNN
from blurlab.head.labels import Answer, KindLabels, Labels, StrengthLabels
from blurlab.head.lenet import LeNet
from blurlab.head.resnet import ResNet
from blurlab.head.spectrum import welch_log_spectrum

__all__ = [
    "GRNN",
    "Answer",
    "BlurAnswer",
    "Compact",
    "Estimate",
    "KindLabels",
    "Labels",
    "LeNet",
    "ResNet",
    "StrengthLabels",
    "welch_log_spectrum",
]
