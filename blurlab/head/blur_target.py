"""One head for everything: the kind of blur, the parameters of each kind, and how sure each of them is."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from blurlab.blur import BlurFamily, Mixture, Parameter
from blurlab.head.labels import Target
from blurlab.physics import Degraded

LOG_SPREAD = (-7.0, 2.0)
"""Limits of the log of a spread, in half ranges of a parameter."""


@dataclass(frozen=True)
class Slot:
    """Where a free parameter stands.

    Attributes:
        kind: Index of its kind.
        column: Its column in the family's parameters.
        parameter: Its range; where it has a period, its mean is a point (cos, sin) of the circle that is one period.
        start: Its first output; the last one is the log of its spread.
    """

    kind: int
    column: int
    parameter: Parameter
    start: int

    @property
    def end(self) -> int:
        """The output after its last one."""
        return self.start + (2 if self.parameter.period is None else 3)


@dataclass(frozen=True)
class Readout:
    """The kinds and parameters that outputs stand for.

    Attributes:
        logits: Of the kinds (B, K).
        params: Mean of each parameter, were its kind the true one (B, P).
        spread: Its standard deviation (B, P); 0 where the family fixes it.

    Parameters that no image tells are NaN in both.
    """

    logits: Tensor
    params: Tensor
    spread: Tensor


class BlurTarget(Target):
    r"""Kind, parameters and their spread: the cross-entropy of the kind and a Gaussian likelihood of the parameters.

    A parameter counts where its kind is the true one, scaled to [-1, 1] over its range: with error e and spread s,
    ``s^(2 b) (e^2 / 2 s^2 + log s)``, b = 1/2, the first factor without gradient: the plain likelihood (b = 0) stops
    learning where it has found a large spread ([Seitzer2022]). The error of a parameter with a period is that of its
    point on the circle. Parameters that are fixed, or that no image tells, have no outputs.

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
            for parameter in member.parameters:
                if parameter.is_free:
                    self.slots.append(Slot(kind, column, parameter, len(names)))
                    label = family.names[column]
                    names += [label] if parameter.period is None else [f"{label} cos", f"{label} sin"]
                    names.append(f"{label} log spread")
                column += 1
        self.names = tuple(names)

    def loss(self, output: Tensor, truth: Degraded) -> Tensor:
        kind = truth.kind
        loss = torch.nn.functional.cross_entropy(output[:, : len(self.family.kinds)], kind, reduction="none")
        for slot in self.slots:
            here = kind == slot.kind
            target = _encode(slot, truth.params[:, slot.column].nan_to_num(slot.parameter.low))
            spread = output[:, slot.end - 1].clamp(*LOG_SPREAD)
            error = (output[:, slot.start : slot.end - 1] - target).square().sum(1) / target.shape[1]
            misfit = spread.detach().exp() * (0.5 * error * (-2 * spread).exp() + spread)
            loss = loss + self.share * torch.where(here, misfit, 0.0)
        return loss

    def figures(self, output: Tensor, truth: Degraded) -> dict[str, Tensor]:
        """``accuracy``: 1 where the most probable kind is the true one, else 0."""
        return {"accuracy": (output[:, : len(self.family.kinds)].argmax(1) == truth.kind).to(output)}

    def read(self, output: Tensor) -> Readout:
        """The kinds and parameters in outputs (B, len(names)), within their ranges; a fixed one is what it is."""
        known = [math.nan if one.is_hidden else one.low for one in self.family.parameters]
        params = output.new_tensor(known).repeat(len(output), 1)
        spread = torch.where(params.isnan(), params, 0.0)
        for slot in self.slots:
            mean = output[:, slot.start : slot.end - 1]
            wide = output[:, slot.end - 1].clamp(*LOG_SPREAD).exp()
            one = slot.parameter
            if one.period is not None:
                radian = one.period / (2 * math.pi)
                params[:, slot.column] = one.within(torch.atan2(mean[:, 1], mean[:, 0]) * radian)
                turned = wide / mean.norm(dim=1).clamp_min(1e-3) * radian
                spread[:, slot.column] = turned.clamp_max(one.period / math.sqrt(12))  # nothing is known of it
            else:
                half = (one.high - one.low) / 2
                params[:, slot.column] = one.within(one.low + half * (1 + mean[:, 0]))
                spread[:, slot.column] = half * wide
        return Readout(output[:, : len(self.family.kinds)], params, spread)


def _encode(slot: Slot, value: Tensor) -> Tensor:
    """Targets (B, 1), or (B, 2) where the parameter has a period."""
    one = slot.parameter
    if one.period is not None:
        turn = value * (2 * math.pi / one.period)
        return torch.stack([turn.cos(), turn.sin()], 1)
    return (2 * (value - one.low) / (one.high - one.low) - 1)[:, None]
