"""Synthetic fundus photographs: as many as needed, free to share, with the spectra of DRIVE's and CHASE_DB1's."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blurlab.dataset.drawn import Drawn, check_size
from blurlab.dataset.synthetic import (
    draw_camera,
    draw_retina,
    draw_vessels,
    draw_view,
    expose,
    grow_vessels,
    paint_retina,
)

# part of every id: raise it when a change of the generator changes its photographs
VERSION = 1


def fundus(seed: int | np.random.Generator, size: int = 512) -> NDArray[np.float32]:
    """Photograph a fundus that never was; the same seed gives the same eye at any size.

    Args:
        seed: A non-negative integer, or a numpy generator (which is advanced).
        size: Side of the photograph, pixels.

    Returns:
        (size, size, 3) float32 in [0, 1], RGB, rounded to 8 bits, black outside the circular field.

    Raises:
        ValueError: If ``size`` is below 64.

    Example:
        >>> photo = fundus(3, size=128)
        >>> photo.shape, str(photo.dtype), bool((photo == fundus(3, size=128)).all())
        ((128, 128, 3), 'float32', True)
        >>> float(photo[0, 0].max()) < 0.1 < float(photo[64, 64].max())
        True
    """
    check_size(size)
    rng = np.random.default_rng(seed)
    # a stream for each part, so that noise fields of another size leave the anatomy as it is
    geometry, blood, eye, paint, optics, sensor = (np.random.default_rng(rng.integers(2**63)) for _ in range(6))
    view = draw_view(geometry, size)
    retina = draw_retina(eye, view.narrow)
    branches = grow_vessels(blood, view.field_in_eye, view.radius_deg, density=0.85 if view.narrow else 1.0)
    image = paint_retina(paint, retina, draw_vessels(branches, view), view)
    return expose(sensor, image, draw_camera(optics, view.narrow), view)


class FundusSynthetic(Drawn):
    """Synthetic fundus photographs; number i depends on the seed, the size and i alone, not on n.

    Half of them follow DRIVE (45 degrees, mostly about the macula), half CHASE_DB1 (30 degrees, about the disc).

    Args:
        n: Number of photographs.
        seed: Another seed makes other eyes.
        size: Side of the square photographs, pixels.

    Raises:
        ValueError: If ``n`` is below 1 or ``size`` below 64.

    Example:
        >>> source = FundusSynthetic(n=2, seed=0, size=64)
        >>> [photo.id for photo in source.photos()]
        ['v1-seed0-size64-000000', 'v1-seed0-size64-000001']
    """

    name = "fundus_synthetic"

    def __init__(self, n: int = 400, seed: int = 0, size: int = 512) -> None:
        super().__init__(n, seed, size, draw=fundus, version=VERSION)
