"""The likelihood of a blur that varies over the image: all its windows together, the blur's parameters in common.

The image is looked at in tiles. Each tile t has a spectrum and noise of its own, and the kernel of its middle, whose
coefficients are linear in the parameters of the whole image, ``c_t = D_t theta``. So the information that the tiles
have of theta adds up: with J_t that of tile t of its own kernel, after its spectrum and noise are allowed to follow,

    information of theta = sum_t D_t' J_t D_t.

Few parameters explain all tiles, each of which alone would tell little.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from blurlab.likelihood.climb import DAMPING, SETTLED, information_and_score, slopes
from blurlab.likelihood.whittle import Problem, State, evaluate, guess

LEAST = 1e-9


@dataclass(frozen=True)
class FieldBelief:
    """What is believed of the parameters of a field before its tiles are looked at: a Gaussian.

    Attributes:
        mean: (P,).
        precision: (P, P).
    """

    mean: Tensor
    precision: Tensor


@dataclass(frozen=True)
class Climbed:
    """A climb's end.

    Attributes:
        theta: Parameters of the field (P,).
        state: Of the tiles (T rows).
        value: Objective, that of the tiles together and of what is believed of theta.
        information: Of theta (P, P), that of the belief included.
    """

    theta: Tensor
    state: State
    value: float
    information: Tensor


def climb_field(problem: Problem, design: Tensor, belief: FieldBelief, limit: Tensor, iterations: int) -> Climbed:
    """Damped Fisher scoring in the parameters of a field, from what is believed of it.

    Args:
        problem: Of the tiles (T of them); its family is that of the kernels.
        design: How the tiles' coefficients depend on theta (T, J, P).
        belief: Of theta; the climb begins at its mean.
        limit: Largest magnitudes of theta (P,).
        iterations: Steps at most.
    """
    theta, pull = belief.mean, belief.precision
    state = guess(problem, design @ theta)

    def objective(at: State, where: Tensor) -> float:
        off = where - belief.mean
        return float(at.value.sum() + 0.5 * off @ pull @ off)

    value, damping = objective(state, theta), DAMPING
    for _ in range(iterations):
        kernel, score, followed = follow(problem, state)
        information = torch.einsum("tjp,tjk,tkq->pq", design, kernel, design) + pull
        uphill = torch.einsum("tjp,tj->p", design, score) - pull @ (theta - belief.mean)
        damped = information + damping * torch.diag(information.diagonal())
        trial = (theta + torch.linalg.solve(damped, uphill)).clamp(-limit, limit)
        new = _moved(problem, state, design @ trial, followed)
        reached = objective(new, trial)
        if reached <= value:
            gain, theta, state, value = value - reached, trial, new, reached
            damping = max(damping * 0.2, 1e-6)
            if gain < SETTLED:
                break
        else:
            damping = min(damping * 8, 1e6)
    kernel = follow(problem, state)[0]
    return Climbed(theta, state, value, torch.einsum("tjp,tjk,tkq->pq", design, kernel, design) + pull)


Followed = tuple[Tensor, Tensor]
"""How the spectra and the noise of the tiles answer: their own step (T, r), and its slope in the kernel's (T, r, J)."""


def follow(problem: Problem, state: State) -> tuple[Tensor, Tensor, Followed]:
    """Information (T, J, J) and score (T, J) of the tiles' kernels, with spectrum and noise following, and how."""
    information, score = information_and_score(problem, state, slopes(problem, state))
    kernel = len(problem.free)
    own = information[:, kernel:, kernel:] + LEAST * torch.eye(information.shape[1] - kernel).to(information)
    cross = information[:, kernel:, :kernel]
    factor = torch.linalg.cholesky(own)
    alone = torch.cholesky_solve(score[:, kernel:, None], factor)[..., 0]
    slope = torch.cholesky_solve(cross, factor)
    left = information[:, :kernel, :kernel] - cross.mT @ slope
    return left, score[:, :kernel] - (cross.mT @ alone[..., None])[..., 0], (alone, slope)


def _moved(problem: Problem, state: State, params: Tensor, followed: Followed) -> State:
    """The state of the tiles with these coefficients (T, J), spectrum and noise having followed."""
    alone, slope = followed
    step = alone - (slope @ (params - state.params)[..., None])[..., 0]
    return evaluate(
        problem, params, state.smooth + step[:, :-1].clamp(-3, 3), state.log_noise + step[:, -1].clamp(-2, 2)
    )
