"""Camera shake: the random trajectories of [Boracchi2012], exposed for a share of their time."""

from __future__ import annotations

from typing import Self

import torch
from torch import Tensor

from blurlab.blur.base import check_params
from blurlab.blur.parameter import Range, length, parameter
from blurlab.blur.shape import odd_at_least, pixel_grid
from blurlab.blur.strength import StrengthFamily
from blurlab.blur.values import as_psf, check_values, work_tensor

STEPS = 2000
"""Samples of a trajectory."""
PATH_PX = 64.0
"""Length at which a trajectory is made [Gilbert2019]: how soon it is pulled back depends on it."""
ANXIETY = 0.005
"""How uneasy the hand is [Gilbert2019]; every force is proportional to it."""
SEEDS = 2**24
"""Whole numbers below it are exact in float32."""
BOX = 34 / 64
"""Side of the kernels of [Gilbert2019] over the length of its trajectories."""


def camera_path(seed: Tensor, anxiety: float = ANXIETY) -> Tensor:
    """The way of a camera in steps of equal length: inertia, shaking, sudden turns, and a pull back to the start.

    ``dv = 2 v exp(i(pi + U - 1/2)) [U < p A] + A (g N - c x) s``, ``v <- s (v + dv) / |v + dv|``, ``x <- x + v``, with
    c = .7 U, g = 10 U, p = .2 U for each trajectory [Boracchi2012].

    Args:
        seed: Which trajectory: whole numbers (n,) from 0 to 2^24 - 1, floating-point.
        anxiety: A, >= 0; 0 is a straight line.

    Returns:
        Offsets (row, column) from the start in pixels (n, 2000, 2), float64, on the CPU. The way is 64 px long.

    Raises:
        ValueError: If a seed is no such number or anxiety is negative.

    Example:
        >>> path = camera_path(torch.tensor([3.0]))
        >>> path.shape, round(float(path.diff(dim=1).norm(dim=-1).sum()), 6)
        (torch.Size([1, 2000, 2]), 64.0)
    """
    check_seed(seed)
    check_anxiety(anxiety)
    traits, chance, way, noise = _draws(seed)
    c, g, p = 0.7 * traits[0], 10 * traits[1], 0.2 * traits[2]
    s = PATH_PX / (STEPS - 1)
    turn = 1 + 2 * (chance < p * anxiety) * torch.exp(1j * (torch.pi + way - 0.5))
    push = anxiety * g * noise
    pull = anxiety * c * s

    x = torch.zeros_like(push[0])
    v = torch.exp(2j * torch.pi * traits[3]) * (anxiety / s or 1.0)
    path = [x]
    for t in range(STEPS - 1):  # x and v in units of s
        v = v * turn[t] + push[t] - pull * x
        v = v / v.abs()
        x = x + v
        path.append(x)
    return s * torch.view_as_real(torch.stack(path, dim=1)).flip(-1)


def _draws(seed: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Traits (4, n); for each step chance and way of a turn (1999, n) in [0, 1), and noise, complex (1999, n)."""
    traits, turns, noise = [], [], []
    for one in seed.tolist():
        generator = torch.Generator().manual_seed(int(one))
        traits.append(torch.rand(4, generator=generator, dtype=torch.float64))
        turns.append(torch.rand(2, STEPS - 1, generator=generator, dtype=torch.float64))
        noise.append(torch.randn(STEPS - 1, 2, generator=generator, dtype=torch.float64))
    chance, way = torch.stack(turns, dim=-1)
    return torch.stack(traits, dim=-1), chance, way, torch.view_as_complex(torch.stack(noise)).T.contiguous()


def exposed(exposure: Tensor, steps: int = STEPS) -> Tensor:
    """How much of each sample of a trajectory is exposed (n, steps): 1 up to the share ``exposure`` (n,), then 0.

    Example:
        >>> exposed(torch.tensor([0.625]), 4)
        tensor([[1.0000, 1.0000, 0.5000, 0.0000]])
    """
    index = torch.arange(steps, dtype=exposure.dtype, device=exposure.device)
    return (exposure[:, None] * steps - index).clamp(0, 1)


def splat(path: Tensor, weight: Tensor, size: int) -> Tensor:
    """Points drawn onto pixels bilinearly, which keeps their sum and centre of mass; what lies outside is lost.

    Args:
        path: Offsets (row, column) from the centre pixel in pixels (n, T, 2).
        weight: Weights of the points (n, T).
        size: Side of the result, odd.

    Returns:
        (n, size, size), differentiable in both.
    """
    share = (1 - (path[..., None] - pixel_grid(size, path)).abs()).clamp_min(0)
    return (share[:, :, 0] * weight[..., None]).mT @ share[:, :, 1]


def trajectory_psf(exposure: Tensor, length_px: Tensor, seed: Tensor, size: int, anxiety: float = ANXIETY) -> Tensor:
    """The first part of a trajectory, centred on its centre of mass.

    Args:
        exposure: Exposed share of the trajectory (n,), in (0, 1].
        length_px: Length of the whole trajectory in pixels (n,); that of 64 px is enlarged or reduced to it.
        seed: Which trajectory (n,), see :func:`camera_path`.
        size: Side of the kernels, odd; what lies outside is cut off.
        anxiety: See :func:`camera_path`.

    Returns:
        Kernels (n, 1, size, size), differentiable in exposure and length.

    Raises:
        ValueError: If a value is outside its range, the size is even, or a kernel has nothing inside it.

    Example:
        >>> psf = trajectory_psf(torch.tensor([0.25, 1.0]), torch.tensor([8.0, 8.0]), torch.tensor([3.0, 3.0]), 9)
        >>> (psf > 0.01).sum((1, 2, 3)).tolist()
        [7, 16]
    """
    check_values(size, None, {"exposure": exposure, "length_px": length_px, "seed": seed})
    if not bool(((exposure > 0) & (exposure <= 1)).all()):
        raise ValueError(
            f"exposure must be in (0, 1], got {exposure.flatten().tolist()[:4]}; it is a share of the path"
        )
    unit = camera_path(seed, anxiety).to(work_tensor(length_px)) / PATH_PX
    path = unit * work_tensor(length_px)[:, None, None]
    weight = exposed(work_tensor(exposure))
    centre = (weight[..., None] * path).sum(1, keepdim=True) / weight.sum(1)[:, None, None]
    drawn = splat(path - centre, weight, size)
    if not bool((drawn.detach().sum((1, 2)) > 0).all()):
        raise ValueError(f"a trajectory lies wholly outside its {size}x{size} kernel; give the family a larger size")
    return as_psf(drawn, length_px.dtype)


def check_seed(seed: Tensor) -> None:
    """Raise unless seed holds whole numbers from 0 to 2^24 - 1.

    Raises:
        ValueError: With what came.
    """
    if not bool(((seed >= 0) & (seed < SEEDS) & (seed == seed.round())).all()):
        raise ValueError(f"seed must be whole numbers from 0 to {SEEDS - 1}, got {seed.flatten().tolist()[:4]}")


def check_anxiety(anxiety: float) -> None:
    """Raise unless anxiety is a finite number >= 0.

    Raises:
        ValueError: With what came.
    """
    if not 0 <= anxiety < float("inf"):
        raise ValueError(f"anxiety must be finite and >= 0, got {anxiety:g}; {ANXIETY:g} is the paper's")


class Trajectory(StrengthFamily):
    """Camera shake (:func:`trajectory_psf`); the strength is the length of the exposed path.

    A trajectory is named by a number, the parameter ``path_seed``: a kernel is a function of its parameters, as in
    every family, and several exposures of one trajectory are rows that share the number. No image tells that number.

    Args:
        exposure: Range of the exposed share, in (0, 1].
        length_px: Range of the length of the whole trajectory.
        path_seed: Range of the numbers that trajectories are drawn from.
        anxiety: How uneasy the hand is; 0 leaves straight lines.
        size: Side of the kernels; None is the paper's, 34 px for 64 px of path and no more than the exposed path needs.
            Ends of long trajectories are then cut off; ``length_px + 2`` or more cuts nothing.

    Raises:
        ValueError: If an exposure or a seed is outside its range.

    Example:
        >>> family = Trajectory(exposure=[0.125, 1], length_px=64)
        >>> family.size, family.strength_px(torch.tensor([[0.25, 64.0, 7.0]]))
        (35, tensor([16.]))
    """

    kinds = ("trajectory",)
    may_cut = True

    def __init__(
        self,
        exposure: Range = (0.125, 1.0),
        length_px: Range = PATH_PX,
        path_seed: Range = (0, SEEDS - 1),
        anxiety: float = ANXIETY,
        size: int | None = None,
    ) -> None:
        path = parameter("path_seed", "", path_seed, estimable=False)
        super().__init__([parameter("exposure", "", exposure), length("length_px", length_px), path], size)
        (first, last), seeds = self.bounds[0], torch.tensor(self.bounds[2], dtype=torch.float64)
        if not 0 < first <= last <= 1:
            raise ValueError(f"exposure must be in (0, 1], got [{first:g}, {last:g}]; it is a share of the path")
        check_seed(seeds)
        check_anxiety(anxiety)
        self.anxiety = anxiety
        self.symmetric = self._holds_all()

    def extent_px(self, *largest: float) -> float:
        return min(largest[0], BOX) * largest[1] + 1

    def draw(self, n: int, *, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        kind, params = super().draw(n, generator=generator)
        params[:, 2] = params[:, 2].round()
        return kind, params

    def psf(self, params: Tensor, kind: Tensor | int | None = None) -> Tensor:
        check_params(params, self.names)
        exposure, length, seed = params.T
        return trajectory_psf(exposure, length, seed.detach(), self.size, self.anxiety)

    def strength_px(self, params: Tensor, kind: Tensor | int | None = None) -> Tensor:
        check_params(params, self.names)
        return params[:, 0] * params[:, 1]

    def at_strength(self, strength_px: Tensor, kind: Tensor | int = 0) -> Tensor:
        """Parameters (n, 3) of the middle exposure and trajectory, its exposed path as long as that."""
        middle = strength_px.new_tensor([one.middle for one in self.parameters])
        params = middle.repeat(len(strength_px), 1)
        params[:, 2] = params[:, 2].floor()
        return self.with_strength(params, strength_px)

    def with_strength(self, params: Tensor, strength_px: Tensor, kind: Tensor | int = 0) -> Tensor:
        """The same trajectories and exposures (n, 3), enlarged or reduced."""
        changed = params.clone()
        changed[:, 1] = strength_px.to(params) / params[:, 0]
        return changed

    def with_size(self, size: int) -> Self:
        other = super().with_size(size)
        other.symmetric = other._holds_all()
        return other

    def _holds_all(self) -> bool:
        """Is no trajectory cut? None reaches further from its centre of mass than half its length."""
        return self.size >= odd_at_least(self.bounds[0][1] * self.bounds[1][1] + 1)
