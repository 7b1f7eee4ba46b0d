from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from blurlab.noise import Chain, Gaussian, Jpeg, jpeg, quantise


def scene(n: int, channels: int) -> torch.Tensor:
    """Smooth images (n, channels, 17, 24) with something at every frequency, a little beyond [0, 1]."""
    noise = torch.randn(n, channels, 17, 24, generator=torch.Generator().manual_seed(0))
    ramp = torch.linspace(-0.05, 1.05, 24).expand(17, 24)
    return ramp + 0.04 * noise


def by_pillow(image: torch.Tensor, quality: int) -> np.ndarray:
    """A clipped 8-bit image (C, H, W) through Pillow's encoder and decoder, (H, W) or (H, W, 3)."""
    array = (image.clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).squeeze(-1).numpy()
    file = io.BytesIO()
    Image.fromarray(array).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file)).astype(int)


@pytest.mark.parametrize("quality", [10, 60, 80, 95])
@pytest.mark.parametrize("channels", [1, 3])
def test_agrees_with_pillow(channels: int, quality: int) -> None:
    x = scene(2, channels)
    levels = (jpeg(x, quality) * 255).round().int().permute(0, 2, 3, 1).squeeze(-1).numpy()
    for image, ours in zip(x, levels, strict=True):
        off = np.abs(ours - by_pillow(image, quality))
        assert off.max() <= 2 and off.mean() < 0.1  # two builds of libjpeg may round differently
    assert np.abs(levels - (quantise(x) * 255).permute(0, 2, 3, 1).squeeze(-1).numpy()).max() > 4


def test_colour_keeps_its_order_and_each_image_is_its_own() -> None:
    x = torch.zeros(2, 3, 16, 24)
    x[0, 0], x[1, 2] = 1.0, 1.0
    y = jpeg(x, 95)
    torch.testing.assert_close(y, x, rtol=0, atol=0.02)
    x = scene(3, 3)
    assert torch.equal(jpeg(x, 60), torch.cat([jpeg(one[None], 60) for one in x]))


def test_channels_that_are_no_colours_are_grey_images() -> None:
    x = scene(2, 2)
    assert torch.equal(jpeg(x, 70), torch.cat([jpeg(x[:, :1], 70), jpeg(x[:, 1:], 70)], 1))


def test_a_lower_quality_changes_more_and_sigma_says_how_much() -> None:
    x = scene(2, 1)
    levels = []
    for quality in (95, 80, 60):
        y, sigma = Jpeg(quality=quality)(x, generator=torch.Generator())
        torch.testing.assert_close(sigma, (y - x).square().mean((1, 2, 3)).sqrt())
        levels.append(sigma)
    assert (levels[0] < levels[1]).all() and (levels[1] < levels[2]).all()


def test_in_a_chain_the_codec_sees_what_the_noise_left() -> None:
    x = scene(1, 1)
    noisy, read = Gaussian(sigma=0.05)(x, generator=torch.Generator().manual_seed(5))
    y, sigma = Chain([Gaussian(sigma=0.05), Jpeg(quality=80)])(x, generator=torch.Generator().manual_seed(5))
    assert torch.equal(y, jpeg(noisy, 80))
    torch.testing.assert_close(sigma, torch.hypot(read, (y - noisy).square().mean().sqrt().reshape(1)))
    assert (y - x).std() < sigma  # the codec took some of the noise away


@pytest.mark.parametrize("quality", [0, 101, 80.0])
def test_quality_out_of_range(quality: float) -> None:
    with pytest.raises(ValueError, match=f"1 to 100, got {quality}"):
        Jpeg(quality=quality)  # type: ignore[arg-type]
