"""Where the camera looks: the field of view, the eye's side and the map from the eye's degrees to pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


@dataclass(frozen=True)
class View:
    """Geometry of one photograph.

    Eye coordinates are degrees from the centre of the optic disc: u grows towards the macula, v downwards.

    Attributes:
        size: Side of the square photograph, pixels.
        narrow: A 30 degree field (about the disc) instead of a 45 degree one (mostly about the macula).
        px_per_deg: Magnification.
        centre_px: (x, y) of the field's centre.
        radius_px: Radius of the field.
        disc_deg: (x, y) of the disc's centre from the field's centre, along the image's axes.
        side: +1 if the macula lies to the right of the disc (a left eye), -1 otherwise.
        tilt_rad: Rotation of the eye about the line of sight.
        crop_px: BatchState cut from the field at its top and bottom.
    """

    size: int
    narrow: bool
    px_per_deg: float
    centre_px: tuple[float, float]
    radius_px: float
    disc_deg: tuple[float, float]
    side: int
    tilt_rad: float
    crop_px: tuple[float, float]

    @property
    def radius_deg(self) -> float:
        """Half the field of view, degrees."""
        return self.radius_px / self.px_per_deg

    @property
    def field_in_eye(self) -> tuple[float, float]:
        """Eye coordinates (u, v) of the field's centre, degrees."""
        u, v = self.to_eye(np.float32(self.centre_px[0]), np.float32(self.centre_px[1]))
        return float(u), float(v)

    def to_pixels(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Eye coordinates (..., 2) in degrees to pixel coordinates (..., 2) as (x, y)."""
        cos, sin = np.cos(self.tilt_rad), np.sin(self.tilt_rad)
        x = self.side * points[..., 0] * cos - points[..., 1] * sin + self.disc_deg[0]
        y = self.side * points[..., 0] * sin + points[..., 1] * cos + self.disc_deg[1]
        return np.stack([x, y], axis=-1) * self.px_per_deg + np.array(self.centre_px)

    def to_eye(self, x_px: Array | np.float32, y_px: Array | np.float32) -> tuple[Array, Array]:
        """Pixel coordinates to eye coordinates (u, v) in degrees; the inverse of :meth:`to_pixels`."""
        cos, sin = np.float32(np.cos(self.tilt_rad)), np.float32(np.sin(self.tilt_rad))
        x = (x_px - np.float32(self.centre_px[0])) / np.float32(self.px_per_deg) - np.float32(self.disc_deg[0])
        y = (y_px - np.float32(self.centre_px[1])) / np.float32(self.px_per_deg) - np.float32(self.disc_deg[1])
        u = np.float32(self.side) * (x * cos + y * sin)
        v = y * cos - x * sin
        return np.asarray(u, np.float32), np.asarray(v, np.float32)

    def pixel_grid(self) -> tuple[Array, Array]:
        """X and y of every pixel centre, each (size, size) float32."""
        y, x = np.mgrid[: self.size, : self.size].astype(np.float32)
        return x, y


def draw_view(rng: np.random.Generator, size: int) -> View:
    """Draw a geometry: a 45 degree field as DRIVE's or a 30 degree field as CHASE_DB1's, half and half.

    Args:
        rng: Source of randomness.
        size: Side of the square photograph, pixels.
    """
    narrow = bool(rng.random() < 0.5)
    field_deg = rng.normal(30.0, 0.8) if narrow else rng.normal(44.0, 1.2)
    radius_px = size * rng.normal(0.478, 0.002)
    centre = (size - 1) / 2 + size * rng.normal(0, [0.002, 0.002])
    side = 1 if rng.random() < 0.5 else -1
    on_disc = narrow or rng.random() < 0.08
    if on_disc:
        disc = (rng.normal(-side * 0.5, 0.9), rng.normal(-0.6, 0.6))
    else:
        disc = (-side * rng.normal(16.3, 1.2), rng.normal(-1.6, 1.3))
    crop = rng.uniform(0.0, 0.03, 2) * radius_px if rng.random() < 0.12 else (0.0, 0.0)
    return View(
        size=size,
        narrow=narrow,
        px_per_deg=float(2 * radius_px / field_deg),
        centre_px=(float(centre[0]), float(centre[1])),
        radius_px=float(radius_px),
        disc_deg=(float(disc[0]), float(disc[1])),
        side=side,
        tilt_rad=float(rng.normal(0.0, 0.06)),
        crop_px=(float(crop[0]), float(crop[1])),
    )
