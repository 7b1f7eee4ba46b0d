"""Which sets of photographs are there: what each member of ``conf/dataset`` needs, and where it was looked for."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from blurlab.run.command.member import member

if TYPE_CHECKING:
    from blurlab.dataset import Photo, Source


@dataclass(frozen=True)
class Holding:
    """A set that a member needs.

    Attributes:
        role: Its key in the member's file: ``source``, ``test_source``, ...
        name: Of the set.
        count: How many photographs are there; 0 where it is missing.
        folder: Where they lie; None where they are drawn, or missing.
        missing: Where it was looked for, and where to get it; empty where it is there.
        site: Where to get it; empty where it is drawn.
    """

    role: str
    name: str
    count: int
    folder: Path | None
    missing: str
    site: str


def holdings(name: str, data_dir: str | None = None) -> list[Holding]:
    """The sets that a member of ``conf/dataset`` needs, in the order of its file; no photograph is opened.

    Args:
        name: Of the member.
        data_dir: Where sets lie; None: where ``conf/paths`` says, by ``BLURLAB_DATA``.

    Raises:
        UsageError: If there is no such member.

    Example:
        >>> [(one.role, one.name, one.count, one.missing) for one in holdings("fundus_synthetic")]
        [('source', 'fundus_synthetic', 400, '')]
    """
    from blurlab.run.setup.build import build
    from blurlab.run.setup.parts import SOURCES

    node = member("dataset", name, data_dir=data_dir)
    given = {role: node[role] for role in SOURCES if node.get(role) is not None}
    return [_holding(role, build(source)) for role, source in given.items()]


def _holding(role: str, source: Source) -> Holding:
    from blurlab.dataset import DataNotFound

    try:
        photos = source.photos()
    except (DataNotFound, OSError, ValueError) as error:
        return Holding(role, source.name, 0, None, " ".join(str(error).split()), source.site)
    return Holding(role, source.name, len(photos), _folder(photos), "", source.site)


def _folder(photos: list[Photo]) -> Path | None:
    """The deepest folder that holds every file."""
    parents = {str(photo.path.absolute().parent) for photo in photos if photo.path is not None}
    return Path(os.path.commonpath(parents)) if parents else None
