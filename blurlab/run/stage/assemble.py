"""A run's pipeline, once its networks are trained, its fitted_parts learned and its risks measured."""

from __future__ import annotations

from blurlab.pipeline import Pipeline
from blurlab.run.setup.context import Context
from blurlab.run.stage.calibrate import risk_tables
from blurlab.run.stage.fit_parts import learned_nets
from blurlab.run.stage.train import trained_nets


def assemble(context: Context) -> Pipeline:
    """The pipeline from what the stages before left in the run's directory.

    Raises:
        FileNotFoundError: If a stage is not finished.
    """
    nets = {**trained_nets(context), **learned_nets(context)}
    return Pipeline(context.identifier, nets, risk_tables(context), context.deconvolver)
