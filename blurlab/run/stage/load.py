"""A finished run as a pipeline that can be used on new images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from omegaconf import DictConfig, OmegaConf

from blurlab.blur import Defocus, Gaussian, Mixture, Motion, NoBlur
from blurlab.deconvolver import TV
from blurlab.learning import BEST, load_net
from blurlab.pipeline import Likelihood, Pipeline, RiskTable
from blurlab.run.errors import UsageError
from blurlab.run.setup.begun import refuse_changed
from blurlab.run.setup.build import build
from blurlab.run.stage.calibrate import load_table
from blurlab.run.stage.fit_parts import learned


@dataclass(frozen=True)
class Trained:
    """A pipeline with what it was trained for.

    Attributes:
        pipeline: Identifier, networks, risk tables and deconvolver.
        channel: ``green``, ``grey`` or ``rgb``: what of an image the networks saw.
        size: Side of the images that they saw, in pixels; 0 where any will do.
        sigma: Noise standard deviation of the training images, on the [0, 1] scale; NaN where it is not one number.
    """

    pipeline: Pipeline
    channel: str
    size: int
    sigma: float


def untrained() -> Trained:
    """The pipeline that needs no run: the likelihood tells none, gaussian, defocus and motion apart, TV restores."""
    family = Mixture({
        "none": NoBlur(),
        "gaussian": Gaussian([0.5, 5]),
        "defocus": Defocus([0.7, 8]),
        "motion": Motion([2, 20], [0, 180]),
    })  # fmt: skip
    return Trained(Pipeline(Likelihood(family), {}, {}, TV()), "rgb", 0, float("nan"))


def load_run(run_dir: Path) -> Trained:
    """Load the networks and tables of a finished run.

    Args:
        run_dir: Directory that a run made.

    Returns:
        The pipeline on the CPU.

    Raises:
        UsageError: If the directory holds no run, or one that is not finished.
    """
    saved = run_dir / ".hydra" / "config.yaml"
    if not saved.is_file():
        raise UsageError(f"{run_dir} is no run directory (it has no .hydra/config.yaml); name one under runs/")
    cfg = OmegaConf.load(saved)
    assert isinstance(cfg, DictConfig)
    refuse_changed(cfg, run_dir)
    identifier = build(cfg.pipeline, build(cfg.blur))
    channels = 3 if cfg.dataset.channel == "rgb" else 1
    nets: dict[str, torch.nn.Module] = {}
    risks: dict[str, RiskTable] = {}
    try:
        for task in identifier.tasks:
            net = build(cfg.head, num_classes=len(task.target), in_channels=channels)
            nets[task.name] = load_net(net, run_dir / "stages" / f"train_{task.name}" / BEST)
        nets |= learned(identifier, run_dir)
        for task in identifier.risk_tasks:
            risks[task.name] = load_table(run_dir / "stages" / f"calibrate_{task.name}")
    except FileNotFoundError as error:
        raise UsageError(f"{run_dir} is not finished ({error.filename} is missing); run.resume={run_dir}") from error
    sigma = cfg.noise.get("sigma")
    known = float(sigma) if isinstance(sigma, (int, float)) else float("nan")
    pipeline = Pipeline(identifier, nets, risks, build(cfg.deconvolver))
    return Trained(pipeline, str(cfg.dataset.channel), int(cfg.dataset.size), known)
