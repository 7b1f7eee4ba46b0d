"""What a deconvolver is told: kernels, operators and noise that go with the images, or one line that says why not."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from blurlab.core.checks import all_finite, check_psf, check_sigma
from blurlab.physics import LinearOperator


def check_operator_of(blur: LinearOperator, y: Tensor) -> None:
    """Raise unless an operator can have made y: its adjoint takes such images and gives finite ones.

    Raises:
        ValueError: With what came and the remedy.
    """
    with torch.no_grad():
        seen = blur.A_adjoint(torch.ones_like(y))
    if not all_finite(seen):
        raise ValueError(f"{type(blur).__name__} has NaN or infinite values; replace them before calling")
    rows, cols = (big - small for big, small in zip(seen.shape[-2:], y.shape[-2:], strict=True))
    if min(rows, cols) < 0 or rows % 2 or cols % 2:
        raise ValueError(
            f"{type(blur).__name__} makes images of {y.shape[-2]}x{y.shape[-1]} from {seen.shape[-2]}x{seen.shape[-1]};"
            " a deconvolver needs y's own size, or the same border more on opposite sides"
        )


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


def check_noise(sigma: float | Tensor, images: int, upper: float = 1.0) -> None:
    """Raise unless sigma is a number or one per image, none below 0 or above what images on [0, upper] can have.

    Raises:
        ValueError: With what came and the remedy.
    """
    check_sigma(sigma, white=upper if math.isfinite(upper) else 1.0)
    if isinstance(sigma, float):
        return
    shape = tuple(torch.as_tensor(sigma).shape)
    if shape not in ((), (1,), (images,)):
        raise ValueError(f"sigma must be a number or of shape ({images},) for {images} images, got shape {shape}")
