"""A finished run as a pipeline that can be used on new images."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig

from blurlab.blind import FreeForm
from blurlab.blur import Defocus, Mixture, Motion, NoBlur, Trajectory
from blurlab.blur import Gaussian as GaussianBlur
from blurlab.deconvolver import Deconvolver, InLight, Learned, load_weights
from blurlab.head import Pyramid
from blurlab.learning import BEST, load_net
from blurlab.noise import Gaussian, Sensor
from blurlab.pipeline import Identifier, KnownKernel, Photograph, Pipeline
from blurlab.run.errors import UsageError
from blurlab.run.setup.begun import refuse_changed
from blurlab.run.setup.build import build, plain
from blurlab.run.setup.saved import load_yaml
from blurlab.run.setup.targets import resolve
from blurlab.run.stage.base import check_run
from blurlab.run.stage.calibrate import load_table
from blurlab.run.stage.fit_parts import learned
from blurlab.run.stage.train_restore import NAME, WEIGHTS, TrainRestorer

NEEDED = ("blur", "pipeline", "head", "noise", "dataset", "deconvolver", "stage")
"""Parts of a saved configuration that are needed to use a run's networks."""

SHIPPED = "photograph"
"""The package's weights for photographs."""
FUNDUS = "fundus"
"""Those for photographs of the back of the eye."""
FUNDUS_PX = 200
"""Smallest side of a copy of such a photograph that is looked at, as ``conf/experiment/camera_fundus.yaml``: in smaller
ones vessels are so near one another that a sharp one looks like a shake."""
FUNDUS_PROBABILITY = 0.7
"""Of a kind that is named: sharp ones that were much enlarged are called motions a little less surely."""
FUNDUS_FREE = 1.0
"""Of a shake that is undone, which is never: none of CHASE_DB1 became better by a kernel found pixel by pixel."""
FUNDUS_CAUTION = 6.0
"""Greatest factor on the noise: an eye has little contrast, and most of what it has is in one channel."""

CHANNELS = ("green", "grey", "rgb")


@dataclass(frozen=True)
class Trained:
    """A pipeline with what it was trained for.

    Attributes:
        pipeline: Identifier, networks, risk tables and deconvolver.
        channel: ``green``, ``grey`` or ``rgb``: what of an image the networks saw.
        size: Side of the images that they saw, in pixels; 0 where any will do.
        sigma: Noise standard deviation of the training images, on the [0, 1] scale; None where it is not one number.
        network: The package's weights, or others, that name the blur; empty where a run's networks do.
    """

    pipeline: Pipeline
    channel: str
    size: int
    sigma: float | None
    network: str = ""


def untrained(deconvolver: Deconvolver | None = None, weights: str | None = None) -> Trained:
    """The pipeline that needs no run: a network that comes with the package names what blurs photographs.

    Args:
        deconvolver: What restores; total variation of the light (:class:`~blurlab.deconvolver.InLight`) if None.
        weights: Another network of :class:`~blurlab.pipeline.Photograph`, by its name in the package, its path or its
            address with its SHA-256; that for photographs if None.

    Raises:
        FileNotFoundError: If there are no such weights.
        ValueError: If they are of another network, or damaged.
    """
    head, asked = partial(Pyramid, in_channels=3), weights or SHIPPED
    eye = {
        "least_px": FUNDUS_PX,
        "least_probability": FUNDUS_PROBABILITY,
        "free_probability": FUNDUS_FREE,
        "stops": True,
    }
    options: dict[str, Any] = eye if asked == FUNDUS else {}
    identifier = Photograph(camera_kinds(), head=head, weights=asked, free_form=FreeForm(), **options)
    usual = InLight(caution=FUNDUS_CAUTION) if asked == FUNDUS else InLight()
    return Trained(Pipeline(identifier, {}, {}, deconvolver or usual), "rgb", 0, None, asked)


def camera_kinds() -> Mixture:
    """What blurs photographs, as ``conf/blur/camera_kinds.yaml``."""
    return Mixture({
        "none": NoBlur(),
        "gaussian": GaussianBlur([1, 4]),
        "defocus": Defocus([1.5, 7]),
        "motion": Motion([4, 20], [0, 180]),
        "shake": Trajectory(exposure=1, length_px=[26, 72], size=31),
    })  # fmt: skip


def load_run(run_dir: Path) -> Trained:
    """Load the networks and tables of a finished run.

    A run whose kernels were known identifies nothing: then the package's network does (:func:`untrained`), and the
    run's deconvolver restores.

    Args:
        run_dir: Directory that a run made.

    Returns:
        The pipeline on the CPU.

    Raises:
        UsageError: If the directory holds no run, or one that is not finished.
    """
    saved = run_dir / ".hydra" / "config.yaml"
    check_run(str(run_dir))
    cfg = load_yaml(saved)
    lacking = [key for key in NEEDED if not isinstance(cfg, DictConfig) or not isinstance(cfg.get(key), DictConfig)]
    if lacking:
        raise UsageError(f"{saved} is damaged: it lacks {', '.join(lacking)}; put the run directory's own file back")
    assert isinstance(cfg, DictConfig)
    if cfg.dataset.get("channel") not in CHANNELS or not isinstance(cfg.dataset.get("size"), int):
        raise UsageError(f"{saved} is damaged: dataset lacks channel or size; put the run directory's own file back")
    refuse_changed(cfg, run_dir)
    sigma = training_sigma(cfg.noise)
    identifier = build(cfg.pipeline, build(cfg.blur))
    try:
        deconvolver = load_deconvolver(cfg, run_dir)
        if isinstance(identifier, KnownKernel):
            return replace(untrained(deconvolver), sigma=sigma)
        pipeline = load_pipeline(cfg, identifier, deconvolver, run_dir)
    except FileNotFoundError as error:
        raise UsageError(f"{run_dir} is not finished ({error.filename} is missing); run.resume={run_dir}") from error
    return Trained(pipeline, str(cfg.dataset.channel), int(cfg.dataset.size), sigma)


def load_pipeline(cfg: DictConfig, identifier: Identifier, deconvolver: Deconvolver, run_dir: Path) -> Pipeline:
    """The identifier with what the stages of a run left for it.

    Raises:
        FileNotFoundError: If a stage is not finished.
    """
    stages, channels = run_dir / "stages", 3 if cfg.dataset.channel == "rgb" else 1
    nets: dict[str, torch.nn.Module] = {}
    for task in identifier.tasks:
        net = build(cfg.head, num_classes=len(task.target), in_channels=channels)
        nets[task.name] = load_net(net, stages / f"train_{task.name}" / BEST)
    nets |= learned(identifier, run_dir)
    risks = {task.name: load_table(stages / f"calibrate_{task.name}") for task in identifier.risk_tasks}
    return Pipeline(identifier, nets, risks, deconvolver)


def load_deconvolver(cfg: DictConfig, run_dir: Path) -> Deconvolver:
    """The deconvolver of a run, with the weights that the run trained where it has a stage that does.

    Raises:
        FileNotFoundError: If that stage is not finished.
        UsageError: If it is a network without weights.
    """
    deconvolver: Deconvolver = build(cfg.deconvolver)
    if not isinstance(deconvolver, Learned):
        return deconvolver
    targets = [resolve(plain(stage).get("_target_")) for stage in cfg.stage.values() if isinstance(stage, DictConfig)]
    if TrainRestorer in targets:
        weights = run_dir / "stages" / NAME / WEIGHTS
        if not weights.is_file():
            raise FileNotFoundError(2, "no such file", str(weights))
        load_weights(deconvolver.net, str(weights)).eval()
    elif not deconvolver.trained:
        raise UsageError(f"{run_dir} has a deconvolver without weights, and no stage that trains it")
    return deconvolver


def training_sigma(noise: DictConfig) -> float | None:
    """The noise's standard deviation where it is Gaussian and the same in every image; None for any other noise."""
    sigma = noise.get("sigma")
    return float(sigma) if isinstance(build(noise), (Gaussian, Sensor)) and isinstance(sigma, (int, float)) else None
