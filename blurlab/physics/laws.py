"""Laws that every linear operator obeys; they ship with the library, so that a user's own operator can be checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from torch.linalg import vector_norm

from blurlab.core.law import Law, require, tried
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
    require(operator_laws(op, shape, generator=generator, tolerance=tolerance))


def operator_laws(
    op: LinearOperator,
    shape: tuple[int, int, int, int],
    *,
    generator: torch.Generator,
    tolerance: float = 1e-10,
) -> Iterator[Law]:
    """The laws of :func:`check_operator`, each as it is tried."""
    x, other = (_draw(shape, generator) for _ in range(2))
    before = [x.clone()]
    image = op.forward(x)
    y = _draw(tuple(image.shape), generator)
    before.append(y.clone())
    back = op.adjoint(y)
    came = f"adjoint must return {tuple(shape)}, got {tuple(back.shape)}"
    yield tried("the adjoint's images have the sides that forward takes", tuple(back.shape) == tuple(shape), came)
    linear = 2 * image - 3 * op.forward(other)
    yield _near("linear: A(2x - 3u) = 2Ax - 3Au", op.forward(2 * x - 3 * other), linear, tolerance)
    axes = tuple(range(1, y.ndim))
    # each sample by itself, against the size of the vectors: the product itself may be near 0
    left, right = (image * y).sum(axes), (x * back).sum((1, 2, 3))
    size = vector_norm(image, dim=axes) * vector_norm(y, dim=axes)
    worst = float(((left - right).abs() / size.clamp_min(1e-300)).max())
    yield tried("adjoint: <Ax, y> = <x, A*y>", worst <= tolerance, f"they differ by {worst:.2e} of |Ax| |y|")
    yield _near("adjoint = autograd's of forward", back, _pull_back(op.forward, x, y), tolerance)
    yield _near("forward = autograd's of adjoint", image, _pull_back(op.adjoint, y, x), tolerance)
    last = torch.tensor([len(x) - 1], device=x.device)
    yield _near("rows: the last image alone", op.rows(last).forward(x[last]), image[last], tolerance)
    same = torch.equal(x, before[0]) and torch.equal(y, before[1])
    yield tried("arguments are left as they were", same, "the operator changed its input")


def _draw(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    return torch.randn(shape, generator=generator, device=generator.device, dtype=torch.float64)


def _pull_back(function: Callable[[Tensor], Tensor], at: Tensor, cotangent: Tensor) -> Tensor:
    point = at.clone().requires_grad_()
    return torch.autograd.grad(function(point), point, cotangent)[0]


def _near(law: str, left: Tensor, right: Tensor, tolerance: float) -> Law:
    worst = float((left - right).norm() / right.norm().clamp_min(1e-300))
    return tried(law, worst <= tolerance, f"relative difference {worst:.2e}, allowed {tolerance:.0e}")
