"""Rows of one operator beside rows of another: each image is blurred by its own."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from blurlab.core.boundary import BOUNDARIES
from blurlab.core.rng import generator
from blurlab.physics import Convolution, Gradient, ProductConvolution, check_operator, replaced_rows

COUNT, ROWS = 4, torch.tensor([3, 1])


def draw(*shape: int) -> Tensor:
    return torch.randn(shape, generator=generator("rows", *shape), dtype=torch.float64)


def blurs(boundary: str) -> dict[str, list[Convolution | ProductConvolution]]:
    """Name -> (operator of COUNT images, operator of as many as ROWS), for y of 17 x 24 with boundary valid."""

    def product(images: int, kernels: int, rows: int, cols: int) -> ProductConvolution:
        grown = (rows - 1, cols - 1) if boundary == "valid" else (0, 0)
        weight = draw(images, kernels, 17 + grown[0], 24 + grown[1])
        return ProductConvolution(draw(images, kernels, rows, cols), weight, boundary)

    def plain(images: int, rows: int, cols: int) -> Convolution:
        return Convolution(draw(images, 1, rows, cols), boundary)

    return {
        "two convolutions": [plain(4, 3, 3), plain(2, 3, 3)],
        "of other sizes": [plain(4, 3, 7), plain(2, 5, 3)],
        "one kernel for all": [plain(1, 5, 5), plain(1, 3, 3)],
        "two products": [product(4, 3, 5, 3), product(2, 2, 3, 7)],
        "a product into convolutions": [plain(1, 1, 1), product(2, 3, 5, 5)],
        "a convolution into products": [product(1, 3, 3, 3), plain(2, 7, 5)],
    }


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("name", blurs("valid"))
def test_each_image_is_blurred_by_its_own_operator(name: str, boundary: str) -> None:
    mine, other = blurs(boundary)[name]
    both = replaced_rows(mine, ROWS, other, COUNT)
    assert isinstance(both, Convolution) == (isinstance(mine, Convolution) and isinstance(other, Convolution))
    grown = [2 * side for side in both.radius] if boundary == "valid" else [0, 0]
    x = draw(COUNT, 2, 17 + grown[0], 24 + grown[1])
    for row in range(COUNT):
        own = mine.rows(torch.tensor([row])) if row not in ROWS else other.rows((row == ROWS).nonzero()[0])
        top, left = ((whole - used) // 2 for whole, used in zip(grown, (2 * side for side in own.radius), strict=True))
        shown = x[row : row + 1]
        if boundary == "valid":
            shown = shown[..., top : shown.shape[-2] - top, left : shown.shape[-1] - left]
        torch.testing.assert_close(both.forward(x)[row : row + 1], own.forward(shown), rtol=1e-9, atol=1e-9)
    check_operator(both, tuple(x.shape), generator=generator("law"))  # type: ignore[arg-type]


def test_what_cannot_be_put_together_is_refused() -> None:
    psf = draw(2, 1, 3, 3)
    with pytest.raises(ValueError, match="one boundary, got circular and zero"):
        replaced_rows(Convolution(psf), ROWS, Convolution(psf, "zero"), COUNT)
    with pytest.raises(TypeError, match="can be replaced, got Gradient"):
        replaced_rows(Convolution(psf), ROWS, Gradient(), COUNT)
    products = [ProductConvolution(psf, draw(2, 1, side, side)) for side in (8, 9)]
    with pytest.raises(ValueError, match=r"one size, got weights of \[\(8, 8\), \(9, 9\)\]"):
        replaced_rows(products[0], ROWS, products[1], 2)
