"""Identification by the likelihood: what an identifier owes the rest, with and without a network."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from blurlab.blur import Defocus, Gaussian, Mixture, Motion, NoBlur, Taps
from blurlab.core.rng import generator
from blurlab.deconvolver import Wiener
from blurlab.physics import Convolution
from blurlab.pipeline import Likelihood, Pipeline, Refined

FAMILY = Mixture({"none": NoBlur(), "defocus": Defocus([1, 6]), "motion": Motion([3, 12], [0, 180])})
TRUTH = torch.tensor([[torch.nan] * 3, [3.0, torch.nan, torch.nan], [torch.nan, 8.0, 40.0]])
KIND = torch.tensor([0, 1, 2])


def observed() -> Tensor:
    size = 2 * (128 + FAMILY.size)
    down = torch.fft.fftfreq(size, dtype=torch.float64)[:, None]
    rho = (down**2 + torch.fft.rfftfreq(size, dtype=torch.float64) ** 2).sqrt().clamp_min(1 / size)
    white = torch.randn(3, 1, size, size, generator=generator("scene"), dtype=torch.float64)
    x = torch.fft.irfft2(torch.fft.rfft2(white) * rho**-1.2, s=(size, size))[..., : size // 2, : size // 2]
    x = 0.5 + 0.15 * (x - x.mean((-2, -1), keepdim=True)) / x.std((-2, -1), keepdim=True)
    y = Convolution(FAMILY.psf(TRUTH.double(), KIND), "valid").A(x)
    return (y + 1e-3 * torch.randn(y.shape, generator=generator("n"), dtype=y.dtype)).float()


class Says(torch.nn.Module):
    """Answers with the kinds it was given, whatever it sees."""

    def __init__(self, kinds: list[int]) -> None:
        super().__init__()
        self.logits = torch.nn.functional.one_hot(torch.tensor(kinds), 3).float() * 9

    def forward(self, y: Tensor) -> Tensor:
        return self.logits


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


def test_a_network_says_the_kind_and_the_likelihood_its_parameters() -> None:
    y = observed()
    alone = Likelihood(FAMILY).identify(y, {}, {})
    found = Refined(FAMILY).identify(y, {"type": Says([0, 1, 2])}, {})
    assert torch.allclose(found.params.nan_to_num(), alone.params.nan_to_num(), atol=1e-3)
    wrong = Refined(FAMILY).identify(y, {"type": Says([1, 1, 0])}, {})
    assert wrong.kind.tolist() == [1, 1, 0] and wrong.params[2].isnan().all() and wrong.params[0, 0] >= 1
    assert [question.name for question in Refined(FAMILY).questions] == ["type"]


def test_what_cannot_be_fitted_is_refused() -> None:
    with pytest.raises(ValueError, match="use blur=motion"):
        Likelihood(Taps([4, 6]))
    with pytest.raises(ValueError, match="one kind, gaussian"):
        Refined(Gaussian([1, 2]))
