"""What lies outside the image: extension by a boundary condition, and its exact adjoint.

=========  =====================  =================  ============================  =======================
here       ``a b c d`` becomes    scipy.ndimage      torch.nn.functional.pad       MATLAB imfilter
=========  =====================  =================  ============================  =======================
circular   ``c d|a b c d|a b``    ``wrap``           ``circular``                  ``circular``
reflect    ``c b|a b c d|c b``    ``mirror`` (!)     ``reflect``                   none
replicate  ``a a|a b c d|d d``    ``nearest``        ``replicate``                 ``replicate``
zero       ``0 0|a b c d|0 0``    ``constant``       ``constant``                  ``0``
valid      ``a b c d``            none               none                          shape ``valid``
=========  =====================  =================  ============================  =======================

``reflect`` is whole-sample symmetric, as in torch, numpy and OpenCV (``REFLECT_101``): the edge pixel is not repeated.
``scipy.ndimage`` calls that ``mirror`` and means the half-sample kind (``b a|a b c d|d c``) by ``reflect``.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

BOUNDARIES = ("circular", "reflect", "replicate", "zero", "valid")


def check_boundary(boundary: str) -> None:
    """Raise unless ``boundary`` is one of :data:`BOUNDARIES`.

    Raises:
        ValueError: With the name that came and those that exist.

    Example:
        >>> check_boundary("valid")
    """
    if boundary not in BOUNDARIES:
        raise ValueError(f"unknown boundary {boundary!r}; choose one of {', '.join(BOUNDARIES)}")


def extend(x: Tensor, radius: tuple[int, int], boundary: str) -> Tensor:
    """Add ``radius`` pixels on every side as the boundary condition says.

    Only slices are copied, so the backward pass is deterministic on every device.

    Args:
        x: Images (..., H, W).
        radius: Pixels added (above and below, left and right), each >= 0.
        boundary: One of :data:`BOUNDARIES`; ``valid`` adds nothing.

    Returns:
        Images (..., H + 2 rows, W + 2 cols); ``x`` itself where nothing is added.

    Raises:
        ValueError: If the name is unknown or a radius is negative or exceeds what the image can supply.

    Example:
        >>> import torch
        >>> row = torch.tensor([[1.0, 2.0, 3.0]])
        >>> extend(row, (0, 2), "reflect").tolist()
        [[3.0, 2.0, 1.0, 2.0, 3.0, 2.0, 1.0]]
        >>> extend(row, (0, 1), "circular").tolist()
        [[3.0, 1.0, 2.0, 3.0, 1.0]]
    """
    _check_radius((x.shape[-2], x.shape[-1]), radius, boundary)
    rows, cols = radius
    if boundary == "valid" or radius == (0, 0):
        return x
    if boundary == "zero":
        return F.pad(x, (cols, cols, rows, rows))
    height, width = x.shape[-2:]
    out = x.new_empty((*x.shape[:-2], height + 2 * rows, width + 2 * cols))
    out[..., rows : rows + height, cols : cols + width] = x
    inner = out.narrow(-2, rows, height)
    for grid, dim, size, r in ((inner, -1, width, cols), (out, -2, height, rows)):
        for target, source in _pairs(boundary, size, r) if r else ():
            taken = grid.narrow(dim, r + source, 1 if boundary == "replicate" else r)
            grid.narrow(dim, target, r).copy_(taken.flip(dim) if boundary == "reflect" else taken)
    return out


def extend_adjoint(y: Tensor, radius: tuple[int, int], boundary: str) -> Tensor:
    """Adjoint of :func:`extend`: crop, and add each border pixel to the pixel that it was copied from.

    Args:
        y: Images (..., H + 2 rows, W + 2 cols); for ``valid`` (..., H, W).
        radius: Pixels removed (above and below, left and right), each >= 0.
        boundary: One of :data:`BOUNDARIES`.

    Returns:
        Images (..., H, W).

    Raises:
        ValueError: If the name is unknown or a radius is negative or exceeds what the cropped image can supply.

    Example:
        >>> import torch
        >>> extend_adjoint(torch.tensor([[1.0, 10.0, 20.0, 30.0, 2.0]]), (0, 1), "replicate").tolist()
        [[11.0, 20.0, 32.0]]
    """
    rows, cols = radius if boundary != "valid" else (0, 0)
    height, width = y.shape[-2] - 2 * rows, y.shape[-1] - 2 * cols
    _check_radius((height, width), radius, boundary)
    if (rows, cols) == (0, 0):
        return y
    if boundary != "zero":
        y = y.clone()
        for dim, size, r in ((-2, height, rows), (-1, width, cols)):
            for target, source in _pairs(boundary, size, r) if r else ():
                border = y.narrow(dim, target, r)
                folded = border.sum(dim, keepdim=True) if boundary == "replicate" else border
                into = y.narrow(dim, r + source, folded.shape[dim])
                into.add_(folded.flip(dim) if boundary == "reflect" else folded)
    return y[..., rows : rows + height, cols : cols + width]


def _pairs(boundary: str, size: int, radius: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """(first border pixel on the extended grid, first pixel of the image that it copies), before and after."""
    before, after = {
        "circular": (size - radius, 0),
        "reflect": (1, size - 1 - radius),
        "replicate": (0, size - 1),
    }[boundary]
    return (0, before), (radius + size, after)


def _check_radius(shape: tuple[int, int], radius: tuple[int, int], boundary: str) -> None:
    check_boundary(boundary)
    if boundary == "valid":
        return
    spare = 1 if boundary == "reflect" else 0
    if any(r < 0 or r > max(n - spare, 0) for n, r in zip(shape, radius, strict=True)):
        raise ValueError(
            f"boundary {boundary!r} can extend a {shape[0]}x{shape[1]} image by at most"
            f" {max(shape[0] - spare, 0)}x{max(shape[1] - spare, 0)} pixels a side, got {radius[0]}x{radius[1]};"
            " use a larger image or a smaller kernel"
        )


__all__ = ["BOUNDARIES", "check_boundary", "extend", "extend_adjoint"]
