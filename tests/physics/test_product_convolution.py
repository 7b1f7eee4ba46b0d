"""Product-convolution against scipy and its own matrix; one kernel is a convolution; windows; what it refuses."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Tensor

from blurlab.core.boundary import BOUNDARIES
from blurlab.physics import (
    Convolution,
    LinearOperator,
    ProductConvolution,
    conjugate_gradient,
    grid_windows,
    hat_windows,
    patch_windows,
)

SCIPY = {"circular": "wrap", "reflect": "mirror", "replicate": "nearest", "zero": "constant"}
SHAPE = (17, 24)


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def matrix(operator: LinearOperator, shape: tuple[int, int]) -> Tensor:
    """Its columns are the images of single pixels: (pixels of y, pixels of x)."""
    units = torch.eye(shape[0] * shape[1], dtype=torch.float64).reshape(-1, 1, *shape)
    return operator.A(units).flatten(1).mT


@pytest.mark.parametrize("boundary", SCIPY)
def test_is_the_sum_of_what_scipy_convolves(boundary: str) -> None:
    x, psf, weight = draw(2, 2, *SHAPE), draw(2, 3, 5, 7, seed=1), draw(2, 3, *SHAPE, seed=2)
    ours = ProductConvolution(psf, weight, boundary).A(x)
    for b in range(2):
        for c in range(2):
            parts = [
                ndimage.convolve((w * x[b, c]).numpy(), h.numpy(), mode=SCIPY[boundary])
                for h, w in zip(psf[b], weight[b], strict=True)
            ]
            np.testing.assert_allclose(ours[b, c].numpy(), sum(parts), atol=1e-12)


def test_valid_is_what_needs_nothing_from_outside() -> None:
    x, psf, weight = draw(2, 1, *SHAPE), draw(2, 3, 5, 7, seed=1), draw(2, 3, *SHAPE, seed=2)
    whole = ProductConvolution(psf, weight, "zero").A(x)
    torch.testing.assert_close(ProductConvolution(psf, weight, "valid").A(x), whole[..., 2:-2, 3:-3])


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_one_kernel_under_a_weight_of_one_is_a_convolution(boundary: str) -> None:
    x, psf = draw(2, 3, *SHAPE), draw(2, 1, 5, 9, seed=1) / 22
    one, convolution = ProductConvolution(psf, torch.ones(1, 1, *SHAPE), boundary), Convolution(psf, boundary)
    y = convolution.A(x)
    torch.testing.assert_close(one.A(x), y)
    torch.testing.assert_close(one.A_adjoint(y), convolution.A_adjoint(y))
    torch.testing.assert_close(one.solve(x, 0.1), convolution.solve(x, 0.1))
    assert torch.equal(one.psf_at(3, 4), psf) and torch.equal(one.mean_psf(), psf)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_solve_is_the_dense_solution(boundary: str) -> None:
    psf, weight = draw(1, 3, 3, 5), grid_windows((9, 11), (1, 3))[None].double()
    operator = ProductConvolution(psf / psf.sum((-2, -1), keepdim=True), weight, boundary)
    a, rhs = matrix(operator, (9, 11)), draw(1, 1, 9, 11, seed=3)
    exact = torch.linalg.solve(a.mT @ a + 0.05 * torch.eye(99), rhs.flatten())
    torch.testing.assert_close(operator.solve(rhs, 0.05).flatten(), exact)


def test_solve_knows_the_kernels_around_each_pixel() -> None:
    """Fewer applications than without, and than with the inverse of the mean kernel."""
    psf = torch.stack([torch.nn.functional.pad(torch.ones(k, k) / k**2, [(9 - k) // 2] * 4) for k in (1, 5, 9)])[None]
    operator = ProductConvolution(psf.double(), grid_windows((40, 44), (1, 3))[None].double(), "reflect")
    mean, rhs = Convolution(operator.mean_psf()), draw(1, 1, 40, 44)

    def applications(precondition: Callable[[Tensor], Tensor] | None) -> int:
        count = []

        def apply(x: Tensor) -> Tensor:
            count.append(1)
            return operator.normal(x, 0.02)

        with torch.no_grad():
            conjugate_gradient(apply, rhs, precondition=precondition, tolerance=1e-2)
        return len(count)

    own = applications(lambda x: operator._approximate_inverse(x, 0.02))
    others = applications(None), applications(lambda x: mean._approximate_inverse(x, 0.02))
    assert 0 < own < 0.8 * min(others)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_psf_at_is_the_image_of_a_point(boundary: str) -> None:
    psf, weight = draw(2, 3, 5, 3, seed=1), draw(2, 3, *SHAPE, seed=2)
    operator, lost = ProductConvolution(psf, weight, boundary), (2, 1) if boundary == "valid" else (0, 0)
    point = torch.zeros(2, 1, *SHAPE, dtype=torch.float64)
    point[..., 6 + lost[0], 9 + lost[1]] = 1
    torch.testing.assert_close(operator.psf_at(6, 9), operator.A(point)[..., 4:9, 8:11])


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_a_window_sees_what_the_whole_sees_there(boundary: str) -> None:
    psf, weight = draw(2, 3, 5, 3, seed=1), draw(2, 3, *SHAPE, seed=2)
    operator, x = ProductConvolution(psf, weight, boundary), draw(2, 1, *SHAPE)
    y = operator.A(x)
    beyond = _extended(x, boundary)
    for rows, cols in (((0, 6), (3, 20)), ((5, y.shape[-2]), (0, y.shape[-1]))):
        part = operator.window(rows, cols)
        seen = beyond[..., rows[0] : rows[1] + 4, cols[0] : cols[1] + 2]
        torch.testing.assert_close(part.A(seen), y[..., rows[0] : rows[1], cols[0] : cols[1]])
        inside = part.psf_at(2, 2) - operator.psf_at(rows[0] + 2, cols[0] + 2)
        assert inside.abs().max() < 1e-12


def _extended(x: Tensor, boundary: str) -> Tensor:
    if boundary == "valid":
        return x
    mode = {"zero": "constant"}.get(boundary, boundary)
    return torch.nn.functional.pad(x, (1, 1, 2, 2), mode=mode)


def test_a_convolution_has_windows_too() -> None:
    x, psf = draw(1, 1, *SHAPE), draw(1, 1, 5, 3, seed=1)
    whole, part = Convolution(psf, "valid"), Convolution(psf, "zero").window((2, 8), (3, 9))
    torch.testing.assert_close(part.A(x[..., 2:12, 3:11]), whole.A(x)[..., 2:8, 3:9])


def test_windows_interpolate_and_sum_to_one() -> None:
    place = 3 * draw(*SHAPE)
    windows = hat_windows(place, 4)
    torch.testing.assert_close(windows.sum(0), torch.ones(SHAPE, dtype=torch.float64))
    torch.testing.assert_close((torch.arange(4).reshape(-1, 1, 1) * windows).sum(0), place)
    grid = grid_windows(SHAPE, (3, 2))
    torch.testing.assert_close(grid.sum(0), torch.ones(SHAPE))
    assert grid[0, 0, 0] == 1 and grid[1, 0, -1] == 1 and grid[4, -1, 0] == 1
    torch.testing.assert_close(grid[2, 8], torch.linspace(1, 0, 24))


def test_windows_of_patches_sum_to_one_and_stand_on_their_middles() -> None:
    windows = patch_windows((18, 24), (3, 4))
    torch.testing.assert_close(windows.sum(0), torch.ones(18, 24))
    assert (windows.reshape(3, 4, 18, 24)[1, 2] > 0.01).nonzero().aminmax(dim=0).max.tolist() == [14, 20]
    assert (windows[0, :3, :3] == 1).all() and windows.argmax(0)[9, 15] == 6


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_patches_of_one_kernel_are_a_convolution(boundary: str) -> None:
    x, psf = draw(1, 2, *SHAPE), draw(5, 7, seed=1) / 17
    shape = (SHAPE[0] - 4, SHAPE[1] - 6) if boundary == "valid" else SHAPE
    patches = ProductConvolution.of_patches(psf.expand(2, 3, -1, -1), shape, boundary)
    torch.testing.assert_close(patches.A(x), Convolution(psf[None, None], boundary).A(x), atol=1e-6, rtol=1e-6)


def test_a_patch_has_its_kernel_in_its_middle() -> None:
    psf = draw(3, 3, 5, 5, seed=1)
    operator = ProductConvolution.of_patches(psf, (15, 21))
    torch.testing.assert_close(operator.psf_at(7, 10)[0, 0], psf[1, 1], atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(operator.psf_at(0, 20)[0, 0], psf[0, 2], atol=1e-6, rtol=1e-6)
    with pytest.raises(ValueError, match=r"a kernel for each patch, got \(1, 5, 5\)"):
        ProductConvolution.of_patches(psf[0, :1], (15, 21))


def test_gradients_reach_kernels_and_weights() -> None:
    psf, weight, x = draw(1, 2, 3, 1), draw(1, 2, 3, 2, seed=1), draw(1, 1, 3, 2, seed=2)

    def solved(psf: Tensor, weight: Tensor) -> Tensor:
        return ProductConvolution(psf, weight, "reflect").solve(x, 0.5, tolerance=1e-12)

    assert torch.autograd.gradcheck(solved, (psf.requires_grad_(), weight.requires_grad_()))


@pytest.mark.parametrize(
    ("psf", "weight", "said"),
    [
        (draw(1, 3, 3, 3), draw(1, 2, 9, 9), "give each kernel one weight"),
        (draw(2, 3, 3, 3), draw(3, 3, 9, 9), "of as many images, got 2 and 3"),
        (draw(1, 3, 4, 3), draw(1, 3, 9, 9), "psf must have odd sides, got 4x3"),
        (draw(1, 3, 11, 3), draw(1, 3, 9, 9), "psf 11x3 is larger than the image 9x9"),
    ],
)
def test_parts_that_do_not_go_together(psf: Tensor, weight: Tensor, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ProductConvolution(psf, weight)


def test_images_of_another_size_are_refused() -> None:
    operator = ProductConvolution(draw(2, 3, 3, 5), draw(1, 3, 9, 9))
    with pytest.raises(ValueError, match=r"image must be \(2, C, 9, 9\) to go with the weights, got \(2, 1, 9, 8\)"):
        operator.A(draw(2, 1, 9, 8))
    with pytest.raises(ValueError, match=r"image must be \(2, C, 7, 5\) to go with the weights, got \(1, 1, 7, 5\)"):
        operator.A_adjoint(draw(1, 1, 7, 5))
    with pytest.raises(TypeError, match="floating-point tensor"):
        operator.A(torch.zeros(2, 1, 9, 9, dtype=torch.uint8))
