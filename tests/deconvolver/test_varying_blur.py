"""Blur that varies over the image: solvers that take its operator, tiles that take its kernels, and what is refused."""

from __future__ import annotations

from functools import cache, partial

import pytest
import torch
from torch import Tensor

from blurlab.blur import Defocus, Field
from blurlab.deconvolver import (
    TV,
    Deconvolver,
    DouglasRachford,
    Learned,
    RichardsonLucy,
    Sure,
    Tiled,
    UNet,
    UnrolledDR,
    Wiener,
)
from blurlab.deconvolver.laws import made_up
from blurlab.deconvolver.tiled import layout
from blurlab.metric import isnr
from blurlab.physics import Convolution, LinearOperator, ProductConvolution

FIELD = Field(Defocus(0.8), growth=4.0, kernels=6)
PARAMS = torch.tensor([[0.8, 4.0]])
SIGMA = 0.005
MARGIN = FIELD.size // 2


@cache
def photographed(shape: tuple[int, int] = (45, 52), n: int = 2) -> tuple[Tensor, Tensor, ProductConvolution]:
    """Sharp, observed and the operator between them; to be read only."""
    generator = torch.Generator().manual_seed(1)
    wide = shape[0] + 2 * MARGIN, shape[1] + 2 * MARGIN
    sharp, operator = made_up(n, wide, generator=generator), FIELD.operator(PARAMS, shape=wide)
    y = operator.A(sharp)
    y = y + SIGMA * torch.randn(y.shape, generator=generator)
    return sharp[..., MARGIN:-MARGIN, MARGIN:-MARGIN], y, operator


def network(iterations: int = 4) -> UnrolledDR:
    return UnrolledDR(partial(UNet, channels=(32, 64, 128), blocks=1), iterations)


SOLVERS = {
    "douglas_rachford": DouglasRachford(),
    "richardson_lucy": RichardsonLucy(),
    "richardson_lucy_tv": RichardsonLucy(weight=None),
    "unrolled_dr": Learned(network(), "unrolled_dr_tiny"),
    "tiled_tv": Tiled(TV(), tile=32, overlap=8),
}
slow = partial(pytest.param, marks=pytest.mark.slow)
every = pytest.mark.parametrize(
    "name", [slow(name) if name in ("douglas_rachford", "unrolled_dr") else name for name in SOLVERS]
)


@cache
def restored(name: str) -> Tensor:
    """The photographs restored by their operator."""
    _, y, operator = photographed()
    return SOLVERS[name](y, operator, SIGMA).image


@every
def test_is_better_than_y_and_than_one_kernel(name: str) -> None:
    x, y, _ = photographed()
    told = isnr(y, restored(name), x)
    assert (told > 1).all()
    assert (told > isnr(y, SOLVERS[name](y, FIELD.psf(PARAMS), SIGMA).image, x) + 1).all()


@every
def test_a_batch_is_what_its_images_are_one_by_one(name: str) -> None:
    _, y, operator = photographed()
    assert restored(name).shape == y.shape
    alone = torch.cat([SOLVERS[name](one, operator, SIGMA).image for one in y.split(1)])
    torch.testing.assert_close(alone, restored(name), rtol=0, atol=2e-3)


@pytest.mark.parametrize("name", [slow("douglas_rachford"), "richardson_lucy", slow("unrolled_dr")])
def test_images_keep_their_own_operators(name: str) -> None:
    """Also where one is done before the other and leaves the batch."""
    _, y, operator = photographed()
    turned = ProductConvolution(operator.psf, operator.weight.roll(9, -1))
    both = ProductConvolution(operator.psf.repeat(2, 1, 1, 1), torch.cat([operator.weight, turned.weight]))
    y, sigma = torch.cat([y[:1], turned.A(photographed(n=1)[2].A_adjoint(y[:1]))]), torch.tensor([SIGMA, 0.05])
    together = SOLVERS[name](y, both, sigma).image
    alone = [SOLVERS[name](y[:1], operator, SIGMA).image, SOLVERS[name](y[1:], turned, 0.05).image]
    torch.testing.assert_close(torch.cat(alone), together, rtol=0, atol=2e-3)


@pytest.mark.parametrize(
    "solver",
    [
        DouglasRachford(weight=1e-3, iterations=150, tolerance=0.0),
        RichardsonLucy(iterations=30, stop=0.0, tolerance=0.0),
    ],
)
def test_one_kernel_everywhere_is_an_unknown_border(solver: Deconvolver) -> None:
    x, psf = made_up(1, (57, 64), generator=torch.Generator().manual_seed(1)), Defocus(2.0).psf(torch.tensor([[2.0]]))
    operator = ProductConvolution(psf, torch.ones(1, 1, 57, 64), "valid")
    y = operator.A(x)
    by_operator, by_kernel = (solver(y, blur, SIGMA).image for blur in (operator, psf))
    assert (by_operator - by_kernel)[..., 6:-6, 6:-6].abs().max() < 0.02
    assert (by_kernel - y).abs().max() > 0.2


def test_the_minimum_is_that_of_the_dense_problem() -> None:
    """With the prior ``1/2 |u|^2``, whose prox is a division: ``(A^T A + alpha) u = A^T y``."""
    psf = torch.rand(1, 2, 3, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64) / 9
    weight = torch.rand(1, 2, 8, 9, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    operator = ProductConvolution(psf, weight, "reflect")
    y = torch.rand(1, 1, 8, 9, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    a = operator.A(torch.eye(72, dtype=torch.float64).reshape(72, 1, 8, 9)).flatten(1).mT
    exact = torch.linalg.solve(a.mT @ a + 0.05 * torch.eye(72), a.mT @ y.flatten())
    solver = DouglasRachford(
        lambda x, weight, memory: (x / (1 + weight), None), weight=0.05, iterations=300, tolerance=0.0
    )
    torch.testing.assert_close(solver(y, operator, SIGMA).image.flatten(), exact, rtol=0, atol=1e-4)


@pytest.mark.slow
def test_tiles_of_a_solver_that_takes_operators_are_the_whole() -> None:
    _, y, operator = photographed((80, 90), 1)
    solver = DouglasRachford(iterations=8, tolerance=0.0)
    whole, tiled = solver(y, operator, SIGMA).image, Tiled(solver, tile=64, overlap=16)(y, operator, SIGMA).image
    assert (whole - tiled).abs().max() < 0.02
    assert not torch.equal(whole, tiled)


@pytest.mark.parametrize(
    "solver", [TV(iterations=10), Wiener(boundary="padded"), RichardsonLucy(iterations=10).by_kernels()]
)
def test_tiles_by_kernel_get_the_one_in_their_middle(solver: Deconvolver) -> None:
    _, y, operator = photographed()
    same = ProductConvolution(operator.psf[:, :1], torch.ones_like(operator.weight[:, :1]))
    tiled = Tiled(solver, tile=32, overlap=8)
    assert torch.equal(tiled(y, same, SIGMA).image, tiled(y, operator.psf[:, :1], SIGMA).image)
    (_, bottom), (_, right), _ = next(layout((45, 52), 32, 8))
    psf = operator.psf_at(bottom // 2, right // 2)
    first = solver.freeze(y[:1], psf, torch.full((1, 1, 1, 1), SIGMA))
    expected = first(y[:1, :, :bottom, :right], psf, SIGMA).image
    torch.testing.assert_close(tiled(y, operator, SIGMA).image[:1, :, :8, :8], expected[..., :8, :8])


def test_an_image_that_fits_one_tile_gets_the_kernel_in_its_middle() -> None:
    _, y, operator = photographed()
    expected = TV()(y, operator.psf_at(22, 26), SIGMA).image
    assert torch.equal(Tiled(TV(), tile=64)(y, operator, SIGMA).image, expected)


def test_the_overlap_is_tried_out_and_large_images_are_written() -> None:
    _, y, operator = photographed((80, 90), 1)
    out = torch.empty_like(y)
    tiled = Tiled(Wiener(boundary="padded"), tile=48)
    found = tiled.restore_into(out, y, operator, SIGMA)
    assert found.history["overlap_px"] and torch.equal(out, tiled(y, operator, SIGMA).image)


class Nameless(LinearOperator):
    """An operator that says nothing of its kernels."""

    def __init__(self, operator: LinearOperator) -> None:
        self.operator = operator

    def forward(self, x: Tensor) -> Tensor:
        return self.operator.A(x)

    def adjoint(self, y: Tensor) -> Tensor:
        return self.operator.A_adjoint(y)


@pytest.mark.slow
def test_an_operator_without_kernels_needs_a_weight() -> None:
    x, y, operator = photographed()
    with pytest.raises(
        TypeError, match="the weight's rule FromGradient needs kernels, and a Nameless has not got them"
    ):
        DouglasRachford()(y, Nameless(operator), SIGMA)
    weight = 2e-4
    restored = DouglasRachford(weight=weight)(y, Nameless(operator), SIGMA).image
    assert (isnr(y, restored, x) > 1).all()
    torch.testing.assert_close(restored, DouglasRachford(weight=weight)(y, operator, SIGMA).image, rtol=0, atol=0.02)


@pytest.mark.parametrize(
    ("solver", "blur", "said"),
    [
        (DouglasRachford(weight=Sure()), None, "the weight's rule Sure needs kernels"),
        (TV(), None, "TV takes kernels .*, got a ProductConvolution; use Tiled"),
        (Tiled(TV(), tile=32), Nameless(Convolution(torch.ones(1, 1, 1, 1))), "Tiled takes kernels .* or a LocalBlur"),
    ],
)
def test_what_cannot_be_restored_is_refused_in_one_line(
    solver: Deconvolver, blur: LinearOperator | None, said: str
) -> None:
    _, y, operator = photographed()
    with pytest.raises(TypeError, match=said) as caught:
        solver(y, operator if blur is None else blur, SIGMA)
    assert "\n" not in str(caught.value)


def test_richardson_lucy_refuses_negative_light() -> None:
    _, y, operator = photographed()
    with pytest.raises(ValueError, match="the operator makes light negative"):
        RichardsonLucy()(y, ProductConvolution(operator.psf, operator.weight - 0.3), SIGMA)
