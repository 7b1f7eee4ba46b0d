"""Fluorescent nuclei of cells, drawn by the program: bright on a dark ground, as sharp as a microscope shows them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blurlab.dataset.drawn import Drawn, check_size

VERSION = 1
"""Part of every id: raise it when a change of the drawing changes its pictures."""
FINE = 2
"""Pictures are drawn at this many times their size and averaged."""
DIAMETER = (0.025, 0.2)
"""Mean diameter of the nuclei of a picture, as a share of its side."""
COVERED = (0.05, 0.35)
"""Share of the picture that nuclei would cover if none overlapped."""
GROUND = (0.02, 0.35)
"""Brightness of the ground; nuclei are drawn between it and white."""
SOFT_PX = (0.3, 1.2)
"""Standard deviation of the microscope's own spot."""
Rng = np.random.Generator
Plane = NDArray[np.float32]


def nuclei(seed: int, size: int = 512) -> NDArray[np.float32]:
    """One picture: some tens of elliptic nuclei of uneven brightness with spots, a few dividing ones far brighter.

    Args:
        seed: A non-negative integer; the same seed gives the same picture.
        size: Side of the picture [px], at least 64.

    Returns:
        (size, size, 3) float32 in [0, 1], the three colours alike.

    Raises:
        ValueError: If the size is below 64.

    Example:
        >>> picture = nuclei(0, 96)
        >>> picture.shape, bool(np.median(picture) < picture.max() / 2)  # more ground than nuclei
        ((96, 96, 3), True)
    """
    check_size(size)
    from scipy.ndimage import gaussian_filter

    rng, side = np.random.default_rng(seed), FINE * size
    diameter = side * np.exp(rng.uniform(*np.log(DIAMETER)))
    count = max(3, round(rng.uniform(*COVERED) * side**2 / (np.pi / 4 * diameter**2)))
    spots = rng.uniform(0, 0.8)
    light = np.zeros((side, side), np.float32)
    for _ in range(count):
        _add_nucleus(light, rng, diameter * rng.lognormal(0, 0.15), spots)
    ground = rng.uniform(*GROUND)
    haze = gaussian_filter(light, diameter)  # light of what lies out of focus
    whole = light + rng.uniform(0, 0.4) * haze
    whole = ground + (1 - ground) * whole / max(float(np.quantile(whole, 0.9995)), 1e-6)
    soft = gaussian_filter(whole.clip(0, 1), FINE * rng.uniform(*SOFT_PX))
    fine = soft.reshape(size, FINE, size, FINE).mean((1, 3), dtype=np.float32)
    return np.repeat(fine[..., None], 3, axis=2)


def _add_nucleus(light: Plane, rng: Rng, diameter: float, spots: float) -> None:
    """Add the light of a nucleus, where it lies inside the picture."""
    dividing = rng.random() < 0.05
    long, wide = (0.7, 0.25) if dividing else (0.5 * rng.uniform(1.05, 1.35), 0.5 * rng.uniform(0.7, 0.95))
    bright = rng.lognormal(-1.2, 0.35) * (3 if dividing else 1)
    (y, x), turn = rng.uniform(0, light.shape[0], 2), rng.uniform(0, np.pi)
    reach = int(diameter)
    top, left = max(0, int(y) - reach), max(0, int(x) - reach)
    part = light[top : int(y) + reach + 1, left : int(x) + reach + 1]
    down, across = np.mgrid[top : top + part.shape[0], left : left + part.shape[1]].astype(np.float32)
    along = (np.cos(turn) * (down - y) + np.sin(turn) * (across - x)) / (long * diameter)
    beside = (np.cos(turn) * (across - x) - np.sin(turn) * (down - y)) / (wide * diameter)
    inside = (along**2 + beside**2 < 1).astype(np.float32)
    texture = np.ones_like(inside)
    for _ in range(rng.poisson(12 * spots)):
        at, radius = rng.uniform(-0.75, 0.75, 2), rng.uniform(0.06, 0.16)
        texture += rng.uniform(0.2, 1.5) * np.exp(-((along - at[0]) ** 2 + (beside - at[1]) ** 2) / (2 * radius**2))
    part += np.float32(bright) * inside * texture


class Nuclei(Drawn):
    """Pictures of nuclei that never were; number i depends on the seed, the size and i alone, not on n.

    Args:
        n: Number of pictures.
        seed: Another seed makes other pictures.
        size: Side of the square pictures [px].

    Raises:
        ValueError: If ``n`` is below 1 or ``size`` below 64.
    """

    name = "nuclei"

    def __init__(self, n: int = 100, seed: int = 0, size: int = 512) -> None:
        super().__init__(n, seed, size, draw=nuclei, version=VERSION)
