"""A run as a tool, with a network whose answer is known; only the training is left out."""

from __future__ import annotations

import io
import math
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
import tifffile
import torch
from torch import Tensor, nn

from blurlab import api
from blurlab.blur import BlurFamily, Defocus, Field, Gaussian, Motion, Taps
from blurlab.cli import main
from blurlab.cli.deblur import describe, progress_bar
from blurlab.core.image_io import read_image, write_image
from blurlab.dataset.prepare import GREY_WEIGHTS
from blurlab.deconvolver import DouglasRachford, InLight, Wiener
from blurlab.metric import isnr
from blurlab.noise import effective_sigma, estimate_sigma, light_to_srgb, srgb_to_light
from blurlab.physics import Convolution
from blurlab.pipeline import BlurEstimate, Direct, FreeKernel, KnownKernel, Pipeline, RiskTable
from blurlab.pipeline.photograph import EXACT_PX, UNSURE
from blurlab.run.stage import load
from blurlab.run.stage.load import Trained


class Says(nn.Module):
    """Answers with fixed probabilities and remembers what it was shown."""

    def __init__(self, *probabilities: float) -> None:
        super().__init__()
        self.logits = torch.tensor([probabilities]).log()
        self.seen: list[Tensor] = []

    def forward(self, y: Tensor) -> Tensor:
        self.seen.append(y)
        return self.logits.expand(len(y), -1)


def trained(net: nn.Module, channel: str = "green", sigma: float | None = 0.01) -> Trained:
    identifier = Direct(Taps([3, 5]))
    table = RiskTable(identifier.taps_px, identifier.taps_px, 1 - torch.eye(3))
    return Trained(Pipeline(identifier, {"taps": net}, {"taps": table}, Wiener()), channel, 64, sigma)


def tool(monkeypatch: pytest.MonkeyPatch, made: Trained) -> api.Deblurrer:
    monkeypatch.setattr(load, "load_run", lambda run_dir: made)
    return api.Deblurrer("a run")


def photo(channels: int = 3) -> np.ndarray:
    return np.random.default_rng(0).random((70, 81, channels), dtype=np.float32)


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "left" / "eye.png", tmp_path / "right" / "eye.png"]
    for path in paths:
        path.parent.mkdir()
        write_image(path, photo())
    return paths


def said(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    """The one line of error that the command ends with."""
    with pytest.raises(SystemExit) as caught:
        main(["deblur", *map(str, words)])
    out, err = capsys.readouterr()
    assert caught.value.code == 2 and out == ""
    assert err.startswith("error: ") and err.count("\n") == 1, err
    return err


@pytest.mark.parametrize(("channel", "weights"), [("grey", GREY_WEIGHTS), ("green", (0, 1, 0))], ids=["grey", "green"])
def test_the_network_sees_the_channel_it_was_trained_on(
    monkeypatch: pytest.MonkeyPatch, channel: str, weights: tuple[float, ...]
) -> None:
    net = Says(0.1, 0.2, 0.7)
    tool(monkeypatch, trained(net, channel)).identify(photo())
    assert net.seen[0].shape == (1, 1, 70, 81)
    np.testing.assert_allclose(net.seen[0][0, 0], photo() @ np.array(weights, np.float32), atol=1e-6)


def test_a_grey_photograph_is_shown_three_times_to_a_network_of_rgb(monkeypatch: pytest.MonkeyPatch) -> None:
    net = Says(0.1, 0.2, 0.7)
    tool(monkeypatch, trained(net, "rgb")).identify(photo(1))
    np.testing.assert_array_equal(net.seen[0][0].permute(1, 2, 0), photo(1).repeat(3, 2))
    with pytest.raises(ValueError, match=r"got \(70, 81, 4\)"):
        tool(monkeypatch, trained(net, "rgb")).identify(photo(4))


def test_the_probability_is_that_of_the_kind_named(monkeypatch: pytest.MonkeyPatch) -> None:
    found = tool(monkeypatch, trained(Says(0.4, 0.3, 0.3))).identify(photo())
    assert found.kind == "none" and found.probability == pytest.approx(0.4)
    assert found.strength_px == 0 and math.isnan(found.interval_px[0])


@pytest.mark.parametrize("sigma", [-0.1, math.nan, math.inf])
@pytest.mark.parametrize("net", [Says(0.1, 0.2, 0.7), Says(0.8, 0.1, 0.1)], ids=["blurred", "sharp"])
def test_a_wrong_sigma_is_refused_before_the_network_is_asked(
    monkeypatch: pytest.MonkeyPatch, net: Says, sigma: float
) -> None:
    net.seen.clear()
    with pytest.raises(ValueError, match="sigma is a standard deviation"):
        tool(monkeypatch, trained(net)).deblur(photo(), sigma)
    assert net.seen == []


def test_a_blurred_photograph_is_restored_and_a_sharp_one_is_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    image = photo()
    restored, found = tool(monkeypatch, trained(Says(0.1, 0.2, 0.7))).deblur(image)
    assert found.kind == "taps" and found.strength_px == 5 and found.probability == pytest.approx(0.9)
    assert restored.shape == image.shape and not np.array_equal(restored, image)
    same, _ = tool(monkeypatch, trained(Says(0.8, 0.1, 0.1))).deblur(image)
    np.testing.assert_array_equal(same, image)


def test_a_run_whose_network_gives_a_kernel_restores_with_it_and_names_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    family, image = Motion([3, 5], 0), photo()
    psf = family.psf(torch.tensor([[5.0, 0.0]]))
    net = Says(*psf.clamp_min(1e-9).flatten().tolist())
    made = Trained(Pipeline(FreeKernel(family), {"kernel": net}, {}, Wiener()), "grey", 64, 0.01)
    restored, found = tool(monkeypatch, made).deblur(image)
    assert found.kind == "kernel" and math.isnan(found.probability) and describe(found) == "a kernel of 5x5 px"
    np.testing.assert_allclose(found.psf, psf[0, 0], atol=1e-5)
    assert restored.shape == image.shape and not np.array_equal(restored, image)
    flat = np.full((70, 81, 3), 0.4, np.float32)
    same, nothing = api.Deblurrer("a run").deblur(flat)
    assert np.array_equal(same, flat) and not nothing.can_tell


class KnowsField(KnownKernel):
    """Estimates the field that images were made with."""

    def identify(self, y: Tensor, nets: object, risks: object) -> BlurEstimate:
        family, margins = self.family, 2 * (self.family.size // 2)
        params = torch.tensor([[one.high for one in family.parameters]])
        field = family.operator(params, shape=(y.shape[-2] + margins, y.shape[-1] + margins))
        return BlurEstimate(field, torch.ones(len(y), dtype=torch.bool))


def test_an_estimate_that_is_a_field_is_undone_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in tiles, and by a pipeline; with the mean kernel in its place the corners would stay blurred."""
    family = Field(Defocus([1, 1.0]), growth=[4, 4.0])
    sharp, margin = skimage.data.astronaut()[:150, :190, 1].astype(np.float32) / 255, family.size // 2
    x = torch.from_numpy(sharp)[None, None]
    operator = family.operator(torch.tensor([[1.0, 4.0]]), shape=(150, 190))
    y = operator.A(x) + 0.002 * torch.randn(1, 1, 150 - 2 * margin, 190 - 2 * margin)
    x = x[..., margin:-margin, margin:-margin]
    pipeline = Pipeline(KnowsField(family), {}, {}, DouglasRachford(iterations=30))
    direct = pipeline.deconvolver(y, operator, 0.002).image
    torch.testing.assert_close(pipeline(y, 0.002).image, direct)
    made = tool(monkeypatch, Trained(pipeline, "grey", 64, 0.002))
    image = y[0].permute(1, 2, 0).numpy()
    restored, found = made.deblur(image)
    assert float(isnr(y, torch.from_numpy(restored).permute(2, 0, 1)[None], x)) > 3
    np.testing.assert_allclose(restored, direct[0].permute(1, 2, 0).clamp(0, 1), atol=1e-5)
    np.testing.assert_allclose(found.psf, operator.psf_at(image.shape[0] // 2, image.shape[1] // 2)[0, 0], atol=1e-6)
    tiled, _ = api.Deblurrer("a run", tile=96).deblur(image)
    assert float(isnr(y, torch.from_numpy(tiled).permute(2, 0, 1)[None], x)) > 3


def test_a_photograph_larger_than_a_tile_is_restored_alike_in_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    image = skimage.data.astronaut()[:150, :190].astype(np.float32) / 255
    whole, _ = tool(monkeypatch, trained(Says(0.1, 0.2, 0.7))).deblur(image)
    shares: list[float] = []
    restored, _ = api.Deblurrer("a run", tile=96).deblur(image, progress=shares.append)
    assert shares[-1] == 1 and len(shares) > 3
    np.testing.assert_allclose(restored[48:-48, 48:-48], whole[48:-48, 48:-48], atol=2e-3)


@pytest.mark.parametrize(
    ("net", "line"),
    [
        (Says(0.4, 0.3, 0.3), "{photo}: none, probability 0.400 -> {out}\n"),
        (
            Says(0.01, 0.01, 0.98),
            "{photo}: taps 5.00 px (90 % interval 5.00 to 5.00), probability 0.990, kernel of 5.00 px -> {out}\n",
        ),
    ],
    ids=["sharp", "blurred"],
)
def test_the_command_writes_the_photograph_and_says_what_was_found(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], photos: list[Path], net: Says, line: str
) -> None:
    tool(monkeypatch, trained(net))
    out = photos[0].parents[1] / "out"
    main(["deblur", str(photos[0]), "--run", "a run", "--out", str(out)])
    assert capsys.readouterr().out == line.format(photo=photos[0], out=out / "eye.png")
    assert read_image(out / "eye.png").shape == (70, 81, 3)


def test_the_command_takes_and_prints_names_of_every_kind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tool(monkeypatch, trained(Says(0.4, 0.3, 0.3)))
    monkeypatch.chdir(tmp_path)
    names = ["caf\udce9.png", "a\nb.png", "\u65e5" * 80 + ".png", "-a.png", "Eye.png", "eye.png"]
    for name in names:
        write_image(Path(name), photo())
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr("sys.stdout", terminal)
    main(["deblur", *(f"./{name}" for name in names), "--run", "a run"])
    terminal.flush()
    lines = terminal.buffer.getvalue().decode("ascii").splitlines()
    assert [line.split(": none")[0] for line in lines[:2]] == [r"caf\xe9.png", r"a\nb.png"] and len(lines) == len(names)
    assert sorted(os.listdir("deblurred")) == sorted(names)


def test_a_name_that_looks_like_an_option_gets_its_remedy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    write_image(Path("-a.png"), photo())
    assert "write ./-a.png" in said(capsys, "-a.png", "--run", "nowhere")


def test_markup_in_a_name_is_shown_as_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    with progress_bar("[bold]eye.png") as progress:
        progress(0.5)
    assert "[bold]eye.png" in capsys.readouterr().err


def test_a_deep_file_keeps_its_grey_levels_and_they_are_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    tool(monkeypatch, trained(Says(0.4, 0.3, 0.3)))
    values = np.random.default_rng(0).integers(0, 4096, (70, 81), dtype=np.uint16)
    values[0, 0] = 4095
    for name, container in (("word", np.uint16), ("long", np.uint32)):
        tifffile.imwrite(tmp_path / f"{name}.tif", values.astype(container))
        main(["deblur", str(tmp_path / f"{name}.tif"), "--run", "a run", "--out", str(tmp_path)])
        assert f"{name}.png (white is 4095, from the 12 bits" in capsys.readouterr().out
        np.testing.assert_array_equal(cv2.imread(str(tmp_path / f"{name}.png"), cv2.IMREAD_UNCHANGED), values)


def test_two_photographs_of_one_name_are_refused_before_any_work(
    capsys: pytest.CaptureFixture[str], photos: list[Path], tmp_path: Path
) -> None:
    err = said(capsys, *photos, "--run", tmp_path / "no run", "--out", tmp_path / "out")
    assert all(str(path) in err for path in photos) and str(tmp_path / "out" / "eye.png") in err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["a.png", "--run", "nowhere", "--sigma", "-1"], "sigma is a standard deviation"),
        (["a.png", "--run", "nowhere", "--sigma", "nan"], "sigma is a standard deviation"),
        (["a.png", "--run", "nowhere", "--sigma", "much"], "invalid float value: 'much'"),
        (["a.png", "--run", "nowhere", "--tile", "3"], "tile must be a number in [16, 1e+06], got 3"),
        (["a.png", "--run", "nowhere"], "nowhere is no run directory"),
        (["nowhere.png"], "nowhere.png"),
        (["--run", "nowhere"], "required: photo"),
        (["a.png", "--run", "nowhere", "--frobnicate"], "unrecognized arguments: --frobnicate"),
    ],
)
def test_a_wrong_word_gets_one_line(capsys: pytest.CaptureFixture[str], words: list[str], line: str) -> None:
    assert line in said(capsys, *words)


def test_a_run_without_one_sigma_lets_the_deconvolver_measure_it(monkeypatch: pytest.MonkeyPatch) -> None:
    image = skimage.data.astronaut()[:150, :190].astype(np.float32) / 255
    y = torch.from_numpy(image).permute(2, 0, 1)[None]
    made = trained(Says(0.1, 0.2, 0.7), sigma=None)
    restored, found = tool(monkeypatch, made).deblur(image)
    psf = torch.from_numpy(found.psf)[None, None]
    expected = Wiener()(y, psf, effective_sigma(y)).image[0].permute(1, 2, 0).clamp(0, 1)
    np.testing.assert_allclose(restored, expected, atol=1e-6)
    bare = Wiener()(y, psf, estimate_sigma(y)).image[0].permute(1, 2, 0).clamp(0, 1)
    assert np.abs(restored - bare.numpy()).max() > 1e-3  # the two noises are told apart by this photograph


def test_without_a_run_the_deconvolver_allows_for_a_kernel_that_is_not_exact() -> None:
    sharp = torch.from_numpy(skimage.data.astronaut()[100:260, 60:220].copy()).permute(2, 0, 1)[None] / 255
    y = Convolution(Defocus(3.0).psf(torch.tensor([[3.0]])), "valid").A(sharp)
    restored, found = api.Deblurrer().deblur(y[0].permute(1, 2, 0).numpy())
    assert found.kind == "defocus" and found.undone
    low, high = found.interval_px
    error = torch.tensor([math.hypot(EXACT_PX, UNSURE * (high - low) / 2)])
    expected = InLight().allowing(error)(y, torch.from_numpy(found.psf)[None, None]).image[0].permute(1, 2, 0)
    np.testing.assert_allclose(restored, expected.clamp(0, 1), atol=1e-4)


def test_a_photograph_is_not_overwritten(capsys: pytest.CaptureFixture[str], photos: list[Path]) -> None:
    before = photos[0].read_bytes()
    assert "would be overwritten" in said(capsys, photos[0], "--run", "a run", "--out", photos[0].parent)
    assert photos[0].read_bytes() == before


@pytest.mark.parametrize(
    ("command", "word"), [("deblur", "--sigma"), ("table", "messidor_hier"), ("report", "REPORT.md")]
)
def test_each_command_prints_its_own_help(capsys: pytest.CaptureFixture[str], command: str, word: str) -> None:
    try:
        main([command, "--help"])
    except SystemExit as end:
        assert end.code == 0
    out, err = capsys.readouterr()
    assert f"blurlab {command}" in out and word in out and "groups and their members" not in out and err == ""


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
    assert ": cannot tell how it is blurred, so it is left as it came -> " in capsys.readouterr().out
    np.testing.assert_array_equal(read_image(tmp_path / "out" / "y.png"), read_image(tmp_path / "y.png"))
