"""blurlab names the blur in an image, measures it and undoes it, with the limit beside every figure.

``blurlab.deblur(image)`` and ``blurlab.identify(image)`` are loaded when they are first asked for.
"""

from typing import Any

from blurlab.core.version import VERSION

__version__ = VERSION
__all__ = ["Result", "deblur", "identify"]


def __getattr__(name: str) -> Any:
    """What stands in ``__all__``: help and the names of experiments need nothing that must be installed."""
    if name not in __all__:
        raise AttributeError(f"module 'blurlab' has no attribute {name!r}")
    from blurlab import one_call

    return getattr(one_call, name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
