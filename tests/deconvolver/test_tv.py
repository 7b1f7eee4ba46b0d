"""Total variation: its minimum against a slow independent solver, its border, its batch."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import Tensor

from blurlab.core.fourier import irfft2, psf_to_otf, rfft2
from blurlab.deconvolver import TV, ImplicitTV, tv_objective
from blurlab.deconvolver.laws import kernels, made_up
from blurlab.deconvolver.tv_step import measure
from blurlab.deconvolver.variation import total_variation
from blurlab.physics import Gradient


def blurred(psf: Tensor, shape: tuple[int, int] = (24, 30), sigma: float = 0.01) -> tuple[Tensor, Tensor]:
    """Sharp and circularly blurred images in float64."""
    generator = torch.Generator().manual_seed(3)
    x = made_up(2, shape, generator=generator).double()
    y = irfft2(psf_to_otf(psf, shape) * rfft2(x), shape)
    return x, y + sigma * torch.randn(y.shape, generator=generator, dtype=torch.float64)


def length(field: Tensor, norm: str) -> Tensor:
    """Lengths of a field's vectors, by the definition of each norm."""
    if norm == "anisotropic":
        return field.abs()
    return field.norm(dim=2, keepdim=True) if norm == "isotropic" else field.norm(dim=(1, 2), keepdim=True)


def primal_dual(y: Tensor, psf: Tensor, alpha: float, iterations: int, norm: str = "isotropic") -> Tensor:
    """Minimiser of the same objective by Condat and Vu's algorithm: no linear system, no Fourier-space inverse."""
    shape = (y.shape[-2], y.shape[-1])
    otf = psf_to_otf(psf, shape)
    tau, dual = 0.5, 0.15
    gradient = Gradient()
    u, field = y.clone(), torch.zeros_like(gradient.A(y))
    for _ in range(iterations):
        slope = irfft2(otf.conj() * (otf * rfft2(u) - rfft2(y)), shape) + gradient.A_adjoint(field)
        new = (u - tau * slope).clamp(0, 1)
        field = field + dual * gradient.A(2 * new - u)
        u, field = new, field / (length(field, norm) / alpha).clamp_min(1)
    return u


@pytest.mark.slow
@pytest.mark.parametrize("norm", ["isotropic", "anisotropic", "vectorial"])
def test_minimum_is_that_of_a_slow_reference(norm: str) -> None:
    psf, alpha = kernels(1).double(), 4e-3
    _, y = blurred(psf)
    y = y.transpose(0, 1)  # two channels
    y = y[..., 4:28, 3:32]
    reference = primal_dual(y, psf, alpha, 2500, norm)
    least = tv_objective(reference, y, psf, alpha, norm)
    exact = TV(alpha, norm, boundary="circular", iterations=600, tolerance=0)(y, psf, 0.01).image
    usual = TV(alpha, norm, boundary="circular")(y.float(), psf.float(), 0.01).image.double()
    quick = TV(alpha, norm, boundary="circular", iterations=30, tolerance=0)(y, psf, 0.01).image
    assert (tv_objective(exact, y, psf, alpha, norm) / least - 1).abs().max() < 1e-5
    assert (tv_objective(usual, y, psf, alpha, norm) / least - 1).max() < 0.01
    assert (tv_objective(quick, y, psf, alpha, norm) / least - 1).max() < 1e-3
    torch.testing.assert_close(exact, reference, atol=5e-3, rtol=0)
    for other in {"isotropic", "anisotropic", "vectorial"} - {norm}:
        elsewhere = TV(alpha, other, boundary="circular", iterations=200, tolerance=0)(y, psf, 0.01).image
        assert (tv_objective(elsewhere, y, psf, alpha, norm) / least - 1).max() > 1e-3


def test_minimum_with_unknown_border_cannot_be_lowered() -> None:
    psf, alpha = kernels(2).double(), torch.full((2, 1, 1, 1), 4e-3, dtype=torch.float64)
    _, y = blurred(psf)
    u, history = TV(iterations=800, tolerance=0).solve(y, psf, alpha, measure)

    def objective(u: Tensor) -> Tensor:
        grid = (u.shape[-2], u.shape[-1])
        apart = irfft2(psf_to_otf(psf, grid) * rfft2(u), grid)[..., : y.shape[-2], : y.shape[-1]] - y
        return apart.square().flatten(1).sum(1) / 2 + 4e-3 * total_variation(u)

    least = objective(u)
    assert float(least.mean()) == pytest.approx(history["objective"][-1], rel=1e-6)
    generator = torch.Generator().manual_seed(0)
    for size in (1e-2, 1e-3, 1e-4):
        noise = torch.randn(u.shape, generator=generator, dtype=u.dtype)
        for direction in (noise, torch.nn.functional.avg_pool2d(noise, 5, 1, 2), y.mean() - u, -torch.ones_like(u)):
            assert (objective((u + size * direction).clamp(0, 1)) >= least * (1 - 1e-6)).all()


def test_history_tells_how_far_it_is() -> None:
    psf = kernels(1)
    _, y = blurred(psf.double())
    for boundary in ("unknown", "padded", "circular"):
        history = TV(iterations=60, tolerance=0, boundary=boundary)(y.float(), psf, 0.01).history
        assert set(history) == {"relative_change", "objective", "primal_residual"}
        assert {len(values) for values in history.values()} == {60 // 5}
        assert history["objective"][-1] < history["objective"][0]
        assert history["primal_residual"][-1] < 0.2 * history["primal_residual"][0]


def test_unknown_border_does_not_ring() -> None:
    generator = torch.Generator().manual_seed(5)
    psf = torch.zeros(1, 1, 9, 9)
    psf[..., 4, :] = 1 / 9
    sharp = made_up(3, (72, 72), generator=generator)
    x = sharp[..., 4:-4, 4:-4]
    y = torch.nn.functional.conv2d(sharp, psf.flip(-2, -1)) + 0.002 * torch.randn(x.shape, generator=generator)

    def border_error(restored: Tensor) -> float:
        error = (restored - x).square()
        error[..., 6:-6, 6:-6] = 0
        return float(error.sum())

    unknown = TV()(y, psf, 0.002).image
    wrong = TV(boundary="circular")(y, psf, 0.002).image
    assert border_error(unknown) < border_error(y)
    assert border_error(unknown) < 0.2 * border_error(wrong)


def test_images_stop_by_themselves() -> None:
    psf = kernels(1)
    _, y = blurred(psf.double())
    y = torch.cat([y.float(), torch.full_like(y[:1], 0.3).float()])
    solver = TV(iterations=100, tolerance=1e-4)
    together = solver(y, psf, torch.tensor([0.01, 0.002, 0.01]))
    alone = [solver(y[i : i + 1], psf, sigma) for i, sigma in enumerate((0.01, 0.002, 0.01))]
    lengths = [len(one.history["relative_change"]) for one in alone]
    assert len(set(lengths)) > 1
    assert len(together.history["relative_change"]) == max(lengths)
    torch.testing.assert_close(together.image, torch.cat([one.image for one in alone]), atol=1e-5, rtol=0)


def test_channels_are_restored_alike() -> None:
    psf = kernels(1)
    _, y = blurred(psf.double())
    colour = y.float().transpose(0, 1)
    solver = TV(2e-3, tolerance=0)
    torch.testing.assert_close(
        solver(colour, psf, 0.01).image[:, :1], solver(colour[:, :1], psf, 0.01).image, atol=1e-5, rtol=0
    )


def test_values_stay_within_the_box() -> None:
    psf = kernels(1)
    _, y = blurred(psf.double())
    y = (y - y.amin()) / (y.amax() - y.amin())
    y = (1.2 * y - 0.1).float()  # as far beyond the box as is taken for overshoot
    for solver in (TV(), ImplicitTV(), TV(upper=0.7), ImplicitTV(upper=0.7)):
        image = solver(solver.upper * y, psf, 0.01).image
        assert image.min() >= 0 and image.max() <= solver.upper


@pytest.mark.slow
def test_implicit_objective_falls_towards_the_convex_minimum() -> None:
    psf, alpha = kernels(1).double(), 4e-3
    _, y = blurred(psf)
    restored = ImplicitTV(weight=alpha, boundary="circular", rounds=12, iterations=20, tolerance=0)(y, psf, 0.01)
    objective = restored.history["objective"]
    assert all(after <= before * 1.001 for before, after in pairwise(objective))
    least = tv_objective(primal_dual(y, psf, alpha, 2000), y, psf, alpha).mean()
    assert least * 0.999 < objective[-1] < least * 1.05


@pytest.mark.parametrize("solver", [TV, ImplicitTV])
@pytest.mark.parametrize(
    "options",
    [
        {"weight": -1.0}, {"weight": 1e9}, {"weight": float("nan")}, {"iterations": 0},
        {"tolerance": -1e-3}, {"boundary": "zero"}, {"upper": 0.0}, {"rho": 0.0}, {"gamma": -1.0},
    ],
)  # fmt: skip
def test_options_that_cannot_be(solver: type, options: dict) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(options))} must be") as caught:
        solver(**options)
    assert "\n" not in str(caught.value)


def test_norm_that_is_none() -> None:
    with pytest.raises(ValueError, match="norm must be one of isotropic, anisotropic, vectorial"):
        TV(norm="l2")


def test_a_channel_alone_is_the_same_in_both_norms_and_alike_channels_share_their_edges() -> None:
    psf = kernels(1)
    _, y = blurred(psf.double())
    y = y[:1].float()
    options = {"iterations": 400, "tolerance": 0.0, "boundary": "circular"}
    plain = TV(**options)(y, psf, 0.01).image
    for channels in (1, 3):
        shared = TV(norm="vectorial", **options)(y.expand(1, channels, -1, -1), psf, 0.01).image
        torch.testing.assert_close(shared, plain.expand_as(shared), atol=3e-4, rtol=0)


def test_total_variation_of_a_square() -> None:
    square = torch.zeros(1, 1, 10, 10)
    square[..., 3:6, 3:6] = 1
    assert float(total_variation(square)) == pytest.approx(10 + 2**0.5)
