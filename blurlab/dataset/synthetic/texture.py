"""Random fields: power-law grain, smooth shading, choroidal vessels and the streaks of the nerve fibres."""

from __future__ import annotations

import numpy as np

from blurlab.dataset.synthetic.view import Array


def power_field(rng: np.random.Generator, size: int, slope: float, low: float, high: float = 1.0) -> Array:
    """A Gaussian field of unit variance whose power falls as frequency^-slope above ``low``.

    Args:
        rng: Source of randomness.
        size: Side, pixels.
        slope: Exponent of the power spectrum.
        low: Frequency in cycles/pixel below which the spectrum is flat.
        high: Frequency in cycles/pixel at which a Gaussian roll-off falls to exp(-1/2).

    Returns:
        (size, size) float32.

    Example:
        >>> field = power_field(np.random.default_rng(0), 64, 2.0, 0.02)
        >>> field.shape, round(float(field.std()), 3)
        ((64, 64), 1.0)
    """
    from scipy import fft

    noise = rng.standard_normal((size, size), dtype=np.float32)
    fx, fy = np.fft.rfftfreq(size).astype(np.float32), np.fft.fftfreq(size).astype(np.float32)
    squared = fx[None, :] ** 2 + fy[:, None] ** 2
    gain = (squared + np.float32(low**2)) ** np.float32(-slope / 4) * np.exp(squared * np.float32(-0.5 / high**2))
    gain[0, 0] = 0.0
    field: Array = fft.irfft2(fft.rfft2(noise) * gain, s=(size, size)).astype(np.float32)
    return field / field.std()


def smooth_field(rng: np.random.Generator, size: int, cells: int) -> Array:
    """Cubic interpolation of about ``cells`` x ``cells`` standard normal values over (size, size), float32."""
    import cv2

    coarse = rng.standard_normal((cells + 3, cells + 3)).astype(np.float32)
    fine = cv2.resize(coarse, (0, 0), fx=size / cells, fy=size / cells, interpolation=cv2.INTER_CUBIC)
    start = (fine.shape[0] - size) // 2
    return fine[start : start + size, start : start + size]


def polar_streaks(rng: np.random.Generator, u: Array, v: Array, around: int, along_deg: float) -> Array:
    """Unit-variance streaks that leave the disc radially, as nerve fibres do.

    Args:
        rng: Source of randomness.
        u: Eye coordinate towards the macula (size, size), degrees.
        v: Eye coordinate downwards (size, size), degrees.
        around: Independent values round the disc.
        along_deg: Length of a streak, degrees.
    """
    import cv2

    rows = int(40 / along_deg) + 4
    table = rng.standard_normal((rows, around)).astype(np.float32)
    # fibres bend round the macula: the angle they left the disc at grows with the distance on the temporal side
    angle = np.arctan2(v, u)
    r = np.hypot(u, v)
    angle = angle * (1 + np.float32(0.02) * r * (u > 0) * np.cos(angle))
    x = np.mod(angle / np.float32(2 * np.pi), 1.0).astype(np.float32) * around
    y = (r / np.float32(along_deg)).astype(np.float32) + 1
    return cv2.remap(table, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_WRAP)


def choroid(rng: np.random.Generator, u: Array, v: Array, px_per_deg: float) -> Array:
    """A net of wide, faint vessels under the retina: ridges of a warped smooth field, 0 to 1 (size, size).

    Args:
        rng: Source of randomness.
        u: Eye coordinate towards the macula, degrees.
        v: Eye coordinate downwards, degrees.
        px_per_deg: Magnification.
    """
    size = u.shape[0]
    spacing_px = rng.uniform(1.1, 1.9) * px_per_deg
    field = power_field(rng, size, 3.0, 0.35 / spacing_px, 0.5 / spacing_px)
    streaks = polar_streaks(rng, u, v, 60, 9.0)
    net = np.exp(-((field + np.float32(0.5) * streaks) ** 2) / np.float32(0.18))
    patch = 1 / (1 + np.exp(-2 * smooth_field(rng, size, 3)))
    return (net * patch).astype(np.float32)
