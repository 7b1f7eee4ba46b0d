"""One stage of "Learning to Deblur" at every scale, as often as wanted, for kernels of any size [Schuler2016]."""

from __future__ import annotations

import math
from copy import copy
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from blurlab.blur.shape import recentred
from blurlab.head.edge_features import EdgeFeatures, derivative
from blurlab.head.learning_to_deblur import NOTHING, resized
from blurlab.head.quotient import as_kernel, border_window, image_quotient, kernel_quotient

RATIO = 2**0.25
"""By how much kernels become smaller from one scale to the next, smaller one."""
LEAST_PX = 5
"""Side of the kernels at the smallest scale, where the last one is not smaller still."""
MARGIN_PX = 4
"""How much wider than a kernel is told to be its support should be: with the centre of mass in the middle, one end may
lie outside."""
NO_BLUR = 1e-5
"""Added to the middle of a kernel whose negative values are cut: where nothing is found, nothing is blurred."""
FLAT = 1e-6
"""An image whose differences of neighbours are smaller is taken as one of this."""
GAIN = 1 / 25
"""First gain of the filters: up to 25 times the unit of the threshold tanh is about linear."""
WIDTHS = (0.7, 1.2, 2.0, 4.0, 20.0)
"""Of the five ``tanh(x / width)`` whose sum passes strong edges, in units of the threshold."""
RESPONSE = (0.932, -4.172, 5.256, -3.21, 7.218)
"""Their first weights: least squares to ``x / 5`` where x is above 1.8, and 0 below."""
DERIVATIVE_PX = 0.45
"""First standard deviation of the Gaussians whose derivatives the filters are."""
LOG_THRESHOLD, LOG_FALL, LOG_RISE = 0.65, -0.2, 0.0
"""First logarithms of the threshold of strong edges, and of what it changes by from round to round, and from the middle
scale to the last one."""
BETA_K, BETA_X = 40.0, 0.013
"""First weights of a kernel's and of a latent image's energy."""
LEAST_SHARE = 0.08
"""Share of a kernel's largest value below which its values are cut."""


class RepeatedStage(nn.Module):
    """A kernel from coarse to fine, the same small network in every round.

    :class:`~blurlab.head.LearningToDeblur` has weights of its own for each of three stages at each of one to three
    scales. Here there is one stage (features, quotient for the kernel, quotient for the image), whose weights serve
    ``repeats`` rounds at each of the scales, which lie closer together: kernels become about ``2^(1/4)`` wider at a
    time, in odd numbers of pixels. So the size of the kernel is no part of the weights. Let the side be ``MARGIN_PX``
    more than the kernel's is thought to be. Scales at which the image is too small for the filters are left out.

    What a round sees is divided by the root mean square of the latent image's differences of neighbours, times a
    threshold that falls from round to round: what counts as a strong edge goes by the image, not by its contrast. Of
    each round's kernel values below ``least_share`` of the largest are cut, and its centre of mass is moved to the
    middle, so that the latent image stays where the blurred one is.

    Args:
        num_classes: Pixels of the kernel: the square of an odd side.
        in_channels: Channels of the images (any; they are averaged).
        pairs: Sharp images, and as many blurred ones.
        filters: Filters of the convolution.
        hidden: Images between the two layers of tanh.
        filter_px: Side of the filters, odd.
        repeats: Rounds at each scale.

    Raises:
        ValueError: If ``num_classes`` is not the square of an odd number, another number is below 1, the filters' side
            is even, or there are too few filters or hidden images to begin with (:func:`begin_strong`).
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int = 1,
        pairs: int = 4,
        filters: int = 32,
        hidden: int = 32,
        filter_px: int = 9,
        repeats: int = 4,
    ) -> None:
        super().__init__()
        if min(pairs, repeats, filters, hidden) < 1:
            raise ValueError(
                f"pairs, repeats, filters and hidden must be 1 or more, got {pairs}, {repeats}, {filters} and {hidden}"
            )
        side = math.isqrt(num_classes)
        if side**2 != num_classes:
            raise ValueError(f"this head gives the pixels of a square kernel, not {num_classes} outputs")
        self.side, self.repeats, self.filter_px = checked(side), repeats, filter_px
        self.features = EdgeFeatures(2, pairs, filters, hidden, filter_px)
        begin_strong(self.features)
        self.log_threshold = nn.Parameter(torch.tensor(LOG_THRESHOLD))
        self.log_fall = nn.Parameter(torch.tensor(LOG_FALL))
        self.log_rise = nn.Parameter(torch.tensor(LOG_RISE))
        self.log_beta_k = nn.Parameter(torch.tensor(math.log(BETA_K)))
        self.log_beta_x = nn.Parameter(torch.tensor(math.log(BETA_X)))
        self.least_share: Tensor
        self.register_buffer("least_share", torch.tensor(LEAST_SHARE))  # a cut has no derivative

    def of_side(self, side: int) -> Self:
        """The same network, its weights shared, for kernels of another side.

        Raises:
            ValueError: If that is no odd number of 1 and more.
        """
        other = copy(self)
        other.side = checked(side)
        return other

    @property
    def sides(self) -> tuple[int, ...]:
        """Sides of the kernels at each scale, px, rising to ``side``.

        Example:
            >>> RepeatedStage(17**2).sides
            (5, 7, 9, 11, 13, 15, 17)
        """
        found, exact = [self.side], float(self.side)
        while found[-1] > LEAST_PX:
            exact /= RATIO
            found.append(max(LEAST_PX, min(2 * round((exact - 1) / 2) + 1, found[-1] - 2)))
        return tuple(reversed(found))

    def forward(self, y: Tensor) -> Tensor:
        """Logarithms (B, num_classes) of a kernel's pixels, for images (B, C, H, W) of any range.

        Raises:
            ValueError: If an image is smaller than a kernel and what the filters need around it.
        """
        with torch.autocast(y.device.type, enabled=False):  # spectra want single precision
            return (self.kernel(y.float()) + NOTHING).log().flatten(1)

    def kernel(self, y: Tensor) -> Tensor:
        """Kernels (B, 1, side, side), sum 1, for images (B, C, H, W).

        Raises:
            ValueError: As in :meth:`forward`.
        """
        least = self.side + self.filter_px - 1
        if y.ndim != 4 or min(y.shape[-2:]) < least:
            raise ValueError(
                f"images must be (B, C, H, W), H and W at least {least} for kernels of {self.side} px, "
                f"got {tuple(y.shape)}; use larger images or smaller kernels"
            )
        grey = y.mean(1, keepdim=True)
        grey = grey - grey.mean((2, 3), keepdim=True)
        latent: Tensor | None = None
        psf, sides = grey, self.sides
        for scale, side in enumerate(sides):
            small = resized(grey, side / self.side)
            if min(small.shape[-2:]) < side + self.filter_px - 1:
                continue
            latent = small if latent is None else interpolate(latent, small.shape[-2:], mode="bilinear")
            faded = small * border_window((small.shape[-2], small.shape[-1]), side).to(y)
            rise = self.log_rise * (2 * scale / max(1, len(sides) - 1) - 1)
            for number in range(self.repeats):
                threshold = (self.log_threshold + self.log_fall * number + rise).exp()
                psf = self._round(small, latent, side, threshold)
                latent = image_quotient(psf, faded, self.log_beta_x.exp())
        return psf

    def _round(self, y: Tensor, latent: Tensor, side: int, threshold: Tensor) -> Tensor:
        """The kernels of one round, (B, 1, side, side)."""
        seen = torch.cat([y, latent], 1) / (threshold * differences(latent))
        sharp, blurred = self.features(seen)
        window = border_window((sharp.shape[-2], sharp.shape[-1]), side).to(y)
        raw = kernel_quotient(sharp * window, blurred * window, self.log_beta_k.exp(), side)
        middle = torch.zeros(side, side).to(y)
        middle[side // 2, side // 2] = NO_BLUR
        psf = as_kernel(raw.clamp_min(0) + middle)
        return recentred(as_kernel(torch.where(psf < self.least_share * psf.amax((2, 3), keepdim=True), 0.0, psf)))


@torch.no_grad()
def begin_strong(
    features: EdgeFeatures,
    sharp_px: float = DERIVATIVE_PX,
    blurred_px: float = DERIVATIVE_PX,
) -> None:
    """Make sharp images the latent image's strong derivatives, blurred ones the blurred image's derivatives.

    One derivative of a Gaussian a pair, in directions over half a turn. ``sum_j w_j tanh(x / c_j)`` passes x where it
    is strong: with few terms, of both signs, sums of tanh are nearly 0 up to a threshold. All other weights are 0.

    Args:
        features: Of two input images, with two filters and six hidden images a pair at least.
        sharp_px: Standard deviation of the Gaussian whose derivative is taken of the latent image.
        blurred_px: The same of the blurred image.

    Raises:
        ValueError: If there are too few filters or hidden images.
    """
    pairs, (hidden, filters) = features.pairs, features.mix.shape
    if filters < 2 * pairs or hidden < 6 * pairs:
        raise ValueError(
            f"{pairs} pairs begin with {2 * pairs} filters and {6 * pairs} hidden images at least, "
            f"got {filters} and {hidden}"
        )
    for weights in features.parameters():
        weights.zero_()
    for pair in range(pairs):
        angle, sharp, blurred = math.pi * pair / pairs, 2 * pair, 2 * pair + 1
        features.filters[sharp, 1] = GAIN * derivative(angle, features.filter_px, sharp_px)
        features.filters[blurred, 0] = GAIN * derivative(angle, features.filter_px, blurred_px)
        for number, (width, weight) in enumerate(zip(WIDTHS, RESPONSE, strict=True)):
            features.mix[6 * pair + number, sharp] = 1 / (GAIN * width)
            features.last[pair, 6 * pair + number] = weight
        features.mix[6 * pair + 5, blurred] = 1 / (GAIN * WIDTHS[-1])
        features.last[pairs + pair, 6 * pair + 5] = WIDTHS[-1] / 5


def checked(side: int) -> int:
    """A kernel's side.

    Raises:
        ValueError: If it is even or below 1.
    """
    if side % 2 == 0 or side < 1:
        raise ValueError(f"kernels must have an odd side of 1 px and more, got {side}")
    return side


def differences(images: Tensor) -> Tensor:
    """Root mean square (B, 1, 1, 1) of the differences of neighbours in images (B, 1, H, W), 1e-6 at least."""
    down, right = (images.diff(dim=axis).square().mean((1, 2, 3), keepdim=True) for axis in (2, 3))
    return ((down + right) / 2).sqrt().clamp_min(FLAT)
