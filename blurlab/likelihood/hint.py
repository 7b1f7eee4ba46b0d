"""What somebody else, a network, believes of the parameters of each image's blur: a Gaussian."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from blurlab.core.rng import generator


@dataclass(frozen=True)
class Hint:
    """Gaussians, one an image.

    Attributes:
        mean: (B, P), float64.
        root: Lower Cholesky factors of the precisions (B, P, P), float64.
    """

    mean: Tensor
    root: Tensor

    def rows(self, some: Tensor) -> Hint:
        """Those of some images (m,)."""
        return Hint(self.mean[some], self.root[some])

    def draws(self, count: int) -> Tensor:
        """The mean, and ``count - 1`` seeded draws (B, count, P)."""
        shape = (len(self.mean), count - 1, self.mean.shape[1])
        noise = torch.randn(shape, generator=generator(0, "draws of a hint"), dtype=self.mean.dtype).to(self.mean)
        off = torch.linalg.solve_triangular(self.root.mT, noise.mT, upper=True).mT
        return torch.cat([self.mean[:, None], self.mean[:, None] + off], 1)

    def log_density(self, params: Tensor) -> Tensor:
        """Of parameters (B, m, P), up to a constant (B, m).

        Example:
            >>> hint = Hint(torch.zeros(1, 1), 2 * torch.ones(1, 1, 1))
            >>> hint.log_density(torch.tensor([[[0.0], [1.0]]]))
            tensor([[ 0.6931, -1.3069]])
        """
        off = (params - self.mean[:, None]) @ self.root
        return self.root.diagonal(dim1=1, dim2=2).log().sum(1)[:, None] - 0.5 * off.square().sum(2)
