"""Rules that choose the weight: what they depend on, what they do not, and what they reach."""

from __future__ import annotations

import pytest
import torch
from fast_set import first_fast
from torch import Tensor

from blurlab.deconvolver import TV, Discrepancy, Fixed, FromGradient, ImplicitTV, Sure, WeightRule
from blurlab.deconvolver.laws import kernels, made_up
from blurlab.deconvolver.weight import coefficients, features, weight_rule
from blurlab.physics import Convolution

RULES: dict[str, WeightRule] = {
    "fixed": Fixed(1e-3), "from_gradient": FromGradient(), "discrepancy": Discrepancy(), "sure": Sure(),
}  # fmt: skip
SIGMA = torch.tensor([0.004, 0.01, 0.02]).reshape(-1, 1, 1, 1)


def data() -> tuple[Tensor, Tensor, Tensor]:
    """Sharp and observed images (3, 1, 48, 44), and kernels."""
    generator = torch.Generator().manual_seed(2)
    wide, psf = made_up(3, (52, 48), generator=generator), kernels(3)
    y = Convolution(psf, "valid").A(wide)
    return wide[..., 2:-2, 2:-2], y + SIGMA * torch.randn(y.shape, generator=generator), psf


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())
def test_a_weight_per_image_whatever_the_batch(rule: WeightRule) -> None:
    _, y, psf = data()
    solve = TV(iterations=20).blur_again
    together = rule.choose(y, psf, SIGMA, solve)
    assert together.shape == (3, 1, 1, 1) and (together > 0).all()
    alone = [rule.choose(y[i : i + 1], psf[i : i + 1], SIGMA[i : i + 1], solve) for i in range(3)]
    torch.testing.assert_close(together, torch.cat(alone), rtol=1e-4, atol=0)


def test_the_default_rises_with_noise_and_falls_with_gradients() -> None:
    _, y, psf = data()
    weight = FromGradient().choose(y, psf, SIGMA)
    torch.testing.assert_close(FromGradient(2.0).choose(y, psf, SIGMA), 2 * weight)
    assert (FromGradient().choose(y, psf, 2 * SIGMA) > 1.5 * weight).all()
    assert (FromGradient().choose(0.5 + 0.3 * (y - 0.5), psf, 0.3 * SIGMA) != weight).all()
    assert coefficients()["gradient"] < 0 < coefficients()["sigma"]


def test_features_are_of_the_photograph_not_of_its_noise() -> None:
    generator = torch.Generator().manual_seed(0)
    x = made_up(2, (120, 120), generator=generator)
    psf, sigma = kernels(2), torch.full((2, 1, 1, 1), 0.02)
    clean = Convolution(psf, "reflect").A(x)
    noisy = clean + sigma * torch.randn(clean.shape, generator=generator)
    quiet = features(clean, psf, torch.full_like(sigma, 1e-6))["gradient"]
    loud, said = features(noisy, psf, sigma)["gradient"], features(noisy, psf, torch.full_like(sigma, 1e-6))["gradient"]
    assert ((said - quiet) > 0.9).all() and ((loud - quiet).abs() < 0.7 * (said - quiet)).all()
    torch.testing.assert_close(features(noisy.mT, psf.mT, sigma), features(noisy, psf, sigma), rtol=1e-4, atol=1e-4)


def test_a_flat_image_has_a_weight() -> None:
    for rule in (FromGradient(), Discrepancy(), Sure()):
        weight = rule.choose(
            torch.full((1, 1, 30, 30), 0.5), kernels(1), torch.full((1, 1, 1, 1), 1e-4), TV().blur_again
        )
        assert torch.isfinite(weight).all() and weight > 0


def test_discrepancy_leaves_as_much_as_it_is_told() -> None:
    _, y, psf = data()
    solver = TV(iterations=100, tolerance=1e-5)
    for share in (0.9, 1.0):
        weight = Discrepancy(share).choose(y, psf, SIGMA, solver.blur_again)
        left = (solver.blur_again(y, psf, weight) - y).square().mean(dim=(1, 2, 3))
        torch.testing.assert_close(left, share * SIGMA.flatten().square(), rtol=0.02, atol=0)


def test_sure_is_near_the_least_error_of_the_blurred_image() -> None:
    _, y, psf = data()
    generator = torch.Generator().manual_seed(2)
    clean = Convolution(psf, "valid").A(made_up(3, (52, 48), generator=generator))
    solver = TV(iterations=60, tolerance=1e-5)

    def error(weight: Tensor) -> Tensor:
        return (solver.blur_again(y, psf, weight) - clean).square().mean(dim=(1, 2, 3))

    chosen = Sure().choose(y, psf, SIGMA, solver.blur_again)
    assert (error(chosen) < 1.1 * torch.stack([error(f * chosen) for f in (0.1, 0.3, 3.0, 10.0)]).amin(0)).all()


@pytest.mark.parametrize("solver", first_fast([TV, ImplicitTV]))
def test_solvers_take_none_a_number_or_a_rule(solver: type) -> None:
    _, y, psf = data()
    sigma = SIGMA.flatten()
    number = solver(weight=2e-3)(y, psf, sigma).image
    assert torch.equal(number, solver(weight=Fixed(2e-3))(y, psf, sigma).image)
    assert torch.equal(solver()(y, psf, sigma).image, solver(weight=FromGradient())(y, psf, sigma).image)
    assert not torch.equal(number, solver(weight=Discrepancy())(y, psf, sigma).image)


def test_options_of_rules_that_cannot_be() -> None:
    for make in (lambda: Fixed(0.0), lambda: weight_rule(20.0), lambda: weight_rule(True)):
        with pytest.raises(ValueError, match="weight must be a number"):
            make()
    with pytest.raises(ValueError, match="share must be"):
        Discrepancy(0.0)
    with pytest.raises(ValueError, match="probe must be"):
        Sure(0.0)
    with pytest.raises(ValueError, match="factor must be"):
        FromGradient(-1.0)
