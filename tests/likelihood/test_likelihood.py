"""The spectral likelihood: its tapers, its expectation, its slopes, and the kernels it finds."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from fields import FAMILIES, field, observe
from torch import Tensor

from blurlab.blur import BlurFamily, Defocus, Gaussian, Motion, NoBlur
from blurlab.core.rng import generator
from blurlab.likelihood import Refiner, flat, kind_probability, natural, prior_from
from blurlab.likelihood.climb import maximise, step
from blurlab.likelihood.taper import leak, leakage, multitaper
from blurlab.likelihood.whittle import evaluate, guess, make_problem, otf_power
from blurlab.physics import Convolution


@pytest.mark.parametrize(("window", "tapers"), [(32, 1), (33, 2)])
def test_white_noise_has_its_variance_at_every_frequency(window: int, tapers: int) -> None:
    y = 0.1 * torch.randn(200, 2, window + 9, window + 5, generator=generator("white"))
    power = multitaper(y, window, window, tapers)
    assert power.shape == (200, window, window // 2 + 1)
    assert power.mean(0)[4:-4, 4:].mean().item() == pytest.approx(0.01, rel=0.01)
    flat_power = torch.full((window, window // 2 + 1), 0.01, dtype=torch.float64)
    if window % 2 == 0:  # irfft2 is given even sides
        assert torch.allclose(leak(flat_power, leakage(window, tapers)), flat_power)


def test_expectation_with_leakage_is_the_mean_periodogram() -> None:
    side, family = 64, Defocus([1, 8])
    params = torch.full((400, 1), 4.0, dtype=torch.float64)
    white = torch.randn(400, 1, 2 * side, 2 * side, generator=generator("many"), dtype=torch.float64)
    y = Convolution(family.psf(params), "circular").A(white)[..., :side, :side]
    mean = multitaper(y, side, side, 1).mean(0)
    expected = leak(otf_power(family.psf(params[:1]), side), leakage(side, 1))[0]
    inside = expected > 1e-3
    inside[:3, :3] = inside[-2:, :3] = False
    off = (mean / expected)[inside].log().abs()
    unleaked = (mean / otf_power(family.psf(params[:1]), side)[0])[inside].log().abs()
    assert off.mean() < 0.06 and unleaked.mean() > 2 * off.mean() and unleaked.max() > 1


def test_power_of_a_kernel_wider_than_the_grid_is_that_of_its_frequencies() -> None:
    psf = Gaussian([4, 5], size=41).psf(torch.tensor([[4.0]], dtype=torch.float64))
    wide = torch.fft.rfft2(torch.nn.functional.pad(psf[0, 0], (0, 23, 0, 23))).abs().square()
    assert torch.allclose(otf_power(psf, 32)[0], wide[::2, ::2], atol=1e-12)


@pytest.mark.parametrize("kind", FAMILIES)
def test_score_and_step_agree_with_autograd(kind: str) -> None:
    family, params = FAMILIES[kind]
    y = observe(family, torch.tensor([params]), 64)
    problem = make_problem(multitaper(y, 64, 32, 1), family, natural(), tapers=1, windows=1.0)
    state = guess(problem, torch.tensor([params], dtype=torch.float64) * 1.02)
    leaves = [value.clone().requires_grad_() for value in (state.params, state.smooth, state.log_noise)]
    gradients = torch.autograd.grad(evaluate(problem, *leaves).value.sum(), leaves)
    damping = torch.full((1,), 1e9, dtype=torch.float64)  # a step along the scaled gradient
    new, information = step(problem, state, damping)
    diagonal = information.diagonal(dim1=1, dim2=2)[0] * 1e9
    moved = torch.cat([(new.params - state.params)[0], (new.smooth - state.smooth)[0], new.log_noise - state.log_noise])
    score = -torch.cat([value.flatten() for value in gradients])
    assert torch.allclose(moved * diagonal, score, rtol=1e-3, atol=1e-3 * float(score.abs().max()))


@pytest.mark.parametrize(("kind", "error"), [("defocus", [0.05]), ("motion", [0.15, 1.0]), ("gaussian", [0.25])])
def test_finds_the_kernel_of_a_field_without_a_start(kind: str, error: list[float]) -> None:
    family, params = FAMILIES[kind]
    fit = Refiner(family)(observe(family, torch.tensor([params] * 4), 128))
    off = (fit.params - torch.tensor(params)).abs()
    assert (off.median(0).values <= torch.tensor(error)).all(), off
    sd = fit.covariance.diagonal(dim1=1, dim2=2).sqrt()
    assert (off <= 6 * sd).all() and (sd < 0.5).all()
    assert (fit.sigma.log() - torch.tensor(1e-3).log()).abs().max() < 0.7


def test_a_start_is_refined_and_a_batch_is_its_items() -> None:
    family = Defocus([1, 8])
    y = observe(family, torch.tensor([[2.0], [5.5], [7.0]]), 96)
    refiner = Refiner(family)
    fit = refiner(y, torch.tensor([[2.2], [5.3], [7.2]]))
    assert (fit.params[:, 0] - torch.tensor([2.0, 5.5, 7.0])).abs().max() < 0.06
    alone = [refiner(one[None], start[None]) for one, start in zip(y, torch.tensor([[2.2], [5.3], [7.2]]), strict=True)]
    assert torch.allclose(torch.cat([one.params for one in alone]), fit.params, atol=1e-3)


def test_where_the_blur_is_out_of_range_the_rest_is_fitted_at_the_bound() -> None:
    family = Gaussian([0.5, 3])
    y = observe(Gaussian([3.6, 3.6]), torch.tensor([[3.6]]), 96)
    problem = make_problem(multitaper(y, 64, 32, 1), family, natural(), tapers=1, windows=1.0)
    state, _ = maximise(problem, torch.tensor([[2.5]], dtype=torch.float64))
    leaves = [state.smooth.clone().requires_grad_(), state.log_noise.clone().requires_grad_()]
    slopes = torch.cat([part.flatten() for part in torch.autograd.grad(
        evaluate(problem, state.params, *leaves).value.sum(), leaves
    )])  # fmt: skip
    assert state.params.item() == 3.0 and slopes.abs().max() < 0.1


def test_several_starts_give_the_best_of_their_climbs() -> None:
    family = Motion([3, 20], [0, 180])
    y = observe(family, torch.tensor([[9.0, 40.0], [14.0, 120.0]]), 96)
    problem = make_problem(multitaper(y, 64, 32, 1), family, natural(), tapers=1, windows=1.0)
    starts = torch.tensor([[[5.0, 90], [9.3, 41], [18, 40]], [[14.5, 119], [6, 20], [3, 120]]], dtype=torch.float64)
    state, information = maximise(problem, starts)
    alone = torch.stack([maximise(problem, starts[:, place])[0].value for place in range(3)], 1)
    assert (state.value <= alone.amin(1) + 1e-3).all() and (state.value < alone.amax(1) - 1).all()
    assert information.shape == (2, 11, 11) and (state.params[:, 0] - torch.tensor([9.0, 14.0])).abs().max() < 0.2


def test_a_line_within_its_row_has_no_angle_and_a_length_nevertheless() -> None:
    family = Motion([3, 20], [0, 180])  # 6 px at 3 degrees: no pixel of it lies outside the middle row
    fit = Refiner(family)(observe(family, torch.tensor([[6.0, 3.0]]), 96))
    length, angle = fit.covariance[0].diagonal().sqrt().tolist()
    assert 30 < angle < 60 and length < 1, (length, angle)


def test_the_softness_of_sharp_photographs_is_not_taken_for_blur() -> None:
    soft, truth = Gaussian([0.5, 0.5]), torch.tensor([[0.9]])
    family = Gaussian([0.5, 3])
    x = field(6, 160)
    soft_x = Convolution(soft.psf(torch.full((6, 1), 0.5, dtype=torch.float64)), "valid").A(x)
    y = Convolution(family.psf(truth.double().expand(6, 1)), "valid").A(soft_x)
    y = y + 1e-3 * torch.randn(y.shape, generator=generator("noise"), dtype=y.dtype)
    found = {px: Refiner(family, replace(natural(), softness_px=px))(y).params.mean() for px in (0.0, 0.5)}
    assert abs(found[0.5] - 0.9) < 0.1 and found[0.0] - found[0.5] > 0.05, found


def test_the_kind_is_told_by_its_evidence() -> None:
    kinds: list[BlurFamily] = [NoBlur(), Defocus([0.5, 5]), Motion([1, 10], 0)]
    refiners = [Refiner(family) for family in kinds]
    seen = [
        observe(NoBlur(), torch.zeros(2, 0), 128),
        observe(kinds[1], torch.tensor([[1.5], [3.0]]), 128),
        observe(kinds[2], torch.tensor([[3.0, 0.0], [8.0, 0.0]]), 128),
    ]
    for truth, y in enumerate(seen):
        probability = kind_probability([refiner(y) for refiner in refiners], [1 / 3] * 3)
        assert torch.allclose(probability.sum(1), torch.ones(2, dtype=torch.float64))
        assert probability.argmax(1).tolist() == [truth] * 2, probability


def test_prior_of_fitted_coefficients_and_of_nothing() -> None:
    coefficients = torch.randn(50, 8, generator=generator("prior"), dtype=torch.float64)
    prior = prior_from(coefficients, softness_px=0.3, weight=1.0, freedom=4.0)
    covariance = torch.linalg.inv(prior.precision)
    assert torch.allclose(covariance[1:, 1:], torch.cov(coefficients.T)[1:, 1:]) and covariance[0, 0] > 100
    assert flat().precision.diagonal()[1:].max() < 0.1 < natural().precision.diagonal()[1:].min()


def test_angles_go_round_and_lengths_stop() -> None:
    family = Motion([3, 20], [0, 180])
    brought = family.within(torch.tensor([[2.0, -10.0], [25.0, 190.0]]))
    assert brought.tolist() == [[3.0, 170.0], [20.0, 10.0]]
    assert Motion([3, 20], [30, 60]).within(torch.tensor([[5.0, 80.0]])).tolist() == [[5.0, 60.0]]


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (torch.full((1, 1, 64, 64), 0.3), "image 0 of the batch is constant"),
        (torch.full((1, 1, 64, 64), torch.nan), "NaN"),
        (torch.rand(1, 1, 12, 64), "16 px a side or more"),
    ],
)
def test_images_that_say_nothing_are_refused(image: Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Refiner(Defocus([1, 8]))(image)


def test_one_refiner_fits_one_kind() -> None:
    from blurlab.blur import Mixture

    with pytest.raises(ValueError, match="one kind, got none, defocus"):
        Refiner(Mixture({"none": NoBlur(), "defocus": Defocus([1, 2])}))


def test_a_problem_is_not_changed_by_its_use() -> None:
    family = Defocus([1, 8])
    y = observe(family, torch.tensor([[3.0]]), 64)
    problem = make_problem(multitaper(y, 64, 32, 1), family, natural(), tapers=1, windows=1.0)
    before = replace(problem, observed=problem.observed.clone(), weight=problem.weight.clone())
    step(problem, guess(problem, torch.tensor([[2.5]], dtype=torch.float64)), torch.zeros(1, dtype=torch.float64))
    assert torch.equal(problem.observed, before.observed) and torch.equal(problem.weight, before.weight)
