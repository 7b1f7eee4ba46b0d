"""A camera that turned while it moved: found in the photograph's windows, and undone place by place."""

from __future__ import annotations

import pytest
import skimage.data
import torch
from torch import Tensor

from blurlab.api import Deblurrer
from blurlab.blur import motion_psf
from blurlab.deconvolver import InLight, by_tiles
from blurlab.metric import align, isnr, psnr
from blurlab.noise import light_to_srgb, srgb_to_light
from blurlab.physics import Convolution, LinearOperator
from blurlab.pipeline.turning import LEAST_SIDE, SHARE, local_tile, turning, windows

FIELD = torch.tensor([[11.0, 4.0], [0.0, 6.0], [-5.0, 0.0]])
ROTATED = torch.tensor([[11.0, 4.0], [3.0, 0.0], [0.0, 3.0]])
"""That of a camera that turned by less than a degree."""


def photographed(
    blur: LinearOperator, shape: tuple[int, int], margin: int, name: str = "astronaut"
) -> tuple[Tensor, Tensor]:
    """The file of a camera (1, 3, H, W), and the sharp one."""
    sharp = torch.from_numpy(getattr(skimage.data, name)().copy()).permute(2, 0, 1)[None] / 255
    sharp = sharp[..., : shape[0] + 2 * margin, : shape[1] + 2 * margin]
    y = light_to_srgb(blur.A(srgb_to_light(sharp))).mul(255).round().div(255)
    return y, sharp[..., margin : margin + shape[0], margin : margin + shape[1]]


def test_windows_of_small_photographs_are_too_small() -> None:
    least = int(LEAST_SIDE / SHARE) + 1
    assert windows(torch.zeros(1, 3, least - 1, 900)) is None
    seen = windows(torch.zeros(1, 3, least, 5000), 2)
    assert seen is not None and seen[0].shape[-2:].numel() <= 1024**2 and seen[1].abs().max() < 1


def test_the_kernel_of_each_place_undoes_more_than_one_kernel() -> None:
    blur = turning(FIELD, (240, 300))
    margin = blur.psf.shape[-1] // 2
    y, x = photographed(blur, (240, 300), margin)
    tile = local_tile((240, 300), blur.psf.shape[-1])
    whole = InLight()(y, motion_psf(torch.tensor([11.7]), torch.tensor([20.0]), 13)).image
    local = by_tiles(InLight(), tile)(y, blur).image
    assert float(isnr(y, local, x)) > float(isnr(y, whole, x)) + 1


@pytest.mark.slow
@pytest.mark.parametrize("turns", [True, False])
def test_the_tool_tells_one_motion_from_many(turns: bool) -> None:
    one, shape = motion_psf(torch.tensor([11.7]), torch.tensor([20.0]), 13), (390, 590)
    blur = turning(ROTATED, shape) if turns else Convolution(one, "valid")
    y, x = photographed(blur, shape, blur.psf.shape[-1] // 2, "rocket")
    y = (y + 0.004 * torch.randn(y.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)
    restored, found = Deblurrer().deblur(y[0].permute(1, 2, 0).numpy())
    assert (found.kind, found.varies) == ("motion", turns)
    came, made = align(y, x), align(torch.from_numpy(restored).permute(2, 0, 1)[None], x)  # a free kernel has no place
    assert float(psnr(made.x_hat, made.x)) > float(psnr(came.x_hat, came.x)) + 0.8
