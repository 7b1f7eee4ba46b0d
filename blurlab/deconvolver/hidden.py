"""Where noise hides the blur of an image, y itself may be nearer to the sharp image than what a solver makes of it."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from blurlab.core.fourier import psf_to_otf
from blurlab.deconvolver.border import on_grid
from blurlab.deconvolver.parts import parts
from blurlab.deconvolver.quadratic import complete, tikhonov
from blurlab.deconvolver.scale import image_level
from blurlab.deconvolver.spectrum import estimate_spectrum
from blurlab.physics import Convolution

UNSEEN = 1.25
"""A blur is hidden where blurring once more changes an image's mean square by less than so many times the noise's."""
CLEARLY = 0.75
"""A restored image is nearer than y where its squared distance to the expected one, itself an estimate, is no more than
this share of y's: solvers that made smooth images worse had .76 or more, those that made any better by half a decibel
less (``experiments/bench/never_worse.py``)."""
SAMPLES, TAPS = 1024, 2**18
"""Pixels that an image is first looked at in, and kernel values that are multiplied there, at most."""
UNDOUBTED = 2.0
"""An image that changes there by so many times what is hidden is not looked at again."""


def keep_where_nearer(restored: Tensor, y: Tensor, psf: Tensor, sigma: Tensor) -> Tensor:
    """The restored images, y in place of each whose blur is hidden and that is expected to be nearer with it.

    In a smooth image that is known to a grey level or two a blur changes next to nothing, and what a solver believes of
    images (that they have edges, say) may change it by more. Under a Gaussian model of images whose spectrum is
    measured in y, the expected squared error of any image u, given y, is ``|u - m|^2`` and a constant, m the Wiener
    estimate. So y is kept unless u is clearly nearer to m.

    Args:
        restored: Restored images u (B, C, H, W), changed.
        y: Observed images.
        psf: Kernels (B, 1, k, l).
        sigma: Noise standard deviation (B, 1, 1, 1), > 0.

    Returns:
        ``restored``.
    """
    for i in may_be_hidden(y, psf, sigma).nonzero().flatten().tolist():
        level = image_level(y[i : i + 1]).to(psf)
        some, those = (parts(one[i : i + 1]).to(psf) / level for one in (y, restored))
        kernel, noise = (one.expand(len(some), -1, -1, -1) for one in (psf[i : i + 1], sigma[i : i + 1] / level))
        if bool(is_hidden(some, kernel, noise).all()):
            expected = expected_image(some, kernel, noise)
            away, restored_away = (float((one - expected).square().mean()) for one in (some, those))
            if restored_away > CLEARLY * away:
                restored[i] = y[i]
    return restored


def may_be_hidden(y: Tensor, psf: Tensor, sigma: Tensor) -> Tensor:
    """:func:`is_hidden` from some thousand evenly spaced pixels, (B,) bool; True where they leave any doubt."""
    sides = psf.shape[-2:]
    rows, cols = (image - kernel + 1 for image, kernel in zip(y.shape[-2:], sides, strict=True))
    if rows < 1 or cols < 1:
        return torch.zeros(len(y), dtype=torch.bool, device=y.device)
    samples = max(min(SAMPLES, TAPS // psf[0].numel()), 1)
    step = max(math.isqrt(rows * cols // samples), 1)
    windows = y.unfold(2, sides[0], step).unfold(3, sides[1], step).to(psf)
    kernel = change_by_blur(psf).flip(-2, -1)
    changed = torch.einsum("bcijkl,bkl->bcij", windows, kernel[:, 0]).square().mean((1, 2, 3))
    return changed <= UNDOUBTED * UNSEEN * sigma.flatten().square() * kernel.square().flatten(1).sum(1)


def is_hidden(y: Tensor, psf: Tensor, sigma: Tensor) -> Tensor:
    """In which images blurring once more changes little but noise, (B,) bool.

    ``y = H x + n``, so ``(H - 1) y = H (H - 1) x + (H - 1) n``. The mean square of that, over the pixels that need
    nothing from beyond the border, is compared with what the noise alone would have.

    Args:
        y: Observed images (B, C, H, W), no smaller than the kernels.
        psf: Kernels (B, 1, k, l).
        sigma: Noise standard deviation (B, 1, 1, 1), > 0.

    Example:
        >>> ramp, step = torch.linspace(0.2, 0.8, 40).expand(1, 1, 40, 40), (torch.arange(40) // 20).float()
        >>> y = torch.cat([ramp, step.expand(1, 1, 40, 40)])
        >>> is_hidden(y, torch.full((2, 1, 3, 3), 1 / 9), torch.full((2, 1, 1, 1), 0.01))
        tensor([ True, False])
    """
    kernel = change_by_blur(psf)
    changed = Convolution(kernel, "valid").A(y).square().mean((1, 2, 3))
    return changed <= UNSEEN * sigma.flatten().square() * kernel.square().flatten(1).sum(1)


def change_by_blur(psf: Tensor) -> Tensor:
    """The kernel of H - 1, shaped as ``psf`` (B, 1, k, l)."""
    difference = psf.clone()
    difference[..., psf.shape[-2] // 2, psf.shape[-1] // 2] -= 1
    return difference


def expected_image(y: Tensor, psf: Tensor, sigma: Tensor) -> Tensor:
    """The Wiener estimate under the spectrum that y itself suggests, whatever lies beyond the border.

    The plane nearest to y is set aside: a blur but shifts it, and on a periodic grid it would have a seam.

    Args:
        y: Observed images (B, C, H, W).
        psf: Kernels (B, 1, k, l).
        sigma: Noise standard deviation (B, 1, 1, 1), > 0.

    Returns:
        (B, C, H, W).
    """
    size = (y.shape[-2], y.shape[-1])
    seen, sharp = nearest_plane(y, psf)
    grid = on_grid(y - seen, psf, "unknown", 2 * max(psf.shape[-2:]))
    shape = (grid.shape[-2], grid.shape[-1])
    otf, ratio = psf_to_otf(psf, shape), sigma.square() / estimate_spectrum(y - seen, psf, sigma, shape)
    completed = complete(grid, size, otf, ratio, tolerance=1e-3, iterations=100)
    return tikhonov(completed, otf, ratio)[..., : size[0], : size[1]] + sharp


def nearest_plane(y: Tensor, psf: Tensor) -> tuple[Tensor, Tensor]:
    """The plane ``a + b row + c col`` nearest to each channel of y, and the plane that the kernel makes it of.

    Args:
        y: Images (B, C, H, W).
        psf: Kernels (B, 1, k, l), sum 1.

    Returns:
        Two tensors (B, C, H, W).

    Example:
        >>> psf = torch.tensor([0.0, 0.0, 1.0]).reshape(1, 1, 1, 3)  # one pixel to the right
        >>> [plane[0, 0, 0].round(decimals=3) for plane in nearest_plane(torch.arange(4.0).expand(1, 1, 2, 4), psf)]
        [tensor([0., 1., 2., 3.]), tensor([1., 2., 3., 4.])]
    """
    seen = y.mean(dim=(-2, -1), keepdim=True).expand_as(y)
    sharp = seen
    for axis in (-2, -1):
        offsets, along = _offsets(y, axis), _offsets(psf, axis)
        slope = (offsets * y).mean((-2, -1), keepdim=True) / offsets.square().mean().clamp_min(1e-12)
        shift = (along * psf).sum((-2, -1), keepdim=True)
        seen, sharp = seen + slope * offsets, sharp + slope * (offsets + shift)
    return seen, sharp


def _offsets(image: Tensor, axis: int) -> Tensor:
    """Place of each row or column from the middle [px], broadcast to (H, W)."""
    n = image.shape[axis]
    places = torch.arange(n, dtype=image.dtype, device=image.device) - (n - 1) / 2
    return places[:, None] if axis == -2 else places
