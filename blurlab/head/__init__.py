"""Networks that say what the blur is: images in, logits out; nets only, no training."""

from blurlab.head.compact import Compact
from blurlab.head.grnn import GRNN
from blurlab.head.labels import KindLabels, Labels, StrengthLabels
from blurlab.head.lenet import LeNet
from blurlab.head.spectrum import welch_log_spectrum

__all__ = ["GRNN", "Compact", "KindLabels", "Labels", "LeNet", "StrengthLabels", "welch_log_spectrum"]
