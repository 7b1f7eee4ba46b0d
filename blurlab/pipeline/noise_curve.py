"""A figure that depends on the noise of an image: a broken line over the logarithm of its standard deviation."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


class NoiseCurve:
    """Values at some levels of noise, straight lines over log sigma between them, constant beyond.

    Args:
        sigma: Rising noise standard deviations, > 0.
        value: One for each.

    Raises:
        ValueError: If the levels do not rise, or the values are not as many.

    Example:
        >>> NoiseCurve([0.01, 0.1], [0.0, 1.0])(torch.tensor([0.001, 0.0316228, 0.5])).round(decimals=3)
        tensor([0.0000, 0.5000, 1.0000], dtype=torch.float64)
    """

    def __init__(self, sigma: Sequence[float], value: Sequence[float]) -> None:
        levels = torch.tensor([float(one) for one in sigma], dtype=torch.float64)
        if len(levels) != len(value) or len(levels) < 1 or not bool((levels > 0).all() & (levels.diff() > 0).all()):
            raise ValueError(f"sigma must rise from above 0 and have a value each, got {list(sigma)} and {list(value)}")
        self.at = levels.log()
        self.value = torch.tensor([float(one) for one in value], dtype=torch.float64)

    def __call__(self, sigma: Tensor) -> Tensor:
        """The values (B,), float64, at noise standard deviations (B,)."""
        at, value = self.at.to(sigma.device), self.value.to(sigma.device)
        place = sigma.double().clamp_min(1e-9).log().clamp(float(at[0]), float(at[-1]))
        if len(at) == 1:
            return value.expand_as(place)
        right = torch.searchsorted(at, place.contiguous()).clamp(1, len(at) - 1)
        share = (place - at[right - 1]) / (at[right] - at[right - 1])
        return torch.lerp(value[right - 1], value[right], share)
