"""The most likely blur of an image: from a network's estimate, or from a grid and no network at all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from blurlab.blur import BlurFamily
from blurlab.core.checks import is_flat
from blurlab.likelihood.climb import maximise
from blurlab.likelihood.prior import SpectrumPrior, natural
from blurlab.likelihood.search import Catalogue, catalogue, search
from blurlab.likelihood.taper import multitaper
from blurlab.likelihood.whittle import Belief, Problem, State, make_problem, misfit

EPS = 1e-9


@dataclass(frozen=True)
class Fit:
    """The most likely kernel of each image, of one kind.

    Attributes:
        params: (B, P), float64, within the family's bounds.
        covariance: Of the parameters (B, P, P), the spectrum's and the noise's uncertainty included; 0 where fixed.
        sigma: Noise standard deviation found in the image (B,).
        log_likelihood: Penalised log-likelihood at the maximum (B,), up to a constant that all kinds share.
        log_evidence: Log-likelihood averaged over the parameters' ranges, by Laplace's approximation (B,).
        misfit: By how much the log-likelihood of a frequency falls short of the highest that any spectrum could have,
            on average over the frequencies (B,); 0 where the fitted spectrum is the observed one.
    """

    params: Tensor
    covariance: Tensor
    sigma: Tensor
    log_likelihood: Tensor
    log_evidence: Tensor
    misfit: Tensor


class Refiner:
    """Maximises the spectral likelihood of images in the parameters of one kind of blur.

    Args:
        family: One kind of blur; its bounds hold the estimate.
        prior: What is believed of sharp images' spectra; that of natural photographs if None.
        window: Side of the windows whose periodograms are averaged, px; smaller images are one window.
        hop: Distance between windows, px.
        tapers: Sine tapers along each axis.
        starts: Kernels of the grid from which a climb begins.
        iterations: Steps of Fisher scoring in each climb.
        levelled: Do windows count by what each tells of the blur
            (:func:`~blurlab.likelihood.taper.window_weight`), not all alike?

    Raises:
        ValueError: If the family has several kinds or a parameter that no image tells, or an option is too small.

    Example:
        >>> from blurlab.blur import Defocus, disk_psf
        >>> from blurlab.physics import Convolution
        >>> noise = torch.Generator().manual_seed(0)
        >>> x = torch.randn(1, 1, 140, 140, generator=noise).cumsum(-1).cumsum(-2)
        >>> x = 0.5 + 0.1 * (x - x.mean()) / x.std()
        >>> y = Convolution(disk_psf(torch.tensor([3.2]), 9), "valid").A(x)
        >>> fit = Refiner(Defocus([1, 5]))(y + 1e-3 * torch.randn(y.shape, generator=noise))
        >>> bool((fit.params - 3.2).abs() < 0.1)
        True
    """

    def __init__(
        self,
        family: BlurFamily,
        prior: SpectrumPrior | None = None,
        *,
        window: int = 64,
        hop: int = 32,
        tapers: int = 1,
        starts: int = 6,
        iterations: int = 12,
        levelled: bool = False,
    ) -> None:
        if len(family.kinds) != 1:
            raise ValueError(
                f"a Refiner fits one kind, got {', '.join(family.kinds)}; make one for each, then kind_probability"
            )
        hidden = [one.name for one in family.parameters if one.is_hidden]
        if hidden:
            raise ValueError(f"no image tells the {hidden[0]} of {family.kinds[0]}; fix it, or fit another blur")
        options = {"window": (window, 16), "hop": (hop, 1), "tapers": (tapers, 1), "starts": (starts, 1)}
        for name, (value, least) in {**options, "iterations": (iterations, 1)}.items():
            if value < least:
                raise ValueError(f"{name} must be at least {least}, got {value}")
        self.family = family
        self.prior = natural() if prior is None else prior
        self.window = window
        self.hop = hop
        self.tapers = tapers
        self.starts = starts
        self.iterations = iterations
        self.levelled = levelled
        self._catalogues: dict[int, Catalogue] = {}

    def catalogue(self, side: int) -> Catalogue:
        """The kernels to begin at, as windows of this side show them; made once for each side."""
        if side not in self._catalogues:
            self._catalogues[side] = catalogue(self.family, self.prior, side, self.tapers)
        return self._catalogues[side]

    def problem(self, y: Tensor) -> Problem:
        """The likelihood of observed images (B, C, H, W).

        Raises:
            ValueError: If an image is smaller than 16 px, not finite, or constant.
        """
        check_observed(y)
        side = min(self.window, *y.shape[-2:])
        observed = multitaper(y, side, self.hop, self.tapers, levelled=self.levelled)
        windows = y.shape[-2] * y.shape[-1] / side**2
        return make_problem(observed, self.family, self.prior, tapers=self.tapers, windows=windows)

    def __call__(self, y: Tensor, start: Tensor | None = None, spread: Tensor | None = None) -> Fit:
        """Fit the kernel of each image.

        With a spread the start is believed: the fit weighs it with the image, and begins at the best kernels of the
        grid besides.

        Args:
            y: Observed images (B, C, H, W) in [0, 1], at least 16 px on a side.
            start: Parameters (B, P) to begin at; the best of a grid if None.
            spread: Standard deviations (B, P) of what is believed; None where the start is no more than a start.

        Returns:
            The fit.

        Raises:
            ValueError: If an image is too small, constant or not finite.
        """
        problem = self.problem(y)
        if start is not None and spread is not None:
            problem = replace(problem, belief=Belief(start.double(), spread.double().clamp_min(EPS)))
        starts = [] if start is None else [start[:, None].double()]
        if not starts or problem.belief is not None:
            starts.append(search(problem, self.catalogue(problem.observed.shape[-2]), self.starts))
        return _fit(problem, *maximise(problem, torch.cat(starts, 1), self.iterations))


def kind_probability(fits: Sequence[Fit], weights: Sequence[float]) -> Tensor:
    """Probabilities of the kinds (B, K) from the fit of each and how often each is met.

    Args:
        fits: One for each kind, of the same images and with the same prior.
        weights: Prior probabilities of the kinds.
    """
    evidence = torch.stack([fit.log_evidence for fit in fits], 1)
    return (evidence + torch.tensor(weights).log().to(evidence)).softmax(1)


def check_observed(y: Tensor) -> None:
    """Raise where a spectrum says nothing.

    Raises:
        ValueError: If an image is smaller than 16 px, not finite, or constant.
    """
    if y.ndim != 4 or min(y.shape[-2:]) < 16:
        raise ValueError(f"images must be (B, C, H, W) of 16 px a side or more, got {tuple(y.shape)}")
    if not bool(torch.isfinite(y).all()):
        raise ValueError("an image has NaN or infinite values; its blur cannot be told")
    flat = is_flat(y).nonzero().flatten().tolist()
    if flat:
        raise ValueError(f"image {flat[0]} of the batch is constant or saturated; its blur cannot be told")


def _fit(problem: Problem, state: State, information: Tensor) -> Fit:
    free = problem.free
    count = len(free)
    for place, column in enumerate(free):
        low, high = problem.family.bounds[column]
        information[:, place, place] += 12 / (high - low) ** 2  # no parameter is less certain than its range
    scaled = information.diagonal(dim1=1, dim2=2).clamp_min(EPS).sqrt()
    whole = information / (scaled[:, :, None] * scaled[:, None, :]) + EPS * torch.eye(len(scaled[0])).to(information)
    inverse = torch.linalg.inv(whole) / (scaled[:, :, None] * scaled[:, None, :])
    covariance = state.params.new_zeros(len(state.params), state.params.shape[1], state.params.shape[1])
    rows = torch.tensor(free, dtype=torch.long, device=covariance.device)
    covariance[:, rows[:, None], rows] = inverse[:, :count, :count]
    log_det = torch.linalg.slogdet(whole).logabsdet + 2 * scaled.log().sum(1)
    evidence = -state.value - 0.5 * log_det + 0.5 * count * math.log(2 * math.pi) - _log_volume(problem)
    sigma = (state.log_noise / 2).exp()
    return Fit(state.params, covariance, sigma, -state.value, evidence, misfit(problem, state.expected))


def _log_volume(problem: Problem) -> Tensor | float:
    """Log of what the kernel's prior must be divided by: the volume of its ranges, or that of a Gaussian belief."""
    if problem.belief is not None:
        return (problem.belief.spread[:, problem.free] * math.sqrt(2 * math.pi)).log().sum(1)
    return sum(math.log(high - low) for low, high in (problem.family.bounds[place] for place in problem.free))
