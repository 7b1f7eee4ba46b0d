"""Lesions of diabetic and ageing eyes: microaneurysms, haemorrhages, hard exudates and drusen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from blurlab.dataset.synthetic.tree import FOVEA_DEG
from blurlab.dataset.synthetic.view import Array, View

LARGEST_EXPONENT = np.float32(80)
"""exp of a little more than it does not fit into float32."""


@dataclass(frozen=True)
class _Kind:
    share: float
    radius_deg: tuple[float, float]
    log_change: tuple[float, float, float]
    softness: float
    spread_deg: float


_KINDS = (
    _Kind(0.40, (0.07, 0.13), (-0.15, -0.45, -0.3), 0.25, 9.0),
    _Kind(0.15, (0.15, 0.60), (-0.20, -0.50, -0.4), 0.30, 9.0),
    _Kind(0.30, (0.08, 0.30), (0.30, 0.55, 0.2), 0.25, 4.0),
    _Kind(0.15, (0.15, 0.45), (0.05, 0.20, 0.15), 0.60, 6.0),
)


def add_lesions(rng: np.random.Generator, image: Array, amount: float, view: View) -> Array:
    """Multiply lesions into the retina, clustered about points near the macula.

    Args:
        rng: Source of randomness.
        image: Retina (size, size, 3).
        amount: Ten times this many lesions on average; 0 leaves the image as it is.
        view: Geometry of the photograph.

    Returns:
        A new array, or ``image`` itself without lesions.
    """
    if amount <= 0:
        return image
    image = image.copy()
    shares = np.array([kind.share for kind in _KINDS]) * rng.dirichlet(np.ones(len(_KINDS)))
    counts = rng.poisson(10 * amount * shares / shares.sum())
    for kind, count in zip(_KINDS, counts, strict=True):
        heart = np.array(FOVEA_DEG) + rng.normal(0, 5.0, 2)
        for _ in range(min(int(count), 40)):
            place = view.to_pixels(heart + rng.normal(0, kind.spread_deg, 2))
            radius = rng.uniform(*kind.radius_deg) * view.px_per_deg
            _stamp(rng, image, (float(place[0]), float(place[1])), float(radius), kind)
    return image


def _stamp(rng: np.random.Generator, image: Array, place: tuple[float, float], radius: float, kind: _Kind) -> None:
    """Multiply one soft, irregular blob into the image in place; nothing if it lies outside."""
    size = image.shape[0]
    reach = int(radius * (2 + 3 * kind.softness)) + 3
    left, top = max(round(place[0]) - reach, 0), max(round(place[1]) - reach, 0)
    right, bottom = min(round(place[0]) + reach + 1, size), min(round(place[1]) + reach + 1, size)
    if left >= right or top >= bottom:
        return
    y, x = np.mgrid[top:bottom, left:right].astype(np.float32)
    x, y = x - np.float32(place[0]), y - np.float32(place[1])
    angle = np.arctan2(y, x)
    shape = np.ones_like(x)
    for k in (1, 2, 3, 4):
        shape += np.float32(rng.normal(0, 0.12)) * np.cos(k * angle + np.float32(rng.uniform(0, 6.28)))
    beyond = (np.hypot(x, y) / radius - shape) / np.float32(0.5 * kind.softness)
    level = 1 / (1 + np.exp(np.minimum(beyond, LARGEST_EXPONENT)))
    change = np.array(kind.log_change, np.float32) * np.float32(rng.uniform(0.6, 1.2))
    image[top:bottom, left:right] *= np.exp(level[..., None] * change)
