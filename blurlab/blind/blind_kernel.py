"""The blind estimate of a kernel: several runs from coarse to fine, each refined, and the best of them."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from blurlab.blind.coarse_to_fine import CoarseToFine, coarse_to_fine
from blurlab.blind.judge import best_kernel
from blurlab.blind.refinement import refined

RUNS = (
    CoarseToFine(),
    CoarseToFine(faint=0.03, stray=0.02),
)
"""One that drops faint values and stray parts early, so that noise does not grow into the kernel, and one that keeps
the faint tails that such dropping costs."""


def blind_kernel(y: Tensor, size: int, runs: Sequence[CoarseToFine] = RUNS, *, refinements: int = 3) -> Tensor:
    """The kernel of a blurred image.

    Args:
        y: Observed image (H, W), grey, on the [0, 1] scale; not constant.
        size: Odd side of the kernel, px; the box of its values must fit.
        runs: Options of the runs, at least one.
        refinements: Steps of :func:`~blurlab.blind.refinement.refined` on the kernel of each.

    Returns:
        (size, size), >= 0, sum 1, its box in the middle.

    Raises:
        ValueError: If the image has fewer than two kernels' sides along an axis.
    """
    if min(y.shape) < 2 * size:
        raise ValueError(
            f"a kernel of {size} px needs an image of at least {2 * size} px a side, got {tuple(y.shape)}; "
            "lower the size of the kernel"
        )
    candidates = [refined(y, coarse_to_fine(y, size, run), iterations=refinements) for run in runs]
    return candidates[0] if len(candidates) == 1 else best_kernel(y, candidates)
