"""The weight of a linear filter from y alone: cross-validation, the discrepancy principle, Stein's estimate of risk.

On a periodic grid a filter whose result explains y by ``A y`` has one factor ``left`` in [0, 1] per frequency: what
part of Y it leaves in the residual, 1 - A. Each rule needs two numbers of it, and no solution.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from blurlab.core.fourier import plane_mean, rfft2

GOLDEN = (math.sqrt(5) - 1) / 2


def image_energy(y: Tensor) -> Tensor:
    """``|Y|^2 / (H W)``, mean over channels: (B, C, H, W) -> (B, 1, H, W // 2 + 1); its plane mean is that of y^2.

    Example:
        >>> float(plane_mean(image_energy(torch.full((1, 2, 3, 4), 0.5)), (3, 4)))
        0.25
    """
    return rfft2(y).abs().square().mean(1, keepdim=True) / (y.shape[-2] * y.shape[-1])


def residual_and_rest(energy: Tensor, left: Tensor, shape: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """``|y - A y|^2 / n`` and ``tr(I - A) / n``, n pixels.

    Args:
        energy: :func:`image_energy` of y (B, 1, H, W // 2 + 1).
        left: Factors of I - A in [0, 1] (B, 1, H, W // 2 + 1).
        shape: Grid (H, W).

    Returns:
        Two tensors (B, 1, 1, 1).

    Example:
        >>> energy, left = torch.ones(1, 1, 4, 3), torch.full((1, 1, 4, 3), 0.25)
        >>> [float(value) for value in residual_and_rest(energy, left, (4, 4))]
        [0.0625, 0.25]
    """
    return plane_mean(left.square() * energy, shape), plane_mean(left, shape)


def gcv(residual: Tensor, rest: Tensor) -> Tensor:
    """``(|y - A y|^2 / n) / (tr(I - A) / n)^2``, generalised cross-validation [Golub1979]; the least is the best.

    On a periodic grid all pixels are alike to A, so this is the plain mean square error of predicting each pixel from
    all others.

    Example:
        >>> float(gcv(torch.tensor(0.0625), torch.tensor(0.25)))
        1.0
    """
    return residual / rest.square().clamp_min(torch.finfo(rest.dtype).tiny)


def discrepancy(residual: Tensor, variance: Tensor) -> Tensor:
    """``|log(|y - A y|^2 / (n sigma^2))|``: 0 where the residual is as large as the noise [Morozov1966].

    Example:
        >>> float(discrepancy(torch.tensor(0.04), torch.tensor(0.04)))
        0.0
    """
    return (residual.clamp_min(torch.finfo(residual.dtype).tiny) / variance).log().abs()


def sure(residual: Tensor, rest: Tensor, variance: Tensor) -> Tensor:
    """``|y - A y|^2 / n + sigma^2 - 2 sigma^2 tr(I - A) / n``: unbiased for ``|A y - H x|^2 / n`` [Stein1981].

    Example:
        >>> float(sure(torch.tensor(0.0625), torch.tensor(0.25), torch.tensor(1.0)))
        0.5625
    """
    return residual + variance * (1 - 2 * rest)


RULES: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "gcv": lambda residual, rest, variance: gcv(residual, rest),
    "discrepancy": lambda residual, rest, variance: discrepancy(residual, variance),
    "sure": sure,
}
"""Name of a rule -> score of (residual, rest, noise variance), each (B, 1, 1, 1); the least score wins."""


def tikhonov_weight(
    energy: Tensor, otf: Tensor, penalty: Tensor, sigma: Tensor, rule: str, shape: tuple[int, int]
) -> Tensor:
    """Weight of least score for ``left = weight penalty / (|H|^2 + weight penalty)``.

    Args:
        energy: ``|Y|^2 / (H W)`` of the observed images (B, 1, H, W // 2 + 1): :func:`image_energy` where they are
            periodic, else :func:`~blurlab.deconvolver.spectrum.tapered_energy`.
        otf: H (B, 1, H, W // 2 + 1).
        penalty: Spectrum of what is penalised, >= 0, broadcast to otf.
        sigma: Noise standard deviation (B, 1, 1, 1); ``gcv`` itself does without.
        rule: A key of ``RULES``.
        shape: Grid (H, W).

    Returns:
        (B, 1, 1, 1), within 1e-9 ... 1e3, and no less than Bayes's for an image in [0, 1], whose variance is 1/4 at
        most: ``4 sigma^2 / max(penalty)``. Where y cannot meet the rule, as with a kernel that it was not seen through,
        or has too few pixels for cross-validation, the weight would be next to nothing, and the restored image noise.
    """
    power, variance = otf.abs().square(), sigma.square()
    tiny = torch.finfo(power.dtype).tiny

    def score(logarithm: Tensor) -> Tensor:
        weighed = 10**logarithm * penalty
        left = weighed / (power + weighed).clamp_min(tiny)
        return RULES[rule](*residual_and_rest(energy, left, shape), variance)

    best = 10 ** lowest(score, torch.full_like(sigma, -9.0), torch.full_like(sigma, 3.0))
    return best.maximum(4 * variance / penalty.max())


def lowest(
    score: Callable[[Tensor], Tensor], low: Tensor, high: Tensor, points: int = 37, refinements: int = 8
) -> Tensor:
    """Where a function is least, for each image: the best of a grid, refined by golden sections between its neighbours.

    Args:
        score: Function of a tensor shaped as low, element by element.
        low: Lower ends.
        high: Upper ends, > low.
        points: Of the grid, both ends among them, >= 2.
        refinements: Golden sections; each leaves .618 of the bracket.

    Returns:
        Places, shaped as low.

    Example:
        >>> place = torch.tensor([0.3, 0.71])
        >>> lowest(lambda x: (x - place).square(), torch.zeros(2), torch.ones(2), 11, 20).round(decimals=3)
        tensor([0.3000, 0.7100])
    """
    spacing = (high - low) / (points - 1)
    best, least = low, score(low)
    for n in range(1, points):
        here = low + n * spacing
        value = score(here)
        best, least = torch.where(value < least, here, best), torch.minimum(value, least)
    a, b = torch.maximum(best - spacing, low), torch.minimum(best + spacing, high)
    c, d = b - GOLDEN * (b - a), a + GOLDEN * (b - a)
    at_c, at_d = score(c), score(d)
    for _ in range(refinements):
        left = at_c < at_d
        a, b = torch.where(left, a, c), torch.where(left, d, b)
        new = torch.where(left, b - GOLDEN * (b - a), a + GOLDEN * (b - a))
        value = score(new)
        c, d = torch.where(left, new, d), torch.where(left, c, new)
        at_c, at_d = torch.where(left, value, at_d), torch.where(left, at_c, value)
    return torch.where(at_c < at_d, c, d)
