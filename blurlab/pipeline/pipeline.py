"""Identify, choose the kernel, deconvolve: as one object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from blurlab.core.checks import check_images, is_flat
from blurlab.deconvolver import Deconvolver
from blurlab.pipeline.choice import RiskTable
from blurlab.pipeline.estimate import BlurEstimate
from blurlab.pipeline.identifier import Identifier


@dataclass(frozen=True)
class Deblurred:
    """Restored images (B, C, H, W) and the blur that was found; images found sharp are returned unchanged."""

    image: Tensor
    estimate: BlurEstimate


class Pipeline:
    """A trained identifier and a deconvolver.

    Args:
        identifier: Asks the tasks.
        nets: A trained head for each task, by the task's name.
        risks: A risk table for each task that picks a kernel.
        deconvolver: Restores with the kernel chosen.
    """

    def __init__(
        self,
        identifier: Identifier,
        nets: Mapping[str, nn.Module],
        risks: Mapping[str, RiskTable],
        deconvolver: Deconvolver,
    ) -> None:
        self.identifier = identifier
        self.nets = nets
        self.risks = risks
        self.deconvolver = deconvolver

    def told_size(self, size_px: int) -> Pipeline:
        """The same with its identifier told the odd side of the kernels [px]."""
        return Pipeline(self.identifier.told_size(size_px), self.nets, self.risks, self.deconvolver)

    @torch.no_grad()
    def identify(self, y: Tensor) -> BlurEstimate:
        """What blur is in these images (B, C, H, W)? Of a constant one nothing can be told: every kind is as likely."""
        check_images(y, "y")
        flat = is_flat(y)
        if not bool(flat.any()):
            return self.identifier.identify(y, self.nets, self.risks)
        rows = (~flat).nonzero().squeeze(1)
        nothing = self.identifier.uninformed(y)
        return (
            nothing.with_rows(rows, self.identifier.identify(y[rows], self.nets, self.risks)) if len(rows) else nothing
        )

    @torch.no_grad()
    def __call__(self, y: Tensor, sigma: float | Tensor) -> Deblurred:
        """Identify and restore images (B, C, H, W) with noise of standard deviation sigma, a float or (B,)."""
        estimate = self.identify(y)
        return Deblurred(self.restore(y, estimate, sigma), estimate)

    @torch.no_grad()
    def restore(self, y: Tensor, estimate: BlurEstimate, sigma: float | Tensor | None) -> Tensor:
        """Undo an estimated blur: images (B, C, H, W), those that are not blurred as they are.

        Args:
            y: Observed images (B, C, H, W).
            estimate: Their blur.
            sigma: Noise standard deviation, a float or (B,); None where the deconvolver measures it.
        """
        image = y.clone()
        for rows, deconvolver in estimate.suited(self.deconvolver):
            noise = sigma[rows] if isinstance(sigma, Tensor) and sigma.ndim else sigma
            image[rows] = deconvolver(y[rows], estimate.blur.rows(rows), noise).image
        return image
