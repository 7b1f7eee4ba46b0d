"""Conjugate gradients on a batch: each sample has its own steps and stops by itself."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.linalg import vector_norm


def conjugate_gradient(
    apply: Callable[[Tensor], Tensor],
    rhs: Tensor,
    *,
    precondition: Callable[[Tensor], Tensor] | None = None,
    tolerance: float | None = None,
    max_iterations: int = 500,
) -> Tensor:
    """Solve ``apply(x) = rhs`` for a symmetric positive definite ``apply`` that keeps samples apart.

    A sample whose residual is at most ``tolerance`` of its right-hand side is left alone from then on, so its result
    does not depend on the rest of the batch. A sample that has not got there is returned as it is after
    ``max_iterations``.

    Differentiable in ``rhs`` and in what ``apply`` is made of: the backward pass is one more solve, not the iterations
    played back.

    Args:
        apply: Linear map of (B, ...) tensors.
        rhs: Right-hand sides (B, ...).
        precondition: Symmetric positive definite approximation of the inverse of ``apply``; none: the identity.
        tolerance: Relative residual to stop at; None: 10 units of round-off of ``rhs.dtype``.
        max_iterations: Most applications of ``apply``.

    Returns:
        Solutions (B, ...).

    Example:
        >>> diagonal = torch.tensor([[1.0, 2.0, 4.0]])
        >>> conjugate_gradient(lambda x: diagonal * x, torch.ones(1, 3)).round(decimals=4).tolist()
        [[1.0, 0.5, 0.25]]
    """
    relative = 10 * torch.finfo(rhs.dtype).eps if tolerance is None else tolerance
    with torch.no_grad():
        x = _iterate(apply, rhs.detach(), precondition, relative, max_iterations)
    if not torch.is_grad_enabled():
        return x
    residual = rhs - apply(x)
    if not residual.requires_grad:
        return x

    def solve_backwards(gradient: Tensor | None) -> Tensor | None:
        # d x = apply^-1 d residual, and that inverse is symmetric
        if gradient is None:
            return None
        return conjugate_gradient(
            apply, gradient, precondition=precondition, tolerance=tolerance, max_iterations=max_iterations
        )

    residual.register_hook(solve_backwards)
    return x + (residual - residual.detach())


def _iterate(
    apply: Callable[[Tensor], Tensor],
    rhs: Tensor,
    precondition: Callable[[Tensor], Tensor] | None,
    relative: float,
    max_iterations: int,
) -> Tensor:
    axes = tuple(range(1, rhs.ndim))
    limit = relative * vector_norm(rhs, dim=axes, keepdim=True)
    x, residual = torch.zeros_like(rhs), rhs.clone()
    z = residual if precondition is None else precondition(residual)
    direction, rho = z, (residual * z).sum(axes, keepdim=True)
    for _ in range(max_iterations):
        active = vector_norm(residual, dim=axes, keepdim=True) > limit
        if not bool(active.any()):
            break
        image = apply(direction)
        step = _ratio(rho, (direction * image).sum(axes, keepdim=True), active)
        x = x + step * direction
        residual = residual - step * image
        z = residual if precondition is None else precondition(residual)
        previous, rho = rho, (residual * z).sum(axes, keepdim=True)
        direction = z + _ratio(rho, previous, active) * direction
    return x


def _ratio(above: Tensor, below: Tensor, active: Tensor) -> Tensor:
    """Above / below where ``active`` and defined, else 0."""
    usable = active & (below > 0)
    return torch.where(usable, above / torch.where(usable, below, torch.ones_like(below)), torch.zeros_like(above))
