"""Whether an image holds enough for its blur to be told: edges in more than one direction.

A blur is told from what it takes away in each direction. An image that varies along one direction only (a single
straight edge, stripes, a ramp) has no power in the others, and a motion that took it away would look the same.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from blurlab.noise import estimate_sigma

SOFT_PX = 1.5
"""Sigma of the Gaussian that takes most of the noise away before gradients are taken."""
SECOND_DIRECTION = 0.01
"""Share of the strongest direction's gradient power that the weakest needs; of photographs none had less than
a few times as much, whatever their blur (``experiments/bench/content.py``)."""
NOISE_ERROR = 0.1
"""By what share the gradient power of the noise may be misjudged."""


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
    noise = estimate_sigma(y).square().to(torch.float64)
    soft = _gaussian(SOFT_PX, y)
    strong, weak, gain = _gradient_power(_softened(y, soft), soft)
    above, one = _compared(strong, weak, gain * noise)
    sharp = y.new_ones(1)
    strong, weak, gain = _gradient_power(y, sharp)
    return torch.where(above, one, _compared(strong, weak, gain * noise)[1])


def _compared(strong: Tensor, weak: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
    """Whether there is anything above the noise, and whether it lies along one direction (B,), (B,)."""
    noise = torch.where(
        noise * (1 - NOISE_ERROR) > strong, 0.0, noise
    )  # more noise than there is: edges were taken for it
    slack = NOISE_ERROR * noise
    return strong - noise > slack, weak - noise <= SECOND_DIRECTION * (strong - noise).clamp_min(0) + slack


def _gradient_power(y: Tensor, soft: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean gradient power (B,) along the strongest and the weakest direction, and what white noise of 1 would add.

    Both slopes are taken at the corners between pixels, so that they belong to one place.
    """
    rows, cols = y.double().diff(dim=-2), y.double().diff(dim=-1)
    down, across = (rows[..., 1:] + rows[..., :-1]) / 2, (cols[..., 1:, :] + cols[..., :-1, :]) / 2
    dims = (1, 2, 3)
    a, b, c = down.square().mean(dims), (down * across).mean(dims), across.square().mean(dims)
    half = ((a - c).square() / 4 + b.square()).sqrt()
    slope, mean = F.pad(soft, (1, 1)).double().diff(), F.pad(soft, (1, 1)).double().unfold(0, 2, 1).mean(1)
    return (a + c) / 2 + half, ((a + c) / 2 - half).clamp_min(0), slope.square().sum() * mean.square().sum()


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
