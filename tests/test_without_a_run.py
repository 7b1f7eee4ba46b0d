"""The tool without a run: the photographs that it names, measures and restores, and those that tell it nothing."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch

from blurlab import api
from blurlab.blur import BlurFamily, Defocus, Gaussian, Motion
from blurlab.cli import main
from blurlab.cli.blur import degradation
from blurlab.core.image_io import read_image, write_image
from blurlab.core.rng import generator
from blurlab.deconvolver import InLight
from blurlab.metric import isnr
from blurlab.noise import light_to_srgb, srgb_to_light
from blurlab.physics import Convolution
from blurlab.pipeline.photograph import EXACT_PX, UNSURE


@pytest.mark.parametrize("of_values", [True, False])
def test_without_a_run_the_deconvolver_allows_for_a_kernel_that_is_not_exact(of_values: bool) -> None:
    sharp = torch.from_numpy(skimage.data.astronaut()[100:370, 60:330].copy()).permute(2, 0, 1)[None] / 255
    blur = Convolution(Defocus(3.5).psf(torch.tensor([[3.5]])), "valid")
    y = blur.A(sharp) if of_values else light_to_srgb(blur.A(srgb_to_light(sharp)))
    restored, found = api.Deblurrer().deblur(y[0].permute(1, 2, 0).numpy())
    assert found.kind == "defocus" and found.undone
    low, high = found.interval_px
    error = torch.tensor([math.hypot(EXACT_PX, UNSURE * (high - low) / 2)])
    deconvolver = InLight().of_values() if of_values else InLight()
    expected = deconvolver.allowing(error)(y, torch.from_numpy(found.psf)[None, None]).image[0].permute(1, 2, 0)
    np.testing.assert_allclose(restored, expected.clamp(0, 1), atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "params", "kind", "gain_db"),
    [
        (Motion(18.0, 30.0), [[18.0, 30.0]], "motion", 1.0),
        (Defocus(3.0), [[3.0]], "defocus", 1.0),
        (Gaussian(1.5), [[1.5]], "gaussian", 0.5),
    ],
)
def test_without_a_run_a_photograph_is_named_measured_and_restored(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, family: BlurFamily, params: list[list[float]], kind: str,
    gain_db: float,
) -> None:  # fmt: skip
    sharp = torch.from_numpy(skimage.data.astronaut()[100:420, 60:380].copy()).permute(2, 0, 1)[None] / 255
    blurred = light_to_srgb(Convolution(family.psf(torch.tensor(params)), "valid").A(srgb_to_light(sharp)))
    y = (blurred + 0.004 * torch.randn(blurred.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)
    write_image(tmp_path / "y.png", y[0].permute(1, 2, 0).numpy())
    main(["deblur", str(tmp_path / "y.png"), "--out", str(tmp_path / "out")])
    line = capsys.readouterr().out
    strength = float(family.strength_px(torch.tensor(params)))
    assert f": {kind} " in line
    assert float(line.split(f": {kind} ")[1].split(" px")[0]) == pytest.approx(strength, rel=0.25)
    restored = torch.from_numpy(read_image(tmp_path / "out" / "y.png")).permute(2, 0, 1)[None]
    margin = family.size // 2
    x = sharp[..., margin : sharp.shape[-2] - margin, margin : sharp.shape[-1] - margin]
    assert float(isnr(y, restored, x)) > gain_db
    found = api.Deblurrer().identify(y[0].permute(1, 2, 0).numpy())
    assert found.interval_px[0] < strength < found.interval_px[1]


@pytest.mark.slow
def test_a_motion_of_a_whole_photograph_is_measured_and_undone() -> None:
    sharp = torch.from_numpy(skimage.data.astronaut().copy()).permute(2, 0, 1)[None] / 255
    blurred = degradation("motion", ["length_px=9", "angle_deg=30"])(sharp, generator=[generator(0)]).y
    y = blurred[0].permute(1, 2, 0).mul(255).round().byte().numpy()
    restored, found = api.Deblurrer().deblur(y.astype(np.float32) / 255)
    assert found.kind == "motion" and found.undone and found.strength_px == pytest.approx(9, abs=0.5)
    after = torch.from_numpy(restored).permute(2, 0, 1)[None]
    assert float(isnr(torch.from_numpy(y).permute(2, 0, 1)[None] / 255, after, sharp, border=16)) > 5


def test_without_a_run_a_sharp_photograph_is_left_alone() -> None:
    image = skimage.data.astronaut()[100:420, 60:380].astype(np.float32) / 255
    restored, found = api.Deblurrer().deblur(image)
    assert found.kind == "none" and np.array_equal(restored, image)


def nothing_to_tell() -> dict[str, np.ndarray]:
    noise = 0.004 * np.random.default_rng(0).standard_normal((128, 128, 1))
    step, across = np.zeros((128, 128, 1)), np.arange(128)[None, :, None]
    step[:, 64:] = 0.8
    return {
        "one colour": np.ones((128, 128, 3)) * [90, 80, 70] / 255,
        "one grey": np.full((128, 128, 1), 0.25),
        "noisy step edge": 0.1 + step + noise,
        "stripes of 4 px": 0.1 + 0.8 * (across // 4 % 2) + noise,
        "noise": 0.5 + noise,
    }


@pytest.mark.parametrize("name", nothing_to_tell())
def test_an_image_that_shows_nothing_of_its_blur_is_left_alone_and_that_is_said(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str
) -> None:
    write_image(tmp_path / "y.png", nothing_to_tell()[name])
    main(["deblur", str(tmp_path / "y.png"), "--out", str(tmp_path / "out")])
    assert ": unchanged: cannot tell how it is blurred -> " in capsys.readouterr().out
    np.testing.assert_array_equal(read_image(tmp_path / "out" / "y.png"), read_image(tmp_path / "y.png"))
