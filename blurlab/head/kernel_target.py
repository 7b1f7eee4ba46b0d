"""A free-form kernel as what a head is asked for: each output is a pixel of it."""

from __future__ import annotations

from torch import Tensor

from blurlab.blur.shape import check_size, recentred
from blurlab.head.labels import Target
from blurlab.metric import psf_snr
from blurlab.physics import Degraded

SMALLEST = 1e-8
"""Relative squared error below which kernels count as equal: 80 dB."""


class KernelTarget(Target):
    """The kernel itself, ``size`` x ``size`` outputs: their softmax is non-negative and sums to 1.

    Its loss is the logarithm of the relative squared error ``|h - g|^2 / |h|^2`` of the kernels h and g, both with
    their centre of mass on the centre pixel: where a kernel lies cannot be seen in the observed image. The mean of the
    logarithm is the mean SNR up to a factor; the mean of the error would be that of the images that tell least.

    Args:
        size: Side of the kernels, odd.

    Raises:
        ValueError: If the size is even.

    Example:
        >>> import torch
        >>> target = KernelTarget(3)
        >>> len(target), target.names[0], target.read(torch.zeros(1, 9))[0, 0, 0]
        (9, 'h(-1, -1)', tensor([0.1111, 0.1111, 0.1111]))
    """

    def __init__(self, size: int) -> None:
        check_size(size)
        self.size = size
        offsets = range(-(size // 2), size // 2 + 1)
        self.names = tuple(f"h({row}, {column})" for row in offsets for column in offsets)

    def read(self, output: Tensor) -> Tensor:
        """The kernels (n, 1, size, size) in outputs (n, size^2), their centre of mass on the centre pixel."""
        return recentred(output.float().softmax(1).reshape(-1, 1, self.size, self.size))

    def loss(self, output: Tensor, truth: Degraded) -> Tensor:
        true = recentred(truth.psf)
        error = (self.read(output) - true).square().sum((1, 2, 3))
        return (error / true.square().sum((1, 2, 3))).clamp_min(SMALLEST).log()

    def figures(self, output: Tensor, truth: Degraded) -> dict[str, Tensor]:
        """``psf_snr``: that of the kernel in dB, against the true one as it lies."""
        return {"psf_snr": psf_snr(self.read(output), truth.psf)}


class KernelSquares(KernelTarget):
    """:class:`KernelTarget` with the squared error ``|h - g|^2`` itself [Schuler2016]; kernels are taken as they lie.

    Example:
        >>> import torch
        >>> KernelSquares(3).read(torch.zeros(1, 9))[0, 0, 0]
        tensor([0.1111, 0.1111, 0.1111])
    """

    def read(self, output: Tensor) -> Tensor:
        """The kernels (n, 1, size, size) in outputs (n, size^2)."""
        return output.float().softmax(1).reshape(-1, 1, self.size, self.size)

    def loss(self, output: Tensor, truth: Degraded) -> Tensor:
        return (self.read(output) - truth.psf).square().sum((1, 2, 3))
