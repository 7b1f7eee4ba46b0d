"""One head for everything: the kind of blur, the parameters of each kind, and how sure each of them is."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from blurlab.blur import BlurFamily, Mixture
from blurlab.blur.values import turn_into
from blurlab.head.labels import Target

LOG_SPREAD = (-7.0, 2.0)
"""Limits of the log of a spread, in half ranges of a parameter."""
HALF_TURN_DEG = 180.0
UNKNOWN_ANGLE_DEG = HALF_TURN_DEG / math.sqrt(12)
"""Standard deviation of an angle of which nothing is known."""


@dataclass(frozen=True)
class Slot:
    """Where a free parameter stands.

    Attributes:
        kind: Index of its kind.
        column: Its column in the family's parameters.
        low: Its least value.
        high: Its largest value.
        angle: Has it a period of 180 degrees? Then its mean is (cos 2w, sin 2w).
        start: Its first output; the last one is the log of its spread.
    """

    kind: int
    column: int
    low: float
    high: float
    angle: bool
    start: int

    @property
    def end(self) -> int:
        """The output after its last one."""
        return self.start + (3 if self.angle else 2)


@dataclass(frozen=True)
class Estimate:
    """Outputs read as an answer.

    Attributes:
        logits: Of the kinds (B, K).
        params: Mean of each parameter, were its kind the true one (B, P).
        spread: Its standard deviation (B, P); 0 where the family fixes it.
    """

    logits: Tensor
    params: Tensor
    spread: Tensor


class BlurTarget(Target):
    r"""Kind, parameters and their spread: the cross-entropy of the kind and a Gaussian likelihood of the parameters.

    A parameter counts where its kind is the true one, scaled to [-1, 1] over its range: with error e and spread s,
    ``s^(2 b) (e^2 / 2 s^2 + log s)``, b = 1/2, the first factor without gradient: the plain likelihood (b = 0) stops
    learning where it has found a large spread ([Seitzer2022]). The error of an angle is that of (cos 2w, sin 2w).

    Args:
        family: The kinds and their ranges.
        share: Weight of the parameters' loss beside the kind's.

    Example:
        >>> from blurlab.blur import Defocus, Motion
        >>> BlurTarget(Mixture({"defocus": Defocus([1, 5]), "motion": Motion([2, 9], [0, 180])})).names[2:5]
        ('defocus.radius_px', 'defocus.radius_px log spread', 'motion.length_px')
    """

    def __init__(self, family: BlurFamily, share: float = 0.5) -> None:
        self.family = family
        self.share = share
        self.slots: list[Slot] = []
        names, column = list(family.kinds), 0
        for kind, name in enumerate(family.kinds):
            member = family.member(name) if isinstance(family, Mixture) else family
            for parameter, (low, high) in zip(member.names, member.bounds, strict=True):
                if low < high:
                    angle = parameter.endswith("_deg")
                    self.slots.append(Slot(kind, column, low, high, angle, len(names)))
                    label = family.names[column]
                    names += [f"{label} cos", f"{label} sin"] if angle else [label]
                    names.append(f"{label} log spread")
                column += 1
        self.names = tuple(names)

    def loss(self, output: Tensor, kind: Tensor, strength_px: Tensor, params: Tensor) -> Tensor:
        loss = torch.nn.functional.cross_entropy(output[:, : len(self.family.kinds)], kind, reduction="none")
        for slot in self.slots:
            here = kind == slot.kind
            target = _encode(slot, params[:, slot.column].nan_to_num(slot.low))
            spread = output[:, slot.end - 1].clamp(*LOG_SPREAD)
            error = (output[:, slot.start : slot.end - 1] - target).square().sum(1) / target.shape[1]
            misfit = spread.detach().exp() * (0.5 * error * (-2 * spread).exp() + spread)
            loss = loss + self.share * torch.where(here, misfit, 0.0)
        return loss

    def right(self, output: Tensor, kind: Tensor, strength_px: Tensor) -> Tensor:
        return output[:, : len(self.family.kinds)].argmax(1) == kind

    def read(self, output: Tensor) -> Estimate:
        """The answer in outputs (B, len(names)); parameters lie within their ranges, a fixed one is what it is."""
        params = output.new_tensor([low for low, _ in self.family.bounds]).repeat(len(output), 1)
        spread = torch.zeros_like(params)
        for slot in self.slots:
            mean = output[:, slot.start : slot.end - 1]
            wide = output[:, slot.end - 1].clamp(*LOG_SPREAD).exp()
            half = (slot.high - slot.low) / 2
            if slot.angle:
                turn = torch.atan2(mean[:, 1], mean[:, 0]) * (HALF_TURN_DEG / (2 * math.pi))
                params[:, slot.column] = turn_into(turn, slot.low, slot.high)
                turned = wide / mean.norm(dim=1).clamp_min(1e-3) * (HALF_TURN_DEG / (2 * math.pi))
                spread[:, slot.column] = turned.clamp_max(UNKNOWN_ANGLE_DEG)
            else:
                params[:, slot.column] = (slot.low + half * (1 + mean[:, 0])).clamp(slot.low, slot.high)
                spread[:, slot.column] = half * wide
        return Estimate(output[:, : len(self.family.kinds)], params, spread)


def _encode(slot: Slot, value: Tensor) -> Tensor:
    """Targets (B, 1), or (B, 2) of an angle."""
    if slot.angle:
        double = value * (2 * math.pi / HALF_TURN_DEG)
        return torch.stack([double.cos(), double.sin()], 1)
    return (2 * (value - slot.low) / (slot.high - slot.low) - 1)[:, None]
