"""Blur that grows towards the corners: its operator where it is known, its mean kernel, and who may not take it."""

from __future__ import annotations

import pytest
import torch

from blurlab.blur import Defocus, Field, Gaussian, Mixture, Motion, Trajectory, disk_psf
from blurlab.dataset import Degrade
from blurlab.noise import NoNoise
from blurlab.physics import ProductConvolution
from blurlab.pipeline import FreeKernel

PARAMS = torch.tensor([[1.0, 4.0], [2.0, 1.0]], dtype=torch.float64)
FIELD = Field(Defocus([0.5, 2]), growth=[1, 4])


@pytest.mark.parametrize("boundary", ["valid", "reflect"])
def test_its_kernels_are_disks_that_grow_with_the_square_of_the_distance(boundary: str) -> None:
    operator = FIELD.operator(PARAMS, shape=(57, 73), boundary=boundary)
    size, lost = FIELD.size, FIELD.size // 2 if boundary == "valid" else 0
    middle = operator.psf_at(28 - lost, 36 - lost)
    torch.testing.assert_close(middle, disk_psf(PARAMS[:, 0], size))
    # six sevenths of the way in the square of the distance there stands a kernel: no interpolation
    squared = (torch.linspace(-1, 1, 57).reshape(-1, 1) * 57) ** 2 + (torch.linspace(-1, 1, 73) * 73) ** 2
    place = 7 * squared / squared.max()
    row, col = divmod(int((place[lost : 57 - lost, lost : 73 - lost] - 4).abs().argmin()), 73 - 2 * lost)
    share = float(place[row + lost, col + lost]) / 7
    expected = disk_psf(PARAMS[:, 0] * (1 + (PARAMS[:, 1] - 1) * share), size)
    assert (operator.psf_at(row, col) - expected).abs().max() < 0.02 * expected.max()


def test_without_growth_it_is_a_convolution() -> None:
    x = torch.rand(1, 2, 30, 34, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    same = Defocus(2.0, size=FIELD.size).operator(PARAMS[1:, :1], shape=(30, 34), boundary="reflect")
    operator = FIELD.operator(PARAMS[1:], shape=(30, 34), boundary="reflect")
    torch.testing.assert_close(operator.A(x), same.A(x))
    torch.testing.assert_close(FIELD.psf(PARAMS[1:]), Defocus(2.0, size=FIELD.size).psf(PARAMS[1:, :1]))


def test_its_kernel_is_the_mean_over_a_square() -> None:
    operator = FIELD.operator(PARAMS, shape=(41, 41), boundary="reflect")
    assert isinstance(operator, ProductConvolution)
    torch.testing.assert_close(FIELD.psf(PARAMS), operator.mean_psf(), rtol=0, atol=5e-3)


def test_a_degraded_batch_keeps_the_operator_that_made_it() -> None:
    degrade = Degrade(FIELD, NoNoise(), "valid")
    sharp = torch.rand(3, 1, 40 + 2 * degrade.margin, 33 + 2 * degrade.margin)
    done = degrade(sharp, generator=torch.Generator().manual_seed(0))
    assert torch.equal(done.y, done.blur.A(sharp)) and done.y.shape == (3, 1, 40, 33)
    some = done.take(torch.tensor([2, 0]))
    torch.testing.assert_close(some.blur.A(sharp[[2, 0]]), done.y[[2, 0]])
    with pytest.raises(TypeError, match="only a convolution has one kernel an image, got ProductConvolution"):
        _ = done.psf


def test_a_batch_of_kernels_keeps_one_an_image() -> None:
    done = Degrade(Gaussian([1, 2]), NoNoise(), "valid")(torch.rand(1, 1, 40, 40), generator=torch.Generator())
    assert done.psf.shape[0] == 1
    assert len(done.take(torch.tensor([0, 0])).psf) == 2 and len(done.take(torch.tensor([], dtype=torch.long)).psf) == 0


def test_what_knows_one_kernel_an_image_refuses_it() -> None:
    with pytest.raises(ValueError, match="member 'f' varies over the image"):
        Mixture({"f": FIELD})
    with pytest.raises(ValueError, match="a defocus_field varies over the image"):
        FreeKernel(FIELD)


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"family": Trajectory()}, TypeError, "a field grows the strength of one kind of blur, got Trajectory"),
        ({"family": Mixture({"m": Motion()})}, TypeError, "one kind of blur, got Mixture"),
        ({"family": Defocus(1.0), "kernels": 1}, ValueError, "kernels must be a whole number, 2 or more, got 1"),
        ({"family": Defocus(1.0), "growth": [1, 4], "size": 5}, ValueError, "needs a size of 9, got 5"),
    ],
)
def test_options_that_cannot_be(options: dict, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        Field(**options)
