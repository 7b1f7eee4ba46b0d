"""Sharp photographs: what one is, where a set of them comes from, and how a set is found on disk."""

from __future__ import annotations

import hashlib
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from blurlab.core.file_names import readable
from blurlab.core.image_io import read_image, read_size

MIN_SIDE = 32


class DataNotFound(FileNotFoundError):
    """A directory lacks the set; the message says what was looked for, where, and where to get it."""


@dataclass(frozen=True)
class Photo:
    """One photograph: a file, or a function that draws it.

    Attributes:
        id: Stable name within its set: the path below the set's folder, with ``/``. Where ``draw`` makes the
            photograph, the id must say all that the drawing depends on, for it stands for the content.
        group: Photographs of one group stay in one split (both eyes of a child); empty for a group of its own.
        path: The file, or None.
        draw: Gives the photograph (H, W, C) float32 in [0, 1] where there is no file.
    """

    id: str
    group: str = ""
    path: Path | None = None
    draw: Callable[[], NDArray[np.float32]] | None = field(default=None, compare=False, repr=False)


class Source(ABC):
    """A set of photographs. A subclass names it and lists its photographs.

    Attributes:
        name: Name of the set, as reports print it.
        site: Where to get the set.
    """

    name: str
    site: str = ""

    @abstractmethod
    def photos(self) -> list[Photo]:
        """Every photograph, sorted by id.

        Raises:
            DataNotFound: If there is none.
        """

    def members(self) -> list[Source]:
        """The sets that are split each by itself: this one, unless it joins several."""
        return [self]

    def load(self, photo: Photo) -> NDArray[np.float32]:
        """The photograph's pixels, (H, W, 1 or 3) float32 in [0, 1].

        Raises:
            ImageReadError: If its file is no whole image with sides of at least 32 pixels.
        """
        if photo.path is not None:
            return read_image(photo.path, min_side=MIN_SIDE)
        if photo.draw is None:
            raise ValueError(f"photograph {photo.id} has neither a path nor a function that draws it; give one")
        return photo.draw()

    def check(self, photo: Photo) -> None:
        """Read the file's header only.

        Raises:
            ImageReadError: If it shows that the file cannot be used.
        """
        if photo.path is not None:
            read_size(photo.path, min_side=MIN_SIDE)

    def digest(self, photo: Photo) -> str:
        """SHA-256 of the file's bytes, or of the names of set and photograph where it is drawn, in hexadecimal."""
        if photo.path is None:
            return hashlib.sha256(f"{self.name}/{photo.id}".encode()).hexdigest()
        with open(photo.path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True)
class Layout:
    """How a set lies on disk.

    Attributes:
        set_name: The set's name in messages.
        looks_for: What is looked for, in a few words.
        site: Where to get the set.
        folders: Names of the set's folder; case and punctuation do not matter (CHASEDB1, chase_db1).
        places: Alternatives, the official one first: folders below the set's folder that hold the photographs.
        pattern: What a photograph's whole file name matches, in any case.
    """

    set_name: str
    looks_for: str
    site: str
    folders: tuple[str, ...]
    places: tuple[tuple[str, ...], ...]
    pattern: str

    def find(self, root: str | os.PathLike[str]) -> list[tuple[str, Path, re.Match[str]]]:
        """(id, path, match of the name) of every photograph, sorted by id.

        Looks in ``root`` itself, then in the set's folder within ``root``, ``root/fundus`` and, one level deeper, in a
        folder of the same name (as when a zip is extracted into a folder named after it). The first that holds any
        photographs is taken.

        Raises:
            DataNotFound: If none of them does.
        """
        for folder in self._candidates(Path(root)):
            for places in self.places:
                found = [entry for place in places for entry in self._in(folder, place)]
                if found:
                    return sorted(found, key=lambda entry: entry[0])
        raise DataNotFound(
            f"{self.set_name} not found: looked for {self.looks_for} in {readable(Path(root).absolute())} "
            f"and its subfolders {', '.join(self.folders)}, there or in a folder fundus; get the set from "
            f"{self.site}, and set paths.data_dir (or BLURLAB_DATA) to the folder that it lies in"
        )

    def _candidates(self, root: Path) -> Iterator[Path]:
        yield root
        names = {_plain(name) for name in self.folders}
        for parent in (root, root / "fundus"):
            for folder in subfolders(parent):
                if _plain(folder.name) in names:
                    yield folder
                    yield from (inner for inner in subfolders(folder) if _plain(inner.name) in names)

    def _in(self, folder: Path, place: str) -> Iterator[tuple[str, Path, re.Match[str]]]:
        for path in files_in(folder / place):
            match = re.fullmatch(self.pattern, path.name, re.IGNORECASE)
            if match:
                yield path.relative_to(folder).as_posix(), path, match


def files_in(folder: Path) -> Sequence[Path]:
    """Visible entries directly in a folder that are no folders, sorted; none where there is no such folder.

    Links that lead nowhere are among them, so that reading them says so.
    """
    return [folder / entry.name for entry in _entries(folder) if not _is_folder(entry)]


def subfolders(folder: Path) -> Sequence[Path]:
    """Visible folders directly in a folder, and links to folders, sorted; none where there is no such folder."""
    return [folder / entry.name for entry in _entries(folder) if _is_folder(entry)]


def folders_below(root: Path) -> Iterator[Path]:
    """A folder and all visible folders below it, each once: links are followed after everything that is no link.

    Raises:
        PermissionError: If a folder cannot be read.
    """
    met: set[tuple[int, int]] = set()
    here: list[Path] = [root]
    linked: list[Path] = []
    while here or linked:
        folder = here.pop() if here else linked.pop()
        try:
            state = folder.stat()
        except OSError:
            continue  # there is none
        if (state.st_dev, state.st_ino) in met or not folder.is_dir():
            continue
        met.add((state.st_dev, state.st_ino))
        yield folder
        for below in reversed(subfolders(folder)):
            (linked if below.is_symlink() else here).append(below)


def _entries(folder: Path) -> Sequence[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            visible = [entry for entry in entries if not entry.name.startswith(".")]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise PermissionError(
            f"cannot read the folder {readable(folder)}: {error.strerror}; change its permissions or move it away"
        ) from error
    return sorted(visible, key=lambda entry: entry.name)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False  # a link to itself


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
