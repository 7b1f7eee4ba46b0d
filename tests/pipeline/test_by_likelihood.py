"""Identification by the likelihood: what an identifier owes the rest, with and without a network."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from blurlab.blur import Defocus, Gaussian, Mixture, Motion, NoBlur, Taps
from blurlab.core.rng import generator
from blurlab.deconvolver import Wiener
from blurlab.likelihood import caution
from blurlab.physics import Convolution
from blurlab.pipeline import Likelihood, Pipeline

FAMILY = Mixture({"none": NoBlur(), "defocus": Defocus([1, 6]), "motion": Motion([3, 12], [0, 180])})
TRUTH = torch.tensor([[torch.nan] * 3, [3.0, torch.nan, torch.nan], [torch.nan, 8.0, 40.0]])
KIND = torch.tensor([0, 1, 2])


def observed(family: Mixture = FAMILY, truth: Tensor = TRUTH, kind: Tensor = KIND) -> Tensor:
    size = 2 * (128 + family.size)
    down = torch.fft.fftfreq(size, dtype=torch.float64)[:, None]
    rho = (down**2 + torch.fft.rfftfreq(size, dtype=torch.float64) ** 2).sqrt().clamp_min(1 / size)
    white = torch.randn(3, 1, size, size, generator=generator("scene"), dtype=torch.float64)
    x = torch.fft.irfft2(torch.fft.rfft2(white) * rho**-1.2, s=(size, size))[..., : size // 2, : size // 2]
    x = 0.5 + 0.15 * (x - x.mean((-2, -1), keepdim=True)) / x.std((-2, -1), keepdim=True)
    y = Convolution(family.psf(truth.double(), kind), "valid").A(x)
    return (y + 1e-3 * torch.randn(y.shape, generator=generator("n"), dtype=y.dtype)).float()


def test_names_and_measures_without_a_network() -> None:
    found = Pipeline(Likelihood(FAMILY), {}, {}, Wiener()).identify(observed())
    assert found.kind.tolist() == KIND.tolist()
    assert torch.equal(found.params.isnan(), TRUTH.isnan())
    assert (found.params - TRUTH).nan_to_num().abs().amax(0).tolist() == pytest.approx([0, 0, 0], abs=1.0)
    assert (found.strength_px - torch.tensor([0.0, 6.0, 8.0])).abs().max() < 0.3
    low, high = found.interval_px[1:].unbind(1)
    assert (low < found.strength_px[1:]).all() and (found.strength_px[1:] < high).all()
    assert found.interval_px[0].isnan().all()
    assert torch.equal(found.psf, FAMILY.psf(found.params, found.kind))
    assert found.sigma is not None and (found.sigma[1:].log() - torch.tensor(1e-3).log()).abs().max() < 1


def test_a_smaller_gaussian_is_handed_on_than_is_the_most_likely() -> None:
    family = Mixture({"none": NoBlur(), "gaussian": Gaussian([0.5, 4])})
    truth, kind = torch.tensor([[torch.nan], [0.55], [2.5]]), torch.tensor([0, 1, 1])
    y = observed(family, truth, kind)
    found = Likelihood(family).identify(y, {}, {})
    assert found.kind.tolist() == kind.tolist() and found.strength_px[0] == found.strength_map_px[0] == 0
    half = found.interval_px[1:, 1] - found.strength_map_px[1:]
    less = found.strength_map_px[1:] - found.strength_px[1:]
    assert 0.3 < caution("sigma_px") < 1 and caution("length_px") < 0.3 and caution("width_px") == 0
    assert less[1].item() == pytest.approx(caution("sigma_px") * half[1].item(), rel=1e-4)
    assert found.strength_px[1] == found.strength_map_px[1] == 0.5  # never below the range
    assert torch.equal(found.params[1:, 0], found.strength_map_px[1:])
    assert torch.equal(found.psf_map, family.psf(found.params, found.kind))
    assert torch.equal(found.psf[1:], family.psf(found.strength_px[1:, None], found.kind[1:]))
    assert torch.equal(found.psf[0], found.psf_map[0])


def test_the_kernel_handed_on_is_smaller_where_the_strength_is_less_certain() -> None:
    identifier = Likelihood(Mixture({"gaussian": Gaussian([0.5, 5]), "defocus": Defocus([1, 6])}))
    kind = torch.tensor([0, 0, 0, 1])
    strength, half = torch.tensor([2.0, 2.0, 0.55, 4.0]), torch.tensor([0.1, 0.4, 0.4, 0.4])
    chosen = identifier.strengths.cautious_px(strength, half, kind)
    assert chosen[1] < chosen[0] < 2.0 and chosen[2] == 0.5 and chosen[3] <= 4.0
    assert float(2.0 - chosen[1]) == pytest.approx(4 * float(2.0 - chosen[0]), rel=1e-4)


def test_what_cannot_be_fitted_is_refused() -> None:
    with pytest.raises(ValueError, match="use blur=motion"):
        Likelihood(Taps([4, 6]))
