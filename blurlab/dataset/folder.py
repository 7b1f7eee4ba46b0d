"""Any folder of photographs."""

from __future__ import annotations

import os
from pathlib import Path

from blurlab.core.image_io import IMAGE_SUFFIXES
from blurlab.dataset.source import DataNotFound, Photo, Source


class Folder(Source):
    """Every image file in a folder and below it, by its suffix; hidden files and folders are passed over.

    Args:
        root: The folder.
        name: Name for reports; the folder's own if None.
    """

    site = "your own photographs: dataset.source.root names their folder"

    def __init__(self, root: str | os.PathLike[str], name: str | None = None) -> None:
        self.root = Path(root)
        self.name = name or self.root.absolute().name or "folder"

    def photos(self) -> list[Photo]:
        """The photographs, each a group of its own."""
        found = []
        for folder, below, names in os.walk(self.root):
            below[:] = [name for name in below if not name.startswith(".")]
            found += [
                Path(folder, name) for name in names
                if not name.startswith(".") and Path(name).suffix.lower() in IMAGE_SUFFIXES
            ]  # fmt: skip
        if not found:
            suffixes = " ".join(sorted(IMAGE_SUFFIXES))
            state = "holds none" if self.root.is_dir() else "is not a folder"
            raise DataNotFound(
                f"no photographs: looked for {suffixes} in {self.root.absolute()}, which {state}; "
                "name a folder of photographs with dataset.source.root"
            )
        photos = [Photo(id=path.relative_to(self.root).as_posix(), path=path) for path in found]
        return sorted(photos, key=lambda photo: photo.id)
