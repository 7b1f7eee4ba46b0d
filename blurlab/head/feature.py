"""Fixed measurements of an image that a small network can name its blur from: the base, log spectrum and pixels."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from blurlab.head.spectrum import CHUNK_IMAGES, window_power

FLOOR_SHARE = 1e-5
"""Power added before the logarithm, as a share of the mean power: that of noise at a BSNR of 50 dB."""


class Feature(nn.Module, ABC):
    """Images (B, C, H, W) in [0, 1], H and W at least ``side``, to ``size`` fixed numbers each; nothing is learned.

    A subclass says in :meth:`measure` what is measured, and in ``shape`` how its numbers lie in a picture.

    Args:
        side: Side of what is looked at, px; even, at least 8.

    Raises:
        ValueError: If ``side`` is odd or too small.
    """

    shape: tuple[int, int]

    def __init__(self, side: int = 32) -> None:
        super().__init__()
        if side < 8 or side % 2:
            raise ValueError(f"side must be even and at least 8 px, got {side}; the paper's is 32")
        self.side = side

    @property
    def size(self) -> int:
        """How many numbers an image gives."""
        return self.shape[0] * self.shape[1]

    def forward(self, y: Tensor) -> Tensor:
        """The numbers (B, size), float32, of images (B, C, H, W); the same whatever the contrast.

        Raises:
            ValueError: If an image is smaller than ``side``.
        """
        if y.ndim != 4 or min(y.shape[-2:]) < self.side:
            raise ValueError(
                f"images must be (B, C, H, W), H and W at least side={self.side}, got {tuple(y.shape)}; "
                "use larger images or a smaller side"
            )
        with torch.autocast(y.device.type, enabled=False):
            return torch.cat([self.measure(some.float()).flatten(1) for some in y.split(CHUNK_IMAGES)])

    @abstractmethod
    def measure(self, y: Tensor) -> Tensor:
        """The numbers (B, ...) of a few images, float32."""


class LogSpectrum(Feature):
    """The logarithm of the power spectrum, frequency 0 in the middle: side x side numbers, as [YanShao2016] feeds in.

    An image larger than ``side`` gives the mean power of its windows. Each image's spectrum is standardised (its own
    mean and deviation over the frequencies): its level is that of the contrast and its spread that of the noise, and
    neither tells a kind of blur from another. With fixed constants instead, fewer patches were named rightly.

    Example:
        >>> LogSpectrum(side=32)(torch.rand(2, 3, 48, 40)).shape
        torch.Size([2, 1024])
    """

    def __init__(self, side: int = 32) -> None:
        super().__init__(side)
        self.shape = side, side

    def measure(self, y: Tensor) -> Tensor:
        return log_spectrum(y, self.side)


class RawPixels(Feature):
    """The pixels of the centre, side x side, channels averaged, standardised: the control that measures nothing."""

    def __init__(self, side: int = 32) -> None:
        super().__init__(side)
        self.shape = side, side

    def measure(self, y: Tensor) -> Tensor:
        top, left = ((length - self.side) // 2 for length in y.shape[-2:])
        return standardised(y[..., top : top + self.side, left : left + self.side].mean(1))


def log_spectrum(y: Tensor, side: int) -> Tensor:
    """Standardised logarithm of the mean power of half-overlapping Hann windows and of the channels.

    A share of the mean power is added first, so that neither the contrast nor its unit matters.

    Args:
        y: Images (B, C, H, W), H and W at least ``side``.
        side: Side of a window, px; even.

    Returns:
        (B, side, side), float32, frequency 0 at (side // 2, side // 2).

    [Welch1967]
    """
    power = whole_plane(window_power(y, side, side // 2).mean((1, 2)))
    floor = (FLOOR_SHARE * power.mean((-2, -1), keepdim=True)).clamp_min(torch.finfo(power.dtype).tiny)
    return standardised((power + floor).log())


def whole_plane(half: Tensor) -> Tensor:
    """Both halves of an even spectrum (..., N, N) from the one (..., N, N // 2 + 1) that `window_power` gives."""
    opposite = half.flip(-2).roll(1, -2)[..., 1:].flip(-1)  # frequency (-u, -v), where (u, v) lay
    return torch.cat([opposite, half[..., :-1]], dim=-1)


def standardised(plane: Tensor) -> Tensor:
    """Planes (B, N, M) less their mean, by their deviation; zero where a plane is constant."""
    plane = plane - plane.mean((-2, -1), keepdim=True)
    return plane / plane.square().mean((-2, -1), keepdim=True).sqrt().clamp_min(1e-6)
