"""How networks are trained: LightningModules and callbacks."""

from blurlab.learning.callbacks import BEST, LAST, Interrupts, StepSeed, last_checkpoint, training_callbacks
from blurlab.learning.contrastive import ContrastiveDivergence, filter_picture
from blurlab.learning.restoration import Restoration
from blurlab.learning.restoration_loss import DSSIM, L1, MSE, LogMSE, Mix, RestorationLoss
from blurlab.learning.supervised import Supervised, load_net

__all__ = [
    "BEST",
    "DSSIM",
    "L1",
    "LAST",
    "MSE",
    "ContrastiveDivergence",
    "Interrupts",
    "LogMSE",
    "Mix",
    "Restoration",
    "RestorationLoss",
    "StepSeed",
    "Supervised",
    "filter_picture",
    "last_checkpoint",
    "load_net",
    "training_callbacks",
]
