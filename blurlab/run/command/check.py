"""A job made ready: its parts and stages built once and checked, before anything is read or written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from blurlab.run.errors import UsageError

if TYPE_CHECKING:
    from blurlab.run.setup.parts import Parts
    from blurlab.run.stage.base import Stage


@dataclass(frozen=True)
class Prepared:
    """What a job works with.

    Attributes:
        parts: What its configuration names.
        stages: What it does, in this order.
    """

    parts: Parts
    stages: tuple[Stage, ...]


def prepare_job(cfg: Any) -> Prepared:
    """Build the parts and stages of a composed configuration, and let each stage check what it needs.

    Raises:
        UsageError: If a value is out of its range, a part refuses its options, or a stage cannot do its work.
    """
    from blurlab.run.setup.build import build
    from blurlab.run.setup.parts import build_parts

    parts = build_parts(cfg)
    refuse_half_captured(cfg, parts)
    refuse_wide_kernel(cfg, parts)
    refuse_varying_blur(parts)
    stages = tuple(build(node) for node in cfg.stage.values() if node is not None)
    if not stages:
        raise UsageError("no stage is left to do; choose stage=default, restore, robust or train_restore")
    for place, stage in enumerate(stages):
        stage.check(cfg, parts, stages[:place])
    return Prepared(parts, stages)


def refuse_half_captured(cfg: Any, parts: Parts) -> None:
    """Raise unless noise and border are both a camera's own, in photographs that it took blurred, or neither is.

    Raises:
        UsageError: Naming what does not go together.
    """
    from blurlab.dataset import Captures
    from blurlab.noise import Captured

    own = {
        f"dataset={cfg.dataset.name}": isinstance(parts.sources.get("test_source"), Captures),
        f"noise={cfg.noise._target_.rsplit('.', 1)[-1]}": isinstance(parts.degrade.noise, Captured),
        f"boundary={cfg.boundary.data}": cfg.boundary.data == "captured",
    }
    _, *degraded = own.values()
    if any(degraded) and not all(own.values()):
        camera = " ".join(name for name, captured in own.items() if captured)
        other = " ".join(name for name, captured in own.items() if not captured)
        raise UsageError(
            f"{camera} is a camera's own, {other} is not; images taken blurred go together: "
            "dataset=levin09 noise=captured boundary=captured"
        )


WIDEST = 4
"""Largest kernel, in sides of the image: of a wider one next to nothing of the blur is in the image."""


def refuse_wide_kernel(cfg: Any, parts: Parts) -> None:
    """Raise where kernels are as large as the images, unless the deconvolver estimates the image beyond its border.

    Raises:
        UsageError: With the remedy.
    """
    size, image = parts.identifier.family.size, cfg.dataset.size
    if size > WIDEST * image:
        raise UsageError(
            f"a kernel of {size} px for images of {image} px; raise dataset.size, or lower the blur's range"
        )
    outside = parts.deconvolver.estimates_outside and cfg.boundary.data == "valid"
    if size >= image and not outside:
        raise UsageError(
            f"a kernel of {size} px is larger than the image of {image} px; raise dataset.size, "
            "or use boundary=valid with a deconvolver that reaches beyond the border, such as tv"
        )


def refuse_varying_blur(parts: Parts) -> None:
    """Raise where the blur varies over the image and the deconvolver takes kernels alone.

    Raises:
        UsageError: With the remedy.
    """
    from blurlab.physics import ProductConvolution

    if parts.identifier.family.varies and not issubclass(ProductConvolution, parts.deconvolver.takes):
        raise UsageError(
            f"the blur varies over the image, and {type(parts.deconvolver).__name__} takes one kernel an image; use "
            "deconvolver=douglas_rachford, richardson_lucy or unrolled_dr"
        )
