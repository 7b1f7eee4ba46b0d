"""What a restored image costs: one number an image, lower is better."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor

from blurlab.metric import ssim


class RestorationLoss(Protocol):
    """From restored and sharp images (B, C, H, W) to costs (B,)."""

    def __call__(self, x_hat: Tensor, x: Tensor) -> Tensor:
        """Costs (B,), differentiable in ``x_hat``."""


class L1:
    """``mean |x_hat - x|``."""

    def __call__(self, x_hat: Tensor, x: Tensor) -> Tensor:
        return (x_hat - x).abs().flatten(1).mean(1)


class MSE:
    """``mean (x_hat - x)^2``."""

    def __call__(self, x_hat: Tensor, x: Tensor) -> Tensor:
        return (x_hat - x).square().flatten(1).mean(1)


class LogMSE:
    """``log mean (x_hat - x)^2``: the PSNR up to a factor, so an image with much noise counts no more than others.

    Example:
        >>> LogMSE()(torch.full((1, 1, 2, 2), 0.1), torch.zeros(1, 1, 2, 2)) / LogMSE()(
        ...     torch.full((1, 1, 2, 2), 0.01), torch.zeros(1, 1, 2, 2))
        tensor([0.5000])
    """

    def __call__(self, x_hat: Tensor, x: Tensor) -> Tensor:
        return MSE()(x_hat, x).clamp_min(1e-10).log()


class DSSIM:
    """``1 - SSIM``, [WangBovik2004] as :func:`blurlab.metric.ssim`."""

    def __call__(self, x_hat: Tensor, x: Tensor) -> Tensor:
        return 1 - ssim(x_hat, x)


class Mix:
    """A weighted sum of losses.

    Args:
        parts: Losses by name.
        weights: A weight for each name.

    Raises:
        ValueError: If the names differ, there is none, or a weight is negative.

    Example:
        >>> x = torch.zeros(1, 1, 2, 2)
        >>> Mix({"l1": L1(), "mse": MSE()}, {"l1": 1.0, "mse": 10.0})(x + 0.1, x)
        tensor([0.2000])
    """

    def __init__(self, parts: Mapping[str, RestorationLoss], weights: Mapping[str, float]) -> None:
        if not parts or set(parts) != set(weights) or any(not weight >= 0 for weight in weights.values()):
            raise ValueError(f"a mix needs one weight >= 0 for each loss, got {dict(weights)} for {', '.join(parts)}")
        self.parts, self.weights = dict(parts), dict(weights)

    def __call__(self, x_hat: Tensor, x: Tensor) -> Tensor:
        costs = [self.weights[name] * loss(x_hat, x) for name, loss in self.parts.items()]
        return torch.stack(costs).sum(0)
