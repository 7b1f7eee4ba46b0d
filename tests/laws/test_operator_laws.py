from __future__ import annotations

import pytest
import torch
from torch import Tensor

from blurlab.blur import BlurFamily, Defocus, Field, Zernike, ZernikeField, operator_hull
from blurlab.core.boundary import BOUNDARIES
from blurlab.physics import Convolution, EigenBlur, Gradient, LinearOperator, ProductConvolution, check_operator


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("shape", [(2, 3, 17, 24), (2, 1, 24, 17)])
@pytest.mark.parametrize("size", [(1, 1), (3, 3), (7, 7), (5, 9), (17, 17)])
@pytest.mark.parametrize("method", ["direct", "fft", "auto"])
@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_convolution(boundary: str, method: str, size: tuple[int, int], shape: tuple[int, int, int, int]) -> None:
    psf = torch.rand(2, 1, *size, generator=rng(), dtype=torch.float64)
    check_operator(Convolution(psf, boundary, method), shape, generator=rng(1))


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_one_kernel_for_all(boundary: str) -> None:
    psf = torch.rand(1, 1, 5, 5, generator=rng(), dtype=torch.float64)
    check_operator(Convolution(psf, boundary), (3, 2, 17, 24), generator=rng(1))


@pytest.mark.parametrize("shape", [(2, 3, 17, 24), (1, 1, 1, 5), (1, 1, 5, 1)])
@pytest.mark.parametrize("boundary", ["circular", "replicate"])
def test_gradient(boundary: str, shape: tuple[int, int, int, int]) -> None:
    check_operator(Gradient(boundary), shape, generator=rng())


@pytest.mark.parametrize("images", [(2, 2), (1, 2), (2, 1), (1, 1)], ids=lambda n: f"{n[0]} psf, {n[1]} weight")
@pytest.mark.parametrize("size", [(3, 3), (5, 9)])
@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_product_convolution(boundary: str, size: tuple[int, int], images: tuple[int, int]) -> None:
    psf = torch.randn(images[0], 3, *size, generator=rng(), dtype=torch.float64)
    weight = torch.randn(images[1], 3, 17, 24, generator=rng(2), dtype=torch.float64)
    check_operator(ProductConvolution(psf, weight, boundary), (2, 2, 17, 24), generator=rng(1))


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_patches(boundary: str) -> None:
    psf = torch.randn(2, 3, 5, 7, generator=rng(), dtype=torch.float64)
    shape = (13, 18) if boundary == "valid" else (17, 24)
    check_operator(ProductConvolution.of_patches(psf, shape, boundary), (2, 2, 17, 24), generator=rng(1))


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_eigen_blur(boundary: str) -> None:
    psf = torch.rand(2, 3, 4, 5, 5, generator=rng(), dtype=torch.float64)
    check_operator(EigenBlur.of_grid(psf, (17, 24), boundary, terms=6), (2, 2, 17, 24), generator=rng(1))


SMALL = ZernikeField(Zernike(0.1, [4, 7, 8], pixel_nm=100, size=15))
VARYING: dict[str, BlurFamily] = {
    "field": Field(Defocus([0.5, 2])), "zernike_field": SMALL, "operator_hull": operator_hull(SMALL, corners=3),
}  # fmt: skip


@pytest.mark.parametrize("boundary", ["valid", "reflect"])
@pytest.mark.parametrize("name", VARYING)
def test_operator_of_a_family_that_varies(name: str, boundary: str) -> None:
    family = VARYING[name]
    operator = family.operator(family.draw(2, generator=rng())[1].double(), shape=(27, 34), boundary=boundary)
    check_operator(operator, (2, 2, 27, 34), generator=rng(1))


class Broken(LinearOperator):
    """A convolution with one fault."""

    def __init__(self, fault: str) -> None:
        psf = torch.rand(1, 1, 3, 3, generator=rng(), dtype=torch.float64)
        self.good, self.fault = Convolution(psf), fault

    def rows(self, keep: Tensor) -> LinearOperator:
        return Convolution(self.good.psf.flip(-1)) if self.fault == "rows" else self

    def forward(self, x: Tensor) -> Tensor:
        if self.fault == "in place":
            x.data.mul_(1.0 + 1e-12)
        return self.good.forward(x) + (1e-6 if self.fault == "offset" else 0.0)

    def adjoint(self, y: Tensor) -> Tensor:
        return self.good.forward(y) if self.fault == "adjoint" else self.good.adjoint(y)


@pytest.mark.parametrize(
    ("fault", "law"),
    [("offset", "linear"), ("adjoint", "<Ax, y>"), ("in place", "changed its input"), ("rows", "the last image alone")],
)
def test_the_laws_can_fail(fault: str, law: str) -> None:
    with pytest.raises(AssertionError, match=law):
        check_operator(Broken(fault), (1, 1, 6, 7), generator=rng())
