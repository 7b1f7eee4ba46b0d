"""A kernel by dividing spectra: the observed gradients by those that a small network takes for the sharp ones."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from blurlab.core.fourier import irfft2, rfft2
from blurlab.core.taper import sine_tapers

LOG_FLOORS = (-3.0, -1.5, 0.0)
"""First values of the logarithms of the quotients' floors, in mean powers of the sharp gradients."""
GAIN = 6.0
"""First value of the logit of a kernel's highest pixel."""
REACH_PX = (1, 2, 4, 2)
"""Dilations of the convolutions on the kernel: together they see 25 px."""


class KernelQuotient(nn.Module):
    r"""The kernel that best explains the observed gradients by sharp ones, which a network guesses from the image.

    Blur acts on gradients as on images, ``y_i = h * x_i`` along rows and columns i. A small U-Net guesses the sharp
    gradients x_i: edges are what tells them, and what tells a kernel from the same one turned by 180 degrees, which no
    spectrum does. The least-squares kernel is then a quotient,

    ``h = F^-1 (sum_i conj(X_i) Y_i / (sum_i |X_i|^2 + f))``,

    taken for three floors f that are learned [Schuler2016], and convolutions that know what kernels look like make one
    picture of logits of the three. Any image of at least 2 kernels' width is accepted; colours are averaged.

    Args:
        num_classes: Pixels of the kernel: the square of an odd side.
        in_channels: Channels of the images (any; they are averaged).
        channels: Of the U-Net's scales, the finest first.
        refine: Channels of the convolutions on the kernel.

    Raises:
        ValueError: If ``num_classes`` is not the square of an odd number, there are fewer than two scales, or one has
            no channel.
    """

    def __init__(
        self, num_classes: int, in_channels: int = 1, channels: tuple[int, ...] = (32, 64, 64), refine: int = 32
    ) -> None:
        super().__init__()
        self.side = math.isqrt(num_classes)
        if self.side**2 != num_classes or self.side % 2 == 0:
            raise ValueError(
                f"this head gives the pixels of a kernel, the square of an odd side, not {num_classes} outputs; "
                "use pipeline=kernel, or another head"
            )
        if len(channels) < 2 or min(*channels, refine) < 1:
            raise ValueError(
                "channels must be two numbers or more, one a scale, and refine one, all >= 1, "
                f"got {list(channels)} and {refine}"
            )
        from monai.networks.nets import UNet

        self.step = 2 ** (len(channels) - 1)
        net = UNet(
            spatial_dims=2,
            in_channels=3,
            out_channels=2,
            channels=tuple(channels),
            strides=(2,) * (len(channels) - 1),
            num_res_units=1,
            norm="batch",
            act="relu",
        )
        self.sharpen = net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
        self.log_floor = nn.Parameter(torch.tensor(LOG_FLOORS))
        self.gain = nn.Parameter(torch.tensor(GAIN))
        self.refine = nn.Sequential(
            nn.Conv2d(len(LOG_FLOORS), refine, 5, padding=2),
            nn.ReLU(),
            *(Residual(refine, reach) for reach in REACH_PX),
            nn.Conv2d(refine, 1, 3, padding=1),
        )

    def forward(self, y: Tensor) -> Tensor:
        """Logits (B, num_classes) of a kernel's pixels for images (B, C, H, W) in [0, 1].

        Raises:
            ValueError: If an image is smaller than two kernels.
        """
        if y.ndim != 4 or min(y.shape[-2:]) < 2 * self.side:
            raise ValueError(
                f"images must be (B, C, H, W), H and W at least {2 * self.side} for kernels of {self.side} px, "
                f"got {tuple(y.shape)}; use larger images"
            )
        grey = normalised(y.mean(1, keepdim=True))
        seen = normalised(gradients(grey))
        images = self._padded(torch.cat([grey, seen], 1)).contiguous(memory_format=torch.channels_last)
        sharp = self.sharpen(images)[..., : y.shape[-2], : y.shape[-1]]
        raw = self.quotient(sharp.float(), seen)
        highest = raw.abs().amax((1, 2, 3), keepdim=True).clamp_min(1e-6)
        raw = raw / highest
        return (self.gain * raw[:, 1:2] + self.refine(raw)).flatten(1)

    def quotient(self, sharp: Tensor, seen: Tensor) -> Tensor:
        """Kernels (B, 3, k, k), one for each floor, from sharp and observed gradients (B, 2, H, W)."""
        shape = (seen.shape[-2], seen.shape[-1])
        window = taper(shape).to(seen)
        x, y = rfft2(sharp * window), rfft2(seen * window)
        power = (x.real.square() + x.imag.square()).sum(1, keepdim=True)
        floor = power.mean((1, 2, 3), keepdim=True) * self.log_floor.exp()[:, None, None]
        whole = irfft2((x.conj() * y).sum(1, keepdim=True) / (power + floor), shape)
        middle = self.side // 2
        return whole.roll((middle, middle), (-2, -1))[..., : self.side, : self.side]

    def _padded(self, images: Tensor) -> Tensor:
        """Zeros to the right and below up to whole steps of the coarsest scale."""
        down, right = (-side % self.step for side in images.shape[-2:])
        return pad(images, (0, right, 0, down))


class Residual(nn.Module):
    """A convolution that adds to what comes in.

    Args:
        channels: In and out.
        reach: Distance of its taps, px.
    """

    def __init__(self, channels: int, reach: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(channels, channels, 3, padding=reach, dilation=reach)

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels, H, W) of the same shape."""
        return x + self.convolution(x).relu()


def gradients(images: Tensor) -> Tensor:
    """Differences to the next pixel along columns and rows (B, 2, H, W) of images (B, 1, H, W), 0 at the end.

    Example:
        >>> gradients(torch.tensor([[[[1.0, 3.0], [2.0, 7.0]]]]))[0].tolist()
        [[[2.0, 0.0], [5.0, 0.0]], [[1.0, 4.0], [0.0, 0.0]]]
    """
    across, down = images.diff(dim=-1), images.diff(dim=-2)
    return torch.cat([pad(across, (0, 1)), pad(down, (0, 0, 0, 1))], 1)


def normalised(images: Tensor) -> Tensor:
    """Images (B, C, H, W) less each channel's mean, by the deviation of the whole image."""
    centred = images - images.mean((2, 3), keepdim=True)
    return centred / centred.std((1, 2, 3), keepdim=True).clamp_min(1e-4)


def taper(shape: tuple[int, int]) -> Tensor:
    """The square root of a Hann window (H, W), nowhere 0: the first sine taper along both axes, 1 in the middle."""
    rows, cols = (sine_tapers(side, 1)[0] for side in shape)
    return (rows / rows.max())[:, None] * (cols / cols.max())
