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
    return (field / field.std()).astype(np.float32)


def smooth_field(rng: np.random.Generator, size: int, cells: int) -> Array:
    """Cubic interpolation of about ``cells`` x ``cells`` standard normal values over (size, size), float32."""
    import cv2

    coarse = rng.standard_normal((cells + 3, cells + 3)).astype(np.float32)
    fine = cv2.resize(coarse, (0, 0), fx=size / cells, fy=size / cells, interpolation=cv2.INTER_CUBIC)
    start = (fine.shape[0] - size) // 2
    return fine[start : start + size, start : start + size].astype(np.float32, copy=False)


def polar_streaks(rng: np.random.Generator, r: Array, turn: Array, around: int, along_deg: float) -> Array:
    """Unit-variance streaks that leave the disc radially, as nerve fibres do.

    Args:
        rng: Source of randomness.
        r: Distance from the disc (size, size), degrees.
        turn: Direction from the disc (size, size), turns in [0, 1).
        around: Independent values round the disc.
        along_deg: Length of a streak, degrees.
    """
    import cv2

    rows = int(40 / along_deg) + 4
    table = rng.standard_normal((rows, around)).astype(np.float32)
    x = turn * np.float32(around)
    y = r * np.float32(1 / along_deg) + np.float32(1)
    return cv2.remap(table, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_WRAP).astype(np.float32, copy=False)


def choroid(rng: np.random.Generator, r: Array, turn: Array, px_per_deg: float) -> Array:
    """A net of wide, faint vessels under the retina: ridges of a warped smooth field, 0 to 1 (size, size).

    Args:
        rng: Source of randomness.
        r: Distance from the disc (size, size), degrees.
        turn: Direction from the disc (size, size), turns in [0, 1).
        px_per_deg: Magnification.
    """
    size = r.shape[0]
    spacing_px = rng.uniform(1.2, 2.2) * px_per_deg
    field = power_field(rng, size, 3.0, 0.35 / spacing_px, 0.4 / spacing_px)
    streaks = polar_streaks(rng, r, turn, 90, 7.0)
    net = np.exp(-((np.float32(0.7) * field + streaks) ** 2) / np.float32(0.4))
    patch = 1 / (1 + np.exp(-2 * smooth_field(rng, size, 3)))
    return (net * patch).astype(np.float32)
