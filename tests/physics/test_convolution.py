from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage, signal

from blurlab.core.boundary import BOUNDARIES
from blurlab.core.fourier import psf_to_otf
from blurlab.physics import Convolution
from blurlab.physics import convolution as module

SCIPY = {"circular": "wrap", "reflect": "mirror", "replicate": "nearest", "zero": "constant"}


def draw(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def kernels(*shape: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    psf = draw(*shape, seed=1, dtype=dtype)
    return psf / psf.sum((-2, -1), keepdim=True)


@pytest.mark.parametrize("size", [(3, 3), (5, 9), (17, 17)])
@pytest.mark.parametrize("method", ["direct", "fft"])
@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_values_are_scipys(boundary: str, method: str, size: tuple[int, int]) -> None:
    x, psf = draw(2, 3, 17, 24), kernels(2, 1, *size)
    ours = Convolution(psf, boundary, method).forward(x).numpy()
    for b in range(2):
        for c in range(3):
            image, kernel = x[b, c].numpy(), psf[b, 0].numpy()
            if boundary == "valid":
                expected = signal.convolve2d(image, kernel, mode="valid")
            else:
                expected = ndimage.convolve(image, kernel, mode=SCIPY[boundary])
            assert np.allclose(ours[b, c], expected, atol=1e-12)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_direct_and_fft_agree_in_float32(boundary: str) -> None:
    x, psf = draw(2, 3, 40, 33, dtype=torch.float32), kernels(2, 1, 9, 9, dtype=torch.float32)
    direct, fft = (Convolution(psf, boundary, m) for m in ("direct", "fft"))
    y = direct.forward(x)
    assert torch.allclose(y, fft.forward(x), atol=1e-5)
    assert torch.allclose(direct.adjoint(y), fft.adjoint(y), atol=1e-5)


@pytest.mark.parametrize("method", ["direct", "fft"])
@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_chunks_change_nothing(boundary: str, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    x, op = draw(7, 3, 17, 24), Convolution(kernels(7, 1, 5, 5), boundary, method)
    whole = op.forward(x), op.adjoint(op.forward(x))
    monkeypatch.setattr(module, "CHUNK_PIXELS", 1)
    assert torch.allclose(op.forward(x), whole[0], atol=1e-14)
    assert torch.allclose(op.adjoint(whole[0]), whole[1], atol=1e-14)


def dense(op: Convolution, shape: tuple[int, int]) -> torch.Tensor:
    """The matrix of an operator with one kernel, column by column."""
    n = shape[0] * shape[1]
    basis = torch.eye(n, dtype=torch.float64).reshape(n, 1, *shape)
    return op.forward(basis).reshape(n, -1).T


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_solve_is_dense_linear_algebra(boundary: str) -> None:
    op, rhs, weight = Convolution(kernels(1, 1, 3, 5), boundary), draw(2, 1, 6, 7), torch.tensor([0.01, 0.5])
    matrix = dense(op, (6, 7))
    for b, w in enumerate(weight.double()):
        expected = torch.linalg.solve(matrix.T @ matrix + w * torch.eye(42), rhs[b].flatten())
        assert torch.allclose(op.solve(rhs, weight.double())[b].flatten(), expected, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_prox_is_the_minimiser(boundary: str) -> None:
    op, z, gamma = Convolution(kernels(2, 1, 3, 3), boundary), draw(2, 2, 6, 7), 3.0
    y = op.forward(draw(2, 2, 6, 7, seed=2))
    x = op.prox_l2(z, y, gamma).requires_grad_()
    value = gamma / 2 * (op.forward(x) - y).square().sum() + (x - z).square().sum() / 2
    assert torch.autograd.grad(value, x)[0].abs().max() < 1e-9


@pytest.mark.parametrize("boundary", ["reflect", "valid"])
def test_one_by_one_is_the_batch(boundary: str) -> None:
    psf, rhs = kernels(3, 1, 5, 5, dtype=torch.float32), draw(3, 1, 17, 24, dtype=torch.float32)
    psf[1] = 0
    psf[1, 0, 2, 2] = 1
    batch = Convolution(psf, boundary).solve(rhs, 0.01)
    alone = [Convolution(psf[b : b + 1], boundary).solve(rhs[b : b + 1], 0.01) for b in range(3)]
    # values of 50, round-off magnified by 1 / weight
    assert torch.allclose(batch, torch.cat(alone), rtol=0, atol=5e-4)


@pytest.mark.parametrize("size", [3, 5])
def test_norm_is_the_largest_transfer(size: int) -> None:
    op = Convolution(draw(3, 1, size, size) - 0.2)
    expected = psf_to_otf(op.psf, (12, 9)).abs().amax((1, 2, 3))
    assert torch.allclose(op.norm((3, 2, 12, 9), iterations=400), expected, rtol=1e-3)


def test_norm_is_repeatable_and_1_for_a_blur() -> None:
    op = Convolution(kernels(2, 1, 7, 7, dtype=torch.float32))
    assert torch.equal(op.norm((2, 1, 32, 32)), op.norm((2, 1, 32, 32)))
    assert torch.allclose(op.norm((2, 1, 32, 32)), torch.ones(2), atol=1e-4)


@pytest.mark.parametrize("method", ["direct", "fft"])
@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_gradient_in_the_kernel(boundary: str, method: str) -> None:
    x, y = draw(2, 1, 5, 6), draw(2, 1, 3, 4) if boundary == "valid" else draw(2, 1, 5, 6)
    psf = kernels(2, 1, 3, 3).requires_grad_()
    assert torch.autograd.gradcheck(lambda p: Convolution(p, boundary, method).forward(x), psf)
    assert torch.autograd.gradcheck(lambda p: Convolution(p, boundary, method).adjoint(y), psf)


@pytest.mark.parametrize("boundary", ["circular", "replicate", "valid"])
def test_gradient_of_solve(boundary: str) -> None:
    psf, rhs = kernels(2, 1, 3, 3).requires_grad_(), draw(2, 1, 3, 4).requires_grad_()
    weight = torch.tensor([0.1, 0.3], dtype=torch.float64, requires_grad=True)

    def solve(p: torch.Tensor, r: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
        return Convolution(p, boundary).solve(r, w)

    assert torch.autograd.gradcheck(solve, (psf, rhs, weight), atol=1e-6, fast_mode=True)


def test_float32_under_autocast() -> None:
    x, op = draw(1, 1, 16, 16, dtype=torch.float32), Convolution(kernels(1, 1, 3, 3, dtype=torch.float32))
    plain = op.forward(x)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(op.forward(x), plain)
    assert op.forward(x.bfloat16()).dtype == torch.float32


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_nothing_is_stored_or_changed(boundary: str) -> None:
    x, op = draw(2, 3, 17, 24), Convolution(kernels(2, 1, 5, 5), boundary)
    before, state = x.clone(), dict(vars(op))
    op.forward(x), op.solve(x, 0.1), op.norm((2, 3, 17, 24), iterations=2)
    assert torch.equal(x, before) and vars(op) == state


ONES, IMAGE = torch.ones(1, 1, 3, 3), torch.ones(1, 1, 8, 12)
BAD = [
    (lambda: Convolution(torch.ones(1, 1, 4, 4)), ValueError, "odd sides, got 4x4"),
    (lambda: Convolution(torch.ones(1, 3, 3, 3)), ValueError, r"\(B, 1, k, k\), got \(1, 3, 3, 3\)"),
    (lambda: Convolution(ONES, "mirror"), ValueError, "unknown boundary 'mirror'; choose one of circular"),
    (lambda: Convolution(ONES, method="slow"), ValueError, "unknown method 'slow'; choose one of auto"),
    (lambda: Convolution(torch.ones(1, 1, 9, 9)).A(IMAGE), ValueError, "9x9 is larger than the image 8x12"),
    (
        lambda: Convolution(torch.ones(2, 1, 3, 3)).A(torch.ones(3, 1, 8, 8)),
        ValueError,
        r"psf \(2, 1, 3, 3\) for images \(3, 1, 8, 8\)",
    ),
    (lambda: Convolution(ONES).A(torch.ones(8, 8)), ValueError, r"\(B, C, H, W\).* got \(8, 8\)"),
    (lambda: Convolution(ONES).A(IMAGE.int()), TypeError, "got torch.int32"),
    (lambda: Convolution(ONES).solve(IMAGE, 0.0), ValueError, "weight must be finite"),
    (lambda: Convolution(ONES).prox_l2(IMAGE, IMAGE, -1.0), ValueError, "gamma must be finite and > 0"),
]


@pytest.mark.parametrize(("call", "kind", "match"), BAD)
def test_bad_input_is_a_one_line_error(call, kind, match) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(kind, match=match) as caught:
        call()
    assert "\n" not in str(caught.value)
