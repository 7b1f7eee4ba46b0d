"""Restoration of one photograph: by tiles, with a motion that differs over it, behind a stop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from blurlab.blur import trimmed
from blurlab.deconvolver import Deconvolver, by_tiles
from blurlab.physics import Convolution
from blurlab.physics.field_stop import EDGE, Circle, inside, mirrored
from blurlab.pipeline.content import picture
from blurlab.pipeline.estimate import BlurEstimate
from blurlab.pipeline.turning import local_tile, turning


def restored(
    deconvolver: Deconvolver,
    y: Tensor,
    estimate: BlurEstimate,
    sigma: float | Tensor | None,
    tile: int | None,
    progress: Callable[[float], None] | None = None,
) -> Tensor:
    """Undo the blur of one photograph.

    Behind a stop (:attr:`~blurlab.pipeline.estimate.BlurEstimate.stop`) the deconvolver is shown the field mirrored at
    its rim, which may be sharp; the rim, and what is around it, stay as they came.

    Args:
        deconvolver: What undoes it, as it is asked for by the estimate.
        y: Observed (1, C, H, W).
        estimate: Its blur, that of one blurred image.
        sigma: Noise standard deviation; None where the deconvolver measures it.
        tile: Side of the tiles in which a larger photograph is restored, [px]; None: as a whole.
        progress: Called after each tile with the share that is done.

    Returns:
        (1, C, H, W).
    """
    ((_, deconvolver),) = estimate.suited(deconvolver)
    shape = (y.shape[-2], y.shape[-1])
    blur = trimmed(estimate.psf) if isinstance(estimate.blur, Convolution) else estimate.blur
    if estimate.field is not None and bool(estimate.turns[0]):
        blur = turning(estimate.field[0], shape)
        tile = min(tile or max(shape), local_tile(shape, blur.psf.shape[-1]))
        deconvolver = deconvolver.by_kernels()  # which hardly change within such a tile
    elif estimate.stop is not None and bool(
        estimate.stop[0].isnan().all()
    ):  # what a photograph's identifier leaves out as a frame, sharp as it is, stays
        top, bottom, left, right = picture(y[0])
        if (bottom - top, right - left) != shape:
            image = y.clone()
            inner = replace(estimate, stop=None)
            part = y[..., top:bottom, left:right]
            image[..., top:bottom, left:right] = restored(deconvolver, part, inner, sigma, tile, progress)
            return image
    restorer = by_tiles(deconvolver, tile or max(*shape, 16), progress)
    if estimate.stop is None or not bool(estimate.stop[0].isfinite().all()):
        return restorer(y, blur, sigma).image
    circle = Circle(*estimate.stop[0].tolist())
    margin_px = trimmed(estimate.psf).shape[-1] / 2 + EDGE * circle.radius
    circle = circle.within(margin_px)
    weight = inside(circle, shape, margin_px).to(y)
    image = restorer(mirrored(y, circle), blur, sigma).image
    return torch.where(weight > 0, y + weight * (image - y), y)
