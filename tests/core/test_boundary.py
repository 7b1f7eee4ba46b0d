from __future__ import annotations

import numpy as np
import pytest
import torch

from blurlab.core.boundary import BOUNDARIES, extend, extend_adjoint

NUMPY = {"circular": "wrap", "reflect": "reflect", "replicate": "edge", "zero": "constant"}
RADII = [(0, 0), (1, 2), (3, 0), (0, 4), (4, 6)]


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("radius", RADII)
@pytest.mark.parametrize("boundary", NUMPY)
def test_extension_is_numpys(boundary: str, radius: tuple[int, int]) -> None:
    x = draw(2, 3, 5, 7)
    rows, cols = radius
    expected = np.pad(x.numpy(), ((0, 0), (0, 0), (rows, rows), (cols, cols)), mode=NUMPY[boundary])
    assert np.array_equal(extend(x, radius, boundary).numpy(), expected)


def test_valid_adds_nothing() -> None:
    x = draw(1, 1, 4, 5)
    assert extend(x, (2, 2), "valid") is x and extend_adjoint(x, (2, 2), "valid") is x


@pytest.mark.parametrize("radius", RADII)
@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_adjoint_is_the_transpose(boundary: str, radius: tuple[int, int]) -> None:
    x = draw(2, 1, 5, 7).requires_grad_()
    extended = extend(x, radius, boundary)
    y = draw(*extended.shape, seed=1)
    kept = y.clone()
    back = extend_adjoint(y, radius, boundary)
    assert torch.equal(y, kept)
    assert torch.allclose((extended * y).sum(), (x * back).sum(), rtol=1e-12)
    if extended is not x:
        assert torch.allclose(back, torch.autograd.grad(extended, x, y)[0], rtol=1e-12)


@pytest.mark.parametrize("boundary", NUMPY)
def test_gradients_of_both(boundary: str) -> None:
    x = draw(1, 1, 4, 5).requires_grad_()
    assert torch.autograd.gradcheck(lambda a: extend(a, (2, 1), boundary), x)
    y = draw(1, 1, 8, 7).requires_grad_()
    assert torch.autograd.gradcheck(lambda a: extend_adjoint(a, (2, 1), boundary), y)


def test_unknown_name_lists_the_known() -> None:
    with pytest.raises(ValueError, match=r"unknown boundary 'mirror'; choose one of circular, reflect, replicate"):
        extend(draw(1, 1, 4, 4), (1, 1), "mirror")


@pytest.mark.parametrize(("boundary", "radius"), [("circular", 5), ("reflect", 4), ("replicate", 5), ("zero", 5)])
def test_radius_beyond_the_image(boundary: str, radius: int) -> None:
    with pytest.raises(ValueError, match=rf"{boundary}.* 4x6 image by at most .* got {radius}x1"):
        extend(draw(1, 1, 4, 6), (radius, 1), boundary)
    with pytest.raises(ValueError, match="at most"):
        extend_adjoint(draw(1, 1, 4 + 2 * radius, 8), (radius, 1), boundary)


def test_largest_radius_is_allowed() -> None:
    assert extend(draw(1, 1, 4, 6), (3, 5), "reflect").shape == (1, 1, 10, 16)
