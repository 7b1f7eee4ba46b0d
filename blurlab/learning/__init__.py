"""How networks are trained: LightningModules and callbacks."""

from blurlab.learning.callbacks import BEST, LAST, Interrupts, StepSeed, training_callbacks
from blurlab.learning.supervised import Supervised, load_net

__all__ = ["BEST", "LAST", "Interrupts", "StepSeed", "Supervised", "load_net", "training_callbacks"]
