"""Whether an image holds enough for its blur to be told: edges in more than one direction.

A blur is told from what it takes away in each direction. An image that varies along one direction only (a single
straight edge, stripes, a ramp) has no power in the others, and a motion that took it away would look the same.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from blurlab.noise import estimate_sigma

SOFT_PX = 1.5
"""Sigma of the Gaussian that takes most of the noise away before gradients are taken."""
SECOND_DIRECTION = 0.01
"""Share of the strongest direction's gradient power that the weakest needs; photographs have several times as much,
whatever their blur (``experiments/bench/content.py``)."""
NOISE_ERROR, SPREAD = 0.1, 3.0
"""By what share the noise may be misjudged, and by how many standard deviations its gradient power may stray."""
BAND, LARGEST = 512, 2048
"""Rows whose gradients are taken at once, and side of the middle in which noise is measured: memory is bounded, px."""


def has_one_direction(y: Tensor) -> Tensor:
    """Which images vary along one direction at most, beyond their noise (B,) bool.

    The eigenvalues of the mean structure tensor are the power of the gradients along the strongest and the weakest
    direction [Bigun1987]; the noise's own share is taken away from both. Gradients are taken of the softened image, or
    of the image itself where softening leaves nothing above the noise (stripes of one pixel). An image with nothing
    above the noise at all counts too.

    Args:
        y: Observed images (B, C, H, W) in [0, 1], at least 16 px on a side.

    Example:
        >>> ramp = torch.linspace(0, 1, 64).expand(1, 1, 64, 64)
        >>> has_one_direction(torch.cat([ramp, ramp * ramp.mT]))
        tensor([ True, False])
    """
    return second_direction(y) <= SECOND_DIRECTION


def second_direction(y: Tensor) -> Tensor:
    """Gradient power along the weakest direction, as a share of that along the strongest (B,); 0 for noise alone.

    Args:
        y: Observed images (B, C, H, W) in [0, 1], at least 16 px on a side.
    """
    noise = estimate_sigma(middle_of(y)).square().double()
    coarse, fine = _share(y, _gaussian(SOFT_PX, y), noise), _share(y, y.new_ones(1), noise)
    return torch.where(coarse.isnan(), fine.nan_to_num(0.0), coarse)


def _share(y: Tensor, soft: Tensor, noise: Tensor) -> Tensor:
    """As :func:`second_direction`, of images softened by a kernel (k,); NaN where nothing is above the noise."""
    strong, weak = _gradient_power(y, soft)
    gain, area_px = _of_noise(soft)
    noise = noise * gain
    noise = torch.where((1 - NOISE_ERROR) * noise > strong, 0.0, noise)  # more than there is: edges were taken for it
    error = NOISE_ERROR + SPREAD * math.sqrt(area_px / y[0].numel())
    beyond = (weak - (1 + error) * noise).clamp_min(0)
    return torch.where(strong > (1 + error) * noise, beyond / (strong - noise), torch.nan)


def _gradient_power(y: Tensor, soft: Tensor) -> tuple[Tensor, Tensor]:
    """Mean gradient power (B,) of softened images along the strongest and the weakest direction, band by band.

    Both slopes are taken at the corners between pixels, so that they belong to one place.
    """
    total, count = y.new_zeros(3, len(y), dtype=torch.float64), 0
    for top in range(0, max(y.shape[-2] - len(soft), 1), BAND):
        band = _softened(y[..., top : top + BAND + len(soft), :], soft)
        rows, cols = band.diff(dim=-2), band.diff(dim=-1)
        down, across = (rows[..., 1:] + rows[..., :-1]) / 2, (cols[..., 1:, :] + cols[..., :-1, :]) / 2
        products = (down.square(), down * across, across.square())
        total += torch.stack([product.sum((1, 2, 3), dtype=torch.float64) for product in products])
        count += down[0].numel()
    a, b, c = total / count
    half = ((a - c).square() / 4 + b.square()).sqrt()
    return (a + c) / 2 + half, ((a + c) / 2 - half).clamp_min(0)


def _of_noise(soft: Tensor) -> tuple[float, float]:
    """What white noise of variance 1 adds to the gradient power, and how many pixels make one independent value."""
    padded = F.pad(soft, (1, 1)).double()
    slope, mean = (float(kernel.square().sum()) for kernel in (padded.diff(), padded.unfold(0, 2, 1).mean(1)))
    return slope * mean, mean**-2


def _gaussian(sigma_px: float, like: Tensor) -> Tensor:
    reach = round(3 * sigma_px)
    place = torch.arange(-reach, reach + 1, device=like.device, dtype=like.dtype)
    kernel = torch.exp(-place.square() / (2 * sigma_px**2))
    return kernel / kernel.sum()


def _softened(y: Tensor, kernel: Tensor) -> Tensor:
    """Images convolved with a kernel along rows and columns, 'valid'."""
    planes = y.flatten(0, 1)[:, None]
    done = F.conv2d(F.conv2d(planes, kernel[None, None, :, None]), kernel[None, None, None, :])
    return done.reshape(*y.shape[:2], *done.shape[-2:])


def middle_of(y: Tensor) -> Tensor:
    """The central part of large images, where their noise is measured."""
    top, left = (max(side - LARGEST, 0) // 2 for side in y.shape[-2:])
    return y[..., top : top + LARGEST, left : left + LARGEST]
