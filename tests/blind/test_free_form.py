"""Free kernels of photographs: found in light, in a support that is too wide, and trusted only where they gain."""

from __future__ import annotations

import pytest
import skimage.data
import torch
from torch import Tensor

from blurlab.blind import FreeForm
from blurlab.blind.blind_kernel import Run
from blurlab.blind.coarse_to_fine import CoarseToFine
from blurlab.blind.free_form import EXPLAINED
from blurlab.blur import pad_to_odd
from blurlab.metric import kernel_correlation
from blurlab.noise import Power, light_to_srgb, srgb_to_light
from blurlab.physics import Convolution

ONE_RUN = (Run(CoarseToFine()),)


def hook() -> Tensor:
    """A kernel (1, 1, 9, 9): a bent path, brighter where the hand was slow."""
    psf = torch.zeros(1, 1, 9, 9)
    psf[..., 6, 1:7] = torch.tensor([1.0, 1, 1, 1, 2, 2])
    psf[..., 2:6, 6] = 1.0
    return psf / psf.sum()


@pytest.fixture(scope="module")
def photographed() -> Tensor:
    """A photograph whose light was blurred by the hook, with noise of 8 bits (1, 3, 212, 212)."""
    sharp = torch.from_numpy(skimage.data.astronaut()[20:240, 120:340].copy()).permute(2, 0, 1)[None] / 255
    blurred = light_to_srgb(Convolution(hook(), "valid").A(srgb_to_light(sharp)))
    return blurred.mul(255).round().div(255)


@pytest.fixture(scope="module")
def found(photographed: Tensor) -> Tensor:
    """The kernel found in a support of almost twice its side."""
    return FreeForm(runs=ONE_RUN)(photographed, 17)


def test_a_known_kernel_is_found(found: Tensor) -> None:
    assert found.shape == (1, 1, 17, 17) and float(found.sum()) == pytest.approx(1, abs=1e-4)
    assert float(kernel_correlation(found, pad_to_odd(hook(), 17))) > 0.85


def test_it_is_trusted_and_one_that_explains_nothing_is_not(photographed: Tensor, found: Tensor) -> None:
    tool = FreeForm()
    assert tool.is_trusted(photographed, found)
    wrong = torch.zeros(1, 1, 17, 17)
    wrong[..., 1, 1] = wrong[..., 15, 12] = wrong[..., 3, 14] = 1 / 3
    assert not tool.is_trusted(photographed, wrong)
    point = torch.zeros(1, 1, 5, 5)
    point[..., 2, 2] = 1.0
    assert not tool.is_trusted(photographed, point)


def test_a_wide_kernel_is_estimated_in_a_smaller_copy(photographed: Tensor) -> None:
    """Its value is coarse: the correlation falls, the side stays what was asked for."""
    found = FreeForm(most_side=9, runs=ONE_RUN)(photographed, 17)
    assert found.shape == (1, 1, 17, 17)
    assert float(kernel_correlation(found, pad_to_odd(hook(), 17))) > 0.6


def test_a_line_stays_where_a_free_kernel_explains_no_more() -> None:
    sharp = torch.from_numpy(skimage.data.astronaut()[20:240, 120:340].copy()).permute(2, 0, 1)[None] / 255
    line = torch.full((1, 1, 1, 9), 1 / 9)
    psf = torch.nn.functional.pad(line, (0, 0, 4, 4))
    y = light_to_srgb(Convolution(psf, "valid").A(srgb_to_light(sharp)))
    assert FreeForm(runs=ONE_RUN).against(y, psf, 13) is psf


class NotInLight(FreeForm):
    """Trusts no kernel that was estimated in light."""

    def is_trusted(self, y: Tensor, psf: Tensor, most: float = EXPLAINED) -> bool:
        return isinstance(self.response, Power) and super().is_trusted(y, psf, most)


@pytest.mark.slow
def test_where_the_kernel_of_the_light_is_not_trusted_the_values_of_the_file_are_tried() -> None:
    sharp = torch.from_numpy(skimage.data.astronaut()[20:240, 120:340].copy()).permute(2, 0, 1)[None] / 255
    y = Convolution(hook(), "valid").A(sharp).mul(255).round().div(255)
    psf, sure = NotInLight(runs=ONE_RUN).trusted(y, 17)
    assert sure and float(kernel_correlation(psf, pad_to_odd(hook(), 17))) > 0.8
    noise = torch.rand(1, 1, 96, 96, generator=torch.Generator().manual_seed(0))
    assert not NotInLight(runs=ONE_RUN).trusted(noise, 9)[1]
