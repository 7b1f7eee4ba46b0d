"""Quadratic regularisation against a dense least-squares solution, its border and its choice of weight."""

from __future__ import annotations

import pytest
import torch
from skimage import data
from torch import Tensor

from blurlab.blur import Gaussian
from blurlab.deconvolver import Tikhonov
from blurlab.deconvolver.border import on_grid
from blurlab.deconvolver.laws import check_never_worse, kernels, made_up
from blurlab.deconvolver.quadratic import TIE
from blurlab.physics import Convolution, Gradient


def photographed(sigma: float = 0.01, shape: tuple[int, int] = (52, 61)) -> tuple[Tensor, Tensor, Tensor]:
    """Sharp, observed ('valid') and kernels."""
    generator = torch.Generator().manual_seed(5)
    psf = torch.zeros(2, 1, 9, 9)
    psf[0, ..., 4, :] = 1 / 9
    psf[1, ..., 2:7, 4:] = 1 / 25
    sharp = made_up(2, shape, generator=generator)
    y = Convolution(psf, "valid").A(sharp)
    return sharp[..., 4:-4, 4:-4], y + sigma * torch.randn(y.shape, generator=generator), psf


def least_squares(y: Tensor, psf: Tensor, weight: float, penalty: str) -> Tensor:
    """``min_u |M H u - y|^2 + weight |D u|^2`` on the same grid, as one dense system of all its equations."""
    grid = on_grid(y, psf, "unknown")
    shape = tuple(grid.shape[-2:])
    n = shape[0] * shape[1]
    unit = torch.eye(n, dtype=y.dtype).reshape(n, 1, *shape)
    blur = Convolution(psf, "circular").A(unit).reshape(n, -1).T
    trust = torch.full(shape, (TIE / (1 + TIE)) ** 0.5, dtype=y.dtype)
    trust[: y.shape[-2], : y.shape[-1]] = 1
    field = Gradient().A(unit)
    rows = {"identity": unit, "gradient": field, "laplacian": Gradient().A_adjoint(field)}[penalty].reshape(n, -1).T
    system = torch.cat([trust.flatten()[:, None] * blur, weight**0.5 * rows])
    right = torch.cat([(trust * grid).flatten(), y.new_zeros(len(rows))])
    u = torch.linalg.lstsq(system, right[:, None]).solution.reshape(1, 1, *shape)
    return u[..., : y.shape[-2], : y.shape[-1]]


@pytest.mark.parametrize("penalty", ["identity", "gradient", "laplacian"])
def test_unknown_border_is_the_least_squares_solution(penalty: str) -> None:
    psf = kernels(4)[3:].double()
    y = torch.rand(1, 1, 11, 14, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    y = y - y.mean()
    came = Tikhonov(weight=0.01, penalty=penalty, tolerance=1e-10, iterations=500)(y, psf, 0.01).image
    torch.testing.assert_close(came, least_squares(y, psf, 0.01, penalty), atol=1e-6, rtol=0)


def test_single_precision_gets_as_far_as_the_field_needs() -> None:
    _, y, psf = photographed()
    exact = Tikhonov(weight=3e-3, tolerance=1e-10, iterations=500)(y.double(), psf.double(), 0.01).image
    usual = Tikhonov(weight=3e-3)(y, psf, 0.01).image
    assert float((usual - exact).norm() / exact.norm()) < 1e-3


def test_unknown_border_beats_padding() -> None:
    x, y, psf = photographed(sigma=0.002)
    error = {b: float((Tikhonov(boundary=b)(y, psf, 0.002).image - x).square().mean()) for b in ("unknown", "padded")}
    wrong = float((Tikhonov(boundary="circular")(y, psf, 0.002).image - x).square().mean())
    assert error["unknown"] < 0.9 * error["padded"] < 0.9 * wrong


@pytest.mark.parametrize("penalty", ["identity", "gradient", "laplacian"])
@pytest.mark.parametrize("rule", ["gcv", "discrepancy", "sure"])
def test_rules_are_near_the_best_weight(penalty: str, rule: str) -> None:
    x, y, psf = photographed()

    def error(**options: float | str) -> float:
        solver = Tikhonov(penalty=penalty, boundary="unknown", tolerance=1e-2, **options)
        return float((solver(y, psf, 0.01).image - x).square().mean())

    best = min(error(weight=10 ** (n / 2)) for n in range(-8, 2))
    assert error(rule=rule) < best * 10 ** (0.2 if rule == "discrepancy" else 0.1)


def test_cross_validation_needs_no_noise_level_save_for_its_least_weight() -> None:
    _, y, psf = photographed()
    solver = Tikhonov(rule="gcv")
    assert torch.equal(solver(y, psf, 0.001).image, solver(y, psf, 0.01).image)
    y = y[..., :40, :40].contiguous()  # few pixels, which could be met by chance
    low, high, drowned = (solver(y, psf, sigma).image for sigma in (0.001, 0.002, 0.5))
    assert torch.equal(low, high)
    for i in range(2):  # the signal's slopes are blurred to those of y: v mean |H|^2 = mean |grad y|^2
        slopes = sum(float(y[i].diff(dim=axis).square().mean()) for axis in (-1, -2))
        least = Tikhonov(weight=0.5**2 * float(psf[i].square().sum()) / slopes)
        one = least(y[i : i + 1], psf[i : i + 1], 0.5).image
        torch.testing.assert_close(drowned[i : i + 1], one, atol=2e-3, rtol=0)


@pytest.mark.parametrize("rule", ["gcv", "sure"])
def test_few_pixels_are_not_restored_to_noise(rule: str) -> None:
    grey = torch.from_numpy(data.astronaut()[60:106, 170:216].copy()).float().mean(-1)[None, None] / 255
    psf = Gaussian([0.3, 2.0], 15).psf(torch.tensor([[2.0]]))
    generator, sigma = torch.Generator().manual_seed(0), torch.tensor([0.001])
    check_never_worse(Tikhonov(rule=rule), grey, psf, sigma, generator=generator)  # 32 pixels a side


def test_mean_is_kept_where_nothing_else_is() -> None:
    y = made_up(2, (30, 33), generator=torch.Generator().manual_seed(0))
    restored = Tikhonov(weight=1e4, penalty="identity", boundary="circular")(y, kernels(2), 0.01).image
    torch.testing.assert_close(restored.mean((-2, -1)), y.mean((-2, -1)))
    assert float((restored - restored.mean((-2, -1), keepdim=True)).std()) < 1e-3


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"weight": 0.0}, "weight must be a number"),
        ({"penalty": "tv"}, "penalty must be one of identity, gradient, laplacian, got 'tv'"),
        ({"rule": "lcurve"}, "rule must be one of gcv, discrepancy, sure, got 'lcurve'"),
        ({"strength": -1.0}, "strength must be a number"),
        ({"boundary": "wrap"}, "boundary must be one of"),
        ({"tolerance": 2.0}, "tolerance must be a number"),
        ({"iterations": 0}, "iterations must be a whole number"),
    ],
)
def test_options_that_cannot_be(options: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Tikhonov(**options)
