"""How much of an image's gradients lies in its second direction, whatever its noise, contrast and size."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from blurlab.core.rng import generator
from blurlab.likelihood import content, has_one_direction, second_direction


def waves(share: float, side: int = 96) -> Tensor:
    """Two crossed waves whose gradients have this ratio of power, (1, 1, side, side + 8)."""
    down, across = torch.meshgrid(torch.arange(side), torch.arange(side + 8), indexing="ij")
    return 0.5 + 0.2 * ((across * 0.7).sin() + share**0.5 * (down * 0.7).sin())[None, None]


@pytest.mark.parametrize("sigma", [0.0, 0.01])
@pytest.mark.parametrize("contrast", [1.0, 0.3])
@pytest.mark.parametrize("share", [0.0, 0.003, 0.05, 0.5])
def test_the_share_is_that_of_the_power_without_the_noise(share: float, contrast: float, sigma: float) -> None:
    y = 0.5 + contrast * (waves(share) - 0.5)
    y = y + sigma * torch.randn(y.shape, generator=generator("n"))
    turned = torch.cat([y[..., :96], y[..., :96].mT])
    found = second_direction(turned)
    assert found.tolist() == pytest.approx([share, share], rel=0.05, abs=2e-4 + 40 * (sigma / contrast) ** 2)
    if sigma == 0:
        assert has_one_direction(turned).tolist() == [share < content.SECOND_DIRECTION] * 2


def test_noise_alone_has_no_direction() -> None:
    for side in (64, 96, 200):
        y = 0.5 + 0.02 * torch.randn(20, 1, side, side, generator=generator("n"))
        assert has_one_direction(y).sum() >= 19, side


def test_bands_add_up_to_the_whole_image(monkeypatch: pytest.MonkeyPatch) -> None:
    y = torch.rand(2, 3, 90, 41, generator=generator("y"))
    soft = content._gaussian(1.5, y)
    whole = content._gradient_power(y, soft)
    monkeypatch.setattr(content, "BAND", 13)
    for one, other in zip(whole, content._gradient_power(y, soft), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=0)


def test_what_noise_adds_to_the_gradients_is_known() -> None:
    noise = torch.randn(1, 1, 800, 900, generator=generator("n"))
    for soft in (noise.new_ones(1), content._gaussian(1.5, noise)):
        strong, weak = content._gradient_power(noise, soft)
        assert float(strong + weak) / 2 == pytest.approx(content._of_noise(soft)[0], rel=0.03)
