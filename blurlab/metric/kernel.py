"""How far an estimated kernel is from the true one: in place, and up to a shift."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

from blurlab.core.checks import check_psf
from blurlab.core.fourier import irfft2, rfft2
from blurlab.metric.inputs import at_least_float32, energy

ZOOM = 10


def psf_snr(psf_hat: Tensor, psf: Tensor) -> Tensor:
    """10 log10(||psf||^2 / ||psf - psf_hat||^2) per kernel, the kernels as they lie (no alignment).

    Args:
        psf_hat: Estimated kernels (B, 1, k, k), k odd.
        psf: True kernels (B, 1, l, l), l odd; the smaller are padded with zeros about their centre.

    Returns:
        dB (B,); ``inf`` where the two are equal. Debarnot and Weiss (2024) report this figure.

    Raises:
        ValueError: If a side is even or the numbers of kernels differ.

    Example:
        >>> psf = torch.zeros(1, 1, 3, 3); psf[..., 1, 1] = 1
        >>> psf_snr(0.9 * psf, psf)
        tensor([20.0000])
    """
    psf_hat, psf = _same_size(psf_hat, psf)
    return 10 * torch.log10(energy(psf) / energy(psf - psf_hat))


def kernel_error(psf_hat: Tensor, psf: Tensor, *, max_shift_px: int = 5, zooms: int = 2) -> tuple[Tensor, Tensor]:
    """Sum of squared differences of two kernels after the best shift of the first, and that shift.

    Blind deconvolution finds kernel and image up to a shift. Shifts are exact for band-limited kernels: by a Fourier
    phase on a grid wide enough that nothing wraps round, they keep the energy, so that
    min_s ||T_s a - b||^2 = ||a||^2 + ||b||^2 - 2 max_s (a correlated with b)(s).

    Args:
        psf_hat: Estimated kernels (B, 1, k, k), k odd.
        psf: True kernels (B, 1, l, l), l odd.
        max_shift_px: Largest whole shift tried along each axis.
        zooms: Refinements round the best whole shift, each ten times finer: 2 gives steps of 0.01 px, 0 whole pixels.

    Returns:
        The squared error (B,), and the shift in pixels (B, 2), (rows down, columns right), that takes ``psf_hat``
        to ``psf``.

    Raises:
        ValueError: If a side is even, the numbers of kernels differ, or ``max_shift_px`` or ``zooms`` is negative.

    Example:
        >>> psf = torch.zeros(1, 1, 7, 7); psf[..., 3, 3] = 1
        >>> error, shift = kernel_error(psf.roll(2, -1), psf)
        >>> round(float(error), 5), shift.tolist()
        (0.0, [[0.0, -2.0]])
    """
    if max_shift_px < 0 or zooms < 0:
        raise ValueError(f"max_shift_px and zooms must be >= 0, got {max_shift_px} and {zooms}")
    psf_hat, psf = _same_size(psf_hat, psf)
    side = max(psf.shape[-2:]) + 2 * max_shift_px  # odd: no Nyquist bin, whose phase would be lost
    cross = rfft2(_centre_pad(psf, side, side)) * rfft2(_centre_pad(psf_hat, side, side)).conj()
    whole = torch.arange(-max_shift_px, max_shift_px + 1, device=psf.device)
    table = irfft2(cross, (side, side))[:, 0][:, whole % side][:, :, whole % side]
    best, shift = _peak(table, whole.to(psf).expand(len(psf), -1), whole.to(psf).expand(len(psf), -1))
    step = 1.0
    for _ in range(zooms):
        offset = torch.arange(-ZOOM, ZOOM + 1, device=psf.device, dtype=psf.dtype) * (step / ZOOM)
        rows, cols = shift[:, :1] + offset, shift[:, 1:] + offset
        best, shift = _peak(_correlation(cross[:, 0], side, rows, cols), rows, cols)
        step /= ZOOM
    return (energy(psf_hat) + energy(psf) - 2 * best).clamp_min(0), shift


def kernel_correlation(psf_hat: Tensor, psf: Tensor) -> Tensor:
    """``max_s sum_p a(p + s) b(p) / (||a|| ||b||)`` of two kernels, over all shifts by whole pixels.

    Args:
        psf_hat: Estimated kernels (B, 1, k, l), sides of any length.
        psf: True kernels (B, 1, m, n), sides of any length.

    Returns:
        (B,), 1 where one is the other up to scale and shift. 0 where one is all 0.

    Raises:
        ValueError: If the numbers of kernels differ.

    Example:
        >>> psf = torch.zeros(1, 1, 5, 5); psf[..., 0, 0] = 1; psf[..., 2, 2] = 1
        >>> kernel_correlation(3 * psf.roll((2, 2), (-2, -1)), psf).round(decimals=4)
        tensor([1.])
    """
    if len(psf_hat) != len(psf):
        raise ValueError(f"psf_hat and psf must hold as many kernels, got {len(psf_hat)} and {len(psf)}")
    psf_hat, psf = at_least_float32(psf_hat), at_least_float32(psf)
    shape = (psf_hat.shape[-2] + psf.shape[-2] - 1, psf_hat.shape[-1] + psf.shape[-1] - 1)
    cross = torch.fft.rfft2(psf_hat, s=shape) * torch.fft.rfft2(psf, s=shape).conj()
    size = (energy(psf_hat) * energy(psf)).sqrt()
    best = irfft2(cross, shape).flatten(1).amax(1)
    return (best / size).where(size > 0, 0.0)


def _correlation(cross: Tensor, side: int, rows: Tensor, cols: Tensor) -> Tensor:
    """Value of the trigonometric polynomial ``cross`` (B, S, S // 2 + 1) at rows (B, n) x cols (B, n) -> (B, n, n)."""
    turn = 2 * torch.pi
    frequency_down = torch.fft.fftfreq(side, device=rows.device, dtype=rows.dtype)
    frequency_right = torch.fft.rfftfreq(side, device=cols.device, dtype=cols.dtype)
    twice = torch.where(frequency_right > 0, 2.0, 1.0)
    down = torch.exp(1j * turn * rows[..., None] * frequency_down)
    right = twice * torch.exp(1j * turn * cols[..., None] * frequency_right)
    return (down @ cross @ right.mT).real / side**2


def _peak(table: Tensor, rows: Tensor, cols: Tensor) -> tuple[Tensor, Tensor]:
    """Largest value (B,) of tables (B, n, m) and its place (B, 2)."""
    best, at = table.flatten(1).max(1)
    row, col = at // table.shape[-1], at % table.shape[-1]
    return best, torch.stack([rows.gather(1, row[:, None])[:, 0], cols.gather(1, col[:, None])[:, 0]], 1)


def _same_size(psf_hat: Tensor, psf: Tensor) -> tuple[Tensor, Tensor]:
    """Both kernels in at least float32, zero-padded to the larger of each side."""
    check_psf(psf_hat)
    check_psf(psf)
    if len(psf_hat) != len(psf):
        raise ValueError(f"psf_hat and psf must hold as many kernels, got {len(psf_hat)} and {len(psf)}")
    rows, cols = (max(psf_hat.shape[axis], psf.shape[axis]) for axis in (-2, -1))
    psf_hat, psf = at_least_float32(psf_hat), at_least_float32(psf)
    return _centre_pad(psf_hat, rows, cols), _centre_pad(psf, rows, cols)


def _centre_pad(psf: Tensor, rows: int, cols: int) -> Tensor:
    """Zeros about odd-sided kernels up to odd sides ``rows`` x ``cols``."""
    down, right = (rows - psf.shape[-2]) // 2, (cols - psf.shape[-1]) // 2
    return pad(psf, (right, right, down, down))
