"""Which way round a kernel lies, from edges; and the posterior of an objective's coefficients."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from blurlab.blur import Zernike
from blurlab.likelihood import OrientedRefiner, Refiner, detailed, natural
from blurlab.likelihood.hint import Hint
from blurlab.likelihood.oriented import Population
from blurlab.likelihood.phase import phase_evidence, sight
from blurlab.likelihood.prior import TERMS
from blurlab.metric import psf_snr
from blurlab.physics import Convolution

FAMILY = Zernike(pixel_nm=100)
EVIDENCE = torch.tensor([1.0, 2, 3, 4])
COMA = torch.tensor([[0.05, 0.02, -0.03, 0.12, -0.08, 0.05, 0.1]], dtype=torch.float64)


def scene(seed: int, side: int) -> Tensor:
    """Discs one upon another, of sizes that follow a power law as those in photographs do (1, 1, side, side)."""
    draw = torch.Generator().manual_seed(seed)
    place = torch.arange(side, dtype=torch.float32)
    image = torch.full((side, side), 0.5)
    for _ in range(300):
        row, col, size, level = torch.rand(4, generator=draw).tolist()
        inside = (place[:, None] - row * side) ** 2 + (place - col * side) ** 2 < (3 / (0.03 + size)) ** 2
        image = torch.where(inside, 0.1 + 0.8 * level, image)
    return image[None, None]


def seen(params: Tensor, sigma: float, seed: int = 0) -> Tensor:
    sharp = scene(seed, 190)
    y = Convolution(FAMILY.psf(params).float(), "valid").forward(sharp)
    return y + sigma * torch.randn(y.shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("sigma", [0.001, 0.01, 0.03])
def test_edges_tell_a_kernel_from_its_reverse(sigma: float) -> None:
    smooth, noise = natural().mean, torch.tensor(sigma**2, dtype=torch.float64).log()
    for seed in range(3):
        y, psf = seen(COMA, sigma, seed), FAMILY.psf(COMA)[0].float()
        shown = sight(y[0, 0], psf[0], smooth, noise, 0.5)
        straight, turned = phase_evidence(shown, psf)
        assert float(straight - turned) > 0.02
        swapped = phase_evidence(shown, psf.flip(-2, -1))
        torch.testing.assert_close(torch.cat(swapped), torch.cat([turned, straight]), rtol=1e-3, atol=1e-3)


def test_a_symmetric_kernel_has_no_orientation() -> None:
    even = COMA.clone()
    even[:, 3:] = 0
    shown = sight(seen(even, 0.01)[0, 0], FAMILY.psf(even)[0, 0].float(), natural().mean, torch.tensor(-9.0), 0.5)
    straight, turned = phase_evidence(shown, FAMILY.psf(even)[0].float())
    assert float((straight - turned).abs()) < 1e-3


def test_noise_makes_the_grid_coarser() -> None:
    y, psf, smooth = seen(COMA, 0.0)[0, 0], FAMILY.psf(COMA)[0, 0].float(), natural().mean
    fine, coarse = (sight(y, psf, smooth, torch.tensor(sigma).log() * 2, 0.5).shape for sigma in (0.001, 0.2))
    assert max(coarse) < max(fine) <= 160


def test_the_posterior_finds_kernel_noise_and_orientation_without_a_start() -> None:
    refiner = OrientedRefiner(FAMILY, starts=6, draws=48)
    for params in (COMA, FAMILY.reversed(COMA)):
        found = refiner(seen(params, 0.003))
        assert float(psf_snr(found.psf, FAMILY.psf(params).float())) > 12
        assert float(found.sigma[0]) == pytest.approx(0.003, rel=0.2)
        torch.testing.assert_close(found.psf.sum(), torch.tensor(1.0))


def test_images_of_a_batch_are_fitted_as_they_are_alone() -> None:
    refiner = OrientedRefiner(FAMILY, starts=2, iterations=3, draws=8)
    y = torch.cat([seen(COMA, 0.01, 1), seen(COMA, 0.01, 2)])
    both, alone = refiner(y), refiner(y[1:])
    torch.testing.assert_close(both.psf[1:], alone.psf, rtol=0, atol=1e-6)


def test_a_hint_gives_starts_and_weights() -> None:
    refiner = OrientedRefiner(FAMILY, starts=1, iterations=6, draws=24, trust=1.0, strength=0.0)
    y, precise = seen(COMA, 0.05), 200 * torch.eye(7, dtype=torch.float64)[None]
    straight, turned = (psf_snr(refiner(y, Hint(mean, precise)).psf, FAMILY.psf(COMA).float())
                        for mean in (COMA, FAMILY.reversed(COMA)))  # fmt: skip
    assert float(straight) > float(turned) + 5
    _, (drawn,) = refiner.populations(y, Hint(COMA, precise))
    assert float(drawn.told.argmax()) < 24  # as they lie, not their reversed twins
    untold = refiner.populations(y)[1][0].told
    assert not bool(untold.any())


def test_without_strength_both_ways_round_weigh_the_same() -> None:
    psf = torch.rand(2, 3, 3, generator=torch.Generator().manual_seed(0))
    drawn = Population(torch.eye(2).repeat(2, 1), torch.cat([psf, psf.flip(-2, -1)]), EVIDENCE, 0 * EVIDENCE)
    mean, *_, turned = drawn.weighed(0.0)
    torch.testing.assert_close(mean, mean.flip(-2, -1))
    assert float(turned) == 0.5
    assert float(drawn.weighed(5.0)[4]) < 1e-4


def test_details_explain_what_smooth_terms_cannot() -> None:
    prior = detailed()
    assert prior.terms(64).shape == (len(TERMS) + 40, 64, 33)
    with pytest.raises(ValueError, match="64 px windows, got 32"):
        Refiner(FAMILY, prior, window=32).problem(torch.rand(1, 1, 64, 64))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"draws": 1}, "draws must be 2"),
        ({"strength": -1}, "strength and floor >= 0"),
        ({"trust": -0.1}, "trust and temper >= 0"),
        ({"temper": -1}, "trust and temper >= 0"),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        OrientedRefiner(FAMILY, **options)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="every coefficient must have a range"):
        OrientedRefiner(Zernike([0.1, 0.0], [4, 7], pixel_nm=100))
