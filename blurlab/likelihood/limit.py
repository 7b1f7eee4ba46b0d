"""What no unbiased estimate can beat: the Cramer-Rao bound of a blur's parameters; how far apart two kinds are.

The image is a stationary Gaussian field of known spectrum S seen through H in white noise, P = |H|^2 S + s^2 at each
frequency of an N x N grid (all its N^2 bins). Real photographs are neither Gaussian nor of a known spectrum, so these
are bounds for the best case; with nuisances the spectrum's level and slope and the noise are unknown as well.
"""

from __future__ import annotations

import torch
from torch import Tensor

from blurlab.blur import BlurFamily, NoBlur
from blurlab.likelihood.climb import maximise
from blurlab.likelihood.prior import basis, own_blur
from blurlab.likelihood.refine import Refiner
from blurlab.likelihood.whittle import otf_power, otf_slopes, psf_slopes


def power_law(side: int, exponent: float = 2.0) -> Tensor:
    """Spectrum ``f^-exponent`` (side, side // 2 + 1), 0 at frequency 0; f in cycles/px.

    Example:
        >>> power_law(4)[0].tolist()
        [0.0, 16.0, 4.0]
    """
    square = _square(side)
    return torch.where(square > 0, square.clamp_min(1e-12) ** (-exponent / 2), 0.0)


def smooth_spectrum(x: Tensor) -> Tensor:
    """The smooth spectrum that fits sharp images best, on the grid of the images themselves.

    Args:
        x: Images (n, C, N, N).

    Returns:
        (n, N, N // 2 + 1), float64; white noise of standard deviation sigma has sigma^2.

    Raises:
        ValueError: If the images are not square, or say nothing (constant, not finite, below 16 px).
    """
    if x.ndim != 4 or x.shape[-1] != x.shape[-2]:
        raise ValueError(f"images must be (n, C, N, N), got {tuple(x.shape)}; cut squares out of them")
    problem = Refiner(NoBlur()).problem(x)
    state, _ = maximise(problem, torch.zeros(len(x), 0, dtype=torch.float64, device=x.device))
    side = x.shape[-1]
    terms, fixed = basis(side).to(x.device), own_blur(side, problem.prior.softness_px).to(x.device)
    return (torch.einsum("bm,mij->bij", state.smooth, terms) + fixed).exp()


def noise_at_bsnr(power: Tensor, spectrum: Tensor, bsnr_db: float) -> Tensor:
    """Noise variance (n,) at which images of this spectrum seen through |H|^2 (n, N, N // 2 + 1) have this BSNR."""
    count = bin_counts(spectrum.shape[-2]).to(power)
    return (count * power * spectrum).sum((-2, -1)) / count.sum() / 10 ** (bsnr_db / 10)


def cramer_rao(
    family: BlurFamily, params: Tensor, spectrum: Tensor, variance: Tensor, *, nuisances: bool = False
) -> Tensor:
    """Smallest standard deviation of an unbiased estimate of each free parameter.

    ``I_ij = 1/2 sum_k d_i log P_k d_j log P_k``, its inverse's diagonal.

    Args:
        family: One kind of blur.
        params: Parameters (n, P).
        spectrum: S on the half grid (N, N // 2 + 1), or one for each row (n, N, N // 2 + 1).
        variance: Noise variance (n,) on the scale of S.
        nuisances: Are the level and the slope of log S and the noise unknown too?

    Returns:
        (n, P), 0 where the family's bounds fix a parameter, infinite where the image says nothing of it.

    Example:
        >>> from blurlab.blur import Defocus
        >>> family, radius = Defocus([1, 8]), torch.tensor([[4.0]], dtype=torch.float64)
        >>> spectrum = power_law(32)
        >>> variance = noise_at_bsnr(otf_power(family.psf(radius), 32), spectrum, 30)
        >>> cramer_rao(family, radius, spectrum, variance).round(decimals=3)
        tensor([[0.0160]], dtype=torch.float64)
    """
    side = spectrum.shape[-2]
    params = params.double()
    power = otf_power(family.psf(params), side)
    expected = power * spectrum + variance[:, None, None]
    free = family.free
    slopes = [otf_slopes(family, params, place, side) * spectrum for place in free]
    if nuisances:
        line = 0.5 * _square(side).clamp_min(1 / side**2).log().to(power)
        slopes += [power * spectrum, power * spectrum * line, variance[:, None, None].expand_as(expected)]
    flat = (torch.stack(slopes, 1) / expected[:, None]).flatten(2)
    information = 0.5 * (flat * bin_counts(side).flatten().to(flat)) @ flat.transpose(1, 2)
    _add_range(information, family, free)
    out = torch.zeros_like(params)
    out[:, free] = _deviation(information)[:, : len(free)]
    return out


def psf_snr_bound(family: BlurFamily, params: Tensor, spectrum: Tensor, variance: Tensor) -> Tensor:
    """SNR of the kernel that an efficient unbiased estimate of the parameters would have, to first order (n,), dB.

    ``10 log10(||h||^2 / tr(J C J'))``, J the kernel's derivatives in its free parameters, C the inverse of the
    information of :func:`cramer_rao`, which knows the spectrum and the noise.

    Args:
        family: One kind of blur.
        params: Parameters (n, P).
        spectrum: S on the half grid, one for each row (n, N, N // 2 + 1).
        variance: Noise variance (n,) on the scale of S.

    Example:
        >>> from blurlab.blur import Gaussian
        >>> family, sigma = Gaussian([1, 3]), torch.tensor([[2.0]], dtype=torch.float64)
        >>> spectrum = power_law(64)[None]
        >>> bounds = [psf_snr_bound(family, sigma, spectrum, torch.tensor([noise])) for noise in (0.01, 10.0)]
        >>> bool(bounds[0] > bounds[1] + 5)
        True
    """
    side, params = spectrum.shape[-2], params.double()
    expected = otf_power(family.psf(params), side) * spectrum + variance[:, None, None]
    slopes = torch.stack([otf_slopes(family, params, place, side) * spectrum for place in family.free], 1)
    flat = (slopes / expected[:, None]).flatten(2)
    information = 0.5 * (flat * bin_counts(side).flatten().to(flat)) @ flat.transpose(1, 2)
    _add_range(information, family, family.free)
    change = torch.stack([psf_slopes(family, params, place).flatten(1) for place in family.free], 2)
    error = (change @ torch.linalg.inv(information) * change).sum((1, 2))
    return 10 * torch.log10(family.psf(params).square().sum((1, 2, 3)) / error)


def cramer_rao_known_image(family: BlurFamily, params: Tensor, image: Tensor, variance: Tensor) -> Tensor:
    """The same where the sharp image is known: ``I_ij = sum_k Re(conj(d_i H_k) d_j H_k) |U_k|^2 / s^2``, U unitary.

    For kernels that are symmetric about their centre, as all of one kind here are: H is real.

    Args:
        family: One kind of blur.
        params: Parameters (n, P).
        image: Power |U|^2 of the sharp images on the half grid (n or 1, N, N // 2 + 1).
        variance: Noise variance (n,).

    Returns:
        (n, P), 0 where the family's bounds fix a parameter.
    """
    side = image.shape[-2]
    params = params.double()
    power = otf_power(family.psf(params), side)
    free = family.free
    amplitude = power.clamp_min(1e-12).sqrt()
    slopes = torch.stack([otf_slopes(family, params, place, side) / (2 * amplitude) for place in free], 1).flatten(2)
    weight = (bin_counts(side).to(image) * image / variance[:, None, None]).flatten(1)[:, None]
    information = (slopes * weight) @ slopes.transpose(1, 2)
    _add_range(information, family, free)
    out = torch.zeros_like(params)
    out[:, free] = _deviation(information)
    return out


def _add_range(information: Tensor, family: BlurFamily, free: list[int]) -> None:
    """What is known before: no parameter is less certain than its range, of deviation (high - low) / sqrt(12).

    A line that stays within one row of pixels is seen by length times cosine alone; without this its bound is a ratio
    of rounding errors.
    """
    for place, column in enumerate(free):
        low, high = family.bounds[column]
        information[:, place, place] += 12 / (high - low) ** 2


def _deviation(information: Tensor) -> Tensor:
    """Root of the inverse's diagonal (n, q); infinite where the image says nothing of a direction."""
    inverse, failed = torch.linalg.inv_ex(information)
    variance = inverse.diagonal(dim1=1, dim2=2)
    known = (failed == 0)[:, None] & (variance > 0) & variance.isfinite()
    return torch.where(known, variance, torch.inf).sqrt()


def divergence(first: Tensor, second: Tensor) -> Tensor:
    """Kullback-Leibler divergence of Gaussian fields with expected periodograms (n, N, N // 2 + 1), (n,).

    ``1/2 sum_k (P1/P2 - 1 - log P1/P2)``.
    """
    ratio = first / second
    return 0.5 * (bin_counts(first.shape[-2]).to(ratio) * (ratio - 1 - ratio.log())).sum((-2, -1))


def chernoff(first: Tensor, second: Tensor, points: int = 19) -> Tensor:
    """Chernoff information (n,): two equally likely fields are confused at most exp(-C) / 2 of the time.

    ``C = max_t 1/2 sum_k [log(t / P1 + (1 - t) / P2) + t log P1 + (1 - t) log P2]``, t on a grid.
    """
    count = bin_counts(first.shape[-2]).to(first)
    best = first.new_zeros(len(first))
    for t in torch.linspace(0, 1, points + 2, dtype=torch.float64)[1:-1].tolist():
        mixed = (t / first + (1 - t) / second).log() + t * first.log() + (1 - t) * second.log()
        best = torch.maximum(best, 0.5 * (count * mixed).sum((-2, -1)))
    return best


def bin_counts(side: int) -> Tensor:
    """How often each bin of a half spectrum comes in the whole one (side, side // 2 + 1): 1 or 2; 0 at frequency 0."""
    count = torch.full((side, side // 2 + 1), 2.0, dtype=torch.float64)
    count[:, 0] = 1
    if side % 2 == 0:
        count[:, -1] = 1
    count[0, 0] = 0
    return count


def _square(side: int) -> Tensor:
    down = torch.fft.fftfreq(side, dtype=torch.float64)[:, None]
    return down**2 + torch.fft.rfftfreq(side, dtype=torch.float64)[None, :] ** 2
