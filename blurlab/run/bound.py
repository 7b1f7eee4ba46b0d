"""The Cramer-Rao bound of each test item's parameters."""

from __future__ import annotations

import torch
from torch import Tensor

from blurlab.blur import BlurFamily, Mixture, Taps
from blurlab.likelihood.limit import cramer_rao, smooth_spectrum

HOW = (
    "Cramer-Rao bound, median: a Gaussian field of the photograph's smooth spectrum, its level, slope and noise unknown"
)
AT_ONCE = 8


def bounds(family: BlurFamily, x: Tensor, params: Tensor, kind: Tensor, sigma: Tensor) -> Tensor:
    """Smallest standard deviation of an unbiased estimate of each parameter.

    Args:
        family: A family or mixture.
        x: Sharp images (n, C, N, N).
        params: True parameters (n, P).
        kind: True kinds (n,).
        sigma: Noise standard deviation (n,).

    Returns:
        (n, P), float64; NaN where a kind has no such parameter, it is fixed, or a kind has no bound (taps).
    """
    bound = torch.full(params.shape, torch.nan, dtype=torch.float64, device=params.device)
    if isinstance(family, Taps):
        return bound
    start = 0
    for index, name in enumerate(family.kinds):
        member = family.member(name) if isinstance(family, Mixture) else family
        columns = slice(start, start := start + len(member.names))
        rows = (kind == index).nonzero().squeeze(1)
        if len(rows) and any(low < high for low, high in member.bounds):
            for some in rows.split(AT_ONCE):
                spectrum = smooth_spectrum(x[some])
                variance = sigma[some].double() ** 2
                bound[some, columns] = cramer_rao(member, params[some][:, columns], spectrum, variance, nuisances=True)
    return torch.where(bound > 0, bound, torch.nan)
