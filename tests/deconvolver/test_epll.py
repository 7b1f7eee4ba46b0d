"""EPLL: its step on the image against a dense solution, its gain over TV on a photograph, its border."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data
import torch
from torch import Tensor
from torch.nn import functional as F

from blurlab.core.fourier import psf_to_otf
from blurlab.deconvolver import EPLL, TV
from blurlab.deconvolver.epll import image_step
from blurlab.deconvolver.laws import kernels
from blurlab.deconvolver.observation import GridObservation
from blurlab.metric import psnr

SIGMA = 0.005


def observed(side: int = 96, colour: bool = False) -> tuple[Tensor, Tensor, Tensor]:
    """Part of a photograph, seen through a slanted line of nine taps and noise: x, y, psf."""
    psf = torch.eye(9)[None, None] / 9
    photo = torch.from_numpy(skimage.data.astronaut()[: side + 8, 180 : side + 188].astype(np.float32) / 255)
    photo = photo.permute(2, 0, 1)[None] if colour else photo[..., 1][None, None]
    channels = photo.shape[1]
    y = F.conv2d(photo, psf.flip(-2, -1).expand(channels, 1, -1, -1), groups=channels)
    y = y + SIGMA * torch.randn(y.shape, generator=torch.Generator().manual_seed(0))
    return photo[..., 4:-4, 4:-4], y, psf


def test_better_than_tv_on_a_photograph() -> None:
    x, y, psf = observed()
    ours, tv = EPLL()(y, psf, SIGMA), TV()(y, psf, SIGMA)
    assert psnr(ours.image, x).item() > psnr(tv.image, x).item() + 0.5
    assert len(ours.history["relative_change"]) == EPLL().iterations
    assert len(ours.history["misfit"]) == EPLL().iterations


def test_step_on_the_image_is_the_dense_solution() -> None:
    generator = torch.Generator().manual_seed(0)
    grid, (height, width) = (9, 10), (6, 7)
    x, z = torch.rand(2, 2, 1, *grid, generator=generator, dtype=torch.float64)
    y = torch.rand(2, 1, height, width, generator=generator, dtype=torch.float64)
    otf, rho = psf_to_otf(kernels(2).double(), grid), torch.tensor([0.3, 0.8]).double().reshape(-1, 1, 1, 1)
    came = image_step(x, z, GridObservation(y, x, (height, width), otf), rho)
    for i in range(2):
        units = torch.eye(90).double().reshape(90, *grid)
        blur = torch.fft.irfft2(otf[i, 0] * torch.fft.rfft2(units), s=grid)[:, :height, :width].flatten(1).mT
        right = blur.mT @ y[i].flatten() + rho[i].item() * z[i].flatten()
        exact = torch.linalg.solve(blur.mT @ blur + rho[i].item() * torch.eye(90), right)
        torch.testing.assert_close(came[i].flatten(), exact, rtol=0, atol=2e-3)


def test_unknown_border_does_not_ring() -> None:
    x, y, psf = observed(64)

    def border_error(restored: Tensor) -> float:
        error = (restored - x).square()
        error[..., 8:-8, 8:-8] = 0
        return float(error.sum())

    unknown = EPLL(iterations=6)(y, psf, SIGMA).image
    assert border_error(unknown) < border_error(y)
    assert border_error(unknown) < 0.5 * border_error(EPLL(iterations=6, boundary="circular")(y, psf, SIGMA).image)


def test_channels_are_restored_alike() -> None:
    _, y, psf = observed(48, colour=True)
    together = EPLL(iterations=3)(y, psf, SIGMA).image
    torch.testing.assert_close(together[:, 1:2], EPLL(iterations=3)(y[:, 1:2], psf, SIGMA).image, atol=1e-3, rtol=0)


def test_a_double_is_restored_as_a_single() -> None:
    _, y, psf = observed(48)
    single = EPLL(iterations=4)(y, psf, SIGMA).image
    double = EPLL(iterations=4)(y.double(), psf.double(), SIGMA).image
    assert double.dtype == torch.float64
    torch.testing.assert_close(single.double(), double, atol=1e-3, rtol=0)


def test_more_trust_in_the_data_leaves_a_smaller_residual() -> None:
    _, y, psf = observed(48)

    def residual(strength: float) -> float:
        image = EPLL(strength=strength, iterations=6)(y, psf, SIGMA).image
        return float((F.conv2d(image, psf.flip(-2, -1)) - y[..., 4:-4, 4:-4]).square().mean())

    assert residual(4.0) < 0.9 * residual(0.25)


def test_beta_rises_evenly_to_its_last_value() -> None:
    assert EPLL(first=8, last=1, iterations=4).levels() == pytest.approx([8, 4, 2, 1])
    assert EPLL(first=8, last=1, iterations=1).levels() == pytest.approx([8])


@pytest.mark.parametrize(
    "options",
    [
        {"strength": 0.0}, {"first": 0.0}, {"last": float("nan")}, {"iterations": 0},
        {"stride": 9}, {"boundary": "zero"}, {"upper": -1.0},
    ],
)  # fmt: skip
def test_options_that_cannot_be(options: dict) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(options))} must be"):
        EPLL(**options)
