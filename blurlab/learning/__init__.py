"""How networks are trained: LightningModules and callbacks."""

from blurlab.learning.callbacks import BEST, LAST, Interrupts, StepSeed, last_checkpoint, training_callbacks
from blurlab.learning.classification import Classification, load_net
from blurlab.learning.contrastive import ContrastiveDivergence, filter_picture

__all__ = [
    "BEST",
    "LAST",
    "Classification",
    "ContrastiveDivergence",
    "Interrupts",
    "StepSeed",
    "filter_picture",
    "last_checkpoint",
    "load_net",
    "training_callbacks",
]
