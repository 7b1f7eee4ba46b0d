"""Every part of a job built once and thrown away, so that a wrong option is said before anything is read or written."""

from __future__ import annotations

from typing import Any

from blurlab.run.errors import UsageError

LISTS = ("risk_strengths_px", "risk_errors_px")
COUNTS = ("photos", "epochs", "steps_per_epoch", "batch_size", "draws_val", "draws_test", "risk_photos")


def try_parts(cfg: Any) -> None:
    """Build the parts of a composed configuration, heads without memory.

    Raises:
        UsageError: If a part refuses its options, or no part can do what is asked.
    """
    import torch

    from blurlab.learning.classification import SCHEDULES
    from blurlab.run.build import build

    for name in COUNTS:
        if cfg.budget[name] < 1:
            raise UsageError(f"budget.{name} must be 1 or more, got {cfg.budget[name]}")
    if cfg.budget.pretrain_epochs < 0:
        raise UsageError(f"budget.pretrain_epochs must be 0 or more, got {cfg.budget.pretrain_epochs}")
    for name in LISTS:
        if not cfg.budget[name]:
            raise UsageError(f"budget.{name} must hold a number or more, got an empty list")
    identifier = build(cfg.pipeline, build(cfg.blur))
    if identifier.family.size >= cfg.dataset.size:
        size = identifier.family.size
        raise UsageError(f"a kernel of {size} px is larger than the image of {cfg.dataset.size} px; raise dataset.size")
    for part in (cfg.noise, cfg.deconvolver):
        build(part)
    if not identifier.questions:
        return
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
