"""Several sets used as one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from blurlab.dataset.source import Photo, Source


class Concat(Source):
    """Several sets as one, named ``drive+chase_db1``; ids and groups are prefixed with the member's name.

    Each member is split by itself, so that every part holds photographs of every camera.

    Args:
        sources: The sets, of different names, none of them a Concat.
    """

    def __init__(self, sources: list[Source]) -> None:
        names = [source.name for source in sources]
        if not sources or len(set(names)) < len(names):
            raise ValueError(f"sources must be sets of different names, got {names}; give a Folder another name=")
        self.sources = {source.name: source for source in sources}
        self.name = "+".join(names)
        self.site = ", ".join(dict.fromkeys(source.site for source in sources if source.site))

    def members(self) -> list[Source]:
        """The sets, their photographs named as in this one."""
        return [_Member(source) for source in self.sources.values()]

    def photos(self) -> list[Photo]:
        """The photographs of the first set, then of the second, and so on."""
        return [photo for member in self.members() for photo in member.photos()]

    def load(self, photo: Photo) -> NDArray[np.float32]:
        """As the photograph's own set loads it."""
        return self._member(photo).load(photo)

    def check(self, photo: Photo) -> None:
        """As the photograph's own set checks it."""
        self._member(photo).check(photo)

    def digest(self, photo: Photo) -> str:
        """As the photograph's own set computes it."""
        return self._member(photo).digest(photo)

    def _member(self, photo: Photo) -> Source:
        name = photo.id.partition("/")[0]
        if name not in self.sources:
            raise ValueError(f"photograph {photo.id} is of none of the sets {', '.join(self.sources)}")
        return _Member(self.sources[name])


class _Member(Source):
    """A set whose ids and groups carry its name."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.name = source.name
        self.site = source.site

    def photos(self) -> list[Photo]:
        return [
            replace(photo, id=f"{self.name}/{photo.id}", group=photo.group and f"{self.name}/{photo.group}")
            for photo in self.source.photos()
        ]

    def load(self, photo: Photo) -> NDArray[np.float32]:
        return self.source.load(self._own(photo))

    def check(self, photo: Photo) -> None:
        self.source.check(self._own(photo))

    def digest(self, photo: Photo) -> str:
        return self.source.digest(self._own(photo))

    def _own(self, photo: Photo) -> Photo:
        prefix = f"{self.name}/"
        return replace(photo, id=photo.id.removeprefix(prefix), group=photo.group.removeprefix(prefix))
