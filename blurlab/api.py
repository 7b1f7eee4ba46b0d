"""The tool: identify the blur of an image and restore it, with a trained run or with no training at all."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from blurlab.found import Found, Measured
from blurlab.methods import METHODS

if TYPE_CHECKING:
    from torch import Tensor

    from blurlab.deconvolver import Deconvolver
    from blurlab.pipeline import BlurEstimate, Pipeline

TILE = 1024
"""Side of the tiles in which a larger photograph is restored, [px]."""
NOISE_PX = 2**20
"""Pixels of a photograph that are asked for its noise, in nine places."""


class Deblurrer:
    """Identifies and restores new images.

    With a finished run: images of the kind that it was trained on, at the same scale. Without one: any photograph, by
    the package's own network, which tells none, gaussian, defocus, motion and shake apart.

    Args:
        run_dir: Directory of the run; None for the package's network.
        tile: Side of the tiles in which a larger image is restored, [px]: memory is bounded by it.
        deconvolver: Restores in place of the run's, or of the total variation of light; None leaves that.
        weights: The network that is asked where there is no run, by its name in the package (``photograph``, or
            ``fundus`` for photographs of the back of the eye), its path, or its address with its SHA-256
            (:func:`~blurlab.core.fetched.fetched`); None for the one of these two that suits an image
            (:func:`~blurlab.physics.field_stop.is_fundus`).
        linear: Do the images hold light, not the values of sRGB? Then no curve is undone before they are restored; the
            networks, which know files, are shown the values that a file would have.
        max_length_px: A blur of a greater strength (length of a motion or a shake's path, diameter of a defocus, sigma
            of a Gaussian) is named and left as it is; a kernel that is given is undone all the same.

    Raises:
        FileNotFoundError: If there are no such weights.
        ValueError: If the directory holds no finished run, weights are given besides a run or are of another network,
            the tiles are too small, or the length is not positive.
    """

    def __init__(
        self,
        run_dir: str | Path | None = None,
        tile: int = TILE,
        deconvolver: Deconvolver | None = None,
        *,
        weights: str | None = None,
        linear: bool = False,
        max_length_px: float = math.inf,
    ) -> None:
        from blurlab.core.checks import check_positive
        from blurlab.deconvolver.tiled import check_tile
        from blurlab.run.stage.load import FUNDUS, SHIPPED, load_run, untrained

        if weights in METHODS:
            raise ValueError(
                f"{weights} is a deconvolver, and names no blur; use method={weights} or --method {weights}"
            )
        check_tile(tile)
        check_positive(max_length_px, "max_length_px")
        self.max_length_px = max_length_px
        self.tile = tile
        self.linear = linear
        if run_dir is not None and weights is not None:
            raise ValueError(f"a run has networks of its own; give the run {run_dir} or the weights {weights}")
        self.trained = untrained(deconvolver, weights) if run_dir is None else load_run(Path(run_dir))
        self.network = self.trained.network
        self.trained = replace(self.trained, pipeline=self._used(self.trained.pipeline, deconvolver))
        self.of_fundus: Pipeline | None = None
        if self.network == SHIPPED and weights is None:
            own = deconvolver if run_dir is None else deconvolver or self.trained.pipeline.deconvolver
            self.of_fundus = self._used(untrained(own, FUNDUS).pipeline)

    def _used(self, pipeline: Pipeline, deconvolver: Deconvolver | None = None) -> Pipeline:
        """A pipeline with another deconvolver, or its own, for what the images hold."""
        from blurlab.pipeline import Pipeline

        own = deconvolver or pipeline.deconvolver
        solver = own.of_light() if self.linear else own
        return Pipeline(pipeline.identifier, pipeline.nets, pipeline.risks, solver)

    def as_values(self, image: np.ndarray) -> np.ndarray:
        """An image (H, W, C) in [0, 1] as the values of a file; itself where it holds those."""
        import torch

        from blurlab.noise import light_to_srgb

        return light_to_srgb(torch.from_numpy(image)).numpy() if self.linear else image

    def identify(self, image: np.ndarray) -> Found:
        """Name the blur of an image (H, W, 1 or 3) in [0, 1]."""
        seen = self._seen(image)
        pipeline, network = self._asked(seen)
        return replace(self._found(pipeline.identify(seen), image), network=network)

    def sigma(self, given: float | None = None) -> float | None:
        """The noise standard deviation to restore with, on the [0, 1] scale: the one given, or the run's.

        Returns:
            It, or None where the deconvolver measures it in each image, and allows for a kernel that is not exact.

        Raises:
            ValueError: If it is negative, infinite or NaN.
        """
        from blurlab.core.checks import check_sigma

        if given is None:
            return self.trained.sigma
        check_sigma(given)
        return given

    def deblur(
        self, image: np.ndarray, sigma: float | None = None, progress: Callable[[float], None] | None = None
    ) -> tuple[np.ndarray, Found]:
        """Identify the blur of an image and restore all its channels.

        Args:
            image: (H, W, 1 or 3) in [0, 1].
            sigma: Noise standard deviation on the [0, 1] scale; if None that of the run's training images. Without a
                run, or where those have no single one, the deconvolver measures it and allows for a kernel that is not
                exact (:func:`~blurlab.noise.effective_sigma`).
            progress: Called after each tile with the share that is done; not where one tile holds the image.

        Returns:
            The restored image (H, W, C) in [0, 1], unchanged where no blur was found, and what was found.

        Raises:
            ValueError: If the image has another shape; if sigma is negative, infinite or NaN.
        """
        import torch

        noise, seen = self.sigma(sigma), self._seen(image)
        pipeline, network = self._asked(seen)
        estimate = pipeline.identify(seen)
        found = replace(self._found(estimate, image), network=network)
        if not found.undone:
            return image, found
        y = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1).unsqueeze(0).float()
        with torch.inference_mode():
            restored = pipeline.restore(y, estimate, noise, tile=self.tile, progress=progress).clamp_(0, 1)
        return restored[0].permute(1, 2, 0).numpy(), found

    def undo(
        self,
        image: np.ndarray,
        psf: np.ndarray,
        sigma: float | None = None,
        progress: Callable[[float], None] | None = None,
    ) -> tuple[np.ndarray, Found]:
        """Restore an image whose kernel is known, without asking what blurred it.

        Args:
            image: (H, W, 1 or 3) in [0, 1].
            psf: The kernel (k, l), odd sides, of sum 1, its centre in the middle.
            sigma: As in :meth:`deblur`.
            progress: As in :meth:`deblur`.

        Returns:
            The restored image (H, W, C) in [0, 1], and the kernel as what was found.

        Raises:
            ValueError: If the image or the kernel has another shape, the kernel is larger than the image, or sigma is
                negative, infinite or NaN.
        """
        import torch

        from blurlab.core.checks import check_psf
        from blurlab.deconvolver import by_tiles

        noise = self.sigma(sigma)
        self._seen(image)
        y = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1).unsqueeze(0).float()
        kernel = torch.from_numpy(np.ascontiguousarray(psf)).float()[None, None]
        check_psf(kernel, (y.shape[-2], y.shape[-1]))
        with torch.inference_mode():
            restored = by_tiles(self.trained.pipeline.deconvolver, self.tile, progress)(y, kernel, noise).image
        nan = math.nan
        given = Found("kernel", nan, nan, (nan, nan), nan, psf, _noise(image) if noise is None else noise)
        return restored[0].permute(1, 2, 0).clamp(0, 1).numpy(), given

    def _asked(self, seen: Tensor) -> tuple[Pipeline, str]:
        """The pipeline that suits an image, and the name of its network."""
        from blurlab.physics.field_stop import is_fundus
        from blurlab.run.stage.load import FUNDUS

        if self.of_fundus is not None and bool(is_fundus(seen)):
            return self.of_fundus, FUNDUS
        return self.trained.pipeline, self.network

    def _seen(self, image: np.ndarray) -> Tensor:
        """The channel that the networks were trained on, in the values of a file, as (1, C, H, W)."""
        import torch

        from blurlab.dataset.prepare import pick_channel

        if image.ndim != 3 or image.shape[2] not in (1, 3):
            raise ValueError(f"image must be (H, W, 1) or (H, W, 3), got {image.shape}; drop alpha, add a channel axis")
        if not np.issubdtype(image.dtype, np.floating) or image.mean() > 1:
            raise ValueError(
                f"image must be floats in [0, 1], got {image.dtype} up to {image.max():g}; divide it by its white, "
                "or call blurlab.deblur, which takes any type"
            )
        picked = pick_channel(self.as_values(image.astype(np.float32, copy=False)), self.trained.channel)
        return torch.from_numpy(np.ascontiguousarray(picked)).permute(2, 0, 1).unsqueeze(0)

    def _found(self, estimate: BlurEstimate, image: np.ndarray) -> Found:
        from blurlab.blur import strength_of, trimmed
        from blurlab.physics import LocalBlur

        label, blur = estimate.label, estimate.blur
        middle = image.shape[0] // 2, image.shape[1] // 2
        psf = trimmed(blur.psf_at(*middle) if isinstance(blur, LocalBlur) else estimate.psf)[0, 0].numpy()
        sigma = math.nan if estimate.sigma is None or self.linear else float(estimate.sigma[0])  # of what was shown
        sigma = _noise(image) if math.isnan(sigma) else sigma
        if label is None:
            unknown, can_tell = math.nan, bool(estimate.blurred)
            return Found(
                "kernel", unknown, unknown, (unknown, unknown), unknown, psf, sigma, can_tell=can_tell, undone=can_tell
            )
        kind = int(label.kind[0])
        low, high = (float(end) for end in label.interval_px[0])
        family = self.trained.pipeline.identifier.family
        valued = [*zip(family.parameters, label.params[0].tolist(), strict=True)]
        halves = [math.nan] * len(family.names) if label.halfwidth is None else label.halfwidth[0].tolist()
        beyond = label.beyond is not None and bool(label.beyond[0])
        measured = tuple(
            Measured(one.name, one.unit, value, value - half, math.inf if beyond and one.is_length else value + half)
            for (one, value), half in zip(valued, halves, strict=True)
            if one.is_free and math.isfinite(value)
        )
        angles = [value for one, value in valued if one.unit == "deg" and math.isfinite(value)]
        strength_px = float(strength_of(family, label.params, label.kind)[0])
        softness_px = math.nan if label.soft_px is None else float(label.soft_px[0])
        too_long = strength_px > self.max_length_px or softness_px > self.max_length_px
        return Found(
            kind=family.kinds[kind],
            probability=float(label.probability[0, kind]),
            strength_px=strength_px,
            interval_px=(low, high),
            kernel_px=float(label.strength_px[0]),
            psf=psf,
            sigma=sigma,
            angle_deg=next(iter(angles), math.nan),
            can_tell=bool(label.can_tell[0]),
            undone=bool(estimate.blurred[0]) and not too_long,
            parameters=measured,
            varies=bool(estimate.turns[0]) and bool(estimate.blurred[0]),
            softness_px=softness_px,
            max_length_px=self.max_length_px,
        )


def _noise(image: np.ndarray) -> float:
    """Noise standard deviation of an image (H, W, C); of a large one the median over parts of it."""
    import torch

    from blurlab.deconvolver.parts import parts
    from blurlab.noise import estimate_sigma

    y = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1).unsqueeze(0).float()
    return float(estimate_sigma(parts(y, NOISE_PX)).median())
