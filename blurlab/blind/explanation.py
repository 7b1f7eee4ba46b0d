"""How well a kernel explains a photograph, whether light or the values of its file were blurred."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from blurlab.blind.judge import misfit, normalised_sparsity
from blurlab.blur import pad_to_odd
from blurlab.core.fourier import irfft2, rfft2
from blurlab.deconvolver import TV
from blurlab.noise import Response, effective_sigma

AS_GOOD = 1.05
"""Kernels whose cost is no more than this times the least are averaged."""
AGREED = 1.02
"""The mean of such kernels is taken where its cost is no more than this times the least."""
ENOUGH = 0.5
"""A misfit of this share of the noise that is assumed is as good as none."""
EXCESS = 0.3
"""What a misfit of once the noise more than that costs, as a share of the sparsity."""
AT_ONCE = 8
"""Kernels that are undone together: memory is bounded."""


@dataclass(frozen=True)
class Explanation:
    """A kernel of a photograph, and what is left where it is undone.

    Attributes:
        psf: (k, k), for the copy of the photograph that was looked at.
        response: Its curve between what was blurred and the values of the file.
        sparsity: Normalised sparsity of the restored values over that of the observed ones: less is sharper.
        misfit: Root mean square of the observed values less those that the kernel explains, over their noise.
        handicap: By which factor the kernel has to be better than others.
        scale: By how much the sides of the copy are divided.
    """

    psf: Tensor
    response: Response
    sparsity: float
    misfit: float
    handicap: float = 1.0
    scale: int = 1

    @property
    def cost(self) -> float:
        """The less, the better a kernel: sharp gradients, and a misfit that noise explains."""
        return self.handicap * self.sparsity * (1 + EXCESS * max(self.misfit - ENOUGH, 0.0))


def explanations(
    seen: Tensor, psfs: Sequence[Tensor], handicaps: Sequence[float], response: Response, scale: int = 1
) -> list[Explanation]:
    """What is left of a photograph by each of some kernels.

    Args:
        seen: What was blurred (H, W), grey, in [0, 1].
        psfs: Kernels (k, k), all of one odd side below H and W.
        handicaps: One for each.
        response: Turns ``seen`` into values of a file.
        scale: By how much the sides of the photograph were divided.
    """
    y, cut = seen[None, None], psfs[0].shape[-1] // 2
    values = response.encode(y)
    before, noise = normalised_sparsity(values, cut), effective_sigma(values)
    found: list[tuple[float, float]] = []
    for some in torch.stack(list(psfs))[:, None].split(AT_ONCE):
        same = y.expand(len(some), -1, -1, -1)
        image = TV()(same, some).image
        sparsity = normalised_sparsity(response.encode(image), cut) / before
        left = misfit(image, some, same, response) / noise
        found += zip(sparsity.tolist(), left.tolist(), strict=True)
    each = zip(psfs, found, handicaps, strict=True)
    return [Explanation(psf, response, sharp, rest, handicap, scale) for psf, (sharp, rest), handicap in each]


def agreed(seen: Tensor, found: Sequence[Explanation]) -> Explanation:
    """The mean of the kernels that explain a photograph about as well as the best of them, or that one.

    Which of several is the best is chance where their costs are nearly equal; what is wrong in one of them is not in
    the others.

    Args:
        seen: What was blurred (H, W), in the size and the response of the best of ``found``.
        found: Explanations, at least one.
    """
    best = min(found, key=lambda one: one.cost)
    alike = [
        one
        for one in found
        if one.response is best.response and one.scale == best.scale and one.cost <= AS_GOOD * best.cost
    ]
    side = max(one.psf.shape[-1] for one in alike)
    first = pad_to_odd(best.psf[None, None], side)[0, 0]
    moved = [moved_onto(pad_to_odd(one.psf[None, None], side)[0, 0], first) for one in alike]
    (mean,) = explanations(seen, [torch.stack(moved).mean(0)], [best.handicap], best.response, best.scale)
    return mean if len(alike) > 1 and mean.cost <= AGREED * best.cost else best


def moved_onto(psf: Tensor, other: Tensor) -> Tensor:
    """A kernel (k, k) moved round by whole pixels to where it is most alike another one (k, k).

    Example:
        >>> psf = torch.zeros(3, 3); psf[0, 1] = 1
        >>> moved_onto(psf.roll(1, 0), psf).equal(psf)
        True
    """
    alike = irfft2(rfft2(psf).conj() * rfft2(other), (psf.shape[-2], psf.shape[-1]))
    down, across = divmod(int(alike.argmax()), psf.shape[-1])
    return psf.roll((down, across), (0, 1))
