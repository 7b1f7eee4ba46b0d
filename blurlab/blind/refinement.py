"""The last step on a kernel: from the whole gradients of a restored image instead of its strong edges."""

from __future__ import annotations

from torch import Tensor

from blurlab.blind.kernel_step import non_negative
from blurlab.blind.selection import gradients
from blurlab.blind.support import centred, pruned
from blurlab.deconvolver import TV

FAINT, STRAY = 0.02, 0.1
"""As for :func:`~blurlab.blind.support.pruned`."""


def refined(y: Tensor, psf: Tensor, *, iterations: int = 3, weight: float = 2.0) -> Tensor:
    """A kernel nearer to the true one than that which strong edges tell, which is too wide.

    In turn the image by total variation and the non-negative kernel. The prior draws both towards no blur, slowly: a
    few iterations gain, many lose.

    Args:
        y: Observed image (H, W), grey, on the [0, 1] scale.
        psf: A good first kernel (k, k), k odd.
        iterations: Steps on both.
        weight: Of the kernel's squares, in squared units of intensity.

    Returns:
        (k, k), >= 0, sum 1, the box of its values in the middle.
    """
    restore, observed = TV(iterations=30), gradients(y)
    for _ in range(iterations):
        image = restore(y[None, None], psf[None, None]).image[0, 0]
        psf = centred(pruned(non_negative(gradients(image), observed, psf.shape[0], weight), FAINT, STRAY))
    return psf
