"""A kernel as what a head is asked for, and the head that divides spectra."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from truths import truth

from blurlab.blur import Motion, centroid
from blurlab.head import KernelQuotient, KernelTarget
from blurlab.head.kernel_quotient import gradients, normalised
from blurlab.metric import psf_snr
from blurlab.physics import Convolution

SIDE = 7
FAMILY = Motion([3, 6], [0, 180], size=SIDE)


def kernels(count: int, seed: int = 0) -> Tensor:
    return FAMILY.sample(count, generator=torch.Generator().manual_seed(seed)).psf


def told(psf: Tensor) -> Tensor:
    """Outputs whose softmax is this kernel."""
    return psf.clamp_min(1e-12).log().flatten(1)


def known(psf: Tensor) -> object:
    return truth(torch.zeros(len(psf), dtype=torch.long), psf=psf)


def test_outputs_are_read_as_the_kernel_with_its_centre_of_mass_in_the_middle() -> None:
    target, psf = KernelTarget(SIDE), kernels(5)
    torch.testing.assert_close(target.read(told(psf)), psf, rtol=1e-4, atol=1e-6)
    moved = torch.zeros(1, 1, SIDE, SIDE)
    moved[0, 0, 1, 4], moved[0, 0, 1, 5] = 0.25, 0.75
    read = target.read(told(moved))
    torch.testing.assert_close(centroid(read)[0, 0], torch.zeros(2), atol=1e-5, rtol=0)
    assert float(read.sum()) == pytest.approx(1, abs=1e-6) and float(read.min()) >= 0


def test_the_loss_is_the_log_of_the_relative_squared_error_and_a_shift_costs_nothing() -> None:
    target, psf = KernelTarget(SIDE), kernels(4)
    wrong = kernels(4, seed=1)
    loss = target.loss(told(wrong), known(psf))
    expected = (wrong - psf).square().sum((1, 2, 3)) / psf.square().sum((1, 2, 3))
    torch.testing.assert_close(loss, expected.log(), rtol=1e-3, atol=1e-3)
    small = torch.zeros(1, 1, SIDE, SIDE)
    small[0, 0, 2, 2:5] = 1 / 3
    assert float(target.loss(told(small.roll((2, 1), (2, 3))), known(small))) < -12


def test_the_figure_is_the_snr_of_the_kernel_as_it_lies() -> None:
    target, psf, wrong = KernelTarget(SIDE), kernels(3), kernels(3, seed=1)
    found = target.figures(told(wrong), known(psf))
    assert list(found) == ["psf_snr"]
    torch.testing.assert_close(found["psf_snr"], psf_snr(wrong, psf), rtol=1e-3, atol=1e-3)


def test_the_quotient_of_true_sharp_gradients_is_the_kernel() -> None:
    net, psf = KernelQuotient(SIDE**2), kernels(2)
    x = torch.rand(2, 1, 64, 50, generator=torch.Generator().manual_seed(2))
    y = Convolution(psf, "circular").A(x)
    sharp, seen = gradients(x - x.mean()), gradients(y - y.mean())
    with torch.no_grad():
        net.log_floor.fill_(-9)
        found = net.quotient(sharp, seen)
    assert found.shape == (2, 3, SIDE, SIDE)
    raw = found[:, :1]
    assert float(psf_snr(raw / raw.sum((2, 3), keepdim=True), psf).min()) > 12  # the taper and the border are left
    assert float(psf_snr(raw.roll(1, -1), psf).max()) < 12


def test_a_brighter_image_or_one_of_more_contrast_gives_the_same_kernel() -> None:
    y = torch.rand(2, 1, 32, 30, generator=torch.Generator().manual_seed(3))
    torch.testing.assert_close(normalised(0.5 * y + 0.2), normalised(y), rtol=1e-4, atol=1e-4)
    net = KernelQuotient(SIDE**2).eval()
    torch.testing.assert_close(net(0.5 * y + 0.2), net(y), rtol=1e-3, atol=1e-3)


def test_other_outputs_and_small_images_are_refused_with_the_remedy() -> None:
    for count in (10, 16):
        with pytest.raises(ValueError, match="use pipeline=kernel"):
            KernelQuotient(count)
    with pytest.raises(ValueError, match="at least 14 for kernels of 7 px"):
        KernelQuotient(SIDE**2)(torch.zeros(1, 1, 13, 20))
    for options in ({"channels": (8,)}, {"channels": (8, 0)}, {"refine": 0}):
        with pytest.raises(ValueError, match="all >= 1"):
            KernelQuotient(SIDE**2, **options)
    with pytest.raises(ValueError, match="odd"):
        KernelTarget(4)
