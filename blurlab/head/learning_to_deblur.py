"""The network of "Learning to Deblur": features, a kernel, a latent image, and again [Schuler2016]."""

from __future__ import annotations

import math
from collections.abc import Sequence
from copy import deepcopy
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from blurlab.blur import gaussian_psf
from blurlab.head.edge_features import EdgeFeatures
from blurlab.head.quotient import as_kernel, border_window, image_quotient, kernel_quotient

SIDES_PX = (17, 25, 33)
"""Kernels of the scales [Schuler2016]."""
BETA_K = 1e-4
BETA_X = 1e-2
"""First value of the weight of a latent image's energy, which is learned."""
SHARPENED_PX, SHARPENING_PX = 33, 0.5
"""Kernels of this side and larger are deconvolved with a Gaussian of this standard deviation."""
NOTHING = 1e-9
"""What is added to a kernel before its logarithm."""


class LearningToDeblur(nn.Module):
    """A kernel by stages of three steps: edges are made sharp, spectra are divided, the image is divided by the kernel.

    Each stage but the first sees the blurred and the latent image. With several scales the image is first looked at
    so small that its kernel is 17 px wide, and the latent image is then enlarged for the next scale.

    Stages that are not in use yet (:meth:`use_stages`) are left out: training adds one after the other.

    Args:
        num_classes: Pixels of the kernel: the square of an odd side.
        in_channels: Channels of the images (any; they are averaged).
        pairs: Sharp images, and as many blurred ones, of each stage of a scale.
        filters: Filters of each stage's convolution.
        hidden: Images between the two layers of tanh.
        filter_px: Side of the filters, odd.
        sides_px: Kernels of the scales, rising; the last one is the answer's. None: 17, 25, 33 as far as they are below
            the answer's, then that.

    Raises:
        ValueError: If ``num_classes`` is not the square of an odd number, or other than the largest of ``sides_px``.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int = 1,
        pairs: Sequence[int] = (2, 2, 4),
        filters: int = 32,
        hidden: int = 32,
        filter_px: int = 9,
        sides_px: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        side = math.isqrt(num_classes)
        if side**2 != num_classes or side % 2 == 0:
            raise ValueError(
                f"this head gives the pixels of a kernel, the square of an odd side, not {num_classes} outputs; "
                "use pipeline=kernel, or another head"
            )
        sides = [*(one for one in SIDES_PX if one < side), side] if sides_px is None else list(sides_px)
        if sides != sorted({*sides}) or sides[-1] != side or any(one % 2 == 0 for one in sides) or not pairs:
            raise ValueError(
                f"sides_px must be odd, rising and end with the answer's side {side}, pairs one number a stage, "
                f"got {sides} and {list(pairs)}"
            )
        self.side, self.sides, self.filter_px = side, tuple(sides), filter_px
        self.scales = nn.ModuleList(
            nn.ModuleList(
                EdgeFeatures(1 if scale == stage == 0 else 2, count, filters, hidden, filter_px)
                for stage, count in enumerate(pairs)
            )
            for scale in range(len(sides))
        )
        self.log_beta = nn.Parameter(torch.full((len(sides), len(pairs)), math.log(BETA_X)))
        self.in_use: Tensor
        self.register_buffer("in_use", torch.full((len(sides),), len(pairs)))
        self.fixed: tuple[int, ...] | None = None

    @property
    def stages(self) -> int:
        """Stages of a scale."""
        return self.log_beta.shape[1]

    def use_stages(self, count: int, *, last_alone: bool = False) -> None:
        """Use the first stages of the largest scale; the others keep those that they have.

        Args:
            count: How many.
            last_alone: Learn the last of them alone.

        Raises:
            ValueError: If there are not so many.
        """
        if not 1 <= count <= self.stages:
            raise ValueError(f"this network has 1 to {self.stages} stages, got {count}")
        self.in_use[-1] = count
        for parameter in self.parameters():
            parameter.requires_grad_(not last_alone)
        if last_alone:
            self.scales[-1][count - 1].requires_grad_(True)  # type: ignore[index]
            self.log_beta.requires_grad_(count > 1)

    def settled(self) -> Self:
        """A copy whose stages in use are numbers and stay as they are: a trace cannot look at a tensor."""
        copy = deepcopy(self)
        copy.fixed = tuple(self.in_use.tolist())
        return copy

    def forward(self, y: Tensor) -> Tensor:
        """Logarithms (B, num_classes) of a kernel's pixels, for images (B, C, H, W) in [0, 1].

        Raises:
            ValueError: If an image is smaller than two kernels.
        """
        if y.ndim != 4 or min(y.shape[-2:]) < max(2 * self.side, self.side + self.filter_px - 1):
            raise ValueError(
                f"images must be (B, C, H, W), H and W at least {2 * self.side} for kernels of {self.side} px, "
                f"got {tuple(y.shape)}; use larger images"
            )
        with torch.autocast(y.device.type, enabled=False):  # spectra want single precision
            return (self.kernel(y.float()) + NOTHING).log().flatten(1)

    def kernel(self, y: Tensor) -> Tensor:
        """Kernels (B, 1, side, side), sum 1, for images (B, C, H, W)."""
        psf = self.kernels(y)[-1]
        if self.side < SHARPENED_PX:
            return psf
        return as_kernel(image_quotient(gaussian_psf(psf.new_tensor([SHARPENING_PX]), 5), psf, BETA_K))

    def kernels(self, y: Tensor) -> list[Tensor]:
        """The kernels (B, 1, k, k), sum 1, of every stage of every scale for images (B, C, H, W); the last is the best.

        Training can hold each of them against the true kernel, resized to its side k.
        """
        grey = y.mean(1, keepdim=True)
        grey = grey - grey.mean((2, 3), keepdim=True)
        latent: Tensor | None = None
        found: list[Tensor] = []
        for scale, side in enumerate(self.sides):
            small = resized(grey, side / self.side)
            latent = None if latent is None else interpolate(latent, small.shape[-2:], mode="bilinear")
            psfs, latent = self._scale(scale, small, latent)
            found += psfs
        return found

    def _scale(self, scale: int, y: Tensor, latent: Tensor | None) -> tuple[list[Tensor], Tensor]:
        """Kernels of one scale's stages and its latent images, from its blurred images and the latent ones before."""
        side, last = self.sides[scale], scale == len(self.sides) - 1
        used = int(self.in_use[scale]) if self.fixed is None else self.fixed[scale]
        faded, psfs = y * border_window((y.shape[-2], y.shape[-1]), side).to(y), []
        for stage in range(used):
            seen = y if latent is None else torch.cat([y, latent], 1)
            sharp, blurred = self.scales[scale][stage](seen)  # type: ignore[index]
            window = border_window((sharp.shape[-2], sharp.shape[-1]), side).to(y)
            psfs.append(as_kernel(kernel_quotient(sharp * window, blurred * window, BETA_K, side)))
            if not (last and stage == used - 1):
                latent = image_quotient(psfs[-1], faded, self.log_beta[scale, stage].exp())
        return psfs, faded if latent is None else latent


def resized(images: Tensor, factor: float) -> Tensor:
    """Images (B, C, H, W) with their sides multiplied by a factor of at most 1, smoothed against aliases."""
    if factor == 1:
        return images
    shape = [round(side * factor) for side in images.shape[-2:]]
    return interpolate(images, shape, mode="bilinear", antialias=True)
