"""Log power spectra by Welch's method: what a blur writes into an image whatever the image shows.

A blur multiplies the power spectrum of every part of an image by the same |OTF|^2; averaged over windows, the image's
own content becomes smooth and the factor stays.
"""

from __future__ import annotations

import torch
from torch import Tensor

from blurlab.core.fourier import rfft2
from blurlab.core.taper import sine_tapers, without_plane

FLOOR = 1e-6
"""Power added before the logarithm, about that of rounding to 8 bits, 1 / (12 * 255^2) = 1.3e-6."""

FAINT = 1e-8
"""The same where images are not rounded."""

CHUNK_IMAGES = 16
"""Images whose windows are in memory at once: a whole batch's temporaries cost more in page faults than in sums."""


def hann_window(size: int, *, device: torch.device | None = None) -> Tensor:
    """Separable periodic Hann window (size, size) of unit mean square, float32."""
    line = torch.hann_window(size, periodic=True, device=device)
    window = line[:, None] * line[None, :]
    return window / window.square().mean().sqrt()


def frequency_axes(window: int) -> Tensor:
    """Vertical and horizontal frequency of each bin as in :func:`window_power`, the highest 1: (1, 2, window, ...).

    Example:
        >>> frequency_axes(4)[0, :, 0].tolist()
        [[-1.0, -1.0, -1.0], [0.0, 0.5, 1.0]]
    """
    vertical = (torch.arange(window) / window - 0.5) * 2
    horizontal = torch.arange(window // 2 + 1) / (window // 2)
    return torch.stack(torch.meshgrid(vertical, horizontal, indexing="ij"))[None]


def window_power(y: Tensor, window: int = 64, hop: int = 32) -> Tensor:
    r"""Power spectrum of every window of every image: ``|FFT(w (y - mean y))|^2 / window^2``.

    Normalised so that white noise of standard deviation sigma has the expected power sigma^2 at every frequency (but
    near 0, which the subtracted mean empties). BatchState and columns that do not fill a last window are left out.

    Args:
        y: Images (B, C, H, W) in [0, 1].
        window: Side of a window, px.
        hop: Distance between windows, px.

    Returns:
        (B, C, n, window, window // 2 + 1), float32, n windows in raster order; vertical frequency 0 is row
        ``window // 2``, horizontal frequency 0 is column 0.

    Raises:
        ValueError: If the images are smaller than a window.

    Example:
        >>> window_power(torch.zeros(2, 1, 64, 96), window=32, hop=16).shape
        torch.Size([2, 1, 15, 32, 17])
    """
    if y.ndim != 4 or min(y.shape[-2:]) < window:
        raise ValueError(
            f"images must be (B, C, H, W), H and W at least window={window}, got {tuple(y.shape)}; use a smaller window"
        )
    with torch.autocast(y.device.type, enabled=False):
        patches = y.float().unfold(-2, window, hop).unfold(-2, window, hop).flatten(2, 3)
        patches = (patches - patches.mean((-2, -1), keepdim=True)) * hann_window(window, device=y.device)
        spectrum = rfft2(patches)
        return torch.fft.fftshift(spectrum.real.square() + spectrum.imag.square(), dim=-2) / window**2


def welch_log_spectrum(y: Tensor, window: int = 64, hop: int = 32) -> Tensor:
    """Log of the mean and mean of the log of the windows' power spectra (natural logarithm).

    Where all windows are alike the two differ by Euler's constant, 0.577; where few windows hold the detail the first
    follows these and the second the rest. The power is first averaged over the image's channels.

    Args:
        y: Images (B, C, H, W) in [0, 1], H and W at least ``window``.
        window: Side of a window, px.
        hop: Distance between windows, px.

    Returns:
        (B, 2, window, window // 2 + 1), float32, laid out as in :func:`window_power`.

    Raises:
        ValueError: If the images are smaller than a window.

    Example:
        >>> noise = 0.01 * torch.randn(1, 1, 512, 512, generator=torch.Generator().manual_seed(0))
        >>> spectrum = welch_log_spectrum(noise)
        >>> (0.01**2 / spectrum[0, 0].exp()[:24].mean()).round(decimals=1)
        tensor(1.)

    [Welch1967]
    """
    spectra = []
    for some in y.split(CHUNK_IMAGES):
        power = window_power(some, window, hop).mean(1) + FLOOR
        spectra.append(torch.stack([power.mean(1).log(), power.log().mean(1)], dim=1))
    return torch.cat(spectra)


def tapered_log_spectrum(y: Tensor, window: int = 32, hop: int = 16, tapers: int = 2) -> Tensor:
    """Log power spectrum by each pair of sine tapers, less its own mean: it does not depend on the image's contrast.

    A window's best plane is taken away first. Each pair of tapers sees the image by other weights, so that a small
    patch gives several nearly independent looks at its spectrum.

    Args:
        y: Images (B, C, H, W) in [0, 1], H and W at least ``window``.
        window: Side of the windows, px.
        hop: Distance between windows, px.
        tapers: Tapers along each axis.

    Returns:
        (B, tapers^2, window, window // 2 + 1), float32, laid out as in :func:`window_power`.

    Raises:
        ValueError: If the images are smaller than a window.

    [Riedel1995]
    """
    if y.ndim != 4 or min(y.shape[-2:]) < window:
        raise ValueError(
            f"images must be (B, C, H, W), H and W at least window={window}, got {tuple(y.shape)}; use a smaller window"
        )
    line = sine_tapers(window, tapers).to(y.device, torch.float32)
    pairs = (line[:, None, :, None] * line[None, :, None, :]).flatten(0, 1)
    spectra = []
    with torch.autocast(y.device.type, enabled=False):
        for some in y.float().split(CHUNK_IMAGES):
            patches = without_plane(some.unfold(-2, window, hop).unfold(-2, window, hop)).flatten(2, 3)
            spectrum = rfft2(patches[:, :, :, None] * pairs)
            power = torch.fft.fftshift(spectrum.real.square() + spectrum.imag.square(), dim=-2).mean((1, 2))
            log = (power + FAINT).log()
            spectra.append(log - log.mean((1, 2, 3), keepdim=True))
    return torch.cat(spectra)
