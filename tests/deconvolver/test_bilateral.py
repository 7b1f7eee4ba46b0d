"""The bilateral filter against OpenCV's, and what it does over another deconvolver."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from blurlab.deconvolver import TV, Bilateral, Deconvolver, Restored, Wiener
from blurlab.deconvolver.laws import kernels, made_up


class Same(Deconvolver):
    """Hands y back, so that the filter is seen alone."""

    def restore(self, y: Tensor, psf: Tensor, sigma: Tensor) -> Restored:
        return Restored(y, {"seen": [1.0]})


def noisy(count: int, sigma: float) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    x = made_up(count, (33, 40), generator=generator)
    return x, x + sigma * torch.randn(x.shape, generator=generator)


@pytest.mark.parametrize("channels", [1, 3])
def test_agrees_with_opencv_within_the_border(channels: int) -> None:
    """OpenCV's window is round, so a small ``space`` makes the corners of ours count for nothing."""
    _, y = noisy(channels, 0.05)
    y = y.transpose(0, 1).contiguous()
    ours = Bilateral(Same(), window=9, color=40 / 255, space=0.8)(y, kernels(1), 0.01).image
    theirs = cv2.bilateralFilter(np.ascontiguousarray(y[0].permute(1, 2, 0).numpy()), 9, 40 / 255, 0.8)
    theirs = theirs.reshape(33, 40, channels)
    np.testing.assert_allclose(ours[0].permute(1, 2, 0)[4:-4, 4:-4], theirs[4:-4, 4:-4], atol=2e-4)


def test_width_goes_with_the_noise_of_each_image() -> None:
    x, y = noisy(2, 0.05)
    both = Bilateral(Same())(y, kernels(1), torch.tensor([0.001, 0.05]))
    assert both.history == {"seen": [1.0]}
    assert (both.image[0] - y[0]).abs().mean() < 0.1 * (both.image[1] - y[1]).abs().mean()
    assert (both.image[1] - x[1]).square().mean() < 0.5 * (y[1] - x[1]).square().mean()
    by_hand = Bilateral(Same(), color=3 * 0.05)(y[1:], kernels(1), 0.01).image
    torch.testing.assert_close(both.image[1:], by_hand)


def test_it_is_over_what_the_inner_one_restores() -> None:
    _, y = noisy(2, 0.01)
    inner = Wiener()
    bare = inner(y, kernels(2), 0.01).image
    torch.testing.assert_close(Bilateral(inner, window=1)(y, kernels(2), 0.01).image, bare)
    assert Bilateral(TV()).estimates_outside
    assert not Bilateral(inner).estimates_outside


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"window": 4}, "window must be odd, got 4; use 5"),
        ({"window": 0}, "window must be a whole number"),
        ({"color": 0.0}, "color must be a number"),
        ({"strength": -1.0}, "strength must be a number"),
        ({"space": 0.0}, "space must be a number"),
    ],
)
def test_options_that_cannot_be(options: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Bilateral(Wiener(), **options)


def test_inner_must_be_one() -> None:
    with pytest.raises(TypeError, match="inner must be a Deconvolver, got str"):
        Bilateral("wiener")
