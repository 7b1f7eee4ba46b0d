"""Networks with what belongs before and after them, so that a runtime needs no code of blurlab's."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from blurlab.deconvolver.base import SIGMA_FLOOR
from blurlab.deconvolver.scale import LEAST_EXPONENT
from blurlab.deconvolver.unrolled_dr import UnrolledDR
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


class Restoring(nn.Module):
    """:class:`~blurlab.deconvolver.UnrolledDR` as :class:`~blurlab.deconvolver.Learned` calls it, at an image's level.

    What a deconvolver does besides is left out: errors for bad arguments, and y kept where noise hides the blur.

    Args:
        net: The network, with its weights.
    """

    def __init__(self, net: UnrolledDR) -> None:
        super().__init__()
        self.net = net

    def forward(self, y: Tensor, psf: Tensor, sigma: Tensor) -> Tensor:
        """Restore.

        Args:
            y: Observed images (B, C, H, W) on the [0, 1] scale.
            psf: Kernels (B, 1, k, k), sum 1.
            sigma: Noise standard deviation (B,).

        Returns:
            (B, C, H, W).
        """
        level = _level(y)
        noise = sigma.reshape(-1, 1, 1, 1).maximum(SIGMA_FLOOR * level)
        restored: Tensor = self.net(y / level, psf, noise / level)
        return restored * level


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
