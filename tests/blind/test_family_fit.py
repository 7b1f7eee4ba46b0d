"""A motion is measured on the photograph itself, in what was blurred: light or the values of the file."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import pytest
import skimage.data
import torch
from torch import Tensor

from blurlab.blind import FreeForm, family_fit
from blurlab.blind.explanation import Explanation
from blurlab.blur import Motion, trimmed
from blurlab.noise import Response, light_to_srgb, srgb_to_light
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


@pytest.mark.parametrize(("left", "length"), [(1.3, 12.0), (1.6, 9.0)])
def test_another_place_must_leave_less_of_the_photograph_however_sharp_it_makes_it(
    left: float, length: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong kernel may make the sharper picture, with rings."""

    def judged(
        seen: Tensor, psfs: Sequence[Tensor], handicaps: Sequence[float], response: Response, scale: int = 1
    ) -> list[Explanation]:
        found = []
        for psf in psfs:
            span = 1 / float(psf.max())  # the length
            far = span > 11
            sparsity = (0.5 if far else 1.0) + 0.01 * abs(span - (12 if far else 9))
            found.append(Explanation(psf, response, sparsity, left if far else 1.5))
        return found

    monkeypatch.setattr(sys.modules["blurlab.blind.family_fit"], "explanations", judged)

    def level(params: Tensor) -> Tensor:
        rows = [torch.full((round(float(one)),), 1 / float(one)) for one in params[:, 0]]
        psf = torch.zeros(len(rows), 1, 15, 15)
        for number, row in enumerate(rows):
            psf[number, 0, 7, : len(row)] = row
        return psf

    found = family_fit(FreeForm(), photographed(True)[..., :120, :120], level, torch.tensor([9.0]), torch.tensor([1.0]))
    assert found is not None and float(found[0]) == pytest.approx(length, abs=0.5)
