"""Draw vessel trees as optical depth, anti-aliased at twice the resolution."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blurlab.dataset.synthetic.tree import Branch
from blurlab.dataset.synthetic.view import Array, View

SUPERSAMPLING = 2
_SHIFT_BITS = 4
_PIECE = 6
# width and weight of nested ribbons; their sum is close to sqrt(1 - (x/r)^2), the thickness of a cylinder of blood
_RIBBONS = ((1.0, 0.45), (0.82, 0.30), (0.55, 0.25))
_FULL_DEG = 0.30


@dataclass(frozen=True)
class Depth:
    """What the trees put before the retina.

    Attributes:
        artery: Optical depth of the arteries (size, size), 1 for the widest vessel's axis.
        vein: The same of the veins.
        reflex: Strength of the specular line along the larger vessels (size, size), 0 to 1.
    """

    artery: Array
    vein: Array
    reflex: Array


def draw_vessels(branches: list[Branch], view: View) -> Depth:
    """Draw every branch with its own width; depth grows with the vessel's diameter.

    Args:
        branches: Vessels in eye coordinates.
        view: Geometry of the photograph.

    Returns:
        Maps at the view's size.
    """
    ordered = sorted(branches, key=lambda branch: float(branch.radius.mean()))
    artery = _depth([branch for branch in ordered if branch.artery], view)
    vein = _depth([branch for branch in ordered if not branch.artery], view)
    return Depth(artery=artery, vein=vein, reflex=_reflex(ordered, view))


def _depth(branches: list[Branch], view: View) -> Array:
    side = view.size * SUPERSAMPLING
    layers = [np.zeros((side, side), np.uint8) for _ in _RIBBONS]
    for branch in branches:
        _ribbons(layers, branch, view, [width for width, _ in _RIBBONS])
    total = np.zeros((view.size, view.size), np.float32)
    for (_, weight), layer in zip(_RIBBONS, layers, strict=True):
        total += np.float32(weight) * _halved(layer)
    return total


def _reflex(branches: list[Branch], view: View) -> Array:
    side = view.size * SUPERSAMPLING
    layer = np.zeros((side, side), np.uint8)
    for branch in branches:
        if branch.radius[0] > 0.11:
            _ribbons([layer], branch, view, [0.24])
    return _halved(layer)


def _halved(layer: NDArray[np.uint8]) -> Array:
    import cv2

    side = layer.shape[0] // SUPERSAMPLING
    return cv2.resize(layer, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32) / np.float32(255)


def _ribbons(layers: list[NDArray[np.uint8]], branch: Branch, view: View, widths: list[float]) -> None:
    """Fill a branch's outline, one width a layer, in overlapping pieces with the depth of their own mean radius."""
    import cv2

    centre = (view.to_pixels(branch.points) + 0.5) * SUPERSAMPLING - 0.5
    tangent = np.gradient(centre, axis=0)
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], axis=1) / np.maximum(np.hypot(*tangent.T), 1e-6)[:, None]
    depth = 255 * np.minimum((branch.radius / _FULL_DEG) ** 0.6, 1.0)
    for layer, width in zip(layers, widths, strict=True):
        # a vessel thinner than a pixel is drawn a pixel wide and fainter
        true_half = branch.radius * (view.px_per_deg * SUPERSAMPLING * width)
        half = np.maximum(true_half, 0.5)
        offset = normal * half[:, None]
        outline = np.rint(np.stack([centre + offset, centre - offset]) * (1 << _SHIFT_BITS)).astype(np.int32)
        level = depth * true_half / half
        for first in range(0, len(centre) - 1, _PIECE):
            last = min(first + _PIECE + 2, len(centre))
            loop = np.concatenate([outline[0, first:last], outline[1, first:last][::-1]])
            cv2.fillPoly(layer, [loop], round(float(level[(first + last) // 2])), cv2.LINE_AA, _SHIFT_BITS)
