"""Richardson-Lucy against scikit-image, its likelihood, its border and where it stops."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor

from blurlab.deconvolver import RichardsonLucy
from blurlab.deconvolver.laws import kernels, made_up
from blurlab.deconvolver.richardson_lucy import FLAT, richardson_lucy
from blurlab.physics import Convolution, Gradient


def photographed(sigma: float, boundary: str = "valid") -> tuple[Tensor, Tensor, Tensor]:
    """Sharp, observed and kernels, float64."""
    generator = torch.Generator().manual_seed(5)
    psf = torch.zeros(2, 1, 9, 9, dtype=torch.float64)
    psf[0, ..., 4, :] = 1 / 9
    psf[1, ..., 2:7, 4:] = 1 / 25
    x = made_up(2, (57, 66), generator=generator).double()
    y = Convolution(psf, boundary).A(x)
    y = y + sigma * torch.randn(y.shape, generator=generator, dtype=torch.float64)
    return (x[..., 4:-4, 4:-4] if boundary == "valid" else x), y, psf


def likelihood(u: Tensor, y: Tensor, psf: Tensor) -> Tensor:
    """``sum H u - y log H u``, circular, (B,): minus the Poisson log-likelihood."""
    blurred = Convolution(psf, "circular").A(u)
    return (blurred - y * blurred.log()).flatten(1).sum(1)


def test_step_is_that_of_scikit_image() -> None:
    """With its boundary, zero, given to the step: any image."""
    from skimage.restoration import richardson_lucy as reference

    y = torch.rand(4, 1, 18, 25, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    psf = kernels(4).double()
    operator = Convolution(psf, "zero")
    u = torch.full_like(y, 0.5)
    for _ in range(30):
        u = richardson_lucy(u, y, operator.A, operator.A_adjoint)
    for i in range(4):
        theirs = reference(y[i, 0].numpy(), psf[i, 0].numpy(), num_iter=30, clip=False)
        np.testing.assert_allclose(u[i, 0].numpy(), theirs, atol=1e-5)


def test_plain_circular_is_scikit_image_within_a_dark_rim() -> None:
    """The boundary makes no difference where nothing shines near it; both start from a grey of 0.5."""
    from skimage.restoration import richardson_lucy as reference

    psf = kernels(1).double()
    y = torch.zeros(1, 1, 30, 33, dtype=torch.float64)
    y[..., 8:-8, 8:-8] = made_up(1, (14, 17), generator=torch.Generator().manual_seed(0)).double()
    operator = Convolution(psf, "circular")
    first = richardson_lucy(torch.full_like(y, 0.5), y, operator.A, operator.A_adjoint)
    assert first[..., :4, :].max() == 0
    options = {"stop": 0.0, "tolerance": 0.0, "boundary": "circular", "upper": 100.0}  # as good as none
    solver = RichardsonLucy(20, accelerated=False, **options)
    theirs = reference(y[0, 0].numpy(), psf[0, 0].numpy(), num_iter=60, clip=False)
    u = first
    for _ in range(59):
        u = richardson_lucy(u, y, operator.A, operator.A_adjoint)
    np.testing.assert_allclose(u[0, 0].numpy(), theirs, atol=1e-5)
    by_hand = y
    for _ in range(20):
        by_hand = richardson_lucy(by_hand, y, operator.A, operator.A_adjoint)
    torch.testing.assert_close(solver(y, psf, 0.01).image, by_hand, atol=1e-6, rtol=0)


def test_likelihood_rises_and_light_is_kept() -> None:
    _, y, psf = photographed(0.01, "circular")
    options = {"stop": 0.0, "tolerance": 0.0, "boundary": "circular", "upper": 100.0}  # as good as none
    images = [RichardsonLucy(n, accelerated=False, **options)(y, psf, 0.01).image for n in (1, 3, 10, 30)]
    assert all((likelihood(b, y, psf) < likelihood(a, y, psf)).all() for a, b in pairwise(images))
    torch.testing.assert_close(images[-1].sum((1, 2, 3)), y.sum((1, 2, 3)))


def test_acceleration_gets_further_in_as_many_steps() -> None:
    _, y, psf = photographed(0.01, "circular")
    options = {"stop": 0.0, "tolerance": 0.0, "boundary": "circular"}
    fast = RichardsonLucy(20, accelerated=True, **options)(y, psf, 0.01).image
    slow = RichardsonLucy(40, accelerated=False, **options)(y, psf, 0.01).image
    assert (likelihood(fast, y, psf) < likelihood(slow, y, psf)).all()
    assert fast.min() >= 0


def test_total_variation_trades_likelihood_for_fewer_edges() -> None:
    _, y, psf = photographed(0.01, "circular")
    options = {"stop": 0.0, "tolerance": 0.0, "boundary": "circular"}
    weight = 4e-3
    with_tv = RichardsonLucy(150, weight=weight, **options)(y, psf, 0.01).image
    plain = RichardsonLucy(150, **options)(y, psf, 0.01).image

    def objective(u: Tensor) -> Tensor:
        edges = (Gradient().A(u).square().sum(2) + (FLAT * weight) ** 2).sqrt()
        return likelihood(u, y, psf) + weight * edges.flatten(1).sum(1)

    assert (objective(with_tv) < objective(plain)).all()
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):  # nothing near it is lower
        near = with_tv * (1 + 0.01 * torch.randn(with_tv.shape, generator=generator, dtype=torch.float64))
        assert (objective(with_tv) < objective(near)).all()


def test_it_stops_at_the_noise() -> None:
    x, y, psf = photographed(0.01)
    stopped = RichardsonLucy(accelerated=False)(y, psf, 0.01)
    further = RichardsonLucy(accelerated=False, stop=0.0)(y, psf, 0.01)
    assert len(stopped.history["relative_change"]) < len(further.history["relative_change"])
    assert (stopped.image - x).square().mean() < 0.9 * (further.image - x).square().mean()
    assert (stopped.image - x).square().mean() < (y - x).square().mean()
    two = RichardsonLucy()(y, psf, torch.tensor([0.01, 0.05])).image
    alone = RichardsonLucy()(y[1:], psf[1:], 0.05).image
    torch.testing.assert_close(two[1:], alone)
    assert (two[1] - stopped.image[1]).abs().max() > 0.02


def test_unknown_border_does_not_ring() -> None:
    x, y, psf = photographed(0.002)

    def border_error(boundary: str) -> float:
        error = (RichardsonLucy(boundary=boundary)(y, psf, 0.002).image - x).square()
        error[..., 6:-6, 6:-6] = 0
        return float(error.sum())

    assert border_error("unknown") < 0.8 * border_error("padded")
    assert border_error("unknown") < 0.2 * border_error("circular")


def test_values_below_zero_and_darkness() -> None:
    _, y, psf = photographed(0.01)
    for image in (y - y.amin() - 0.1, torch.zeros_like(y)):
        restored = RichardsonLucy(weight=None)(image, psf, 0.01).image
        assert restored.min() >= 0
        assert restored.max() < 3


def test_brightness_is_held_below_its_greatest() -> None:
    _, y, psf = photographed(0.01)
    bright = RichardsonLucy(stop=0.0, upper=10.0)(y, psf, 0.01).image
    assert bright.max() > 1
    assert RichardsonLucy(stop=0.0)(y, psf, 0.01).image.max() == 1
    twice = RichardsonLucy(accelerated=False, stop=0.0, upper=2.0)(2 * y, psf, 0.02).image
    once = RichardsonLucy(accelerated=False, stop=0.0)(y, psf, 0.01).image
    torch.testing.assert_close(twice, 2 * once)


@pytest.mark.parametrize(
    "options",
    [
        {"iterations": 0}, {"weight": -1.0}, {"weight": 1.0}, {"stop": -0.1}, {"tolerance": 2.0}, {"boundary": "wrap"},
        {"upper": 0.0},
    ],
)  # fmt: skip
def test_options_that_cannot_be(options: dict) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(options))} must be"):
        RichardsonLucy(**options)
