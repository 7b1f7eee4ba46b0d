"""What patches of photographs look like: a Gaussian mixture, and the patch it makes of a noisy one [Zoran2011]."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

WEIGHTS = Path(__file__).parent / "weights" / "patch_prior.safetensors"
"""The mixture that comes with the package; the model card lies beside it."""
AT_ONCE = 512
"""Patches compared with all components at once: 13 MB for 100 components of 63 variances in float32."""

LEAST_SHARE = 1e-3
"""Components of a smaller posterior probability are left out."""


@dataclass(frozen=True)
class PatchPrior:
    """A mixture of K Gaussians without mean over upright patches of P pixels whose mean is taken off; D = P - 1.

    Attributes:
        vectors: Orthonormal eigenvectors of each covariance, in rows (K, D, P).
        variances: Their eigenvalues (K, D), intensities in [0, 1].
        log_weights: Logarithms of the weights (K,).
    """

    vectors: Tensor
    variances: Tensor
    log_weights: Tensor

    @property
    def side(self) -> int:
        """Side of a patch [px]."""
        return math.isqrt(self.vectors.shape[-1])

    def to(self, like: Tensor) -> PatchPrior:
        """The same on another tensor's device and in its type."""
        return PatchPrior(self.vectors.to(like), self.variances.to(like), self.log_weights.to(like))

    def log_likelihood(self, z: Tensor, noise: float) -> Tensor:
        """``log w_k + log N(z; 0, C_k + noise^2 I)`` of patches seen through noise, in their D dimensions.

        Args:
            z: Upright patches without mean (n, P).
            noise: Standard deviation of the noise on each pixel, >= 0.

        Returns:
            (n, K).
        """
        variances = self.variances + noise**2
        constant = self.log_weights - (variances.log().sum(1) + variances.shape[1] * math.log(2 * math.pi)) / 2
        whitening = (self.vectors * variances.rsqrt()[..., None]).flatten(0, 1)
        distances = (whitening @ z.mT).unflatten(0, variances.shape).square_().sum(1)
        return (constant[:, None] - distances / 2).mT

    def estimate(self, z: Tensor, noise: float) -> Tensor:
        """The patch behind a noisy one: ``sum_k p(k | z) C_k (C_k + noise^2 I)^-1 z``, the Wiener filters' mean.

        [Zoran2011] takes the filter of the most likely component alone; which that is, rounding may tip.

        Args:
            z: Patches (n, P) of any pose and mean.
            noise: Standard deviation of the noise on each pixel, > 0.

        Returns:
            (n, P), means as they were.
        """
        mean = z.mean(1, keepdim=True)
        z, turned = upright(z - mean)
        posterior = torch.cat([self.log_likelihood(some, noise).softmax(1) for some in z.split(AT_ONCE)])
        share = posterior.where(posterior > LEAST_SHARE, 0)
        share /= share.sum(1, keepdim=True)
        component, patch = share.mT.nonzero(as_tuple=True)
        count = torch.bincount(component, minlength=len(self.variances)).tolist()
        gains = self.variances / (self.variances + noise**2)
        result = torch.zeros_like(z)
        for weight, u, gain, those in zip(share.mT, self.vectors, gains, patch.split(count), strict=True):
            result[those] += weight[those, None] * ((z[those] @ u.mT * gain) @ u)
        return mean + turn(result, turned)

    def denoise(self, image: Tensor, noise: float, stride: int = 1, offset: int = 0) -> Tensor:
        """Mean of the estimates of overlapping patches, on a periodic grid.

        Args:
            image: (C, H, W), each channel by itself.
            noise: Standard deviation of the noise, > 0.
            stride: Distance of neighbouring patches, down and across, at most ``side`` [px].
            offset: Row and column of the first patch [px].

        Returns:
            (C, H, W).
        """
        channels, height, width = image.shape
        down, across = (self._places(length, stride, offset).to(image.device) for length in (height, width))
        places = (down[:, None, :, None] * width + across[None, :, None, :]).flatten()
        planes = image.flatten(1)
        z = self.estimate(planes[:, places].reshape(-1, self.side**2), noise)
        total = torch.zeros_like(planes).index_add_(1, places, z.reshape(channels, -1))
        count = torch.bincount(places, minlength=height * width)
        return (total / count).reshape(image.shape)

    def _places(self, length: int, stride: int, offset: int) -> Tensor:
        """Places (n, side) along a periodic axis of the patches that cover it."""
        first = offset + stride * torch.arange(-(-length // stride))
        return (first[:, None] + torch.arange(self.side)) % length


def upright(z: Tensor) -> tuple[Tensor, Tensor]:
    """Lay patches so that they change most from left to right: a photograph on its side is as likely as upright.

    Args:
        z: Square patches (n, P).

    Returns:
        The patches (n, P), transposed where they changed most from top to bottom; and where that was (n,).

    Example:
        >>> upright(torch.tensor([[0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 0.0, 1.0]]))
        (tensor([[0., 1., 0., 1.],
                [0., 1., 0., 1.]]), tensor([ True, False]))
    """
    patch = z.unflatten(-1, (math.isqrt(z.shape[-1]), -1))
    across, down = (patch.diff(dim=axis).square().sum(dim=(-2, -1)) for axis in (-1, -2))
    turned = down > across
    return turn(z, turned), turned


def turn(z: Tensor, turned: Tensor) -> Tensor:
    """Patches (n, P), transposed where ``turned`` (n,) is true."""
    patch = z.unflatten(-1, (math.isqrt(z.shape[-1]), -1))
    return patch.mT.flatten(1).where(turned[:, None], z)


@cache
def load_patch_prior(path: Path = WEIGHTS) -> PatchPrior:
    """Read a mixture, once.

    Raises:
        FileNotFoundError: If there is none.
    """
    from safetensors.torch import load_file

    stored = load_file(path)
    return PatchPrior(stored["vectors"], stored["variances"], stored["log_weights"])
