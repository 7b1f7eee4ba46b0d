"""The operator of a batch put together from those of two others."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from blurlab.physics.convolution import Convolution
from blurlab.physics.operator import LinearOperator
from blurlab.physics.product_convolution import ProductConvolution

Blur = Convolution | ProductConvolution


def replaced_rows(blur: LinearOperator, rows: Tensor, other: LinearOperator, count: int) -> Blur:
    """The operator of ``count`` images with that of some rows replaced by another's.

    Two convolutions give a convolution; where one of them is a product-convolution, so is the result, since a
    convolution is one whose weight is 1 everywhere. Smaller kernels are padded with zeros.

    Args:
        blur: Operator of all images.
        rows: Indices of those that are replaced (m,).
        other: Operator of these m images.
        count: Number of images, since one kernel may be for all of them.

    Raises:
        TypeError: If an operator is of another kind.
        ValueError: If the two have other boundaries, or are for images of other sizes.

    Example:
        >>> sharp, moved = (torch.tensor(row).reshape(1, 1, 1, 3) for row in ([0.0, 1, 0], [0.5, 0.5, 0]))
        >>> both = replaced_rows(Convolution(sharp), torch.tensor([1]), Convolution(moved), 2)
        >>> both.forward(torch.arange(3.0).expand(2, 1, 1, 3)).tolist()
        [[[[0.0, 1.0, 2.0]]], [[[0.5, 1.5, 1.0]]]]
    """
    mine, theirs = _known(blur), _known(other)
    if mine.boundary != theirs.boundary:
        raise ValueError(f"both operators must have one boundary, got {mine.boundary} and {theirs.boundary}")
    radius = max(mine.radius[0], theirs.radius[0]), max(mine.radius[1], theirs.radius[1])
    psf = [_padded(one.psf, one, radius) for one in (mine, theirs)]
    if isinstance(mine, Convolution) and isinstance(theirs, Convolution):
        return Convolution(_put(psf[0], psf[1], rows, count), mine.boundary, mine.method)
    weight = [_weight(one, radius) for one in (mine, theirs)]
    shapes = {tuple(one.shape[-2:]) for one in weight if one is not None}
    if len(shapes) > 1:
        raise ValueError(f"both operators must be for images of one size, got weights of {sorted(shapes)}")
    ones = torch.ones(1, 1, *shapes.pop()).to(psf[0])
    kernels = max(one.shape[1] for one in psf)
    both = [_with_kernels(one, kernels) for one in psf]
    weights = [_with_kernels(ones if one is None else one, kernels) for one in weight]
    return ProductConvolution(
        _put(both[0], both[1], rows, count), _put(weights[0], weights[1], rows, count), mine.boundary
    )


def _known(blur: LinearOperator) -> Blur:
    if isinstance(blur, Convolution | ProductConvolution):
        return blur
    raise TypeError(f"only rows of a Convolution or a ProductConvolution can be replaced, got {type(blur).__name__}")


def _weight(blur: Blur, radius: tuple[int, int]) -> Tensor | None:
    """Weights (B, K, H, W) on the pixels that kernels of this radius reach; None of a convolution."""
    if isinstance(blur, Convolution):
        return None
    return _padded(blur.weight, blur, radius, "replicate") if blur.boundary == "valid" else blur.weight


def _padded(planes: Tensor, blur: Blur, radius: tuple[int, int], mode: str = "constant") -> Tensor:
    """Kernels or weights with as many rows and columns more as kernels of this radius have more than the blur's."""
    down, across = (new - own for new, own in zip(radius, blur.radius, strict=True))
    return F.pad(planes, (across, across, down, down), mode)


def _with_kernels(planes: Tensor, count: int) -> Tensor:
    """(B, count, H, W): those that are there, then zeros."""
    return F.pad(planes, (0, 0, 0, 0, 0, count - planes.shape[1]))


def _put(mine: Tensor, theirs: Tensor, rows: Tensor, count: int) -> Tensor:
    """``mine``, for ``count`` images, with these rows replaced; each may be one for all."""
    whole, part = mine.expand(count, -1, -1, -1), theirs.to(mine).expand(len(rows), -1, -1, -1)
    return whole.index_copy(0, rows.to(mine.device), part)
