from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage

from blurlab.core.fourier import fast_size, irfft2, psf_to_otf, rfft2


def draw(*shape: int) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize("size", [(3, 3), (5, 9), (17, 1)])
def test_otf_is_circular_true_convolution(size: tuple[int, int]) -> None:
    x, psf = draw(1, 1, 17, 24), draw(1, 1, *size)
    ours = irfft2(rfft2(x) * psf_to_otf(psf, (17, 24)), (17, 24))
    assert np.allclose(ours[0, 0], ndimage.convolve(x[0, 0].numpy(), psf[0, 0].numpy(), mode="wrap"), atol=1e-12)


def test_round_trip_on_an_odd_width() -> None:
    x = draw(2, 3, 6, 7)
    assert torch.allclose(irfft2(rfft2(x), (6, 7)), x, atol=1e-14)


def test_half_precision_is_raised_to_float32() -> None:
    assert rfft2(draw(1, 1, 4, 4).bfloat16()).dtype == torch.complex64


@pytest.mark.parametrize(("shape", "match"), [((4, 4), "odd sides, got 4x4"), ((9, 3), "larger than the image 8x8")])
def test_bad_kernel(shape: tuple[int, int], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        psf_to_otf(torch.ones(1, 1, *shape), (8, 8))


def test_fast_size_is_the_next_5_smooth_number() -> None:
    smooth = sorted(2**a * 3**b * 5**c for a in range(11) for b in range(7) for c in range(5))
    assert all(fast_size(n) == min(s for s in smooth if s >= n) for n in range(1, 600))
