"""How networks are trained: LightningModules and callbacks."""

from blurlab.learning.callbacks import Diverged, FiniteLoss, Interrupts, StepSeed, shared_callbacks, training_callbacks
from blurlab.learning.checkpoint import (
    BEST,
    LAST,
    FolderCheckpoint,
    OtherRun,
    RunStamp,
    WholeCheckpointIO,
    check_stamp,
    read_checkpoint,
)
from blurlab.learning.contrastive import ContrastiveDivergence, filter_picture
from blurlab.learning.growing import Growing, begin_larger, start_from
from blurlab.learning.kernel_error import KernelError
from blurlab.learning.outliers import Outliers
from blurlab.learning.pruning import Pruned, Pruning
from blurlab.learning.restoration import Restoration
from blurlab.learning.restoration_loss import DSSIM, L1, MSE, LogMSE, Mix, RestorationLoss
from blurlab.learning.shared_norm import SharedNorm
from blurlab.learning.supervised import Supervised, load_net

__all__ = [
    "BEST",
    "DSSIM",
    "L1",
    "LAST",
    "MSE",
    "ContrastiveDivergence",
    "Diverged",
    "FiniteLoss",
    "FolderCheckpoint",
    "Growing",
    "Interrupts",
    "KernelError",
    "LogMSE",
    "Mix",
    "OtherRun",
    "Outliers",
    "Pruned",
    "Pruning",
    "Restoration",
    "RestorationLoss",
    "RunStamp",
    "SharedNorm",
    "StepSeed",
    "Supervised",
    "WholeCheckpointIO",
    "begin_larger",
    "check_stamp",
    "filter_picture",
    "load_net",
    "read_checkpoint",
    "shared_callbacks",
    "start_from",
    "training_callbacks",
]
