"""Operators of other libraries, deepinv's above all, as blurlab's own: by what they can do, not by their class."""

from __future__ import annotations

from typing import Any, Self

from torch import Tensor

from blurlab.physics.operator import LinearOperator


class Foreign(LinearOperator):
    """A linear operator of another library, which has ``A(x)`` and ``A_adjoint(y)`` as deepinv's physics have.

    The other library is not imported. blurlab's operators answer to the same names, so either library's solvers take
    the other's operators. Noise that a physics would add (``physics(x)``) is not asked for.

    Args:
        physics: The operator; the same for every image of a batch. It is on one device and of one type, and stays so.

    Raises:
        TypeError: If it lacks one of the two methods.

    Example:
        >>> import torch
        >>> from blurlab.physics import Convolution
        >>> circular = Convolution(torch.full((1, 1, 3, 3), 1 / 9), "circular")
        >>> Foreign(circular).forward(torch.ones(1, 1, 8, 8)).sum()
        tensor(64.)
    """

    def __init__(self, physics: Any) -> None:
        lacking = [name for name in ("A", "A_adjoint") if not callable(getattr(physics, name, None))]
        if lacking:
            raise TypeError(
                f"{type(physics).__name__} has no {' and no '.join(lacking)}; an operator needs A(x) and A_adjoint(y)"
            )
        self.physics = physics

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.physics.A(x)
        return result

    def adjoint(self, y: Tensor) -> Tensor:
        result: Tensor = self.physics.A_adjoint(y)
        return result

    def rows(self, keep: Tensor) -> Self:
        return self
