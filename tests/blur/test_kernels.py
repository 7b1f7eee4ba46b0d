"""Kernels against independent integration, and their gradients against finite differences."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from blurlab.blur import (
    anisotropic_gaussian_psf,
    box_psf,
    centroid,
    disk_psf,
    fspecial_motion_psf,
    gaussian_psf,
    motion_psf,
    taps_psf,
)
from blurlab.blur.shape import recentred


def double(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def identity(size: int) -> Tensor:
    psf = torch.zeros(1, 1, size, size, dtype=torch.float64)
    psf[..., size // 2, size // 2] = 1
    return psf


def oversampled(density: Callable[[Tensor, Tensor], Tensor], size: int, per_pixel: int) -> Tensor:
    """Midpoint rule over each pixel of a density of (x right, y up)."""
    at = (torch.arange(size * per_pixel, dtype=torch.float64) + 0.5) / per_pixel - size / 2
    fine = density(at[None, :], -at[:, None]).expand(len(at), len(at))
    sums = fine.view(size, per_pixel, size, per_pixel).sum((1, 3))
    return sums / sums.sum()


@pytest.mark.parametrize("radius", [0.6, 0.75, 1.0, 1.5, math.sqrt(2.5), 2.5, 3.7, 5.0])
def test_disk_is_the_area_of_its_intersection_with_each_pixel(radius: float) -> None:
    expected = oversampled(lambda x, y: ((x**2 + y**2) <= radius**2).double(), 11, 100)
    assert torch.allclose(disk_psf(double(radius), 11)[0, 0], expected, atol=1e-3 / radius**2, rtol=0)


def test_disk_of_radius_one_in_closed_form() -> None:
    # edge pixel: the part of the disk beyond 1/2 within |y| <= 1/2
    edge = 2 * (0.25 * math.sqrt(0.75) + 0.5 * math.asin(0.5) - 0.25)
    psf = disk_psf(double(1.0), 5)[0, 0]
    assert psf[2, 2].item() == pytest.approx(1 / math.pi, abs=1e-15)
    assert psf[2, 3].item() == pytest.approx(edge / math.pi, abs=1e-15)
    assert psf[0].abs().max() == 0  # outside: exactly nothing


def test_disk_gradient_is_the_arc_inside_each_pixel_also_on_pixel_edges_and_corners() -> None:
    for radius in (math.sqrt(0.5), 1.5, math.sqrt(2.5), 2.5, math.sqrt(4.5), 3.0):
        weight = torch.linspace(-1, 2, 81, dtype=torch.float64).view(9, 9) ** 2
        r = double(radius).requires_grad_()
        (slope,) = torch.autograd.grad((disk_psf(r, 9)[0, 0] * weight).sum(), r)
        step = 1e-5
        ahead, behind = disk_psf(double(radius + step, radius - step), 9)[:, 0]
        assert slope.item() == pytest.approx(float(((ahead - behind) * weight).sum() / (2 * step)), abs=2e-3)
        arc = torch.arange(100_000, dtype=torch.float64) * (2 * math.pi / 100_000)
        column, row = (radius * arc.cos()).round().long() + 4, (radius * arc.sin()).round().long() + 4
        mean_on_arc = weight[row, column].mean()  # dh/dr = (2 / r) (share of the arc in the pixel - h)
        inside = (disk_psf(double(radius), 9)[0, 0] * weight).sum()
        assert slope.item() == pytest.approx(float(2 / radius * (mean_on_arc - inside)), abs=2e-3)


@pytest.mark.parametrize("angle", [0.0, 17.0, 30.0, 45.0, 90.0, 117.0, 135.0, 180.0, -63.0])
@pytest.mark.parametrize("length", [0.7, 1.0, 4.0, 7.3])
def test_motion_is_the_length_of_line_in_each_pixel(length: float, angle: float) -> None:
    count = 200_000
    along = ((torch.arange(count, dtype=torch.float64) + 0.5) / count - 0.5) * length
    column = (along * math.cos(math.radians(angle)) + 1e-12).round().long() + 4
    row = (-along * math.sin(math.radians(angle)) + 1e-12).round().long() + 4
    expected = torch.bincount(row * 9 + column, minlength=81).view(9, 9) / count
    assert torch.allclose(motion_psf(double(length), double(angle), 9)[0, 0], expected.double(), atol=3e-5, rtol=0)


def test_horizontal_and_vertical_motion_are_exact_with_finite_gradients() -> None:
    length, angle = double(4, 4, 10, 3).requires_grad_(), double(0, 90, 180, -90).requires_grad_()
    psf = motion_psf(length, angle, 11)
    row = double(0, 0, 0, 0.125, 0.25, 0.25, 0.25, 0.125, 0, 0, 0)
    assert torch.equal(psf[0, 0, 5], row) and torch.equal(psf[1, 0, :, 5], row)
    assert psf[0, 0].count_nonzero() == 5 and psf[1, 0].count_nonzero() == 5
    for gradient in torch.autograd.grad((psf**2).sum(), (length, angle)):
        assert torch.isfinite(gradient).all()
    slope = torch.autograd.grad(motion_psf(length, angle, 11)[0, 0, 5, 5], length)[0]
    assert slope[0].item() == pytest.approx(-1 / 16)  # d(1/L)/dL


def test_motion_turns_counter_clockwise_with_rows_going_down() -> None:
    psf = motion_psf(double(5), double(30), 7)[0, 0]
    assert psf[2, 5] > 0.1  # right and up
    assert psf[4, 5] == 0


@pytest.mark.parametrize("sigma", [0.3, 0.8, 2.0])
def test_gaussian_is_integrated_over_pixels(sigma: float) -> None:
    expected = oversampled(lambda x, y: torch.exp(-(x**2 + y**2) / (2 * sigma**2)), 9, 64)
    assert torch.allclose(gaussian_psf(double(sigma), 9)[0, 0], expected, atol=2e-4, rtol=0)


@pytest.mark.parametrize(
    ("sigmas", "angle"), [((0.3, 2.0), 33.0), ((2.0, 0.3), 33.0), ((0.5, 1.0), 135.0), ((0.4, 3.0), 90.0)]
)
def test_elliptic_gaussian_is_integrated_over_pixels(sigmas: tuple[float, float], angle: float) -> None:
    c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))

    def density(x: Tensor, y: Tensor) -> Tensor:
        return torch.exp(-(((c * x + s * y) / sigmas[0]) ** 2 + ((c * y - s * x) / sigmas[1]) ** 2) / 2)

    psf = anisotropic_gaussian_psf(double(sigmas[0]), double(sigmas[1]), double(angle), 9)[0, 0]
    assert torch.allclose(psf, oversampled(density, 9, 64), atol=2e-4, rtol=0)


def test_elliptic_gaussian_is_exact_along_the_axes_and_where_it_is_round() -> None:
    wide, slim = gaussian_psf(double(2.0, 0.1), 9)[:, 0].sum(1)
    lying = anisotropic_gaussian_psf(double(2.0), double(0.1), double(0.0), 9)[0, 0]
    assert torch.allclose(lying, slim[:, None] * wide, atol=1e-15, rtol=0)
    standing = anisotropic_gaussian_psf(double(2.0), double(0.1), double(90.0), 9)[0, 0]
    assert torch.allclose(standing, lying.T, atol=1e-15, rtol=0)
    round_one = anisotropic_gaussian_psf(double(0.7), double(0.7), double(33.0), 9)
    assert torch.allclose(round_one, gaussian_psf(double(0.7), 9), atol=1e-15, rtol=0)


@pytest.mark.parametrize(("sigma", "error"), [(0.3, 2e-9), (0.2, 1e-6), (0.15, 3e-5)])
def test_quadrature_is_as_fine_as_stated(sigma: float, error: float) -> None:
    angle = torch.arange(3, 180, 6, dtype=torch.float64).repeat(4)
    long = double(1.3 * sigma, 2 * sigma, 1.0, 2.5).repeat_interleave(30)
    short = torch.full_like(long, sigma)
    fine = anisotropic_gaussian_psf(short, long, angle, 11, nodes=60)
    assert (anisotropic_gaussian_psf(short, long, angle, 11) - fine).abs().max() < error


@pytest.mark.parametrize("width", [0.5, 1.0, 2.0, 3.3, 5.0])
def test_box_is_the_area_inside_each_pixel(width: float) -> None:
    inside = (
        torch.tensor([max(0.0, min(i + 0.5, width / 2) - max(i - 0.5, -width / 2)) for i in range(-3, 4)]).double()
        / width
    )
    assert torch.allclose(box_psf(double(width), 7)[0, 0], inside[:, None] * inside, atol=1e-7)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 9, 10])
def test_taps_are_equal_weights_around_the_centre(n: int) -> None:
    psf = taps_psf(double(n), 11)[0, 0]
    first = 5 - n // 2
    assert torch.allclose(psf[5, first : first + n], torch.full((n,), 1 / n, dtype=torch.float64))
    assert psf.count_nonzero() == n
    assert centroid(psf)[1].item() == pytest.approx(0.0 if n % 2 else -0.5)


@pytest.mark.parametrize(
    "psf",
    [
        lambda zero: disk_psf(zero, 5),
        lambda zero: motion_psf(zero, zero + 30, 5),
        lambda zero: gaussian_psf(zero, 5),
        lambda zero: anisotropic_gaussian_psf(zero, zero, zero + 30, 5),
        lambda zero: box_psf(zero, 5),
        lambda zero: fspecial_motion_psf(zero, zero + 30, 5),
    ],
)
def test_no_extent_is_the_identity_with_a_finite_gradient(psf: Callable[[Tensor], Tensor]) -> None:
    zero = double(0.0).requires_grad_()
    kernel = psf(zero)
    assert torch.allclose(kernel.detach(), identity(5), atol=1e-15)
    assert torch.isfinite(torch.autograd.grad((kernel * torch.arange(25.0).view(5, 5)).sum(), zero)[0]).all()


CASES: list[tuple[Callable[..., Tensor], list[list[float]]]] = [
    (disk_psf, [[0.4, 0.61, 1.23, 2.2, 3.3]]),
    (motion_psf, [[0.6, 3.3, 5.7, 6.1], [20.0, 33.0, 117.0, 260.0]]),
    (gaussian_psf, [[0.3, 0.9, 2.1]]),
    (anisotropic_gaussian_psf, [[0.4, 0.9], [1.1, 0.5], [0.0, 33.0]]),
    (box_psf, [[0.6, 1.7, 4.4]]),
    (fspecial_motion_psf, [[3.3, 5.7, 6.2], [20.0, 33.0, 117.0]]),
]


@pytest.mark.parametrize(("function", "values"), CASES)
def test_gradients_in_every_parameter(function: Callable[..., Tensor], values: list[list[float]]) -> None:
    inputs = [double(*column).requires_grad_() for column in values]
    assert torch.autograd.gradcheck(lambda *columns: function(*columns, 7), inputs, atol=1e-6)


@pytest.mark.parametrize(("function", "values"), CASES)
def test_float32_agrees_with_float64(function: Callable[..., Tensor], values: list[list[float]]) -> None:
    inputs = [double(*column) for column in values]
    single = function(*(column.float() for column in inputs), 7)
    assert single.dtype == torch.float32
    assert torch.allclose(single.double(), function(*inputs, 7), atol=1e-6)


@pytest.mark.gpu
@pytest.mark.parametrize(("function", "values"), CASES)
def test_device_agrees_with_cpu(function: Callable[..., Tensor], values: list[list[float]]) -> None:
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    inputs = [double(*column) for column in values]
    there = function(*(column.cuda() for column in inputs), 7)
    assert there.is_cuda and torch.allclose(there.cpu(), function(*inputs, 7), atol=1e-12)


def test_a_recentred_kernel_has_its_centre_of_mass_in_the_middle_and_its_gradient_is_that_of_differences() -> None:
    psf = torch.rand(3, 1, 9, 9, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    psf = torch.nn.functional.pad(psf[..., 2:6, 1:5], (3, 2, 1, 4))
    psf = psf / psf.sum((2, 3), keepdim=True)
    moved = recentred(psf)
    torch.testing.assert_close(centroid(moved), torch.zeros(3, 1, 2, dtype=torch.float64), atol=1e-12, rtol=0)
    torch.testing.assert_close(moved.sum((1, 2, 3)), torch.ones(3, dtype=torch.float64))
    torch.testing.assert_close(recentred(moved), moved, atol=1e-12, rtol=0)
    edge = torch.zeros(1, 1, 5, 5)
    edge[0, 0, 0, 0], edge[0, 0, 4, 2] = 1.0, 2.0
    assert float(recentred(edge).sum()) == pytest.approx(3.0)  # though the first moves across the border
    assert torch.autograd.gradcheck(recentred, psf[:1].clone().requires_grad_())
