"""Deconvolvers by their names, for those who call one function or one command."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from blurlab.deconvolver import Deconvolver

AUTO = "auto"
"""Total variation in light, or what a run was trained with."""
LEARNED = ("unrolled_dr", "wiener_stack")
"""Those whose image comes from a network, with the weights of the package."""
METHODS = ("wiener", "tikhonov", "tv", "hyper_laplacian", "richardson_lucy", "epll", *LEARNED)
"""Deconvolvers by the names that ``method`` takes, beside ``auto``, each as its file in ``conf/deconvolver`` has it."""


def named(method: str) -> Deconvolver | None:
    """The deconvolver of a name, which works on the light of the image; None for ``auto``.

    Raises:
        ValueError: If there is none of that name.

    Example:
        >>> named("auto") is None, type(named("tv")).__name__
        (True, 'InLight')
    """
    if method == AUTO:
        return None
    if method not in METHODS:
        raise ValueError(f"method must be {AUTO}, {', '.join(METHODS)} or a deconvolver, got {method!r}")
    from blurlab.deconvolver import InLight
    from blurlab.run.command.member import member
    from blurlab.run.setup.build import build

    return InLight(build(member("deconvolver", method)))
