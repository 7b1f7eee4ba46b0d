"""The steps of a camera against independent libraries, and the camera that they make."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import ndimage
from scipy.interpolate import CubicHermiteSpline
from skimage import color, data, exposure, filters
from torch import Tensor

from blurlab.noise import (
    Bayer,
    Bilinear,
    Camera,
    Chain,
    Exposure,
    Gaussian,
    Jpeg,
    Malvar,
    NoiseModel,
    PoissonGaussian,
    Power,
    Quantise,
    Response,
    SCurve,
    Sharpen,
    Srgb,
    bilinear,
    jpeg,
    light_to_srgb,
    malvar,
    mosaic,
    quantise,
    srgb_to_light,
    unsharp_mask,
)


def noise(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0))


def seeded(*seeds: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def photograph() -> Tensor:
    """A photograph (1, 3, 128, 120) in [0, 1]."""
    return torch.from_numpy(data.astronaut()[:128, 130:250]).permute(2, 0, 1)[None].float() / 255


def test_the_srgb_curve_is_that_of_scikit_image() -> None:
    values = torch.linspace(0, 1, 256)
    grey = values.numpy()[:, None].repeat(3, 1)
    light = color.rgb2xyz(grey)[:, 1]  # luminance of a grey is its light
    np.testing.assert_allclose(srgb_to_light(values).numpy(), light, atol=2e-6)
    torch.testing.assert_close(light_to_srgb(srgb_to_light(values)), values, atol=1e-6, rtol=0)


def test_a_power_is_that_of_scikit_image() -> None:
    values = noise(40)
    np.testing.assert_allclose(Power(2.2).decode(values), exposure.adjust_gamma(values.numpy(), 2.2), atol=1e-6)
    torch.testing.assert_close(Power(2.2).encode(Power(2.2).decode(values)), values, atol=1e-6, rtol=0)
    assert Srgb().encode(torch.tensor([-1.0, 2.0])).tolist() == [0.0, 1.0]


@pytest.mark.parametrize("response", [Srgb(), Power(2.2), Power(1.0)], ids=["srgb", "power", "straight"])
def test_slopes_are_differences_of_the_light(response: Response) -> None:
    values = torch.tensor([0.01, 0.03, 0.05, 0.2, 0.7, 0.99], dtype=torch.float64)
    step = 1e-5
    expected = (response.decode(values + step) - response.decode(values - step)) / (2 * step)
    torch.testing.assert_close(response.slope(values), expected, rtol=1e-6, atol=0)


def test_the_s_curve_is_the_cubic_of_its_end_slopes() -> None:
    x, strength = noise(2, 1, 5, 7), torch.tensor([0.3, 0.8])
    for image, s in zip(x, strength, strict=True):
        expected = CubicHermiteSpline([0, 1], [0, 1], [1 - float(s)] * 2)(image.numpy())
        y = SCurve(float(s))(image[None], generator=torch.Generator())[0]
        np.testing.assert_allclose(y[0].numpy(), expected, atol=1e-6)


@pytest.mark.parametrize(("amount", "sigma"), [(0.5, 0.8), (1.2, 1.5)])
def test_the_unsharp_mask_is_that_of_scikit_image(amount: float, sigma: float) -> None:
    x = noise(2, 3, 17, 24).double()
    ours = Sharpen(amount, sigma)(x, generator=torch.Generator())[0].clamp(0, 1)
    for image, found in zip(x, ours, strict=True):
        expected = filters.unsharp_mask(image.numpy(), radius=sigma, amount=amount, channel_axis=0)
        np.testing.assert_allclose(found.numpy(), expected, atol=1e-6)


def test_an_unsharp_mask_wider_than_the_image_is_mirrored_again() -> None:
    x = noise(1, 1, 4, 5).double()
    ours = unsharp_mask(x, torch.tensor([1.0]).double(), torch.tensor([3.0]), 12)
    expected = 2 * x - torch.from_numpy(ndimage.gaussian_filter(x.numpy(), (0, 0, 3, 3), mode="reflect"))
    torch.testing.assert_close(ours, expected, atol=1e-6, rtol=0)


def test_a_mosaic_has_the_colours_of_its_pattern() -> None:
    seen = mosaic(torch.arange(1.0, 4).reshape(1, 3, 1, 1).expand(1, 3, 3, 4))[0, 0]
    assert seen.tolist() == [[1, 2, 1, 2], [2, 3, 2, 3], [1, 2, 1, 2]]


def test_bilinear_is_the_convolution_of_sparse_planes() -> None:
    seen = noise(1, 1, 17, 24)
    planes = torch.zeros(3, 17, 24)
    planes[0, ::2, ::2], planes[2, 1::2, 1::2] = seen[0, 0, ::2, ::2], seen[0, 0, 1::2, 1::2]
    planes[1, ::2, 1::2], planes[1, 1::2, ::2] = seen[0, 0, ::2, 1::2], seen[0, 0, 1::2, ::2]
    colour = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 4
    green = np.array([[0, 1, 0], [1, 4, 1], [0, 1, 0]]) / 4
    for plane, kernel, ours in zip(planes, (colour, green, colour), bilinear(seen)[0], strict=True):
        expected = ndimage.convolve(plane.numpy(), kernel, mode="mirror")
        np.testing.assert_allclose(ours.numpy(), expected, atol=1e-6)


def test_malvar_is_bilinear_with_the_papers_correction() -> None:
    seen = noise(1, 1, 18, 24)
    plain, better = bilinear(seen)[0], malvar(seen)[0]
    raw = seen[0, 0].numpy()

    def curvature(row: int, col: int) -> float:
        return raw[row, col] - (raw[row - 2, col] + raw[row + 2, col] + raw[row, col - 2] + raw[row, col + 2]) / 4

    for row, col in ((4, 6), (8, 10)):  # red sites, then blue
        for (r, c), other in (((row, col), 2), ((row + 1, col + 1), 0)):
            assert float(better[1, r, c]) == pytest.approx(float(plain[1, r, c]) + 0.5 * curvature(r, c), abs=1e-6)
            expected = float(plain[other, r, c]) + 0.75 * curvature(r, c)
            assert float(better[other, r, c]) == pytest.approx(expected, abs=1e-6)


def test_both_ways_keep_planes_and_what_was_seen_and_malvar_is_the_better_one() -> None:
    ramp = (torch.arange(24.0) / 50 + torch.arange(18.0)[:, None] / 90).expand(1, 3, 18, 24)
    inner = (..., slice(4, -4), slice(4, -4))
    scene = photograph()
    errors = []
    for way in (bilinear, malvar):
        torch.testing.assert_close(way(mosaic(ramp))[inner], ramp[inner])
        image = way(mosaic(scene))
        torch.testing.assert_close(mosaic(image), mosaic(scene))
        errors.append(float((image - scene)[inner].square().mean()))
    assert errors[1] < 0.5 * errors[0]  # the paper gains 5.5 dB on its photographs


def test_a_sensor_divides_light_by_its_gains_before_the_noise() -> None:
    light = torch.full((1, 3, 200, 200), 0.4)
    y, sigma = Bayer(Bilinear(), PoissonGaussian(1000, 0.0), red=2.0, blue=1.5)(light, generator=torch.Generator())
    seen = y[:, 0, ::2, ::2], y[:, 1, ::2, 1::2], y[:, 2, 1::2, 1::2]
    for plane, gain in zip(seen, (2.0, 1.0, 1.5), strict=True):
        expected = gain * math.sqrt(0.4 / gain / 1000)
        assert float(plane.std()) == pytest.approx(expected, rel=0.04)
        assert float(plane.mean()) == pytest.approx(0.4, abs=4 * expected / 100)
    torch.testing.assert_close(sigma, (y - light).square().mean((1, 2, 3)).sqrt())


def test_a_grey_image_is_seen_by_all_colours_and_comes_back_grey() -> None:
    grey = photograph().mean(1, keepdim=True)
    y, _ = Bayer(Malvar())(grey, generator=torch.Generator())
    expected = malvar(mosaic(grey.repeat(1, 3, 1, 1)))[0]
    luma = color.rgb2yuv(expected.permute(1, 2, 0).double().numpy())[..., 0]
    np.testing.assert_allclose(y[0, 0].numpy(), luma.clip(0, 1), atol=2e-6)
    both, _ = Bayer(Malvar())(torch.cat([grey, 1 - grey], 1), generator=torch.Generator())
    assert torch.equal(both[:, :1], y)


def test_what_is_brighter_than_white_saturates_after_the_noise() -> None:
    camera = Camera(Power(1.0), [Exposure(2.0), Bayer(Bilinear(), Gaussian(sigma=0.05))])
    y, sigma = camera(torch.full((1, 3, 60, 60), 0.9), generator=torch.Generator().manual_seed(0))
    assert bool((y == 1).all()) and float(sigma) == 0


def test_a_camera_that_does_nothing_leaves_photographs_as_they_are() -> None:
    x = photograph()
    camera = Camera(Srgb(), [Exposure(1.0)], [SCurve(0.0), Sharpen(0.0, 1.0), Quantise()])
    light = camera.scene(x)
    y, ideal, sigma = camera.photograph(light, light, generator=torch.Generator())
    torch.testing.assert_close(y, quantise(x), atol=1e-6, rtol=0)
    torch.testing.assert_close(ideal, x, atol=1e-6, rtol=0)
    assert float(sigma) < 1e-5  # values of 8 bits, not changed by rounding


def test_the_order_is_light_curve_file_and_the_sharp_image_has_all_but_the_faults() -> None:
    x, generator = photograph(), torch.Generator
    camera = Camera(Power(2.2), [Exposure(1.5), Gaussian(sigma=0.01)], [SCurve(0.2), Sharpen(0.5, 1.0), Jpeg(80)])
    y, ideal, sigma = camera.photograph(x**2.2, x**2.2, generator=generator().manual_seed(3))
    noisy, _ = Gaussian(sigma=0.01)(1.5 * x**2.2, generator=generator().manual_seed(3))

    def developed(light: Tensor) -> Tensor:
        v = light.clamp(0, 1) ** (1 / 2.2)
        v = v + 0.2 * (3 * v**2 - 2 * v**3 - v)
        soft = torch.from_numpy(ndimage.gaussian_filter(v.numpy(), (0, 0, 1, 1), mode="reflect"))
        return v + 0.5 * (v - soft)

    assert float((y - jpeg(developed(noisy), 80)).abs().mean()) < 1e-4  # but for values that round to the other side
    torch.testing.assert_close(ideal, developed(1.5 * x**2.2).clamp(0, 1), atol=1e-5, rtol=0)
    torch.testing.assert_close(sigma, (y - ideal).square().mean((1, 2, 3)).sqrt(), atol=1e-5, rtol=0)


def test_settings_are_drawn_for_each_image_within_their_ranges() -> None:
    x = noise(1, 1, 3, 3).expand(400, 1, 3, 3)
    for step, ends in (
        (Exposure([0.5, 2]), [(0.5, 2)]),
        (SCurve([0.1, 0.4]), [(0.1, 0.4)]),
        (Sharpen([0, 0.8], [0.5, 1.5]), [(0, 0.8), (0.5, 1.5)]),
    ):
        settings = step.draw(x, generator=torch.Generator().manual_seed(0))
        for column, (low, high) in zip(settings.T, ends, strict=True):
            assert low <= float(column.min()) < low + 0.1 * (high - low)
            assert high - 0.1 * (high - low) < float(column.max()) <= high


def test_each_image_draws_its_quality_and_both_ends_of_it() -> None:
    x = 0.5 + 0.1 * torch.randn(1, 1, 16, 16, generator=torch.Generator().manual_seed(0)).expand(60, 1, 16, 16)
    y, _ = Jpeg([80, 82])(x, generator=torch.Generator().manual_seed(0))
    met = {quality for image in y for quality in (80, 81, 82) if torch.equal(image[None], jpeg(x[:1], quality))}
    assert met == {80, 81, 82}
    assert all(any(torch.equal(image[None], jpeg(x[:1], one)) for one in met) for image in y)


def test_each_image_draws_its_way_of_demosaicing() -> None:
    x = photograph().expand(40, 3, 128, 120)[..., :16, :16]
    y, _ = Bayer([Bilinear(), Malvar()])(x, generator=torch.Generator().manual_seed(0))
    ways = [way(mosaic(x[:1])).clamp(0, 1) for way in (bilinear, malvar)]
    counts = [sum(torch.equal(image[None], way) for image in y) for way in ways]
    assert sum(counts) == 40 and min(counts) > 10


def test_in_a_chain_a_camera_comes_first_and_its_scene_is_the_chains() -> None:
    camera = Camera(Power(2.0), [Exposure(1.5)], [Quantise()])
    x = photograph()
    chain = Chain([camera, Jpeg(70)])
    assert torch.equal(chain.scene(x), x**2)
    y, ideal, _ = chain.photograph(x**2, x**2, generator=torch.Generator())
    torch.testing.assert_close(ideal, (1.5**0.5 * x).clamp(0, 1), atol=1e-6, rtol=0)
    assert torch.equal(y, jpeg(camera.photograph(x**2, x**2, generator=torch.Generator())[0], 70))
    with pytest.raises(ValueError, match="comes first in a Chain"):
        Chain([Jpeg(70), camera])
    with pytest.raises(ValueError, match="step of another camera"):
        Camera(Srgb(), [camera])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Exposure(0.0), "gain must be above 0"),
        (lambda: Exposure([2, 1]), "low <= high"),
        (lambda: SCurve([-0.1, 0.2]), "strength must be >= 0"),
        (lambda: SCurve(1.5), "at most 1"),
        (lambda: Sharpen(-1.0, 1.0), "amount must be >= 0"),
        (lambda: Sharpen(1.0, 0.0), "sigma_px must be above 0"),
        (lambda: Bayer(Malvar(), red=0.5), "gains must be 1 or more"),
        (lambda: Power(0.0), "gamma must be above 0"),
        (lambda: Jpeg([90, 80]), "low <= high"),
        (lambda: jpeg(noise(2, 1, 8, 8), [80]), "each of 2 images, got 1"),
        (lambda: Bayer(Malvar())(noise(1, 3, 2, 9), generator=torch.Generator()), "3 px or more"),
    ],
)
def test_bad_options_are_told(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    "make",
    [
        lambda: Bayer("malvar"),
        lambda: Bayer([]),
        lambda: Bayer(Malvar(), noise=3),
        lambda: Camera("srgb"),
        lambda: Camera(Srgb(), [Srgb()]),
    ],
)
def test_parts_are_objects(make) -> None:
    with pytest.raises(TypeError):
        make()


def test_a_camera_is_a_noise_model() -> None:
    assert issubclass(Camera, NoiseModel) and Camera(Srgb()).blurs_light and not Quantise().blurs_light
