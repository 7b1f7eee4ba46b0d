"""The kernel of a photograph of any size, pixel by pixel: what a blur without parameters is estimated by."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import NamedTuple

from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from blurlab.blind.blind_kernel import RUNS, Run, candidates
from blurlab.blind.explanation import Explanation, agreed, explanations
from blurlab.blur import centre_crop, pad_to_odd
from blurlab.core.threads import at_once
from blurlab.deconvolver.parts import middle
from blurlab.metric import kernel_correlation
from blurlab.noise import Power, Response, Srgb, effective_sigma

SIDES = (0.7, 1.0, 4 / 3, 1.8)
"""Sides of the supports that are tried, as shares of the one that is given."""
LARGE, LARGE_MOST = 2**22, 1.5
"""Of a photograph of more pixels no support is tried that is wider than this share: it would take longest."""
LINE_SIDES = 2
"""How many of them are tried where the kernel may be a line."""
LEAST_SIDE = 5
"""Side of the smallest kernel, px."""
LEAST_SIDES = 10
"""A free kernel is compared with a line where the photograph is so many of its sides wide."""
SHOWS = 0.5
"""No kernel is trusted where noise is this share of a photograph's standard deviation, or more."""
ONE_PIXEL = 0.5
"""A free kernel with so much in one pixel found no blur."""
EXPLAINED, EXPLAINED_VALUES = 1.25, 0.75
"""A free kernel whose misfit is above so many times the noise is not the blur; the second of what cameras do not do."""
NAMED_EXPLAINED = 2.0
"""A kernel that parameters describe explains a photograph up to this misfit, in units of the noise."""
PLAINLY = 0.9
"""A free kernel is trusted where the normalised sparsity of what it restores is no more than this share of y's."""
VALUES_HANDICAP = 1.06
"""By which factor a kernel of the file's values has to be better than one of its light."""
COARSE_HANDICAP = 1.02
"""The same of one that was estimated in a smaller copy than the support that is given asks for: it has less detail."""
HANDICAP = 1.03
"""By which factor a free kernel has to be better than one that parameters describe: it can explain noise, too. One that
is trusted needs none."""
AGREE, AGREE_TRUSTED = 0.7, 0.6
"""A free kernel is trusted where one that was found in another support has the first correlation with it, or more; the
second where that one explains the photograph, too."""


class FreeKernelFound(NamedTuple):
    """A kernel of a photograph.

    Attributes:
        psf: (1, 1, k, k).
        trusted: Does it explain the photograph, and does a free one make it plainly sharper?
        of_values: Did it blur the values of the file, not light?
    """

    psf: Tensor
    trusted: bool
    of_values: bool


class FreeForm:
    """The blind kernel of the middle of a photograph, its colours averaged.

    A lens or a hand blurs light and not the values of a file, but some files hold light itself, or were blurred as they
    are: the runs of :func:`~blurlab.blind.blind_kernel` are made in light and in the values. In light they are made for
    several supports: how wide a kernel is can be told once it is found, and in too wide a one noise grows. Of all the
    kernel with the best :class:`~blurlab.blind.Explanation` is taken, averaged with those that are about as good.

    Args:
        most_px: Pixels that are looked at.
        most_side: Side of the largest kernel that is estimated in full size, px; a wider one is estimated in a smaller
            copy of the photograph, and enlarged.
        runs: As in :func:`~blurlab.blind.blind_kernel`.
        response: The curve of the file; None is that of sRGB.
        sides: Sides of the supports that are tried, as shares of the one that is given.
        in_values: Try the values of the file, too.
    """

    def __init__(
        self,
        most_px: int = 300_000,
        most_side: int = 45,
        runs: Sequence[Run] = RUNS,
        response: Response | None = None,
        sides: Sequence[float] = SIDES,
        in_values: bool = True,
    ) -> None:
        self.most_px = most_px
        self.most_side = most_side
        self.runs = tuple(runs)
        self.response = Srgb() if response is None else response
        self.sides = tuple(sides)
        self.values = Power(1.0) if in_values else None

    def __call__(self, y: Tensor, side: int) -> Tensor:
        """The kernel of one photograph.

        Args:
            y: (1, C, H, W) on the [0, 1] scale.
            side: Odd side of the kernel, px; no more than half of the photograph's shorter side is used.

        Returns:
            (1, 1, k, k), k odd, as large as the largest of the supports that are tried.
        """
        return self._kernel(self._best(y, self._explanations(y, side)), side)

    def trusted(self, y: Tensor, side: int) -> FreeKernelFound:
        """As a call, but of kernels that can be trusted where there is one.

        A kernel is trusted that explains the photograph, whose restored image is plainly sharper, and that is found
        again in another support: where a photograph tells too little, each support gives a kernel of its own.
        """
        found, seen = self._explanations(y, side), self.seen(y, 1, self.response)
        shows = float(effective_sigma(seen[None, None])) < SHOWS * float(seen.std())
        explain = [one for one in found if shows and self._is_trusted(one)]
        sure = [one for one in explain if is_found_again(one, found, explain)]
        best = self._best(y, sure or found)
        return FreeKernelFound(self._kernel(best, side), bool(sure), best.response is self.values)

    def against(self, y: Tensor, psf: Tensor, side: int) -> FreeKernelFound | None:
        """The free kernel where it explains a photograph clearly better than one that parameters describe.

        It is sought in light; whether it blurred light or the file's values is asked once it is found. Where what the
        other kernel leaves is no more than noise, nothing better is looked for.

        Args:
            y: As in a call.
            psf: The other kernel (1, 1, k, k), no larger than half of the photograph's shorter side.
            side: As in a call.
        """
        if min(y.shape[-2:]) < LEAST_SIDES * side:
            return None
        in_light = copy(self)
        in_light.values, in_light.sides = None, self.sides[:LINE_SIDES]
        found = in_light._explanations(y, side)
        best = self._best(y, found)
        if float(best.psf.amax()) >= ONE_PIXEL:
            return None
        again = is_found_again(min(found, key=lambda one: one.cost), found, [])
        trusted = again and self._is_trusted(best)
        handicap = 1.0 if trusted else HANDICAP
        lines = self._explained(y, psf, best.scale)
        if any(one.misfit <= 1 or one.cost <= handicap * best.cost for one in lines):
            return None
        free = self._kernel(best, side)
        return FreeKernelFound(free, trusted, self.judged(y, free).of_values)

    def judged(self, y: Tensor, psf: Tensor, most: float = NAMED_EXPLAINED) -> FreeKernelFound:
        """A kernel that parameters describe, with whether it explains a photograph at all, and whether of its values.

        What cameras do to a file after the blur is no noise, so more misfit is allowed than noise explains. A double
        image or lamps that were clipped leave still more.

        Args:
            y: As in a call.
            psf: The kernel (1, 1, k, k), no larger than half of the photograph's shorter side.
            most: Misfit up to which it explains the photograph, in units of the noise.
        """
        found = self._explained(y, psf, -(-psf.shape[-1] // self.most_side))
        least = min(one.misfit for one in found)
        return FreeKernelFound(psf, least <= most, found[-1].cost < found[0].cost)

    def response_of(self, y: Tensor, psf: Tensor) -> Response:
        """The curve, that of light or of the file's values, with which a kernel explains a photograph better."""
        found = self._explained(y, psf, 1)
        return min(reversed(found), key=lambda one: one.cost).response

    def _explained(self, y: Tensor, psf: Tensor, scale: int) -> list[Explanation]:
        """How well a kernel (1, 1, k, k) explains a photograph if it blurred light, and the values of the file."""
        small, found = reduced(psf.to(y), scale)[0, 0], []
        for response in self._responses:
            handicap = 1.0 if response is self.response else VALUES_HANDICAP
            found += explanations(self.seen(y, scale, response), [small], [handicap], response, scale)
        return found

    @property
    def _responses(self) -> list[Response]:
        """What may have been blurred."""
        return [self.response] if self.values is None else [self.response, self.values]

    def _explanations(self, y: Tensor, side: int) -> list[Explanation]:
        """Every kernel that is found in each support."""
        places: list[tuple[Response, int, Tensor, int]] = []
        for response in self._responses:
            for share in self._sides(y) if response is self.response else (1.0,):
                wide = max(2 * round((share * side - 1) / 2) + 1, LEAST_SIDE)
                scale = -(-wide // self.most_side)
                seen = self.seen(y, scale, response)
                fits = min(wide // scale // 2 * 2 + 1, (min(seen.shape) // 2 - 1) // 2 * 2 + 1)
                places.append((response, scale, seen, fits))
        psfs = at_once(lambda place: candidates(place[2], place[3], self.runs), places)
        found: list[Explanation] = []
        for (response, scale, seen, _), some in zip(places, psfs, strict=True):
            extra = 1.0 if response is self.response else VALUES_HANDICAP
            extra *= COARSE_HANDICAP if scale > -(-side // self.most_side) else 1.0
            found += explanations(seen, some, [extra * run.handicap for run in self.runs], response, scale)
        return found

    def _sides(self, y: Tensor) -> tuple[float, ...]:
        """Shares of the side that are tried."""
        small = y.shape[-2] * y.shape[-1] <= LARGE
        return tuple(share for share in self.sides if small or share <= LARGE_MOST)

    def _best(self, y: Tensor, found: Sequence[Explanation]) -> Explanation:
        best = min(found, key=lambda one: one.cost)
        return agreed(self.seen(y, best.scale, best.response), found)

    def _is_trusted(self, one: Explanation) -> bool:
        most = EXPLAINED if one.response is self.response else EXPLAINED_VALUES
        return float(one.psf.amax()) < ONE_PIXEL and one.misfit <= most and one.sparsity <= PLAINLY

    def _kernel(self, one: Explanation, side: int) -> Tensor:
        """The kernel (1, 1, k, k) of the photograph in its own size."""
        most = 2 * round((max(self.sides) * side - 1) / 2) + 1
        return centre_crop(pad_to_odd(enlarged(one.psf, one.scale), most + 2 * one.scale), most)

    def seen(self, y: Tensor, scale: int, response: Response) -> Tensor:
        """What was blurred of a photograph (1, C, H, W), as (h, w), its sides divided by ``scale``."""
        rows, cols = middle(y, self.most_px * scale**2)
        light = response.decode(y[..., slice(*rows), slice(*cols)])
        return avg_pool2d(light.mean(1), scale)[0]


def is_found_again(one: Explanation, found: Sequence[Explanation], trusted: Sequence[Explanation]) -> bool:
    """Is a kernel like one of those found in another support, another copy, or the other of light and values?

    Args:
        one: Its explanation.
        found: All explanations; where all are of one support and copy nothing was asked twice, and the answer is yes.
        trusted: Those of them that explain the photograph.
    """
    psf, others = enlarged(one.psf, one.scale), [other for other in found if _place(other) != _place(one)]
    for other in others:
        least = AGREE_TRUSTED if any(other is sure for sure in trusted) else AGREE
        if float(kernel_correlation(enlarged(other.psf, other.scale), psf)) >= least:
            return True
    return not others


def _place(one: Explanation) -> tuple[int, int, Response]:
    """Where a kernel was looked for."""
    return one.psf.shape[-1], one.scale, one.response


def reduced(psf: Tensor, scale: int) -> Tensor:
    """A kernel (1, 1, k, k) for images whose sides are a ``scale``-th as long: sums over squares, about its middle.

    Example:
        >>> import torch
        >>> reduced(torch.ones(1, 1, 9, 9) / 81, 3).shape
        torch.Size([1, 1, 3, 3])
    """
    if scale == 1:
        return psf
    side = -(-psf.shape[-1] // scale) // 2 * 2 + 1  # odd, and wide enough
    wide = pad_to_odd(psf, side * scale + (side * scale + 1) % 2)
    margin = (wide.shape[-1] - side * scale + 1) // 2
    return scale**2 * avg_pool2d(wide[..., margin : margin + side * scale, margin : margin + side * scale], scale)


def enlarged(psf: Tensor, scale: int) -> Tensor:
    """A kernel (k, k) for images whose sides are ``scale`` times as long: bilinear, (1, 1, n, n), n odd, sum 1.

    Example:
        >>> import torch
        >>> enlarged(torch.ones(1, 1), 3).shape, float(enlarged(torch.rand(5, 5), 2).sum().round(decimals=3))
        (torch.Size([1, 1, 3, 3]), 1.0)
    """
    if scale == 1:
        return psf[None, None]
    side = scale * psf.shape[-1] // 2 * 2 + 1
    large = interpolate(psf[None, None], (side, side), mode="bilinear", align_corners=False)
    return large / large.sum()
