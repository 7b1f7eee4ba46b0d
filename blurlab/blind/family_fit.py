"""Parameters of a kernel, measured on the photograph itself: those that explain it best, near a first guess."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy

import torch
from torch import Tensor

from blurlab.blind.explanation import Explanation, explanations
from blurlab.blind.free_form import FreeForm

MOST_PX = 150_000
"""Pixels of the photograph that are looked at."""
REACH = 2
"""Trials to each side of the guess."""
FURTHER = 3
"""The same where what was found near it leaves more than noise."""
BETTER = 0.9
"""Another place is taken for the blur where it leaves less, and costs no more than this share of the first."""
PRIOR, PRIOR_VALUES = 0.02, 0.005
"""What one step away from the guess costs, as a share of the cost, and more steps their square: where a photograph
tells little, the guess stays. Of blurred values, which a network that learned from cameras knows less, the second."""


def family_fit(
    form: FreeForm, y: Tensor, kernels: Callable[[Tensor], Tensor], start: Tensor, step: Tensor
) -> Tensor | None:
    """The parameters whose kernel explains a photograph best: one after the other, each at the vertex of a parabola.

    They are judged by :class:`~blurlab.blind.explanation.Explanation`, in light or in the values of the file, whichever
    the first guess explains better. A network tells these of any photograph within a few percent; what is left costs
    most of what a restoration could gain. Where the best kernel near the guess leaves more than noise, all pairs of
    trials further away are looked at, too.

    Args:
        form: Sees the photograph as it does for free kernels.
        y: (1, C, H, W) on the [0, 1] scale.
        kernels: Parameters (n, P) to kernels (n, 1, k, k).
        start: First guess (P,).
        step: Between the trials of each parameter (P,); 0 leaves it as it is.

    Returns:
        (P,), no further than ``FURTHER`` + 1 steps from the guess; None where the kernel is too wide to be looked at in
        full size.
    """
    side = kernels(start[None]).shape[-1]
    if side > form.most_side or min(y.shape[-2:]) < 2 * side:
        return None
    few = copy(form)
    few.most_px = min(form.most_px, MOST_PX)
    response = few.response_of(y, kernels(start[None]))
    prior = PRIOR if response is form.response else PRIOR_VALUES
    seen = few.seen(y, 1, response)

    def judged(trials: Tensor) -> list[Explanation]:
        psfs = [*kernels(trials)[:, 0]]
        return explanations(seen, psfs, [1.0] * len(psfs), response)

    near = _descended(judged, start, step, REACH, prior)
    (first,) = judged(near[None])
    if first.misfit <= 1:
        return near
    pairs = torch.cartesian_prod(*[_offsets(FURTHER if one else 0, step) for one in step.tolist()])
    trials = start + step * pairs.reshape(-1, len(step))
    if min(seen.shape) < 2 * kernels(trials).shape[-1]:
        return near
    costs = torch.tensor([one.cost for one in judged(trials)])
    far = _descended(judged, trials[costs.argmin()], step / 2, 1, 0.0)
    (other,) = judged(far[None])
    return far if other.misfit < first.misfit and other.cost <= BETTER * first.cost else near


def _descended(
    judged: Callable[[Tensor], list[Explanation]], start: Tensor, step: Tensor, reach: int, prior: float
) -> Tensor:
    """From a start (P,) to the vertex along each parameter, the last one first."""
    params, offsets = start.clone(), _offsets(reach, step)
    for column in step.nonzero().flatten().flip(0).tolist():
        trials = params.repeat(len(offsets), 1)
        trials[:, column] += offsets * step[column]
        found = judged(trials)
        costs = [one.cost * (1 + prior * float(at) ** 2) for one, at in zip(found, offsets, strict=True)]
        params[column] += step[column] * vertex(costs)
    return params


def _offsets(reach: int, like: Tensor) -> Tensor:
    return torch.arange(-reach, reach + 1.0).to(like)


def vertex(costs: list[float]) -> float:
    """Where the parabola through the least of some costs and its neighbours is least, counted from the middle one.

    Example:
        >>> vertex([9.0, 4.0, 1.0, 0.0, 1.0]), vertex([4.0, 2.0, 3.0]), vertex([1.0, 2.0, 3.0])
        (1.0, 0.1666..., -1.0)
    """
    best = min(range(len(costs)), key=costs.__getitem__)
    at = float(best - len(costs) // 2)
    if best in (0, len(costs) - 1):
        return at
    before, least, after = costs[best - 1 : best + 2]
    bend = before - 2 * least + after
    return at + (before - after) / (2 * bend) if bend > 0 else at
