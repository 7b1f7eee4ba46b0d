"""Which of several kernels explains an image best, without knowing the truth."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from blurlab.deconvolver import TV


def normalised_sparsity(image: Tensor, border: int = 0) -> Tensor:
    """``mean |grad x| / sqrt(mean |grad x|^2)``: 1 where all gradients are alike, the less the sparser they are.

    Blur lowers the squares more than the lengths, and so do not ringing and noise that a wrong kernel leaves: of the
    images that could have been blurred to the one observed the sharp one has the least [Krishnan2011].

    Args:
        image: (B, C, H, W), not constant.
        border: Pixels cut from each side.

    Returns:
        (B,).

    Example:
        >>> edge = torch.tensor([0.0, 0, 0, 0, 1, 1, 1, 1, 1]).expand(1, 1, 9, 9)
        >>> ramp = torch.linspace(0, 1, 9).expand(1, 1, 9, 9)
        >>> normalised_sparsity(edge), normalised_sparsity(ramp)
        (tensor([0.3536]), tensor([1.]))
    """
    image = image[..., border : image.shape[-2] - border, border : image.shape[-1] - border]
    length = torch.hypot(image.diff(dim=-1)[..., :-1, :], image.diff(dim=-2)[..., :-1]).flatten(1)
    return length.mean(1) / length.square().mean(1).sqrt()


def best_kernel(y: Tensor, candidates: Sequence[Tensor]) -> Tensor:
    """Of several kernels the one whose restored image has the sparsest gradients.

    Args:
        y: Observed image (H, W), grey, on the [0, 1] scale.
        candidates: Kernels (k, k), at least one, all of one odd side.

    Returns:
        One of them.
    """
    psf = torch.stack(list(candidates))[:, None]
    images = TV()(y.expand(len(psf), 1, -1, -1), psf).image
    return candidates[int(normalised_sparsity(images, psf.shape[-1] // 2).argmin())]
