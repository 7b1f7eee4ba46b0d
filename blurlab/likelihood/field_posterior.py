"""What one image tells of a field of aberrations: several likely fields, and each the other way round."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from torch import Tensor

from blurlab.blur import Parameter, Zernike, ZernikeField, field_places
from blurlab.blur.zernike_field import GRID
from blurlab.core.rng import generator
from blurlab.likelihood.field import Climbed, climb_field
from blurlab.likelihood.phase import phase_evidence, sight
from blurlab.likelihood.prior import SpectrumPrior, detailed
from blurlab.likelihood.refine import Refiner, check_observed
from blurlab.likelihood.search import search
from blurlab.likelihood.taper import multitaper
from blurlab.likelihood.whittle import make_problem
from blurlab.physics import EigenBlur, grid_places

WINDOW, HOP = 64, 32
"""Side and distance of the windows whose periodograms are averaged in a tile, px."""
FIRST_STEPS = 3
"""Every climb makes so many steps; the best go on."""
DISTINCT_WAVES = 0.01
"""Two ends of climbs differ by more in some parameter."""
NEGLIGIBLE = 1e-4
"""Fields of less weight are left out of a mean."""
WIDE_WAVES = 1.0
"""No coefficient of a place leaves this range, whatever that of the middle may be."""
Span = tuple[int, int]


@dataclass(frozen=True)
class FieldPosterior:
    """What is known of the blur of an image and of how it varies.

    Attributes:
        family: The fields.
        shape: Sides of the sharp image whose middle is that of the field: the observed one and a kernel's radius more.
        draws: Parameters of fields (n, P), float64.
        weight: Their probabilities (n,).
        params: Their mean (P,).
        covariance: (P, P).
        best: The parameters of most weight (P,).
        sigma: Noise standard deviation found in the image.
        turned: Probability that all kernels are those of ``best`` turned by half a circle, as the phase tells it.
    """

    family: ZernikeField
    shape: Span
    draws: Tensor
    weight: Tensor
    params: Tensor
    covariance: Tensor
    best: Tensor
    sigma: float
    turned: float

    def psf_at(self, place: Tensor) -> Tensor:
        """Mean kernels (m, k, k), those of least expected squared error, at places (m, 2) of the field, v and u."""
        likely = self.weight > NEGLIGIBLE * self.weight.max()
        weight = self.weight[likely] / self.weight[likely].sum()
        found = self.family.psf_at(self.draws[likely].float(), place)
        return torch.einsum("n,nmij->mij", weight.to(found), found)

    def operator(self) -> EigenBlur:
        """The blur of the image, to be undone; boundary ``valid``."""
        kernels = self.psf_at(field_places(grid_places(self.shape, (GRID, GRID)), self.shape))
        return EigenBlur.of_grid(kernels.unflatten(0, (GRID, GRID))[None], self.shape, "valid", self.family.terms)


class FieldRefiner:
    """Finds the field of aberrations of an image: one climb for all tiles, from several starts; then the phase.

    As :class:`~blurlab.likelihood.OrientedRefiner`, with a field in the place of a kernel: Fisher scoring of the
    parameters of the whole image (:func:`~blurlab.likelihood.field.climb_field`), a Gaussian about the end of each
    climb, draws from these, and for each draw and its reverse the evidence of the phase, summed over the tiles.

    Args:
        family: The fields.
        prior: What is believed of sharp images' spectra; :func:`~blurlab.likelihood.prior.detailed` if None.
        tile: Side of the tiles, px, about; one kernel stands for a tile.
        starts: Climbs, from kernels that are the same all over the image.
        kept: Climbs that go on after their first steps.
        iterations: Steps of these.
        draws: Fields drawn from each of the ends.
        strength: What the phase evidence of a single tile counts.
        temperature: By what the log evidence of a climb's end is divided: the tiles of an image are alike, and depart
            from the prior in the same way.
        widen: By what the deviations of the parameters are multiplied.
        floor: Deviation in waves that is added in quadrature.

    Raises:
        ValueError: If an option is too small.
    """

    def __init__(
        self,
        family: ZernikeField,
        prior: SpectrumPrior | None = None,
        *,
        tile: int = 128,
        starts: int = 10,
        kept: int = 6,
        iterations: int = 8,
        draws: int = 8,
        strength: float = 25.0,
        temperature: float = 4.0,
        widen: float = 1.1,
        floor: float = 0.009,
    ) -> None:
        if tile < WINDOW or min(starts, kept, iterations, draws) < 1 or strength < 0 or temperature <= 0:
            raise ValueError(
                f"tile must be {WINDOW} px or more, starts, kept, iterations and draws at least 1, strength >= 0 and "
                f"temperature > 0, got {tile}, {starts}, {kept}, {iterations}, {draws}, {strength}, {temperature}"
            )
        self.family, self.prior = family, detailed() if prior is None else prior
        self.tile, self.kept, self.iterations, self.draws = tile, kept, iterations, draws
        self.strength, self.temperature, self.widen, self.floor = strength, temperature, widen, floor
        self.kernels = unbounded(family.family)
        self.global_fit = Refiner(family.family, self.prior, window=WINDOW, hop=HOP, starts=starts)

    def __call__(self, y: Tensor) -> FieldPosterior:
        """The posterior of one image's field.

        Args:
            y: Observed image (1, C, H, W), H and W at least 64; the phase is that of the channels' mean.

        Raises:
            ValueError: If there are several images, or it is too small, constant or not finite.
        """
        check_observed(y)
        if len(y) != 1 or min(y.shape[-2:]) < WINDOW:
            raise ValueError(f"one image (1, C, H, W) of {WINDOW} px a side or more is needed, got {tuple(y.shape)}")
        radius = self.family.size // 2
        shape = y.shape[-2] + 2 * radius, y.shape[-1] + 2 * radius
        tiles = tiles_of((y.shape[-2], y.shape[-1]), self.tile)
        place = field_places(_middles(tiles) + radius, shape)
        ends = self._climbs(y, tiles, place)
        draws, share = self._drawn(ends)
        straight, turned = self._phase(y, tiles, place, ends[0], draws)
        both = torch.cat([draws, self.family.reversed(draws)])
        evidence = torch.cat([straight, turned]) * (self.strength / len(tiles) ** 0.5) + share.repeat(2)
        weight = evidence.softmax(0)
        mean = weight @ both
        off = both - mean
        spread = (off * weight[:, None]).T @ off * self.widen**2
        top, count = int(weight.argmax()), len(weight)
        other = float(weight[(top + count // 2) % count])
        return FieldPosterior(
            self.family, shape, both, weight, mean, spread + self.floor**2 * torch.eye(len(mean)).to(spread),
            both[top], float(ends[0].state.log_noise.median().div(2).exp()), other / (other + float(weight[top])),
        )  # fmt: skip

    def _climbs(self, y: Tensor, tiles: list[tuple[Span, Span]], place: Tensor) -> list[Climbed]:
        """The ends of climbs that differ, the most likely first."""
        whole = self.global_fit.problem(y)
        starts = search(whole, self.global_fit.catalogue(WINDOW), self.global_fit.starts)[0]
        observed = torch.cat([multitaper(y[..., slice(*rows), slice(*cols)], WINDOW, HOP, 1) for rows, cols in tiles])
        windows = y.shape[-2] * y.shape[-1] / len(tiles) / WINDOW**2
        problem = make_problem(observed, self.kernels, self.prior, tapers=1, windows=windows)
        design, more = self.family.design(place), len(self.family.names) - starts.shape[1]
        begun = [
            climb_field(problem, self.family, design, torch.cat([one, one.new_zeros(more)]), FIRST_STEPS)
            for one in starts
        ]
        best = sorted(begun, key=lambda end: end.value)[: self.kept]
        ends = [climb_field(problem, self.family, design, e.theta, self.iterations, e.state) for e in best]
        kept: list[Climbed] = []
        for end in sorted(ends, key=lambda end: end.value):
            if all(bool((end.theta - one.theta).abs().max() > DISTINCT_WAVES) for one in kept):
                kept.append(end)
        return kept

    def _drawn(self, ends: list[Climbed]) -> tuple[Tensor, Tensor]:
        """Fields from a Gaussian about each end (n, P), and the log evidence of their end (n,)."""
        draw, fields, share = generator(0, "fields of an image"), [], []
        for end in ends:
            root = torch.linalg.cholesky(torch.linalg.inv(end.information))
            noise = torch.randn(self.draws, len(end.theta), generator=draw, dtype=torch.float64).to(end.theta)
            noise[0] = 0
            fields.append(self.family.within(end.theta + noise @ root.T))
            share.append((float(root.diagonal().log().sum()) - end.value) / self.temperature)
        return torch.cat(fields), torch.tensor(share).to(fields[0]).repeat_interleave(self.draws)

    def _phase(
        self, y: Tensor, tiles: list[tuple[Span, Span]], place: Tensor, end: Climbed, draws: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Evidence of the phase of fields (n, P) and of their reverse, (n,) each, summed over the tiles."""
        kernels = self.family.psf_at(draws, place).to(y)
        about = self.family.psf_at(end.theta[None], place)[0].to(y)
        straight, turned = torch.zeros_like(draws[:, 0]), torch.zeros_like(draws[:, 0])
        for t, (rows, cols) in enumerate(tiles):
            tile = y[0, :, slice(*rows), slice(*cols)].mean(0)
            shown = sight(tile, about[t], end.state.smooth[t], end.state.log_noise[t], self.prior.softness_px)
            right, other = phase_evidence(shown, kernels[:, t])
            straight, turned = straight + right.to(straight), turned + other.to(turned)
        return straight, turned


def tiles_of(shape: Span, side: int) -> list[tuple[Span, Span]]:
    """Rows and columns of parts of an image that lie side by side, of about this side and no less than a window.

    Example:
        >>> tiles_of((130, 200), 128)
        [((0, 130), (0, 100)), ((0, 130), (100, 200))]
    """
    axes = []
    for whole in shape:
        count = max(1, min(round(whole / side), whole // WINDOW))
        axes.append([(whole * i // count, whole * (i + 1) // count) for i in range(count)])
    return [(rows, cols) for rows in axes[0] for cols in axes[1]]


def unbounded(family: Zernike) -> Zernike:
    """The same kernels, of any coefficients with either sign: at a place of a field they leave the middle's ranges."""
    other = copy.copy(family)
    other.parameters = tuple(
        Parameter(one.name, one.unit, -WIDE_WAVES, WIDE_WAVES, signed=True) for one in family.parameters
    )
    return other


def _middles(tiles: list[tuple[Span, Span]]) -> Tensor:
    return torch.tensor([[(sum(rows) - 1) / 2, (sum(cols) - 1) / 2] for rows, cols in tiles], dtype=torch.float64)
