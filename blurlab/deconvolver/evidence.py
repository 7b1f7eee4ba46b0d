"""How much single pixels say: those of a photograph differ in noise, and clipped ones say little."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from blurlab.deconvolver.iteration import BatchState


@dataclass
class Nearest(BatchState):
    """The pixels s that are nearest to what was observed and, by a penalty, to what an image explains."""

    own: Tensor
    """The observed part of s (B, C, H, W)."""
    share: Tensor
    """How much of the explained counts, in [0, 1]: (B, 1, 1, 1), or one per pixel."""
    most: Tensor | None = None
    """Greatest value that is taken as explained, however far above y: infinite for clipped pixels, minus that else."""

    def to(self, explained: Tensor) -> Tensor:
        """Their values for what the present image explains of the same pixels (B, C, H, W)."""
        s = torch.addcmul(self.own, explained, self.share)
        return s if self.most is None else torch.maximum(s, torch.minimum(explained, self.most), out=s)


@dataclass
class Evidence(BatchState):
    """What is known of each pixel of y, all of y's shape (B, C, H, W)."""

    weight: Tensor
    """``sigma^2 / sigma_i^2``, sigma the noise that the solver is told and sigma_i that of the pixel, >= 0."""
    clipped: Tensor
    """Pixels (bool) of which y says no more than that there was at least so much light."""
    contrast: Tensor
    """How much total variation counts at the pixel, > 0: less where all differences are large, as in bright light."""

    def at(self, y: Tensor, penalty: Tensor) -> Nearest:
        """``argmin_s weight (s - y)^2 + penalty (s - explained)^2``; for a clipped pixel no s above y is a misfit.

        Args:
            y: Observed images (B, C, H, W).
            penalty: (B, 1, 1, 1), > 0.

        Example:
            >>> y, explained = torch.ones(1, 1, 1, 2), torch.tensor([[[[1.5, 0.5]]]])
            >>> one = torch.ones(1, 1, 1, 1)
            >>> Evidence(weight=y, clipped=y >= 1, contrast=y).at(y, one).to(explained).flatten()
            tensor([1.5000, 0.7500])
        """
        share = penalty / (self.weight + penalty)
        most = y.new_full((), -torch.inf).where(~self.clipped, torch.inf) if self.clipped.any() else None
        return Nearest((1 - share).mul_(y), share, most)


def alike(y: Tensor, penalty: Tensor, out: Tensor | None = None) -> Nearest:
    """:meth:`Evidence.at` where all pixels say as much, their weight 1; ``out`` is room for the part that is y's own.

    Example:
        >>> alike(torch.ones(1, 1, 1, 1), torch.ones(1, 1, 1, 1)).to(torch.full((1, 1, 1, 1), 0.5)).flatten()
        tensor([0.7500])
    """
    return Nearest(torch.div(y, 1 + penalty, out=out), penalty / (1 + penalty))
