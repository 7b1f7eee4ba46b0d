"""What can be known of each test item: Cramer-Rao bounds of its parameters, and how often its kind can be told."""

from __future__ import annotations

import torch
from torch import Tensor

from blurlab.blur import BlurFamily, Mixture, Taps
from blurlab.core.checks import is_flat
from blurlab.likelihood.ceiling import kind_ceiling
from blurlab.likelihood.limit import cramer_rao, cramer_rao_known_image, smooth_spectrum

BOUNDS = {
    "bound": "a Gaussian field of the photograph's smooth spectrum, its level, slope and noise unknown",
    "bound_spectrum": "the same, spectrum and noise known",
    "bound_image": "the sharp photograph itself and the noise known",
}
"""Prefix of the columns -> what is known of the photograph."""
CEILING = (
    "of the blurred items, observer who knows the photograph's smooth spectrum and the noise, against the nearest "
    "kernel of another kind: Phi(sqrt(2 C)), C the Chernoff information"
)
MEDIAN_OF_SD = 0.6745
"""Median absolute value of a Gaussian of standard deviation 1."""
AT_ONCE = 8


def bounds(family: BlurFamily, x: Tensor, params: Tensor, kind: Tensor, sigma: Tensor) -> dict[str, Tensor]:
    """Smallest standard deviation of an unbiased estimate of each parameter, and the ceiling of the kind.

    Args:
        family: A family or mixture.
        x: Sharp images (n, C, N, N).
        params: True parameters (n, P).
        kind: True kinds (n,).
        sigma: Noise standard deviation (n,).

    Returns:
        For each of ``BOUNDS`` (n, P), float64; NaN where a kind has no such parameter, it is fixed, or a kind has no
        bound (taps). ``ceiling`` (n,): NaN where there are not two kinds.
    """
    found = {name: torch.full(params.shape, torch.nan, dtype=torch.float64, device=params.device) for name in BOUNDS}
    found["ceiling"] = torch.full((len(x),), torch.nan, dtype=torch.float64, device=params.device)
    if isinstance(family, Taps):
        return found
    told = (~is_flat(x)).nonzero().squeeze(1).to(params.device)  # a constant patch has no spectrum
    for some in told.split(AT_ONCE):
        if len(some) == 0:
            break
        spectrum, variance = smooth_spectrum(x[some]), sigma[some].double() ** 2
        told_apart = isinstance(family, Mixture) and not any(one.is_hidden for one in family.parameters)
        if isinstance(family, Mixture) and told_apart and len(family.kinds) > 1:
            found["ceiling"][some] = kind_ceiling(family, params[some], kind[some], spectrum, variance)
        for member, columns, here in _members(family, kind[some]):
            rows, own = some[here], params[some][here][:, columns]
            known = spectrum[here], variance[here]
            found["bound"][rows, columns] = cramer_rao(member, own, *known, nuisances=True)
            found["bound_spectrum"][rows, columns] = cramer_rao(member, own, *known)
            found["bound_image"][rows, columns] = cramer_rao_known_image(member, own, _power(x[rows]), variance[here])
    return {name: torch.where(value > 0, value, torch.nan) for name, value in found.items()}


def _members(family: BlurFamily, kind: Tensor) -> list[tuple[BlurFamily, slice, Tensor]]:
    """Each kind that has a free parameter, with its columns and the rows of that kind."""
    parts, start = [], 0
    for index, name in enumerate(family.kinds):
        member = family.member(name) if isinstance(family, Mixture) else family
        columns = slice(start, start := start + len(member.names))
        rows = (kind == index).nonzero().squeeze(1)
        if len(rows) and member.free:
            parts.append((member, columns, rows))
    return parts


def _power(x: Tensor) -> Tensor:
    """|U|^2 (n, N, N // 2 + 1), summed over the channels: each is seen with noise of its own."""
    spectrum = torch.fft.rfft2(x.double() - x.double().mean((-2, -1), keepdim=True), norm="ortho")
    return (spectrum.real.square() + spectrum.imag.square()).sum(1)
