"""Points of a convex set that lie far from one another: few of them stand for the whole set."""

from __future__ import annotations

import torch
from torch import Tensor

STEP = 0.05
"""First step of :func:`spread_shares`, in units of the set's diameter; it falls to a hundredth of this."""


def farthest_points(distance: Tensor, count: int, first: int = 0) -> Tensor:
    """Indices of points each of which is, in its turn, the farthest from those before it.

    Args:
        distance: Of each point from each other (m, m).
        count: How many to choose, 1 .. m.
        first: The one to begin with.

    Returns:
        (count,), int64.

    Raises:
        ValueError: If there are not so many points, or ``distance`` is not square.

    Example:
        >>> place = torch.tensor([0.0, 1.0, 5.0, 9.0])
        >>> farthest_points((place[:, None] - place).abs(), 3).tolist()
        [0, 3, 2]
    """
    if distance.ndim != 2 or distance.shape[0] != distance.shape[1]:
        raise ValueError(f"distance must be (m, m), got {tuple(distance.shape)}")
    if not 1 <= count <= len(distance) or not 0 <= first < len(distance):
        raise ValueError(f"of {len(distance)} points so many cannot be chosen: {count}, the first {first}")
    chosen, nearest = [first], distance[first].clone()
    while len(chosen) < count:
        nearest[chosen] = -1
        chosen.append(int(nearest.argmax()))
        nearest = torch.minimum(nearest, distance[chosen[-1]])
    return torch.tensor(chosen)


def onto_simplex(values: Tensor) -> Tensor:
    """The nearest points (..., m) whose entries are >= 0 and sum to 1; themselves where they are such.

    Example:
        >>> onto_simplex(torch.tensor([[0.2, 0.8], [1.0, 1.0], [2.0, 0.0]])).tolist()
        [[0.2..., 0.8...], [0.5, 0.5], [1.0, 0.0]]
    """
    ordered = values.sort(-1, descending=True).values
    rank = torch.arange(1, values.shape[-1] + 1, device=values.device, dtype=values.dtype)
    excess = (ordered.cumsum(-1) - 1) / rank
    last = (ordered > excess).sum(-1, keepdim=True).clamp_min(1) - 1
    return (values - excess.gather(-1, last)).clamp_min(0)


def spread_shares(gram: Tensor, count: int, *, generator: torch.Generator, iterations: int = 300) -> Tensor:
    """Points of the convex hull of given ones, spread out by projected gradients.

    They maximise ``sum_i min_j |x_i - x_j|``, ``x = sum_m s_m v_m`` with shares s that are >= 0 and sum to 1: a step up
    the gradient, then the nearest such shares. The best points of all iterations are returned.

    Args:
        gram: Inner products ``<v_m, v_n>`` of the given points (m, m).
        count: How many points, 2 or more.
        generator: Draws where they start: uniform over the shares.
        iterations: Steps.

    Returns:
        Shares (count, m), float64.

    Raises:
        ValueError: If there are fewer than two points, or ``gram`` is not square.
    """
    if gram.ndim != 2 or gram.shape[0] != gram.shape[1] or count < 2:
        raise ValueError(f"two points or more of a gram (m, m) are needed, got {count} of {tuple(gram.shape)}")
    values, vectors = torch.linalg.eigh(gram.detach().double().cpu())
    corner = vectors * values.clamp_min(0).sqrt()  # the given points, in coordinates of their own
    size = float(torch.cdist(corner, corner).max())
    shares = uniform_shares(count, len(gram), generator=generator).double().cpu()
    best, most = shares, -torch.inf
    for step in torch.logspace(0, -2, iterations).tolist():
        place = shares @ corner
        apart = torch.cdist(place, place).fill_diagonal_(torch.inf)
        near, other = apart.min(1)
        if float(near.sum()) > most:
            best, most = shares, float(near.sum())
        away = (place - place[other]) / near.clamp_min(1e-12)[:, None]
        uphill = away.index_add(0, other, -away)  # a point also moves away from those to which it is the nearest
        shares = onto_simplex(shares + STEP * step / max(size, 1e-12) * uphill @ corner.T)
    return best


def uniform_shares(count: int, parts: int, *, generator: torch.Generator) -> Tensor:
    """Shares (count, parts) that are >= 0 and sum to 1, uniform over all such, float32."""
    draw = torch.rand(count, parts, generator=generator, device=generator.device).clamp_min(1e-9)
    each = -draw.log()
    return each / each.sum(1, keepdim=True)
