"""Deconvolvers by their names: what they are, and what they gain on a photograph."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch
from fast_set import first_fast
from torch import Tensor

import blurlab
from blurlab.api import Deblurrer
from blurlab.blur import motion_psf
from blurlab.cli import main
from blurlab.core.image_io import read_image, write_image
from blurlab.deconvolver import InLight, Learned, Restored, RichardsonLucy, Tiled
from blurlab.deconvolver.learned import read_state, weights_file
from blurlab.methods import LEARNED, METHODS, named
from blurlab.metric import isnr, psnr
from blurlab.noise import light_to_srgb, srgb_to_light
from blurlab.physics import Convolution, LinearOperator
from blurlab.pipeline.turning import turning

PSF = motion_psf(torch.tensor([9.0]), torch.tensor([30.0]), 11)
SIGMA = 0.01
LEAST_DB = {"wiener": 1.0, "tikhonov": 1.0, "richardson_lucy": 1.0, "unrolled_dr": 3.0}
"""What each method gains at least; the others 2 dB."""


def planes(image: np.ndarray) -> Tensor:
    """(H, W, 3) of 8 bits as (1, 3, H, W) in [0, 1]."""
    return torch.from_numpy(image.copy()).permute(2, 0, 1)[None] / 255


def photographed(top: int, left: int, height: int, width: int) -> tuple[np.ndarray, Tensor]:
    """A photograph of 8 bits (height, width, 3) of a camera that moved, and the sharp one (1, 3, height, width)."""
    margin = PSF.shape[-1] // 2
    wide = planes(skimage.data.astronaut()[top : top + height + 2 * margin, left : left + width + 2 * margin])
    y = light_to_srgb(Convolution(PSF, "valid").A(srgb_to_light(wide)))
    y = y + SIGMA * torch.randn(y.shape, generator=torch.Generator().manual_seed(0))
    seen = (y[0].clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
    return seen, wide[..., margin:-margin, margin:-margin]


@cache
def large() -> tuple[np.ndarray, Tensor, np.ndarray]:
    """A photograph that shows its blur, the sharp one, and the kernel that the package finds in it."""
    y, x = photographed(0, 80, 320, 320)
    found = blurlab.identify(y)
    assert found.kind == "motion"
    return y, x, found.kernel


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_each_method_restores_a_photograph(method: str) -> None:
    y, x, kernel = large()
    result = blurlab.deblur(y, kernel, method, sigma=SIGMA)
    assert result.restored and result.image.dtype == np.uint8
    gain = psnr(planes(result.image), x) - psnr(planes(y), x)
    assert float(gain) > LEAST_DB.get(method, 2.0)


@pytest.mark.slow
@pytest.mark.parametrize("method", LEARNED)
def test_a_network_restores_a_photograph_of_which_nothing_is_told(method: str) -> None:
    y, x, kernel = large()
    result = blurlab.deblur(y, method=method)
    assert result.restored and result.kind == "motion"
    np.testing.assert_array_equal(result.kernel, kernel)
    assert float(psnr(planes(result.image), x) - psnr(planes(y), x)) > 1.5


@pytest.mark.parametrize("method", LEARNED)
def test_a_network_has_the_weights_of_the_package(method: str) -> None:
    solver = named(method)
    assert isinstance(solver, InLight) and isinstance(solver.deconvolver, Learned) and solver.deconvolver.trained
    weights = {"unrolled_dr": "unrolled_dr_tiny"}.get(method, method)
    state, held = solver.deconvolver.net.state_dict(), read_state(weights_file(weights))
    assert state.keys() == held.keys() and all(torch.equal(state[name], held[name]) for name in held)


def test_all_but_the_networks_are_the_classes_with_their_defaults() -> None:
    from blurlab import deconvolver

    classes = ("Wiener", "Tikhonov", "TV", "HyperLaplacian", "RichardsonLucy", "EPLL")
    y, _ = photographed(60, 170, 70, 81)
    for name, of in zip(METHODS, classes, strict=False):
        mine, plain = named(name), InLight(getattr(deconvolver, of)())
        assert mine is not None and type(mine.deconvolver).__name__ == of
        if name != "epll":  # it takes seconds
            assert torch.equal(mine(planes(y), PSF, SIGMA).image, plain(planes(y), PSF, SIGMA).image)
    assert len(classes) + len(LEARNED) == len(METHODS)


@pytest.mark.parametrize("method", first_fast(LEARNED))
def test_a_network_takes_grey_and_colour_wide_kernels_and_light(method: str) -> None:
    y, _ = photographed(60, 170, 70, 81)
    line, wide = np.full((1, 5), 0.2), np.full((35, 35), 1 / 35**2)  # no square; wider than any that was trained on
    for image, kernel, options in (
        (y[..., 0], line, {}),
        (y, wide, {}),
        (y.astype(np.float32) / 255, line.T, {"linear": True, "sigma": 0.02}),
        (np.where(y > 150, 255, y // 8).astype(np.uint8), line, {}),  # clipped, and dark beside it
    ):
        result = blurlab.deblur(image, kernel, method, **options)
        assert result.restored and result.image.shape == image.shape and result.image.dtype == image.dtype
        assert np.isfinite(result.image).all()


@pytest.mark.parametrize("method", first_fast(LEARNED))
def test_tiles_of_a_network_are_as_good_as_the_whole_photograph(method: str) -> None:
    """They differ: a network folds pixels from where its tile begins. Where they meet they are as good, too."""
    y, x = photographed(60, 100, 150, 280)
    solver, image = named(method), planes(y)
    assert solver is not None
    whole, tiled = solver(image, PSF, SIGMA).image, solver.tiled(160)(image, PSF, SIGMA).image
    assert not torch.equal(whole, tiled)
    for columns in (slice(16, -16), slice(120, 160)):  # of 280, two tiles
        seen = (..., slice(16, -16), columns)
        gains = [float(isnr(image[seen], one[seen], x[seen])) for one in (whole, tiled)]
        assert gains[1] > max(gains[0] - 0.2, 2.5), gains


@pytest.mark.parametrize("method", LEARNED)
def test_without_autograd_a_large_photograph_goes_through_a_network_one_channel_after_the_other(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    solver, (y, _) = named(method), photographed(60, 170, 64, 70)
    assert solver is not None and isinstance(solver.deconvolver, Learned)
    net, counts = solver.deconvolver.net, []
    first = next(one for one in net.modules() if isinstance(one, torch.nn.Conv2d))
    first.register_forward_hook(lambda module, shown, made: counts.append(len(made)))
    at_once = solver(planes(y), PSF, SIGMA).image
    assert set(counts) == {3}
    counts.clear()
    monkeypatch.setattr("blurlab.deconvolver.chunks.CACHED_PIXELS", 64 * 70)
    in_turn = solver(planes(y), PSF, SIGMA).image
    assert set(counts) == {1}
    torch.testing.assert_close(in_turn, at_once, rtol=0, atol=1e-5)


class Watched(RichardsonLucy):
    """Takes operators, and does not like it."""

    def restore(self, y: Tensor, psf: Tensor | LinearOperator, sigma: Tensor) -> Restored:
        assert isinstance(psf, Tensor), f"a {type(psf).__name__} in place of kernels"
        return super().restore(y, psf, sigma)


def test_one_that_is_asked_by_kernels_is_given_no_operator() -> None:
    y, blur = planes(photographed(60, 170, 130, 140)[0]), turning(torch.tensor([[8.0, 2], [0, 3], [-3, 0]]), (130, 140))
    for solver in (Tiled(Watched(), 100), InLight(Tiled(Watched(), 100)), InLight(Watched()).tiled(100)):
        with pytest.raises(AssertionError, match="in place of kernels"):
            solver(y, blur, SIGMA)
        assert solver.by_kernels()(y, blur, SIGMA).image.shape == y.shape


@pytest.mark.slow
def test_a_motion_that_differs_is_undone_by_kernels_whatever_the_method() -> None:
    blur = turning(torch.tensor([[11.0, 4.0], [3.0, 0.0], [0.0, 3.0]]), (390, 590))
    margin = blur.psf.shape[-1] // 2
    sharp = planes(skimage.data.rocket()[: 390 + 2 * margin, : 590 + 2 * margin])
    y = light_to_srgb(blur.A(srgb_to_light(sharp)))
    y = (y + 0.004 * torch.randn(y.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)
    restored, found = Deblurrer(deconvolver=InLight(Watched())).deblur(y[0].permute(1, 2, 0).numpy())
    assert found.varies and not np.array_equal(restored, y[0].permute(1, 2, 0).numpy())


@pytest.mark.parametrize("method", first_fast(LEARNED))
def test_the_command_takes_a_network(method: str, tmp_path: Path) -> None:
    y, _ = photographed(60, 170, 70, 81)
    write_image(tmp_path / "a.png", y / 255)
    np.save(tmp_path / "k.npy", PSF[0, 0].numpy())
    main(["deblur", str(tmp_path / "a.png"), "--kernel", str(tmp_path / "k.npy"), "--method", method, "-o",
          str(tmp_path / "out")])  # fmt: skip
    expected = blurlab.deblur(tmp_path / "a.png", PSF[0, 0], method).image
    np.testing.assert_array_equal((read_image(tmp_path / "out" / "a.png") * 255).round().astype(np.uint8), expected)


def test_their_names_load_no_torch() -> None:
    code = "import sys; from blurlab.methods import METHODS; assert 'torch' not in sys.modules; print(*METHODS)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [*METHODS]
