"""The laws of the library's parts, to check one's own by: each check raises AssertionError with the law that is broken.

The same laws one by one, kept or broken, are ``family_laws``, ``operator_laws`` and ``deconvolver_laws``; the command
``blurlab check MODULE:CLASS`` prints them.

Example:
    >>> import torch
    >>> from blurlab.deconvolver import Wiener
    >>> from blurlab.testing import check_deconvolver
    >>> check_deconvolver(Wiener(), generator=torch.Generator().manual_seed(0))
"""

from __future__ import annotations

from blurlab.blur.laws import check_family, family_laws
from blurlab.deconvolver.laws import check_deconvolver, deconvolver_laws
from blurlab.physics.laws import check_operator, operator_laws

__all__ = [
    "check_deconvolver",
    "check_family",
    "check_operator",
    "deconvolver_laws",
    "family_laws",
    "operator_laws",
]
