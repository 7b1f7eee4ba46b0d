"""The maximum of the spectral likelihood, by Fisher scoring with the damping of Levenberg and Marquardt."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from blurlab.blur import Parameter
from blurlab.likelihood.taper import leak
from blurlab.likelihood.whittle import Problem, State, evaluate, guess, otf_slopes

LONGEST_STEP = {"px": 0.5, "deg": 4.0}
"""Longest step in one iteration of a parameter of this unit."""
LONGEST_SHARE = 1 / 16
"""The same of a parameter of another unit, as a share of its range."""
SETTLED = 1e-5
"""A step that lowers the objective by less, of a log-likelihood, ends the climb."""
DAMPING = 0.1
"""Of the first step: where the spectrum is only guessed, Fisher scoring goes too far."""
TRIAL_STEPS, FINALISTS = 3, 2
"""Of several climbs of an image only the best few go on after so many steps."""


def maximise(problem: Problem, starts: Tensor, iterations: int = 12) -> tuple[State, Tensor]:
    """Fisher scoring with the damping of Levenberg and Marquardt, from one kernel of each image or from several.

    Args:
        problem: Of B images.
        starts: Kernel parameters (B, P) or (B, K, P).
        iterations: Steps at most.

    Returns:
        The best state of each image, and the information matrix there.
    """
    starts = starts if starts.ndim == 3 else starts[:, None]
    state = guess(problem.repeated(starts.shape[1]), starts.flatten(0, 1))
    damping = torch.full_like(state.value, DAMPING)
    trial = min(TRIAL_STEPS, iterations) if starts.shape[1] > FINALISTS else 0
    if trial:
        state, damping = _climb(problem, state, damping, trial)
        state, damping = _best(problem, state, damping, FINALISTS)
    state, damping = _climb(problem, state, damping, iterations - trial)
    state, _ = _best(problem, state, damping, 1)
    information, _ = information_and_score(problem, state, slopes(problem, state))
    return state, information


def climbs(problem: Problem, starts: Tensor, iterations: int = 12) -> tuple[State, Tensor]:
    """As :func:`maximise`, but every climb to its end, and all of them kept.

    Args:
        problem: Of B images.
        starts: Kernel parameters (B, K, P).
        iterations: Steps at most.

    Returns:
        The states (B * K rows, those of an image one after another), and the information matrix at each.
    """
    problem = problem.repeated(starts.shape[1])
    state = guess(problem, starts.flatten(0, 1))
    state, _ = _climb(problem, state, torch.full_like(state.value, DAMPING), iterations)
    return state, information_and_score(problem, state, slopes(problem, state))[0]


def step(problem: Problem, state: State, damping: Tensor) -> tuple[State, Tensor]:
    """One damped step of Fisher scoring, kept within the family's bounds.

    Returns:
        The new state, and the information matrix (B, p + m + 1, p + m + 1) at the old one.
    """
    information, score = information_and_score(problem, state, slopes(problem, state))
    damped = information + torch.diag_embed(information.diagonal(dim1=1, dim2=2) * damping[:, None] + 1e-9)
    held = _held(problem, state.params, score)
    apart = held[:, :, None] ^ held[:, None, :]
    move = torch.linalg.solve(damped.masked_fill(apart, 0), score.masked_fill(held, 0))
    free, terms = problem.free, len(problem.terms)
    params = state.params.clone()
    for place, column in enumerate(free):
        longest = longest_step(problem.family.parameters[column])
        params[:, column] += move[:, place].clamp(-longest, longest)
    params = problem.family.within(params)
    smooth = state.smooth + move[:, len(free) : len(free) + terms].clamp(-3, 3)
    return evaluate(problem, params, smooth, state.log_noise + move[:, -1].clamp(-2, 2)), information


def longest_step(parameter: Parameter) -> float:
    """Longest step of a parameter in one iteration, in its unit."""
    return LONGEST_STEP.get(parameter.unit, LONGEST_SHARE * (parameter.high - parameter.low))


def _climb(problem: Problem, state: State, damping: Tensor, iterations: int) -> tuple[State, Tensor]:
    """Steps from each state, several of an image one after another in the rows."""
    problem = problem.repeated(len(state.value) // len(problem.observed))
    for _ in range(iterations):
        new, _ = step(problem, state, damping)
        better = new.value <= state.value
        gain = torch.where(better, state.value - new.value, torch.inf)
        state = _choose(better, new, state)
        if bool((gain < SETTLED).all()):
            break
        damping = torch.where(better, damping * 0.2, damping * 8).clamp(1e-6, 1e6)
    return state, damping


def _best(problem: Problem, state: State, damping: Tensor, keep: int) -> tuple[State, Tensor]:
    """The best ``keep`` of each image's states, with their damping."""
    value = state.value.reshape(len(problem.observed), -1)
    first = torch.arange(0, value.numel(), value.shape[1], device=value.device)
    rows = (value.topk(keep, largest=False).indices + first[:, None]).flatten()
    return State(*(part[rows] for part in vars(state).values())), damping[rows]


def _held(problem: Problem, params: Tensor, score: Tensor) -> Tensor:
    """Which unknowns (B, q) lie at a bound that they would leave: the others move as if these were fixed."""
    held = torch.zeros_like(score, dtype=torch.bool)
    for place, column in enumerate(problem.free):
        one, value, uphill = problem.family.parameters[column], params[:, column], score[:, place]
        if not one.goes_round:
            held[:, place] = ((value <= one.low) & (uphill < 0)) | ((value >= one.high) & (uphill > 0))
    return held


def slopes(problem: Problem, state: State) -> Tensor:
    """D log P / d parameter: kernel, smooth spectrum, log noise (B, p + m + 1, N, N // 2 + 1)."""
    side = state.expected.shape[-2]
    kernel = [otf_slopes(problem.family, state.params, column, side) * state.content for column in problem.free]
    smooth = [state.blurred * term for term in problem.terms]
    inner = torch.stack([*kernel, *smooth], 1)
    noise = state.log_noise.exp()[:, None, None, None].expand(-1, 1, *state.blurred.shape[1:])
    return torch.cat([leak(inner, problem.factors), noise], 1) / state.expected[:, None]


def information_and_score(problem: Problem, state: State, slope: Tensor) -> tuple[Tensor, Tensor]:
    """Expected information (B, q, q) and score (B, q), the prior's included."""
    prior, nu = problem.prior, problem.prior.freedom
    ratio = problem.observed / state.expected
    pull = (nu + 1) * ratio / (nu + ratio) - 1
    flat, weight = slope.flatten(2), problem.weight.flatten()
    weighted = flat * weight
    information = weighted @ flat.transpose(1, 2) * (nu / (nu + 2))
    score = (weighted @ pull.flatten(1)[..., None])[..., 0]
    smooth = slice(len(problem.free), len(problem.free) + len(problem.terms))
    precision = prior.precision.to(information)
    information[:, smooth, smooth] += precision
    score[:, smooth] -= (state.smooth - prior.mean.to(score)) @ precision
    if problem.belief is not None:
        off = problem.belief.off(problem.family, state.params)
        for place, column in enumerate(problem.free):
            spread = problem.belief.spread[:, column]
            information[:, place, place] += spread**-2
            score[:, place] -= off[:, column] / spread
    return information, score


def _choose(take: Tensor, new: State, old: State) -> State:
    chosen = {
        name: torch.where(take.reshape(-1, *[1] * (value.ndim - 1)), value, getattr(old, name))
        for name, value in vars(new).items()
    }
    return replace(old, **chosen)
