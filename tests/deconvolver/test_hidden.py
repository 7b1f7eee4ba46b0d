"""Where noise hides the blur: which images that are, and when y is kept."""

from __future__ import annotations

import torch
from torch import Tensor

from blurlab.deconvolver import Deconvolver, Restored, Tiled
from blurlab.deconvolver.hidden import is_hidden, keep_where_nearer, may_be_hidden, nearest_plane
from blurlab.deconvolver.laws import kernels, made_up
from blurlab.physics import Convolution

ROW = torch.ones(1, 1, 1, 5) / 5
SIGMA = torch.full((1, 1, 1, 1), 0.01)


def noise(*shape: int) -> Tensor:
    return 0.01 * torch.randn(shape, generator=torch.Generator().manual_seed(0))


def ramp(height: int = 40, width: int = 56) -> Tensor:
    return torch.linspace(0.2, 0.8, width).expand(1, 1, height, width)


def test_pixels_here_and_there_tell_what_all_do() -> None:
    stripes = (torch.arange(150) % 2).float().expand(1, 1, 120, 150)  # 120 x 150: every fourth pixel is looked at
    for y, psf, expected in (
        (stripes, ROW, False), (stripes, ROW.mT, True), (stripes.mT, ROW, True), (stripes.mT, ROW.mT, False),
    ):  # fmt: skip
        assert bool(may_be_hidden(y, psf, SIGMA)) == bool(is_hidden(y, psf, SIGMA)) == expected
    for louder, all_say, some_say in ((1.0, True, True), (1.4, False, True), (2.0, False, False)):
        y = louder * noise(1, 1, 120, 150)
        assert bool(is_hidden(y, ROW, SIGMA)) == all_say
        assert bool(may_be_hidden(y, ROW, SIGMA)) == some_say


def test_a_kernel_wider_than_the_image_hides_nothing() -> None:
    assert not may_be_hidden(ramp()[..., :4], ROW, SIGMA)


def test_y_is_kept_where_it_is_nearer() -> None:
    x = ramp().expand(3, -1, -1, -1)
    x = torch.cat([x[:2], made_up(1, (40, 56), generator=torch.Generator().manual_seed(2))])
    y, u = x + noise(3, 1, 40, 56), x.clone()
    u[1:] += 0.02 * (torch.arange(56) % 4 - 1.5)
    before = u.clone()
    kept = keep_where_nearer(u, y, ROW.expand(3, -1, -1, -1), SIGMA.expand(3, -1, -1, -1))
    assert torch.equal(kept[0], before[0])  # nearer than y
    assert torch.equal(kept[1], y[1])  # farther
    assert torch.equal(kept[2], before[2])  # farther, but its blur is seen


def test_a_blur_only_shifts_a_plane() -> None:
    rows, cols = torch.arange(30.0)[:, None], torch.arange(40.0)
    whole = (0.03 * rows - 0.07 * cols + 2).expand(1, 2, 30, 40)
    lopsided = kernels(4)[3:]
    y = Convolution(lopsided, "valid").A(whole)
    seen, sharp = nearest_plane(y, lopsided)
    torch.testing.assert_close(seen, y, atol=1e-5, rtol=0)
    torch.testing.assert_close(sharp, whole[..., 2:-2, 2:-2], atol=1e-5, rtol=0)


class Rippling(Deconvolver):
    """Adds a ripple."""

    has_gradient = True

    def restore(self, y: Tensor, psf: Tensor, sigma: Tensor) -> Restored:
        return Restored(y + 0.05 * (torch.arange(y.shape[-1]) % 2 - 0.5))


def test_every_call_that_is_told_the_noise_keeps_y() -> None:
    y = ramp() + noise(1, 1, 40, 56)
    for solver in (Rippling(), Tiled(Rippling(), tile=30)):
        assert torch.equal(solver(y, ROW, 0.01).image, y)
        assert not torch.equal(solver(y, ROW).image, y)  # the kernel need not be exact
    assert not torch.equal(Rippling().differentiable(y, ROW, 0.01).image, y)
