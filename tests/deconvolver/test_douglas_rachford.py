"""Douglas-Rachford: its prox, its fixed point, a denoiser in the place of the prior."""

from __future__ import annotations

import pytest
import skimage.data
import torch
from torch import Tensor

from blurlab.blur import Gaussian
from blurlab.core.fourier import irfft2, psf_to_otf, rfft2
from blurlab.deconvolver import TV, Denoised, DouglasRachford, TotalVariationProx, tv_objective
from blurlab.deconvolver.laws import kernels, made_up
from blurlab.deconvolver.observation import GridObservation
from blurlab.deconvolver.variation import total_variation
from blurlab.metric import isnr
from blurlab.noise import add_gaussian
from blurlab.physics import Convolution


def blurred(shape: tuple[int, int] = (17, 24)) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    x, psf = made_up(2, shape, generator=generator).double(), kernels(2).double()
    y = irfft2(psf_to_otf(psf, shape) * rfft2(x), shape)
    return x, add_gaussian(y, 0.01, generator=generator), psf


def test_prox_of_total_variation_is_a_minimum() -> None:
    x, _, _ = blurred()
    weight = torch.full((2, 1, 1, 1), 0.05, dtype=torch.float64)
    z, _ = TotalVariationProx(iterations=800)(x, weight, None)

    def value(u: Tensor) -> Tensor:
        return (u - x).square().flatten(1).sum(1) / 2 + 0.05 * total_variation(u)

    generator = torch.Generator().manual_seed(0)
    for step in (1e-1, 1e-2, 1e-3):
        for _ in range(20):
            near = (z + step * torch.randn(z.shape, generator=generator, dtype=z.dtype)).clamp(0, 1)
            assert (value(z) <= value(near) + 1e-6).all()


def test_prox_starts_where_it_ended() -> None:
    x, _, _ = blurred()
    weight = torch.full((2, 1, 1, 1), 0.05, dtype=torch.float64)
    prox, memory = TotalVariationProx(iterations=4), None
    for _ in range(5):
        z, memory = prox(x, weight, memory)
    torch.testing.assert_close(z, TotalVariationProx(iterations=20)(x, weight, None)[0])


def test_data_prox_solves_its_normal_equations() -> None:
    x, y, psf = blurred()
    inner = y[..., 2:-2, 2:-2]
    seen, weight = GridObservation(inner, x, (13, 20), psf_to_otf(psf, (17, 24))), torch.tensor(0.05)
    r = x
    for _ in range(4000):  # exact where u = r
        r = seen.prox(x, r, weight)
    blur = Convolution(psf)
    residual = torch.zeros_like(x)
    residual[..., :13, :20] = blur.A(r)[..., :13, :20] - inner
    slope = blur.A_adjoint(residual) + 0.05 * (r - x)
    assert slope.abs().max() < 1e-8


@pytest.mark.slow
def test_minimum_is_that_of_admm() -> None:
    _, y, psf = blurred()
    alpha = 4e-3
    options = {"weight": alpha, "boundary": "circular", "tolerance": 0.0}
    admm = TV(**options, iterations=2000)(y, psf, 0.01).image
    ours = DouglasRachford(TotalVariationProx(10), **options, iterations=400)(y, psf, 0.01).image
    for i in range(2):
        least = tv_objective(admm[i : i + 1], y[i : i + 1], psf[i : i + 1], alpha)
        assert abs(float(tv_objective(ours[i : i + 1], y[i : i + 1], psf[i : i + 1], alpha) / least) - 1) < 1e-3


def test_denoiser_in_the_place_of_the_prior() -> None:
    x, y, psf = blurred()

    def soften(image: Tensor, level: Tensor) -> Tensor:
        share = (level / (level + 0.2)).clamp(0, 0.5)
        return (1 - share) * image + share * (
            image.roll(1, -1) + image.roll(-1, -1) + image.roll(1, -2) + image.roll(-1, -2)
        ) / 4

    solver = DouglasRachford(Denoised(soften), boundary="circular", iterations=30)
    restored = solver(y, psf, 0.01).image
    assert ((restored - x).square().mean() < 0.7 * (y - x).square().mean()).item()


PHOTOGRAPHS = {"camera": (120, 180), "astronaut": (60, 170), "coffee": (150, 250)}


@pytest.mark.parametrize("name", PHOTOGRAPHS)
@pytest.mark.parametrize("sigma_px", [1.0, 2.0])
def test_exact_data_with_next_to_no_noise_are_not_made_worse(name: str, sigma_px: float) -> None:
    """By how far a step goes where alpha is minute: before it had a least length, up to 6 dB were lost."""
    top, left = PHOTOGRAPHS[name]
    image = torch.from_numpy(getattr(skimage.data, name)()).float() / 255
    grey = image if image.ndim == 2 else image.mean(-1)
    sharp = grey[top : top + 96, left : left + 96][None, None]
    psf = Gaussian([0.3, 2.0], 13).psf(torch.tensor([[sigma_px]]))
    sigma = torch.tensor([0.0, 0.001, 0.004, 0.05])
    noise = torch.randn(1, 1, 84, 84, generator=torch.Generator().manual_seed(0))
    y = Convolution(psf, "valid").A(sharp) + sigma.reshape(-1, 1, 1, 1) * noise
    x = sharp[..., 6:-6, 6:-6].expand_as(y)
    assert (isnr(y, DouglasRachford()(y, psf, sigma).image, x) > 1).all()


@pytest.mark.parametrize("options", [{"weight": 0.0}, {"iterations": 0}, {"boundary": "zero"}, {"data_weight": -1.0}])
def test_options_that_cannot_be(options: dict) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(options))} must be"):
        DouglasRachford(**options)
