"""The aberrations of an objective, from the image alone and without a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from blurlab.blur import BlurFamily, Mixture, Zernike
from blurlab.likelihood.oriented import OrientedRefiner
from blurlab.pipeline.by_kind import ByKind
from blurlab.pipeline.choice import RiskTable
from blurlab.pipeline.estimate import BlurEstimate, KindEstimate, by_kernel, by_parameters
from blurlab.pipeline.task import Task

HALF90 = 1.645
"""Half of a 90 % interval in standard deviations of a Gaussian."""


class Aberrations(ByKind):
    """The spectral likelihood of the coefficients from several starts; edges tell which way round the kernel lies.

    What is handed on is the mean kernel of the posterior; the parameters are the posterior's mean, with intervals.

    Args:
        family: Kernels of an aberrated objective.
        fit: Makes an :class:`~blurlab.likelihood.oriented.OrientedRefiner` of the family.

    Raises:
        ValueError: If the family is another.
    """

    def __init__(self, family: BlurFamily, *, fit: Callable[[Zernike], OrientedRefiner] = OrientedRefiner) -> None:
        if not isinstance(family, Zernike):
            raise ValueError(
                f"pipeline=aberrations fits an objective's polynomials, got {family.kinds[-1]}; use blur=zernike"
            )
        super().__init__(Mixture({family.kinds[0]: family}), 1.0)
        self.refiner = fit(family)

    @property
    def tasks(self) -> tuple[Task, ...]:
        return ()

    @property
    def finds_noise(self) -> bool:
        return True

    def identify(self, y: Tensor, nets: Mapping[str, nn.Module], risks: Mapping[str, RiskTable]) -> BlurEstimate:
        found = self.refiner(y)
        kind = torch.zeros(len(y), dtype=torch.long, device=y.device)
        none = torch.zeros(len(y), device=y.device)
        label = KindEstimate(
            kind=kind,
            probability=torch.ones(len(y), 1, device=y.device),
            strength_px=none,
            strength_map_px=none,
            strength_mean_px=none,
            interval_px=torch.full((len(y), 2), torch.nan, device=y.device),
            params=found.params.to(y),
            most_probable=by_parameters(self.family, found.best.to(y), kind),
            halfwidth=HALF90 * found.covariance.diagonal(dim1=1, dim2=2).sqrt().to(y),
        )
        return by_kernel(found.psf, torch.ones_like(kind, dtype=torch.bool), found.sigma.to(y), label)
