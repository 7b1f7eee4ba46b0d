"""What one image tells of a field of aberrations: several likely fields, and each the other way round."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from blurlab.blur import Parameter, Zernike, ZernikeField, field_places
from blurlab.blur.zernike_field import GRID
from blurlab.core.rng import generator
from blurlab.likelihood.field import LEAST, Climbed, FieldBelief, climb_field
from blurlab.likelihood.hint import Hint
from blurlab.likelihood.oriented import OrientedRefiner, Population
from blurlab.likelihood.prior import SpectrumPrior, detailed
from blurlab.likelihood.refine import check_observed
from blurlab.likelihood.taper import multitaper
from blurlab.likelihood.whittle import make_problem
from blurlab.physics import EigenBlur, grid_places

WINDOW, HOP = 64, 32
"""Side and distance of the windows whose periodograms are averaged in a tile, px."""
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
        own: A network's kernel of the whole image (k, k), of which ``share`` is in every kernel; None for none.
        share: Of it.
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
    own: Tensor | None = None
    share: float = 0.0

    def with_share(self, own: Tensor, share: float) -> FieldPosterior:
        """The same, a share of a network's kernel of the whole image (k, k) in the kernels of every place."""
        return replace(self, own=own, share=share)

    def psf_at(self, place: Tensor) -> Tensor:
        """Mean kernels (m, k, k), those of least expected squared error, at places (m, 2) of the field, v and u."""
        likely = self.weight > NEGLIGIBLE * self.weight.max()
        weight = self.weight[likely] / self.weight[likely].sum()
        found = self.family.psf_at(self.draws[likely].float(), place)
        mean = torch.einsum("n,nmij->mij", weight.to(found), found)
        return mean if self.own is None else torch.lerp(mean, self.own.to(mean), self.share)

    def operator(self) -> EigenBlur:
        """The blur of the image, to be undone; boundary ``valid``."""
        kernels = self.psf_at(field_places(grid_places(self.shape, (GRID, GRID)), self.shape))
        return EigenBlur.of_grid(kernels.unflatten(0, (GRID, GRID))[None], self.shape, "valid", self.family.terms)


class FieldRefiner:
    """Finds the field of aberrations of an image: one kernel for the whole image first, then how it changes.

    The posterior of one kernel (:class:`~blurlab.likelihood.OrientedRefiner`) says what the coefficients are on the
    average, and which way round the kernels lie. From each of some kernels drawn of it, Fisher scoring of the tiles'
    likelihood (:func:`~blurlab.likelihood.field.climb_field`) finds how they grow over the image. That posterior is
    what is believed of the average coefficients, the ranges are what is believed of the growth. Fields are drawn
    from a Gaussian about the end of each climb, which counts by how well it explains the tiles.

    Args:
        family: The fields.
        whole: Finds the kernel of the whole image; an ``OrientedRefiner`` of the field's objective if None.
        prior: What is believed of the tiles' spectra; :func:`~blurlab.likelihood.prior.detailed` if None.
        tile: Side of the tiles, px, about; one kernel stands for a tile.
        starts: Climbs, from kernels of the whole image.
        iterations: Steps of each.
        draws: Fields drawn about the end of each.
        temperature: By what the log likelihood of the tiles is divided: they are alike, depart from the prior in the
            same way, and have been looked at once.
        widen: By what the deviations of the parameters are multiplied.
        floor: Deviation in waves that is added in quadrature.

    Raises:
        ValueError: If an option is too small.
    """

    def __init__(
        self,
        family: ZernikeField,
        whole: OrientedRefiner | None = None,
        prior: SpectrumPrior | None = None,
        *,
        tile: int = 128,
        starts: int = 12,
        iterations: int = 8,
        draws: int = 8,
        temperature: float = 10.0,
        widen: float = 1.5,
        floor: float = 0.009,
    ) -> None:
        if tile < WINDOW or min(starts, iterations, draws) < 1 or temperature <= 0:
            raise ValueError(
                f"tile must be {WINDOW} px or more, starts, iterations and draws at least 1 and temperature > 0, got "
                f"{tile}, {starts}, {iterations}, {draws}, {temperature}"
            )
        self.family, self.prior = family, detailed() if prior is None else prior
        self.whole = OrientedRefiner(family.family) if whole is None else whole
        self.tile, self.starts, self.iterations, self.draws = tile, starts, iterations, draws
        self.temperature, self.widen, self.floor = temperature, widen, floor
        self.kernels = unbounded(family.family)
        self.limit = torch.tensor([max(-low, high) for low, high in family.bounds], dtype=torch.float64)

    def __call__(self, y: Tensor, hint: Hint | None = None) -> FieldPosterior:
        """The posterior of one image's field.

        Args:
            y: Observed image (1, C, H, W), H and W at least 64; the phase is that of the channels' mean.
            hint: What is believed of the kernel of the whole image.

        Raises:
            ValueError: If there are several images, or it is too small, constant or not finite.
        """
        check_observed(y)
        if len(y) != 1 or min(y.shape[-2:]) < WINDOW:
            raise ValueError(f"one image (1, C, H, W) of {WINDOW} px a side or more is needed, got {tuple(y.shape)}")
        (log_noise,), (population,) = self.whole.populations(y, hint)
        begun, share, twins = self._starts(population)
        radius = self.family.size // 2
        shape = y.shape[-2] + 2 * radius, y.shape[-1] + 2 * radius
        ends = self._climbs(y, shape, begun)
        share = (share.log() - torch.tensor([end.value for end in ends]).to(share)).softmax(0)
        draws = self.family.within(torch.cat([self._drawn(end) for end in ends]))
        weight = share.repeat_interleave(self.draws) / self.draws
        mean = weight @ draws
        off = draws - mean
        spread = (off * weight[:, None]).T @ off * self.widen**2
        turned = twins if float(share[twins].sum()) <= 0.5 else ~twins  # the less likely way round
        top = int(share.masked_fill(turned, -1).argmax())
        return FieldPosterior(
            self.family, shape, draws, weight, mean, spread + self.floor**2 * torch.eye(len(mean)).to(spread),
            draws[top * self.draws], float(log_noise.div(2).exp()), float(share[turned].sum()),
        )  # fmt: skip

    def _starts(self, population: Population) -> tuple[list[FieldBelief], Tensor, Tensor]:
        """Beliefs about kernels of the whole image, the share of each (n,), and which are reversed twins (n,)."""
        weight = population.weight(self.whole.strength)
        half = len(weight) // 2
        pair, params = weight[:half] + weight[half:], population.params[:half]
        off = params - pair @ params
        floor = self.floor**2 * torch.eye(params.shape[1]).to(params)
        precision = torch.linalg.inv((off * pair[:, None]).T @ off + floor)
        turn, rungs = self.whole.twin.to(params), (torch.arange(self.starts) + 0.5) / self.starts
        some, count = torch.searchsorted(weight.cumsum(0), rungs.to(weight)).clamp_max(2 * half - 1).unique(
            return_counts=True
        )  # fmt: skip
        low, high = torch.tensor(self.family.bounds[params.shape[1] :], dtype=params.dtype).to(params.device).T
        growth = 12 / (high - low).clamp_min(LEAST) ** 2
        beliefs = []
        for place in some.tolist():
            own = precision if place < half else turn[:, None] * precision * turn
            centre = torch.cat([population.params[place], (low + high) / 2])
            beliefs.append(FieldBelief(centre, torch.block_diag(own, torch.diag(growth))))
        return beliefs, count.to(weight) / self.starts, some >= half

    def _climbs(self, y: Tensor, shape: Span, beliefs: list[FieldBelief]) -> list[Climbed]:
        """The end of each climb, of the field's own parameters."""
        tiles = tiles_of((y.shape[-2], y.shape[-1]), self.tile)
        observed = torch.cat([multitaper(y[..., slice(*rows), slice(*cols)], WINDOW, HOP, 1) for rows, cols in tiles])
        windows = y.shape[-2] * y.shape[-1] / len(tiles) / WINDOW**2 / self.temperature
        problem = make_problem(observed, self.kernels, self.prior, tapers=1, windows=windows)
        place = field_places(_middles(tiles) + self.family.size // 2, shape)
        # A kernel of the whole image has the average coefficients; those of the middle follow by the growth.
        design, own = self.family.design(place), len(self.family.family.names)
        average = design[..., own:].mean(0)
        about = design.clone()
        about[..., own:] -= average
        limit = torch.cat([2 * self.limit[:own], self.limit[own:]])  # an average may lie beyond the middle's ranges
        back = torch.eye(len(limit)).to(design)
        back[:own, own:] = -average
        forth = torch.linalg.inv(back)
        ends = [climb_field(problem, about, belief, limit, self.iterations) for belief in beliefs]
        return [replace(e, theta=back @ e.theta, information=forth.T @ e.information @ forth) for e in ends]

    def _drawn(self, end: Climbed) -> Tensor:
        """Fields from a Gaussian about an end, the end first (n, P)."""
        root = torch.linalg.cholesky(torch.linalg.inv(end.information))
        draw = generator(0, "fields of an image")
        noise = torch.randn(self.draws, len(end.theta), generator=draw, dtype=torch.float64).to(end.theta)
        noise[0] = 0
        return end.theta + noise @ root.T


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
