"""Weak blurs drawn more often, and the weights that make up for it.

The blurs that are hard to tell from none are the weakest few: with strengths drawn uniformly a batch hardly holds one.
"""

from __future__ import annotations

from torch import Tensor

WEAK = 0.1
"""The lowest part of a range that counts as weak, as a share of it."""


def favour_weak(place: Tensor, share: float) -> Tensor:
    """Move places drawn from U[0, 1] so that ``share`` of them is drawn from U[0, WEAK] and the rest from U[0, 1].

    Example:
        >>> import torch
        >>> favour_weak(torch.tensor([0.0, 0.275, 0.55, 1.0]), 0.5)
        tensor([0.0000, 0.0500, 0.1000, 1.0000])
    """
    weak = share + (1 - share) * WEAK
    above = WEAK + (place - weak) * ((1 - WEAK) / (1 - weak)) if weak < 1 else place
    return (place * (WEAK / weak)).where(place <= weak, above)


def importance(place: Tensor, share: float) -> Tensor:
    """Density of U[0, 1] over the density that :func:`favour_weak` leaves, at places in [0, 1].

    A mean over draws that favour the weak, weighted with this, is a mean over uniform draws.
    """
    density = (place <= WEAK).to(place) * (share / WEAK) + (1 - share)
    return 1 / density


def check_share(share: float) -> None:
    """Raise unless a share of weak blurs is in [0, 1).

    Raises:
        ValueError: With what came.
    """
    if not 0 <= share < 1:
        raise ValueError(f"weak_share must be in [0, 1), got {share:g}; 0 draws uniformly")
