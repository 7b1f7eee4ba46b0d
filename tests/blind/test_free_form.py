"""Free kernels of photographs: found in light, in a support that is too wide, and trusted only where they gain."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image
from torch import Tensor

from blurlab.blind import FreeForm
from blurlab.blind.blind_kernel import Run
from blurlab.blind.coarse_to_fine import CoarseToFine
from blurlab.blind.explanation import Explanation
from blurlab.blind.free_form import AGREE, AGREE_TRUSTED, is_found_again
from blurlab.blur import pad_to_odd, trajectory_psf
from blurlab.metric import kernel_correlation
from blurlab.noise import Srgb, light_to_srgb, srgb_to_light
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
    assert found.shape == (1, 1, 31, 31) and float(found.sum()) == pytest.approx(1, abs=1e-4)
    assert float(kernel_correlation(found, pad_to_odd(hook(), 17))) > 0.85


def test_a_kernel_that_explains_nothing_is_not_trusted() -> None:
    noise = torch.rand(1, 1, 96, 96, generator=torch.Generator().manual_seed(0))
    assert not FreeForm(runs=ONE_RUN).trusted(noise, 9).trusted


def test_a_wide_kernel_is_estimated_in_a_smaller_copy(photographed: Tensor) -> None:
    """Its value is coarse: the correlation falls, the side stays that of the largest support."""
    found = FreeForm(most_side=9, runs=ONE_RUN)(photographed, 17)
    assert found.shape == (1, 1, 31, 31)
    assert float(kernel_correlation(found, pad_to_odd(hook(), 17))) > 0.6


def test_a_line_stays_where_a_free_kernel_explains_no_more() -> None:
    sharp = torch.from_numpy(skimage.data.astronaut()[20:240, 120:340].copy()).permute(2, 0, 1)[None] / 255
    line = torch.full((1, 1, 1, 9), 1 / 9)
    psf = torch.nn.functional.pad(line, (0, 0, 4, 4))
    y = light_to_srgb(Convolution(psf, "valid").A(srgb_to_light(sharp)))
    assert FreeForm(runs=ONE_RUN).against(y, psf, 13) is None


def test_a_bent_path_is_found_in_place_of_a_line(photographed: Tensor) -> None:
    line = torch.nn.functional.pad(torch.full((1, 1, 1, 9), 1 / 9), (0, 0, 4, 4))
    found = FreeForm(runs=ONE_RUN).against(photographed, line, 17)
    assert found is not None and found.trusted and not found.of_values
    assert float(kernel_correlation(found.psf, pad_to_odd(hook(), found.psf.shape[-1]))) > 0.85


@pytest.mark.slow
def test_a_blur_of_light_and_one_of_the_files_values_are_told_apart(photographed: Tensor) -> None:
    in_light = FreeForm(runs=ONE_RUN).trusted(photographed, 13)
    sharp = torch.from_numpy(skimage.data.astronaut()[20:240, 120:340].copy()).permute(2, 0, 1)[None] / 255
    y = Convolution(hook(), "valid").A(sharp).mul(255).round().div(255)
    in_values = FreeForm(runs=ONE_RUN).trusted(y, 13)
    assert (in_light.trusted, in_light.of_values) == (True, False)
    assert (in_values.trusted, in_values.of_values) == (True, True)
    assert float(kernel_correlation(in_values.psf, pad_to_odd(hook(), in_values.psf.shape[-1]))) > 0.8


def test_a_kernel_is_found_again_where_another_support_has_one_like_it() -> None:
    light = Srgb()

    def told(psf: Tensor, side: int) -> Explanation:
        return Explanation(pad_to_odd(psf, side)[0, 0], light, sparsity=0.8, misfit=0.8)

    here, same = told(hook(), 9), told(hook(), 9)
    again, other = told(hook().roll(1, -1), 13), told(hook().flip(-1), 13)
    alike = float(kernel_correlation(other.psf[None, None], pad_to_odd(hook(), 13)))
    assert AGREE_TRUSTED < alike < AGREE  # mirrored, and yet not unlike
    assert is_found_again(here, [here, again], [])
    assert not is_found_again(here, [here, same, other], [])
    assert is_found_again(here, [here, same, other], [other])
    assert is_found_again(here, [here, same], [])  # nothing else was looked for


@pytest.mark.slow
def fur(seed: int) -> Tensor:
    """Fur shows hardly an edge, moved by a shake, as a JPEG file."""
    sharp = torch.from_numpy(skimage.data.chelsea()).permute(2, 0, 1)[None] / 255
    psf = trajectory_psf(torch.ones(1), torch.tensor([50.0]), torch.tensor([3.0]), 31)
    light = 1.15 * Convolution(psf, "valid").A(srgb_to_light(sharp))
    light = light + 0.003 * torch.randn(light.shape, generator=torch.Generator().manual_seed(seed))
    values = light_to_srgb(light.clamp(0, 1))[0].permute(1, 2, 0).mul(255).round().byte().numpy()
    file = BytesIO()
    Image.fromarray(values).save(file, "JPEG", quality=88)
    return torch.from_numpy(np.array(Image.open(file))).permute(2, 0, 1)[None] / 255


def test_a_photograph_that_tells_too_little_of_a_shake_is_often_left_as_it_came() -> None:
    """One kernel explains it, and no other support finds the like; noise and rounding decide which draws those are."""
    form = FreeForm()
    assert any(form._is_trusted(one) for one in form._explanations(fur(1), 57))
    assert not all(form.trusted(fur(seed), 57).trusted for seed in (1, 3, 5, 6))


def test_a_line_explains_a_line_but_no_double_image() -> None:
    sharp = torch.from_numpy(skimage.data.astronaut()[20:340, 20:340].copy()).permute(2, 0, 1)[None] / 255
    line = torch.nn.functional.pad(torch.full((1, 1, 1, 15), 1 / 15), (0, 0, 7, 7))
    ghost = torch.zeros_like(line)
    ghost[..., 7, 0] = ghost[..., 7, 14] = 0.5
    moved, doubled = (
        light_to_srgb(Convolution(psf, "valid").A(srgb_to_light(sharp))).mul(255).round().div(255)
        for psf in (line, ghost)
    )
    tool = FreeForm()
    assert tool.judged(moved, line)[1:] == (True, False)
    assert not tool.judged(doubled, line).trusted
    in_values = Convolution(line, "valid").A(sharp).mul(255).round().div(255)
    assert tool.judged(in_values, line)[1:] == (True, True)


def test_of_a_large_photograph_the_widest_support_is_left_out() -> None:
    form = FreeForm()
    assert form._sides(torch.empty(1, 3, 2048, 2048)) == form.sides
    assert form._sides(torch.empty(1, 3, 2048, 2049)) == form.sides[:3]
    assert FreeForm(sides=(1.0, 1.8))._sides(torch.empty(1, 3, 4000, 3000)) == (1.0,)
