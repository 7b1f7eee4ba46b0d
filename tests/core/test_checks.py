"""Images that say nothing: constant or saturated in each channel."""

from __future__ import annotations

import torch

from blurlab.core.checks import is_flat


def test_an_image_of_one_colour_is_flat_and_one_channel_with_content_is_enough() -> None:
    colour = torch.tensor([90, 80, 70]).reshape(1, 3, 1, 1).expand(1, 3, 16, 17) / 255
    ramp = torch.linspace(0.2, 0.7, 17).expand(1, 1, 16, 17)
    saturated = torch.ones(1, 3, 16, 17)
    saturated[:, 1] = 0
    one = torch.cat([saturated[:, :2], ramp], 1)
    content = torch.cat([colour[:, :2], ramp], 1)
    nearly = saturated.clone()
    nearly[..., 0] = 0.5  # 1 of 17 columns
    images = torch.cat([colour, saturated, nearly, one, content, ramp.expand(1, 3, 16, 17)])
    assert is_flat(images).tolist() == [True, True, True, False, False, False]
    assert is_flat(ramp).tolist() == [False] and is_flat(colour[:, :1]).tolist() == [True]
