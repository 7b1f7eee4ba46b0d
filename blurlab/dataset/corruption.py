"""Changes of a run's degradation: what an identifier may meet that it was not made for."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional as F

from blurlab.blur import Gaussian, strength_of
from blurlab.dataset.degrade import Degrade
from blurlab.dataset.prepare import area_weights
from blurlab.noise import Chain, NoiseModel, quantise, quantise_sigma
from blurlab.noise.draw import Generators
from blurlab.physics import Convolution, Degraded

SOFTEST_PX = 64.0
LARGEST_FACTOR = 16.0


class Corruption(ABC):
    """One way to degrade items otherwise than a run does.

    The run draws an item's kernel before anything else, so under every condition an item has the same blur.

    Args:
        name: What tables call it.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    def __call__(
        self, degrade: Degrade, sharp: Tensor, *, generator: Generators, item: Tensor | None = None
    ) -> Degraded:
        """Degrade a batch as the run does but for the change.

        Args:
            degrade: The run's own degradation.
            sharp: As it takes them (B, C, H + 2 margin, W + 2 margin), float in [0, 1].
            generator: One, or one an image.
            item: Indices (B,) carried through.

        Returns:
            The degraded items with their truth; fewer than B where some cannot be compared.
        """


class Unchanged(Corruption):
    """The run's own condition, the reference of the others."""

    def __call__(
        self, degrade: Degrade, sharp: Tensor, *, generator: Generators, item: Tensor | None = None
    ) -> Degraded:
        return degrade(sharp, generator=generator, item=item)


class Varied(Corruption):
    """One of several conditions, drawn anew for each batch: what a network is trained on that shall bear them all.

    Args:
        name: What tables call it.
        conditions: The conditions.
        weights: How often each is drawn, in proportion; equally often if None.
        least_px: One that would leave smaller images, or none at all, gives way to the run's own condition.

    Raises:
        ValueError: If there is no condition, or the weights do not fit.
    """

    def __init__(
        self, name: str, conditions: Sequence[Corruption], weights: Sequence[float] | None = None, least_px: int = 64
    ) -> None:
        super().__init__(name)
        given = [1.0] * len(conditions) if weights is None else [float(weight) for weight in weights]
        if not conditions or len(given) != len(conditions) or not all(0 <= one < math.inf for one in given):
            raise ValueError(f"weights must be {len(conditions)} numbers >= 0, one a condition, got {given}")
        if not sum(given):
            raise ValueError("weights must not all be 0")
        self.least_px = least_px
        self.conditions = tuple(conditions)
        self.weights = torch.tensor(given)

    def __call__(
        self, degrade: Degrade, sharp: Tensor, *, generator: Generators, item: Tensor | None = None
    ) -> Degraded:
        if not isinstance(generator, torch.Generator):
            raise TypeError("a varied condition is drawn for a batch: it takes one generator, not one an image")
        draw = torch.rand(1, generator=generator, device=generator.device).cpu() * self.weights.sum()
        place = min(int((self.weights.cumsum(0) <= draw).sum()), len(self.conditions) - 1)
        done = self.conditions[place](degrade, sharp, generator=generator, item=item)
        too_small = len(done) == 0 or min(done.y.shape[-2:]) < min(self.least_px, *self._size(degrade, sharp))
        return degrade(sharp, generator=generator, item=item) if too_small else done

    def _size(self, degrade: Degrade, sharp: Tensor) -> tuple[int, int]:
        return sharp.shape[-2] - 2 * degrade.margin, sharp.shape[-1] - 2 * degrade.margin


class OtherNoise(Corruption):
    """Other noise in place of the run's.

    Args:
        name: What tables call it.
        noise: The noise.
    """

    def __init__(self, name: str, noise: NoiseModel) -> None:
        super().__init__(name)
        self.noise = noise

    def __call__(
        self, degrade: Degrade, sharp: Tensor, *, generator: Generators, item: Tensor | None = None
    ) -> Degraded:
        return degrade.with_noise(self.noise)(sharp, generator=generator, item=item)


class Encoded(Corruption):
    """The run's own noise, then a codec.

    Args:
        name: What tables call it.
        codec: What the noisy images go through, such as :class:`~blurlab.noise.Jpeg`.
    """

    def __init__(self, name: str, codec: NoiseModel) -> None:
        super().__init__(name)
        self.codec = codec

    def __call__(
        self, degrade: Degrade, sharp: Tensor, *, generator: Generators, item: Tensor | None = None
    ) -> Degraded:
        return degrade.with_noise(Chain([degrade.noise, self.codec]))(sharp, generator=generator, item=item)


class Softened(Corruption):
    """Photographs that were not sharp to begin with: blurred by a Gaussian, then degraded; ``x`` is the soft one.

    The truth names the second blur alone, and none where there is none.

    Args:
        name: What tables call it.
        sigma_px: Standard deviation of that Gaussian, px, above 0.

    Raises:
        ValueError: If sigma_px is not above 0, or greater than ``SOFTEST_PX``.
    """

    def __init__(self, name: str, sigma_px: float) -> None:
        super().__init__(name)
        self.sigma_px = _positive("sigma_px", sigma_px, SOFTEST_PX)

    def __call__(
        self, degrade: Degrade, sharp: Tensor, *, generator: Generators, item: Tensor | None = None
    ) -> Degraded:
        psf = Gaussian(self.sigma_px).psf(torch.tensor([[self.sigma_px]])).to(sharp)
        return degrade(Convolution(psf, "reflect").A(sharp), generator=generator, item=item)


class Resized(Corruption):
    """Observed images resized and rounded to 8 bits, as a program that resizes writes them; the truth is scaled.

    Items whose scaled parameters leave the family's ranges are left out: no answer to them could be right.

    Args:
        name: What tables call it.
        factor: New side over old side, above 0.

    Raises:
        ValueError: If the factor is not above 0, or greater than ``LARGEST_FACTOR``.
    """

    def __init__(self, name: str, factor: float) -> None:
        super().__init__(name)
        self.factor = _positive("factor", factor, LARGEST_FACTOR)

    def __call__(
        self, degrade: Degrade, sharp: Tensor, *, generator: Generators, item: Tensor | None = None
    ) -> Degraded:
        done = degrade(sharp, generator=generator, item=item)
        params = degrade.family.scaled(done.params, self.factor)
        kept = degrade.family.holds(params).nonzero().squeeze(1)
        done, params = done.take(kept), params[kept]
        x, margin = resize(done.x, self.factor), 2 * degrade.margin
        sharp_shape = (x.shape[-2] + margin, x.shape[-1] + margin)
        blur = degrade.family.operator(params, done.kind, shape=sharp_shape, boundary=degrade.boundary)
        gain = noise_gain((done.y.shape[-2], done.y.shape[-1]), self.factor)
        return replace(
            done,
            x=x,
            y=quantise(resize(done.y, self.factor)),
            blur=blur.to(sharp),
            params=params,
            strength_px=strength_of(degrade.family, params, done.kind).nan_to_num(0.0),
            sigma=torch.hypot(gain * done.sigma, done.sigma.new_tensor(quantise_sigma())),
        )


def resize(images: Tensor, factor: float) -> Tensor:
    """Images (..., H, W) at ``factor`` times their size: means over areas down, cubic interpolation up.

    The pixels of the result are exactly ``1 / factor`` apart; what does not fill a last one is left out.

    Args:
        images: (..., H, W).
        factor: New side over old side, above 0.

    Returns:
        (..., floor(factor H), floor(factor W)).

    Raises:
        ValueError: If nothing would be left.

    Example:
        >>> resize(torch.arange(8.0).repeat(4, 1), 0.75)[0]
        tensor([0.2500, 1.5000, 2.7500, 4.2500, 5.5000, 6.7500])
    """
    rows, cols = (resize_weights(side, factor).to(images) for side in images.shape[-2:])
    return rows @ images @ cols.T


def resize_weights(side: int, factor: float) -> Tensor:
    """(floor(factor side), side) matrix that resizes a line of pixels; its rows sum to 1.

    Raises:
        ValueError: If nothing would be left.
    """
    if factor > 1:
        line = torch.eye(side)[None, None]
        return F.interpolate(line, scale_factor=(factor, 1.0), mode="bicubic", align_corners=False)[0, 0]
    size = math.floor(side * factor + 1e-9)
    if size < 1:
        raise ValueError(f"{side} px resized by {factor:g} leave nothing; use a larger factor or image")
    return torch.from_numpy(area_weights(side, size, 1 / factor))


def noise_gain(shape: tuple[int, int], factor: float) -> float:
    """Standard deviation of white noise of standard deviation 1 after :func:`resize`, root mean square over the image.

    Example:
        >>> round(noise_gain((64, 64), 0.5), 3), round(noise_gain((64, 64), 0.75), 3)
        (0.5, 0.583)
    """
    rows, cols = (float(resize_weights(side, factor).square().sum(1).mean()) for side in shape)
    return math.sqrt(rows * cols)


def _positive(name: str, value: float, most: float) -> float:
    if not 0 < value <= most:
        raise ValueError(f"{name} must be above 0 and at most {most:g}, got {value}")
    return float(value)
