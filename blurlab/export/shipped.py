"""The networks that come with the package, ready to be exported for inputs of one size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d

from blurlab.core.rng import generator
from blurlab.deconvolver.laws import made_up
from blurlab.deconvolver.learned import load_weights
from blurlab.export.networks import FreeKernels, Naming, Restoring, ZernikeCoefficients
from blurlab.head import RepeatedStage, SpectrumAndEdges
from blurlab.pipeline import Aberrations, FreeKernel, Photograph
from blurlab.run.command.member import member
from blurlab.run.setup.build import build
from blurlab.run.stage.load import untrained

SIGMA, LENGTH_PX = 0.01, 9
"""Noise of the examples, and the length of their motion where no kernel is given."""


@dataclass(frozen=True)
class Sides:
    """What is fixed in a program.

    Attributes:
        image: Height and width, px.
        channels: Of the image.
        kernel: Side of the kernels that are undone or found, px.
    """

    image: tuple[int, int]
    channels: int
    kernel: int

    @property
    def shape(self) -> str:
        """Of an image, as it is written."""
        return f"(1, {self.channels}, {self.image[0]}, {self.image[1]})"


@dataclass(frozen=True)
class Made:
    """A network to be exported.

    Attributes:
        module: It, with what belongs before and after it.
        inputs: Examples.
        outputs: Names of what it gives.
        about: What a user must know to read them.
    """

    module: nn.Module
    inputs: tuple[Tensor, ...]
    outputs: tuple[str, ...]
    about: str


@dataclass(frozen=True)
class Network:
    """What there is to be exported.

    Attributes:
        weights: Its file, as ``blurlab weights`` calls it.
        make: Makes it ready.
        channels: Of images that it takes, the usual number first.
        has_kernel: Does it undo, or find, a kernel whose side is to be chosen?
    """

    weights: str
    make: Callable[[str, Sides], Made]
    channels: tuple[int, ...] = (1, 3)
    has_kernel: bool = False


def _naming(weights: str, sides: Sides) -> Made:
    identifier = untrained(weights=weights).pipeline.identifier
    assert isinstance(identifier, Photograph) and identifier.own is not None
    naming = Naming(identifier, identifier.own)
    about = f"y {sides.shape} to probability of {', '.join(naming.kinds)}, to parameters and halfwidth of "
    return _ready(naming, (_image(sides),), ("probability", "parameters", "halfwidth"), about + ", ".join(naming.names))


def _free_kernels(weights: str, sides: Sides) -> Made:
    identifier = build(member("pipeline", weights), build(member("blur", "gp_trajectory")))
    assert isinstance(identifier, FreeKernel)
    if isinstance(identifier.own, RepeatedStage):
        identifier = identifier.of_side(sides.kernel)
    size = identifier.target.size
    about = f"y {sides.shape} to kernel (1, 1, {size}, {size})"
    return _ready(FreeKernels(identifier), (_image(sides),), ("kernel",), about)


def _zernike(weights: str, sides: Sides) -> Made:
    identifier = Aberrations(build(member("blur", "zernike")), head=SpectrumAndEdges, weights=weights)
    made = ZernikeCoefficients(identifier)
    about = f"y {sides.shape} to coefficients {', '.join(made.names)} and their covariance, and to kernel"
    return _ready(made, (_image(sides),), ("coefficients", "covariance", "kernel"), about)


def _restoring(net: str, settings: Sequence[str] = ()) -> Callable[[str, Sides], Made]:
    def make(weights: str, sides: Sides) -> Made:
        learned = load_weights(build(member("deconvolver/net", net, settings)), weights)
        inputs = _image(sides, sides.kernel), _line(sides.kernel), torch.full((1,), SIGMA)
        about = f"y {sides.shape}, psf (1, 1, {sides.kernel}, {sides.kernel}) and sigma (1) to image"
        return _ready(Restoring(learned), inputs, ("image",), about)

    return make


def _ready(module: nn.Module, inputs: tuple[Tensor, ...], outputs: tuple[str, ...], about: str) -> Made:
    return Made(module.eval().requires_grad_(False), inputs, outputs, about)


def _image(sides: Sides, length_px: int = LENGTH_PX) -> Tensor:
    """Rectangles through :func:`_line`, with noise: in white noise no blur can be seen, and rounding decides."""
    draw, margin = generator("export", *sides.image), length_px - 1
    sharp = made_up(sides.channels, (sides.image[0] + margin, sides.image[1] + margin), generator=draw)
    y = conv2d(sharp, _line(length_px)).transpose(0, 1)
    return (y + SIGMA * torch.randn(y.shape, generator=draw)).clamp(0, 1)


def _line(length_px: int) -> Tensor:
    """A kernel (1, 1, length_px, length_px): along its middle row, and not the same from behind."""
    psf = torch.zeros(1, 1, length_px, length_px)
    psf[..., length_px // 2, :] = torch.arange(1, length_px + 1)
    return psf / psf.sum()


NETWORKS = {
    "naming": Network("photograph", _naming, channels=(3,)),
    "fundus": Network("fundus", _naming, channels=(3,)),
    "quotient17": Network("quotient17", _free_kernels),
    "quotient": Network("quotient", _free_kernels, has_kernel=True),
    "zernike": Network("zernike", _zernike),
    "unrolled_dr": Network("unrolled_dr_tiny", _restoring("unrolled_dr_tiny"), has_kernel=True),
    "wiener_stack": Network("wiener_stack", _restoring("wiener_stack"), has_kernel=True),
    "gilbert2019": Network("gilbert2019", _restoring("wiener_stack", ["channels=3"]), channels=(3,), has_kernel=True),
}
"""By the name that ``blurlab export`` takes. ``patch_prior``, the other file of weights, is a mixture of Gaussians."""
