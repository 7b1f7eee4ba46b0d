"""The kernel of a photograph of any size, pixel by pixel: what a blur without parameters is estimated by."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from blurlab.blind.blind_kernel import RUNS, Run, candidates
from blurlab.blind.judge import best_kernel, misfit, normalised_sparsity
from blurlab.blur import centre_crop, pad_to_odd
from blurlab.deconvolver import TV
from blurlab.deconvolver.parts import middle
from blurlab.noise import Response, Srgb, effective_sigma

ONE_PIXEL = 0.5
"""A free kernel with so much in one pixel found no blur."""
LEAST_SIDES = 10
"""A free kernel is compared with a line where the photograph is so many of its sides wide."""
SMALLER = 0.7
"""The smaller one of the sides that are tried, as a share of the one that is given."""
LEAST_SIDE = 5
"""Side of the smallest kernel, px."""
ENOUGH = 0.75
"""A misfit of this share of the noise that is assumed explains a photograph as well as any."""
EXPLAINED = 1.25
"""A free kernel whose misfit is above so many times the noise that is assumed is not trusted: it is not the blur."""
PLAINLY = 0.9
"""A free kernel is trusted where the normalised sparsity of what it restores is no more than this share of y's."""
HANDICAP = 1.05
"""By which factor a free kernel has to be better than one that parameters describe: it can explain noise, too."""


class FreeForm:
    """The blind kernel of the light in the middle of a photograph, its colours averaged.

    Blur is a convolution of light, not of the values of a file. The runs of :func:`~blurlab.blind.blind_kernel` are
    made for the side that is given and for a smaller one: how wide a kernel is can be told once it is found, and in
    too wide a support noise grows. The judge chooses among all.

    Args:
        most_px: Pixels that are looked at.
        most_side: Side of the largest kernel that is estimated in full size, px; a wider one is estimated in a smaller
            copy of the photograph, and enlarged.
        runs: As in :func:`~blurlab.blind.blind_kernel`.
        response: The curve of the file; None is that of sRGB.
    """

    def __init__(
        self,
        most_px: int = 300_000,
        most_side: int = 45,
        runs: tuple[Run, ...] = RUNS,
        response: Response | None = None,
    ) -> None:
        self.most_px = most_px
        self.most_side = most_side
        self.runs = runs
        self.response = Srgb() if response is None else response

    def __call__(self, y: Tensor, side: int) -> Tensor:
        """The kernel of one photograph.

        Args:
            y: (1, C, H, W) on the [0, 1] scale.
            side: Odd side of the kernel, px; no more than half of the photograph's shorter side is used.

        Returns:
            (1, 1, side, side).
        """
        scale = -(-side // self.most_side)
        seen = self._seen(y, scale)
        fits = min(side // scale // 2 * 2 + 1, (min(seen.shape) // 2 - 1) // 2 * 2 + 1)
        sides = sorted({max(int(SMALLER * fits) // 2 * 2 + 1, LEAST_SIDE), fits})
        found = [pad_to_odd(one[None, None], fits)[0, 0] for n in sides for one in candidates(seen, n, self.runs)]
        noise = ENOUGH * float(effective_sigma(seen[None, None]))
        psf = best_kernel(seen, found, [run.handicap for run in self.runs] * len(sides), noise)
        return centre_crop(pad_to_odd(enlarged(psf, scale), side + 2 * scale), side)

    def against(self, y: Tensor, psf: Tensor, side: int) -> Tensor:
        """A kernel that parameters describe, or the free one where that explains the photograph clearly better.

        Args:
            y: As in a call.
            psf: The other kernel (1, 1, k, k), no larger than half of the photograph's shorter side.
            side: As in a call.

        Returns:
            ``psf`` itself, or the free kernel (1, 1, n, n).
        """
        if min(y.shape[-2:]) < LEAST_SIDES * side:
            return psf
        free = self(y, side)
        if float(free.amax()) >= ONE_PIXEL:
            return psf
        size = max(psf.shape[-1], side)
        given, other = (pad_to_odd(one.to(psf), size)[0, 0] for one in (psf, free))
        return psf if best_kernel(self._seen(y), [given, other], [1.0, HANDICAP]) is given else free

    def is_trusted(self, y: Tensor, psf: Tensor) -> bool:
        """Does this free kernel (1, 1, k, k) explain a photograph, and is that plainly sharper where it is undone?

        One pixel undoes nothing.
        """
        if float(psf.amax()) >= ONE_PIXEL:
            return False
        scale = -(-psf.shape[-1] // self.most_side)
        seen = self._seen(y, scale)[None, None]
        psf = reduced(psf.to(seen), scale)
        restored, cut = TV()(seen, psf).image, psf.shape[-1] // 2
        if float(misfit(restored, psf, seen)) > EXPLAINED * float(effective_sigma(seen)):
            return False
        return float(normalised_sparsity(restored, cut)) <= PLAINLY * float(normalised_sparsity(seen, cut))

    def _seen(self, y: Tensor, scale: int = 1) -> Tensor:
        """The light that is looked at of a photograph (1, C, H, W), as (h, w), its sides divided by ``scale``."""
        rows, cols = middle(y, self.most_px * scale**2)
        light = self.response.decode(y[..., slice(*rows), slice(*cols)])
        return avg_pool2d(light.mean(1), scale)[0]


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
