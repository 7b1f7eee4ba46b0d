"""What the package asks of its environment: bounds on Python and on each dependency, and its extras."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

DISTRIBUTION = "blurlab-toolbox"
"""What pip installs; PyPI has another package of the name ``blurlab``."""
CHECKOUT = Path(__file__).resolve().parents[2] / "pyproject.toml"


@dataclass(frozen=True)
class Bounds:
    """The bounds of the package.

    Attributes:
        python: Versions of Python.
        needed: What must be installed, ``torch>=2.6``.
        extras: What else an extra needs, by its name.
    """

    python: str
    needed: tuple[str, ...]
    extras: dict[str, tuple[str, ...]]


def bounds() -> Bounds:
    """Those of the checkout that the package lies in, or those that were installed with it.

    Raises:
        importlib.metadata.PackageNotFoundError: If it lies in no checkout and was not installed.
    """
    if CHECKOUT.is_file():
        import tomllib

        project = tomllib.loads(CHECKOUT.read_text(encoding="utf-8"))["project"]
        extras = {name: tuple(words) for name, words in project["optional-dependencies"].items()}
        return Bounds(project["requires-python"], tuple(project["dependencies"]), extras)
    from importlib import metadata  # slow, and help needs none of it

    found = metadata.metadata(DISTRIBUTION)
    lines = metadata.requires(DISTRIBUTION) or []
    parted = [[part.strip() for part in line.partition(";")[::2]] for line in lines]
    names = found.get_all("Provides-Extra") or []
    extras = {name: tuple(what for what, when in parted if _is_of(when, name)) for name in names}
    return Bounds(found["Requires-Python"], tuple(what for what, when in parted if "extra" not in when), extras)


def lacking(requirements: Iterable[str]) -> list[str]:
    """Which requirements the environment does not meet, each with what is there instead.

    Raises:
        ImportError: If ``packaging`` is missing, which the dependencies bring along.

    Example:
        >>> lacking(["numpy>=1.26", "numpy>=999", "no-such-package"])[1:]
        ['no-such-package is missing']
    """
    from importlib import metadata

    from packaging.requirements import Requirement

    found = []
    for one in map(Requirement, requirements):
        try:
            version = metadata.version(one.name)
        except metadata.PackageNotFoundError:
            found.append(f"{one.name} is missing")
            continue
        if not one.specifier.contains(version, prereleases=True):
            found.append(f"{one.name} {version} is not {one.specifier}")
    return found


def _is_of(when: str, extra: str) -> bool:
    return f'extra == "{extra}"' in when.replace("'", '"')
