"""Large images, restored tile by tile: memory is bounded by the side of a tile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import copy
from itertools import pairwise
from typing import Self

import torch
from torch import Tensor

from blurlab.deconvolver.base import Deconvolver, Restored, check_option
from blurlab.deconvolver.hidden import keep_where_nearer
from blurlab.deconvolver.parts import MOST_PX, corners, middle, parts
from blurlab.deconvolver.scale import image_level
from blurlab.physics import LinearOperator, LocalBlur

SEAM = 1e-5
"""Greatest difference to the untiled result that is let into what is kept of a tile, where it was tried out."""
Span = tuple[int, int]
Place = tuple[Span, Span]
"""Rows and columns, each the first and the one after the last."""


class Tiled(Deconvolver):
    """Any deconvolver, on overlapping tiles; an image that fits one tile is handed on as it is.

    What a deconvolver takes from a whole image (noise, weight, level) is fixed before the image is cut, and no
    iteration ends early (:meth:`~blurlab.deconvolver.base.Deconvolver.freeze`). So the result is that of the untiled
    deconvolver with its tolerance at 0, save near the image's border, beyond which each goes on in its own way.

    A tile is wrong near where it was cut, as far as the deconvolver reaches; that part is not kept. Where two tiles
    meet, one fades into the other.

    A border is felt further the less noise there is, and furthest along a line where the kernel's transfer function is
    zero. So the reach is tried out: the most contrasted piece of the image as large as a tile, restored whole and cut.
    Where a quarter of a tile is not enough, as with a long line and little noise, tiles differ by more, and ``seam`` in
    the history by how much there; larger tiles help. What a network or an estimated spectrum takes from an image is not
    fixed: there a tile is an image of its own.

    A blur that varies over the image (:class:`~blurlab.physics.LocalBlur`) is restored by any deconvolver: one that
    takes operators is given that of the tile, any other, and one :meth:`by_kernels`, the kernel in the tile's middle
    and a weight chosen for it. The latter needs tiles so small that the kernel hardly changes within one.

    Args:
        deconvolver: Restores the tiles.
        tile: Side of a tile, [px]; it bounds memory.
        overlap: By how much a tile goes beyond what is kept of it, on each side where it was cut, [px]; None is what
            keeps the difference to the untiled result below ``SEAM``, at least a kernel and at most ``tile // 4``; a
            function says it of the kernel's side, of which no more than ``tile // 4`` is used.
        progress: Called after each tile with the share that is done, up to 1.

    Example:
        >>> from blurlab.deconvolver import Wiener
        >>> from blurlab.deconvolver.laws import kernels
        >>> y = torch.rand(1, 3, 90, 200, generator=torch.Generator().manual_seed(0))
        >>> whole, tiled = (solver(y, kernels(1), 0.1).image for solver in (Wiener(), Tiled(Wiener(), tile=80)))
        >>> bool((whole - tiled)[..., 16:-16, 16:-16].abs().max() < 1e-4)
        True
    """

    def __init__(
        self,
        deconvolver: Deconvolver,
        tile: int = 1024,
        overlap: int | Callable[[int], int] | None = None,
        progress: Callable[[float], None] | None = None,
    ) -> None:
        if not isinstance(deconvolver, Deconvolver):
            raise TypeError(f"Tiled takes a deconvolver, got {type(deconvolver).__name__}; pass an object, as TV()")
        check_tile(tile)
        if isinstance(overlap, int):
            check_option("overlap", overlap, 0, (tile - 1) // 2)
        self.deconvolver = deconvolver
        self.tile = int(tile)
        self.overlap = overlap
        self.progress = progress
        self.estimates_outside, self.boundary = deconvolver.estimates_outside, deconvolver.boundary
        self.upper, self.kernel_error_px = deconvolver.upper, deconvolver.kernel_error_px
        self.keeps_hidden, self.stops_at_noise = deconvolver.keeps_hidden, deconvolver.stops_at_noise
        self.takes = (LocalBlur,)

    def trusting(self) -> Self:
        """The same, its deconvolver too."""
        other = super().trusting()
        other.deconvolver = self.deconvolver.trusting()
        return other

    def by_kernels(self) -> Self:
        """The same, its deconvolver given the kernel of each tile."""
        other = copy(self)
        other.deconvolver = self.deconvolver.by_kernels()
        return other

    def restore(self, y: Tensor, blur: Tensor | LocalBlur, sigma: Tensor) -> Restored:
        """Tile by tile; history: overlap_px and seam (difference at that overlap, where tried out), one an image."""
        if max(y.shape[-2:]) <= self.tile:
            if isinstance(blur, LocalBlur) and not isinstance(blur, self.deconvolver.takes):
                blur = psf_in(blur, ((0, y.shape[-2]), (0, y.shape[-1])))
            return self.deconvolver(y, blur, sigma.flatten())
        out = torch.empty_like(y)
        return Restored(out, self._fill(out, y, blur, sigma))

    def restore_at_level(self, y: Tensor, blur: Tensor | LocalBlur, sigma: Tensor) -> Restored:
        """:meth:`restore`, which brings tiles to the level of their image."""
        return self.restore(y, blur, sigma)

    @torch.no_grad()
    def restore_into(
        self, out: Tensor, y: Tensor, blur: Tensor | LinearOperator, sigma: float | Tensor | None = None
    ) -> Restored:
        """As a call, but the result is written into a tensor that is given, and half precision is converted by tiles.

        So neither need be in memory: ``torch.from_numpy`` of a ``numpy.memmap``.

        Args:
            out: Where to write, of y's shape, any floating-point type, no part of y.
            y: Observed images (B, C, H, W).
            blur: Kernels or an operator, as in a call.
            sigma: Noise, as in a call.

        Returns:
            ``out`` and the history.

        Raises:
            ValueError: If out has another shape, or as a call does.
        """
        if out.shape != y.shape or not out.is_floating_point():
            came = f"{tuple(out.shape)} {out.dtype}"
            raise ValueError(f"out must be floating-point of y's shape {tuple(y.shape)}, got {came}; use empty_like(y)")
        checked, noise = self.checked(y, blur, sigma)
        history = self._fill(out, y, checked, noise)
        if sigma is not None and isinstance(checked, Tensor):
            keep_where_nearer(out, y, checked, noise)
        return Restored(out, history)

    def _fill(self, out: Tensor, y: Tensor, blur: Tensor | LocalBlur, sigma: Tensor) -> dict[str, list[float]]:
        """Restore image after image into ``out``."""
        least = 4 * max((blur if isinstance(blur, Tensor) else blur.psf_at(0, 0)).shape[-2:])
        if self.tile < least:
            raise ValueError(f"tile must be at least four kernels wide, {least} px, got {self.tile}; use larger tiles")
        history: dict[str, list[float]] = {"overlap_px": [], "seam": []}
        for i in range(len(y)):
            row, one = torch.tensor([i]), y[i : i + 1]
            solve = self._solver(one, blur[i : i + 1] if isinstance(blur, Tensor) else blur.rows(row), sigma[i : i + 1])
            if self.overlap is None:
                overlap, seam = self._try_out(solve, one, least // 4)
                history["seam"].append(seam)
            else:
                given = self.overlap
                overlap = given if isinstance(given, int) else min(given(least // 4), self.tile // 4)
            history["overlap_px"].append(float(overlap))
            out[i].zero_()
            tiles = list(layout((one.shape[-2], one.shape[-1]), self.tile, overlap))
            for n, (rows, cols, window) in enumerate(tiles, start=1):
                image = solve((rows, cols), (rows, cols))
                out[i : i + 1, :, slice(*rows), slice(*cols)] += (image * window().to(image)).to(out)
                if self.progress is not None:
                    self.progress((i + n / len(tiles)) / len(y))
        return history

    def _solver(self, y: Tensor, blur: Tensor | LocalBlur, sigma: Tensor) -> Callable[[Place, Place], Tensor]:
        """What restores one image's pixels at a place, with the blur in the middle of another."""
        level = image_level(y, float(self.upper)).to(sigma)
        inner, sigma = self.deconvolver.at_level(level), sigma / level
        noise = sigma.flatten()

        def pixels(place: Place) -> Tensor:
            return y[..., slice(*place[0]), slice(*place[1])].to(sigma) / level

        if isinstance(blur, Tensor):
            frozen = inner.freeze(parts(y).to(sigma) / level, blur, sigma)
            return lambda place, at: level * frozen(pixels(place), blur, noise).image
        if isinstance(blur, inner.takes):
            looked_at = middle(y, MOST_PX)
            frozen = inner.freeze(pixels(looked_at), blur.window(*looked_at), sigma)
            return lambda place, at: level * frozen(pixels(place), blur.window(*place), noise).image
        whole = parts(y).to(sigma) / level

        def by_kernel(place: Place, at: Place) -> Tensor:
            psf = psf_in(blur, at)
            return level * inner.freeze(whole, psf, sigma)(pixels(place), psf, noise).image

        return by_kernel

    def _try_out(self, solve: Callable[[Place, Place], Tensor], y: Tensor, kernel: int) -> tuple[int, float]:
        """The overlap that keeps ``SEAM`` on the most contrasted piece of an image, and the difference there."""
        size = (min(y.shape[-2], self.tile), min(y.shape[-1], self.tile))
        top, left = max(corners(y, size), key=lambda at: float(_piece(y, at, size).float().std()))
        stop = [n * 5 // 8 if n == self.tile < whole else n for n, whole in zip(size, y.shape[-2:], strict=True)]
        at = ((top, top + size[0]), (left, left + size[1]))
        whole = solve(at, at)[..., : stop[0], : stop[1]]
        cut = solve(((top, top + stop[0]), (left, left + stop[1])), at)
        most = self.tile // 4
        inner = [most * 3 // 2 if end < n else 0 for n, end in zip(size, stop, strict=True)]
        worst = (whole - cut).abs().amax(dim=(0, 1))[inner[0] :, inner[1] :]
        off = [float(worst[_all_but(d, stop[0] < size[0]), _all_but(d, stop[1] < size[1])].max()) for d in range(most)]
        kept = next((d for d, error in enumerate(off) if error < SEAM), most)
        overlap = min(max(-(-4 * kept // 3), kernel), most)
        return overlap, off[min(overlap * 3 // 4, most - 1)]


def psf_in(blur: LocalBlur, place: Place) -> Tensor:
    """The kernels in the middle of a place (B, 1, k, k)."""
    (top, bottom), (left, right) = place
    return blur.psf_at((top + bottom) // 2, (left + right) // 2)


def _piece(y: Tensor, at: Span, size: Span) -> Tensor:
    return y[..., at[0] : at[0] + size[0], at[1] : at[1] + size[1]]


def check_tile(tile: int) -> None:
    """Raise unless a tile may have this side, [px].

    Raises:
        ValueError: With the side that came and the range.

    Example:
        >>> check_tile(1024)
    """
    check_option("tile", tile, 16, 1e6)


def _all_but(last: int, cut: bool) -> slice:
    """All along an axis; where it was cut, all but the last few."""
    return slice(None, -last if cut and last else None)


def layout(shape: Span, tile: int, overlap: int) -> Iterator[tuple[Span, Span, Callable[[], Tensor]]]:
    """As few tiles as cover an image, of one size, and for each how to make its window; the windows sum to 1.

    Args:
        shape: Image (H, W).
        tile: Greatest side, [px].
        overlap: Least distance between a cut and the middle of the fade there, [px]; the fade is half as wide.

    Yields:
        First and end row, first and end column, and a function that gives the window (h, w).

    Example:
        >>> [(rows, cols) for rows, cols, _ in layout((100, 310), 140, 20)]
        [((0, 100), (0, 130)), ((0, 100), (90, 220)), ((0, 100), (180, 310))]
    """
    axes = [_axis(n, min(n, tile), overlap) for n in shape]
    for rows, down in axes[0]:
        for cols, across in axes[1]:
            yield rows, cols, lambda down=down, across=across: down[:, None] * across  # type: ignore[misc]


def _axis(length: int, tile: int, overlap: int) -> list[tuple[Span, Tensor]]:
    """Spans along one axis, each with its window."""
    count = 1 if length == tile else -(-(length - 2 * overlap) // (tile - 2 * overlap))
    tile = -(-(length + 2 * overlap * (count - 1)) // count)
    starts = [(length - tile) * i // max(count - 1, 1) for i in range(count)]
    middles = [(after + before + tile) / 2 for before, after in pairwise(starts)]
    place = torch.arange(length) + 0.5
    rise = [_smooth((place - middle) / max(overlap / 2, 1) + 0.5) for middle in middles]
    edges = [torch.ones(length), *rise, torch.zeros(length)]
    return [
        ((start, start + tile), (up - down)[start : start + tile])
        for start, (up, down) in zip(starts, pairwise(edges), strict=True)
    ]


def _smooth(t: Tensor) -> Tensor:
    """From 0 below 0 to 1 above 1, without a corner."""
    t = t.clamp(0, 1)
    return t * t * (3 - 2 * t)
