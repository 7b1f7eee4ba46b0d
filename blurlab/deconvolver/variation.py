"""Isotropic total variation: its value, and the projection that shrinks gradients."""

from __future__ import annotations

from torch import Tensor

from blurlab.physics import Gradient


def project(field: Tensor, radius: float) -> Tensor:
    """Bring each vector of a field into the ball of this radius: prox of the conjugate of |.|_2.

    ``field - project(field, t)`` is isotropic shrinkage by t [Goldstein2009].

    Args:
        field: (B, C, 2, H, W), vectors along axis 2.
        radius: Greatest length, > 0.

    Returns:
        (B, C, 2, H, W).

    Example:
        >>> import torch
        >>> project(torch.tensor([3.0, 4.0]).reshape(1, 1, 2, 1, 1), 1.0).flatten()
        tensor([0.6000, 0.8000])
    """
    across, down = field.unbind(2)
    length = across.square().addcmul_(down, down).sqrt_()
    return field / length.div_(radius).clamp_min_(1.0).unsqueeze(2)


def total_variation(u: Tensor) -> Tensor:
    """``sum |grad u|_2`` [Rudin1992], periodic, per image: (B, C, H, W) -> (B,).

    Example:
        >>> import torch
        >>> step = torch.zeros(1, 1, 4, 4); step[..., 2:] = 1
        >>> total_variation(step)
        tensor([8.])
    """
    return Gradient().A(u).norm(dim=2).flatten(1).sum(1)
