"""Which of several kernels explains an image best, without knowing the truth."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from blurlab.core.fourier import fast_size
from blurlab.deconvolver import TV
from blurlab.noise import Response

WORST_MISFIT = 1.25
"""A kernel that leaves more than this of the least misfit of all candidates does not explain the image."""


def normalised_sparsity(image: Tensor, border: int = 0) -> Tensor:
    """``mean |grad x| / sqrt(mean |grad x|^2)``: 1 where all gradients are alike, the less the sparser they are.

    Blur lowers the squares more than the lengths, and so do the ringing and the noise that a wrong kernel leaves: of
    the images that explain an observation the sharp one has the least [Krishnan2011].

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


def misfit(image: Tensor, psf: Tensor, y: Tensor, response: Response | None = None) -> Tensor:
    """Root mean square of ``h * x - y`` (B,), where the blur of x (B, C, H, W) does not reach beyond its border.

    Args:
        image: x.
        psf: h (B, 1, k, k).
        y: Observed images (B, C, H, W).
        response: Where it is given, both ``h * x`` and y are first turned into a file's values by it.
    """
    grid = (fast_size(y.shape[-2] + psf.shape[-2]), fast_size(y.shape[-1] + psf.shape[-1]))
    blurred = torch.fft.irfft2(torch.fft.rfft2(image, s=grid) * torch.fft.rfft2(psf, s=grid), s=grid)
    (rows, cols), (height, width) = (side // 2 for side in psf.shape[-2:]), y.shape[-2:]
    inside, seen = blurred[..., 2 * rows : height, 2 * cols : width], y[..., rows : height - rows, cols : width - cols]
    if response is not None:
        inside, seen = response.encode(inside), response.encode(seen)
    return (inside - seen).square().mean((1, 2, 3)).sqrt()


def best_kernel(y: Tensor, candidates: Sequence[Tensor], handicaps: Sequence[float] | None = None) -> Tensor:
    """Of several kernels the one whose restored image has the sparsest gradients, among those that explain y.

    Args:
        y: Observed image (H, W), grey, on the [0, 1] scale.
        candidates: Kernels (k, k), at least one, all of one odd side.
        handicaps: Factor on the sparsity of each, above 1 for a kernel that has to be the better by as much; None: 1.

    Returns:
        One of them.

    Raises:
        ValueError: If there are not as many handicaps as candidates.
    """
    factors = [1.0] * len(candidates) if handicaps is None else list(handicaps)
    if len(factors) != len(candidates):
        raise ValueError(f"each candidate has one handicap, got {len(factors)} for {len(candidates)} candidates")
    psf, seen = torch.stack(list(candidates))[:, None], y.expand(len(candidates), 1, -1, -1)
    images = TV()(seen, psf).image
    score = normalised_sparsity(images, psf.shape[-1] // 2) * torch.tensor(factors).to(y)
    left = misfit(images, psf, seen)
    explains = left <= WORST_MISFIT * left.min()
    return candidates[int(score.where(explains, torch.inf).argmin())]
