"""From a posterior over strengths to the one strength whose kernel is handed to the deconvolver."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


def most_probable(posterior: Tensor, grid_px: Tensor) -> Tensor:
    """The strength of the most probable class.

    Args:
        posterior: Class probabilities (n, m).
        grid_px: Strengths of the classes (m,).

    Returns:
        Strengths in pixels (n,).

    Example:
        >>> most_probable(torch.tensor([[0.2, 0.5, 0.3]]), torch.tensor([4.0, 6.0, 8.0]))
        tensor([6.])
    """
    return grid_px.to(posterior)[posterior.argmax(1)]


@dataclass(frozen=True)
class RiskTable:
    """What a wrong kernel costs: mean ISNR lost against the true kernel, in dB.

    Attributes:
        candidates_px: Strengths that may be handed on (c,).
        grid_px: Strengths that may be true (m,).
        loss_db: ISNR with the true kernel less ISNR with the candidate's (c, m), at least 0 in the mean.
    """

    candidates_px: Tensor
    grid_px: Tensor
    loss_db: Tensor

    def choose(self, posterior: Tensor) -> Tensor:
        """The candidate of least expected loss, sum_m p_m loss_cm.

        An over-estimated motion costs far more than an under-estimated one, so where the posterior is spread the
        choice lies below its mode.

        Args:
            posterior: Class probabilities (n, m).

        Returns:
            Strengths in pixels (n,).

        Example:
            >>> taps = torch.tensor([4.0, 6.0])
            >>> table = RiskTable(taps, taps, torch.tensor([[0.0, 5.0], [11.0, 0.0]]))
            >>> table.choose(torch.tensor([[0.4, 0.6]]))
            tensor([4.])
        """
        expected = posterior @ self.loss_db.to(posterior).T
        return self.candidates_px.to(posterior)[expected.argmin(1)]


def credible_interval(posterior: Tensor, grid_px: Tensor, mass: float = 0.9) -> Tensor:
    """Equal-tailed interval of a posterior on a grid, its distribution function joined by straight lines.

    Args:
        posterior: Class probabilities (n, m).
        grid_px: Strengths of the classes (m,), increasing.
        mass: Probability inside.

    Returns:
        Lower and upper ends in pixels (n, 2).
    """
    grid = grid_px.to(posterior)
    middle = (grid[1:] + grid[:-1]) / 2
    edges = torch.cat([grid[:1], middle, grid[-1:]])
    reached = torch.nn.functional.pad(posterior.cumsum(1), (1, 0))
    return torch.stack([_quantile(reached, edges, (1 - mass) / 2), _quantile(reached, edges, (1 + mass) / 2)], dim=1)


def _quantile(reached: Tensor, edges: Tensor, level: float) -> Tensor:
    upper = (reached < level).sum(1).clamp(1, len(edges) - 1)
    low = reached.gather(1, (upper - 1).unsqueeze(1)).squeeze(1)
    high = reached.gather(1, upper.unsqueeze(1)).squeeze(1)
    share = ((level - low) / (high - low).clamp_min(1e-12)).clamp(0, 1)
    return edges[upper - 1] + share * (edges[upper] - edges[upper - 1])
