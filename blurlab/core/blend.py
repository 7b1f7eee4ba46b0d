"""Part of a restoration: a share of it, or where a mask says so."""

from __future__ import annotations

import numpy as np


def blended(before: np.ndarray, after: np.ndarray, strength: float, mask: np.ndarray | None = None) -> np.ndarray:
    """``before + strength mask (after - before)``: part of a restoration.

    Args:
        before: (H, W, C).
        after: (H, W, C).
        strength: From 0, which keeps all, to 1, which restores all.
        mask: (H, W) in [0, 1], where to restore; None is everywhere.

    Raises:
        ValueError: If the strength is out of its range, or the mask has another shape or range.

    Example:
        >>> blended(np.zeros((1, 2, 1)), np.ones((1, 2, 1)), 0.5, np.array([[0, 1]]))[..., 0].tolist()
        [[0.0, 0.5]]
    """
    check_strength(strength)
    if mask is None:
        return after if strength == 1 else before + np.float32(strength) * (after - before)
    check_mask(mask, before.shape)
    share = np.float32(strength) * mask[..., None].astype(np.float32)
    return np.where(share > 0, before + share * (after - before), before)


def unchanged(strength: float, mask: np.ndarray | None) -> str:
    """Why an image whose blur was undone is as it came.

    Args:
        strength: As in :func:`blended`.
        mask: As in :func:`blended`.

    Example:
        >>> unchanged(0.5, np.zeros((2, 3)))
        'the mask is 0 everywhere'
    """
    if strength == 0:
        return "strength is 0"
    if mask is not None and not mask.any():
        return "the mask is 0 everywhere"
    return "noise hides whatever undoing the blur would change"


def check_mask(mask: np.ndarray, shape: tuple[int, ...]) -> None:
    """Raise unless a mask fits an image of this shape (H, W, C).

    Raises:
        ValueError: With what came.
    """
    if mask.shape != shape[:2]:
        raise ValueError(f"mask must be (H, W) = {shape[:2]} in [0, 1], got {mask.shape}; 1 is where to restore")
    low, high = float(mask.min()), float(mask.max())
    if not (low >= 0 and high <= 1):
        raise ValueError(f"mask must lie in [0, 1], got {low:g} to {high:g}; divide it by its white")


def check_strength(strength: float) -> None:
    """Raise unless it is a share from 0 to 1.

    Raises:
        ValueError: With what came.
    """
    if not 0 <= strength <= 1:
        raise ValueError(f"strength must be from 0 (as it came) to 1 (restored), got {strength:g}")
