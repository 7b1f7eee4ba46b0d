"""Kernels as one would know them: never to the last digit, and often softer than they are."""

from __future__ import annotations

import torch
from torch import Tensor

from blurlab.blur import gaussian_psf
from blurlab.physics import Convolution

SOFTENING_SIDE = 5


class KernelError:
    """Errors of a measured kernel, drawn anew for each image from torch's own generator.

    A kernel that is recorded as the image of a point has the softness of optics and pixels in it. The sharp photograph
    has it too, so what blurs the one into the other is narrower than the record. On top of that every value is off.

    Args:
        noise: Largest relative error of a value; each image draws its own up to this one.
        softness_px: Largest standard deviation of the Gaussian that is in the record and not in the blur.
        share: Share of the images whose kernel is wrong; the others are told the true one.

    Raises:
        ValueError: If a number is negative, the softness above 1 px or the share above 1.

    Example:
        >>> psf = torch.zeros(1, 1, 5, 5); psf[..., 2, 2] = 1
        >>> told = KernelError(noise=0.5, softness_px=1.0, share=1.0)(psf)
        >>> round(float(told.sum()), 4), torch.equal(KernelError(share=0.0)(psf), psf)
        (1.0, True)
    """

    def __init__(self, noise: float = 0.5, softness_px: float = 0.3, share: float = 0.5) -> None:
        if noise < 0 or not 0 <= softness_px <= 1 or not 0 <= share <= 1:
            raise ValueError(
                f"noise must be >= 0, softness_px and share in [0, 1], got {noise:g}, {softness_px:g} and {share:g}"
            )
        self.noise, self.softness_px, self.share = noise, softness_px, share

    def __call__(self, psf: Tensor) -> Tensor:
        """Kernels (B, 1, k, k) with errors, non-negative, sum 1."""
        level, softness, wrong = torch.rand(3, len(psf), 1, 1, 1, device=psf.device, dtype=psf.dtype)
        wide = gaussian_psf((self.softness_px * softness).flatten().clamp_min(1e-3), SOFTENING_SIDE)
        soft = Convolution(wide, "zero").A(psf)
        told = (soft * (1 + self.noise * level * torch.randn_like(psf))).clamp_min(0)
        return torch.where(wrong < self.share, told / told.sum(dim=(-2, -1), keepdim=True), psf)
