"""Sharp images in, degraded images out: blur, boundary and noise, batched on the images' device."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any

import torch
from torch import Tensor

from blurlab.blur import BlurFamily, strength_of
from blurlab.core.checks import check_images
from blurlab.noise import NoiseModel
from blurlab.physics import Degraded, LinearOperator
from blurlab.physics.field_stop import behind_stops


class Degrade:
    """Blur each image with a blur of its own, then add noise.

    With boundary ``valid`` the sharp images must be larger than the observed ones by ``margin`` pixels on each side,
    so that no pixel of ``y`` depends on anything outside the photograph; ``x`` is then cropped to ``y``.

    Args:
        family: Where blurs come from.
        noise: What is added after the blur.
        boundary: One of circular, reflect, replicate, zero, valid.
        observed_only: Leave out ``x`` and ``sigma``, which are then NaN: for a training that asks for neither. A camera
            needs less than half of the time so (:meth:`~blurlab.noise.NoiseModel.seen`).
        stops: Do fundus photographs (:mod:`~blurlab.physics.field_stop`) keep the sharp rim of the camera's stop?
    """

    def __init__(
        self,
        family: BlurFamily,
        noise: NoiseModel,
        boundary: str = "valid",
        *,
        observed_only: bool = False,
        stops: bool = False,
    ) -> None:
        self.family = family
        self.noise = noise
        self.boundary = boundary
        self.observed_only = observed_only
        self.stops = stops

    @property
    def margin(self) -> int:
        """Pixels that a sharp image needs on each side beyond the observed one."""
        return self.family.size // 2 if self.boundary == "valid" else 0

    def with_noise(self, noise: NoiseModel) -> Degrade:
        """The same blurs and boundary with other noise."""
        return self._like(noise=noise)

    def with_family(self, family: BlurFamily) -> Degrade:
        """The same noise and boundary with other blurs."""
        return self._like(family=family)

    def without_truth(self) -> Degrade:
        """The same observed images; ``x`` and ``sigma`` are NaN."""
        return self._like(observed_only=True)

    def _like(self, **changed: Any) -> Degrade:
        other = copy(self)
        other.__dict__ |= changed
        return other

    def __call__(
        self, sharp: Tensor, *, generator: torch.Generator | Sequence[torch.Generator], item: Tensor | None = None
    ) -> Degraded:
        """Degrade a batch.

        Args:
            sharp: (B, C, H + 2 margin, W + 2 margin), float in [0, 1].
            generator: One generator on the images' device (training), or one CPU generator per image: then what happens
                to an image depends on its own generator alone, whatever the batch (validation, test).
            item: Indices (B,) carried through.

        Returns:
            The degraded batch, images of H x W.
        """
        check_images(sharp, "sharp")
        kind, params = self._draw(len(sharp), generator, sharp.device)
        blur = self.family.operator(params, kind, shape=(sharp.shape[-2], sharp.shape[-1]), boundary=self.boundary)
        blur = blur.to(sharp)
        observed, inner, sigma = self.observe(blur, sharp, generator=generator)
        return Degraded(
            x=inner,
            y=observed,
            blur=blur,
            kind=kind,
            params=params,
            strength_px=strength_of(self.family, params, kind).nan_to_num(0.0),
            sigma=sigma,
            item=torch.arange(len(sharp)) if item is None else item,
            weight=self.family.importance(params, kind),
        )

    def observe(
        self, blur: LinearOperator, sharp: Tensor, *, generator: torch.Generator | Sequence[torch.Generator]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """What comes of sharp photographs through a given blur.

        Args:
            blur: What blurs them.
            sharp: As for a call.
            generator: As for a call.

        Returns:
            Observed images, the sharp images that belong to them (both of H x W), and the noise levels (B,).
        """
        if self.observed_only:
            y = self.noise.seen(self._blurred(blur, self.noise.scene(sharp), sharp), generator=generator)
            return y, y.new_full((1, 1, 1, 1), torch.nan).expand_as(y), y.new_full((len(y),), torch.nan)
        scene, margin = self.noise.scene(sharp), self.margin
        inner = scene[..., margin : scene.shape[-2] - margin, margin : scene.shape[-1] - margin]
        return self.noise.photograph(self._blurred(blur, scene, sharp), inner, generator=generator)

    def _blurred(self, blur: LinearOperator, scene: Tensor, sharp: Tensor) -> Tensor:
        return behind_stops(blur.A, scene, sharp) if self.stops else blur.A(scene)

    def _draw(
        self, n: int, generator: torch.Generator | Sequence[torch.Generator], device: torch.device
    ) -> tuple[Tensor, Tensor]:
        if isinstance(generator, torch.Generator):
            return self.family.draw(n, generator=generator)
        draws = [self.family.draw(1, generator=one) for one in generator]
        return torch.cat([kind for kind, _ in draws]).to(device), torch.cat([params for _, params in draws]).to(device)
