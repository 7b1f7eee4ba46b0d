"""What kernels leave of a photograph: the true one costs least, and several that cost as much are averaged."""

from __future__ import annotations

import pytest
import skimage.data
import torch
from torch import Tensor

from blurlab.blind import explanation
from blurlab.blind.explanation import Explanation, agreed, explanations, moved_onto
from blurlab.blur import Motion, pad_to_odd
from blurlab.metric import kernel_correlation
from blurlab.noise import Power, Srgb, light_to_srgb, srgb_to_light
from blurlab.physics import Convolution


def kernel() -> Tensor:
    return pad_to_odd(Motion(9.0, 30.0).psf(torch.tensor([[9.0, 30.0]])), 15).float()


def light() -> Tensor:
    """The light of a photograph, blurred, as a file of 8 bits gives it (H, W)."""
    sharp = torch.from_numpy(skimage.data.camera()[100:300, 150:350].copy())[None, None] / 255
    file = light_to_srgb(Convolution(kernel(), "valid").A(srgb_to_light(sharp))).mul(255).round().div(255)
    return srgb_to_light(file)[0, 0]


def test_the_true_kernel_costs_least() -> None:
    wrong = kernel().flip(-1)
    none = torch.zeros(1, 1, 15, 15)
    none[..., 7, 7] = 1
    true, turned, nothing = explanations(light(), [kernel()[0, 0], wrong[0, 0], none[0, 0]], [1, 1, 1], Srgb())
    assert true.cost < 0.9 * min(turned.cost, nothing.cost)
    assert true.misfit < 1 and abs(nothing.sparsity - 1) < 0.05
    assert explanations(light(), [kernel()[0, 0]], [1.5], Srgb())[0].cost == pytest.approx(1.5 * true.cost)


def test_many_kernels_are_explained_as_each_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    psfs = [kernel()[0, 0], kernel()[0, 0].T.contiguous(), kernel()[0, 0].flip(-1)]
    whole = explanations(light(), psfs, [1, 1.2, 1], Srgb())
    monkeypatch.setattr(explanation, "AT_ONCE", 2)
    parts = explanations(light(), psfs, [1, 1.2, 1], Srgb())
    assert [one.cost for one in parts] == pytest.approx([one.cost for one in whole], rel=1e-5)
    assert [one.psf.equal(psf) for one, psf in zip(parts, psfs, strict=True)] == [True] * 3


def test_a_blur_of_light_is_explained_worse_in_values() -> None:
    values = Srgb().encode(light())
    (right,) = explanations(light(), [kernel()[0, 0]], [1], Srgb())
    (wrong,) = explanations(values, [kernel()[0, 0]], [1], Power(1.0))
    assert right.misfit < wrong.misfit and right.cost < wrong.cost


def test_kernels_that_cost_as_much_are_averaged_in_place() -> None:
    generator = torch.Generator().manual_seed(3)
    noisy = [
        (kernel()[0, 0] + 0.02 * torch.rand(15, 15, generator=generator)).roll((shift, -shift), (0, 1))
        for shift in (0, 1, 2)
    ]
    psfs = [one / one.sum() for one in noisy]
    response = Srgb()
    averaged = torch.stack([moved_onto(one, psfs[0]) for one in psfs]).mean(0)
    cheap, dear = ([Explanation(one, response, sparsity, misfit=0.4) for one in psfs] for sparsity in (0.01, 9.0))
    assert torch.equal(agreed(light(), dear).psf, averaged)
    assert agreed(light(), cheap) is cheap[0]  # the mean costs more
    others = [float(kernel_correlation(one[None, None], kernel())) for one in psfs]
    assert float(kernel_correlation(averaged[None, None], kernel())) > max(others)


def test_the_best_stays_where_no_other_is_as_good() -> None:
    best, other = (
        Explanation(kernel()[0, 0].roll(shift, 0), Srgb(), cost, 0.4) for shift, cost in ((0, 0.7), (1, 0.8))
    )
    assert agreed(light(), [other, best]) is best
