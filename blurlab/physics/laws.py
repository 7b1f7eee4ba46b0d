"""Laws that every linear operator obeys; they ship with the library, so that a user's own operator can be checked."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.linalg import vector_norm

from blurlab.physics.operator import LinearOperator


def check_operator(
    op: LinearOperator,
    shape: tuple[int, int, int, int],
    *,
    generator: torch.Generator,
    tolerance: float = 1e-10,
) -> None:
    """Check in float64 that ``op`` is linear, that its adjoint is one, that autograd agrees, and that rows are rows.

    Args:
        op: Operator that takes float64 images.
        shape: Images (B, C, H, W) to draw.
        generator: Where they are drawn.
        tolerance: Largest relative deviation.

    Raises:
        AssertionError: With the law that does not hold and by how much.

    Example:
        >>> from blurlab.physics import Convolution
        >>> psf = torch.full((1, 1, 3, 3), 1 / 9)
        >>> check_operator(Convolution(psf, "reflect"), (2, 1, 5, 6), generator=torch.Generator().manual_seed(0))
    """
    x, other = (_draw(shape, generator) for _ in range(2))
    before = [x.clone()]
    image = op.forward(x)
    y = _draw(tuple(image.shape), generator)
    before.append(y.clone())
    back = op.adjoint(y)
    _hold(tuple(back.shape) == tuple(shape), f"adjoint must return {tuple(shape)}, got {tuple(back.shape)}")
    _near(
        "linear: A(2x - 3u) = 2Ax - 3Au",
        op.forward(2 * x - 3 * other),
        2 * image - 3 * op.forward(other),
        tolerance,
    )
    axes = tuple(range(1, y.ndim))
    # each sample by itself, against the size of the vectors: the product itself may be near 0
    left, right = (image * y).sum(axes), (x * back).sum((1, 2, 3))
    size = vector_norm(image, dim=axes) * vector_norm(y, dim=axes)
    worst = float(((left - right).abs() / size.clamp_min(1e-300)).max())
    _hold(worst <= tolerance, f"adjoint: <Ax, y> and <x, A*y> differ by {worst:.2e} of |Ax| |y|")
    _near("adjoint = autograd's of forward", back, _pull_back(op.forward, x, y), tolerance)
    _near("forward = autograd's of adjoint", image, _pull_back(op.adjoint, y, x), tolerance)
    last = torch.tensor([len(x) - 1], device=x.device)
    _near("rows: the last image alone", op.rows(last).forward(x[last]), image[last], tolerance)
    _hold(torch.equal(x, before[0]) and torch.equal(y, before[1]), "the operator changed its input")


def _draw(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    return torch.randn(shape, generator=generator, device=generator.device, dtype=torch.float64)


def _pull_back(function: Callable[[Tensor], Tensor], at: Tensor, cotangent: Tensor) -> Tensor:
    point = at.clone().requires_grad_()
    return torch.autograd.grad(function(point), point, cotangent)[0]


def _near(law: str, left: Tensor, right: Tensor, tolerance: float) -> None:
    worst = float((left - right).norm() / right.norm().clamp_min(1e-300))
    _hold(worst <= tolerance, f"{law}: relative difference {worst:.2e}, allowed {tolerance:.0e}")


def _hold(is_true: bool, message: str) -> None:
    if not is_true:
        raise AssertionError(message)
