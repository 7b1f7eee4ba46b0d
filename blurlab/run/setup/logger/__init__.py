"""Where a run's figures are logged: a class a logger, each in a file of its own."""

from blurlab.run.setup.logger.base import RunLogger
from blurlab.run.setup.logger.csv import Csv
from blurlab.run.setup.logger.tensorboard import TensorBoard
from blurlab.run.setup.logger.wandb import Wandb

__all__ = ["Csv", "RunLogger", "TensorBoard", "Wandb"]
