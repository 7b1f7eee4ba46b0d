"""One network says the kind, each parameter and how sure it is; the likelihood may go on from there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from blurlab.blur import BlurFamily, Mixture, Taps
from blurlab.head import BlurTarget, Readout
from blurlab.likelihood import Refiner
from blurlab.physics import Degraded
from blurlab.pipeline.by_kind import ByKind
from blurlab.pipeline.calibration import PosteriorCalibration
from blurlab.pipeline.choice import RiskTable
from blurlab.pipeline.estimate import BlurEstimate, KindEstimate, by_parameters, nothing_found
from blurlab.pipeline.fitted_part import FittedPart
from blurlab.pipeline.task import Task

SCALE = "scale"
RULED_OUT = 1e-3
"""Probability by the network's word below which a kind is not fitted."""


class Regression(ByKind):
    """A head with an output for each kind, each parameter and its spread; any parameter may be a range.

    A parameter that no image tells (the number of a random path) is passed over; no kernel follows from the others, so
    images of such a kind are handed on as they are.

    Args:
        family: Blurs of one kind or a mixture.
        refine: Makes a :class:`Refiner` of one kind; None leaves the network's estimate as it is. With it every kind is
            fitted, the network's estimate and spread its prior, and the fits' evidence is weighed with the network's
            word.
        weak_share: Share of the blurs met in training that are drawn from the weakest tenth of their range alone, at a
            lower weight.
        class_share: What "one class longer" means in the table of error propagation, as a share of the range.

    Raises:
        ValueError: If the family is one of taps, or there is nothing to learn.
    """

    def __init__(
        self,
        family: BlurFamily,
        *,
        refine: Callable[[BlurFamily], Refiner] | None = None,
        weak_share: float = 0.0,
        class_share: float = 1 / 9,
    ) -> None:
        if isinstance(family, Taps):
            raise ValueError("taps are no range that could be measured; use blur=motion, or pipeline=direct for taps")
        super().__init__(family if isinstance(family, Mixture) else Mixture({family.kinds[-1]: family}), class_share)
        self.target = BlurTarget(self.family)
        if len(self.target) < 2:
            raise ValueError(f"{family.kinds[-1]} has neither kinds to tell apart nor a range; use another blur")
        self.often_weak = self.family.with_weak_share(weak_share)
        self.refiners = [] if refine is None else [refine(self.family.member(kind)) for kind in self.family.kinds]

    @property
    def tasks(self) -> tuple[Task, ...]:
        return (Task("blur", self.target, self.often_weak),)

    @property
    def finds_noise(self) -> bool:
        return bool(self.refiners)

    @property
    def fitted_parts(self) -> tuple[FittedPart, ...]:
        return (CalibrationPart(self),)

    def read(self, y: Tensor, nets: Mapping[str, nn.Module]) -> Readout:
        """What the network says of images (B, C, H, W)."""
        return self.target.read(nets["blur"](y))

    def identify(self, y: Tensor, nets: Mapping[str, nn.Module], risks: Mapping[str, RiskTable]) -> BlurEstimate:
        first = self.read(y, nets)
        scale: PosteriorCalibration = nets[SCALE]  # type: ignore[assignment]
        refined = self.refine(y, first)
        probability = scale(first.logits, refined.evidence)
        kind = probability.argmax(1)
        share = scale.share.to(y)
        moved = self.family.within(first.params + share * self.family.apart(first.params, refined.params))
        params = self.of_kind(moved, kind)
        strength = self.family.strength_px(params, kind).nan_to_num(0.0)
        spread = torch.lerp(first.spread, refined.spread, share.expand_as(first.spread))
        halfwidth = scale.multiple.to(y) * spread
        half = self.strengths.halfwidth_px(halfwidth, kind)
        ends = torch.stack([strength - half, strength + half], 1).clamp_min(0)
        chosen = self.strengths.cautious_px(strength, half, kind)
        before = None
        if self.refiners:
            alone = scale(first.logits).argmax(1)
            before = alone, self.of_kind(first.params, alone)
        likeliest = described(self.family, params, kind)
        label = KindEstimate(kind, probability, chosen, strength, strength, ends, params, likeliest, halfwidth, before)
        label = replace(label, supposed=moved)
        used = self.family.with_strength(params, chosen, kind)
        return replace(described(self.family, used, kind), sigma=refined.sigma, label=label)

    def refine(self, y: Tensor, first: Readout) -> Fits:
        """Every likely kind fitted, the network's word its prior; the network's estimate where there is no refiner.

        A kind of a probability below ``RULED_OUT`` keeps the network's estimate and the least evidence of the others.
        """
        if not self.refiners:
            return Fits(first.params, first.spread, None, None)
        params, spread = first.params.double(), first.spread.double()
        likely = first.logits.softmax(1) >= RULED_OUT
        evidence = torch.full(likely.shape, torch.inf, dtype=torch.float64, device=y.device)
        sigma = torch.full_like(evidence, torch.nan)
        for index, refiner in enumerate(self.refiners):
            rows = likely[:, index].nonzero().squeeze(1)
            if len(rows) == 0:
                continue
            columns = self.family.columns(index)
            fit = refiner(y[rows], params[rows, columns], spread[rows, columns])
            params[rows, columns] = fit.params
            spread[rows, columns] = fit.covariance.diagonal(dim1=1, dim2=2).clamp_min(0).sqrt()
            evidence[rows, index], sigma[rows, index] = fit.log_evidence, fit.sigma
        evidence = torch.where(likely, evidence, evidence.amin(1, keepdim=True))
        best = torch.where(likely, evidence, -torch.inf).argmax(1, keepdim=True)
        return Fits(params.to(y), spread.to(y), evidence, sigma.gather(1, best)[:, 0].to(y))


def described(family: Mixture, params: Tensor, kind: Tensor) -> BlurEstimate:
    """The blurs of these parameters (B, P) and kinds (B,); none of kinds of which no image tells all parameters."""
    hidden = [any(one.is_hidden for one in family.member(k).parameters) for k in family.kinds]
    if not any(hidden):
        return by_parameters(family, params, kind)
    rows = (~torch.tensor(hidden, device=kind.device)[kind]).nonzero().squeeze(1)
    known = by_parameters(family, params[rows], kind[rows])
    return nothing_found(family, params).with_rows(rows, known)


@dataclass(frozen=True)
class Fits:
    """Parameters and spread (B, P) of every kind, each kind's log-evidence (B, K), noise (B,) of the best."""

    params: Tensor
    spread: Tensor
    evidence: Tensor | None
    sigma: Tensor | None


class CalibrationPart(FittedPart):
    """Fits :class:`PosteriorCalibration` to validation photographs, after whatever refinement there is.

    Args:
        identifier: Whose answers are scaled.
    """

    name = SCALE
    split = "val"

    def __init__(self, identifier: Regression) -> None:
        self.identifier = identifier
        self.family = identifier.family

    def learn(self, batches: Iterable[Degraded], nets: Mapping[str, nn.Module]) -> nn.Module:
        logits, evidence, kinds = [], [], []
        spread: list[list[Tensor]] = []
        off: list[list[Tensor]] = []
        for batch in batches:
            first = self.identifier.read(batch.y, nets)
            refined = self.identifier.refine(batch.y, first)
            steps: list[Readout | Fits] = [first] if refined.evidence is None else [first, refined]
            logits.append(first.logits.cpu())
            kinds.append(batch.kind.cpu())
            spread.append([one.spread.cpu() for one in steps])
            off.append([self.family.apart(batch.params, one.params).cpu() for one in steps])
            if refined.evidence is not None:
                evidence.append(refined.evidence.cpu())
        joined = torch.cat(evidence) if evidence else None
        claims, errors = ([torch.cat(step) for step in zip(*parts, strict=True)] for parts in (spread, off))
        return PosteriorCalibration.fit(torch.cat(logits), joined, torch.cat(kinds), claims, errors)

    def restore(self, state: Mapping[str, Tensor]) -> nn.Module:
        return PosteriorCalibration(
            state["multiple"], state["share"], float(state["temperature"]), float(state["evidence"])
        )
