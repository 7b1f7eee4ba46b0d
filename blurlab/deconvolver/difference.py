"""Periodic forward differences, their adjoint, spectrum and the isotropic total variation."""

from __future__ import annotations

import torch
from torch import Tensor


def gradient(u: Tensor) -> tuple[Tensor, Tensor]:
    """Forward differences of u (..., H, W) to the right and downwards, periodic, each (..., H, W).

    Example:
        >>> gradient(torch.tensor([[0.0, 1, 3]]))[0]
        tensor([[ 1.,  2., -3.]])
    """
    across, down = torch.empty_like(u), torch.empty_like(u)
    torch.sub(u[..., 1:], u[..., :-1], out=across[..., :-1])
    torch.sub(u[..., :1], u[..., -1:], out=across[..., -1:])
    torch.sub(u[..., 1:, :], u[..., :-1, :], out=down[..., :-1, :])
    torch.sub(u[..., :1, :], u[..., -1:, :], out=down[..., -1:, :])
    return across, down


def gradient_adjoint(across: Tensor, down: Tensor) -> Tensor:
    """Adjoint of :func:`gradient`: minus the divergence, (..., H, W)."""
    out = -across
    out[..., 1:] += across[..., :-1]
    out[..., :1] += across[..., -1:]
    out -= down
    out[..., 1:, :] += down[..., :-1, :]
    out[..., :1, :] += down[..., -1:, :]
    return out


def difference_power(shape: tuple[int, int], *, like: Tensor) -> Tensor:
    """``|Dx|^2 + |Dy|^2`` of :func:`gradient` on a grid, (H, W // 2 + 1), of the type and device of ``like``.

    Example:
        >>> difference_power((2, 2), like=torch.zeros(1))
        tensor([[0., 4.],
                [4., 8.]])
    """
    height, width = shape
    rows = torch.arange(height, device=like.device, dtype=like.dtype) / height
    cols = torch.arange(width // 2 + 1, device=like.device, dtype=like.dtype) / width
    return 4 * torch.sin(torch.pi * rows).square()[:, None] + 4 * torch.sin(torch.pi * cols).square()


def project_(across: Tensor, down: Tensor, radius: float) -> None:
    """Bring each vector (across, down) into the ball of this radius, in place: prox of the conjugate of |.|_2."""
    scale = torch.hypot(across, down).div_(radius).clamp_min_(1.0)
    across /= scale
    down /= scale


def total_variation(u: Tensor) -> Tensor:
    """``sum sqrt(dx^2 + dy^2)`` [Rudin1992], periodic, per image: (B, C, H, W) -> (B,).

    Example:
        >>> step = torch.zeros(1, 1, 4, 4); step[..., 2:] = 1
        >>> total_variation(step)
        tensor([8.])
    """
    return torch.hypot(*gradient(u)).flatten(1).sum(1)
