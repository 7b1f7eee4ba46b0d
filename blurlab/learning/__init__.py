"""How networks are trained: LightningModules and callbacks."""

from blurlab.learning.callbacks import BEST, LAST, Interrupts, StepSeed, training_callbacks
from blurlab.learning.classification import Classification, load_net

__all__ = ["BEST", "LAST", "Classification", "Interrupts", "StepSeed", "load_net", "training_callbacks"]
