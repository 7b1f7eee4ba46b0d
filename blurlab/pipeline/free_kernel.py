"""The kernel itself, pixel by pixel, by one network: for blurs that no few parameters describe."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from typing import Self

import torch
from torch import Tensor, nn

from blurlab.blur import BlurFamily
from blurlab.blur.shape import check_size
from blurlab.head import KernelTarget, RepeatedStage
from blurlab.head.repeated_stage import LEAST_PX, MARGIN_PX
from blurlab.pipeline.choice import RiskTable
from blurlab.pipeline.estimate import BlurEstimate, by_kernel
from blurlab.pipeline.identifier import Identifier
from blurlab.pipeline.shipped import load_nets
from blurlab.pipeline.task import Task


class FreeKernel(Identifier):
    """A head whose outputs are the pixels of the kernel; neither a kind nor a strength is named.

    Args:
        family: Blurs of any kind; their kernels are what is learned.
        target: Makes from the kernels' side what a kernel costs in training.
        size: Side of the kernels that are estimated, odd; None for that of the family's, or the one that the data set
            tells of an image where the weights are of a :class:`~blurlab.head.RepeatedStage`, which has any.
        head: Makes the network from its number of outputs, where ``weights`` are given.
        weights: A file of the package's ``pipeline/weights`` by its name, or another's path; None: a run trains it.

    Raises:
        FileNotFoundError: If there is no such file of weights.
        ValueError: If the blurs vary over the image, the kernels to learn are of another size than the family's, or the
            weights do not fit.
    """

    def __init__(
        self,
        family: BlurFamily,
        target: Callable[[int], KernelTarget] = KernelTarget,
        size: int | None = None,
        head: Callable[..., nn.Module] | None = None,
        weights: str | None = None,
    ) -> None:
        if family.varies:
            raise ValueError(
                f"a {family.kinds[0]} varies over the image, and one kernel is learned; use pipeline=known"
            )
        super().__init__(family)
        if weights is None and size not in (None, family.size):
            raise ValueError(
                f"kernels of {size} px cannot be learned from blurs of {family.size}; set blur.size={size}, "
                "or name weights"
            )
        self.size, self.target_of = size, target
        self.target = target(family.size if size is None else size)
        self.own = None if weights is None else loaded(weights, head, len(self.target))

    @property
    def tasks(self) -> tuple[Task, ...]:
        return (Task("kernel", self.target, self.family),) if self.own is None else ()

    def told_size(self, size_px: int) -> Self:
        """The same for kernels of this side and a margin, unless the options name a side or the network has but one.

        Raises:
            ValueError: If the side is even.
        """
        if self.size is not None or not isinstance(self.own, RepeatedStage):
            return self
        check_size(size_px)
        return self.of_side(max(size_px, LEAST_PX) + MARGIN_PX)

    def of_side(self, side: int) -> Self:
        """The same for kernels of this odd side.

        Raises:
            ValueError: If the network is for one side alone, or the side is even or below 1.
        """
        if not isinstance(self.own, RepeatedStage):
            raise ValueError("only a network of head=repeated_stage with weights is for kernels of any side")
        told = copy(self)
        told.own = self.own.of_side(side)
        told.target = self.target_of(side)
        return told

    def identify(self, y: Tensor, nets: Mapping[str, nn.Module], risks: Mapping[str, RiskTable]) -> BlurEstimate:
        net = nets["kernel"] if self.own is None else self.own.to(y.device)
        psf = self.target.read(net(y))
        return by_kernel(psf, torch.ones(len(y), dtype=torch.bool, device=y.device))


def loaded(weights: str, head: Callable[..., nn.Module] | None, outputs: int) -> nn.Module:
    """A head with the weights of a file, in evaluation mode.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If there is no head, or the weights are another network's.
    """
    if head is None:
        raise ValueError(f"weights={weights} are a network's; give the head that they are of")
    net = head(num_classes=outputs)
    try:
        net.load_state_dict(load_nets(weights, ("kernel",))["kernel"])
    except (KeyError, RuntimeError) as error:
        said = " ".join(str(error).split())[:200]
        raise ValueError(f"{weights} holds another network; choose the options of its card ({said})") from error
    return net.eval()
