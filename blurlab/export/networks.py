"""Networks with what belongs before and after them, so that a runtime needs no code of blurlab's."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from blurlab.core.checks import is_flat
from blurlab.deconvolver.base import SIGMA_FLOOR
from blurlab.deconvolver.scale import LEAST_EXPONENT
from blurlab.head import LearningToDeblur
from blurlab.pipeline import Aberrations, FreeKernel
from blurlab.pipeline.calibration import PosteriorCalibration
from blurlab.pipeline.regression import SCALE, Regression


class Naming(nn.Module):
    """What one look of :class:`~blurlab.pipeline.Regression` at an image says, calibrated.

    ``blurlab deblur`` looks at smaller copies too, and at whether a kernel explains the photograph; this does not.

    Args:
        identifier: Without refinement.
        nets: Its networks by name.

    Raises:
        ValueError: If the identifier refines, which is no network's work.
    """

    def __init__(self, identifier: Regression, nets: dict[str, nn.Module]) -> None:
        super().__init__()
        if identifier.refiners:
            raise ValueError("an identifier that refines its answers is no network alone; use one without refine")
        scale = nets[SCALE]
        assert isinstance(scale, PosteriorCalibration)
        self.net, self.scale, self.target = nets["blur"], scale, identifier.target
        self.kinds, self.names = identifier.family.kinds, identifier.family.names

    def forward(self, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Name and measure.

        Args:
            y: Photographs (B, C, H, W) in [0, 1], in the values of their files.

        Returns:
            Probabilities of ``kinds`` (B, K); the parameters ``names`` (B, P), each as if its kind were the true one,
            NaN where no image tells it; half of their 90 % intervals (B, P).
        """
        read = self.target.read(self.net(y))
        return self.scale(read.logits), read.params, self.scale.multiple.to(y) * read.spread


class FreeKernels(nn.Module):
    """The kernel that the network of :class:`~blurlab.pipeline.FreeKernel` sees in an image.

    Args:
        identifier: With weights.

    Raises:
        ValueError: If it has none.
    """

    def __init__(self, identifier: FreeKernel) -> None:
        super().__init__()
        net = _own(identifier.own)
        self.net, self.target = net.settled() if isinstance(net, LearningToDeblur) else net, identifier.target

    def forward(self, y: Tensor) -> Tensor:
        """Kernels (B, 1, k, k), sum 1, of images (B, C, H, W) in [0, 1]."""
        return self.target.read(self.net(y))


class ZernikeCoefficients(nn.Module):
    """What the network of :class:`~blurlab.pipeline.Aberrations` believes of an objective, before any likelihood.

    The pipeline goes on from there: it fits the coefficients to the image's spectrum, which is no network's work.

    Args:
        identifier: With weights.

    Raises:
        ValueError: If it has none.
    """

    def __init__(self, identifier: Aberrations) -> None:
        super().__init__()
        self.net, self.target = _own(identifier.own), identifier.target
        self.names = identifier.target.family.names

    def forward(self, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Measure.

        Args:
            y: Images (B, C, H, W) in [0, 1], 64 px a side or more.

        Returns:
            The coefficients ``names`` (B, P) in waves; their covariance (B, P, P); kernels (B, 1, k, k), sum 1, which
            are an answer of their own, not those of the coefficients.
        """
        told = self.target.read(self.net(y))
        inverse = inverse_of_lower(told.root)
        return told.mean, inverse.mT @ inverse, told.psf


class Restoring(nn.Module):
    """A network as :class:`~blurlab.deconvolver.Learned` calls it, at an image's level.

    What a deconvolver does besides is left out: errors for bad arguments, and y kept where noise hides the blur.

    Args:
        net: The network, with its weights: (B, C, H, W), (B, 1, k, k), (B, 1, 1, 1) -> (B, C, H, W).
    """

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, y: Tensor, psf: Tensor, sigma: Tensor) -> Tensor:
        """Restore.

        Args:
            y: Observed images (B, C, H, W) on the [0, 1] scale.
            psf: Kernels (B, 1, k, k), sum 1.
            sigma: Noise standard deviation (B,).

        Returns:
            (B, C, H, W); what is constant, or all but saturated, as it is.
        """
        level = _level(y)
        noise = sigma.reshape(-1, 1, 1, 1).maximum(SIGMA_FLOOR * level)
        restored: Tensor = self.net(y / level, psf, noise / level)
        return torch.where(is_flat(y / level)[:, None, None, None], y, restored * level)


def inverse_of_lower(root: Tensor) -> Tensor:
    """Inverses of lower triangular matrices (B, P, P), row by row: runtimes have products alone.

    Example:
        >>> inverse_of_lower(torch.tensor([[[2.0, 0.0], [1.0, 4.0]]]))
        tensor([[[ 0.5000,  0.0000],
                 [-0.1250,  0.2500]]])
    """
    side = root.shape[-1]
    one, rows = torch.eye(side, dtype=root.dtype, device=root.device), list[Tensor]()
    for i in range(side):
        row = one[i] - sum((root[:, i, j, None] * rows[j] for j in range(i)), torch.zeros_like(root[:, i]))
        rows.append(row / root[:, i, i, None])
    return torch.stack(rows, 1)


def _own(net: nn.Module | None) -> nn.Module:
    if net is None:
        raise ValueError("an identifier without weights has no network to export; give it weights")
    return net


def _level(y: Tensor) -> Tensor:
    """:func:`~blurlab.deconvolver.scale.image_level` for the scale [0, 1], in operations that every runtime has.

    Example:
        >>> _level(torch.tensor([0.9, 0.4, 0.9 / 256, 0.0]).reshape(4, 1, 1, 1).expand(-1, 1, 2, 2)).flatten()
        tensor([1.0000, 0.5000, 0.0039, 1.0000])
    """
    brightest = torch.minimum(y[..., 1:, 1:], y[..., :-1, :-1]).amax((1, 2, 3))
    steps = 0.5 ** torch.arange(1, 1 - LEAST_EXPONENT, dtype=y.dtype, device=y.device)
    halvings = (brightest[:, None] < steps).to(y.dtype).sum(1)
    level = torch.where(brightest > 0, torch.exp2(-halvings), torch.ones_like(brightest))
    return level.reshape(-1, 1, 1, 1)
