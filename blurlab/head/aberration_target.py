"""The coefficients of an objective, their covariance, and the kernel itself: what a head is asked of aberrations."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from blurlab.blur import Zernike
from blurlab.core.rng import generator
from blurlab.head.labels import Target
from blurlab.metric import psf_snr
from blurlab.physics import Degraded

PIXEL = 0.01
"""An output of 1 is so much of a pixel of the kernel."""
LOG_ROOT = (-2.0, 4.5)
"""Limits of the log of the diagonal of the precision's Cholesky factor, in largest amplitudes."""
SMALLEST = 1e-4
"""Relative squared error added before the logarithm: more than 40 dB are not asked for."""

FIRST = 0.3
"""By what the last layer's first weights are multiplied: at first all images are told nearly the same."""
DRAWS = 512
"""Kernels whose mean is the first answer."""


@dataclass(frozen=True)
class Believed:
    """What outputs stand for.

    Attributes:
        psf: Kernels (n, 1, k, k), the guess of least error; not that of the mean coefficients.
        mean: Of the coefficients (n, P), in waves, the sign of the family's first even polynomial not negative.
        root: Lower Cholesky factor of their precision (n, P, P), 1 / waves.
    """

    psf: Tensor
    mean: Tensor
    root: Tensor


class AberrationTarget(Target):
    """A Gaussian of the coefficients and, beside it, every pixel of the kernel.

    The loss is ``log(|h - g|^2 / |h|^2)`` of the kernels h and g, the mean SNR in training photographs but for its
    sign, and ``share`` times the negative log-likelihood of the coefficients. They are two answers: where a sign is not
    known the best kernel is none of the family's.

    Args:
        family: Of the objective.
        share: Of the coefficients in the loss.

    Example:
        >>> target = AberrationTarget(Zernike(0.1, [4, 7], pixel_nm=100, size=15))
        >>> len(target), target.names[:3]
        (230, ('noll4_waves', 'noll7_waves', 'root(0, 0)'))
    """

    def __init__(self, family: Zernike, share: float = 0.15) -> None:
        self.family, self.share = family, share
        self.scale = torch.tensor([max(abs(low), abs(high), 1e-6) for low, high in family.bounds])
        count = len(family.names)
        self.lower = torch.tril_indices(count, count)
        roots = (f"root({row}, {column})" for row, column in self.lower.T.tolist())
        pixels = (f"h({row}, {column})" for row in range(family.size) for column in range(family.size))
        self.names = (*family.names, *roots, *pixels)

    def read(self, output: Tensor) -> Believed:
        """The kernels and coefficients in outputs (n, len(names))."""
        output, count = output.float(), len(self.family.names)
        scale, pairs = self.scale.to(output.device), self.lower.shape[1]
        root = output.new_zeros(len(output), count, count)
        root[:, self.lower[0], self.lower[1]] = output[:, count : count + pairs]
        diagonal = root.diagonal(dim1=1, dim2=2).clamp(*LOG_ROOT).exp()
        root = (root.tril(-1) + torch.diag_embed(diagonal)) / scale[:, None]
        pixels = (PIXEL * output[:, count + pairs :]).clamp_min(0).reshape(-1, 1, self.family.size, self.family.size)
        psf = pixels / pixels.sum((2, 3), keepdim=True).clamp_min(PIXEL)
        return Believed(psf, output[:, :count] * scale, root)

    def begin(self, net: nn.Module) -> None:
        """Let a network name nearly the family's mean kernel of every image: pixels that are always 0 do not learn."""
        last = [layer for layer in net.modules() if isinstance(layer, nn.Linear)][-1]
        with torch.no_grad():
            last.weight.mul_(FIRST)
            last.bias.copy_(self.uninformed())

    def uninformed(self) -> Tensor:
        """Outputs (len(names),) that say nothing of an image: the family's mean kernel."""
        psf = self.family.sample(DRAWS, generator=generator(0, "mean kernel")).psf.mean(0).flatten()
        return torch.cat([psf.new_zeros(len(self.names) - len(psf)), psf / PIXEL])

    def loss(self, output: Tensor, truth: Degraded) -> Tensor:
        return self.loss_of(output, truth.psf, truth.params)

    def loss_of(self, output: Tensor, psf: Tensor, params: Tensor) -> Tensor:
        """The loss (n,) beside the true kernels (n, 1, k, k) and coefficients (n, P)."""
        believed = self.read(output)
        relative = (believed.psf - psf).square().sum((1, 2, 3)) / psf.square().sum((1, 2, 3))
        off = params - believed.mean
        unlikely = 0.5 * (off[:, None] @ believed.root).square().sum((1, 2))
        unlikely = unlikely - (believed.root.diagonal(dim1=1, dim2=2) * self.scale.to(off)).log().sum(1)
        return (relative + SMALLEST).log() + self.share * unlikely

    def figures(self, output: Tensor, truth: Degraded) -> dict[str, Tensor]:
        """``psf_snr``: that of the kernel in dB."""
        return {"psf_snr": psf_snr(self.read(output).psf, truth.psf)}
