"""How networks are trained: LightningModules and callbacks."""

from blurlab.learning.callbacks import BEST, LAST, Interrupts, StepSeed, last_checkpoint, training_callbacks
from blurlab.learning.contrastive import ContrastiveDivergence, filter_picture
from blurlab.learning.supervised import Supervised, load_net

__all__ = [
    "BEST",
    "LAST",
    "ContrastiveDivergence",
    "Interrupts",
    "StepSeed",
    "Supervised",
    "filter_picture",
    "last_checkpoint",
    "load_net",
    "training_callbacks",
]
