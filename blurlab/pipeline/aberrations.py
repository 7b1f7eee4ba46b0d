"""The aberrations of an objective from the image alone, by the likelihood and, if at hand, a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from blurlab.blur import BlurFamily, Mixture, Zernike
from blurlab.head import AberrationTarget
from blurlab.likelihood.hint import Hint
from blurlab.likelihood.oriented import OrientedRefiner, Posterior
from blurlab.likelihood.refine import check_observed
from blurlab.pipeline.by_kind import ByKind
from blurlab.pipeline.choice import RiskTable
from blurlab.pipeline.estimate import BlurEstimate, KindEstimate, by_kernel, by_parameters
from blurlab.pipeline.noise_curve import NoiseCurve
from blurlab.pipeline.shipped import load_nets
from blurlab.pipeline.task import Task

HALF90 = 1.645
"""Half of a 90 % interval in standard deviations of a Gaussian."""
TASK, PROBE = "aberrations", "probe"
"""Names of the network and of a kernel of its optics in a file of weights."""
SAME_OPTICS = 1e-4
"""Difference of a pixel that half precision makes."""


class Aberrations(ByKind):
    """The spectral likelihood of the coefficients from several starts; edges tell which way round the kernel lies.

    What is handed on is the mean kernel of the posterior; the parameters are the posterior's mean, with intervals. A
    network's coefficients are a start and, to a power, a prior; of its own kernel a share is handed on that noise sets.

    Args:
        family: Kernels of an aberrated objective.
        fit: Makes an :class:`~blurlab.likelihood.oriented.OrientedRefiner` of the family; None for the network alone,
            whose kernel and coefficients are then handed on as they are.
        head: Makes the network from its number of outputs; None for no network, unless a run trains it.
        weights: A file of the package's ``pipeline/weights`` by its name, or another's path.
        share: Of the network's own kernel in what is handed on, by noise; one curve, or one for each of the refiner's
            beliefs of sharp images' spectra, of which an image's is taken; none if None.
        widen: By what the halves of intervals are multiplied, in the same way; 1 if None.

    Raises:
        FileNotFoundError: If there is no such file of weights.
        ValueError: If the family is another, there is neither a likelihood nor a network, the curves are not as many as
            the beliefs, or the weights are those of another network or of other optics.
    """

    def __init__(
        self,
        family: BlurFamily,
        *,
        fit: Callable[[Zernike], OrientedRefiner] | None = OrientedRefiner,
        head: Callable[..., nn.Module] | None = None,
        weights: str | None = None,
        share: NoiseCurve | Sequence[NoiseCurve] | None = None,
        widen: NoiseCurve | Sequence[NoiseCurve] | None = None,
    ) -> None:
        if not isinstance(family, Zernike):
            raise ValueError(
                f"pipeline=aberrations fits an objective's polynomials, got {family.kinds[-1]}; use blur=zernike"
            )
        super().__init__(Mixture({family.kinds[0]: family}), 1.0)
        if fit is None and head is None:
            raise ValueError("pipeline.fit=null leaves a network alone; give it a head, as pipeline=aberrations_alone")
        self.refiner = None if fit is None else fit(family)
        self.target = AberrationTarget(family)
        self.share, self.widen = (self._curves(name, given) for name, given in (("share", share), ("widen", widen)))
        self.trained = head is not None and weights is None
        self.own = None if weights is None else _loaded(weights, head, self.target)

    def _curves(self, name: str, given: NoiseCurve | Sequence[NoiseCurve] | None) -> list[NoiseCurve]:
        """One curve for each belief, or none at all."""
        if given is not None and self.refiner is None:
            raise ValueError(f"{name} is of what a likelihood finds; without one leave it out, or give a fit")
        if given is None or self.refiner is None:
            return []
        count = len(self.refiner.refiners)
        curves = [given] * count if isinstance(given, NoiseCurve) else list(given)
        if len(curves) != count:
            raise ValueError(f"{name} must be one curve or {count}, as many as the priors, got {len(curves)}")
        return curves

    @property
    def tasks(self) -> tuple[Task, ...]:
        return (Task(TASK, self.target, self.family),) if self.trained else ()

    @property
    def finds_noise(self) -> bool:
        return self.refiner is not None

    def believed(self, y: Tensor, net: nn.Module | None = None) -> tuple[Hint, Tensor]:
        """What the network of the weights, or another, believes of images (B, C, H, W), and its kernels (B, 1, k, k).

        Raises:
            ValueError: If there is no network, or an image is constant, not finite or too small.
        """
        check_observed(y)
        net = self.own if net is None else net
        if net is None:
            raise ValueError("no network was given; choose weights, as those of pipeline=aberrations_network")
        told = self.target.read(net.to(y.device)(y))
        return Hint(told.mean.double(), told.root.double()), told.psf

    def identify(self, y: Tensor, nets: Mapping[str, nn.Module], risks: Mapping[str, RiskTable]) -> BlurEstimate:
        net = nets[TASK] if self.trained else self.own
        hint, own = (None, None) if net is None else self.believed(y, net)
        psf, params, best, half, sigma = self._found(y, hint, own)
        kind = torch.zeros(len(y), dtype=torch.long, device=y.device)
        none = torch.zeros(len(y), device=y.device)
        label = KindEstimate(
            kind=kind,
            probability=torch.ones(len(y), 1, device=y.device),
            strength_px=none,
            strength_map_px=none,
            strength_mean_px=none,
            interval_px=torch.full((len(y), 2), torch.nan, device=y.device),
            params=params,
            most_probable=by_parameters(self.family, best, kind),
            halfwidth=half,
        )
        label = replace(label, network_psf=own)
        return by_kernel(psf, torch.ones_like(kind, dtype=torch.bool), sigma, label)

    def _found(
        self, y: Tensor, hint: Hint | None, own: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor | None]:
        """Kernels, mean and likeliest coefficients, halves of intervals, and the noise where it was looked for."""
        if self.refiner is None:
            assert hint is not None and own is not None
            spread = torch.cholesky_inverse(hint.root).diagonal(dim1=1, dim2=2).sqrt()
            mean = hint.mean.to(y)
            return own.to(y), mean, self.family.within(mean), HALF90 * spread.to(y), None
        found = self.refiner(y, hint)
        psf, half = found.psf, HALF90 * found.covariance.diagonal(dim1=1, dim2=2).sqrt().to(y)
        if own is not None and self.share:
            psf = torch.lerp(psf, own.to(psf), at_noise(self.share, found).to(psf)[:, None, None, None])
        if self.widen:
            half = half * at_noise(self.widen, found).to(half)[:, None]
        return psf, found.params.to(y), found.best.to(y), half, found.sigma.to(y)


def at_noise(curves: Sequence[NoiseCurve], found: Posterior) -> Tensor:
    """What the curve of each image's prior says at its noise (B,)."""
    every = torch.stack([curve(found.sigma) for curve in curves], 1)
    return every.gather(1, found.prior[:, None])[:, 0]


class Optics(nn.Module):
    """A kernel of a family, which tells whether weights were made for its optics.

    Args:
        family: Of the objective.
    """

    psf: Tensor

    def __init__(self, family: Zernike) -> None:
        super().__init__()
        low, high = torch.tensor(family.bounds, dtype=torch.float64).T
        self.register_buffer("psf", family.psf((high - (high - low) * torch.linspace(0, 0.3, len(low)))[None]).float())


def _loaded(weights: str, head: Callable[..., nn.Module] | None, target: AberrationTarget) -> nn.Module:
    """A head with the weights of a file, in evaluation mode."""
    if head is None:
        raise ValueError(f"weights={weights} are a network's; give the head that they are of")
    stored, probe = load_nets(weights, (TASK,)), Optics(target.family).psf
    there = stored.get(PROBE, {}).get("psf")
    if there is None or there.shape != probe.shape or float((there - probe).abs().max()) > SAME_OPTICS:
        raise ValueError(
            f"weights={weights} were trained for other optics or polynomials than this blur's; "
            "use pipeline=aberrations, which needs no network"
        )
    net = head(num_classes=len(target))
    try:
        net.load_state_dict(stored[TASK])
    except (KeyError, RuntimeError) as error:
        said = " ".join(str(error).split())[:200]
        raise ValueError(f"{weights} holds another network; choose the options of its card ({said})") from error
    return net.eval()
