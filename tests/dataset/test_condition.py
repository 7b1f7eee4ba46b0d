"""Other conditions than the run's: the same blurs, changed as each condition says, with a truth that holds."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
import yaml
from torch import Tensor

from blurlab.blur import AnisotropicGaussian, Defocus, Mixture, Motion, NoBlur, Taps, gaussian_psf
from blurlab.core.fourier import psf_to_otf
from blurlab.core.rng import generator
from blurlab.dataset import (
    Corruption,
    Degrade,
    Degraded,
    Encoded,
    Enlarged,
    Night,
    OtherBlur,
    OtherNoise,
    Resized,
    Softened,
    Unchanged,
    Varied,
    enlarge,
)
from blurlab.dataset.corruption import noise_gain, resize
from blurlab.head.spectrum import window_power
from blurlab.noise import (
    Camera,
    Exposure,
    Gaussian,
    Jpeg,
    NoNoise,
    Quantise,
    SCurve,
    Sensor,
    Srgb,
    bsnr_from_sigma,
    jpeg,
    quantise,
    srgb_to_light,
)
from blurlab.physics import Convolution
from blurlab.run.command.names import conf_dir
from blurlab.run.setup.build import build

FAMILY = Mixture({"none": NoBlur(), "defocus": Defocus([0.5, 3]), "motion": Motion([1, 6], [0, 90])})
RUN = Degrade(FAMILY, Sensor(sigma=0.01), "valid")
CAMERA_FILES = ("noise/camera.yaml", "augment/camera.yaml", "stage/robust_camera.yaml")
CAMERA = Camera(Srgb(), [Exposure([0.8, 1.5])], [SCurve([0, 0.3]), Jpeg([70, 95])])
SHARP = torch.rand(24, 1, 30, 39, generator=generator("sharp"))
CONDITIONS = {
    "unchanged": Unchanged("a"),
    "noise": OtherNoise("b", Gaussian(bsnr_db=20)),
    "none": OtherNoise("c", NoNoise()),
    "jpeg": Encoded("d", Jpeg(60)),
    "smaller": Resized("e", 0.75),
    "larger": Resized("f", 1.5),
    "soft": Softened("g", 1.0),
    "enlarged": Enlarged("h", [1, 1.5]),
    "camera": OtherNoise("i", CAMERA),
    "night": OtherNoise("n", CAMERA, besides=Night("n", [0.05, 0.2], radius_px=1.0)),
    "camera, smaller": OtherNoise("j", CAMERA, besides=Resized("k", 0.75, codec=Jpeg([80, 90]))),
}


def tried(condition: Corruption, degrade: Degrade = RUN, sharp: Tensor = SHARP) -> Degraded:
    seeds = [torch.Generator().manual_seed(100 + i) for i in range(len(sharp))]
    return condition(degrade, sharp, generator=seeds, item=torch.arange(len(sharp)))


@pytest.mark.parametrize("name", CONDITIONS)
def test_every_condition_meets_the_same_blurs(name: str) -> None:
    run, done = tried(CONDITIONS["unchanged"]), tried(CONDITIONS[name])
    factor = 0.75 if "smaller" in name else 1.5 if name == "larger" else 1.0
    assert torch.equal(done.kind, run.kind[done.item])
    torch.testing.assert_close(done.strength_px, factor * run.strength_px[done.item])
    torch.testing.assert_close(done.psf, FAMILY.psf(done.params, done.kind))
    torch.testing.assert_close(done.strength_px, FAMILY.strength_px(done.params, done.kind))
    assert done.x.shape == done.y.shape and len(done) == len(done.sigma) == len(done.weight)


def test_unchanged_is_what_the_run_does() -> None:
    seeds = [torch.Generator().manual_seed(100 + i) for i in range(len(SHARP))]
    assert torch.equal(tried(CONDITIONS["unchanged"]).y, RUN(SHARP, generator=seeds).y)


def test_noise_of_a_bsnr_replaces_the_runs() -> None:
    clean, noisy = tried(CONDITIONS["none"]), tried(CONDITIONS["noise"])
    torch.testing.assert_close(clean.y, Convolution(clean.psf, "valid").A(SHARP))
    torch.testing.assert_close(bsnr_from_sigma(clean.y, noisy.sigma), torch.full((24,), 20.0))
    spread = (noisy.y - clean.y).std((1, 2, 3)) / noisy.sigma
    assert (spread - 1).abs().max() < 5 / (2 * noisy.y[0].numel()) ** 0.5


def test_the_codec_comes_after_the_runs_own_noise() -> None:
    assert torch.equal(tried(CONDITIONS["jpeg"]).y, jpeg(tried(CONDITIONS["unchanged"]).y, 60))


def test_a_photograph_soft_before_shows_in_the_spectrum() -> None:
    degrade = Degrade(Mixture({"none": NoBlur()}, size=9), NoNoise(), "valid")
    sharp = torch.rand(1, 1, 520, 520, generator=generator("noise"))
    before, after = (
        window_power(tried(condition, degrade, sharp).y).mean(2)[0, 0]
        for condition in (Unchanged("a"), Softened("b", 1))
    )
    expected = torch.fft.fftshift(psf_to_otf(gaussian_psf(torch.tensor([1.0]), 9), (64, 64))[0, 0].abs() ** 2, dim=0)
    strong = expected > 0.02  # below, the window's leakage fills the spectrum
    assert (after / before / expected - 1)[strong].abs().median() < 0.06
    assert (after / before)[:8].max() < 0.01  # 0.38 cycles a pixel and more
    done = tried(Softened("b", 1), degrade, sharp)
    torch.testing.assert_close(done.y, done.x)
    assert (done.kind == 0).all() and (done.strength_px == 0).all()


@pytest.mark.parametrize(("factor", "method"), [(0.75, cv2.INTER_AREA), (0.5, cv2.INTER_AREA), (1.5, cv2.INTER_CUBIC)])
def test_resized_as_opencv_does_and_rounded_to_8_bits(factor: float, method: int) -> None:
    image = torch.rand(2, 3, 24, 44, generator=generator("image"))
    for plane, ours in zip(image.flatten(0, 1), resize(image, factor).flatten(0, 1), strict=True):
        expected = cv2.resize(plane.numpy(), None, fx=factor, fy=factor, interpolation=method)
        np.testing.assert_allclose(ours.numpy(), expected, atol=2e-5)
    run, done = tried(CONDITIONS["unchanged"]), tried(Resized("r", factor))
    assert torch.equal(done.y, quantise(resize(run.y[done.item], factor)))
    torch.testing.assert_close(done.x, resize(run.x[done.item], factor))


def test_pixels_stay_exactly_one_over_the_factor_apart_whatever_the_size() -> None:
    ramp = torch.arange(101.0).expand(30, 101)
    for factor in (0.7, 0.75, 1.3):
        line = resize(ramp, factor)[10]
        assert len(line) == int(101 * factor)
        inner = line[4:-4]
        assert float(inner[-1] - inner[0]) / (len(inner) - 1) == pytest.approx(1 / factor, abs=0.005)
        assert float(inner[0]) == pytest.approx(4.5 / factor - 0.5, abs=0.2)


def test_truth_is_scaled_and_what_leaves_the_ranges_is_left_out() -> None:
    run = tried(CONDITIONS["unchanged"])
    for factor in (0.75, 1.5):
        done = tried(Resized("r", factor))
        low = {0: 0.0, 1: 1.0, 2: 1.0}
        high = {0: 0.0, 1: 6.0, 2: 6.0}
        stays = [
            low[int(k)] <= factor * float(s) <= high[int(k)] for k, s in zip(run.kind, run.strength_px, strict=True)
        ]
        assert done.item.tolist() == [i for i, inside in enumerate(stays) if inside] and 0 < sum(stays) < 24
        angle = FAMILY.names.index("motion.angle_deg")
        assert torch.equal(done.params[:, angle].nan_to_num(-1), run.params[done.item, angle].nan_to_num(-1))


@pytest.mark.parametrize("factor", [0.75, 1.5])
def test_the_scaled_kernel_blurs_the_resized_photograph_to_the_resized_image(factor: float) -> None:
    walk = torch.randn(8, 1, 130, 150, generator=generator("scene")).cumsum(-1).cumsum(-2)
    low, high = walk.amin((1, 2, 3), keepdim=True), walk.amax((1, 2, 3), keepdim=True)
    degrade = Degrade(Defocus([2, 6]), NoNoise(), "valid")
    run = tried(Unchanged("a"), degrade, (walk - low) / (high - low))
    done = tried(Resized("r", factor), degrade, (walk - low) / (high - low))
    edge = degrade.family.size // 2
    seen = done.y[..., edge:-edge, edge:-edge]
    scaled, unscaled = (
        (Convolution(psf, "valid").A(done.x) - seen).square().mean((1, 2, 3)) for psf in (done.psf, run.psf[done.item])
    )
    assert 3 <= len(done) < 8 and (scaled < 0.25 * unscaled).all()


def test_taps_and_two_sigmas_are_held_only_where_every_one_is() -> None:
    taps = Taps([4, 6, 8, 10])
    rows = torch.tensor([[4.0], [8.0], [torch.nan], [10.0]])
    assert taps.holds(taps.scaled(rows, 0.75)).tolist() == [False, True, True, False]  # 3, 6, none, 7.5
    ellipse = AnisotropicGaussian([0.5, 2], [1, 2], [0, 180])
    rows = torch.tensor([[1.0, 2.0, 170.0], [1.0, 1.2, 10.0]])
    torch.testing.assert_close(ellipse.scaled(rows, 0.75), torch.tensor([[0.75, 1.5, 170.0], [0.75, 0.9, 10.0]]))
    assert ellipse.holds(ellipse.scaled(rows, 0.75)).tolist() == [True, False]


def test_nothing_is_left_where_no_strength_stays() -> None:
    degrade = Degrade(Defocus(2.0), NoNoise(), "valid")
    assert len(tried(Resized("r", 0.75), degrade)) == 0


@pytest.mark.parametrize("factor", [0.5, 0.75, 1.5])
def test_resizing_changes_white_noise_as_said(factor: float) -> None:
    noise = torch.randn(1, 1, 200, 260, generator=generator("white"))
    assert float(resize(noise, factor).std()) == pytest.approx(noise_gain((200, 260), factor), rel=0.02)
    run, done = tried(CONDITIONS["unchanged"]), tried(Resized("r", factor))
    assert torch.equal(done.sigma > run.sigma[done.item], torch.zeros(len(done), dtype=torch.bool))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Resized("r", 0.0), "factor must be above 0 and at most 16, got 0.0"),
        (lambda: Softened("s", float("nan")), "sigma_px must be above 0 and at most 64, got nan"),
        (lambda: Enlarged("e", 0.9), "factor must be from 1 to 16, got 0.9"),
        (lambda: Enlarged("e", [1, 20]), "factor must be from 1 to 16"),
        (lambda: resize(torch.ones(3, 3), 0.2), "3 px resized by 0.2 leave nothing"),
    ],
)
def test_bad_options_are_told(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_a_varied_condition_draws_one_of_its_own_for_each_batch_as_often_as_it_is_told() -> None:
    loud, plain = OtherNoise("loud", Gaussian(bsnr_db=0)), Unchanged("plain")
    varied = Varied("varied", [plain, loud], weights=[3, 1])
    met = []
    for seed in range(80):
        done = varied(RUN, SHARP[:1], generator=torch.Generator().manual_seed(seed))
        met.append(not torch.allclose(done.sigma, torch.tensor(0.01), rtol=0.05))
        again = varied(RUN, SHARP[:1], generator=torch.Generator().manual_seed(seed))
        assert torch.equal(done.y, again.y)
    assert 10 <= sum(met) <= 32  # a quarter of 80, give or take three deviations


def test_a_varied_condition_is_a_batchs_not_an_images() -> None:
    with pytest.raises(TypeError, match="one generator"):
        tried(Varied("varied", [Unchanged("a")]))
    with pytest.raises(ValueError, match="2 numbers"):
        Varied("varied", [Unchanged("a"), Unchanged("b")], weights=[1])


def test_a_varied_condition_that_leaves_too_little_gives_way_to_the_runs_own() -> None:
    smaller, larger = Resized("smaller", 0.5), Resized("larger", 3)  # the second leaves hardly an item in the range
    for condition in (Varied("varied", [smaller]), Varied("varied", [larger], least_px=10)):
        for seed in range(5):
            done = condition(RUN, SHARP[:2], generator=torch.Generator().manual_seed(seed))
            assert len(done) > 0 and min(done.y.shape[-2:]) >= min(
                RUN(SHARP[:1], generator=torch.Generator()).y.shape[-2:]
            )


def test_the_cameras_of_training_and_of_the_table_are_that_of_noise_camera() -> None:
    read = {name: yaml.safe_load((conf_dir() / name).read_text()) for name in CAMERA_FILES}
    camera = read["noise/camera.yaml"]
    varied = read["augment/camera.yaml"]["conditions"]
    assert all(one["noise"] == camera for one in varied[1:])
    assert read["stage/robust_camera.yaml"]["robustness"]["conditions"][-1]["noise"] == camera
    condition = build(read["augment/camera.yaml"])
    for seed in range(8):
        done = condition(RUN, SHARP[:4], generator=torch.Generator().manual_seed(seed))
        assert done.x.shape == done.y.shape and 0 < len(done) <= 4 and bool((done.sigma > 0).all())


def test_the_files_of_a_camera_are_its_own_with_dates_and_frames_and_more_light() -> None:
    varied = yaml.safe_load((conf_dir() / "augment/camera_files.yaml").read_text())
    camera = yaml.safe_load((conf_dir() / "noise/camera.yaml").read_text())
    for one in varied["conditions"][1:]:
        light, file = one["noise"]["light"], one["noise"]["file"]
        assert light[1:] == camera["light"][1:]
        assert [step for step in file if step["_target_"].rpartition(".")[2] not in ("Stamp", "Frame")] == camera[
            "file"
        ]
    family = build(yaml.safe_load((conf_dir() / "blur/camera_kinds.yaml").read_text()))
    condition, run = build(varied), Degrade(family, Sensor(sigma=0.01), "valid")
    sharp = torch.rand(4, 3, 120, 110, generator=generator("sharp"))
    for seed in range(10):
        done = condition(run.without_truth(), sharp, generator=torch.Generator().manual_seed(seed))
        assert 0 < len(done) <= 4 and min(done.y.shape[-2:]) >= 40 and bool(done.y.isfinite().all())
        assert bool(done.x.isnan().all()) and bool(done.sigma.isnan().all())
        assert bool(family.holds(done.params).all())


@pytest.mark.parametrize("condition", [Unchanged("a"), OtherNoise("b", CAMERA), Enlarged("c", [1, 2])])
def test_without_truth_the_same_is_observed(condition: Corruption) -> None:
    whole, observed = tried(condition), tried(condition, RUN.without_truth())
    assert torch.equal(whole.y, observed.y) and torch.equal(whole.kind, observed.kind)
    assert observed.x.shape == whole.x.shape and bool(observed.x.isnan().all() and observed.sigma.isnan().all())


def test_wider_blurs_are_named_by_the_runs_ranges() -> None:
    wide = Mixture({"none": NoBlur(), "defocus": Defocus([5, 6]), "motion": Motion([1, 6], [0, 90])}, size=13)
    done = tried(OtherBlur("wide", wide), sharp=torch.rand(24, 1, 40, 44, generator=generator("sharp")))
    defocus = done.params[done.kind == 1]
    assert len(defocus) and bool((defocus[:, 0] == 3).all()) and bool(FAMILY.holds(done.params).all())
    assert done.y.shape[-2:] == (28, 32) and done.psf.shape[-1] == 13
    with pytest.raises(ValueError, match="takes blurs of the run's kinds"):
        tried(OtherBlur("other", Mixture({"none": NoBlur(), "motion": Motion([1, 6], 0)})))


def test_at_night_lamps_outshine_a_dim_scene_and_each_photograph_has_its_own() -> None:
    degrade = Degrade(Mixture({"none": NoBlur()}, size=9), NoNoise(), "valid")
    night = Night("n", [0.05, 0.1], lamps=6, radius_px=2.0)
    done = tried(night, degrade)
    light = srgb_to_light(done.y)
    assert float(light.flatten(1).median(1).values.max()) < 0.1  # of a scene whose light is at most 1
    lamps = light.flatten(1).amax(1) > 0.8
    assert 0.3 < float(lamps.float().mean()) < 1
    seeds = [torch.Generator().manual_seed(100 + i) for i in range(len(SHARP))]
    alone = night(degrade, SHARP[5:6], generator=seeds[5:6])
    assert torch.equal(alone.y[0], done.y[5])
    together = night(degrade, SHARP[:2].clone().fill_(0.5), generator=torch.Generator().manual_seed(3))
    assert not torch.equal(together.y[0], together.y[1])
    with pytest.raises(ValueError, match="lamps must be 0 or more"):
        Night("n", 0.1, lamps=-1)


def test_a_camera_blurs_light_and_the_sharp_image_is_exposed_as_the_observed_one() -> None:
    degrade = Degrade(FAMILY, Camera(Srgb(), [Exposure(1.4)], [Quantise()]), "valid")
    done = tried(Unchanged("a"), degrade)
    light = 1.4 * srgb_to_light(SHARP)
    expected = Convolution(done.psf, "valid").A(light)
    torch.testing.assert_close(srgb_to_light(done.y), expected.clamp(0, 1), atol=0.005, rtol=0)
    margin = degrade.margin
    inner = light[..., margin:-margin, margin:-margin].clamp(0, 1)
    torch.testing.assert_close(srgb_to_light(done.x), inner, atol=1e-5, rtol=0)


def test_an_enlarged_photograph_is_its_middle_and_the_blur_comes_after() -> None:
    image = torch.rand(1, 2, 24, 44, generator=generator("image"))
    for plane, ours in zip(image[0], enlarge(image, 1.5)[0], strict=True):
        whole = cv2.resize(plane.numpy(), None, fx=1.5, fy=1.5, interpolation=cv2.INTER_CUBIC)
        np.testing.assert_allclose(ours.numpy(), whole[6:30, 11:55], atol=2e-5)
    degrade = Degrade(FAMILY, NoNoise(), "valid")
    done = tried(Enlarged("e", 1.5), degrade)
    torch.testing.assert_close(done.y, Convolution(done.psf, "valid").A(enlarge(SHARP, 1.5)))
    assert torch.equal(tried(Enlarged("e", 1.0), degrade).y, tried(Unchanged("a"), degrade).y)


def test_each_photograph_is_enlarged_by_a_factor_of_its_own_whatever_the_batch() -> None:
    enlarged = Enlarged("e", [1.1, 1.6])
    both = tried(enlarged, sharp=SHARP[:1].expand(4, -1, -1, -1))
    assert len({float(one) for one in both.x.sum((1, 2, 3))}) == 4
    alone = enlarged(RUN, SHARP[:1], generator=[torch.Generator().manual_seed(102)])
    assert torch.equal(alone.x[0], both.x[2]) and torch.equal(alone.y[0], both.y[2])


def test_a_resized_image_goes_through_its_codec_and_each_keeps_its_own_generator() -> None:
    codec = Resized("r", 0.75, codec=Jpeg([40, 90]))
    run, done = tried(CONDITIONS["unchanged"]), tried(codec)
    assert 0 < len(done) < 24
    qualities = [q for image, small in zip(done.y, resize(run.y[done.item], 0.75), strict=True)
                 for q in range(40, 91) if torch.equal(image, jpeg(small[None], q)[0])]  # fmt: skip
    assert len({*qualities}) > 3
    row = int(done.item[0])
    alone = codec(RUN, SHARP[row : row + 1], generator=[torch.Generator().manual_seed(100 + row)])
    assert torch.equal(alone.y[0], done.y[0])
