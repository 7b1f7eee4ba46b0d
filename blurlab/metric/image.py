"""The figures that a restored image is given beside its sharp one; a run measures each of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from blurlab.metric.psnr import psnr
from blurlab.metric.ssim import ssim


@dataclass(frozen=True)
class ImageMetric:
    """A figure of merit of an image beside the true one.

    Attributes:
        measure: Images (B, C, H, W) and sharp images of the same shape -> a value per image (B,).
        unit: Unit, empty for a plain number.
    """

    measure: Callable[[Tensor, Tensor], Tensor]
    unit: str = ""


IMAGE_METRICS: dict[str, ImageMetric] = {"ssim": ImageMetric(ssim), "psnr": ImageMetric(psnr, "dB")}
"""Name in tables and records -> metric. A row in ``report/labels.py`` gives it words, digits and a direction."""


def image_figures(image: Tensor, x: Tensor) -> dict[str, Tensor]:
    """Every metric of images (B, C, H, W) beside the sharp ones, (B,) each, by name.

    Example:
        >>> import torch
        >>> image_figures(torch.zeros(1, 1, 12, 12), torch.zeros(1, 1, 12, 12))["ssim"]
        tensor([1.])
    """
    return {name: metric.measure(image, x) for name, metric in IMAGE_METRICS.items()}
