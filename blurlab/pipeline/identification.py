"""What a pipeline says of a blur, and the contract of whatever says it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor, nn

from blurlab.blur import BlurFamily, Mixture, OneParameterStrength
from blurlab.pipeline.choice import RiskTable
from blurlab.pipeline.fitted_part import FittedPart
from blurlab.pipeline.task import Task


@dataclass(frozen=True)
class Identification:
    """What an identifier says of a batch.

    Attributes:
        kind: Index of the most probable kind in the family's ``kinds`` (B,).
        kind_probability: Probabilities of the kinds (B, K).
        strength_px: Strength of the kernel to hand on, chosen by expected risk (B,); 0 where none is.
        strength_map_px: Strength of the most probable class (B,); 0 where no blur was found.
        strength_mean_px: Mean of the posterior (B,); 0 where no blur was found.
        interval_px: 90 % interval of the strength (B, 2); NaN where no blur was found.
        params: Best estimate of the parameters (B, P), in the family's order; NaN where the kind found has none.
        psf: The kernel to hand on (B, 1, k, k); the identity where none is.
        psf_map: The kernel of the most probable class (B, 1, k, k).
        sigma: Noise standard deviation found in the image (B,); None where it was not looked for.
        halfwidth: Half of the 90 % interval of each of ``params`` (B, P); None where there is none but the strength's.
        before: Kind (B,) and parameters (B, P) that the network said before they were refined; None where none were.
    """

    kind: Tensor
    kind_probability: Tensor
    strength_px: Tensor
    strength_map_px: Tensor
    strength_mean_px: Tensor
    interval_px: Tensor
    params: Tensor
    psf: Tensor
    psf_map: Tensor
    sigma: Tensor | None = None
    before: tuple[Tensor, Tensor] | None = None
    halfwidth: Tensor | None = None

    def with_rows(self, rows: Tensor, other: Identification | None) -> Identification:
        """These answers with some rows (m,) replaced by those of another (m of them)."""
        if other is None:
            return self
        changed = {
            field.name: getattr(self, field.name).index_copy(0, rows, value.to(getattr(self, field.name)))
            for field in fields(self)
            if isinstance(value := getattr(other, field.name), Tensor)
        }
        if other.before is not None:
            pairs = zip((self.kind, self.params), other.before, strict=True)
            changed["before"] = tuple(mine.index_copy(0, rows, value.to(mine)) for mine, value in pairs)
        return replace(self, **changed)


def uninformative(family: BlurFamily, y: Tensor) -> Identification:
    """What is said of images (B, C, H, W) that say nothing: every kind as likely, no parameter, nothing to undo."""
    count, size = len(y), family.size
    kind = torch.zeros(count, dtype=torch.long, device=y.device)
    nothing = torch.full((count, len(family.names)), torch.nan, device=y.device)
    psf = torch.zeros(count, 1, size, size, device=y.device)
    psf[..., size // 2, size // 2] = 1
    zero, unknown = torch.zeros(count, device=y.device), torch.full((count,), torch.nan, device=y.device)
    even = torch.full((count, len(family.kinds)), 1 / len(family.kinds), device=y.device)
    ends = torch.full((count, 2), torch.nan, device=y.device)
    return Identification(kind, even, zero, zero, zero, ends, nothing, psf, psf, unknown, halfwidth=nothing)


class Identifier(ABC):
    """Answers which blur, how strong, and with which kernel; its networks answer its tasks.

    Args:
        family: The blurs it tells apart.
    """

    def __init__(self, family: BlurFamily) -> None:
        self.family = family

    @property
    @abstractmethod
    def tasks(self) -> tuple[Task, ...]:
        """The tasks for which it needs a network each, in the order of training."""

    @property
    def finds_noise(self) -> bool:
        """Does it say the noise of an image?"""
        return False

    @property
    def fitted_parts(self) -> tuple[FittedPart, ...]:
        """What is learned after the networks, in this order."""
        return ()

    @property
    def risk_tasks(self) -> tuple[Task, ...]:
        """Those whose answer picks a kernel and so need a :class:`RiskTable`."""
        return ()

    def candidates_px(self, task: Task) -> Tensor:
        """Strengths that may be handed on for this task (c,).

        Raises:
            ValueError: If it is none of ``risk_tasks``.
        """
        raise ValueError(f"no kernel is picked by the answer to {task.name}")

    @abstractmethod
    def neighbours_px(self, kind: Tensor, strength_px: Tensor) -> tuple[Tensor, Tensor]:
        """One class longer and one class shorter than the truth (n,), (n,); NaN where there is no such class."""

    def rivals(self) -> Tensor:
        """Kernels (r, 1, k, k) that the headline task must tell an item from, where it is one of a few."""
        return torch.zeros(0, 1, 1, 1)

    @abstractmethod
    def strength_errors(self) -> dict[str, tuple[str, float]]:
        """Kind -> metric of the error of its strength, and what a pixel of strength is in that parameter."""

    @abstractmethod
    def is_correct(self, found: Identification, kind: Tensor, strength_px: Tensor) -> Tensor:
        """Was the headline task answered right? (n,) bool."""

    @abstractmethod
    def confusion_labels(self) -> tuple[str, ...]:
        """Class names of the headline task."""

    @abstractmethod
    def headline_class(self, kind: Tensor, strength_px: Tensor) -> Tensor:
        """Class index of the headline task for a kind and strength (n,)."""

    @abstractmethod
    def identify(self, y: Tensor, nets: Mapping[str, nn.Module], risks: Mapping[str, RiskTable]) -> Identification:
        """Identify the blur of observed images (B, C, H, W).

        ``nets`` holds a trained network for each task and what each part left, ``risks`` a table for each risk
        task.
        """


def refuse_other_ranges(family: BlurFamily) -> None:
    """Raise where a parameter besides the strength is a range: networks are asked for strengths alone.

    Raises:
        ValueError: Naming the parameter.
    """
    members = [family.member(kind) for kind in family.kinds] if isinstance(family, Mixture) else [family]
    for member in members:
        strength = member.strength_name if isinstance(member, OneParameterStrength) else None
        for one in member.parameters:
            if one.name != strength and one.low < one.high:
                raise ValueError(
                    f"{member.kinds[-1]} has {one.name} from {one.low:g} to {one.high:g}, but only strengths are "
                    f"learned; fix it (blur's {one.name}={one.low:g}) or use pipeline=likelihood"
                )


def is_identity(psf: Tensor) -> Tensor:
    """Which kernels (n, 1, k, k) are a single pixel, so that there is nothing to undo (n,) bool."""
    return psf.flatten(1).amax(1) > 1 - 1e-6
