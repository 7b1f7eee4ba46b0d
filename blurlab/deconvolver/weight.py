"""How strong a regularisation an image gets: rules that choose the weight of a variational solver, image by image."""

from __future__ import annotations

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from copy import copy
from functools import cache
from pathlib import Path
from typing import TypeAlias

import torch
from torch import Tensor

from blurlab.core.fourier import fast_size, psf_to_otf
from blurlab.core.rng import generator
from blurlab.deconvolver.base import check_option
from blurlab.physics import Gradient, LinearOperator, LocalBlur

Solve: TypeAlias = Callable[[Tensor, Tensor, Tensor], Tensor]
"""``solve(y, psf, alpha)``: what the restored images look like when blurred again, of y's shape, with weights alpha
(n, 1, 1, 1); y and psf hold n images and kernels, any n."""

DECADES, PER_DECADE = 1, 8
"""A rule that tries weights does so this far above and below the default, in steps of a decade by so many."""
LEAST, MOST = 1e-12, 10.0
"""Weights that a solver takes."""
UNSURE = 0.01
"""Least share of an image's differences that counts as not noise, whatever the noise."""
GRID = 64
"""Frequencies along each axis over which a kernel is averaged, at least."""
TINY = 1e-12


class WeightRule(ABC):
    """Chooses alpha of ``1/2 |M H u - y|^2 + alpha R(u)`` for each image of a batch by itself."""

    def at_level(self, level: Tensor) -> WeightRule:
        """The rule for images divided by their level (B, 1, 1, 1): itself where it looks at image and noise."""
        return self

    @abstractmethod
    def choose(self, y: Tensor, psf: Tensor, sigma: Tensor, solve: Solve) -> Tensor:
        """Weights (B, 1, 1, 1) > 0.

        Args:
            y: Observed images (B, C, H, W).
            psf: Kernels (B, 1, k, k).
            sigma: Noise standard deviation (B, 1, 1, 1) > 0.
            solve: The solver that will use the weight.
        """

    def choose_varying(self, y: Tensor, blur: LinearOperator, sigma: Tensor) -> Tensor:
        """Weights (B, 1, 1, 1) > 0 where the blur is no convolution.

        Raises:
            TypeError: If the rule needs kernels that the operator does not have.
        """
        raise TypeError(
            f"the weight's rule {type(self).__name__} needs kernels, and a {type(blur).__name__} has not got them;"
            " give the weight as a number"
        )


def frozen_weight(chosen: Tensor) -> Fixed:
    """One weight for a whole image from those chosen for its parts (N, 1, 1, 1): their geometric mean.

    Example:
        >>> frozen_weight(torch.tensor([1e-4, 1e-2])).value
        0.00099...
    """
    return Fixed(float(chosen.log().mean().exp()))


def weight_rule(weight: float | WeightRule | None) -> WeightRule:
    """The rule that an option ``weight`` means: itself, a fixed number, or the default.

    Raises:
        ValueError: If a number is out of range.

    Example:
        >>> weight_rule(None).__class__.__name__, weight_rule(0.1).value
        ('FromGradient', 0.1)
    """
    if isinstance(weight, WeightRule):
        return weight
    return FromGradient() if weight is None else Fixed(weight)


class Fixed(WeightRule):
    """One weight for all images.

    Args:
        value: alpha.
    """

    def __init__(self, value: float) -> None:
        check_option("weight", value, LEAST, MOST)
        self.value: float | Tensor = value

    def at_level(self, level: Tensor) -> Fixed:
        """The same weight: alpha has the unit of an intensity, so it is divided as the images are."""
        scaled = copy(self)
        scaled.value = self.value / level
        return scaled

    def choose(self, y: Tensor, psf: Tensor, sigma: Tensor, solve: Solve) -> Tensor:
        """The same number for each image."""
        return torch.ones_like(sigma) * self.value

    def choose_varying(self, y: Tensor, blur: LinearOperator, sigma: Tensor) -> Tensor:
        """The same number for each image."""
        return torch.ones_like(sigma) * self.value


class FromGradient(WeightRule):
    """``log alpha``, linear in the :func:`features` of noise, photograph and kernel; the default.

    ``alpha = sigma^2 / b`` would be the weight of gradients that follow a Laplacian law of mean length b. Fitted by
    ``experiments/bench/tv_weight.py`` to the best isotropic total variation of photographs of DRIVE, CHASE_DB1 and
    BSDS500 to train on; what it loses on those to test on is in ``results/tv_weight.json`` there.

    Args:
        factor: On the fitted weight.
    """

    def __init__(self, factor: float = 1.0) -> None:
        check_option("factor", factor, 1e-3, 1e3)
        self.factor = factor

    def choose(self, y: Tensor, psf: Tensor, sigma: Tensor, solve: Solve | None = None) -> Tensor:
        """One product of powers; nothing is solved."""
        powers = coefficients()
        log = torch.full_like(sigma, powers["constant"] + math.log(self.factor))
        for name, value in features(y, psf, sigma).items():
            log += powers[name] * value
        return log.clamp(math.log(LEAST), math.log(MOST)).exp()

    def choose_varying(self, y: Tensor, blur: LinearOperator, sigma: Tensor) -> Tensor:
        """The geometric mean of the weights for the kernels at nine places, evenly spread."""
        if not isinstance(blur, LocalBlur):
            return super().choose_varying(y, blur, sigma)
        rows, cols = ([n * part // 6 for part in (1, 3, 5)] for n in y.shape[-2:])
        kernels = (blur.psf_at(row, col).expand(len(y), -1, -1, -1) for row in rows for col in cols)
        return torch.stack([self.choose(y, psf, sigma).log() for psf in kernels]).mean(0).exp()


@cache
def coefficients() -> dict[str, float]:
    """Constant and power of each feature, as ``experiments/bench/tv_weight.py`` wrote them."""
    numbers: dict[str, float] = json.loads((Path(__file__).parent / "weight.json").read_text())
    return numbers


def features(y: Tensor, psf: Tensor, sigma: Tensor) -> dict[str, Tensor]:
    """Logarithms of what the best weight depends on, each (B, 1, 1, 1).

    Args:
        y: Observed images (B, C, H, W).
        psf: Kernels (B, 1, k, l).
        sigma: Noise standard deviation (B, 1, 1, 1).

    Returns:
        ``sigma``; ``gradient``, the mean length of y's differences beyond the noise's; ``kernel``, the sum of the
        kernel's squares; ``determined``, the share of frequencies that a Wiener filter with the gradient prior of
        :func:`~blurlab.deconvolver.wiener.estimate_nsr` would keep.

    Example:
        >>> y = torch.linspace(0, 1, 101).expand(1, 1, 30, 101)
        >>> found = features(y, torch.full((1, 1, 3, 3), 1 / 9), torch.full((1, 1, 1, 1), 1e-3))
        >>> {name: round(float(value.exp()), 3) for name, value in found.items()}
        {'sigma': 0.001, 'gradient': 0.01, 'kernel': 0.111, 'determined': 0.642}
    """
    y = y.expand(-1, -1, max(y.shape[-2], 2), max(y.shape[-1], 2))  # one pixel wide: no difference across
    across, down = y.diff(dim=-1), y.diff(dim=-2)
    energy = across.square().mean(dim=(1, 2, 3)) + down.square().mean(dim=(1, 2, 3))
    length = torch.hypot(across[..., :-1, :], down[..., :-1]).mean(dim=(1, 2, 3))
    noise = sigma.square()
    energy, length = energy.reshape(-1, 1, 1, 1), length.reshape(-1, 1, 1, 1).square()
    power = (energy - 4 * noise).maximum(UNSURE * energy).clamp_min(TINY)
    mean = (length - math.pi * noise).maximum(UNSURE * length).clamp_min(TINY).sqrt()

    kernel = psf.square().sum(dim=(-2, -1), keepdim=True)
    side = max(GRID, 2 * fast_size((max(psf.shape[-2:]) + 1) // 2))
    passed = psf_to_otf(psf, (side, side)).abs().square()
    falling = noise * kernel / power * Gradient().power((side, side), like=y)
    kept = (passed / (passed + falling).clamp_min(TINY)).mean(dim=-2, keepdim=True)
    kept = (2 * kept.sum(-1, keepdim=True) - kept[..., :1] - kept[..., -1:]) / side  # half a plane stands for all
    return {"sigma": sigma.log(), "gradient": mean.log(), "kernel": kernel.log(), "determined": kept.log()}


def ladder(y: Tensor, psf: Tensor, sigma: Tensor) -> Tensor:
    """Weights (B, K) to try, increasing: the default of each image and so many decades around it."""
    rungs = torch.logspace(-DECADES, DECADES, 2 * DECADES * PER_DECADE + 1, dtype=y.dtype, device=y.device)
    return FromGradient().choose(y, psf, sigma).reshape(-1, 1) * rungs


def try_all(y: Tensor, psf: Tensor, weights: Tensor, solve: Solve) -> Tensor:
    """What each image looks like when restored with each of its weights (B, K) and blurred again: (B, K, C, H, W)."""
    images, rungs = weights.shape
    again = solve(y.repeat_interleave(rungs, 0), psf.repeat_interleave(rungs, 0), weights.reshape(-1, 1, 1, 1))
    return again.reshape(images, rungs, *y.shape[1:])


class Discrepancy(WeightRule):
    """``|M H u - y|^2 = share n sigma^2`` [Morozov1966]: the restored image explains y no better than noise allows.

    Args:
        share: Of the noise's energy that the residual is to have; the image takes some of the noise, so 1 is much.
    """

    def __init__(self, share: float = 1.0) -> None:
        check_option("share", share, 0.01, 10)
        self.share = share

    def choose(self, y: Tensor, psf: Tensor, sigma: Tensor, solve: Solve) -> Tensor:
        """Where the residual, which grows with the weight, crosses the noise; else an end of the ladder."""
        weights = ladder(y, psf, sigma)
        residual = (try_all(y, psf, weights, solve) - y.unsqueeze(1)).square().mean(dim=(2, 3, 4)).clamp_min(TINY).log()
        wanted = (self.share * sigma.square()).log().reshape(-1, 1)
        above = (residual < wanted).sum(1, keepdim=True).clamp(1, weights.shape[1] - 1)
        low, high = residual.gather(1, above - 1), residual.gather(1, above)
        part = ((wanted - low) / (high - low).clamp_min(TINY)).clamp(0, 1)
        log = weights.log()
        return torch.lerp(log.gather(1, above - 1), log.gather(1, above), part).exp().reshape(-1, 1, 1, 1)


class Sure(WeightRule):
    """Least ``|M H u - y|^2 + 2 sigma^2 div``: Stein's unbiased estimate of how far H u is from y without its noise.

    The divergence of y -> M H u is measured with a random sign for each pixel [Ramani2008].

    Args:
        probe: Size of the change that measures it, in units of sigma.
    """

    def __init__(self, probe: float = 0.1) -> None:
        check_option("probe", probe, 1e-3, 10)
        self.probe = probe

    def choose(self, y: Tensor, psf: Tensor, sigma: Tensor, solve: Solve) -> Tensor:
        """The best of the ladder; every image gets the same signs, so nothing depends on the batch."""
        signs = torch.randint(0, 2, y.shape[1:], generator=generator("sure", *y.shape[1:])).to(y) * 2 - 1
        change = self.probe * sigma * signs
        weights = ladder(y, psf, sigma)
        again = try_all(torch.cat([y, y + change]), psf.repeat(2, 1, 1, 1), weights.repeat(2, 1), solve)
        plain, changed = again.chunk(2)
        divergence = ((changed - plain) * signs).mean(dim=(2, 3, 4)) / (self.probe * sigma.reshape(-1, 1))
        risk = (plain - y.unsqueeze(1)).square().mean(dim=(2, 3, 4)) + 2 * sigma.reshape(-1, 1).square() * divergence
        return weights.gather(1, risk.argmin(1, keepdim=True)).reshape(-1, 1, 1, 1)
