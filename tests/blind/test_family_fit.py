"""A motion is measured on the photograph itself, in what was blurred: light or the values of the file."""

from __future__ import annotations

import pytest
import skimage.data
import torch
from torch import Tensor

from blurlab.blind import FreeForm, family_fit
from blurlab.blur import Motion, trimmed
from blurlab.noise import light_to_srgb, srgb_to_light
from blurlab.physics import Convolution

LINE = Motion([4, 20], [0, 180])


def kernels(params: Tensor) -> Tensor:
    return trimmed(LINE.psf(params))


def photographed(of_values: bool) -> Tensor:
    """A file (1, 3, 240, 260) blurred by a motion of 9 px at 30 deg."""
    sharp = torch.from_numpy(skimage.data.astronaut()[:270, 60:330].copy()).permute(2, 0, 1)[None] / 255
    blur = Convolution(kernels(torch.tensor([[9.0, 30.0]])), "valid")
    return (blur.A(sharp) if of_values else light_to_srgb(blur.A(srgb_to_light(sharp)))).mul(255).round().div(255)


@pytest.mark.parametrize("of_values", [True, False])
def test_a_wrong_length_and_angle_are_put_right(of_values: bool) -> None:
    start, step = torch.tensor([9.9, 35.0]), torch.tensor([0.8, 4.0])
    found = family_fit(FreeForm(), photographed(of_values), kernels, start, step)
    assert found is not None
    assert float(found[0]) == pytest.approx(9, abs=0.45) and float(found[1]) == pytest.approx(30, abs=2.5)
    assert start.tolist() == [pytest.approx(9.9), 35.0]


def test_a_step_of_zero_leaves_a_parameter_and_a_wide_kernel_all() -> None:
    y = photographed(True)[..., :100, :100]
    start = torch.tensor([9.0, 34.0])
    found = family_fit(FreeForm(), y, kernels, start, torch.tensor([0.0, 2.0]))
    assert found is not None and float(found[0]) == 9.0 and abs(float(found[1]) - 34) <= 4
    assert family_fit(FreeForm(most_side=7), y, kernels, start, torch.tensor([1.0, 2.0])) is None
