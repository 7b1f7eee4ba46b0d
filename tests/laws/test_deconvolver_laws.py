"""Every deconvolver under the same laws."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from fast_set import slow_where
from torch import Tensor

from blurlab.deconvolver import (
    EPLL,
    TV,
    Bilateral,
    Deconvolver,
    DouglasRachford,
    HyperLaplacian,
    ImplicitTV,
    Learned,
    Restored,
    RichardsonLucy,
    Saturated,
    Tikhonov,
    Tiled,
    UNet,
    UnrolledDR,
    Wiener,
    WienerStack,
)
from blurlab.deconvolver.laws import kernels, made_up
from blurlab.physics import Convolution
from blurlab.testing import check_deconvolver

MEMBERS = {
    "wiener": Wiener(),
    "wiener_padded": Wiener(boundary="padded"),
    "wiener_flat": Wiener(prior="flat", boundary="liu_jia"),
    "wiener_laplacian": Wiener(prior="laplacian", boundary="edgetaper"),
    "wiener_estimated": Wiener(prior="estimated", strength=1.0, boundary="unknown"),
    "bilateral": Bilateral(Wiener()),
    "saturated": Saturated(Wiener()),
    "richardson_lucy": RichardsonLucy(),
    "richardson_lucy_plain": RichardsonLucy(accelerated=False, boundary="padded"),
    "richardson_lucy_tv": RichardsonLucy(200, accelerated=False, weight=None, stop=0.0),
    "tikhonov": Tikhonov(),
    "tikhonov_sure": Tikhonov(rule="sure"),
    "tikhonov_laplacian_padded": Tikhonov(penalty="laplacian", rule="discrepancy", boundary="padded"),
    "tikhonov_identity": Tikhonov(penalty="identity", rule="discrepancy"),
    "tv": TV(),
    "tv_anisotropic": TV(norm="anisotropic"),
    "tv_vectorial": TV(norm="vectorial", boundary="liu_jia"),
    "implicit_tv": ImplicitTV(),
    "douglas_rachford": DouglasRachford(),
    "tiled": Tiled(Wiener(), tile=32),
    "epll": EPLL(),
    "epll_padded": EPLL(boundary="padded"),
    "unrolled_dr": Learned(UnrolledDR(partial(UNet, channels=(32, 64, 128), blocks=1)), "unrolled_dr_tiny", views=8),
    "wiener_stack": Learned(WienerStack(width=64), "wiener_stack", views=8),
    "hyper_laplacian": HyperLaplacian(),
}


DEAR = {
    "epll",
    "epll_padded",
    "unrolled_dr",
    "wiener_stack",
    "tiled",
    "richardson_lucy_tv",
    "implicit_tv",
    "hyper_laplacian",
}


"""Their laws are slow; in the fast set they have the one law of a 256th, and the others have all of them."""


@pytest.mark.parametrize("name", slow_where([*MEMBERS], DEAR.__contains__))
def test_laws(name: str) -> None:
    check_deconvolver(MEMBERS[name], generator=torch.Generator().manual_seed(1))


LOOKS_ONE_WAY = {name for name in MEMBERS if "tv" in name} | {
    "douglas_rachford",
    "epll",
    "epll_padded",
    "hyper_laplacian",
}
"""Members whose differences, or patches a few pixels apart, look one way."""


def law_images(share: float = 1.0) -> tuple[Tensor, Tensor, Tensor]:
    """Blurred images (2, 1, 41, 48) that reach ``share``, kernels, noise."""
    generator = torch.Generator().manual_seed(5)
    sharp, psf, sigma = made_up(2, (45, 52), generator=generator), kernels(2), torch.tensor([0.002, 0.008])
    y = Convolution(psf, "valid").A(sharp)
    y += sigma[:, None, None, None] * torch.randn(y.shape, generator=generator)
    return share * y, psf, share * sigma


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in MEMBERS if name not in LOOKS_ONE_WAY])
def test_what_looks_all_ways_turns_by_180_degrees(name: str) -> None:
    y, psf, sigma = (one.double() for one in law_images())  # an inverse filter magnifies what float32 rounds
    restored = MEMBERS[name](y, psf, sigma).image
    turned = MEMBERS[name](y.flip(-2, -1), psf.flip(-2, -1), sigma).image.flip(-2, -1)
    torch.testing.assert_close(turned, restored, atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    "name", slow_where([name for name in MEMBERS if name != "implicit_tv"], lambda name: name not in DEAR)
)
def test_a_256th_of_the_intensities_is_restored_exactly(name: str) -> None:
    """But by the implicit total variation: its transform has the bound of the scale, not of the image."""
    dim, psf, sigma = law_images(0.5)
    restored = MEMBERS[name](dim, psf, sigma).image
    again = 256 * MEMBERS[name](dim / 256, psf, sigma / 256).image
    torch.testing.assert_close(again, restored, atol=1e-5, rtol=0)


class Lazy(Deconvolver):
    def restore(self, y: Tensor, psf: Tensor, sigma: Tensor) -> Restored:
        return Restored(y)


class Sloppy(Deconvolver):
    def restore(self, y: Tensor, psf: Tensor, sigma: Tensor) -> Restored:
        return Restored(y.mul_(0.9))


class Social(Deconvolver):
    def restore(self, y: Tensor, psf: Tensor, sigma: Tensor) -> Restored:
        image = TV().restore(y, psf, sigma).image
        return Restored(image + 3e-2 * image.mean())


class Shifting(Deconvolver):
    def restore(self, y: Tensor, psf: Tensor, sigma: Tensor) -> Restored:
        image = TV().restore(y, psf, sigma).image
        return Restored(0.7 * image + 0.3 * image.roll((1, 1), (-2, -1)))


class Absolute(Deconvolver):
    def restore_at_level(self, y: Tensor, blur: Tensor, sigma: Tensor) -> Restored:
        return TV().restore(y, blur, sigma)

    def restore(self, y: Tensor, psf: Tensor, sigma: Tensor) -> Restored:
        return TV().restore(y, psf, sigma)


class Typed(Deconvolver):
    def restore(self, y: Tensor, psf: Tensor, sigma: Tensor) -> Restored:
        image = TV().restore(y, psf, sigma).image
        return Restored(image + 2e-3 if y.dtype == torch.float64 else image)


class Rounded(Deconvolver):
    def restore(self, y: Tensor, psf: Tensor, sigma: Tensor) -> Restored:
        return Restored(TV().restore(y, psf, sigma).image.float())


@pytest.mark.parametrize(
    ("deconvolver", "law"),
    [
        (Lazy(), "nearer"), (Sloppy(), "left as they were"), (Social(), "one by one"), (Shifting(), "by 180 degrees"),
        (Absolute(), "share of their intensities"), (Typed(), "float32 gives"), (Rounded(), "computed in float64"),
    ],
)  # fmt: skip
def test_laws_find_a_breach(deconvolver: Deconvolver, law: str) -> None:
    with pytest.raises(AssertionError, match=law):
        check_deconvolver(deconvolver, generator=torch.Generator().manual_seed(1))
