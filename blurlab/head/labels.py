"""What a head is asked, what its outputs mean, and what a wrong answer costs in training."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from blurlab.physics import Degraded


class Target(ABC):
    """What the ``len(names)`` outputs of a head mean: classes, parameters, a kernel.

    Attributes:
        names: What each output is.
    """

    names: tuple[str, ...]

    @abstractmethod
    def loss(self, output: Tensor, truth: Degraded) -> Tensor:
        """Training loss of each item.

        Args:
            output: Outputs (n, len(names)).
            truth: What is known of the n degraded images.

        Returns:
            (n,), differentiable in the outputs.
        """

    @abstractmethod
    def figures(self, output: Tensor, truth: Degraded) -> dict[str, Tensor]:
        """Figures of merit of each item (n,) by name; training logs ``train_<name>`` and ``val_<name>``."""

    def begin(self, net: nn.Module) -> None:  # noqa: B027  # most targets begin where their networks do
        """Set the last layer of a fresh network to what it should say before it has learned anything; nothing here."""

    def __len__(self) -> int:
        return len(self.names)


class Labels(Target):
    """A task with ``len(names)`` classes, its loss the cross-entropy ``- sum_c t_c log p_c``."""

    @abstractmethod
    def probabilities(self, kind: Tensor, strength_px: Tensor) -> Tensor:
        """Target probabilities (n, len(names)) of samples of this kind (n,) and strength (n,)."""

    def loss(self, output: Tensor, truth: Degraded) -> Tensor:
        target = self.probabilities(truth.kind, truth.strength_px)
        return torch.nn.functional.cross_entropy(output, target, reduction="none")

    def figures(self, output: Tensor, truth: Degraded) -> dict[str, Tensor]:
        """``accuracy``: 1 where the most probable class is the true one, else 0."""
        target = self.probabilities(truth.kind, truth.strength_px)
        return {"accuracy": (output.argmax(1) == target.argmax(1)).to(output)}


class KindLabels(Labels):
    """Which kind of blur is it? One class a kind, targets one-hot.

    Example:
        >>> KindLabels(("none", "motion")).probabilities(torch.tensor([1]), torch.tensor([4.0]))
        tensor([[0., 1.]])
    """

    def __init__(self, kinds: tuple[str, ...]) -> None:
        self.names = tuple(kinds)

    def probabilities(self, kind: Tensor, strength_px: Tensor) -> Tensor:
        return torch.nn.functional.one_hot(kind, len(self)).to(torch.float32)


class StrengthLabels(Labels):
    """How strong is it? Classes on an increasing grid of strengths in pixels.

    A strength between two grid points is a target shared between them in proportion (two-hot), so that the mean of a
    calibrated posterior is the strength itself and not the nearest class; on a grid point the target is one-hot.

    Args:
        grid_px: Increasing strengths (m,).

    Raises:
        ValueError: If the grid is not increasing or has fewer than two points.

    Example:
        >>> StrengthLabels([1.0, 2.0, 4.0]).probabilities(torch.tensor([0]), torch.tensor([3.0]))
        tensor([[0.0000, 0.5000, 0.5000]])
    """

    def __init__(self, grid_px: list[float]) -> None:
        grid = torch.as_tensor([float(value) for value in grid_px])
        if grid.numel() < 2 or not bool((grid.diff() > 0).all()):
            raise ValueError(f"a strength grid needs two or more increasing values in pixels, got {list(grid_px)}")
        self.grid_px = grid
        self.names = tuple(f"{value:g}" for value in grid.tolist())

    def probabilities(self, kind: Tensor, strength_px: Tensor) -> Tensor:
        grid = self.grid_px.to(strength_px.device)
        clamped = strength_px.clamp(float(grid[0]), float(grid[-1]))
        upper = torch.searchsorted(grid, clamped.contiguous()).clamp(1, len(grid) - 1)
        low, high = grid[upper - 1], grid[upper]
        share = ((clamped - low) / (high - low)).unsqueeze(1)
        target = torch.zeros(len(clamped), len(grid), device=strength_px.device)
        target.scatter_(1, (upper - 1).unsqueeze(1), 1 - share)
        return target.scatter_(1, upper.unsqueeze(1), share)
