"""Deconvolvers by their names, for those who call one function or one command."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from blurlab.deconvolver import Deconvolver

AUTO = "auto"
"""Total variation in light, or what a run was trained with."""
METHODS = {
    "wiener": "Wiener",
    "tikhonov": "Tikhonov",
    "tv": "TV",
    "hyper_laplacian": "HyperLaplacian",
    "richardson_lucy": "RichardsonLucy",
    "epll": "EPLL",
}
"""Deconvolvers by the names that ``method`` takes, beside ``auto``; those of experiments' ``deconvolver=``."""


def named(method: str) -> Deconvolver | None:
    """The deconvolver of a name, which works on the light of the image; None for ``auto``.

    Raises:
        ValueError: If there is none of that name.

    Example:
        >>> named("auto") is None, type(named("tv")).__name__
        (True, 'InLight')
    """
    from blurlab import deconvolver

    if method == AUTO:
        return None
    if method not in METHODS:
        raise ValueError(f"method must be {AUTO}, {', '.join(METHODS)} or a deconvolver, got {method!r}")
    return deconvolver.InLight(getattr(deconvolver, METHODS[method])())
