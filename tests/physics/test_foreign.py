"""Operators of another library in blurlab's solvers, and blurlab's in its: of a stand-in, and of deepinv itself."""

from __future__ import annotations

import importlib
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from blurlab.blur import fspecial_motion
from blurlab.deconvolver import DouglasRachford, RichardsonLucy
from blurlab.physics import Convolution, Foreign, check_operator

SHAPE = (1, 1, 17, 24)


def kernel() -> Tensor:
    return fspecial_motion(7.0, 30.0).double()


def images(*, seed: int = 0) -> Tensor:
    return torch.rand(SHAPE, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class Physics:
    """As deepinv's: A and A_adjoint, and nothing of blurlab's."""

    def __init__(self, psf: Tensor) -> None:
        self.inner = Convolution(psf, "circular")

    def A(self, x: Tensor) -> Tensor:
        return self.inner.forward(x)

    def A_adjoint(self, y: Tensor) -> Tensor:
        return self.inner.adjoint(y)


def test_a_foreign_operator_obeys_the_laws_and_solves_as_its_own_kind() -> None:
    foreign, own = Foreign(Physics(kernel())), Convolution(kernel(), "circular")
    check_operator(foreign, SHAPE, generator=torch.Generator().manual_seed(2))
    x, y = images(), images(seed=1)
    assert torch.allclose(foreign.prox_l2(x, y, 0.7), own.prox_l2(x, y, 0.7), atol=1e-8)


@pytest.mark.parametrize("deconvolver", [RichardsonLucy(iterations=5), DouglasRachford(weight=1e-4, iterations=20)])
def test_deconvolvers_that_take_operators_take_foreign_ones(deconvolver: Any) -> None:
    x = images().float()
    y = Convolution(kernel().float(), "circular").forward(x)
    restored = deconvolver(y, Foreign(Physics(kernel().float())), 0.01).image
    assert restored.shape == y.shape and bool(restored.isfinite().all())
    assert float((restored - x).square().mean()) < float((y - x).square().mean())


def test_what_is_no_operator_is_refused_by_what_it_lacks() -> None:
    with pytest.raises(TypeError, match="object has no A and no A_adjoint"):
        Foreign(object())


def import_deepinv() -> Any:
    """deepinv, or a skip with the reason: its torchvision cannot be imported beside every build of torch."""
    register = torch.library.register_fake

    def ignore_vision(op: Any, *args: Any, **options: Any) -> Any:
        return (lambda function: function) if "torchvision::" in str(op) else register(op, *args, **options)

    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        patch.setattr(torch.library, "register_fake", ignore_vision)
        try:
            return importlib.import_module("deepinv")
        except Exception as error:  # not installed, or built for another torch
            pytest.skip(f"deepinv cannot be imported: {type(error).__name__}: {error}")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")  # deepinv's own
def test_deepinvs_solvers_take_our_operators_and_ours_take_its_physics() -> None:
    deepinv = import_deepinv()
    psf, x, y = kernel(), images(), images(seed=1)
    ours, theirs = Convolution(psf, "circular"), deepinv.physics.BlurFFT(SHAPE[1:], filter=psf)
    fidelity = deepinv.optim.L2()
    assert torch.allclose(ours.A(x), theirs.A(x), atol=1e-10)
    assert torch.allclose(ours.A_adjoint(y), theirs.A_adjoint(y), atol=1e-10)
    assert torch.allclose(fidelity.prox(x, y, ours, gamma=0.7), fidelity.prox(x, y, theirs, gamma=0.7), atol=1e-8)
    assert torch.allclose(fidelity.grad(x, y, ours), fidelity.grad(x, y, theirs), atol=1e-8)
    assert torch.allclose(fidelity(x, y, ours), fidelity(x, y, theirs), atol=1e-8)
    foreign = Foreign(theirs)
    check_operator(foreign, SHAPE, generator=torch.Generator().manual_seed(2))
    assert torch.allclose(foreign.prox_l2(x, y, 0.7), ours.prox_l2(x, y, 0.7), atol=1e-8)
    blurred = theirs.A(x).float()
    for solver in (RichardsonLucy(iterations=5), DouglasRachford(weight=1e-4, iterations=20)):
        single = Foreign(deepinv.physics.BlurFFT(SHAPE[1:], filter=psf.float()))
        own = solver(blurred, single, 0.01).image
        assert float((own - x).square().mean()) < float((blurred - x).square().mean())


def test_the_library_imports_no_deepinv() -> None:
    folder = Path(__file__).resolve().parents[2] / "blurlab"
    assert not [path for path in folder.rglob("*.py") if "import deepinv" in path.read_text(encoding="utf-8")]
