"""Functions of single values, piece by piece."""

from __future__ import annotations

import torch

from blurlab.core.pieces import PIECE, in_pieces


def test_pieces_are_the_whole() -> None:
    x = torch.rand(3, PIECE // 2 + 7, 2, generator=torch.Generator().manual_seed(0)).transpose(0, 1)
    before, most = x.clone(), [0]

    def square(part: torch.Tensor) -> torch.Tensor:
        most[0] = max(most[0], part.numel())
        return part.double().square().to(part)

    assert torch.equal(in_pieces(square, x), x.double().square().float())
    assert torch.equal(x, before) and most[0] == PIECE


def test_autograd_is_not_cut_off() -> None:
    x = torch.rand(PIECE + 1, generator=torch.Generator().manual_seed(0)).requires_grad_()
    in_pieces(torch.square, x).sum().backward()
    torch.testing.assert_close(x.grad, 2 * x.detach())
