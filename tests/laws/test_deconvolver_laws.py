"""Every deconvolver under the same laws."""

from __future__ import annotations

from functools import partial

import pytest
import torch
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
    Tikhonov,
    Tiled,
    UNet,
    UnrolledDR,
    Wiener,
    WienerStack,
)
from blurlab.testing import check_deconvolver

MEMBERS = {
    "wiener": Wiener(),
    "wiener_padded": Wiener(boundary="padded"),
    "wiener_flat": Wiener(prior="flat", boundary="liu_jia"),
    "wiener_laplacian": Wiener(prior="laplacian", boundary="edgetaper"),
    "wiener_estimated": Wiener(prior="estimated", strength=1.0, boundary="unknown"),
    "bilateral": Bilateral(Wiener()),
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


@pytest.mark.parametrize("deconvolver", MEMBERS.values(), ids=MEMBERS.keys())
def test_laws(deconvolver: Deconvolver) -> None:
    check_deconvolver(deconvolver, generator=torch.Generator().manual_seed(1))


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
        (Typed(), "float32 gives"), (Rounded(), "computed in float64"),
    ],
)  # fmt: skip
def test_laws_find_a_breach(deconvolver: Deconvolver, law: str) -> None:
    with pytest.raises(AssertionError, match=law):
        check_deconvolver(deconvolver, generator=torch.Generator().manual_seed(1))
