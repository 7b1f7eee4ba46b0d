from __future__ import annotations

import numpy as np
import pytest
import torch

from blurlab.core.fourier import irfft2, rfft2
from blurlab.physics import Gradient


def draw(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize(("boundary", "mode"), [("circular", "wrap"), ("replicate", "edge")])
def test_forward_differences(boundary: str, mode: str) -> None:
    x = draw(2, 3, 5, 7)
    extended = np.pad(x.numpy(), ((0, 0), (0, 0), (0, 1), (0, 1)), mode=mode)
    found = Gradient(boundary).forward(x).numpy()
    assert np.allclose(found[:, :, 0], np.diff(extended, axis=-1)[..., :-1, :])
    assert np.allclose(found[:, :, 1], np.diff(extended, axis=-2)[..., :-1])


def test_written_into_room_it_is_the_same() -> None:
    x, field, op = draw(2, 3, 7, 10), draw(2, 3, 2, 7, 10), Gradient()
    room = torch.full_like(field, torch.nan), torch.full_like(x, torch.nan)
    assert op.forward(x, out=room[0]) is room[0] and op.adjoint(field, out=room[1]) is room[1]
    assert torch.equal(room[0], op.A(x))
    torch.testing.assert_close(room[1], op.A_adjoint(field))
    with pytest.raises(ValueError, match="only circular differences"):
        Gradient("replicate").forward(x, out=room[0])


def test_power_is_the_transfer_of_the_normal_operator() -> None:
    x, op = draw(1, 2, 6, 9), Gradient()
    by_fourier = irfft2(op.power((6, 9), like=x) * rfft2(x), (6, 9))
    assert torch.allclose(op.normal(x), by_fourier, atol=1e-12)


def test_norm_is_at_most_root_8() -> None:
    assert float(Gradient("replicate").norm((1, 1, 24, 17), iterations=300)) == pytest.approx(8**0.5, rel=0.02)


@pytest.mark.parametrize("boundary", ["circular", "replicate"])
def test_solve_by_conjugate_gradients(boundary: str) -> None:
    op, rhs = Gradient(boundary), draw(2, 1, 6, 7)
    assert torch.allclose(op.normal(op.solve(rhs, 0.3), 0.3), rhs, atol=1e-10)


def test_errors() -> None:
    with pytest.raises(ValueError, match="choose one of circular, replicate"):
        Gradient("valid")
    with pytest.raises(ValueError, match="only circular"):
        Gradient("replicate").power((4, 4))
