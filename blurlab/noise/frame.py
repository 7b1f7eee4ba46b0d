"""What files have around the picture: black bars, borders, and the round mask of a fundus camera or a microscope."""

from __future__ import annotations

import torch
from torch import Tensor

from blurlab.noise.draw import Generators, Level, check_level, draw_level
from blurlab.noise.rendering import Rendering

WIDEST = 0.3
"""Greatest width of a border, as a share of the image's side."""
BLACK = 0.7
"""Share of frames that are black; the others have a grey of their own."""
RADIUS = 0.4, 0.75
"""Radius of a round mask, as a share of the image's shorter side."""
EDGE_PX = 0.3, 1.5
"""Softness of a round mask's edge."""


class Frame(Rendering):
    """A frame of one grey over some images: borders of rows, of columns or of both, or all that is outside a circle.

    It is drawn after the blur, so that its edge is sharp whatever the picture is.

    Args:
        borders: Share of the images that get borders, from 0 to 1.
        round: Share of the images that get a round mask; the two shares are at most 1 together.

    Raises:
        ValueError: If a share is out of its range.

    Example:
        >>> frame = Frame(borders=1.0)
        >>> y, _ = frame(torch.full((1, 1, 40, 40), 0.5), generator=torch.Generator().manual_seed(1))
        >>> sorted({round(float(value), 2) for value in y.flatten()})
        [0.0, 0.5]
    """

    def __init__(self, borders: float = 0.0, round: float = 0.0) -> None:
        if not (0 <= borders <= 1 and 0 <= round <= 1 and borders + round <= 1):
            raise ValueError(
                f"borders and round must be shares of 0 to 1, at most 1 together, got {borders:g} and {round:g}"
            )
        self.borders, self.round = float(borders), float(round)

    def draw(self, x: Tensor, *, generator: Generators) -> Tensor:
        """Settings (B, 10): kind (0 none, 1 borders, 2 round), four widths, grey, centre, radius, softness."""
        which = uniform(x, (0, 1), generator)
        kind = (which < self.borders + self.round).to(x) + (which < self.round).to(x)
        sides = torch.stack([uniform(x, (0.02, WIDEST), generator) for _ in range(4)], 1)
        where = (3 * uniform(x, (0, 1), generator)).long()  # 0: rows, 1: columns, 2: both
        sides = sides * torch.stack([where != 1, where != 1, where != 0, where != 0], 1)
        grey, light = uniform(x, (0, 1), generator), uniform(x, (0, 1), generator)
        grey = torch.where(grey < BLACK, 0.0, light)
        centre = torch.stack([uniform(x, (0.3, 0.7), generator) for _ in range(2)], 1)
        rest = torch.stack([uniform(x, RADIUS, generator), uniform(x, EDGE_PX, generator)], 1)
        return torch.cat([kind[:, None], sides, grey[:, None], centre, rest], 1)

    def render(self, x: Tensor, settings: Tensor) -> Tensor:
        shown = torch.stack([_shown(one, (x.shape[-2], x.shape[-1])) for one in settings])[:, None].to(x)
        return x * shown + settings[:, 5].reshape(-1, 1, 1, 1) * (1 - shown)


def uniform(x: Tensor, ends: Level, generator: Generators) -> Tensor:
    """A number for each image (B,), uniform between the ends."""
    return draw_level(x, *check_level("ends", ends, log=False), generator, log=False)


def _shown(settings: Tensor, shape: tuple[int, int]) -> Tensor:
    """How much of the picture each pixel shows (H, W), from 0 to 1."""
    kind, top, bottom, left, right, _, row, column, radius, soft = settings.tolist()
    height, width = shape
    shown = torch.ones(shape)
    if kind == 1:
        shown[: int(top * height)] = 0
        shown[height - int(bottom * height) :] = 0
        shown[:, : int(left * width)] = 0
        shown[:, width - int(right * width) :] = 0
    if kind == 2:
        down = torch.arange(height)[:, None] - row * (height - 1)
        across = torch.arange(width)[None, :] - column * (width - 1)
        shown = ((radius * min(shape) - torch.hypot(down, across)) / soft).sigmoid()
    return shown
