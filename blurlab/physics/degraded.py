"""A degraded batch with everything that is known of it: what training, evaluation and tables are told of the truth."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from blurlab.physics.convolution import kernels_of
from blurlab.physics.operator import LinearOperator


@dataclass(frozen=True)
class Degraded:
    """A batch of sharp and observed images and the truth about the degradation.

    Attributes:
        x: Sharp images (B, C, H, W), aligned with ``y``.
        y: Observed images (B, C, H, W).
        blur: What made y of x, before the noise: one operator for all images, or with something for each.
        kind: Index of the blur's kind in the family's ``kinds`` (B,).
        params: Parameters (B, P); NaN where a kind lacks one.
        strength_px: Strength in pixels (B,): motion length, disk diameter, taps; 0 for no blur
            and for blurs without a strength.
        sigma: Noise standard deviation on the [0, 1] scale (B,).
        item: Index of the item in its split (B,).
        weight: Weight in a mean over the blurs (B,): 1 unless some are drawn more often than they are meant to count.
    """

    x: Tensor
    y: Tensor
    blur: LinearOperator
    kind: Tensor
    params: Tensor
    strength_px: Tensor
    sigma: Tensor
    item: Tensor
    weight: Tensor

    def __len__(self) -> int:
        return len(self.y)

    @property
    def psf(self) -> Tensor:
        """The kernels (B, 1, k, k).

        Raises:
            TypeError: If the blur is not one kernel an image.
        """
        return kernels_of(self.blur).expand(len(self), -1, -1, -1)

    def take(self, rows: Tensor) -> Degraded:
        """The items of these rows (n,) alone."""
        blur = self.blur.rows(rows)
        tensors = {name: value for name, value in vars(self).items() if isinstance(value, Tensor)}
        return Degraded(blur=blur, **{name: value[rows.to(value.device)] for name, value in tensors.items()})
