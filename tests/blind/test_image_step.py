"""The l0 image step against its own objectives."""

from __future__ import annotations

import torch
from shaken import scene, shake
from torch import Tensor

from blurlab.blind.image_step import image_step, l0_image, strong
from blurlab.core.fourier import irfft2, psf_to_otf, rfft2
from blurlab.core.rng import generator
from blurlab.physics import Gradient

D = Gradient()
SHAPE = (40, 45)
WEIGHT, BETA = 4e-3, 0.05


def blurred(x: Tensor, psf: Tensor) -> Tensor:
    shape = (x.shape[-2], x.shape[-1])
    return irfft2(psf_to_otf(psf, shape) * rfft2(x), shape)


def observed() -> tuple[Tensor, Tensor]:
    psf = shake().double()
    y = blurred(scene(45)[..., :40, :].double(), psf)
    return y + 0.01 * torch.randn(y.shape, generator=generator("noise"), dtype=y.dtype), psf


def split_objective(x: Tensor, g: Tensor, y: Tensor, psf: Tensor) -> Tensor:
    """``|h * x - y|^2 + beta |grad x - g|^2 + weight |g|_0``."""
    misfit = (blurred(x, psf) - y).square().sum() + BETA * (D.A(x) - g).square().sum()
    return misfit + WEIGHT * (g.square().sum(2) > 0).sum()


def test_each_half_of_the_splitting_finds_its_minimum() -> None:
    y, psf = observed()
    otf = psf_to_otf(psf, SHAPE)
    g = strong(D.A(y), WEIGHT / BETA)
    x = image_step(g, otf.conj() * rfft2(y), otf.abs().square(), BETA).requires_grad_()
    split_objective(x, g, y, psf).backward()
    assert x.grad is not None and float(x.grad.abs().max()) < 1e-10  # stationary, and the objective is convex in x
    best = split_objective(x, strong(D.A(x), WEIGHT / BETA), y, psf)
    for threshold in (0.5, 0.9, 1.1, 2.0):  # no other set of gradients that stay is cheaper
        assert best <= split_objective(x, strong(D.A(x), threshold * WEIGHT / BETA), y, psf)


def test_the_image_explains_y_with_few_gradients() -> None:
    y, psf = observed()
    x = l0_image(y, psf, WEIGHT)

    def objective(u: Tensor) -> float:
        edges = (D.A(u).square().sum(2) > 0.02**2).sum()
        return float((blurred(u, psf) - y).square().sum() + WEIGHT * edges)

    assert objective(x) < 0.7 * objective(y)
    assert float((blurred(x, psf) - y).square().mean().sqrt()) < 0.03
