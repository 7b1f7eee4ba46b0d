"""Files that hold light: networks see what a file of sRGB values would show, and no curve is undone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import skimage.data
import tifffile
import torch
from scipy import ndimage
from stand_in_run import Says, trained

from blurlab.api import Deblurrer
from blurlab.cli import main
from blurlab.deconvolver import InLight, LightTV
from blurlab.noise import Power, srgb_to_light
from blurlab.run.stage import load

KERNEL = np.full((1, 5), 0.2)
SHARP = srgb_to_light(torch.from_numpy(skimage.data.astronaut()[80:180, 170:280]).double() / 255).float().numpy()
BLURRED = ndimage.convolve(SHARP, KERNEL[..., None], mode="mirror").astype(np.float32)


def psnr(image: np.ndarray) -> float:
    return float(-10 * np.log10(((image - SHARP)[6:-6, 6:-6] ** 2).mean()))


def test_the_network_is_shown_values_and_the_deconvolver_light(monkeypatch: pytest.MonkeyPatch) -> None:
    net = Says(0.01, 0.01, 0.98)
    monkeypatch.setattr(load, "untrained", lambda deconvolver=None, weights=None: trained(net))
    tool = Deblurrer(linear=True)
    tool.deblur(BLURRED)
    np.testing.assert_allclose(srgb_to_light(net.seen[0])[0, 0].numpy(), BLURRED[..., 1], atol=1e-6)
    assert Deblurrer(deconvolver=InLight(), linear=False).as_values(BLURRED) is BLURRED


def test_a_known_kernel_is_undone_without_a_curve() -> None:
    linear, curved = (Deblurrer(linear=one).undo(BLURRED, KERNEL.astype(np.float32))[0] for one in (True, False))
    own = InLight(LightTV(Power(1.0)), Power(1.0), colour=1)
    want = own(torch.from_numpy(BLURRED).permute(2, 0, 1)[None], torch.from_numpy(KERNEL).float()[None, None]).image
    np.testing.assert_allclose(linear, want[0].permute(1, 2, 0).numpy(), atol=1e-5)
    assert psnr(linear) > psnr(BLURRED) + 6 and psnr(linear) > psnr(curved) + 1


def test_the_command_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tifffile.imwrite(tmp_path / "a.tif", BLURRED, photometric="rgb")
    tifffile.imwrite(tmp_path / "k.tif", KERNEL.astype(np.float32))
    words = ["deblur", str(tmp_path / "a.tif"), "--kernel", str(tmp_path / "k.tif"), "-o", str(tmp_path / "o")]
    main([*words, "--linear", "--page"])
    linear = tifffile.imread(tmp_path / "o" / "a.tif")
    main([*words, "--resume"])  # with other options nothing is done already
    curved = tifffile.imread(tmp_path / "o" / "a.tif")
    assert psnr(linear) > psnr(curved) + 1 and linear.dtype == np.float32
