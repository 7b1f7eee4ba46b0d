"""The recorded path beside the call: the same images, gradients that are finite differences, and who has none."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor

from blurlab.blur import Gaussian
from blurlab.deconvolver import (
    EPLL,
    TV,
    Deconvolver,
    DouglasRachford,
    HyperLaplacian,
    Learned,
    RichardsonLucy,
    UNet,
    UnrolledDR,
    Wiener,
)
from blurlab.deconvolver.laws import kernels, made_up
from blurlab.physics import Convolution, ProductConvolution, grid_windows

SIGMA = 0.01


def blurred() -> tuple[Tensor, Tensor, Tensor]:
    """Sharp, observed and kernels, float64; one of the images is flat in large parts, where norms have a corner."""
    generator = torch.Generator().manual_seed(3)
    sharp, psf = made_up(2, (21, 28), generator=generator).double(), kernels(2).double()
    y = Convolution(psf, "valid").A(sharp)
    y[1] += SIGMA * torch.randn(y[1].shape, generator=generator, dtype=torch.float64)
    return sharp[..., 2:-2, 2:-2], y, psf


def slopes(
    function: Callable[[Tensor, Tensor], Tensor], y: Tensor, psf: Tensor, step: float
) -> list[tuple[float, float]]:
    """Recorded and by central differences, along a random change of y and one of the kernels that keeps their sum."""
    generator = torch.Generator().manual_seed(7)
    found = []
    for which, start in enumerate((y, psf)):
        change = torch.randn(start.shape, generator=generator, dtype=torch.float64)
        change -= change.mean((-2, -1), keepdim=True)
        point = start.clone().requires_grad_()
        out = function(*((point, psf) if which == 0 else (y, point)))
        weight = torch.randn(out.shape, generator=generator, dtype=torch.float64)
        (gradient,) = torch.autograd.grad((out * weight).sum(), point)
        assert torch.isfinite(gradient).all()
        with torch.no_grad():
            ends = [
                (function(*((moved, psf) if which == 0 else (y, moved))) * weight).sum()
                for moved in (start + step * change, start - step * change)
            ]
        found.append((float((gradient * change).sum()), float(ends[0] - ends[1]) / (2 * step)))
    return found


def network() -> UnrolledDR:
    torch.manual_seed(0)
    net = UnrolledDR(partial(UNet, channels=(4, 8), blocks=1), iterations=3, start_iterations=6).double()
    for parameter in net.denoisers.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    return net


DIFFERENTIABLE = {
    "wiener": Wiener(),
    "wiener_padded": Wiener(boundary="padded"),
    "wiener_circular_flat": Wiener(nsr=0.01, prior="flat", boundary="circular"),
    "tv": TV(weight=2e-3, iterations=12, tolerance=0.0),
    "tv_padded_colour": TV(weight=2e-3, iterations=12, tolerance=0.0, norm="vectorial", boundary="padded"),
    "douglas_rachford": DouglasRachford(weight=2e-3, iterations=12, tolerance=0.0),
    "douglas_rachford_circular": DouglasRachford(weight=2e-3, iterations=12, tolerance=0.0, boundary="circular"),
}
every = pytest.mark.parametrize("name", DIFFERENTIABLE)


@every
def test_gradients_are_finite_differences(name: str) -> None:
    solver, (_, y, psf) = DIFFERENTIABLE[name], blurred()
    # what lies beyond the border Wiener finds to a tolerance, which drowns a small difference
    # and a projection of total variation has corners, of which a difference may straddle one
    step, relative = (2e-3, 2e-2) if name == "wiener" else (1e-7, 1e-4)
    for recorded, measured in slopes(lambda y, psf: solver.differentiable(y, psf, SIGMA).image, y, psf, step):
        assert recorded == pytest.approx(measured, rel=relative)


def test_gradients_of_the_unrolled_network_are_finite_differences() -> None:
    (_, y, psf), net, sigma = blurred(), network(), torch.full((2, 1, 1, 1), SIGMA, dtype=torch.float64)
    for recorded, measured in slopes(lambda y, psf: net(y, psf, sigma), y, psf, 1e-7):
        assert recorded == pytest.approx(measured, rel=1e-4)


@every
def test_the_recorded_image_is_that_of_the_call(name: str) -> None:
    solver, (_, y, psf) = DIFFERENTIABLE[name], blurred()
    recorded = solver.differentiable(y.clone().requires_grad_(), psf.clone().requires_grad_(), SIGMA)
    assert recorded.image.requires_grad
    called = solver(y, psf, SIGMA)
    torch.testing.assert_close(recorded.image.detach(), called.image, rtol=0, atol=1e-12)
    for looks, expected in zip(recorded.history.values(), called.history.values(), strict=True):
        assert looks == pytest.approx(expected)


@pytest.mark.parametrize("solver", [Wiener(), TV(), DouglasRachford()])
def test_default_options_and_flat_images_have_finite_gradients(solver: Deconvolver) -> None:
    y, psf = torch.full((2, 3, 17, 24), 0.5), kernels(2)
    y[1, :, 5:, 9:] = 0.0
    y, psf = y.requires_grad_(), psf.requires_grad_()
    solver.differentiable(y, psf, SIGMA).image.square().sum().backward()
    assert y.grad is not None and psf.grad is not None
    assert torch.isfinite(y.grad).all() and torch.isfinite(psf.grad).all() and psf.grad.abs().max() > 0


@pytest.mark.slow
def test_an_operator_that_varies_has_gradients_too() -> None:
    psf = torch.cat([kernels(1), kernels(3)[2:]], 1).double()
    weight = grid_windows((21, 28), (1, 2))[None].double()
    solver = DouglasRachford(weight=2e-3, iterations=8, tolerance=0.0)
    _, y, _ = blurred()

    def restored(y: Tensor, psf: Tensor) -> Tensor:
        with torch.enable_grad():  # steps as exact as where they are recorded
            return solver.differentiable(y, ProductConvolution(psf, weight), SIGMA).image

    for recorded, measured in slopes(restored, y, psf, 1e-6):
        assert recorded == pytest.approx(measured, rel=1e-2)


def test_a_kernel_is_found_through_the_solver() -> None:
    """From too narrow a Gaussian, downhill on the error of what it restores."""
    generator = torch.Generator().manual_seed(0)
    family, sharp = Gaussian([0.5, 3], size=13), made_up(2, (60, 60), generator=generator)
    y = Convolution(family.psf(torch.tensor([[1.6]])), "valid").A(sharp)
    y = y + 0.003 * torch.randn(y.shape, generator=generator)
    sigma_px = torch.tensor([[1.0]], requires_grad=True)
    optimizer = torch.optim.Adam([sigma_px], lr=0.05)
    for _ in range(25):
        optimizer.zero_grad()
        restored = Wiener(boundary="padded").differentiable(y, family.psf(sigma_px), 0.003).image
        (restored - sharp[..., 6:-6, 6:-6])[..., 6:-6, 6:-6].square().mean().backward()
        optimizer.step()
    assert sigma_px.item() == pytest.approx(1.6, abs=0.15)


def test_a_trained_network_hands_gradients_on() -> None:
    _, y, psf = blurred()
    solver = Learned(UnrolledDR(partial(UNet, channels=(32, 64, 128), blocks=1)), "unrolled_dr_tiny")
    y, psf = y.float().requires_grad_(), psf.float().requires_grad_()
    image = solver.differentiable(y, psf, SIGMA).image
    torch.testing.assert_close(image.detach(), solver(y, psf, SIGMA).image)
    image.sum().backward()
    assert y.grad is not None and torch.isfinite(y.grad).all() and y.grad.abs().max() > 0
    assert psf.grad is not None and torch.isfinite(psf.grad).all() and psf.grad.abs().max() > 0


@pytest.mark.parametrize("solver", [HyperLaplacian(), EPLL(), RichardsonLucy()])
def test_what_has_no_gradient_says_so_in_one_line(solver: Deconvolver) -> None:
    _, y, psf = blurred()
    with pytest.raises(TypeError, match=f"^{type(solver).__name__} has no gradient, .*; use Wiener") as caught:
        solver.differentiable(y, psf, SIGMA)
    assert "\n" not in str(caught.value)
