"""The scale of images: which one is refused, and the level that noise and weights are measured in."""

from __future__ import annotations

import math

import torch
from torch import Tensor

OVERSHOOT = 4.0
"""An image that reaches so many times the greatest intensity is on another scale."""
SHARE = 0.05
"""Share of an image's pixels that may lie beyond the scale by more than noise and overshoot explain."""
MARGIN = 0.1
"""Overshoot that counts as none, in units of the scale; noise may add four of its standard deviations."""
LEAST_EXPONENT = -40
"""A level is no less than this power of two: darker images are the round-off of black ones."""
ROWS = 64
"""Rows of an image that are looked at together: they fit a processor's cache, and the first ones are often enough."""


def image_level(y: Tensor, upper: float = math.inf) -> Tensor:
    """The power of two just above an image's greatest intensity b: ``2^(e - 1) <= b < 2^e``, at most ``upper``.

    An image divided by its level, with its noise, has the range that weights were fitted in and networks trained in; by
    a power of two nothing is rounded. b is the greatest intensity that two pixels share which touch at a corner, so a
    single hot pixel does not count.

    Args:
        y: Images (B, C, H, W).
        upper: Greatest intensity of the scale; infinite means 1.

    Returns:
        (B, 1, 1, 1): 1 for an image on [0, 1] that reaches 1/2, and for one without light.

    Example:
        >>> image_level(torch.tensor([0.9, 0.4, 0.9 / 256, 0.0]).reshape(4, 1, 1, 1).expand(-1, 1, 2, 2)).flatten()
        tensor([1.0000, 0.5000, 0.0039, 1.0000])
    """
    most = math.frexp(upper if math.isfinite(upper) else 1.0)
    most_exponent = most[1] - (most[0] == 0.5)
    enough = 2.0 ** (most_exponent - 1)
    brightest = _brightest(y.detach(), enough)
    brightest = brightest.to(torch.float64 if y.dtype == torch.float64 else torch.float32)
    if bool((brightest >= enough).all()):
        return torch.full_like(brightest, 2 * enough).reshape(-1, 1, 1, 1)
    exponent = torch.frexp(brightest).exponent.clamp(LEAST_EXPONENT, most_exponent)
    exponent = exponent.where(brightest > 0, most_exponent)
    return torch.ldexp(torch.ones_like(brightest), exponent).reshape(-1, 1, 1, 1)


def _brightest(y: Tensor, enough: float) -> Tensor:
    """The greatest intensity that two pixels share which touch at a corner, (B,); of a line of pixels the greatest.

    Any that is at least ``enough`` stands for the greatest.
    """
    if min(y.shape[-2:]) < 2:
        return y.amax((1, 2, 3))
    brightest = y.new_full((len(y),), -math.inf)
    for top in range(0, y.shape[-2] - 1, ROWS):
        band = y[..., top : top + ROWS + 1, :]
        shared = torch.minimum(band[..., 1:, 1:], band[..., :-1, :-1]).amax((1, 2, 3))
        brightest = torch.maximum(brightest, shared)
        if bool((brightest >= enough).all()):
            break
    return brightest


def within(u: Tensor, upper: float | Tensor, out: Tensor | None = None) -> Tensor:
    """``min(max(u, 0), upper)``, upper a number or one for each image (B, 1, 1, 1).

    Example:
        >>> within(torch.tensor([-0.5, 0.5, 1.5]), torch.tensor([1.0]))
        tensor([0.0000, 0.5000, 1.0000])
    """
    if isinstance(upper, Tensor):
        return torch.minimum(torch.clamp(u, 0, out=out), upper, out=out)
    return torch.clamp(u, 0, upper, out=out)


def check_reach(y: Tensor, upper: float) -> None:
    """Raise where y reaches far beyond its scale, as an image of 0 to 255 does.

    Args:
        y: Images (B, C, H, W).
        upper: Greatest intensity of the scale; infinite means 1.

    Raises:
        ValueError: With what came and the remedy.

    Example:
        >>> check_reach(torch.tensor([1.1]), 1.0)
    """
    top = upper if math.isfinite(upper) else 1.0
    if (highest := float(y.detach().amax())) > OVERSHOOT * top:
        raise ValueError(f"y reaches {highest:.4g}, but its scale is [0, {top:g}]; divide it (by 255, say)")


def check_range(y: Tensor, upper: float, sigma: Tensor) -> None:
    """Raise where more of an image lies outside [0, upper] than noise and a little overshoot explain.

    Within its bounds a deconvolver would clip that share. One without bounds (``upper`` infinite) takes it.

    Args:
        y: Images (B, C, H, W).
        upper: Greatest intensity.
        sigma: Noise standard deviation, broadcast to (B, 1, 1, 1).

    Raises:
        ValueError: With what came and the remedy.

    Example:
        >>> check_range(torch.tensor([1.05, 0.5, -0.02]).reshape(1, 1, 1, 3), 1.0, torch.tensor(0.01))
    """
    if math.isinf(upper):
        return
    y, margin = y.detach(), MARGIN * upper + 4 * sigma
    lowest, highest, least = float(y.amin()), float(y.amax()), float(margin.min())
    if lowest >= -least and highest <= upper + least:
        return
    below, above = (float(share.float().mean((1, 2, 3)).max()) for share in (y < -margin, y > upper + margin))
    if below > SHARE:
        raise ValueError(
            f"{below:.0%} of an image y lies below 0 (down to {lowest:.3g}), but its scale is [0, {upper:g}];"
            " map it there ((y + 1) / 2, say), or use a deconvolver without bounds, as Wiener or Tikhonov"
        )
    if above > SHARE:
        raise ValueError(
            f"{above:.0%} of an image y lies above {upper:g} (up to {highest:.3g}), but its scale is [0, {upper:g}];"
            " divide it by its white"
        )
