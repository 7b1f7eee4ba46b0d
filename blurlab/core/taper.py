"""Tapers and what is taken from a patch before its spectrum is."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def sine_tapers(size: int, count: int) -> Tensor:
    """The first orthonormal sine tapers, ``sqrt(2 / (size + 1)) sin(pi k n / (size + 1))``, k = 1 .. count.

    Args:
        size: Length of a window, px.
        count: Number of tapers.

    Returns:
        (count, size), float64.

    Example:
        >>> tapers = sine_tapers(8, 3)
        >>> bool(torch.allclose(tapers @ tapers.T, torch.eye(3, dtype=torch.float64)))
        True

    [Riedel1995]
    """
    n = torch.arange(1, size + 1, dtype=torch.float64)
    k = torch.arange(1, count + 1, dtype=torch.float64)[:, None]
    return math.sqrt(2 / (size + 1)) * torch.sin(math.pi / (size + 1) * k * n)


def without_plane(patch: Tensor) -> Tensor:
    """Patches (..., N, N) less their best plane.

    What varies more slowly than a window's width leaks along both axes, as no model of the window's own frequencies
    says: a strong Gaussian blur would pass for a long motion along an axis.

    Example:
        >>> ramp = torch.arange(4.0)
        >>> float(without_plane(ramp[:, None] - 2 * ramp).abs().max()) < 1e-6
        True
    """
    line = torch.linspace(-1, 1, patch.shape[-1], dtype=patch.dtype, device=patch.device)
    line = line / line.norm()
    patch = patch - patch.mean((-2, -1), keepdim=True)
    down, across = patch.mean(-1) @ line, patch.mean(-2) @ line
    return patch - down[..., None, None] * line[:, None] - across[..., None, None] * line


def edge_window(size: int, fade: int) -> Tensor:
    """1 in the middle, falling to 0 over ``fade`` px at both ends as a cosine does (size,), float64.

    Example:
        >>> edge_window(6, 2).tolist()
        [0.146..., 0.853..., 1.0, 1.0, 0.853..., 0.146...]
    """
    window = torch.ones(size, dtype=torch.float64)
    ramp = 0.5 - 0.5 * torch.cos(math.pi * (torch.arange(fade, dtype=torch.float64) + 0.5) / max(fade, 1))
    window[:fade] = ramp
    window[size - fade :] = ramp.flip(0)
    return window
