"""Photographs of the back of the eye: a round field of reddish light, bounded by a stop in the camera."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import grid_sample, interpolate

from blurlab.core.constants import MAD_OF_NORMAL

SIDE_PX = 96
"""Shorter side of the small copy that is looked at."""
LIT = 0.15
"""The brightest channel of a pixel of the field is above this."""
RIM = 0.05
"""Share of the radius within which the rim of the field is, which is not looked at."""
WHITE = 0.9
"""The darkest channel of a white page around a photograph is above this."""
DARK_OUTSIDE, APART_OUTSIDE, LIT_INSIDE = 0.9, 0.95, 0.97
"""Shares of the pixels outside that are dark, outside that are no part of the field, and inside that are, at least: a
caption beside the field is lit and no part of it."""
LEAST_RIM = 24
"""Pixels of the small copy in which the rim of the field is seen, at least."""
LEAST_OUTSIDE = 0.05
"""Share of the image that is outside, at least."""
RED_TO_GREEN, GREEN_TO_BLUE = 1.25, 1.0
"""Ratios of the channels' means over the field, at least."""
DETAIL_PX, DETAIL, DETAIL_WITHIN = 3.0, 0.01, 0.85
"""Of vessels and all else that is finer than a Gaussian of this width in the small copy [px]: their standard deviation
over the mean of the green, at least, in this share of the radius. A ball has none."""
EDGE = 0.015
"""Share of the radius within which the edge itself is: how well the circle is known."""


class Circle(NamedTuple):
    """A circle in an image.

    Attributes:
        row: Of its middle [px].
        col: Of its middle [px].
        radius: [px].
    """

    row: float
    col: float
    radius: float

    def within(self, margin_px: float) -> Circle:
        """The circle that is so much smaller."""
        return Circle(self.row, self.col, max(self.radius - margin_px, 1.0))


def is_fundus(y: Tensor) -> Tensor:
    """Which images are photographs of the back of the eye, as fundus cameras make them (B,) bool.

    Asked of all photographs of DRIVE and CHASE_DB1, and of those of BSDS500 and ImageNet samples, it is right
    (``experiments/schuler2016/fundus_content.py``). A part of such a photograph without its surroundings is not known.

    Args:
        y: (B, 1 or 3, H, W) in [0, 1]; a grey one is never such a photograph.

    Example:
        >>> down, across = torch.meshgrid(torch.arange(90) - 45, torch.arange(120) - 60, indexing="ij")
        >>> field = (down**2 + across**2 < 44**2) * torch.tensor([0.8, 0.4, 0.2]).reshape(3, 1, 1)
        >>> field = field * (0.9 + 0.1 * torch.rand(30, 40).repeat_interleave(3, 0).repeat_interleave(3, 1))
        >>> is_fundus(torch.stack([field, 0.5 + 0.5 * field])).tolist()
        [True, False]
    """
    return torch.tensor([field(image) is not None for image in y], device=y.device)


def field(image: Tensor) -> Circle | None:
    """The round field of a photograph of the back of the eye (C, H, W); None where it is no such photograph."""
    if image.shape[0] != 3:
        return None
    factor = SIDE_PX / min(image.shape[-2:])
    size = [max(1, round(side * factor)) for side in image.shape[-2:]]
    small = interpolate(image[None], size, mode="bilinear", antialias=True)[0].cpu()
    top, left, small = _without_page(small)
    lit = small.amax(0) > LIT
    part = _largest_part(lit)
    circle = _fitted(part)
    if circle is None:
        return None
    away = _away(circle, small.shape[-2:])
    outside, inside, core = away > 1 + RIM, away < 1 - RIM, away < DETAIL_WITHIN
    red, green, blue = small[:, inside].mean(1).clamp_min(1e-6)
    is_round = (outside.float().mean() >= LEAST_OUTSIDE) & (part[inside].float().mean() >= LIT_INSIDE)
    is_alone = ((~lit)[outside].float().mean() >= DARK_OUTSIDE) & ((~part)[outside].float().mean() >= APART_OUTSIDE)
    is_red = (red >= RED_TO_GREEN * green) & (green >= GREEN_TO_BLUE * blue)
    if not bool(is_round & is_alone & is_red) or _detail(small[1], core) < DETAIL:
        return None
    row, col, radius = circle.row + top, circle.col + left, circle.radius
    return Circle((row + 0.5) / factor - 0.5, (col + 0.5) / factor - 0.5, radius / factor)


def _without_page(small: Tensor) -> tuple[int, int, Tensor]:
    """First row, first column and the part (3, h, w) of an image that is no white page around it; all where that is."""
    shown = small.amin(0) < WHITE
    if not bool(shown.any()):
        return 0, 0, small
    (top, bottom), (left, right) = (shown.any(axis).nonzero().flatten()[[0, -1]].tolist() for axis in (1, 0))
    height, width = shown.shape
    top, left = top + (top > 0), left + (left > 0)  # what lies across the page's edge is left out, too
    bottom, right = bottom + (bottom == height - 1), right + (right == width - 1)
    return top, left, small[:, top:bottom, left:right]


def _largest_part(lit: Tensor) -> Tensor:
    """The largest of the connected parts of a mask (H, W)."""
    from scipy.ndimage import label

    parts, count = label(lit.numpy())
    return lit if count == 0 else torch.from_numpy(parts == np.bincount(parts.ravel())[1:].argmax() + 1)


def _fitted(part: Tensor) -> Circle | None:
    """The circle through the border of a mask (H, W), where the border is not that of the image: least squares, twice.

    The second time without what is far from the first circle: cameras mark a side of the field by a notch.
    """
    from scipy.ndimage import binary_erosion

    rim = torch.from_numpy(part.numpy() & ~binary_erosion(part.numpy(), border_value=1))
    rim[[0, -1], :] = rim[:, [0, -1]] = False
    place = rim.nonzero().double()
    found = Circle(0.0, 0.0, 0.0)
    for _ in range(2):
        if len(place) < LEAST_RIM:
            return None
        linear = torch.cat([2 * place, torch.ones(len(place), 1)], 1)
        row, col, rest = torch.linalg.lstsq(linear, place.square().sum(1, keepdim=True)).solution.flatten().tolist()
        found = Circle(row, col, math.sqrt(max(rest + row**2 + col**2, 0.0)) + 0.5)  # pixels of the rim lie inside it
        off = ((place - torch.tensor(found[:2])).norm(dim=1) + 0.5 - found.radius).abs()
        place = place[off <= 2 * off.median() + 0.5]
    return found if found.radius >= 1 else None


def _detail(green: Tensor, where: Tensor) -> float:
    """Standard deviation of an image's detail over its mean, from the median: an edge or a highlight is no vessel."""
    from scipy.ndimage import gaussian_filter

    fine = (green - torch.from_numpy(gaussian_filter(green.numpy(), DETAIL_PX)))[where]
    return float((fine - fine.median()).abs().median() / MAD_OF_NORMAL / green[where].mean().clamp_min(1e-6))


def inside(circle: Circle, shape: Sequence[int], fade_px: float) -> Tensor:
    """Weights (H, W): 0 outside a circle, rising to 1 over ``fade_px`` inside it."""
    return ((1 - _away(circle, shape)) * circle.radius / fade_px).clamp(0, 1)


def mirrored(y: Tensor, circle: Circle) -> Tensor:
    """Images (B, C, H, W) with what is inside a circle mirrored at it in the place of what is outside.

    A deconvolver that sees the sharp rim of a stop takes it for a wrong kernel, and fills the field with rings.
    """
    shape = (y.shape[-2], y.shape[-1])
    away = _away(circle, shape).to(y)
    share = torch.where(away > 1, (2 - away).clamp_min(0) / away, 1.0)
    places = [
        2 * (middle + (torch.arange(side).to(y).reshape(view) - middle) * share) / (side - 1) - 1
        for middle, side, view in zip(circle[:2], shape, ((-1, 1), (1, -1)), strict=True)
    ]
    grid = torch.stack(places[::-1], -1).expand(len(y), -1, -1, -1)
    found = grid_sample(y, grid, mode="bilinear", padding_mode="border", align_corners=True)
    return torch.where(away > 1, found, y)


def behind_stops(blur: Callable[[Tensor], Tensor], scene: Tensor, sharp: Tensor) -> Tensor:
    """Blur what is behind the stop of a fundus camera, and leave the stop sharp.

    The eye goes on beyond the rim of the field, of which the photograph says nothing: as in a mirror, here.

    Args:
        blur: From scenes (B, C, H, W) to blurred ones, as large or smaller by a margin on all sides.
        scene: What a lens blurs.
        sharp: The values of the photographs, in which the fields are looked for; what has none is blurred as a whole.

    Returns:
        Blurred scenes.
    """
    circles = [field(image) for image in sharp]
    whole = torch.cat([
        one if circle is None else mirrored(one, circle.within(EDGE * circle.radius))
        for one, circle in zip(scene.split(1), circles, strict=True)
    ])  # fmt: skip
    seen = blur(whole)
    margin = (scene.shape[-2] - seen.shape[-2]) // 2
    for row, circle in enumerate(circles):
        if circle is not None:
            here = Circle(circle.row - margin, circle.col - margin, circle.radius).within(EDGE * circle.radius)
            share = inside(here, seen.shape[-2:], 1.0).to(seen)
            own = scene[row, :, margin : margin + seen.shape[-2], margin : margin + seen.shape[-1]]
            seen[row] = own + share * (seen[row] - own)
    return seen


def _away(circle: Circle, shape: Sequence[int]) -> Tensor:
    """Distance of each pixel (H, W) from the middle of a circle, in its radii."""
    down, across = (torch.arange(side, dtype=torch.float32) for side in shape)
    return torch.hypot(down[:, None] - circle.row, across - circle.col) / circle.radius
