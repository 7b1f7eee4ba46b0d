"""The noise measured in an image: float and 8-bit, on what is smooth, textured, clipped or flat."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from blurlab.deconvolver.laws import made_up
from blurlab.noise import effective_sigma, estimate_sigma
from blurlab.noise.level import KERNEL_ERROR_PX, grouped_median, running


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def slope(n: int = 4, side: int = 160) -> Tensor:
    """Smooth images with values from .3 to .6."""
    line = torch.linspace(0, 1, side)
    return (0.3 + 0.2 * line + 0.1 * line[:, None] ** 2).expand(n, 1, side, side)


@pytest.mark.parametrize("sigma", [0.001, 0.002, 0.004, 0.01])
@pytest.mark.parametrize("bits", [None, 8])
def test_it_is_measured_within_3_percent_even_of_8_bit_images(sigma: float, bits: int | None) -> None:
    y = slope() + sigma * torch.randn(slope().shape, generator=seeded())
    truth = sigma
    if bits:
        y, truth = (255 * y).round() / 255, (sigma**2 + 1 / 255**2 / 12) ** 0.5
        assert len(y.unique()) < 256
    found = float(estimate_sigma(y).mean())
    assert found == pytest.approx(truth, rel=0.03 if sigma > 0.001 else 0.1)  # half a level of noise is not uniform


def test_edges_and_texture_count_for_little() -> None:
    x = made_up(4, (160, 160), generator=seeded()) + 0.05 * torch.sin(torch.arange(160) * 1.0)
    y = x + 0.004 * torch.randn(x.shape, generator=seeded(1))
    assert float(estimate_sigma(y).mean()) == pytest.approx(0.004, rel=0.1)


def test_a_black_surround_and_clipped_pixels_do_not_count() -> None:
    y = slope() + 0.004 * torch.randn(slope().shape, generator=seeded())
    y[..., :60] = 0
    y[..., 130:] = 1
    y[..., :40, :] = 0.02  # black as a camera writes it
    assert float(estimate_sigma(y).mean()) == pytest.approx(0.004, rel=0.05)


@pytest.mark.parametrize("y", [torch.full((2, 1, 20, 20), 0.3), torch.zeros(2, 3, 17, 24), torch.rand(2, 1, 3, 50)])
def test_nothing_to_measure_is_zero(y: Tensor) -> None:
    assert estimate_sigma(y).tolist() == [0, 0]


def test_an_image_does_not_depend_on_its_batch_and_channels_count_together() -> None:
    noise = torch.randn(3, 3, 64, 64, generator=seeded())
    y = 0.5 + torch.tensor([0.002, 0.01, 0.05]).reshape(3, 1, 1, 1) * noise
    torch.testing.assert_close(estimate_sigma(y), torch.cat([estimate_sigma(one[None]) for one in y]), atol=0, rtol=0)
    assert estimate_sigma(y.double()).dtype == torch.float64


def test_a_grouped_median_undoes_rounding() -> None:
    values = torch.rand(1, 4001, generator=seeded()) * 2.3
    exact = float(values.median())
    for step in (0.5, 0.8):
        rounded = (values / step).round() * step
        assert abs(float(rounded.median()) - exact) > 0.1
        assert float(grouped_median(rounded)) == pytest.approx(exact, abs=0.05)
    with_nan = torch.cat([values, torch.full((1, 999), torch.nan)], 1)
    torch.testing.assert_close(grouped_median(with_nan), grouped_median(values))


def test_an_inexact_kernel_counts_where_there_are_gradients() -> None:
    flat = 0.5 + 0.004 * torch.randn(2, 1, 160, 160, generator=seeded())
    torch.testing.assert_close(effective_sigma(flat), estimate_sigma(flat), rtol=0.02, atol=0)
    steep = torch.linspace(0.1, 0.9, 41).expand(1, 1, 41, 41)
    assert float(effective_sigma(steep)) == pytest.approx(KERNEL_ERROR_PX * 0.02, rel=1e-3)
    assert effective_sigma(torch.rand(2, 1, 1, 50)).tolist() == [0, 0]


@pytest.mark.parametrize("side", [1, 2, 3, 4, 5, 9])
def test_running_extremes_are_those_of_pooling(side: int) -> None:
    x = torch.rand(2, 11, 9, generator=seeded())
    assert torch.equal(running(torch.maximum, x, side), torch.nn.functional.max_pool2d(x, side, 1))
    assert torch.equal(running(torch.minimum, x, side), -torch.nn.functional.max_pool2d(-x, side, 1))
