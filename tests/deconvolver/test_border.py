"""Grids without a jump at the seam, tapered edges, and which solver takes which boundary."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from blurlab.deconvolver import (
    EPLL,
    TV,
    Deconvolver,
    Denoised,
    DouglasRachford,
    HyperLaplacian,
    ImplicitTV,
    RichardsonLucy,
    Wiener,
)
from blurlab.deconvolver.border import BOUNDARIES, PERIODIC, draw_to_observed, keep_observed, on_grid
from blurlab.deconvolver.extension import edgetaper, extend_harmonic, solve_laplace
from blurlab.deconvolver.laws import kernels, made_up
from blurlab.physics import Convolution

SHAPES = [(17, 24), (31, 20), (23, 45)]


def steep(shape: tuple[int, int]) -> Tensor:
    """A plane that rises from 0 to 2 between opposite corners, twice, the second turned over: (2, 1, H, W)."""
    plane = torch.linspace(0, 1, shape[0])[:, None] + torch.linspace(0, 1, shape[1])
    return torch.stack([plane, plane.flip(-1)])[:, None]


def largest_step(grid: Tensor) -> float:
    """Largest difference of two neighbours of the periodic image."""
    return max(float((grid.roll(1, dim) - grid).abs().max()) for dim in (-1, -2))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("boundary", ["unknown", "padded", "liu_jia"])
def test_larger_grids_begin_with_the_image_and_have_no_jump(shape: tuple[int, int], boundary: str) -> None:
    y, psf = steep(shape), torch.ones(2, 1, 9, 9) / 81
    grid = on_grid(y, psf, boundary)
    assert torch.equal(grid[..., : shape[0], : shape[1]], y)
    assert min(a - b for a, b in zip(grid.shape[-2:], shape, strict=True)) >= 8
    assert largest_step(y) > 0.99
    assert largest_step(grid) < 0.3


@pytest.mark.parametrize("shape", SHAPES)
def test_harmonic_tiles_are_the_mean_of_their_neighbours(shape: tuple[int, int]) -> None:
    height, width = shape
    y = made_up(2, shape, generator=torch.Generator().manual_seed(0)).double()
    grid = extend_harmonic(y, 8)
    mean = sum(grid.roll(shift, dim) for dim in (-1, -2) for shift in (1, -1)) / 4
    off = (grid - mean).abs()
    # all appended pixels save the first and last column below, the first and last row to the right, and the corner's
    # outermost, which touch them
    below, right, corner = off[..., height:, 1 : width - 1], off[..., 1 : height - 1, width:], off[..., height:, width:]
    assert below.max() < 1e-12 and right.max() < 1e-12 and corner.max() < 1e-12
    assert grid[..., height:, :].min() >= y.min() and grid[..., height:, :].max() <= y.max()  # maximum principle


def test_laplace_against_a_dense_solve() -> None:
    rows, cols = 5, 8
    tile = torch.rand(3, rows, cols, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    system, given = np.zeros((18, 18)), np.zeros((3, 18))
    for i in range(1, rows - 1):
        for j in range(1, cols - 1):
            here = (i - 1) * 6 + j - 1
            system[here, here] = 4
            for a, b in ((i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)):
                if 1 <= a < rows - 1 and 1 <= b < cols - 1:
                    system[here, (a - 1) * 6 + b - 1] = -1
                else:
                    given[:, here] += tile[:, a, b].numpy()
    solved = solve_laplace(tile)
    np.testing.assert_allclose(solved[:, 1:-1, 1:-1].reshape(3, 18).numpy(), np.linalg.solve(system, given.T).T)
    assert torch.equal(solved[:, 0], tile[:, 0]) and torch.equal(solved[:, :, -1], tile[:, :, -1])


@pytest.mark.parametrize("shape", SHAPES)
def test_edgetaper_is_the_formula(shape: tuple[int, int]) -> None:
    """MATLAB's edgetaper.m, line by line in numpy."""
    y = made_up(4, shape, generator=torch.Generator().manual_seed(0)).double()
    psf = kernels(4).double()
    ours = edgetaper(y, psf)
    for image, kernel, tapered in zip(y[:, 0].numpy(), psf[:, 0].numpy(), ours[:, 0].numpy(), strict=True):
        fade = []
        for axis, n in enumerate(shape):
            spectrum = np.fft.fft(kernel.sum(1 - axis), n - 1)
            z = np.real(np.fft.ifft(np.abs(spectrum) ** 2))
            fade.append(1 - np.append(z, z[0]) / z.max())
        alpha = np.outer(*fade)
        padded = np.zeros(shape)
        padded[:5, :5] = kernel
        otf = np.fft.fft2(np.roll(padded, (-2, -2), (0, 1)))
        blurred = np.real(np.fft.ifft2(np.fft.fft2(image) * otf))
        np.testing.assert_allclose(tapered, alpha * image + (1 - alpha) * blurred, atol=1e-12)
        np.testing.assert_array_equal(np.abs(tapered - image)[5:-5, 5:-5] < 1e-12, True)


def test_edgetaper_lessens_the_jump() -> None:
    y, psf = steep((31, 45)), torch.ones(2, 1, 9, 9) / 81
    assert largest_step(edgetaper(y, psf)) < 0.5 * largest_step(y)


def test_images_of_one_pixel_are_extended() -> None:
    y = torch.rand(1, 1, 1, 6, generator=torch.Generator().manual_seed(0))
    for boundary in BOUNDARIES:
        grid = on_grid(y, torch.ones(1, 1, 1, 1), boundary)
        assert torch.isfinite(grid).all()
        assert grid.shape[-1] >= 6


def test_split_of_penalty_one_keeps_the_observed_pixels() -> None:
    generator = torch.Generator().manual_seed(0)
    y, e = torch.rand(1, 1, 4, 5, generator=generator), torch.zeros(1, 1, 4, 5)
    for _ in range(3):
        hu = torch.rand(1, 1, 7, 8, generator=generator)
        kept = keep_observed(hu.clone(), y)
        drawn, e = draw_to_observed(hu.clone(), y, e, 1.0)
        torch.testing.assert_close(drawn, kept)


@pytest.mark.parametrize("boundary", PERIODIC)
@pytest.mark.parametrize("solver", [TV, ImplicitTV, HyperLaplacian, Wiener])
def test_every_boundary_restores_what_is_away_from_it(solver: type[Deconvolver], boundary: str) -> None:
    sharp = made_up(4, (64, 80), generator=torch.Generator().manual_seed(1))
    psf, data = kernels(4), "circular" if boundary == "circular" else "valid"
    y = Convolution(psf, data).A(sharp)
    x = sharp if data == "circular" else sharp[..., 2:-2, 2:-2]
    restored = solver(boundary=boundary)(y, psf, 0.004).image  # type: ignore[call-arg]
    inner = (..., slice(8, -8), slice(8, -8))
    assert (restored - x)[inner].square().mean() < 0.3 * (y - x)[inner].square().mean()


@pytest.mark.parametrize("solver", [TV, ImplicitTV, HyperLaplacian, Wiener])
def test_no_other_boundary_is_taken(solver: type[Deconvolver]) -> None:
    with pytest.raises(ValueError, match=r"boundary must be one of .*padded, .*circular, got 'reflect'"):
        solver(boundary="reflect")  # type: ignore[call-arg]


@pytest.mark.parametrize("solver", [TV, ImplicitTV, HyperLaplacian, DouglasRachford, RichardsonLucy, EPLL])
def test_kernel_wider_than_the_image_needs_an_image_beyond_its_border(solver: type[Deconvolver]) -> None:
    """Where y goes on by reflection, what lies beyond it is made up, not estimated."""
    y, psf = torch.rand(1, 1, 9, 9, generator=torch.Generator().manual_seed(0)), torch.ones(1, 1, 11, 11) / 121
    restored = solver(boundary="unknown")(y, psf, 0.01).image  # type: ignore[call-arg]
    assert torch.isfinite(restored).all() and restored.min() >= 0 and restored.max() <= 1
    for boundary in PERIODIC:
        with pytest.raises(ValueError, match="larger than the image"):
            solver(boundary=boundary)(y, psf, 0.01)  # type: ignore[call-arg]


def test_a_denoiser_without_bounds_estimates_nothing_outside() -> None:
    def unbounded(image: Tensor, level: Tensor) -> Tensor:
        return image

    assert DouglasRachford().estimates_outside
    assert not DouglasRachford(Denoised(unbounded)).estimates_outside
