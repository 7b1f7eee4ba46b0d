"""Any folder of photographs."""

from __future__ import annotations

import os
from pathlib import Path

from blurlab.core.file_names import readable
from blurlab.core.image_io import IMAGE_SUFFIXES
from blurlab.dataset.source import DataNotFound, Photo, Source, files_in, folders_below


class Folder(Source):
    r"""Every image file in a folder and below it, by its suffix; hidden files and folders are passed over.

    Links to folders are followed, and each folder is read once, however many links lead to it. A link that leads
    nowhere is a photograph that cannot be read: it may have led to a folder. Ids are the paths below the folder; bytes
    of a name that are no UTF-8 are written as escapes (``caf\xe9.png``).

    Args:
        root: The folder.
        name: Name for reports; the folder's own if None.
    """

    site = "your own photographs: dataset.source.root names their folder"

    def __init__(self, root: str | os.PathLike[str], name: str | None = None) -> None:
        self.root = Path(root)
        self.name = name or readable(self.root.absolute().name) or "folder"

    def photos(self) -> list[Photo]:
        """The photographs, each a group of its own.

        Raises:
            DataNotFound: If there is none.
            PermissionError: If a folder below cannot be read.
        """
        found = [
            path for folder in folders_below(self.root) for path in files_in(folder)
            if path.suffix.lower() in IMAGE_SUFFIXES or leads_nowhere(path)
        ]  # fmt: skip
        if not found:
            suffixes = " ".join(sorted(IMAGE_SUFFIXES))
            state = "holds none" if self.root.is_dir() else "is not a folder"
            raise DataNotFound(
                f"no photographs: looked for {suffixes} in {readable(self.root.absolute())}, which {state}; "
                "name a folder of photographs with dataset.source.root"
            )
        photos = [Photo(id=readable(path.relative_to(self.root).as_posix()), path=path) for path in found]
        return sorted(photos, key=lambda photo: photo.id)


def leads_nowhere(path: Path) -> bool:
    """Whether a path is a link to what is not there."""
    return path.is_symlink() and not os.path.exists(path)
