"""Many Wiener filters at once, and a network that makes one image of what they give."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from blurlab.core.fourier import irfft2, psf_to_otf, rfft2
from blurlab.deconvolver.base import check_choice
from blurlab.deconvolver.border import extend_periodic, keep_observed
from blurlab.deconvolver.chunks import by_chunks
from blurlab.deconvolver.louder import louder
from blurlab.deconvolver.tv import TV
from blurlab.deconvolver.weight import FromGradient
from blurlab.deconvolver.wiener import PRIORS, adjoint_otf, density, estimate_nsr, wiener_filter
from blurlab.physics import Gradient

SNR_DB = tuple(range(9, 66, 4))
"""Signal-to-noise ratios of the filters of [Gilbert2019], section 1.2."""
START_ITERATIONS = 40
"""Of the total variation that is started from; fewer leave it far from its minimum where the blur is wide and the noise
small (``experiments/bench/never_worse.py``). The weights that come with the package were trained with 15."""
CEILING = 2.0
"""A filter's result is held within this of the mean of y: what trusts y too much is mostly noise."""


def wiener_stack(y: Tensor, psf: Tensor, nsr: Tensor, prior: str = "flat") -> Tensor:
    """``conj(H) Y / (|H|^2 + nsr L^p)``, circular, for several ratios; see :func:`~blurlab.deconvolver.wiener.wiener`.

    Args:
        y: Observed images (B, C, H, W).
        psf: Kernels (B, 1, k, k).
        nsr: Noise-to-signal ratios of power (B, R), > 0.
        prior: A key of :data:`~blurlab.deconvolver.wiener.PRIORS`.

    Returns:
        (B, R, C, H, W).

    Example:
        >>> delta = torch.zeros(1, 1, 3, 3); delta[0, 0, 1, 1] = 1
        >>> wiener_stack(torch.ones(1, 1, 8, 8), delta, torch.tensor([[0.25, 1.0]])).mean((2, 3, 4))
        tensor([[0.8000, 0.5000]])
    """
    shape = (y.shape[-2], y.shape[-1])
    adjoint, falling = adjoint_otf(psf, shape), Gradient().power(shape, like=y) ** PRIORS[prior]
    filters = wiener_filter(adjoint, density(adjoint), nsr[..., None, None], falling)  # (B, R, P, Q)
    return irfft2(filters[:, :, None] * rfft2(y)[:, None], shape)


class WienerStack(nn.Module):
    """A residual network on a stack of Wiener filters and y [Gilbert2019].

    ``s = conv(stack);  s <- s + C(relu(C(s)))`` with one convolution C in all blocks, as the paper's code has it;
    ``x = conv(s)``. As published: ``channels=3, width=64, blocks=12, fold=1, onto=None``. Left as they are, the options
    make a network that a CPU trains.

    Args:
        channels: Channels that are seen together; an image of more is restored as several of that many.
        width: Channels of the residual blocks.
        blocks: How often C(relu(C(.))) is applied.
        kernel: Side of the convolutions, odd.
        fold: Side of the squares of pixels that become one with as many channels before anything is computed.
        snr_db: Signal-to-noise ratios of the filters.
        relative: Are the ratios multiples of the one that sigma and y suggest
            (:func:`~blurlab.deconvolver.wiener.estimate_nsr`)?
        prior: Prior of the filters, a key of :data:`~blurlab.deconvolver.wiener.PRIORS`.
        onto: Index of the filter whose result the network corrects, by nothing before training, or ``tv`` for that of
            total variation; it is then shown what sets the others apart from that (:func:`differences`). None leaves it
            to give the image itself.
        boundary: padded, circular, or unknown: beyond the border comes what total variation restored, blurred again.

    Raises:
        ValueError: If a number is too small, the kernel is even, or a name is unknown.

    Example:
        >>> net = WienerStack(channels=3, width=64, blocks=12, fold=1, snr_db=SNR_DB, relative=False, onto=None)
        >>> sum(weight.numel() for weight in net.parameters())
        184131
    """

    nsr: Tensor

    def __init__(
        self,
        channels: int = 1,
        width: int = 32,
        blocks: int = 6,
        kernel: int = 5,
        fold: int = 2,
        snr_db: Sequence[float] = (-15, -10, -5, 0, 5),
        relative: bool = True,
        prior: str = "gradient",
        onto: int | str | None = "tv",
        boundary: str = "unknown",
    ) -> None:
        super().__init__()
        if min(channels, width, blocks, fold, len(snr_db)) < 1 or kernel < 1 or kernel % 2 == 0:
            raise ValueError(
                f"channels, width, blocks and fold must be 1 or more, kernel odd and snr_db given, got {channels},"
                f" {width}, {blocks}, {fold}, {kernel} and {list(snr_db)}"
            )
        if onto not in (None, "tv", *range(len(snr_db))):
            raise ValueError(f"onto must be null, tv or a filter, 0 to {len(snr_db) - 1}, got {onto}")
        check_choice("prior", prior, tuple(PRIORS))
        check_choice("boundary", boundary, ("unknown", "padded", "circular"))
        self.channels, self.blocks, self.fold = channels, blocks, fold
        self.relative, self.prior, self.onto, self.boundary = relative, prior, onto, boundary
        self.register_buffer("nsr", 10 ** (-torch.tensor([float(db) for db in snr_db]) / 10), persistent=False)
        folded = channels * fold**2
        shown = len(snr_db) + (2 if onto == "tv" else 1)
        self.first = nn.Conv2d(shown * folded, width, kernel, padding=kernel // 2)
        self.shared = nn.Conv2d(width, width, kernel, padding=kernel // 2)
        self.last = nn.Conv2d(width, folded, kernel, padding=kernel // 2)
        if onto is not None:
            for weight in self.last.parameters():
                nn.init.zeros_(weight)

    def forward(self, y: Tensor, psf: Tensor, sigma: Tensor) -> Tensor:
        """Restore.

        Args:
            y: Observed images (B, C, H, W), C a multiple of ``channels``.
            psf: Kernels (B, 1, k, k).
            sigma: Noise standard deviation (B, 1, 1, 1), > 0; of no account where the ratios are not relative.

        Returns:
            (B, C, H, W).

        Raises:
            ValueError: If C is no multiple of ``channels``.
        """
        if y.shape[1] % self.channels:
            raise ValueError(f"images must have a multiple of {self.channels} channels, got {y.shape[1]}")
        groups = y.shape[1] // self.channels
        psf, sigma = psf.repeat_interleave(groups, 0), sigma.repeat_interleave(groups, 0)
        planes = y.reshape(-1, self.channels, *y.shape[-2:])
        return by_chunks(lambda some: self._restore(planes[some], psf[some], sigma[some]), planes).reshape(y.shape)

    def _restore(self, y: Tensor, psf: Tensor, sigma: Tensor) -> Tensor:
        start = self._start(y, psf, sigma) if self.onto == "tv" or self.boundary == "unknown" else None
        stack = self.stack(y, psf, sigma, start)
        if self.onto is None:
            return self.correct(torch.cat([stack.flatten(1, 2), y], dim=1))
        if start is not None and self.onto == "tv":
            stack = torch.cat([stack, start[:, None, :, : y.shape[-2], : y.shape[-1]]], 1)
        base = stack.shape[1] - 1 if self.onto == "tv" else int(self.onto)
        return stack[:, base] + self.correct(differences(stack, base, y))

    def stack(self, y: Tensor, psf: Tensor, sigma: Tensor, start: Tensor | None = None) -> Tensor:
        """The filters' results (B, R, channels, H, W), held near the mean of y.

        Args:
            y: Observed images (B, channels, H, W).
            psf: Kernels (B, 1, k, k).
            sigma: Noise standard deviation (B, 1, 1, 1).
            start: Restored images on a grid that begins with y; None where the boundary is not unknown.
        """
        mean = y.mean(dim=(-2, -1), keepdim=True)
        if start is not None and self.boundary == "unknown":
            shape = (start.shape[-2], start.shape[-1])
            grid = keep_observed(irfft2(psf_to_otf(psf, shape) * rfft2(start), shape), y) - mean
        else:
            grid = extend_periodic(y - mean, 2 * max(psf.shape[-2:])) if self.boundary == "padded" else y - mean
        nsr = self.nsr.to(y).expand(len(y), -1)
        if self.relative:
            nsr = nsr * estimate_nsr(y, psf, sigma, self.prior, (grid.shape[-2], grid.shape[-1]))[:, :, 0, 0]
        filtered = wiener_stack(grid, psf, nsr, self.prior)[..., : y.shape[-2], : y.shape[-1]]
        return mean[:, None] + filtered.clamp(-CEILING, CEILING)

    @torch.no_grad()
    def _start(self, y: Tensor, psf: Tensor, sigma: Tensor) -> Tensor:
        """What total variation gives, on the grid (B, channels, P, Q)."""
        return TV(iterations=START_ITERATIONS, tolerance=0).solve(y, psf, FromGradient().choose(y, psf, sigma))[0]

    def correct(self, shown: Tensor) -> Tensor:
        """The network (B, (R + 1) channels, H, W) -> (B, channels, H, W), sides of any length."""
        height, width = shown.shape[-2:]
        padded = F.pad(shown, (0, -width % self.fold, 0, -height % self.fold), mode="replicate")
        s = self.first(F.pixel_unshuffle(padded, self.fold))
        for _ in range(self.blocks):
            s = s + self.shared(F.relu(self.shared(s)))
        return F.pixel_shuffle(self.last(s), self.fold)[..., :height, :width]


def differences(stack: Tensor, onto: int, y: Tensor) -> Tensor:
    """What sets each filter and y apart from the one that is corrected, and that one from its mean.

    Details and noise are small beside what all filters agree on: shown so they are learned in far fewer steps.

    Args:
        stack: Results of the filters (B, R, C, H, W).
        onto: Index of the filter that is corrected.
        y: Observed images (B, C, H, W).

    Returns:
        (B, (R + 1) C, H, W), the same for images that are brighter by a constant.
    """
    image = stack[:, onto]
    own = image - image.mean(dim=(-2, -1), keepdim=True)
    rest = [one - image for index, one in enumerate(stack.unbind(1)) if index != onto]
    return torch.cat([own, louder(torch.cat([*rest, y - image], dim=1))], dim=1)
