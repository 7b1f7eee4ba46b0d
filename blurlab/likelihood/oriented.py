"""The posterior of a blur of which the spectrum tells all but which way round it lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from blurlab.blur import Zernike
from blurlab.core.rng import generator
from blurlab.likelihood.climb import climbs
from blurlab.likelihood.hint import Hint
from blurlab.likelihood.phase import Sight, phase_evidence, sight
from blurlab.likelihood.prior import SpectrumPrior, detailed
from blurlab.likelihood.refine import Refiner
from blurlab.likelihood.search import search
from blurlab.likelihood.whittle import State

AT_ONCE = 32
"""Kernels whose phase is looked at together: memory is bounded."""
CHOOSING_STARTS, CHOOSING_STEPS = 3, 6
"""Climbs, and steps of each, by whose evidence an image's prior is chosen."""
HINTED = 4
"""Climbs that begin where a hint says, beside those of the catalogue."""


@dataclass(frozen=True)
class Posterior:
    """What is known of the blur of each image.

    Attributes:
        psf: The mean kernel (B, 1, k, k): that of least expected squared error.
        params: Mean parameters (B, P), float64.
        covariance: Of the parameters (B, P, P).
        best: The parameters of most weight (B, P).
        sigma: Noise standard deviation found in the image (B,).
        turned: Probability that the blur lies the other way round than the kernel of most weight (B,).
        prior: Which of the refiner's beliefs of sharp images' spectra explains the image (B,), 0 for the first.
    """

    psf: Tensor
    params: Tensor
    covariance: Tensor
    best: Tensor
    sigma: Tensor
    turned: Tensor
    prior: Tensor


@dataclass(frozen=True)
class Population:
    """Kernels drawn for an image, then their reversed twins in the same order.

    Attributes:
        params: (2 n, P).
        psf: (2 n, k, k).
        evidence: Of the phase (2 n,).
        told: What a hint adds to the log of the weight (2 n,); 0 without one.
    """

    params: Tensor
    psf: Tensor
    evidence: Tensor
    told: Tensor

    def weight(self, strength: float) -> Tensor:
        """Their probabilities (2 n,), the phase evidence counting ``strength``."""
        return (strength * self.evidence + self.told).softmax(0)

    def weighed(self, strength: float) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Mean kernel, mean parameters, covariance, best parameters, probability of the other way round."""
        weight = self.weight(strength)
        kernel = torch.einsum("n,nij->ij", weight.to(self.psf), self.psf)
        centre = weight @ self.params
        off = self.params - centre
        top, count = int(weight.argmax()), len(weight)
        alike = (self.psf * self.psf[top]).sum((1, 2))
        other = weight[alike < alike.roll(count // 2)].sum()  # of each pair the one that is less like the best
        return kernel, centre, (off * weight[:, None]).T @ off, self.params[top], other


class OrientedRefiner:
    """Draws kernels from what the spectrum tells, and weighs each and its reversed twin by what the phase tells.

    Fisher scoring climbs from several kernels of a catalogue; a Gaussian about the end of each climb (Laplace's
    approximation), weighed by its evidence, is what the spectrum tells [Whittle1953]. Kernels are drawn from it, and
    each and its reversed twin get the weight ``exp(strength * phase evidence)``
    (:mod:`blurlab.likelihood.phase`). A hint gives more starts, and its density to the power ``trust`` is a factor of
    the weights.

    Args:
        family: The blurs.
        prior: What is believed of sharp images' spectra; :func:`~blurlab.likelihood.prior.detailed` if None.
        others: Other such beliefs: each image is fitted with the one of most evidence.
        starts: Climbs.
        iterations: Steps of each.
        draws: Kernels drawn.
        strength: What the phase evidence counts.
        temper: What the log of a climb's evidence counts beside that of another: spectra are not as the prior has them.
        trust: What a hint's log density counts: it comes from the same image, so that it is no independent evidence.
        widen: By what the deviations of the parameters are multiplied, for what the model leaves out.
        floor: Deviation in waves that no lack of noise takes away, added in quadrature: spectra are not as the prior
            has them. It and ``widen`` were chosen by eye; no record shows a better pair.
        levelled: Do windows count by what each tells of the blur
            (:func:`~blurlab.likelihood.taper.window_weight`), not all alike?

    Raises:
        ValueError: If a parameter of the family is fixed, or an option is too small.
    """

    def __init__(
        self,
        family: Zernike,
        prior: SpectrumPrior | None = None,
        *,
        others: Sequence[SpectrumPrior] = (),
        starts: int = 20,
        iterations: int = 10,
        draws: int = 96,
        strength: float = 25.0,
        temper: float = 1.0,
        trust: float = 0.5,
        widen: float = 1.1,
        floor: float = 0.009,
        levelled: bool = True,
    ) -> None:
        if len(family.free) < len(family.parameters):
            raise ValueError("every coefficient must have a range; leave the others out of the list")
        if draws < 2 or min(strength, trust, temper, floor) < 0 or widen <= 0:
            raise ValueError(
                "draws must be 2 or more, strength and floor >= 0, trust and temper >= 0, widen > 0, "
                f"got {draws}, {strength}, {floor}, {trust}, {temper}, {widen}"
            )
        self.family = family
        priors = [detailed() if prior is None else prior, *others]
        make = partial(Refiner, family, levelled=levelled)
        self.refiners = [make(one, starts=starts, iterations=iterations) for one in priors]
        self.quick = [make(one, starts=CHOOSING_STARTS, iterations=CHOOSING_STEPS) for one in priors]
        self.draws = draws
        self.strength, self.trust, self.temper = strength, trust, temper
        self.widen, self.floor = widen, floor
        self.twin = family.reversed(torch.ones(1, len(family.names), dtype=torch.float64))[0]

    def __call__(self, y: Tensor, hint: Hint | None = None) -> Posterior:
        """The posterior of each image.

        Args:
            y: Observed images (B, C, H, W), H and W at least 64; the phase is that of the channels' mean.
            hint: What is believed besides.

        Raises:
            ValueError: If an image is too small, constant or not finite.
        """
        chosen = self._choice(y)
        log_noise, populations = self._by_prior(y, hint, chosen)
        parts = [part.weighed(self.strength) for part in populations]
        psf, params, spread, likeliest, turned = (torch.stack(part) for part in zip(*parts, strict=True))
        spread = spread * self.widen**2 + self.floor**2 * torch.eye(spread.shape[-1]).to(spread)
        return Posterior(psf[:, None].to(y), params, spread, likeliest, (log_noise / 2).exp(), turned, chosen)

    def populations(self, y: Tensor, hint: Hint | None = None) -> tuple[Tensor, list[Population]]:
        """Log of the noise's variance (B,), and the kernels drawn for each image."""
        return self._by_prior(y, hint, self._choice(y))

    def _by_prior(self, y: Tensor, hint: Hint | None, chosen: Tensor) -> tuple[Tensor, list[Population]]:
        """The same, the images of each prior (B,) together."""
        found: dict[int, tuple[Tensor, Population]] = {}
        for number, refiner in enumerate(self.refiners):
            rows = (chosen == number).nonzero().squeeze(1)
            if len(rows):
                noise, drawn = self._populations(refiner, y[rows], None if hint is None else hint.rows(rows))
                found |= dict(zip(rows.tolist(), zip(noise, drawn, strict=True), strict=True))
        return torch.stack([found[row][0] for row in range(len(y))]), [found[row][1] for row in range(len(y))]

    def _choice(self, y: Tensor) -> Tensor:
        """Which prior explains the spectrum of each image best (B,)."""
        if len(self.quick) == 1:
            return torch.zeros(len(y), dtype=torch.long, device=y.device)
        evidence = [one(y).log_evidence + 0.5 * torch.logdet(one.prior.precision).to(y.device) for one in self.quick]
        return torch.stack(evidence).argmax(0)

    def _populations(self, refiner: Refiner, y: Tensor, hint: Hint | None) -> tuple[Tensor, list[Population]]:
        problem = refiner.problem(y)
        starts = search(problem, refiner.catalogue(problem.observed.shape[-2]), refiner.starts)
        if hint is not None:
            drawn = hint.draws(HINTED)
            starts = torch.cat([starts, self.family.within(drawn.flatten(0, 1)).reshape(drawn.shape)], 1)
        state, information = climbs(problem, starts, refiner.iterations)
        root = torch.linalg.cholesky(self._covariance(information))
        share = (-state.value + root.diagonal(dim1=1, dim2=2).log().sum(1)).reshape(len(y), -1)
        told = self._told(hint, state.params.reshape(*share.shape, -1))
        share = (self.temper * share + told).softmax(1)
        climbed = share.shape[1]
        best = share.argmax(1) + climbed * torch.arange(len(y), device=y.device)
        state_of = State(*(part[best] for part in vars(state).values()))
        psf = self.family.psf(state_of.params)[:, 0].to(y)
        found = []
        for row in range(len(y)):
            smooth, noise = state_of.smooth[row], state_of.log_noise[row]
            shown = sight(y[row].mean(0), psf[row], smooth, noise, refiner.prior.softness_px)
            rows = slice(row * climbed, (row + 1) * climbed)
            own = None if hint is None else hint.rows(torch.tensor([row], device=y.device))
            found.append(self._drawn(shown, share[row], state.params[rows], root[rows], own, told[row]))
        return state_of.log_noise, found

    def _told(self, hint: Hint | None, params: Tensor) -> Tensor:
        """What a hint adds to the log of the weight of climbs' ends (B, K, P), either way round (B, K)."""
        if hint is None:
            return params.new_zeros(params.shape[:2])
        both = torch.logaddexp(hint.log_density(params), hint.log_density(self.twin.to(params) * params))
        return self.trust * both

    def _covariance(self, information: Tensor) -> Tensor:
        """Of the parameters (n, P, P); none is less certain than its range."""
        count = len(self.family.parameters)
        known = information.clone()
        known.diagonal(dim1=1, dim2=2).add_(1e-9)
        for place, one in enumerate(self.family.parameters):
            known[:, place, place] += 12 / (one.high - one.low) ** 2
        whole = torch.linalg.inv(known)[:, :count, :count]
        return (whole + whole.mT) / 2

    def _drawn(
        self, shown: Sight, share: Tensor, mean: Tensor, root: Tensor, hint: Hint | None, told: Tensor
    ) -> Population:
        """Kernels of an image from Gaussians with these weights (K,), means (K, P) and Cholesky factors (K, P, P).

        What the hint told of the Gaussians (K,) is in their weights; the kernels get the rest.
        """
        draw = generator(0, "kernels of an image")
        pick = torch.multinomial(share.cpu(), self.draws, replacement=True, generator=draw).to(mean.device)
        noise = torch.randn(self.draws, mean.shape[1], generator=draw, dtype=mean.dtype).to(mean.device)
        params = self.family.within(mean[pick] + (root[pick] @ noise[..., None])[..., 0])
        psf = self.family.psf(params)[:, 0].to(shown.content)
        pairs = [phase_evidence(shown, some) for some in psf.split(AT_ONCE)]
        evidence = torch.cat([torch.cat(part).double() for part in zip(*pairs, strict=True)])
        twins = self.twin.to(params) * params
        both = torch.cat([params, twins])
        rest = torch.zeros_like(evidence)
        if hint is not None:
            rest = self.trust * hint.log_density(both[None])[0] - told[pick].repeat(2)
        return Population(both, torch.cat([psf, psf.flip(-2, -1)]), evidence, rest)
