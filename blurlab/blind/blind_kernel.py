"""The blind estimate of a kernel: several runs from coarse to fine, each refined, and the best of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from blurlab.blind.coarse_to_fine import CoarseToFine, coarse_to_fine
from blurlab.blind.judge import best_kernel
from blurlab.blind.refinement import refined
from blurlab.noise import estimate_sigma


@dataclass(frozen=True)
class Run:
    """One run from coarse to fine, and by which factor its kernel has to be better than others to be taken."""

    options: CoarseToFine
    handicap: float = 1.0


RUNS = (
    Run(CoarseToFine()),
    Run(CoarseToFine(weight=2e-3)),
    Run(CoarseToFine(faint=0.03, stray=0.02), handicap=1.02),
)
"""The first two keep more or less texture at first. The third one keeps the faint tails that the others drop, and noise
with them: its kernels are wider, so that it has to be the better by 2 %."""
NOISY = 0.003
"""Standard deviation of noise above which a start is judged as it is, too: refining fits a kernel to the noise."""


def blind_kernel(
    y: Tensor, size: int, runs: Sequence[Run] = RUNS, *, refinements: int = 3, starts: Sequence[Tensor] = ()
) -> Tensor:
    """The kernel of a blurred image.

    Args:
        y: Observed image (H, W), grey, on the [0, 1] scale; not constant.
        size: Odd side of the kernel, px; the box of its values must fit.
        runs: At least one.
        refinements: Steps of :func:`~blurlab.blind.refinement.refined` on the kernel of each.
        starts: Kernels (size, size) of others; what comes of each (:func:`from_starts`) is judged with the rest.

    Returns:
        (size, size), >= 0, sum 1, its box in the middle.

    Raises:
        ValueError: If the image has fewer than two kernels' sides along an axis.
    """
    found = candidates(y, size, runs, refinements=refinements)
    found += from_starts(y, size, starts, runs[0], refinements=refinements)
    handicaps = [run.handicap for run in runs] + [1.0] * (len(found) - len(runs))
    return found[0] if len(found) == 1 else best_kernel(y, found, handicaps)


def from_starts(y: Tensor, size: int, starts: Sequence[Tensor], run: Run, *, refinements: int = 3) -> list[Tensor]:
    """Two kernels of each start, refined as it is and after a run's steps at the finest scale; with noise itself, too.

    Args:
        y: As in :func:`blind_kernel`.
        size: Of the kernels, px.
        starts: Kernels (size, size).
        run: Whose options the steps have.
        refinements: As in :func:`blind_kernel`.
    """
    sigma = float(estimate_sigma(y[None, None]))
    options = run.options.with_noise(sigma)
    begun = [one for start in starts for one in (start, coarse_to_fine(y, size, options, start))]
    return [refined(y, one, iterations=refinements) for one in begun] + [*starts] * (sigma > NOISY)


def candidates(y: Tensor, size: int, runs: Sequence[Run] = RUNS, *, refinements: int = 3) -> list[Tensor]:
    """The kernel of each run; see :func:`blind_kernel`."""
    if min(y.shape) < 2 * size:
        raise ValueError(
            f"a kernel of {size} px needs an image of at least {2 * size} px a side, got {tuple(y.shape)}; "
            "lower the size of the kernel"
        )
    sigma = float(estimate_sigma(y[None, None]))
    options = [run.options.with_noise(sigma) for run in runs]
    return [refined(y, coarse_to_fine(y, size, one), iterations=refinements) for one in options]
