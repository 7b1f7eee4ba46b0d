"""Every part of a job built once and thrown away, so that a wrong option is said before anything is read or written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from blurlab.run.errors import UsageError

if TYPE_CHECKING:
    from blurlab.deconvolver import Deconvolver
    from blurlab.pipeline import Identifier
    from blurlab.run.stage.base import Stage

LISTS = ("risk_strengths_px", "risk_errors_px")
COUNTS = (
    "photos", "epochs", "steps_per_epoch", "batch_size", "patterns", "draws_val", "draws_test", "draws_robust",
    "risk_photos",
)  # fmt: skip


def refuse_half_captured(cfg: Any) -> None:
    """Raise unless photographs, noise and border are all a camera's own, or none of them.

    Raises:
        UsageError: Naming what does not go together.
    """
    from blurlab.dataset import Captures
    from blurlab.noise import Captured
    from blurlab.run.setup.build import build

    tested = cfg.dataset.get("test_source")
    own = {
        f"dataset={cfg.dataset.name}": tested is not None and isinstance(build(tested), Captures),
        f"noise={cfg.noise._target_.rsplit('.', 1)[-1]}": isinstance(build(cfg.noise), Captured),
        f"boundary={cfg.boundary.data}": cfg.boundary.data == "captured",
    }
    if len({*own.values()}) > 1:
        camera = " ".join(name for name, captured in own.items() if captured)
        other = " ".join(name for name, captured in own.items() if not captured)
        raise UsageError(
            f"{camera} is a camera's own, {other} is not; images taken blurred go together: "
            "dataset=levin09 noise=captured boundary=captured"
        )


def refuse_stages(identifier: Identifier, stages: list[Stage], cfg: Any) -> None:
    """Raise where a stage needs what the pipeline or the set of photographs does not have.

    Raises:
        UsageError: With the remedy.
    """
    from blurlab.head import Labels
    from blurlab.pipeline import KnownKernel
    from blurlab.run.stage.classify import Classify
    from blurlab.run.stage.restore import Restore

    if any(isinstance(stage, Classify) for stage in stages):
        first = identifier.tasks[0].target if identifier.tasks else None
        if not isinstance(first, Labels):
            raise UsageError("stage=classify tests a network that names a class; use pipeline=hierarchical or direct")
    asks = any(stage.identifies for stage in stages)
    restorations = [stage for stage in stages if isinstance(stage, Restore)]
    if asks and isinstance(identifier, KnownKernel):
        raise UsageError("pipeline=known identifies nothing, but these stages ask it; use stage=restore")
    if asks and cfg.boundary.data == "captured":
        raise UsageError("images taken blurred can be restored, not identified; use stage=restore")
    if asks and cfg.dataset.source is None and identifier.tasks:
        raise UsageError(f"dataset={cfg.dataset.name} has no photographs to train on; use another, or stage=restore")
    for stage in restorations:
        if identifier.tasks and not asks and stage.run is None:
            raise UsageError(
                "this pipeline has networks and stage=restore trains none; name a finished run by stage.restore.run=, "
                "or use pipeline=likelihood or pipeline=known"
            )


def refuse_untrained(deconvolver: Deconvolver, stages: list[Stage]) -> None:
    """Raise where images would be restored by a network that nothing has trained.

    Raises:
        UsageError: With the remedy.
    """
    from blurlab.deconvolver import Learned
    from blurlab.run.stage.train_restore import TrainRestorer

    learns = any(isinstance(stage, TrainRestorer) for stage in stages)
    if isinstance(deconvolver, Learned) and not deconvolver.trained and not learns:
        raise UsageError(
            f"the network {type(deconvolver.net).__name__} has no weights; name a file by deconvolver.weights=, "
            "or train it: stage=train_restore"
        )


def try_parts(cfg: Any) -> None:
    """Build the parts of a composed configuration, heads without memory.

    Raises:
        UsageError: If a part refuses its options, or no part can do what is asked.
    """
    import torch

    from blurlab.learning.schedule import SCHEDULES
    from blurlab.run.setup.build import build
    from blurlab.run.stage.train_restore import TrainRestorer

    for name in COUNTS:
        if cfg.budget[name] < 1:
            raise UsageError(f"budget.{name} must be 1 or more, got {cfg.budget[name]}")
    for name in ("pretrain_epochs", "draws_train", "patience"):
        if cfg.budget[name] < 0:
            raise UsageError(f"budget.{name} must be 0 or more, got {cfg.budget[name]}")
    if cfg.budget.draws_train and cfg.augment.name != "none":
        raise UsageError(
            f"augment={cfg.augment.name} degrades training items anew in every batch, and budget.draws_train="
            f"{cfg.budget.draws_train} keeps them fixed; use augment=none, or budget.draws_train=0"
        )
    if cfg.budget.patterns < 2:
        raise UsageError("budget.patterns must be 2 or more: a GRNN leaves one out")
    for name in LISTS:
        if not cfg.budget[name]:
            raise UsageError(f"budget.{name} must hold a number or more, got an empty list")
    identifier = build(cfg.pipeline, build(cfg.blur))
    build(cfg.noise)
    build(cfg.augment)
    deconvolver = build(cfg.deconvolver)
    reaches = deconvolver.estimates_outside and cfg.boundary.data == "valid"
    refuse_half_captured(cfg)
    size = identifier.family.size
    if size >= cfg.dataset.size and not reaches:
        raise UsageError(
            f"a kernel of {size} px is larger than the image of {cfg.dataset.size} px; raise dataset.size, "
            "or use boundary=valid with a deconvolver that reaches beyond the border, such as tv"
        )
    stages = [build(part) for part in cfg.stage.values() if part is not None]
    refuse_stages(identifier, stages, cfg)
    refuse_untrained(deconvolver, stages)
    if not identifier.tasks and not any(isinstance(stage, TrainRestorer) for stage in stages):
        return
    if identifier.tasks:
        with torch.device("meta"):
            build(cfg.head, num_classes=2, in_channels=3 if cfg.dataset.channel == "rgb" else 1)
    weight = torch.nn.Parameter(torch.zeros(1))
    try:
        build(cfg.optimizer.factory)([weight])
    except (ValueError, TypeError) as error:
        raise UsageError(f"optimizer: {error}") from error
    if cfg.optimizer.schedule not in SCHEDULES:
        raise UsageError(f"unknown schedule '{cfg.optimizer.schedule}', expected one of {', '.join(SCHEDULES)}")
    if cfg.trainer.accelerator == "gpu" and not torch.cuda.is_available():
        raise UsageError("trainer=gpu, but no CUDA device was found; use trainer=auto or trainer=cpu")
