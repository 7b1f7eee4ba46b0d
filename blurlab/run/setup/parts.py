"""What a configuration names, built once: a run is checked with these objects before it begins, and works with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig

from blurlab.blur import BlurFamily
from blurlab.dataset import Corruption, Degrade, Source
from blurlab.deconvolver import Deconvolver
from blurlab.noise import NoiseModel
from blurlab.pipeline import Identifier
from blurlab.run.errors import UsageError
from blurlab.run.setup.build import build

if TYPE_CHECKING:
    from blurlab.run.setup.logger import RunLogger

SOURCES = ("source", "fallback", "val_source", "test_source")


@dataclass(frozen=True)
class Parts:
    """The parts of a run that need no photographs; networks that the run trains are not among them.

    Attributes:
        identifier: The tasks, and how their answers become a kernel.
        degrade: Blur, boundary and noise.
        condition: How training items are degraded instead.
        deconvolver: From (y, psf, sigma) to an image.
        sources: Sets of photographs by key of ``dataset``: those of ``SOURCES`` that are not null.
        logger: Makes the logger from run directory, name and configuration.
    """

    identifier: Identifier
    degrade: Degrade
    condition: Corruption
    deconvolver: Deconvolver
    sources: dict[str, Source]
    logger: Callable[..., RunLogger]


def build_parts(cfg: DictConfig) -> Parts:
    """Build the parts of a composed configuration; nothing is written, and no photograph is read.

    Raises:
        UsageError: If a part refuses its options, or is none of its group.
    """
    family = part(cfg, "blur", BlurFamily)
    identifier = part(cfg, "pipeline", Identifier, family)
    noise, stops = part(cfg, "noise", NoiseModel), bool(cfg.dataset.get("stops", False))
    degrade = Degrade(identifier.family, noise, str(cfg.boundary.data), stops=stops)
    return Parts(
        identifier=identifier,
        degrade=degrade,
        condition=part(cfg, "augment", Corruption),
        deconvolver=part(cfg, "deconvolver", Deconvolver),
        sources=build_sources(cfg.dataset),
        logger=build(cfg.logger),
    )


def build_sources(dataset: DictConfig) -> dict[str, Source]:
    """The sets of photographs that ``dataset`` names, by key.

    Raises:
        UsageError: If one refuses its options, or is no set of photographs.
    """
    named = [key for key in SOURCES if dataset.get(key) is not None]
    return {key: part(dataset, key, Source, group=f"dataset.{key}") for key in named}


def part(cfg: DictConfig, key: str, base: type, *args: Any, group: str = "") -> Any:
    """Build one part.

    Raises:
        UsageError: If it refuses its options, or is not of the class that its group is for.
    """
    made = build(cfg[key], *args)
    if not isinstance(made, base):
        raise UsageError(f"{group or key} must be a {base.__name__}, got {cfg[key]._target_}; choose another member")
    return made
