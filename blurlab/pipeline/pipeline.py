"""Identify, choose the kernel, deconvolve: as one object."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from blurlab.core.checks import check_images, is_flat
from blurlab.deconvolver import Deconvolver
from blurlab.pipeline.choice import RiskTable
from blurlab.pipeline.estimate import BlurEstimate
from blurlab.pipeline.identifier import Identifier
from blurlab.pipeline.one_photograph import restored


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
    def restore(
        self,
        y: Tensor,
        estimate: BlurEstimate,
        sigma: float | Tensor | None,
        *,
        tile: int | None = None,
        progress: Callable[[float], None] | None = None,
    ) -> Tensor:
        """Undo an estimated blur: images (B, C, H, W), those that are not blurred as they are.

        Args:
            y: Observed images (B, C, H, W).
            estimate: Their blur.
            sigma: Noise standard deviation, a float or (B,); None where the deconvolver measures it.
            tile: Restore one image after the other, a larger one in tiles of this side [px]; None: all at once, but
                for those of which the estimate asks more (:attr:`~blurlab.pipeline.estimate.BlurEstimate.alone`).
            progress: Called after each tile with the share of an image that is done.
        """
        alone = estimate.blurred if tile is not None else estimate.blurred & estimate.alone
        if alone.tolist() == [True]:  # a large photograph is not copied
            return restored(self.deconvolver, y, estimate, _of(sigma, alone), tile, progress)
        image = y.clone()
        for row in alone.nonzero():
            image[row] = restored(self.deconvolver, y[row], estimate.take(row), _of(sigma, row), tile, progress)
        for rows, deconvolver in replace(estimate, blurred=estimate.blurred & ~alone).suited(self.deconvolver):
            image[rows] = deconvolver(y[rows], estimate.blur.rows(rows), _of(sigma, rows)).image
        return image


def _of(sigma: float | Tensor | None, rows: Tensor) -> float | Tensor | None:
    """The noise of some of the images."""
    return sigma[rows] if isinstance(sigma, Tensor) and sigma.ndim else sigma
