"""Where kernel and noise are exact no deconvolver makes an image worse: smooth and rough ones, down to no noise."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest
import torch
from fast_set import slow_where
from test_deconvolver_laws import MEMBERS
from torch import Tensor

from blurlab.deconvolver import SIGMA_FLOOR, Deconvolver, Restored, Tiled, Wiener
from blurlab.deconvolver.laws import check_never_worse

BENCH: dict[str, Any] = runpy.run_path(str(Path(__file__).parents[2] / "experiments" / "bench" / "never_worse.py"))
SIDE = 64
NOT_HELD = {
    "wiener_padded": "motion of 9 px, .001, astronaut: .052 -> .188; a photograph does not go on as its mirror image",
    "wiener_flat": "Gaussian 2 px, .001, coffee: .036 -> .128; liu_jia, and an image taken for white noise",
    "wiener_laplacian": "Gaussian 1 px, .01, coffee: .021 -> .029; edgetaper, and an image taken for a smooth one",
    "tv_vectorial": "motion of 9 px, .001, coffee: .029 -> .058; liu_jia",
    "richardson_lucy_plain": "motion of 9 px, .001, table: .010 -> .020; padded",
    "tikhonov_laplacian_padded": "motion of 9 px, .001, astronaut: .052 -> .158; padded",
    "tikhonov_identity": "Gaussian 1 px, .001, coffee: .018 -> .021; an image taken for white noise",
    "epll_padded": "motion of 9 px, .001, astronaut: .052 -> .158 (the one that was looked at); padded",
}
"""Member -> its worst case (kernel, sigma, scene: error of y -> of the result) and what it assumes that is not true."""
HELD = {name: member for name, member in MEMBERS.items() if name not in NOT_HELD}
HELD["tiled"] = Tiled(Wiener(), tile=60)  # four times the widest kernel
SLOW = ["epll", "unrolled_dr", "wiener_stack", "richardson_lucy_tv", "hyper_laplacian", "tiled"]
UNSEEN = {
    # sigma .004: .0106 -> .0113, .5 dB: on a smooth slope that runs askew its edges along rows and columns are stairs.
    ("tv_anisotropic", "table", "motion9"): 4e-3,
}
"""Member, scene, kernel -> error that is allowed beside y's own, where that is more than what 8 bits add (.001); a grey
level of 8 bits is .004."""
FAST = [("camera", "gaussian2"), ("sky", "gaussian1"), ("ramp", "motion9")]
MORE = [("astronaut", "disk4"), ("coffee", "motion9"), ("table", "motion9"), ("ramp", "box15"), ("sky", "disk4")]
"""Scenes and kernels; the script measures all of them."""


def check(name: str, deconvolver: Deconvolver, scene: str, kernel: str, sigmas: tuple[float, ...]) -> None:
    """The law for one scene and kernel at each of several noises."""
    sigma = torch.tensor(sigmas)
    sharp = BENCH["scenes"](SIDE)[scene].expand(len(sigma), -1, -1, -1)
    psf = BENCH["kernels"]()[kernel].expand(len(sigma), -1, -1, -1)
    unseen = UNSEEN.get((name, scene, kernel), SIGMA_FLOOR)
    check_never_worse(deconvolver, sharp, psf, sigma, generator=torch.Generator().manual_seed(0), unseen=unseen)


@pytest.fixture(autouse=True)
def one_thread() -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


CASES = [(name, *pair) for name in HELD if name not in SLOW for pair in FAST]


def one_of_several(case: tuple[str, str, str]) -> bool:
    """Is this another scene than the one that each member has in the fast set?"""
    name, *pair = case
    return tuple(pair) != FAST[name == "saturated"]


@pytest.mark.parametrize(("name", "scene", "kernel"), slow_where(CASES, one_of_several))
def test_never_worse(name: str, scene: str, kernel: str) -> None:
    check(name, HELD[name], scene, kernel, (0.0, 0.004, 0.05))


@pytest.mark.slow
@pytest.mark.parametrize(("scene", "kernel"), MORE, ids=["-".join(pair) for pair in MORE])
@pytest.mark.parametrize("name", [name for name in HELD if name not in SLOW])
def test_never_worse_elsewhere(name: str, scene: str, kernel: str) -> None:
    check(name, HELD[name], scene, kernel, (0.0, 0.001, 0.004))


@pytest.mark.slow
@pytest.mark.parametrize(("scene", "kernel"), FAST, ids=["-".join(pair) for pair in FAST])
@pytest.mark.parametrize("name", SLOW)
def test_slow_ones_are_never_worse(name: str, scene: str, kernel: str) -> None:
    check(name, HELD[name], scene, kernel, (0.0, 0.05))


class Sharpening(Deconvolver):
    def restore(self, y: Tensor, psf: Tensor, sigma: Tensor) -> Restored:
        return Restored(y + 0.3 * (y - y.mean((-2, -1), keepdim=True)))


class Smoothing(Deconvolver):
    def restore(self, y: Tensor, psf: Tensor, sigma: Tensor) -> Restored:
        return Restored((y + y.roll(1, -1) + y.roll(1, -2)) / 3)


@pytest.mark.parametrize("deconvolver", [Sharpening(), Smoothing()], ids=["sharpening", "smoothing"])
def test_the_law_finds_a_breach(deconvolver: Deconvolver) -> None:
    with pytest.raises(AssertionError, match=r"never worse than y .*: error 0\.\d+ for 0\.\d+ on image 0, sigma 0$"):
        check("", deconvolver, "camera", "gaussian1", (0.0, 0.01))
