"""Every deconvolver under the same laws."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from blurlab.deconvolver import TV, Deconvolver, HyperLaplacian, ImplicitTV, Restored, Wiener, check_deconvolver

MEMBERS = {
    "wiener": Wiener(),
    "wiener_gradient": Wiener(prior="gradient"),
    "tv": TV(),
    "implicit_tv": ImplicitTV(),
    "hyper_laplacian": HyperLaplacian(),
}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


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


@pytest.mark.parametrize(
    ("deconvolver", "law"), [(Lazy(), "nearer"), (Sloppy(), "left as they were"), (Social(), "one by one")]
)
def test_laws_find_a_breach(deconvolver: Deconvolver, law: str) -> None:
    with pytest.raises(AssertionError, match=law):
        check_deconvolver(deconvolver, generator=torch.Generator().manual_seed(1))
