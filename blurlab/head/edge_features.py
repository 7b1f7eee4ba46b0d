"""What a kernel is estimated from: gradient-like images, sharp and blurred, that a small convolutional net makes."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d

STRIP_PX = 8_192
"""Pixels of a strip of an image that is looked at at once where no gradient is asked for: its features fit a cache."""
RESPONSE = 16.0
"""First gain of the random filters: an edge of a twentieth of the range is about to saturate the tanh."""
SLOPE = 30.0
"""First gain of the filters that find edges."""
CENTRE_PX, SURROUND_PX, APART_PX = 1.0, 2.5, 1.0
"""Of these filters: deviations of the Gaussians whose difference they are, and how far two of them lie apart."""
AROUND = 0.1
"""First weights that are random, in those of a network that keeps variances."""


class EdgeFeatures(nn.Module):
    """``x_i = sum_j b_ij tanh(sum_k a_jk tanh(f_k * y))`` and other b for the blurred ones [Schuler2016], eq. 2.

    It begins with edges where the latent image (the blurred one where there is no other) crosses its local mean
    [Marr1980]: ``e = (tanh(d(x + 1/2)) - tanh(d(x - 1/2))) / 2`` is as thin as the two differences of Gaussians d lie
    apart, however soft the edge is, and ``tanh(e) - tanh(4 e) / 4`` leaves strong ones. Blurred images begin as
    derivatives of the blurred image. Around that weights are random, and the other filters random derivatives: noise
    under a Gaussian, of sum 0. Only pixels are returned that the filters reach from inside the image.

    Args:
        in_channels: The blurred image, and the latent one where there is one.
        pairs: Sharp images, and as many blurred ones.
        filters: Filters of the convolution.
        hidden: Images between the two layers of tanh.
        filter_px: Side of the filters, odd.

    Raises:
        ValueError: If the filters' side is even, or there are fewer than 3 filters or hidden images a pair.
    """

    def __init__(
        self, in_channels: int, pairs: int = 2, filters: int = 32, hidden: int = 32, filter_px: int = 9
    ) -> None:
        super().__init__()
        if filter_px % 2 == 0 or min(filters, hidden) < 3 * pairs:
            raise ValueError(
                f"filter_px must be odd, and each of {pairs} pairs needs 3 filters and 3 hidden images to begin with, "
                f"got {filter_px} px, {filters} and {hidden}"
            )
        self.pairs, self.filter_px = pairs, filter_px
        first = random_derivatives(filters, in_channels, filter_px)
        mix = AROUND * torch.randn(hidden, filters) / math.sqrt(filters)
        last = AROUND * torch.randn(2 * pairs, hidden) / math.sqrt(hidden)
        for pair in range(pairs):
            angle, one = math.pi * pair / pairs, slice(3 * pair, 3 * pair + 3)
            first[one], mix[one], last[[pair, pairs + pair], one] = 0, 0, 0
            first[3 * pair, -1] = crossing(angle, APART_PX / 2, filter_px)
            first[3 * pair + 1, -1] = crossing(angle, -APART_PX / 2, filter_px)
            first[3 * pair + 2, 0] = derivative(angle, filter_px)
            mix[one, one] = torch.tensor([[0.5, -0.5, 0.0], [2.0, -2.0, 0.0], [0.0, 0.0, 1.0]])
            last[pair, one] = torch.tensor([1.0, -0.25, 0.0])
            last[pairs + pair, 3 * pair + 2] = 1
        self.filters, self.mix, self.last = nn.Parameter(first), nn.Parameter(mix), nn.Parameter(last)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Sharp and blurred images (B, pairs, H - filter_px + 1, W - filter_px + 1) from (B, in_channels, H, W)."""
        if torch.is_grad_enabled():
            return self._split(self._of(images))
        return self._split(self._quickly(images))

    def _quickly(self, images: Tensor) -> Tensor:
        """:meth:`_of` by ``tanh(x) = 2 s(2 x) - 1``: a CPU computes the logistic function s six times as fast."""
        first, mix, last = 2 * self.filters, 4 * self.mix[..., None, None], 2 * self.last[..., None, None]
        shift, down = -2 * self.mix.sum(1), -self.last.sum(1)
        rows, cols = (side - self.filter_px + 1 for side in images.shape[-2:])
        found = images.new_empty(len(images), len(last), rows, cols)
        whole = torch.compiler.is_compiling()  # in a program strips would only make it longer
        step = rows if whole else max(1, STRIP_PX // (len(images) * images.shape[-1]))
        for top in range(0, rows, step):
            seen = conv2d(images[..., top : min(top + step, rows) + self.filter_px - 1, :], first).sigmoid_()
            seen = conv2d(seen, mix, shift).sigmoid_()
            found[..., top : top + step, :] = conv2d(seen, last, down)
        return found

    def _of(self, images: Tensor) -> Tensor:
        side = self.filter_px
        width = images.shape[-1] - side + 1
        moved = torch.cat([images[..., left : left + width] for left in range(side)], 1)  # four times as fast on a CPU
        filters = self.filters.permute(0, 3, 1, 2).reshape(len(self.filters), -1, side, 1)
        seen = torch.tanh(conv2d(moved, filters))
        seen = torch.tanh(conv2d(seen, self.mix[..., None, None]))
        return conv2d(seen, self.last[..., None, None])

    def _split(self, images: Tensor) -> tuple[Tensor, Tensor]:
        return images[:, : self.pairs], images[:, self.pairs :]


def random_derivatives(count: int, channels: int, side: int) -> Tensor:
    """Filters (count, channels, side, side): noise under a Gaussian, of sum 0 and squared sum ``RESPONSE^2``."""
    line = torch.arange(side) - side // 2
    bell = torch.exp(-(line[:, None] ** 2 + line**2) / (2 * (side / 6) ** 2))
    noise = torch.randn(count, channels, side, side)
    centred = bell * (noise - (bell * noise).sum((2, 3), keepdim=True) / bell.sum())
    return RESPONSE * centred / centred.square().sum((1, 2, 3), keepdim=True).sqrt()


def crossing(angle: float, distance_px: float, side: int) -> Tensor:
    """A difference of Gaussians (side, side), ``SLOPE`` times, moved along a direction.

    Its response is 0 where an image crosses its local mean.

    Example:
        >>> float(crossing(0.0, 0.5, 9).sum().abs()) < 1e-4
        True
    """
    line = torch.arange(side) - side // 2
    distance = (line + math.sin(angle) * distance_px)[:, None] ** 2 + (line - math.cos(angle) * distance_px) ** 2
    bells = [torch.exp(-distance / (2 * width**2)) for width in (CENTRE_PX, SURROUND_PX)]
    return SLOPE * (bells[0] / bells[0].sum() - bells[1] / bells[1].sum())


def derivative(angle: float, side: int, width_px: float = 1.0) -> Tensor:
    """The derivative of a Gaussian along a direction (side, side), as a correlation; a step of 1 gives 1.

    Example:
        >>> round(float((derivative(0.0, 9) * torch.tensor([0.0] * 5 + [1.0] * 4)).sum()), 6)
        1.0
    """
    line = torch.arange(side) - side // 2
    bell = torch.exp(-(line[:, None] ** 2 + line**2) / (2 * width_px**2))
    slope = bell * (math.cos(angle) * line - math.sin(angle) * line[:, None])
    return slope / slope.clamp_min(0).sum()
