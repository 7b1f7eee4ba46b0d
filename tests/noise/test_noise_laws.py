"""What every noise model must obey."""

from __future__ import annotations

import math

import pytest
import torch

from blurlab.noise import (
    Bayer,
    Bilinear,
    Camera,
    Chain,
    Exposure,
    Frame,
    Gaussian,
    Jpeg,
    Malvar,
    NoiseModel,
    NoNoise,
    Poisson,
    PoissonGaussian,
    Quantise,
    SCurve,
    Sensor,
    Sharpen,
    Speckle,
    Srgb,
    Stamp,
)

MODELS = {
    "none": NoNoise(),
    "gaussian": Gaussian(sigma=0.05),
    "gaussian_range": Gaussian(sigma=[0.01, 0.1]),
    "gaussian_bsnr": Gaussian(bsnr_db=[20, 40]),
    "poisson": Poisson(photons=[50, 500]),
    "poisson_gaussian": PoissonGaussian(photons=200, sigma=[0.01, 0.02]),
    "speckle": Speckle(share=[0.02, 0.2], sigma=0.05),
    "quantise": Quantise(bits=4),
    "chain": Chain([Poisson(photons=100), Gaussian(sigma=[0.01, 0.1]), Quantise(bits=6, clip=False)]),
    "sensor": Sensor(sigma=0.05),
    "jpeg": Jpeg(quality=80),
}
PIXEL = PoissonGaussian(photons=[500, 5000], sigma=0.002)
RENDERINGS = {
    "exposure": Exposure([0.5, 2]),
    "tone": SCurve([0, 0.5]),
    "sharpen": Sharpen([0, 1], [0.5, 1.5]),
    "frame": Frame(borders=0.5, round=0.5),
    "stamp": Stamp(share=0.9),
}
CAMERAS = {
    "jpeg_range": Jpeg(quality=[60, 90]),
    "bayer": Bayer([Bilinear(), Malvar()], PIXEL, red=[1, 2], blue=1.5),
    "camera": Camera(
        Srgb(), [RENDERINGS["exposure"], Bayer([Bilinear(), Malvar()], PIXEL)], [*RENDERINGS.values(), Jpeg([60, 90])]
    ),
}
"""What changes images otherwise than by noise of mean 0."""
EVERYTHING = {**MODELS, **RENDERINGS, **CAMERAS}
EVERY = pytest.mark.parametrize("model", EVERYTHING.values(), ids=EVERYTHING)


def images(n: int = 3, channels: int = 2, height: int = 17, width: int = 24) -> torch.Tensor:
    return 0.2 + 0.6 * torch.rand(n, channels, height, width, generator=torch.Generator().manual_seed(0))


def seeded(*seeds: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


@EVERY
def test_shapes_types_repeatable_and_input_unchanged(model: NoiseModel):
    x = images()
    before = x.clone()
    y, sigma = model(x, generator=seeded(1)[0])
    again, sigma_again = model(x, generator=seeded(1)[0])
    assert torch.equal(x, before) and y is not x
    assert y.shape == x.shape and sigma.shape == (3,)
    assert y.dtype == sigma.dtype == torch.float32
    assert torch.equal(y, again) and torch.equal(sigma, sigma_again)
    assert model(x.double(), generator=seeded(1)[0])[0].dtype == torch.float64


@EVERY
def test_a_generator_per_image_makes_a_batch_its_images_one_by_one(model: NoiseModel):
    x = images()
    y, sigma = model(x, generator=seeded(1, 2, 3))
    for i, one in enumerate(seeded(1, 2, 3)):
        alone, level = model(x[i : i + 1], generator=one)
        assert torch.equal(alone[0], y[i]) and torch.equal(level[0], sigma[i])
    turned, level = model(x.flip(0), generator=seeded(3, 2, 1))
    assert torch.equal(turned.flip(0), y) and torch.equal(level.flip(0), sigma)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_sigma_is_the_standard_deviation_of_what_was_added(model: NoiseModel):
    x = images(1, 1, 300, 401)
    y, sigma = model(x, generator=seeded(4)[0])
    error = (y - x).double()
    n = error.numel()
    spread = error.std().item()
    fourth = (error - error.mean()).pow(4).mean().item()
    standard_error = math.sqrt(max(fourth - spread**4, 0) / n) / (2 * spread) if spread else 0.0
    assert error.mean().item() == pytest.approx(0, abs=5 * spread / math.sqrt(n) + 1e-12)
    assert spread == pytest.approx(sigma.item(), abs=5 * standard_error + 1e-7)


@EVERY
def test_a_photograph_is_what_a_call_gives_of_the_scene_and_the_sharp_one_has_its_shape(model: NoiseModel):
    sharp = images()
    scene = model.scene(sharp)
    y, x, sigma = model.photograph(scene, scene, generator=seeded(1, 2, 3))
    called, level = model(sharp, generator=seeded(1, 2, 3))
    assert torch.equal(y, called) and torch.equal(sigma, level) and x.shape == y.shape and x.dtype == y.dtype
    assert torch.equal(model.seen(scene, generator=seeded(1, 2, 3)), y)
    alone = model.photograph(scene[1:2], scene[1:2], generator=seeded(2))
    assert torch.equal(alone[0][0], y[1]) and torch.equal(alone[1][0], x[1])


@pytest.mark.parametrize("model", RENDERINGS.values(), ids=RENDERINGS)
def test_a_rendering_changes_the_sharp_image_alike_and_adds_no_noise(model: NoiseModel):
    y, x, sigma = model.photograph(images(), images(), generator=seeded(1, 2, 3))
    assert torch.equal(y, x) and not torch.equal(y, images()) and bool((sigma == 0).all())


@EVERY
def test_refuses_what_is_no_generator_or_too_few(model: NoiseModel):
    with pytest.raises(ValueError, match="each of 3 images, got 2"):
        model(images(), generator=seeded(1, 2))
    with pytest.raises(TypeError, match=r"core\.rng\.generator"):
        model(images(), generator=0)  # type: ignore[arg-type]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@EVERY
def test_on_the_device_with_either_generator(model: NoiseModel):
    x = images().to("cuda")
    y, sigma = model(x, generator=torch.Generator("cuda").manual_seed(0))
    assert y.is_cuda and sigma.is_cuda
    there, level = model(x, generator=seeded(1, 2, 3))
    assert there.is_cuda and level.is_cuda
    if model in MODELS.values():
        torch.testing.assert_close((there - x).flatten(1).std(1), level, rtol=0.2, atol=1e-6)
