"""The rules' closed forms against dense matrices, left-out pixels and drawn noise."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from blurlab.core.fourier import irfft2, psf_to_otf, rfft2
from blurlab.deconvolver.laws import kernels, made_up
from blurlab.deconvolver.linear_rule import (
    discrepancy,
    gcv,
    image_energy,
    lowest,
    residual_and_rest,
    sure,
    tikhonov_weight,
)
from blurlab.physics import Gradient

SHAPE = (6, 7)
N = SHAPE[0] * SHAPE[1]
WEIGHT = 0.02


def dense(function) -> Tensor:
    """Matrix (N, N) of a linear map of images (N, 1, H, W)."""
    return function(torch.eye(N, dtype=torch.float64).reshape(N, 1, *SHAPE)).reshape(N, -1).T


@pytest.fixture
def scene() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(2)
    otf = psf_to_otf(kernels(4)[3:].double(), SHAPE)
    blur = dense(lambda x: irfft2(otf * rfft2(x), SHAPE))
    gradient = dense(lambda x: Gradient().A(x)[:, :, 0]), dense(lambda x: Gradient().A(x)[:, :, 1])
    x = made_up(1, SHAPE, generator=generator).double().flatten()
    y = blur @ x + 0.05 * torch.randn(N, generator=generator, dtype=torch.float64)
    penalty = Gradient().power(SHAPE, like=y)
    left = WEIGHT * penalty / (otf.abs().square() + WEIGHT * penalty)
    curvature = sum(d.T @ d for d in gradient)
    return {"otf": otf, "blur": blur, "curvature": curvature, "x": x, "y": y, "penalty": penalty, "left": left}


def numbers(scene: dict[str, Tensor], y: Tensor) -> tuple[Tensor, Tensor]:
    return residual_and_rest(image_energy(y.reshape(-1, 1, *SHAPE)), scene["left"], SHAPE)


def test_residual_and_rest_are_those_of_the_matrix(scene: dict[str, Tensor]) -> None:
    blur = scene["blur"]
    hat = blur @ torch.linalg.solve(blur.T @ blur + WEIGHT * scene["curvature"], blur.T)
    residual, rest = numbers(scene, scene["y"])
    expected = (scene["y"] - hat @ scene["y"]).square().mean()
    torch.testing.assert_close(residual.squeeze(), expected)
    torch.testing.assert_close(rest.squeeze(), 1 - hat.trace() / N)


def test_cross_validation_is_leaving_out_each_pixel_in_turn(scene: dict[str, Tensor]) -> None:
    errors = []
    for i in range(N):
        others = [j for j in range(N) if j != i]
        blur, y = scene["blur"][others], scene["y"][others]
        u = torch.linalg.solve(blur.T @ blur + WEIGHT * scene["curvature"], blur.T @ y)
        errors.append((scene["blur"][i] @ u - scene["y"][i]).square())
    torch.testing.assert_close(gcv(*numbers(scene, scene["y"])).squeeze(), torch.stack(errors).mean())


def test_stein_is_unbiased(scene: dict[str, Tensor]) -> None:
    sigma, draws = 0.05, 20000
    clean = scene["blur"] @ scene["x"]
    noise = sigma * torch.randn(draws, N, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    estimate = sure(*numbers(scene, clean + noise), torch.tensor(sigma**2)).flatten()
    blur = scene["blur"]
    hat = blur @ torch.linalg.solve(blur.T @ blur + WEIGHT * scene["curvature"], blur.T)
    risk = ((clean + noise) @ hat.T - clean).square().mean(1)
    spread = float((estimate - risk).std()) / draws**0.5
    assert abs(float((estimate - risk).mean())) < 4 * spread
    assert 4 * spread < 0.1 * float(risk.mean())


@pytest.mark.parametrize("rule", ["gcv", "discrepancy", "sure"])
def test_the_weight_has_the_least_score_of_a_fine_grid(scene: dict[str, Tensor], rule: str) -> None:
    y = scene["y"].reshape(1, 1, *SHAPE)
    sigma = torch.full((1, 1, 1, 1), 0.05, dtype=torch.float64)
    power, energy = scene["otf"].abs().square(), image_energy(y - y.mean())
    scores = {}
    for exponent in torch.linspace(-6, 2, 801).tolist():
        left = 10**exponent * scene["penalty"] / (power + 10**exponent * scene["penalty"])
        residual, rest = residual_and_rest(energy, left, SHAPE)
        score = {
            "gcv": lambda r, t: gcv(r, t),
            "discrepancy": lambda r, t: discrepancy(r, sigma**2),
            "sure": lambda r, t: sure(r, t, sigma**2),
        }[rule](residual, rest)
        scores[exponent] = float(score)
    best = min(scores, key=lambda exponent: scores[exponent])
    assert -6 < best < 2
    came = tikhonov_weight(energy, scene["otf"], scene["penalty"], sigma, rule, SHAPE)
    assert float(came.log10()) == pytest.approx(best, abs=0.03)


def test_each_image_has_a_weight_of_its_own(scene: dict[str, Tensor]) -> None:
    energy = image_energy(scene["y"].reshape(1, 1, *SHAPE))
    sigma = torch.tensor([0.02, 0.2], dtype=torch.float64).reshape(2, 1, 1, 1)
    otf = scene["otf"].expand(2, -1, -1, -1)
    two = tikhonov_weight(torch.cat([energy, energy]), otf, scene["penalty"], sigma, "sure", SHAPE)
    one = tikhonov_weight(energy, otf[:1], scene["penalty"], sigma[:1], "sure", SHAPE)
    assert float(two[1]) > 2 * float(two[0])
    assert torch.equal(two[:1], one)


def test_an_end_of_the_range_can_be_lowest() -> None:
    ends = lowest(lambda x: x * torch.tensor([1.0, -1.0]), torch.zeros(2), torch.ones(2))
    torch.testing.assert_close(ends, torch.tensor([0.0, 1.0]), atol=1e-3, rtol=0)
