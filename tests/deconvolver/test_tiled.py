"""Tiles against the whole image, their windows, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data
import torch
from fast_set import slow_where
from torch import Tensor

from blurlab.blur import Defocus
from blurlab.deconvolver import TV, Bilateral, Deconvolver, ImplicitTV, Restored, RichardsonLucy, Tiled, Wiener
from blurlab.deconvolver.laws import kernels
from blurlab.deconvolver.parts import measure_sigma, parts
from blurlab.deconvolver.tiled import layout
from blurlab.noise import effective_sigma
from blurlab.physics import Convolution

PSF = Defocus(2.0).psf(torch.tensor([[2.0]]))


def photo(rows: int = 200, cols: int = 330, channels: int = 1, sigma: float = 0.01) -> Tensor:
    """A photograph, out of focus."""
    sharp = skimage.data.astronaut()[: rows + PSF.shape[-2] - 1, : cols + PSF.shape[-1] - 1, :channels]
    y = Convolution(PSF, "valid").A(torch.from_numpy(sharp.copy()).permute(2, 0, 1)[None] / 255)
    return y + sigma * torch.randn(y.shape, generator=torch.Generator().manual_seed(0))


SOLVERS: dict[str, tuple[Deconvolver, Deconvolver]] = {
    "wiener": (Wiener(), Wiener()),
    "wiener_flat": (Wiener(prior="flat"), Wiener(prior="flat")),
    "wiener_circular": (Wiener(boundary="circular", nsr=0.01), Wiener(boundary="circular", nsr=0.01)),
    "tv": (TV(iterations=10), TV(iterations=10, tolerance=0)),
    "implicit_tv": (ImplicitTV(iterations=3, rounds=2), ImplicitTV(iterations=3, rounds=2, tolerance=0)),
    "bilateral": (Bilateral(Wiener()), Bilateral(Wiener())),
}
"""For tiles, and for the whole image."""
CASES = [(name, sigma) for name in SOLVERS for sigma in (0.01, None)]


@pytest.mark.parametrize(("name", "sigma"), slow_where(CASES, lambda one: one[1] is None and one[0] != "wiener"))
def test_the_interior_is_that_of_the_whole_image(name: str, sigma: float | None) -> None:
    solver, whole = SOLVERS[name]
    y = photo(160, 290, channels=2 if sigma is None else 1)
    tiled = Tiled(solver, tile=144)(y, PSF, sigma)
    assert tiled.history["seam"][0] < 1e-4
    difference = (tiled.image - whole(y, PSF, sigma).image).abs()
    assert difference[..., 56:-56, 56:-56].max() < 1e-4


def test_tiles_stop_at_the_noise_where_the_whole_image_does() -> None:
    y = photo()
    solver = RichardsonLucy(iterations=60)
    frozen = solver.freeze(y, PSF, torch.full((1, 1, 1, 1), 0.01))
    assert frozen.stop == 0 and 0 < frozen.iterations < 60
    tiled = Tiled(solver, tile=144)(y, PSF, 0.01).image
    whole = frozen(y, PSF, 0.01).image
    assert (tiled - whole)[..., 56:-56, 56:-56].abs().max() < 2e-3
    one_by_one = torch.cat([solver(y[..., :144], PSF, 0.01).image, solver(y[..., 144:], PSF, 0.01).image], -1)
    assert (one_by_one - whole)[..., 56:-56, 200:-56].abs().max() > 2e-2


def test_each_tile_by_itself_would_not_do() -> None:
    class Unsettled(Wiener):
        def freeze(self, parts: Tensor, psf: Tensor, sigma: Tensor) -> Deconvolver:
            return self

    y = photo()
    whole = Wiener()(y, PSF, 0.01).image
    far = (Tiled(Unsettled(), tile=144)(y, PSF, 0.01).image - whole).abs()[..., 40:-40, 40:-40].max()
    narrow = (Tiled(Wiener(), tile=144, overlap=2)(y, PSF, 0.01).image - whole).abs()[..., 40:-40, 40:-40].max()
    assert far > 1e-3 and narrow > 1e-3


def test_an_image_that_fits_is_handed_on() -> None:
    y, psf = photo(60, 80).repeat(3, 1, 1, 1), kernels(3)
    assert torch.equal(Tiled(TV(), tile=80)(y, psf, 0.01).image, TV()(y, psf, 0.01).image)


def test_images_of_a_batch_are_restored_by_themselves() -> None:
    y = torch.cat([photo(90, 150), 0.5 * photo(90, 150, sigma=0.02).flip(-1)])
    psf, sigma = kernels(2), torch.tensor([0.01, 0.02])
    calls: list[float] = []
    tiled = Tiled(Wiener(), tile=70, progress=calls.append)
    both = tiled(y, psf, sigma)
    assert calls == sorted(set(calls)) and calls[-1] == 1 and 0.5 in calls
    assert len(both.history["overlap_px"]) == 2
    for i in range(2):
        assert torch.equal(both.image[i], tiled(y[i : i + 1], psf[i : i + 1], sigma[i]).image[0])


@pytest.mark.parametrize(("shape", "tile", "overlap"), [((100, 310), 140, 20), ((17, 24), 16, 3), ((51, 8), 20, 0)])
def test_windows_sum_to_one_and_are_zero_at_a_cut(shape: tuple[int, int], tile: int, overlap: int) -> None:
    total = torch.zeros(shape)
    for (top, bottom), (left, right), window in layout(shape, tile, overlap):
        assert bottom - top <= tile and right - left <= tile
        weight = window()
        near = overlap // 2
        if left > 0:
            assert not weight[:, :near].any()
        if right < shape[1]:
            assert not weight[:, weight.shape[1] - near :].any()
        total[top:bottom, left:right] += weight
    torch.testing.assert_close(total, torch.ones(shape))


def test_writes_into_what_is_given(tmp_path) -> None:
    y = photo()
    half = torch.from_numpy(np.memmap(tmp_path / "y", np.float16, "w+", shape=tuple(y.shape)))
    half.copy_(y)
    out = torch.from_numpy(np.memmap(tmp_path / "out", np.float16, "w+", shape=tuple(y.shape))).fill_(7)
    tiled = Tiled(Wiener(), tile=144)
    assert tiled.restore_into(out, half, PSF, 0.01).image is out
    torch.testing.assert_close(out.float(), tiled(half, PSF, 0.01).image, atol=2e-3, rtol=0)
    with pytest.raises(ValueError, match="out must be floating-point of y's shape"):
        tiled.restore_into(out[..., 1:], half, PSF, 0.01)


def test_memory_beside_the_image_is_that_of_a_tile() -> None:
    class Watched(Deconvolver):
        most = 0

        def freeze(self, parts: Tensor, psf: Tensor, sigma: Tensor) -> Deconvolver:
            return self

        def restore(self, y: Tensor, psf: Tensor, sigma: Tensor) -> Restored:
            Watched.most = max(Watched.most, y[0, 0].numel())
            return Restored(y)

    y = photo(400, 400)
    before = y.clone()
    torch.testing.assert_close(Tiled(Watched(), tile=96)(y, PSF, 0.01).image, before)
    assert torch.equal(y, before)
    assert 0 < Watched.most <= 96**2


def test_noise_of_a_large_image_is_measured_in_parts_of_it() -> None:
    y = torch.cat([photo(300, 300, sigma=0.02), photo(300, 300, sigma=0.01)])
    assert parts(y[:1], 10_000).shape == (9, 1, 33, 33)
    one = torch.ones(len(y), 1, 1, 1)
    torch.testing.assert_close(measure_sigma(y, one, 10_000), effective_sigma(y), rtol=0.1, atol=0)


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"deconvolver": "tv"}, TypeError, "Tiled takes a deconvolver, got str"),
        ({"deconvolver": TV(), "tile": 8}, ValueError, "tile must be"),
        ({"deconvolver": TV(), "tile": 64, "overlap": 32}, ValueError, "overlap must be"),
    ],
)
def test_options_that_cannot_be(options: dict, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        Tiled(**options)


def test_tiles_too_small_for_the_kernel_are_refused() -> None:
    with pytest.raises(ValueError, match=r"tile must be at least four kernels wide, 20 px, got 16"):
        Tiled(TV(), tile=16)(photo(), PSF, 0.01)
