"""A kernel of any shape, estimated from the image alone, without a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from typing import Self

import torch
from torch import Tensor, nn

from blurlab.blind import blind_kernel
from blurlab.blur import BlurFamily, of_side
from blurlab.blur.shape import check_size
from blurlab.pipeline.choice import RiskTable
from blurlab.pipeline.estimate import BlurEstimate, by_kernel
from blurlab.pipeline.identifier import Identifier
from blurlab.pipeline.task import Task


class Blind(Identifier):
    """The classical blind method of :func:`~blurlab.blind.blind_kernel`; neither a kind nor a strength is named.

    Args:
        family: The blurs of the run, of any kind; the method knows nothing of them.
        size: Odd side of the kernels, px; None where the data set tells it of each image, as published tables do.
        refinements: Steps on the kernel after the last scale.
        start: Makes from the family another method, as a network with its weights, whose kernel is a start as well;
            None: the coarsest scale's alone.

    Raises:
        TypeError: If the size is no whole number.
        ValueError: If the size is even, the number of refinements negative, or the start has to be trained.
    """

    def __init__(
        self,
        family: BlurFamily,
        size: int | None = None,
        refinements: int = 3,
        start: Callable[[BlurFamily], Identifier] | None = None,
    ) -> None:
        super().__init__(family)
        if size is not None:
            check_size(size)
        if refinements < 0:
            raise ValueError(f"refinements must be 0 or more, got {refinements}")
        self.size = size
        self.refinements = refinements
        self.start = None if start is None else start(family)
        if self.start is not None and self.start.tasks:
            raise ValueError("the start of pipeline=blind must not need a training; name weights")
        if self.start is not None and size is not None:
            self.start = self.start.told_size(size)

    @property
    def tasks(self) -> tuple[Task, ...]:
        return ()

    def told_size(self, size_px: int) -> Self:
        """The same for kernels of this odd side, unless the options name one."""
        if self.size is not None:
            return self
        told = copy(self)
        told.size = size_px
        told.start = None if self.start is None else self.start.told_size(size_px)
        return told

    def identify(self, y: Tensor, nets: Mapping[str, nn.Module], risks: Mapping[str, RiskTable]) -> BlurEstimate:
        """The kernel of each image; colours are averaged.

        Raises:
            ValueError: If nobody told the size of the kernels, or an image is too small for it.
        """
        if self.size is None:
            raise ValueError("pipeline=blind must be told the size of the kernels; give an odd pipeline.size, in px")
        found = [] if self.start is None else [of_side(self.start.identify(y, nets, risks).psf, self.size)]
        psf = torch.stack([
            blind_kernel(
                image.mean(0), self.size, refinements=self.refinements, starts=[psfs[row, 0] for psfs in found]
            )
            for row, image in enumerate(y)
        ])  # fmt: skip
        return by_kernel(psf[:, None], torch.ones(len(y), dtype=torch.bool, device=y.device))
