"""The laws of the library's parts, to check one's own by: each raises AssertionError with the law that is broken.

Example:
    >>> import torch
    >>> from blurlab.deconvolver import Wiener
    >>> from blurlab.testing import check_deconvolver
    >>> check_deconvolver(Wiener(), generator=torch.Generator().manual_seed(0))
"""

from __future__ import annotations

from blurlab.blur.laws import check_family
from blurlab.deconvolver.laws import check_deconvolver
from blurlab.physics.laws import check_operator

__all__ = ["check_deconvolver", "check_family", "check_operator"]
