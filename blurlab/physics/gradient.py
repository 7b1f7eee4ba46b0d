"""Forward differences of an image, their adjoint and their transfer function."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from blurlab.core.constants import made_once
from blurlab.physics.operator import LinearOperator

GRADIENT_BOUNDARIES = ("circular", "replicate")


class Gradient(LinearOperator):
    """(Dx u)[i, j] = u[i, j + 1] - u[i, j] and (Dy u)[i, j] = u[i + 1, j] - u[i, j].

    Args:
        boundary: ``circular``, or ``replicate`` (Neumann: the last difference of each line is 0).

    Raises:
        ValueError: If the boundary is another one.

    Example:
        >>> Gradient("replicate").forward(torch.tensor([[[[1.0, 4.0, 9.0]]]])).tolist()
        [[[[[3.0, 5.0, 0.0]], [[0.0, 0.0, 0.0]]]]]
    """

    def __init__(self, boundary: str = "circular") -> None:
        if boundary not in GRADIENT_BOUNDARIES:
            raise ValueError(
                f"unknown boundary {boundary!r} for differences; choose one of {', '.join(GRADIENT_BOUNDARIES)}"
            )
        self.boundary = boundary

    def forward(self, x: Tensor, out: Tensor | None = None) -> Tensor:
        """Differences along x (columns) and y (rows).

        Args:
            x: Images (B, C, H, W).
            out: Where to write them, with circular boundary: quicker in a loop, unknown to autograd. None: new room.

        Returns:
            Differences (B, C, 2, H, W), x first.

        Raises:
            ValueError: If there is room given and the boundary is not circular.

        Example:
            >>> Gradient().forward(torch.tensor([[[[1.0, 4.0, 9.0]]]]), out=torch.empty(1, 1, 2, 1, 3)).flatten()
            tensor([ 3.,  5., -8.,  0.,  0.,  0.])
        """
        if out is None:
            return torch.stack([self._difference(x, dim) for dim in (-1, -2)], dim=2)
        self._check_circular()
        across, down = out.unbind(2)
        torch.sub(x[..., 1:], x[..., :-1], out=across[..., :-1])
        torch.sub(x[..., 0], x[..., -1], out=across[..., -1])
        torch.sub(x[..., 1:, :], x[..., :-1, :], out=down[..., :-1, :])
        torch.sub(x[..., 0, :], x[..., -1, :], out=down[..., -1, :])
        return out

    def adjoint(self, y: Tensor, out: Tensor | None = None) -> Tensor:
        """Minus the divergence.

        Args:
            y: Vector fields (B, C, 2, H, W), x first.
            out: Where to write the result, as in :meth:`forward`.

        Returns:
            Images (B, C, H, W).

        Raises:
            ValueError: If there is room given and the boundary is not circular.
        """
        if out is None:
            return self._difference_adjoint(y[:, :, 0], -1) + self._difference_adjoint(y[:, :, 1], -2)
        self._check_circular()
        across, down = y.unbind(2)
        torch.sub(across[..., :-1], across[..., 1:], out=out[..., 1:])
        torch.sub(across[..., -1], across[..., 0], out=out[..., 0])
        out.sub_(down)
        out[..., 1:, :].add_(down[..., :-1, :])
        out[..., 0, :].add_(down[..., -1, :])
        return out

    def _difference(self, x: Tensor, dim: int) -> Tensor:
        if self.boundary == "circular":
            return torch.roll(x, -1, dim) - x
        return F.pad(x.diff(dim=dim), (0, 1) if dim == -1 else (0, 0, 0, 1))

    def _difference_adjoint(self, y: Tensor, dim: int) -> Tensor:
        if self.boundary == "circular":
            return torch.roll(y, 1, dim) - y
        used = y.narrow(dim, 0, y.shape[dim] - 1)
        before, after = ((1, 0), (0, 1)) if dim == -1 else ((0, 0, 1, 0), (0, 0, 0, 1))
        return F.pad(used, before) - F.pad(used, after)

    def power(self, shape: tuple[int, int], *, like: Tensor | None = None) -> Tensor:
        """|Dx|^2 + |Dy|^2 on the frequencies of the real FFT: the transfer function of D*D with circular boundary.

        Args:
            shape: Grid (H, W).
            like: Tensor whose dtype and device to use; None: float32 on the CPU.

        Returns:
            Real, >= 0, (H, W // 2 + 1).

        Raises:
            ValueError: If the boundary is not circular, where differences have no transfer function.

        Example:
            >>> Gradient().power((2, 4)).round().tolist()
            [[0.0, 2.0, 4.0], [4.0, 6.0, 8.0]]
        """
        self._check_circular()
        dtype, device = (torch.float32, torch.device("cpu")) if like is None else (like.dtype, like.device)
        across = _line_power(shape[1], dtype, device)[: shape[1] // 2 + 1]
        return _line_power(shape[0], dtype, device)[:, None] + across

    def _check_circular(self) -> None:
        if self.boundary != "circular":
            raise ValueError(
                f"only circular differences have a transfer function or are written into room that is given, not"
                f" {self.boundary!r} ones"
            )


@made_once
def _line_power(n: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """|D|^2 of forward differences on the n frequencies of a circle."""
    half = torch.arange(n, dtype=torch.float64) * (torch.pi / n)
    return (4 * half.sin().square()).to(device, dtype)
