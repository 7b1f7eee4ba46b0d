"""Identify, choose the kernel, deconvolve: as one object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from blurlab.core.checks import check_images, is_flat
from blurlab.deconvolver import Deconvolver
from blurlab.pipeline.choice import RiskTable
from blurlab.pipeline.identification import Identification, Identifier, is_identity, uninformative


@dataclass(frozen=True)
class Deblurred:
    """Restored images (B, C, H, W) and what was found; images found sharp are returned unchanged."""

    image: Tensor
    found: Identification


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

    @torch.no_grad()
    def identify(self, y: Tensor) -> Identification:
        """What blur is in these images (B, C, H, W)? Of a constant one nothing can be told: every kind is as likely."""
        check_images(y, "y")
        flat = is_flat(y)
        if not bool(flat.any()):
            return self.identifier.identify(y, self.nets, self.risks)
        rows = (~flat).nonzero().squeeze(1)
        known = self.identifier.identify(y[rows], self.nets, self.risks) if len(rows) else None
        return uninformative(self.identifier.family, y).with_rows(rows, known)

    @torch.no_grad()
    def __call__(self, y: Tensor, sigma: float | Tensor) -> Deblurred:
        """Identify and restore images (B, C, H, W) with noise of standard deviation sigma, a float or (B,)."""
        found = self.identify(y)
        image = y.clone()
        rows = (~is_identity(found.psf)).nonzero().squeeze(1)
        if len(rows):
            noise = sigma[rows] if isinstance(sigma, Tensor) and sigma.ndim else sigma
            image[rows] = self.deconvolver(y[rows], found.psf[rows], noise).image
        return Deblurred(image, found)
