"""The contract of every deconvolver: (y, psf, sigma) -> Restored."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from copy import copy
from dataclasses import dataclass, field
from typing import Self

import torch
from torch import Tensor

from blurlab.core.checks import all_finite, check_images, check_psf, check_sigma
from blurlab.deconvolver.parts import measure_sigma

SIGMA_FLOOR = 1e-3
"""Noise a deconvolver assumes where it is told of less: what rounding to 8 bits adds."""
OVERSHOOT = 4.0
"""An image that reaches so many times the greatest intensity is on another scale."""


@dataclass(frozen=True)
class Restored:
    """What a deconvolver hands back.

    Args:
        image: Restored images (B, C, H, W), finite.
        history: Name -> one number per check of the iteration, mean over the images still iterated on; may be empty.
    """

    image: Tensor
    history: dict[str, list[float]] = field(default_factory=dict)


class Deconvolver(ABC):
    """Restores images whose kernel and noise are known.

    A subclass writes :meth:`restore`; this class checks the call, brings all arguments to one shape, device and type,
    switches autograd and autocast off, and never lets a NaN pass. An image's result does not depend on its batch.

    Attributes:
        estimates_outside: Does it estimate the image beyond its border too, held within bounds there and here? Then a
            kernel may be wider than the image. Without bounds the little that y says of such a kernel is magnified to
            many times the range of intensities.
        tolerance: Relative change at which an iteration is done; 0 where it never ends early.
        boundary: What it assumes of what lies beyond the border of y, one of ``border.BOUNDARIES``.
        upper: Greatest intensity of its images; infinite where it has no bound.
    """

    boundary: str = "padded"
    upper: float = math.inf
    estimates_outside: bool = False
    tolerance: float = 0.0

    def __call__(self, y: Tensor, psf: Tensor, sigma: float | Tensor | None = None) -> Restored:
        """Restore a batch.

        Args:
            y: Observed images (B, C, H, W) on the [0, 1] scale, any device; half precision is computed in float32.
            psf: Kernels (B, 1, k, k) or (1, 1, k, k), k odd, sum 1, centred at ``k // 2``.
            sigma: Noise standard deviation on the [0, 1] scale, a float or (B,); None measures it in each image and
                allows for a kernel that is not exact (:func:`~blurlab.noise.level.effective_sigma`); for one that is,
                give :func:`~blurlab.noise.estimate_sigma` of y.

        Returns:
            Images of y's shape and, save half precision, its type.

        Raises:
            TypeError: If y is not a floating-point tensor.
            ValueError: If y, psf or sigma has another shape, or values that cannot be, or y another scale.
            ArithmeticError: If the restored image is not finite.
        """
        psf, noise = self.checked(y, psf, sigma)
        y = y.to(psf.dtype)
        with torch.no_grad(), torch.autocast(y.device.type, enabled=False):
            restored = self.restore(y, psf, noise)
        if not all_finite(restored.image):
            raise ArithmeticError(f"{type(self).__name__} diverged on images of {tuple(y.shape)}; use a larger weight")
        return restored

    def checked(self, y: Tensor, psf: Tensor, sigma: float | Tensor | None) -> tuple[Tensor, Tensor]:
        """Kernels (B, 1, k, k) and noise (B, 1, 1, 1), > 0, of the type to compute in, on y's device; see the call."""
        check_images(y, "y")
        check_scale(y, self.upper)
        check_kernels(psf, y, self.estimates_outside)
        if sigma is not None:
            check_noise(sigma, len(y))
        rounded = psf.dtype in (torch.float16, torch.bfloat16)
        psf = psf.to(y.device, torch.float64 if y.dtype == torch.float64 else torch.float32)
        psf = psf / psf.sum(dim=(-2, -1), keepdim=True) if rounded else psf
        noise = measure_sigma(y) if sigma is None else torch.as_tensor(sigma)
        noise = noise.to(psf).clamp_min(SIGMA_FLOOR).expand(len(y)).reshape(-1, 1, 1, 1)
        return psf.expand(len(y), -1, -1, -1), noise

    def freeze(self, parts: Tensor, psf: Tensor, sigma: Tensor) -> Self:
        """The same with all that it takes from a whole image fixed, so that pieces of the image are restored alike.

        Here no iteration ends early. What takes a weight from the image extends this and fixes that too.

        Args:
            parts: The image (1, C, H, W), or several parts of it (N, C, h, w); a weight is a mean over them.
            psf: Its kernel (1, 1, k, k).
            sigma: Its noise standard deviation (1, 1, 1, 1).

        Returns:
            Another object.
        """
        frozen = copy(self)
        frozen.tolerance = 0.0
        return frozen

    @abstractmethod
    def restore(self, y: Tensor, psf: Tensor, sigma: Tensor) -> Restored:
        """Restore checked arguments: y (B, C, H, W), psf (B, 1, k, k), sigma (B, 1, 1, 1) > 0; neither is changed."""


def check_scale(y: Tensor, upper: float) -> None:
    """Raise where y reaches far beyond the greatest intensity, as an image of 0 to 255 does.

    Raises:
        ValueError: With what came and the remedy.

    Example:
        >>> check_scale(torch.tensor([1.1]), 1.0)
    """
    if math.isfinite(upper) and (highest := float(y.amax())) > OVERSHOOT * upper:
        raise ValueError(f"y reaches {highest:.4g}, but its scale is [0, {upper:g}]; divide it (by 255, say)")


def check_kernels(psf: Tensor, y: Tensor, wider: bool = False) -> None:
    """Raise unless psf holds a finite kernel of sum 1, no larger than the images (or ``wider``), per image or for all.

    Raises:
        ValueError: With what came and the remedy.
    """
    if not isinstance(psf, Tensor) or psf.is_complex():
        came = psf.dtype if isinstance(psf, Tensor) else type(psf).__name__
        raise TypeError(f"psf must be a real tensor (B, 1, k, k), got {came}; make one with torch.as_tensor")
    check_psf(psf, None if wider else (y.shape[-2], y.shape[-1]))
    if len(psf) not in (1, len(y)):
        raise ValueError(f"psf must hold 1 or {len(y)} kernels for {len(y)} images, got {len(psf)}")
    furthest = float((psf.sum(dim=(-2, -1), dtype=torch.float64) - 1).abs().max())
    if not math.isfinite(furthest):
        raise ValueError("psf has NaN or infinite values; replace them before calling")
    if furthest > max(1e-3, torch.finfo(psf.dtype).eps if psf.is_floating_point() else 0):
        raise ValueError(f"psf must sum to 1, got a sum {furthest:.3g} away from it; divide each kernel by its sum")


def check_noise(sigma: float | Tensor, images: int) -> None:
    """Raise unless sigma is a non-negative number or one per image.

    Raises:
        ValueError: With what came and the remedy.
    """
    check_sigma(sigma)
    if isinstance(sigma, float):
        return
    shape = tuple(torch.as_tensor(sigma).shape)
    if shape not in ((), (1,), (images,)):
        raise ValueError(f"sigma must be a number or of shape ({images},) for {images} images, got shape {shape}")


def check_option(name: str, value: float, low: float, high: float = math.inf) -> None:
    """Raise unless low <= value <= high.

    Raises:
        ValueError: With the value that came and the range.

    Example:
        >>> check_option("tolerance", 0.1, 0, 1)
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high or math.isinf(value):
        raise ValueError(f"{name} must be a number in [{low:g}, {high:g}], got {value!r}")


def check_count(name: str, value: int, low: int = 1, high: int = 10**6) -> None:
    """Raise unless value is a whole number, low <= value <= high.

    Raises:
        ValueError: With the value that came.

    Example:
        >>> check_count("iterations", 10)
    """
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{name} must be a whole number in [{low}, {high}], got {value!r}")


def check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Raise unless value is one of the choices.

    Raises:
        ValueError: With the value that came and the choices.

    Example:
        >>> check_choice("boundary", "circular", ("circular", "padded"))
    """
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}, got {value!r}")
