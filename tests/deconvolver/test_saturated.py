"""Clipped lamps: restored by any deconvolver with fewer rings than where their pixels are believed."""

from __future__ import annotations

import pytest
import skimage.data
import torch
from fast_set import first_fast
from torch import Tensor

from blurlab.blur import Defocus
from blurlab.deconvolver import TV, Deconvolver, HyperLaplacian, Saturated, Wiener
from blurlab.physics import Convolution

PSF = Defocus(2.5).psf(torch.tensor([[2.5]]))


def night(times: float = 4.0) -> tuple[Tensor, Tensor]:
    """A dim photograph with two lamps brighter than white, and the same blurred, with noise, and clipped."""
    sharp = torch.from_numpy(skimage.data.camera()[60:166, 170:276].copy())[None, None] / 255 / 3
    sharp[..., 30:36, 40:46] = sharp[..., 70:73, 60:63] = times
    y = Convolution(PSF, "valid").A(sharp)
    y = y + 0.003 * torch.randn(y.shape, generator=torch.Generator().manual_seed(0))
    return sharp[..., 2:-2, 2:-2], y.clamp(0, 1)


def error(image: Tensor, x: Tensor) -> float:
    """Root mean square beside the lamps, where a file shows it."""
    return float((image.clamp(0, 1) - x.clamp(0, 1))[x < 1].square().mean().sqrt())


@pytest.mark.parametrize(
    ("inner", "share"),
    first_fast([(Wiener(), 0.8), (TV(upper=8.0), 0.6), (HyperLaplacian(upper=8.0), 0.4)], 2),
    ids=["wiener", "tv", "hyper_laplacian"],
)
def test_lamps_have_fewer_rings(inner: Deconvolver, share: float) -> None:
    x, y = night()
    assert error(Saturated(inner)(y, PSF, 0.003).image, x) < share * error(inner(y, PSF, 0.003).image, x)


def test_an_image_without_clipped_pixels_is_restored_as_ever() -> None:
    _, y = night(0.5)
    inner = Wiener()
    torch.testing.assert_close(Saturated(inner)(y, PSF, 0.003).image, inner(y, PSF, 0.003).image)


def test_images_need_room_above_white() -> None:
    with pytest.raises(ValueError, match="upper=4"):
        Saturated(TV())
    with pytest.raises(TypeError, match="Deconvolver"):
        Saturated("tv")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="turns"):
        Saturated(Wiener(), turns=0)
