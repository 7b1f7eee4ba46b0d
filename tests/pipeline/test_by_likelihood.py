"""Identification by the likelihood: what an identifier owes the rest, with and without a network."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from blurlab.blur import Defocus, Gaussian, Mixture, Motion, NoBlur, Taps
from blurlab.core.rng import generator
from blurlab.dataset import Bundled
from blurlab.deconvolver import Wiener
from blurlab.likelihood import caution
from blurlab.physics import Convolution
from blurlab.pipeline import Likelihood, Pipeline

FAMILY = Mixture({"none": NoBlur(), "defocus": Defocus([1, 6]), "motion": Motion([3, 12], [0, 180])})
TRUTH = torch.tensor([[torch.nan] * 3, [3.0, torch.nan, torch.nan], [torch.nan, 8.0, 40.0]])
KIND = torch.tensor([0, 1, 2])
IDENTIFIER = Likelihood(FAMILY)


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
    estimate = Pipeline(IDENTIFIER, {}, {}, Wiener()).identify(observed())
    found = estimate.label
    assert found is not None and found.kind.tolist() == KIND.tolist()
    assert torch.equal(found.params.isnan(), TRUTH.isnan())
    assert (found.params - TRUTH).nan_to_num().abs().amax(0).tolist() == pytest.approx([0, 0, 0], abs=1.0)
    assert (found.strength_px - torch.tensor([0.0, 6.0, 8.0])).abs().max() < 0.3
    low, high = found.interval_px[1:].unbind(1)
    assert (low < found.strength_px[1:]).all() and (found.strength_px[1:] < high).all()
    assert found.interval_px[0].isnan().all()
    assert torch.equal(estimate.psf, FAMILY.psf(found.params, found.kind))
    assert estimate.blurred.tolist() == [False, True, True]
    assert estimate.sigma is not None and (estimate.sigma[1:].log() - torch.tensor(1e-3).log()).abs().max() < 1


def test_a_smaller_gaussian_is_handed_on_than_is_the_most_likely() -> None:
    family = Mixture({"none": NoBlur(), "gaussian": Gaussian([0.5, 4])})
    truth, kind = torch.tensor([[torch.nan], [0.55], [2.5]]), torch.tensor([0, 1, 1])
    y = observed(family, truth, kind)
    estimate = Likelihood(family).identify(y, {}, {})
    found = estimate.label
    assert found is not None and found.kind.tolist() == kind.tolist()
    assert found.strength_px[0] == found.strength_map_px[0] == 0
    half = found.interval_px[1:, 1] - found.strength_map_px[1:]
    less = found.strength_map_px[1:] - found.strength_px[1:]
    assert 0.3 < caution("sigma_px") < 1 and caution("length_px") < 0.3 and caution("width_px") == 0
    assert less[1].item() == pytest.approx(caution("sigma_px") * half[1].item(), rel=1e-4)
    assert found.strength_px[1] == found.strength_map_px[1] == 0.5  # never below the range
    assert torch.equal(found.params[1:, 0], found.strength_map_px[1:])
    likeliest = found.most_probable.psf
    assert torch.equal(likeliest, family.psf(found.params, found.kind))
    assert torch.equal(estimate.psf[1:], family.psf(found.strength_px[1:, None], found.kind[1:]))
    assert torch.equal(estimate.psf[0], likeliest[0])


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


def plain(side: int) -> dict[str, Tensor]:
    """Images of one direction, of which no blur can be told, (1, 1, side, side) in [.1, .9]."""
    down, across = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    found = {f"edge at {angle}": (turned(down, across, angle) > 0).float() for angle in (0.0, 27.0, 45.0, 90.0)}
    found |= {f"soft edge at {angle}": (turned(down, across, angle) / 4).sigmoid() for angle in (0.0, 27.0)}
    found |= {f"stripes of {width}": (across // width % 2).float() for width in (1, 2, 4, 16)}
    found["wave"] = 0.5 + 0.5 * torch.sin(turned(down, across, 25.0))
    found["bars"] = torch.rand(side, generator=generator("bars")).expand(side, -1)
    return {name: (0.1 + 0.8 * image)[None, None] for name, image in found.items()}


def turned(down: Tensor, across: Tensor, angle_deg: float) -> Tensor:
    angle = torch.deg2rad(torch.tensor(angle_deg))
    return (across - across.shape[-1] / 2) * angle.cos() + (down - down.shape[-2] / 2 + 0.3) * angle.sin()


@pytest.mark.slow
@pytest.mark.parametrize("sigma", [0.0, 0.004, 0.02])
@pytest.mark.parametrize("side", [64, 128])
def test_of_an_image_without_content_in_every_direction_nothing_is_told(side: int, sigma: float) -> None:
    images = plain(side)
    y = torch.cat([*images.values(), observed()[1:2, :, :side, :side]])
    y = (y + sigma * torch.randn(y.shape, generator=generator("noise"))).clamp(0, 1)
    found = Pipeline(IDENTIFIER, {}, {}, Wiener())(y, 0.01)
    assert found.estimate.label is not None
    even = (found.estimate.label.probability - 1 / 3).abs().amax(1) < 1e-6
    told = [name for name, alike in zip(images, even[:-1].tolist(), strict=True) if not alike]
    assert told == [] and not bool(even[-1])
    assert torch.equal(found.image[:-1], y[:-1])


@pytest.mark.slow
def test_of_photographs_sharp_or_blurred_the_blur_is_told() -> None:
    sharp = Bundled(["camera", "astronaut", "brick", "grass", "retina"])
    kernels = [None, Defocus(8.0).psf(torch.tensor([[8.0]])), Motion(20.0, 0.0).psf(torch.tensor([[20.0, 0.0]]))]
    for photo in sharp.photos():
        x = torch.from_numpy(sharp.load(photo)[100:300, 100:300].copy()).permute(2, 0, 1)[None]
        for psf in kernels:
            y = x if psf is None else Convolution(psf, "valid").A(x)
            y = (y[..., :96, :96] + 0.004 * torch.randn(1, x.shape[1], 96, 96, generator=generator(photo.id))).clamp(
                0, 1
            )
            label = IDENTIFIER.identify(y.clamp(0, 1), {}, {}).label
            assert label is not None and float(label.probability.amax()) > 1 / 3 + 1e-3, photo.id


@pytest.mark.parametrize("width", [4, 8, 16])
def test_checks_have_too_few_frequencies_to_tell_a_blur(width: int) -> None:
    place = torch.arange(128) // width
    y = 0.1 + 0.8 * ((place[:, None] + place) % 2)[None, None].float()
    y = y + 0.004 * torch.randn(y.shape, generator=generator("noise"))
    estimate = IDENTIFIER.identify(y, {}, {})
    found = estimate.label
    assert found is not None and float(found.probability.amax()) == pytest.approx(1 / 3)
    assert found.params.isnan().all() and estimate.sigma is not None and 0 < float(estimate.sigma) < 0.2


def shapes(side: int) -> dict[str, Tensor]:
    """Sharp shapes on a plain ground, whose spectra have zeros or are those of no photograph, (1, 1, side, side)."""
    down, across = torch.meshgrid(torch.arange(side) - side / 2, torch.arange(side) - side / 2, indexing="ij")
    along, aside = turned(down + side / 2, across + side / 2, 30.0), turned(down + side / 2, across + side / 2, 120.0)
    from_middle = down.hypot(across)
    found = {
        "corner": (down > 0) & (across > 0),
        "turned corner": (along > 0) & (aside > 0),
        "wide cross": (down.abs() < side / 8) | (across.abs() < side / 8),
        "thin cross": (down.abs() < 2) | (across.abs() < 2),
        "square": (down.abs() < side / 4) & (across.abs() < side / 4),
        "turned square": (along.abs() < side / 4) & (aside.abs() < side / 4),
        "circle": from_middle < side / 4,
        "ring": (from_middle - side / 4).abs() < 3,
        "checks": ((across + side / 2) // 16 + (down + side / 2) // 16) % 2 > 0,
    }
    return {name: (0.1 + 0.8 * shape.float())[None, None] for name, shape in found.items()}


@pytest.mark.slow
@pytest.mark.parametrize("sigma", [0.0, 0.004, 0.02])
@pytest.mark.parametrize("side", [64, 128])
def test_no_blur_is_told_that_the_edges_of_a_shape_rule_out(side: int, sigma: float) -> None:
    images = shapes(side)
    y = torch.cat([*images.values()])
    y = (y + sigma * torch.randn(y.shape, generator=generator("noise"))).clamp(0, 1)
    found = IDENTIFIER.identify(y, {}, {}).label
    assert found is not None
    blurred = (found.kind > 0) & (found.probability.amax(1) > 0.6)
    assert [name for name, told in zip(images, blurred.tolist(), strict=True) if told] == []


def test_a_shape_that_is_blurred_is_told_its_blur() -> None:
    sharp = torch.cat([shapes(140)[name] for name in ("turned square", "circle")])
    y = Convolution(Defocus(4.0).psf(torch.tensor([[4.0]])), "valid").A(sharp)
    y = y + 0.004 * torch.randn(y.shape, generator=generator("noise"))
    found = IDENTIFIER.identify(y, {}, {}).label
    assert found is not None
    assert [FAMILY.kinds[kind] for kind in found.kind] == ["defocus"] * 2
    assert found.params[:, 0].tolist() == pytest.approx([4.0, 4.0], abs=0.2)
