"""From a posterior over strengths to the one strength whose kernel is handed to the deconvolver."""

from __future__ import annotations

import math
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
        halfwidth_px: Error of the posterior's mean that 90 % of validation items stay below; NaN for taps.
    """

    candidates_px: Tensor
    grid_px: Tensor
    loss_db: Tensor
    halfwidth_px: float = math.nan

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


def credible_classes(posterior: Tensor, grid_px: Tensor, mass: float = 0.9) -> Tensor:
    """Lowest and highest class of the equal-tailed interval of a posterior over classes.

    Args:
        posterior: Class probabilities (n, m).
        grid_px: Strengths of the classes (m,), increasing.
        mass: Probability inside, at least.

    Returns:
        Strengths in pixels (n, 2).

    Example:
        >>> credible_classes(torch.tensor([[0.02, 0.9, 0.08]]), torch.tensor([4.0, 6.0, 8.0]))
        tensor([[6., 8.]])
    """
    reached = posterior.cumsum(1)
    ends = [(reached < level).sum(1).clamp_max(len(grid_px) - 1) for level in ((1 - mass) / 2, (1 + mass) / 2)]
    return grid_px.to(posterior)[torch.stack(ends, dim=1)]


def conformal_halfwidth(errors: Tensor, mass: float = 0.9) -> float:
    """The error that new items of the same kind stay below with probability ``mass``: split conformal prediction.

    Args:
        errors: Absolute errors of items that were not trained on (n,).
        mass: Coverage.

    Returns:
        The ceil((n + 1) mass)-th smallest error, or the largest where there are too few.

    Example:
        >>> conformal_halfwidth(torch.arange(1.0, 100.0))
        90.0
    """
    rank = min(len(errors), math.ceil((len(errors) + 1) * mass))
    return float(errors.sort().values[rank - 1])
