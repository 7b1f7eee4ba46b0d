"""How sharp edges are beside what a blur leaves: a bound that no blurred image passes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from blurlab.blur import Box, Defocus, Gaussian, Motion
from blurlab.core.rng import generator
from blurlab.likelihood import sharper_than
from blurlab.likelihood.sharpness import STEPS, most_apart
from blurlab.physics import Convolution

KERNELS = {
    "gaussian": Gaussian(1.5).psf(torch.tensor([[1.5]])),
    "defocus": Defocus(3.3).psf(torch.tensor([[3.3]])),
    "motion": Motion(9.0, [0, 180]).psf(torch.tensor([[9.0, 33.0]])),
    "box": Box(5.0).psf(torch.tensor([[5.0]])),
}


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("channels", [1, 3])
def test_no_image_that_was_blurred_is_sharper_than_its_blur(name: str, channels: int) -> None:
    psf = KERNELS[name].expand(4, -1, -1, -1)
    coarse = torch.rand(4, channels, 12, 12, generator=generator("coarse")).round()
    x = torch.nn.functional.interpolate(coarse, scale_factor=8.0)  # edges of full contrast
    y = Convolution(psf, "valid").A(x)
    assert float(sharper_than(y, psf, torch.zeros(4)).amax()) <= 1 + 1e-4
    noisy = (y + 0.01 * torch.randn(y.shape, generator=generator("n"))).clamp(0, 1)
    assert float(sharper_than(noisy, psf, torch.full((4,), 0.01)).amax()) <= 1.05
    assert (sharper_than(x, psf, torch.zeros(4)) > 1.05).all()


@pytest.mark.parametrize("name", KERNELS)
def test_the_greatest_difference_is_that_of_the_worst_image(name: str) -> None:
    psf = KERNELS[name]
    side = psf.shape[-1] + 8
    for step in STEPS:
        found = float(most_apart(psf, step))
        assert found == pytest.approx(worst(psf, step, side), abs=1e-5)


def worst(psf: Tensor, step: tuple[int, int], side: int) -> float:
    """What the sharp image in {0, 1} that is made for it leaves of the difference at one place."""
    place = torch.zeros(1, 1, side, side)
    middle = side // 2
    place[0, 0, middle, middle], place[0, 0, middle + step[0], middle + step[1]] = -1, 1
    blur = Convolution(psf, "zero")
    x = (blur.A_adjoint(place) > 0).float()
    y = blur.A(x)[0, 0]
    return float(y[middle + step[0], middle + step[1]] - y[middle, middle])


def test_images_of_a_batch_are_looked_at_one_by_one() -> None:
    y = torch.rand(3, 1, 40, 30, generator=generator("y"))
    psf = torch.cat([KERNELS["defocus"]] * 3)
    sigma = torch.tensor([0.0, 0.01, 0.3])
    together = sharper_than(y, psf, sigma)
    alone = [float(sharper_than(y[i : i + 1], psf[:1], sigma[i : i + 1])) for i in range(3)]
    assert together.tolist() == pytest.approx(alone) and together[2] == 0 < together[1] < together[0]
