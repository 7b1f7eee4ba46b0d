"""Windows of unequal power in one periodogram."""

from __future__ import annotations

import pytest
import torch
from fields import observe
from torch import Tensor

from blurlab.blur import Defocus
from blurlab.core.rng import generator
from blurlab.likelihood.taper import multitaper, periodograms, window_weight

FAMILY = Defocus([1, 6])


def halves(ratio: float, sigma: float) -> Tensor:
    """A disk over a texture whose right half is fainter by a ratio, in noise (1, 1, 256, 256)."""
    y = observe(FAMILY, torch.tensor([[3.0]]), 256, sigma=0)
    y = torch.cat([y[..., :128], y.mean() + ratio * (y[..., 128:] - y.mean())], -1)
    return y + sigma * torch.randn(y.shape, generator=generator("halves"), dtype=y.dtype)


def weights(y: Tensor) -> tuple[float, float]:
    """Mean weight of the windows on the left and on the right."""
    weight = window_weight(torch.stack(list(periodograms(y, 64, 64, 1)), 1))[0].reshape(4, 4)
    return float(weight[:, :2].mean()), float(weight[:, 2:].mean())


def test_without_noise_a_faint_window_counts_more_and_in_much_noise_less() -> None:
    strong, faint = weights(halves(0.3, 1e-4))
    assert faint > 3 * strong
    strong, faint = weights(halves(0.3, 0.2))
    assert strong > 1.3 * faint
    strong, faint = weights(halves(0.3, 10.0))
    assert strong == pytest.approx(faint, rel=0.25)  # nothing but noise is seen


@pytest.mark.parametrize("levelled", [False, True])
def test_a_mean_is_one_of_all_windows_and_white_noise_keeps_its_variance(levelled: bool) -> None:
    y = 0.1 * torch.randn(20, 1, 192, 160, generator=generator("white"), dtype=torch.float64)
    power = multitaper(y, 64, 32, 1, levelled=levelled)
    assert power.mean(0)[4:-4, 4:].mean().item() == pytest.approx(0.01, rel=0.03)
    kept = torch.stack(list(periodograms(y, 64, 32, 1)), 1)
    torch.testing.assert_close(multitaper(y, 64, 32, 1), kept.mean(1))
    torch.testing.assert_close(window_weight(kept).sum(1), torch.ones(20, dtype=torch.float64))


def test_an_image_of_nothing_but_zeros_has_weights_all_the_same() -> None:
    weight = window_weight(torch.zeros(1, 5, 64, 33, dtype=torch.float64))
    assert bool(weight.isfinite().all())
