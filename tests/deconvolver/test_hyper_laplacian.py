"""The hyper-Laplacian's prox against brute force, its objective, and what it gains over total variation."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from blurlab.core.fourier import irfft2, psf_to_otf, rfft2
from blurlab.deconvolver import TV, HyperLaplacian
from blurlab.deconvolver.hyper_laplacian import D, shrink, shrink_vectors
from blurlab.deconvolver.laws import kernels, made_up


@pytest.mark.parametrize("power", [0.3, 0.5, 2 / 3, 0.8, 0.95])
@pytest.mark.parametrize("weight", [1e-3, 0.2, 3.0])
def test_brute_force_finds_nothing_lower(weight: float, power: float) -> None:
    scale = weight ** (1 / (2 - power))
    length = scale * torch.linspace(0, 6, 400, dtype=torch.float64)
    grid = scale * torch.linspace(0, 6, 6001, dtype=torch.float64)
    cost = weight * grid.pow(power) + (grid - length[:, None]).square() / 2
    ours = shrink(length, weight, power)
    reached = weight * ours.pow(power) + (ours - length).square() / 2
    assert ((reached - cost.min(1).values) / scale**2).max() < 1e-9
    assert ours.min() == 0 and (ours <= length).all()


def test_two_thirds_solves_the_quartic() -> None:
    """[Krishnan2009], eq. (8): for p = 2/3 the root solves w^4 - 3 v w^3 + 3 v^2 w^2 - v^3 w + 8 / (27 beta^3) = 0."""
    beta = 4.0
    v = torch.linspace(0.6, 3, 50, dtype=torch.float64)
    w = shrink(v, 1 / beta, 2 / 3)
    assert (w > 0).all()
    quartic = w**4 - 3 * v * w**3 + 3 * v**2 * w**2 - v**3 * w + 8 / (27 * beta**3)
    assert quartic.abs().max() < 1e-7


def test_vectors_keep_their_direction() -> None:
    field = torch.randn(2, 3, 4, 5, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    field[0, 0, :, 0, 0] = 0
    shrunk = shrink_vectors(field, 0.1, 0.8)
    torch.testing.assert_close(shrunk.norm(dim=2), shrink(field.norm(dim=2), 0.1, 0.8))
    torch.testing.assert_close((shrunk * field).sum(2), shrunk.norm(dim=2) * field.norm(dim=2))


def objective(u: Tensor, y: Tensor, psf: Tensor, alpha: float, power: float, omega: float) -> Tensor:
    """What the class says that it lowers, circular, per image (B,); smoothed by 1e-9 for autograd."""
    shape = (y.shape[-2], y.shape[-1])
    residual = irfft2(psf_to_otf(psf, shape) * rfft2(u), shape) - y
    slope = D.A(u)
    bend = D.A(slope.flatten(1, 2)).unflatten(1, (-1, 2)).flatten(2, 3)
    prior = sum(
        w * (field.square().sum(2) + 1e-9).pow(power / 2).flatten(1).sum(1) for w, field in ((1, slope), (omega, bend))
    )
    return residual.square().flatten(1).sum(1) / 2 + alpha * prior


def test_objective_is_no_higher_than_descent_reaches() -> None:
    """From the ADMM's own answer, 200 steps of Adam on the objective, smoothed, gain next to nothing."""
    generator = torch.Generator().manual_seed(3)
    psf, alpha = kernels(1).double(), 1e-3
    x = made_up(2, (24, 30), generator=generator).double()
    y = irfft2(psf_to_otf(psf, (24, 30)) * rfft2(x), (24, 30))
    y = y + 0.01 * torch.randn(y.shape, generator=generator, dtype=torch.float64)
    solver = HyperLaplacian(weight=alpha, boundary="circular", iterations=300, tolerance=0)
    options = (y, psf, alpha, solver.power, solver.omega)
    ours = solver(y, psf, 0.01).image
    u = ours.clone().requires_grad_()
    descent = torch.optim.Adam([u], lr=2e-4)
    for _ in range(200):
        descent.zero_grad()
        objective(u, *options).sum().backward()
        descent.step()
    before, after = objective(ours, *options), objective(u.detach().clamp(0, 1), *options)
    assert (before < objective(y, *options)).all()
    assert (before < objective(x, *options)).all()
    assert (after > 0.97 * before).all()


def test_better_than_total_variation_on_a_photograph() -> None:
    from skimage.data import camera

    photograph = torch.from_numpy(camera()[100:220, 180:300]).float()[None, None] / 255
    psf = torch.zeros(1, 1, 9, 9)
    psf[..., 4, :] = 1 / 9
    x = photograph[..., 4:-4, 4:-4]
    y = torch.nn.functional.conv2d(photograph, psf)
    y = y + 0.01 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    error = {solver: float((solver()(y, psf, 0.01).image - x).square().mean()) for solver in (TV, HyperLaplacian)}
    assert error[HyperLaplacian] < 0.96 * error[TV]


def test_values_stay_within_the_box_in_each_channel() -> None:
    y = made_up(6, (24, 30), generator=torch.Generator().manual_seed(0)).reshape(2, 3, 24, 30)
    y = 0.7 * (1.2 * (y - y.amin()) / (y.amax() - y.amin()) - 0.1)  # as far as is taken for overshoot
    solver = HyperLaplacian(upper=0.7)
    restored = solver(y, kernels(2), 0.01).image
    assert restored.min() >= 0 and restored.max() <= 0.7
    alone = solver(y[:, 1:2], kernels(2), 0.01).image
    assert (restored[:, 1:2] - alone).abs().max() < 5e-3


@pytest.mark.parametrize(
    "options",
    [
        {"weight": -1.0}, {"strength": 0.0}, {"exponent": -1.0}, {"power": 1.0}, {"omega": -1.0}, {"iterations": 0},
        {"tolerance": -1e-3}, {"boundary": "zero"}, {"upper": 0.0}, {"rho": 0.0}, {"gamma": -1.0}, {"mu": 0.0},
    ],
)  # fmt: skip
def test_options_that_cannot_be(options: dict) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(options))} must be") as caught:
        HyperLaplacian(**options)
    assert "\n" not in str(caught.value)
