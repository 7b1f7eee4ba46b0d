"""How much single pixels say: those of a photograph differ in noise, and clipped ones say little."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from blurlab.deconvolver.iteration import BatchState


@dataclass
class Evidence(BatchState):
    """What is known of each pixel of y, all of y's shape (B, C, H, W)."""

    weight: Tensor
    """``sigma^2 / sigma_i^2``, sigma the noise that the solver is told and sigma_i that of the pixel, >= 0."""
    clipped: Tensor
    """Pixels (bool) of which y says no more than that there was at least so much light."""
    contrast: Tensor
    """How much total variation counts at the pixel, > 0: less where all differences are large, as in bright light."""

    def between(self, y: Tensor, blurred: Tensor, penalty: Tensor) -> Tensor:
        """``argmin_s weight (s - y)^2 + penalty (s - blurred)^2``; for a clipped pixel no s above y is a misfit.

        Args:
            y: Observed images (B, C, H, W).
            blurred: H u, of the same shape.
            penalty: (B, 1, 1, 1), > 0.

        Example:
            >>> y, blurred = torch.ones(1, 1, 1, 2), torch.tensor([[[[1.5, 0.5]]]])
            >>> Evidence(weight=y, clipped=y >= 1, contrast=y).between(y, blurred, torch.ones(1, 1, 1, 1)).flatten()
            tensor([1.5000, 0.7500])
        """
        s = torch.addcmul(self.weight * y, blurred, penalty).div_(self.weight + penalty)
        return torch.where(self.clipped & (blurred > y), blurred, s)
