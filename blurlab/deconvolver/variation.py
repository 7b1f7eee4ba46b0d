"""Total variation: its value, the objective that it is part of, and the projection that shrinks gradients."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from blurlab.core.fourier import irfft2, psf_to_otf, rfft2
from blurlab.physics import Gradient

D = Gradient()
NORMS = ("isotropic", "anisotropic", "vectorial")
"""Which differences form one vector, whose length counts: the two of a pixel [Rudin1992], each alone, or those of all
channels of a pixel together [Bresson2008]."""


def project(field: Tensor, radius: float | Tensor, norm: str = "isotropic", out: Tensor | None = None) -> Tensor:
    """Bring each vector of a field into the ball of this radius: prox of the conjugate of the sum of lengths.

    ``field - project(field, t)`` is shrinkage by t [Goldstein2009].

    Args:
        field: (B, C, 2, H, W).
        radius: Greatest length, > 0; a number, or one per pixel (B, C or 1, H, W).
        norm: What is one vector, one of ``NORMS``.
        out: Where to write the result; fresh room if None.

    Returns:
        (B, C, 2, H, W).

    Example:
        >>> field = torch.tensor([3.0, 4.0]).reshape(1, 1, 2, 1, 1)
        >>> project(field, 1.0).flatten(), project(field, 1.0, "anisotropic").flatten()
        (tensor([0.6000, 0.8000]), tensor([1., 1.]))
    """
    if norm == "anisotropic":
        if isinstance(radius, Tensor):
            return torch.clamp(field, -radius.unsqueeze(2), radius.unsqueeze(2), out=out)
        return torch.clamp(field, -radius, radius, out=out)
    squared = _squared(field, norm)
    if squared.requires_grad:  # in place would overwrite what the way back needs, and 1 / length has no slope at 0
        share = radius * squared.clamp_min(radius**2).rsqrt()
    else:
        share = squared.rsqrt_().mul_(radius).clamp_max_(1.0)
    return torch.mul(field, share.unsqueeze(2), out=out)


def field_length(field: Tensor, norm: str = "isotropic") -> Tensor:
    """Sum of the lengths of a field's vectors, per image: (B, C, 2, H, W) -> (B,)."""
    return (field.abs() if norm == "anisotropic" else _squared(field, norm).sqrt_()).flatten(1).sum(1)


def _squared(field: Tensor, norm: str) -> Tensor:
    """Squared lengths (B, C, H, W), or (B, 1, H, W)."""
    across, down = field.unbind(2)
    squared = across.square().addcmul_(down, down)
    return squared.sum(1, keepdim=True) if norm == "vectorial" else squared


def total_variation(u: Tensor, norm: str = "isotropic") -> Tensor:
    """``sum |grad u|`` [Rudin1992], periodic, per image: (B, C, H, W) -> (B,).

    Args:
        u: Images.
        norm: A key of ``NORMS``.

    Example:
        >>> step = torch.zeros(1, 1, 4, 4); step[..., 2:] = 1
        >>> total_variation(step)
        tensor([8.])
        >>> total_variation(step.expand(1, 4, 4, 4)), total_variation(step.expand(1, 4, 4, 4), "vectorial")
        (tensor([32.]), tensor([16.]))
    """
    return field_length(D.A(u), norm)


def in_norm(norm: str, channels: int) -> float:
    """Factor on the weight of isotropic total variation that makes another norm as strong.

    Differences in all directions are longer by 4 / pi on average when their two parts are summed; channels that are
    alike make a vector longer by the root of their number, and a sum by their number.

    Example:
        >>> in_norm("anisotropic", 3), in_norm("vectorial", 4)
        (0.785..., 2.0)
    """
    return {"isotropic": 1.0, "anisotropic": math.pi / 4, "vectorial": math.sqrt(channels)}[norm]


def tv_objective(u: Tensor, y: Tensor, psf: Tensor, weight: float, norm: str = "isotropic") -> Tensor:
    """``1/2 |h * u - y|^2 + alpha TV(u)``, circular, per image (B,); u and y (B, C, H, W)."""
    shape = (y.shape[-2], y.shape[-1])
    residual = irfft2(psf_to_otf(psf, shape) * rfft2(u), shape) - y
    return residual.square().flatten(1).sum(1) / 2 + weight * total_variation(u, norm)
