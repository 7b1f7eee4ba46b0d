"""The kernel itself, pixel by pixel, by one network: for blurs that no few parameters describe."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from blurlab.blur import BlurFamily
from blurlab.head import KernelTarget
from blurlab.pipeline.choice import RiskTable
from blurlab.pipeline.estimate import BlurEstimate, by_kernel
from blurlab.pipeline.identifier import Identifier
from blurlab.pipeline.task import Task


class FreeKernel(Identifier):
    """A head whose outputs are the pixels of the kernel; neither a kind nor a strength is named.

    Args:
        family: Blurs of any kind; their kernels are what is learned, and their size is that of the answer.
        target: Makes from the kernels' side what a kernel costs in training.

    Raises:
        ValueError: If the blurs vary over the image.
    """

    def __init__(self, family: BlurFamily, target: Callable[[int], KernelTarget] = KernelTarget) -> None:
        if family.varies:
            raise ValueError(
                f"a {family.kinds[0]} varies over the image, and one kernel is learned; use pipeline=known"
            )
        super().__init__(family)
        self.target = target(family.size)

    @property
    def tasks(self) -> tuple[Task, ...]:
        return (Task("kernel", self.target, self.family),)

    def identify(self, y: Tensor, nets: Mapping[str, nn.Module], risks: Mapping[str, RiskTable]) -> BlurEstimate:
        psf = self.target.read(nets["kernel"](y))
        return by_kernel(psf, torch.ones(len(y), dtype=torch.bool, device=y.device))
